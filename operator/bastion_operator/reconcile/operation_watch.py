"""How long Azure has been at work on a resource, and what is said once that is longer than usual.

An operation that never ends is never sent again: another PUT would only queue behind it, or be refused. What helps is
to know of it. Times are counted from when this process first saw the work; after a restart they begin anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bastion_operator.api.conditions import Reason
from bastion_operator.clock import Clock
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.conditions import Failure
from bastion_operator.planning.model import Wait
from bastion_operator.reconcile.keys import Key

# Minutes that Azure usually needs at most, by the type's last part in lower case: Bastion creates in 6 to 10, updates
# in about 10 and deletes in 6 to 8 (recorded). Twice the longest is still usual.
_USUAL_MINUTES: Mapping[str, float] = {"bastionhosts": 20.0}
_USUAL_MINUTES_OF_OTHERS = 10.0


@dataclass(frozen=True, slots=True)
class _Work:
    since: float
    began: datetime


@dataclass(slots=True)
class OperationWatch:
    """Since when the resources that each custom resource waits for have been at work."""

    clock: Clock
    _work: dict[Key, dict[str, _Work]] = field(default_factory=dict)

    def note(self, key: Key, waits: Iterable[Wait]) -> list[Failure]:
        """Take note of what is waited for now, and forget the rest; returns what has taken longer than usual."""
        now, before = self.clock.monotonic(), self._work.get(key, {})
        by_id = {normalise_id(wait.resource_id): wait for wait in waits if wait.at_work}
        work = {each: before.get(each) or _Work(now, self.clock.now()) for each in by_id}
        self._work[key] = work
        return [_overdue(by_id[each], one) for each, one in work.items() if now - one.since > usual_seconds(each)]

    def due_in(self, key: Key) -> float | None:
        """Seconds until the next of them has taken longer than usual; None where nothing is waited for."""
        now = self.clock.monotonic()
        left = (one.since + usual_seconds(each) - now for each, one in self._work.get(key, {}).items())
        return min((each for each in left if each > 0), default=None)

    def forget(self, key: Key) -> None:
        """Nothing is waited for any more."""
        self._work.pop(key, None)


def usual_seconds(resource_id: str) -> float:
    """Seconds within which Azure usually ends its work on a resource."""
    kind = resource_id.lower().split("/")[-2]
    return _USUAL_MINUTES.get(kind, _USUAL_MINUTES_OF_OTHERS) * 60


def _overdue(wait: Wait, work: _Work) -> Failure:
    usual = timedelta(seconds=usual_seconds(wait.resource_id))
    return Failure(
        Reason.OPERATION_OVERDUE,
        f"Azure has been at it ({wait.state}) since {work.began:%Y-%m-%d %H:%M:%S} UTC at the latest; "
        f"usually it takes at most {usual.total_seconds() / 60:.0f} minutes. Nothing is sent again meanwhile",
        wait.resource_id,
        blocking=False,
        reason=Reason.OPERATION_OVERDUE,
        next_step="look in the resource's activity log, and if it is stuck, open a support request with its correlation id",
    )
