"""Changes that had their effect and that somebody undid: how long to wait before the next, and what is said.

A repair or two come at once: things break. Whoever undoes the third has a mind of their own, and making the change at
every look would be a fight that nobody sees. So it comes more and more rarely, and its user hears who wrote last.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from bastion_operator.api.conditions import Reason
from bastion_operator.clock import Clock
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.conditions import Failure
from bastion_operator.planning.model import Change, Verb
from bastion_operator.reconcile.keys import Key

# So many times it is a fight.
_TOLD_AFTER: Final = 3
# Seconds (shortest, longest) for which what was undone in a fight stays so.
_WAITS: Final = (60.0, 3600.0)
# Seconds after which a change is no part of the same fight any more: some tools come by once in a few hours.
_FORGOTTEN_AFTER: Final = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class _Repair:
    """A change that had its effect, ``times`` times, the last ``at`` this second of the clock.

    :ivar undone_at: when it was first wanted again; None until then
    """

    resource_id: str
    verb: Verb
    times: int
    at: float
    undone_at: float | None = None


@dataclass(slots=True)
class Contention:
    """The changes of every custom resource that had their effect lately, and who is known to have undone them."""

    clock: Clock
    _repairs: dict[Key, dict[str, _Repair]] = field(default_factory=dict)
    _writers: dict[Key, dict[str, tuple[int, str]]] = field(default_factory=dict)

    def took_effect(self, key: Key, change: Change) -> None:
        """What was wanted is so. A grown address space is synced as often as it grows: nobody undoes that."""
        if change.verb is Verb.SYNC:
            return
        old = self.clock.monotonic() - _FORGOTTEN_AFTER
        repairs = {mark: each for mark, each in self._repairs.get(key, {}).items() if each.at > old}
        self._repairs[key] = repairs
        if change.verb is Verb.DELETE:
            # What the operator itself has removed was not undone by somebody.
            gone = normalise_id(change.resource_id)
            self._repairs[key] = repairs = {
                mark: each for mark, each in repairs.items() if normalise_id(each.resource_id) != gone
            }
        before = self._known(key, change)
        times = before.times + 1 if before is not None else 1
        repairs[_mark(change)] = _Repair(change.resource_id, change.verb, times, self.clock.monotonic())

    def wait_for(self, key: Key, change: Change) -> float:
        """Seconds until a change that was undone may be made again, counted from when that was seen; 0 if it may be made now."""
        repair = self._fight(key, change)
        if repair is None:
            return 0.0
        now = self.clock.monotonic()
        undone_at = now if repair.undone_at is None else repair.undone_at
        self._repairs[key][_mark(change)] = replace(repair, undone_at=undone_at)
        shortest, longest = _WAITS
        wait = min(shortest * 2.0 ** min(repair.times - _TOLD_AFTER, 16), longest)
        return max(0.0, undone_at + wait - now)

    def unexplained(self, key: Key, changes: Iterable[Change]) -> list[str]:
        """Resources in a fight of which nobody has looked up yet who wrote them since."""
        writers = self._writers.get(key, {})
        fights = [each for change in changes if (each := self._fight(key, change)) is not None]
        return [
            each.resource_id for each in fights if writers.get(normalise_id(each.resource_id), (0, ""))[0] < each.times
        ]

    def explain(self, key: Key, resource_id: str, writer: str) -> None:
        """Who wrote the resource last, in words."""
        wanted = normalise_id(resource_id)
        times = max(
            (each.times for each in self._repairs.get(key, {}).values() if normalise_id(each.resource_id) == wanted),
            default=0,
        )
        self._writers.setdefault(key, {})[wanted] = (times, writer)

    def failures(self, key: Key, changes: Iterable[Change]) -> list[Failure]:
        """What is told of the fights about what is wanted now."""
        return [self._told(key, each) for change in changes if (each := self._fight(key, change)) is not None]

    def forget(self, key: Key) -> None:
        """Somebody asks for something else, or for everything to be tried again now."""
        self._repairs.pop(key, None)
        self._writers.pop(key, None)

    def _known(self, key: Key, change: Change) -> _Repair | None:
        found = self._repairs.get(key, {}).get(_mark(change))
        return found if found is not None and self.clock.monotonic() < found.at + _FORGOTTEN_AFTER else None

    def _fight(self, key: Key, change: Change) -> _Repair | None:
        found = self._known(key, change)
        return found if found is not None and found.times >= _TOLD_AFTER else None

    def _told(self, key: Key, repair: _Repair) -> Failure:
        _, writer = self._writers.get(key, {}).get(normalise_id(repair.resource_id), (0, ""))
        return Failure(
            Reason.CONTENDED,
            f"something else undoes what the operator does: {repair.verb} was done {repair.times} times and is needed again. "
            f"{writer or 'Who wrote last is not known yet'}. It is done more and more rarely until that ends",
            repair.resource_id,
            blocking=False,
            reason=Reason.CONTENDED,
            next_step="end what works against it, take it off the spec, or set managementPolicy: Observe",
        )


def _mark(change: Change) -> str:
    """What is wanted of which resource, whatever the body around it."""
    wanted = sorted([each.field, str(each.after)] for each in change.differences)
    return json.dumps([change.verb, normalise_id(change.resource_id), wanted])
