"""What a pass has read of Azure with GETs: what was there, what was not, and what could not be read."""

from dataclasses import dataclass, field
from typing import Self

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.conditions import Failure
from bastion_operator.planning.model import Body
from bastion_operator.reconcile.attempts import Attempt, failure_of

# Seconds after which a resource is read again that could not be read, or that came up at the last moment.
READ_AGAIN = 10.0


@dataclass(slots=True)
class Reading:
    """What GETs said: bodies, None for what is not there, and failed attempts, by id."""

    fresh: dict[str, Body | None] = field(default_factory=dict)
    failed: dict[str, Attempt] = field(default_factory=dict)

    def __iadd__(self, more: "Reading") -> Self:
        """Take in what was read later."""
        self.fresh |= more.fresh
        self.failed |= more.failed
        return self

    @property
    def known(self) -> set[str]:
        """The normalised ids of what was read."""
        return {normalise_id(root) for root in self.fresh}

    @property
    def unread(self) -> frozenset[str]:
        """The normalised ids of what could not be read, whether a user hears of it or not."""
        return frozenset(normalise_id(root) for root in self.failed)

    def tried(self, root_id: str) -> bool:
        """Whether it was asked for, with success or not."""
        return normalise_id(root_id) in self.known | self.unread

    @property
    def failures(self) -> list[Failure]:
        """The errors as the user reads them."""
        return [failure_of(each.error, root_id) for root_id, each in self.failed.items() if each.told]

    def again_in(self, now: float) -> float | None:
        """Seconds until it makes sense to read again: soon, but not where Azure asks to wait or a person must act."""
        waits = (max(READ_AGAIN, each.not_before - now) for each in self.failed.values())
        return min(waits, default=None)
