"""Which changes a plan asks for that the plan before did not: each is drift, counted and told once.

In memory only: after a restart what still differs is told once more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.model import Change
from bastion_operator.reconcile.keys import Key


@dataclass(slots=True)
class PlannedChanges:
    """The changes that the last plan of each custom resource asked for."""

    _known: dict[Key, frozenset[str]] = field(default_factory=dict)

    def news(self, key: Key, changes: Iterable[Change]) -> list[Change]:
        """Those that the plan before did not ask for. Two are one if they ask for the same values of the same fields."""
        told = {_told(change): change for change in changes}
        before = self._known.get(key, frozenset())
        if told:
            self._known[key] = frozenset(told)
        else:
            self.forget(key)
        return [change for each, change in told.items() if each not in before]

    def forget(self, key: Key) -> None:
        """The custom resource is in sync or gone."""
        self._known.pop(key, None)


def _told(change: Change) -> str:
    differences = "; ".join(map(str, change.differences))
    return f"{change.verb} {normalise_id(change.resource_id)} {differences}"


def type_of(resource_id: str) -> str:
    """The type of a resource without its namespace, as a label of metrics: ``virtualnetworks/subnets``."""
    return "/".join(resource_id.rpartition("/providers/")[2].lower().split("/")[1::2])


def labels_of(key: Key, change: Change) -> tuple[str, str, str]:
    """The labels of a change in metrics: the custom resource's kind, the resource's type, the verb."""
    return key.kind.value, type_of(change.resource_id), change.verb.value
