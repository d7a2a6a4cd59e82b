"""Azure's limits on the rate of calls, as plain data with the time passed in: token buckets, and windows of calls.

A limit counts by itself what was sent, so that a budget is never overdrawn by the operator alone, and takes Azure's word
where that says less: another client may eat from the same budget. A call is held (granted, not yet sent), then in flight
(sent, not yet answered), then answered. When Azure counts it lies somewhere between sending and answer, so both ends are
reckoned with.

Numbers: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

# What others were seen to take in so many seconds is left to them: their call and ours would race for the last token.
_LEFT_TO_OTHERS = 1.0
# Seconds over which it is measured what others take. Calls in flight blur a shorter measure.
_MEASURED_OVER = 5.0
# At most this share of a refill is ever left to others: who leaves all of it never learns that they have stopped.
_MOST_FOR_OTHERS = 0.9
# Until that is measured, and where less is left than by own count: at most this share of what is left is under way at
# once, so that what somebody takes before the next answer is there for both. Fewer tokens are a blur of what is in flight.
_UNDER_WAY_BESIDE_OTHERS, _BLUR = 0.25, 2.0
# The same of all that fits into a bucket while Azure has said nothing of it for so many seconds: a burst must not be on its
# way before the first answer tells that somebody else has just had one.
_UNDER_WAY_UNHEARD, _OLD_WORD = 0.1, 30.0
# Without an answer for so many seconds, others are no longer thought to go on.
_OTHERS_FORGOTTEN = 60.0
# After a refusal one call goes ahead alone; seconds until the others ask again how it went.
_PROBE = 1.0
# A window is counted in so many slots.
_SLOTS = 300
# The share of a window that is spread where more waits than it holds.
_SPREAD = 0.25
_TOLERANCE = 1e-6
_NEVER = -math.inf


class Limit(Protocol):
    """One budget of Azure's. Times are seconds of the caller's clock."""

    held: int
    in_flight: int

    def room(self, now: float) -> int:
        """How many more calls may be held now."""

    def blocked(self, now: float) -> float:
        """Seconds for which not even a held call may be sent: Azure asked to wait, or too much is under way already."""

    def opens_in(self, now: float, calls: int) -> float:
        """Seconds until there is room for so many calls, as far as can be told now."""

    def spread_in(self, now: float, waiting: int) -> float:
        """Seconds until the next routine call of so many that wait, where sending all at once would not end earlier."""

    def hold(self, now: float, *, routine: bool) -> None:
        """Set a call aside."""

    def drop(self) -> None:
        """A held call is not sent."""

    def send(self, now: float) -> None:
        """A held call is sent."""

    def answer(self, now: float, remaining: int | None, *, refused: bool) -> None:
        """A call was answered, or lost; ``remaining`` is what Azure says is left, where it says so."""

    def close(self, now: float, seconds: float) -> None:
        """Azure asks to send nothing for so many seconds."""


@dataclass(frozen=True, slots=True)
class BucketSize:
    """Capacity in calls, refill in calls a second."""

    capacity: int
    refill: float


@dataclass(frozen=True, slots=True)
class _Mark:
    at: float
    remaining: int
    answered: int


@dataclass(slots=True)
class TokenBucket:
    """A bucket as Azure keeps it, seen from outside.

    :ivar level: tokens by own count, never more than are there while nobody else takes any
    :ivar told: tokens by Azure's last word, less what has gone since
    :ivar others: tokens a second that others were seen to take
    :ivar doubted: Azure has refused a call and let none through since
    """

    size: BucketSize
    at: float
    level: float = field(init=False)
    told: float = field(init=False)
    others: float = 0.0
    held: int = 0
    in_flight: int = 0
    closed_until: float = _NEVER
    doubted: bool = False
    _answered: int = 0
    _heard_at: float = _NEVER
    _mark: _Mark | None = None

    def __post_init__(self) -> None:
        self.level = self.told = float(self.size.capacity)

    def room(self, now: float) -> int:
        """How many more calls may be held now."""
        if now < self.closed_until:
            return 0
        if self.doubted:
            self._flow(now)
            return int(self.in_flight == 0 and self.level >= 1)
        free = min(self._free(now), self._may_be_under_way(now) - self.in_flight - self.held)
        return max(int(free + _TOLERANCE), 0)

    def blocked(self, now: float) -> float:
        """Seconds for which not even a held call may be sent."""
        if now < self.closed_until:
            return self.closed_until - now
        self._flow(now)
        too_many = self.in_flight + 1 > max(self._may_be_under_way(now), 1.0)
        return _PROBE if self.in_flight and (self.doubted or too_many) else 0.0

    def left(self, now: float) -> int:
        """Tokens that are neither used nor set aside, by what is known."""
        return 0 if now < self.closed_until else max(int(self._free(now) + _TOLERANCE), 0)

    def opens_in(self, now: float, calls: int) -> float:
        """Seconds until there is room for so many calls."""
        closed = max(self.closed_until - now, 0.0)
        missing = calls - self._free(now)
        if missing <= _TOLERANCE:
            return closed
        return max(closed, missing / max(self.size.refill - self.others, self.size.refill * (1 - _MOST_FOR_OTHERS)))

    def spread_in(self, now: float, waiting: int) -> float:  # noqa: ARG002 - of a window only
        """A bucket fills again at once: nothing is gained by leaving tokens in it."""
        return 0.0

    def hold(self, now: float, *, routine: bool) -> None:  # noqa: ARG002 - the same for every call
        """Set a token aside."""
        self.held += 1

    def drop(self) -> None:
        """A held token is not used."""
        self.held -= 1

    def send(self, now: float) -> None:
        """A held token is used."""
        self._flow(now)
        self.held -= 1
        self.in_flight += 1
        self.level -= 1
        self.told -= 1

    def answer(self, now: float, remaining: int | None, *, refused: bool) -> None:
        """Take Azure's word for what is left, less what is still on its way there."""
        self._flow(now)
        self.in_flight -= 1
        self._heard_at = now
        self._answered += not refused
        if not refused:
            self.doubted = False
        if remaining is None:
            return
        remaining = min(remaining, self.size.capacity)
        # Of what is in flight Azure may have counted all or nothing: where the own count lies between, nobody else took any.
        self.told = self.level if self.level <= remaining else float(remaining - self.in_flight)
        self._measure_others(now, remaining)

    def close(self, now: float, seconds: float) -> None:
        """Azure asks to send nothing for so many seconds. A shorter wait does not shorten a longer one."""
        self._flow(now)
        self.closed_until = max(self.closed_until, now + seconds)
        self.doubted = True
        self.told = min(self.told, 0.0)
        # There was a token for us by all that was known, and somebody had it.
        self.others = max(self.others, min(self.others * 2, self.size.refill * _MOST_FOR_OTHERS), self.size.refill / 4)
        self._mark = _Mark(now, 0, self._answered)

    def _free(self, now: float) -> float:
        self._flow(now)
        return min(self.level, self.told - self.others * _LEFT_TO_OTHERS) - self.held

    def _may_be_under_way(self, now: float) -> float:
        if now - self._heard_at > _OLD_WORD:
            return self.size.capacity * _UNDER_WAY_UNHEARD
        if self.others or self.told >= self.level - _BLUR:
            return math.inf
        return max((self.told + self.in_flight) * _UNDER_WAY_BESIDE_OTHERS, 1.0)

    def _flow(self, now: float) -> None:
        passed = max(now - self.at, 0.0)
        self.at = max(self.at, now)
        if self.others and self._mark is not None and now - self._mark.at > _OTHERS_FORGOTTEN:
            self.others, self._mark = 0.0, None
        # What has not arrived yet still lies in Azure's bucket, and a full bucket takes no refill.
        most = float(self.size.capacity - self.in_flight)
        self.level = min(self.level + passed * self.size.refill, most)
        self.told = min(self.told + passed * (self.size.refill - self.others), most)

    def _measure_others(self, now: float, remaining: int) -> None:
        mark = self._mark
        if mark is not None and now - mark.at < _MEASURED_OVER:
            return
        self._mark = _Mark(now, remaining, self._answered)
        if mark is None:
            return
        passed = now - mark.at
        if max(remaining, mark.remaining) + self.in_flight >= self.size.capacity - 1:
            # A full bucket takes no refill: what is missing was taken by nobody.
            taken = 0.0
        else:
            gone = mark.remaining - remaining + passed * self.size.refill
            # What is in flight may have been counted by Azure already, and is then no other's.
            taken = (gone - (self._answered - mark.answered) - self.in_flight) / passed
        taken = min(max(taken, 0.0), self.size.refill * _MOST_FOR_OTHERS)
        self.others = taken if taken < self.others else (self.others + taken) / 2


@dataclass(slots=True)
class CallWindow:
    """At most ``limit`` calls in any ``seconds``. Where Azure's own windows begin is not known, so none is assumed.

    :ivar share: how many of them are ours, as refusals have taught; it grows back while there are none
    """

    limit: int
    seconds: float
    share: int = field(init=False)
    held: int = 0
    in_flight: int = 0
    closed_until: float = _NEVER
    doubted: bool = False
    _slots: deque[tuple[float, int]] = field(default_factory=deque)
    _counted: int = 0
    _routine_at: float = _NEVER
    _learned_at: float = _NEVER

    def __post_init__(self) -> None:
        self.share = self.limit

    def room(self, now: float) -> int:
        """How many more calls may be held now."""
        if now < self.closed_until:
            return 0
        free = self._free(now)
        return min(free, int(self.in_flight == 0)) if self.doubted else free

    def blocked(self, now: float) -> float:
        """Seconds for which not even a held call may be sent."""
        if now < self.closed_until:
            return self.closed_until - now
        return _PROBE if self.doubted and self.in_flight else 0.0

    def opens_in(self, now: float, calls: int) -> float:
        """Seconds until there is room for so many calls."""
        closed = max(self.closed_until - now, 0.0)
        return max(closed, self._freed_in(now, calls - self._free(now)))

    def spread_in(self, now: float, waiting: int) -> float:
        """More waits than there is room for, and the last of it must wait for what was sent first: the last quarter of
        the window is spread until then, so that what is urgent meanwhile finds room, and nothing ends later.
        """
        room = self._free(now)
        surplus = waiting - room
        if surplus <= 0 or not 0 < room <= self.limit * _SPREAD or surplus > self._counted:
            return 0.0
        return max(self._routine_at + self._freed_in(now, surplus) / room - now, 0.0)

    def hold(self, now: float, *, routine: bool) -> None:
        """Set a call aside."""
        self.held += 1
        if routine:
            self._routine_at = now

    def drop(self) -> None:
        """A held call is not sent."""
        self.held -= 1

    def send(self, now: float) -> None:  # noqa: ARG002 - it counts from its answer on
        """A held call is sent."""
        self.held -= 1
        self.in_flight += 1

    def answer(self, now: float, remaining: int | None, *, refused: bool) -> None:  # noqa: ARG002 - of another budget
        """From now on the call counts for a whole window: Azure may have counted it as late as this."""
        self.in_flight -= 1
        if not refused:
            self.doubted = False
        slot = self.seconds / _SLOTS
        until = math.ceil((now + self.seconds) / slot) * slot
        count = self._slots.pop()[1] if self._slots and self._slots[-1][0] == until else 0
        self._slots.append((until, count + 1))
        self._counted += 1

    def close(self, now: float, seconds: float) -> None:
        """Azure asks to send nothing for so many seconds, before the own count did: others eat from the same window."""
        self._forget(now)
        self.closed_until = max(self.closed_until, now + seconds)
        self.doubted = True
        self.share = min(self.share, max(self._counted, self.limit // 10))
        self._learned_at = now

    def told(self, now: float, remaining: int, resets_in: float) -> None:
        """Azure says how many calls are left and when all of them are there again (Resource Graph does)."""
        used = max(self.limit - remaining, 0)
        self._slots = deque([(now + resets_in, used)] if used else [])
        self._counted = used

    def _free(self, now: float) -> int:
        self._forget(now)
        return max(self.share - self._counted - self.in_flight - self.held, 0)

    def _freed_in(self, now: float, calls: int) -> float:
        """Seconds until so many of the counted calls count no more; all that are under way count for a whole window."""
        if calls <= 0:
            return 0.0
        for until, count in self._slots:
            calls -= count
            if calls <= 0:
                return until - now
        return self.seconds * math.ceil((calls + self.share) / self.share)

    def _forget(self, now: float) -> None:
        while self._slots and self._slots[0][0] <= now:
            self._counted -= self._slots.popleft()[1]
        if self.share < self.limit and now - self._learned_at >= self.seconds * 2:
            self.share = min(self.share + max(self.limit // 10, 1), self.limit)
            self._learned_at = now - self.seconds
