"""What the pass after an operation will have to read: it is known when the change is sent, and read before anything is planned.

A hub takes one change after the other, and from the end of one to the next it lies idle: a plan that only tells what to
read would make that longer. What is read ahead decides nothing; a plan that needs more reads that as ever.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.model import Change
from bastion_operator.reconcile.keys import Key


@dataclass(slots=True)
class ReadAhead:
    """Root resources by the custom resource whose next pass needs them."""

    _roots: dict[Key, dict[str, str]] = field(default_factory=dict)

    def expect(self, key: Key, roots: Iterable[str]) -> None:
        """The next pass will read these."""
        self._roots.setdefault(key, {}).update({normalise_id(root): root for root in roots})

    def expects(self, key: Key) -> bool:
        """Whether the next pass goes on where an operation has ended."""
        return key in self._roots

    def take(self, key: Key) -> list[str]:
        """What is expected of this pass; it is not expected again."""
        return list(self._roots.pop(key, {}).values())

    def forget(self, key: Key) -> None:
        """Nothing is read any more for the custom resource."""
        self._roots.pop(key, None)


def roots_after(changes: Iterable[Change]) -> dict[str, list[str]]:
    """By root, what is looked at when its first change has ended: what that was judged by, and what the next one is."""
    first_two: dict[str, list[Change]] = {}
    for change in changes:
        of_root = first_two.setdefault(normalise_id(change.root_id), [])
        if len(of_root) < _THIS_AND_THE_NEXT:
            of_root.append(change)
    return {root: [each for change in two for each in change.reads] for root, two in first_two.items()}


_THIS_AND_THE_NEXT = 2
