"""Whose turn it is: grants for writes, given out in the order of their urgency and fairly between those who wait.

A claimant (a custom resource) asks for the calls that it wants to make and gets grants for some; a grant is one call's place
in every budget that the call draws on. What gets none waits here, and nothing else does: the claimant is woken when it
holds a grant. Within a lane (one kind of call to one subscription and region) claimants take turns, since each call costs
one; of lanes that share a budget the claimant that was served longest ago comes first. Urgent calls go before others, but
every fourth grant goes to whoever was served longest ago, so that no flood of urgent calls starves the rest.
"""

import asyncio
import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

from bastion_operator.arm.budgets import Budgets, Call
from bastion_operator.clock import Clock

# Seconds between two looks at who may go on while somebody waits.
_SHORTEST_LOOK, _LONGEST_LOOK = 0.2, 2.0
# Real seconds below which no look follows another, however fast the clock.
_LEAST_REAL = 0.01
# A claimant is woken when it holds this share of what it wants, or a grant for so many seconds: each time it comes it
# looks at all that it has to do, and for a thousand calls that is much.
_SHARE_TO_WAKE = 0.1
_WOKEN_AFTER = 10.0
# Seconds for which a grant is kept for a claimant that was woken and does not come.
_KEPT = 120.0
_WHATEVER_ITS_URGENCY = 4


class Urgency(IntEnum):
    """What goes first: deletions and repairs before creations, and of both what a person asked for before the routine."""

    ASKED_REPAIR = 0
    REPAIR = 1
    ASKED_CREATION = 2
    CREATION = 3


class Want(NamedTuple):
    """A call that a claimant wants to make; ``name`` tells it from the claimant's others."""

    name: str
    call: Call
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Waiting:
    """Calls of one claimant that wait for one lane, and in how many seconds the last of them will go, as things stand."""

    call: Call
    count: int
    seconds: float


K = TypeVar("K", bound=Hashable)
_Ring = dict[K, dict[str, float]]


@dataclass(slots=True)
class _Lane(Generic[K]):
    """Those who wait for one kind of call: for each urgency a ring of claimants, each with the names and since when."""

    call: Call
    rings: dict[Urgency, _Ring[K]] = field(default_factory=lambda: {each: {} for each in Urgency})
    waiting: int = 0

    def add(self, key: K, name: str, urgency: Urgency, since: float) -> None:
        self.rings[urgency].setdefault(key, {})[name] = since
        self.waiting += 1

    def remove(self, key: K, name: str, urgency: Urgency) -> float:
        """Since when it waited."""
        ring = self.rings[urgency]
        since = ring[key].pop(name)
        if not ring[key]:
            del ring[key]
        self.waiting -= 1
        return since

    def take(self, key: K, urgency: Urgency) -> str:
        """The claimant's longest waiting name; the claimant goes to the end of the ring."""
        ring = self.rings[urgency]
        names = ring.pop(key)
        name = next(iter(names))
        del names[name]
        if names:
            ring[key] = names
        self.waiting -= 1
        return name

    def heads(self) -> Iterator[tuple[Urgency, K, float]]:
        """Of each urgency whose turn it is, and since when."""
        for urgency, ring in self.rings.items():
            if ring:
                key, names = next(iter(ring.items()))
                yield urgency, key, next(iter(names.values()))


@dataclass(slots=True)
class _Group(Generic[K]):
    """The lanes of one identity in one subscription: they share ARM's budgets."""

    lanes: dict[Call, _Lane[K]] = field(default_factory=dict)
    served: dict[K, int] = field(default_factory=dict)
    grants: int = 0

    @property
    def waiting(self) -> int:
        return sum(lane.waiting for lane in self.lanes.values())


@dataclass(slots=True)
class _Claimant:
    """Where its calls wait, and the grants that it holds with the time of each."""

    waiting: dict[tuple[str, Call], Urgency] = field(default_factory=dict)
    granted: dict[tuple[str, Call], float] = field(default_factory=dict)

    @property
    def budget(self) -> tuple[str, ...]:
        """What its oldest grant draws on."""
        return _group_of(next(iter(self.granted))[1])

    def due(self, now: float) -> bool:
        """Whether its grants are worth coming for."""
        share = len(self.granted) >= _SHARE_TO_WAKE * (len(self.waiting) + len(self.granted))
        return share or next(iter(self.granted.values())) <= now - _WOKEN_AFTER


@dataclass(slots=True)
class Schedule(Generic[K]):
    """Grants for the calls of all claimants. Not one method waits, but :meth:`run`.

    Who holds grants that it was not told of, neither by an answer nor by being woken, is among the untold.

    :ivar wake: is told of a claimant that holds grants, and whose budget they draw on: what tells that of one identity in one
        subscription from others
    """

    budgets: Budgets
    clock: Clock
    wake: Callable[[K, Hashable], None]
    _groups: dict[tuple[str, ...], _Group[K]] = field(default_factory=dict)
    _claimants: dict[K, _Claimant] = field(default_factory=dict)
    _untold: dict[K, None] = field(default_factory=dict)
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self, key: K, wants: Iterable[Want]) -> set[str]:
        """The names for which the claimant holds a grant now. What it asked for earlier and does not want any more is
        given up, grants included; what got no grant waits.
        """
        self.expect(key, wants)
        claimant = self._claimants.get(key)
        if claimant is None:
            return set()
        for group in {_group_of(call) for call in {call for _, call in claimant.waiting}}:
            self._serve(group, asking=key)
        self._untold.pop(key, None)
        return {name for name, _ in claimant.granted}

    def expect(self, key: K, wants: Iterable[Want]) -> None:
        """The same, without a grant now: the claimant is woken when it has one, soon if there is room."""
        wanted = {(name, call): urgency for name, call, urgency in wants}
        claimant = self._claimants.setdefault(key, _Claimant())
        for each in claimant.granted.keys() - wanted.keys():
            del claimant.granted[each]
            self.budgets.drop(each[1])
        for each in claimant.waiting.keys() - wanted.keys():
            self._unwait(key, claimant, each)
        waiting, granted = claimant.waiting, claimant.granted
        for each, urgency in wanted.items():
            before = waiting.get(each)
            if (before is None and each not in granted) or (before is not None and before > urgency):
                self._wait(key, claimant, each, urgency)
        self._tidy(key, claimant)
        if claimant.waiting:
            self._asked.set()

    def spend(self, key: K, name: str, call: Call) -> bool:
        """Whether the claimant holds this grant; it is then the caller's, who sends the call as held or drops it."""
        claimant = self._claimants.get(key)
        if claimant is None or claimant.granted.pop((name, call), None) is None:
            return False
        self._tidy(key, claimant)
        return True

    def holds(self, key: K) -> bool:
        """Whether the claimant holds a grant."""
        claimant = self._claimants.get(key)
        return claimant is not None and bool(claimant.granted)

    def forget(self, key: K) -> None:
        """The claimant wants nothing any more."""
        self.expect(key, ())

    def waiting(self, key: K) -> list[Waiting]:
        """What the claimant waits for, by lane, the longest wait first."""
        claimant = self._claimants.get(key)
        if claimant is None:
            return []
        counts: dict[Call, int] = {}
        for _, call in claimant.waiting:
            counts[call] = counts.get(call, 0) + 1
        found = [Waiting(call, count, self._seconds(call)) for call, count in counts.items()]
        return sorted(found, key=lambda each: -each.seconds)

    def counts(self) -> dict[Call, int]:
        """How many calls wait, by lane."""
        lanes = (lane for group in list(self._groups.values()) for lane in list(group.lanes.values()))
        return {lane.call: lane.waiting for lane in lanes}

    def serve(self) -> float | None:
        """Give out what there is room for and wake those who got some; seconds until the next look, None if nobody waits."""
        self._give_up_unused()
        for group in list(self._groups):
            self._serve(group)
        self._wake(list(self._untold), self.clock.monotonic())
        opens = [
            max(self.budgets.opens_in(call, 1), self.budgets.spread_in(call, lane.waiting))
            for group in self._groups.values()
            for call, lane in group.lanes.items()
            if lane.waiting
        ]
        if not opens:
            return None
        shortest = max(_SHORTEST_LOOK, self.clock.of_real(_LEAST_REAL))
        return min(max(min(opens), shortest), max(_LONGEST_LOOK, shortest))

    async def run(self) -> None:
        """Look again and again at who may go on; runs until cancelled."""
        while True:
            self._asked.clear()
            wait = self.serve()
            if wait is None:
                await self._asked.wait()
                wait = max(_SHORTEST_LOOK, self.clock.of_real(_LEAST_REAL))
            await self.clock.sleep(wait)

    def _serve(self, name: tuple[str, ...], *, asking: K | None = None) -> None:
        group = self._groups.get(name)
        if group is None:
            return
        now = self.clock.monotonic()
        served: dict[K, None] = {}
        while (chosen := self._next(group)) is not None:
            lane, urgency, key = chosen
            taken = lane.take(key, urgency)
            self.budgets.hold(lane.call, routine=urgency >= Urgency.ASKED_CREATION)
            claimant = self._claimants[key]
            del claimant.waiting[taken, lane.call]
            claimant.granted[taken, lane.call] = now
            served[key] = self._untold[key] = None
            group.grants += 1
            group.served[key] = group.grants
        if served or not group.waiting:
            del self._groups[name]
        if served and group.waiting:
            # Identities share the provider's windows: who was served is the last to be looked at next time.
            self._groups[name] = group
        if asking is not None:
            served.pop(asking, None)
        self._wake(served, now)

    def _wake(self, keys: Iterable[K], now: float) -> None:
        """Those of the untold for whom it is worth while to come."""
        for key in keys:
            claimant = self._claimants[key]
            if claimant.due(now):
                del self._untold[key]
                self.wake(key, claimant.budget)

    def _next(self, group: _Group[K]) -> tuple[_Lane[K], Urgency, K] | None:
        """The lane and the claimant to be served next; None if there is no room for anybody."""
        any_urgency = group.grants % _WHATEVER_ITS_URGENCY == _WHATEVER_ITS_URGENCY - 1
        first: tuple[float, int, float] | None = None
        chosen: tuple[_Lane[K], Urgency, K] | None = None
        for lane in group.lanes.values():
            if not lane.waiting or self.budgets.room(lane.call) <= 0:
                continue
            spread = self.budgets.spread_in(lane.call, lane.waiting) > 0
            for urgency, key, since in lane.heads():
                if spread and urgency >= Urgency.ASKED_CREATION:
                    continue
                rank = (0.0 if any_urgency else urgency, group.served.get(key, 0), since)
                if first is None or rank < first:
                    first, chosen = rank, (lane, urgency, key)
        return chosen

    def _wait(self, key: K, claimant: _Claimant, each: tuple[str, Call], urgency: Urgency) -> None:
        name, call = each
        lane = self._lane(call)
        since = self.clock.monotonic()
        before = claimant.waiting.get(each)
        if before is not None:
            since = lane.remove(key, name, before)
        claimant.waiting[each] = urgency
        lane.add(key, name, urgency, since)

    def _lane(self, call: Call) -> _Lane[K]:
        name = _group_of(call)
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Group()
        lane = group.lanes.get(call)
        if lane is None:
            lane = group.lanes[call] = _Lane(call)
        return lane

    def _unwait(self, key: K, claimant: _Claimant, each: tuple[str, Call]) -> None:
        urgency = claimant.waiting.pop(each)
        group = self._groups[_group_of(each[1])]
        group.lanes[each[1]].remove(key, each[0], urgency)
        if not group.waiting:
            del self._groups[_group_of(each[1])]

    def _tidy(self, key: K, claimant: _Claimant) -> None:
        if not claimant.granted:
            self._untold.pop(key, None)
            if not claimant.waiting:
                self._claimants.pop(key, None)

    def _give_up_unused(self) -> None:
        """A claimant that was woken and did not come is not kept waiting for: it will ask again if it comes.

        Where this program stood still meanwhile, some were never woken: they are now, to ask again.
        """
        old = self.clock.monotonic() - _KEPT
        lost = [
            key for key, each in self._claimants.items() if each.granted and next(iter(each.granted.values())) < old
        ]
        for key in lost:
            untold, budget = key in self._untold, self._claimants[key].budget
            self.forget(key)
            if untold:
                self.wake(key, budget)

    def _seconds(self, call: Call) -> float:
        """Seconds until all that waits in the lane will have gone; those who share a budget with it go meanwhile."""
        group = self._groups[_group_of(call)]
        same_budget = sum(lane.waiting for other, lane in group.lanes.items() if other.kind is call.kind)
        own = group.lanes[call].waiting
        arm, *provider = self.budgets.limits(call)
        now = self.clock.monotonic()
        waits = [arm.opens_in(now, same_budget), *(limit.opens_in(now, own) for limit in provider)]
        return max((each for each in waits if math.isfinite(each)), default=0.0)


def _group_of(call: Call) -> tuple[str, ...]:
    """The identity and the subscription."""
    return call[:2]
