"""Azure's budget of writes as passes see it: which changes may be sent now, and what is told of those that wait."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from bastion_operator.arm.budgets import Call, CallKind, call_of, told_budget
from bastion_operator.arm.schedule import Schedule, Urgency, Waiting, Want
from bastion_operator.clock import Clock
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.model import Body, Verb
from bastion_operator.reconcile.keys import Key

_LANES_TOLD = 3


@dataclass(frozen=True, slots=True)
class Write:
    """A write to a root resource or a part of it, as a pass wants to send it.

    :ivar region: of the root, where it is known
    """

    root_id: str
    verb: Verb
    region: str = ""


@dataclass(frozen=True, slots=True)
class _Told:
    text: str
    count: int
    until: float
    lanes: frozenset[Call]


@dataclass(slots=True)
class WriteBudget:
    """Turns for writes, by custom resource. What a person asked for goes before the routine until it is carried out.

    A creation for a resource that was in sync before, and whose spec has not changed since, is a repair.
    """

    schedule: Schedule[Key]
    clock: Clock
    _asked: set[Key] = field(default_factory=set)
    _in_sync: set[Key] = field(default_factory=set)
    _told: dict[Key, _Told] = field(default_factory=dict)
    _regions: dict[str, str] = field(default_factory=dict)

    def asked_for(self, key: Key) -> None:
        """A person has changed the spec or asks for a pass: what follows is not routine."""
        self._asked.add(key)
        self._in_sync.discard(key)

    def in_sync(self, key: Key) -> None:
        """There is nothing left to change."""
        self.release(key)
        self._asked.discard(key)
        self._in_sync.add(key)

    def release(self, key: Key) -> None:
        """The pass wants nothing of Azure."""
        self.schedule.forget(key)
        self._told.pop(key, None)

    def forget(self, key: Key) -> None:
        """The custom resource is gone."""
        self.release(key)
        self._asked.discard(key)
        self._in_sync.discard(key)

    def note(self, root_id: str, body: Body | None) -> None:
        """Remember where a resource lies: Azure counts writes by it, also of parts whose bodies do not tell."""
        if body is not None and body.get("location"):
            self._regions[normalise_id(root_id)] = str(body["location"])

    def region_of(self, root_id: str, *bodies: Body | None) -> str:
        """Where a root lies: as a body says, or as was noted; empty where nothing tells."""
        told = (str(body["location"]) for body in bodies if body is not None and body.get("location"))
        return next(told, None) or self._regions.get(normalise_id(root_id), "")

    def ask(self, key: Key, principal: str, writes: Iterable[Write]) -> set[str]:
        """The normalised ids of the roots that may be written to now. The other writes wait, and their turn wakes the key;
        what was asked for before and is not any more is given up.
        """
        return self.schedule.ask(key, [self._want(key, principal, each) for each in writes])

    def expect(self, key: Key, principal: str, writes: Iterable[Write]) -> None:
        """The same without a grant now, at the end of a pass."""
        self.schedule.expect(key, [self._want(key, principal, each) for each in writes])

    def spend(self, key: Key, principal: str, write: Write) -> bool:
        """Whether the key may send this write now, as a held call."""
        want = self._want(key, principal, write)
        return self.schedule.spend(key, want.name, want.call)

    def holds(self, key: Key) -> bool:
        """Whether the key has a turn that it has not used."""
        return self.schedule.holds(key)

    def told(self, key: Key, total: int) -> str | None:
        """What waits of ``total`` changes, for which budget and until when; None if nothing does.

        The words stay while they are right enough: a status is not written each time that one of many has gone.
        """
        waiting = self.schedule.waiting(key)
        if not waiting:
            self._told.pop(key, None)
            return None
        now, count = self.clock.monotonic(), sum(each.count for each in waiting)
        lanes = frozenset(each.call for each in waiting)
        before = self._told.get(key)
        if (
            before is None
            or now >= before.until
            or not before.count / 2 < count <= before.count
            or lanes != before.lanes
        ):
            text = self._text(waiting, total)
            self._told[key] = before = _Told(text, count, now + max(each.seconds for each in waiting), lanes)
        return before.text

    def _text(self, waiting: list[Waiting], total: int) -> str:
        first, *others = waiting[:_LANES_TOLD]
        texts = [f"{first.count} of {total} changes wait for {self._until(first)}"]
        texts += [f"{each.count} for {self._until(each)}" for each in others]
        rest = sum(each.count for each in waiting[_LANES_TOLD:])
        return "; ".join(texts + ([f"{rest} for other budgets"] if rest else []))

    def _until(self, waiting: Waiting) -> str:
        at = self.clock.now() + timedelta(seconds=waiting.seconds / self.clock.of_real(1.0) + 1)
        return f"{told_budget(waiting.call)} until {at:%H:%M:%S} UTC"

    def _want(self, key: Key, principal: str, write: Write) -> Want:
        kind = CallKind.DELETE if write.verb is Verb.DELETE else CallKind.WRITE
        creation = write.verb is Verb.CREATE and key not in self._in_sync
        asked = key in self._asked
        if creation:
            urgency = Urgency.ASKED_CREATION if asked else Urgency.CREATION
        else:
            urgency = Urgency.ASKED_REPAIR if asked else Urgency.REPAIR
        return Want(normalise_id(write.root_id), call_of(principal, kind, write.root_id, write.region), urgency)
