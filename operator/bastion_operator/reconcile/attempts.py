"""What was tried and did not work: when the same change may be sent again, and what the user reads meanwhile.

In memory only. After a restart a refused change is sent once more, which is also what its user would try.
"""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.clock import Clock
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.conditions import Failure
from bastion_operator.planning.model import Change
from bastion_operator.reconcile.keys import Key

# Seconds (shortest, longest) to wait after an error of each class; a Retry-After of Azure's goes before these.
_WAITS: Mapping[ErrorClass, tuple[float, float]] = {
    ErrorClass.CONTENTION: (2.0, 30.0),
    ErrorClass.THROTTLED: (30.0, 600.0),
    ErrorClass.TRANSIENT: (5.0, 300.0),
    ErrorClass.OTHER_ACT: (2.0, 60.0),
    ErrorClass.DELETE_ORDER: (5.0, 300.0),
    ErrorClass.REFUSED: (300.0, 1800.0),
    ErrorClass.DENIED: (120.0, 900.0),
    ErrorClass.CREDENTIAL: (60.0, 600.0),
}
_CONTENTION_TOLD_AFTER = 5
BLOCKING = frozenset({ErrorClass.REFUSED, ErrorClass.DENIED, ErrorClass.CREDENTIAL})


@dataclass(frozen=True, slots=True)
class _Attempt:
    resource_id: str
    error: AzureError
    failures: int
    not_before: float


@dataclass(slots=True)
class Attempts:
    """Failed changes of every custom resource, by what exactly was sent."""

    clock: Clock
    random: random.Random
    _failed: dict[Key, dict[str, _Attempt]] = field(default_factory=dict)

    def failed(self, key: Key, change: Change, error: AzureError) -> None:
        """Remember that this change did not work, and keep it back for a while."""
        attempts = self._failed.setdefault(key, {})
        signature = _signature(change)
        before = attempts.get(signature)
        failures = before.failures + 1 if before is not None else 1
        shortest, longest = _WAITS[error.error_class]
        wait = error.retry_after or min(shortest * 2 ** (failures - 1), longest) * self.random.uniform(0.75, 1.25)
        attempts[signature] = _Attempt(change.resource_id, error, failures, self.clock.monotonic() + wait)

    def succeeded(self, key: Key, resource_id: str) -> None:
        """What was said of this resource no longer holds."""
        wanted = normalise_id(resource_id)
        attempts = self._failed.get(key, {})
        for signature in [each for each, attempt in attempts.items() if normalise_id(attempt.resource_id) == wanted]:
            del attempts[signature]

    def wait_for(self, key: Key, change: Change) -> float:
        """Seconds until this very change may be sent again; 0 if it may be sent now."""
        attempt = self._failed.get(key, {}).get(_signature(change))
        return 0.0 if attempt is None else max(attempt.not_before - self.clock.monotonic(), 0.0)

    def failures(self, key: Key, changes: tuple[Change, ...]) -> list[Failure]:
        """What went wrong with the changes that are still wanted. What is no longer wanted is forgotten."""
        attempts = self._failed.get(key, {})
        wanted = {_signature(change) for change in changes}
        for signature in attempts.keys() - wanted:
            del attempts[signature]
        return [failure_of(each.error, each.resource_id) for each in attempts.values() if not _passing(each)]

    def forget(self, key: Key) -> None:
        """The custom resource is gone."""
        self._failed.pop(key, None)


def _passing(attempt: _Attempt) -> bool:
    """Others' work in the way is Azure's everyday life: it is told only if it lasts."""
    return attempt.error.error_class is ErrorClass.CONTENTION and attempt.failures <= _CONTENTION_TOLD_AFTER


def failure_of(error: AzureError, resource_id: str) -> Failure:
    """An error of Azure as the user reads it."""
    return Failure(error.code, error.message, resource_id, blocking=error.error_class in BLOCKING)


def _signature(change: Change) -> str:
    content = json.dumps(
        [change.verb, normalise_id(change.resource_id), change.body, dict(change.query)], sort_keys=True
    )
    return hashlib.sha256(content.encode()).hexdigest()
