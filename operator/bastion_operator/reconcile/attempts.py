"""What was tried and did not work: when the same change may be sent again, and what the user reads meanwhile.

In memory only. After a restart a refused change is sent once more, which is also what its user would try.
"""

import hashlib
import json
import math
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.clock import Clock
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.conditions import Failure
from bastion_operator.planning.model import Change
from bastion_operator.reconcile.contention import Contention
from bastion_operator.reconcile.keys import Key

# Seconds (shortest, longest) before a change that Azure took, and that is wanted again all the same, is sent again.
_TAKEN_WAITS = (10.0, 600.0)
_TAKEN_TOLD_AFTER = 3
WITHOUT_EFFECT = "ChangeWithoutEffect"
# Fields of a body that Azure writes: they differ from one reading to the next without the request being another.
_AZURES_OWN = frozenset({"etag", "provisioningstate", "resourceguid"})
# Failures further apart than the longest wait and this many seconds are not in a row.
_FORGOTTEN_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last of some failures in a row.

    :ivar since: when the first of them was, in seconds of the clock
    :ivar told: whether it has lasted long enough for a user to hear of it
    """

    resource_id: str
    error: AzureError
    failures: int
    since: float
    not_before: float
    told: bool


@dataclass(frozen=True, slots=True)
class _Taken:
    change: Change
    times: int
    not_before: float


@dataclass(slots=True)
class Attempts:
    """Failed changes and readings of every custom resource, by what exactly was asked; and the changes that Azure took,
    until they have their effect: one that is wanted again before that had none, and must not be sent in a hot loop. One
    that is wanted again after it had its effect was undone.
    """

    clock: Clock
    random: random.Random
    contention: Contention = field(init=False)
    _failed: dict[Key, dict[str, Attempt]] = field(default_factory=dict)
    _unread: dict[Key, dict[str, Attempt]] = field(default_factory=dict)
    _taken: dict[Key, dict[str, _Taken]] = field(default_factory=dict)
    _spent: dict[Key, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contention = Contention(self.clock)

    def worked_on(self, key: Key, change: Change) -> None:
        """Azure has worked on this change to its end, good or bad: one that is to be tried once is not sent again."""
        if change.once:
            self._spent.setdefault(key, set()).add(_signature(change))

    def failed(self, key: Key, change: Change, error: AzureError) -> None:
        """Remember that this change did not work, and keep it back for a while."""
        attempts = self._failed.setdefault(key, {})
        signature = _signature(change)
        attempts[signature] = self._next(attempts.get(signature), change.resource_id, error)

    def unread(self, key: Key, resource_id: str, error: AzureError) -> Attempt:
        """Remember that this resource could not be read."""
        attempts = self._unread.setdefault(key, {})
        wanted = normalise_id(resource_id)
        attempts[wanted] = self._next(attempts.get(wanted), resource_id, error)
        return attempts[wanted]

    def read(self, key: Key, resource_id: str) -> None:
        """The resource could be read."""
        self._unread.get(key, {}).pop(normalise_id(resource_id), None)

    def _next(self, before: Attempt | None, resource_id: str, error: AzureError) -> Attempt:
        now = self.clock.monotonic()
        if before is not None and now > before.not_before + _FORGOTTEN_AFTER:
            before = None
        failures = before.failures + 1 if before is not None else 1
        since = before.since if before is not None else now
        wait = error.wait(failures) * self._jitter(error)
        return Attempt(resource_id, error, failures, since, now + wait, told=now - since >= error.handling.told_after)

    def _jitter(self, error: AzureError) -> float:
        """Many that were told the same time must not come back together where that is what stood in the way."""
        if error.retry_after is None:
            return self.random.uniform(0.75, 1.25)
        return self.random.uniform(1.0, 1.25) if error.error_class is ErrorClass.CONTENTION else 1.0

    def taken(self, key: Key, change: Change) -> None:
        """Azure took this change and, where it went on, ended it well: what was said of the resource no longer holds."""
        wanted = normalise_id(change.resource_id)
        taken = self._taken.setdefault(key, {})
        signature = _signature(change)
        shortest, longest = _TAKEN_WAITS
        now = self.clock.monotonic()
        before = taken.get(signature)
        times = before.times + 1 if before is not None and now < before.not_before + longest else 1
        not_before = now + min(shortest * 2.0 ** min(times - 1, 16), longest)
        taken[signature] = _Taken(change, times, not_before)
        attempts = self._failed.get(key, {})
        for signature in [each for each, attempt in attempts.items() if normalise_id(attempt.resource_id) == wanted]:
            del attempts[signature]

    def wait_for(self, key: Key, change: Change) -> float:
        """Seconds until this very change may be sent again; 0 if it may be sent now, infinity if it never may."""
        signature = _signature(change)
        if change.once and signature in self._spent.get(key, ()):
            return math.inf
        known = (self._failed.get(key, {}).get(signature), self._taken.get(key, {}).get(signature))
        waits = [each.not_before - self.clock.monotonic() for each in known if each is not None]
        return max(0.0, self.contention.wait_for(key, change), *waits)

    def wait_but_for_budgets(self, key: Key, change: Change) -> float:
        """The same without a wait for being one call too many: that is its budget's."""
        failed = self._failed.get(key, {}).get(_signature(change))
        throttled = failed is not None and failed.error.error_class is ErrorClass.THROTTLED
        return 0.0 if throttled else self.wait_for(key, change)

    def refused_for(self, key: Key, change: Change) -> float:
        """Seconds until a change that failed may be tried again; until then there is no need to read for it either."""
        failed = self._failed.get(key, {}).get(_signature(change))
        return 0.0 if failed is None else max(failed.not_before - self.clock.monotonic(), 0.0)

    def failures(self, key: Key, changes: tuple[Change, ...], unread: Collection[str] = ()) -> list[Failure]:
        """What went wrong with the changes that are still wanted. What is no longer wanted is forgotten.

        ``unread``: normalised ids of what was not read, of which nobody knows whether it is wanted.
        """
        attempts, taken = self._failed.get(key, {}), self._taken.get(key, {})
        wanted = {_signature(change) for change in changes}
        wanted |= {each for each, attempt in attempts.items() if normalise_id(attempt.resource_id) in unread}
        wanted |= {each for each, one in taken.items() if normalise_id(one.change.resource_id) in unread}
        for signature in attempts.keys() - wanted:
            del attempts[signature]
        self._settle(key, wanted)
        told = [failure_of(each.error, each.resource_id) for each in attempts.values() if each.told]
        told += self.contention.failures(key, changes)
        return told + [
            _without_effect(each) for each in self._taken.get(key, {}).values() if each.times >= _TAKEN_TOLD_AFTER
        ]

    def in_sync(self, key: Key) -> None:
        """Nothing is left to do for the custom resource."""
        self._settle(key, set())
        for kept in (self._failed, self._unread, self._taken, self._spent):
            kept.pop(key, None)

    def _settle(self, key: Key, wanted: set[str]) -> None:
        """What Azure took and is not wanted any more has had its effect."""
        taken = self._taken.get(key, {})
        for signature in taken.keys() - wanted:
            self.contention.took_effect(key, taken.pop(signature).change)

    def forget(self, key: Key) -> None:
        """The custom resource is gone, or somebody asks for everything to be tried again now."""
        self.contention.forget(key)
        for kept in (self._failed, self._unread, self._taken, self._spent):
            kept.pop(key, None)


def _without_effect(taken: _Taken) -> Failure:
    return Failure(
        WITHOUT_EFFECT,
        f"Azure took this change {taken.times} times and the resource is not as asked for: does somebody else, or a policy, "
        "set it back?",
        taken.change.resource_id,
        blocking=False,
    )


def failure_of(error: AzureError, resource_id: str) -> Failure:
    """An error of Azure as the user reads it."""
    handling = error.handling
    return Failure(
        error.code,
        error.message,
        resource_id,
        blocking=handling.blocking,
        reason=handling.reason,
        next_step=error.next_step,
    )


def _signature(change: Change) -> str:
    content = json.dumps(
        [change.verb, normalise_id(change.resource_id), _asked(change.body), dict(change.query)], sort_keys=True
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _asked(body: Any) -> Any:
    """The body without what Azure itself writes into it: an update sends back what was read, etags and all."""
    if isinstance(body, Mapping):
        return {name: _asked(value) for name, value in body.items() if name.lower() not in _AZURES_OWN}
    return [_asked(value) for value in body] if isinstance(body, list | tuple) else body
