"""What a pass has read of Azure with GETs: what was there, what was not, and what could not be read."""

from dataclasses import dataclass, field
from typing import Self

from bastion_operator.arm.errors import AzureError
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.conditions import Failure
from bastion_operator.planning.model import Body
from bastion_operator.reconcile.attempts import failure_of, wait_after

# Seconds after which a resource is read again that could not be read, or that came up at the last moment.
READ_AGAIN = 10.0


@dataclass(slots=True)
class Reading:
    """What GETs said: bodies, None for what is not there, and errors, by id."""

    fresh: dict[str, Body | None] = field(default_factory=dict)
    errors: dict[str, AzureError] = field(default_factory=dict)

    def __iadd__(self, more: "Reading") -> Self:
        """Take in what was read later."""
        self.fresh |= more.fresh
        self.errors |= more.errors
        return self

    @property
    def known(self) -> set[str]:
        """The normalised ids of what was read."""
        return {normalise_id(root) for root in self.fresh}

    def tried(self, root_id: str) -> bool:
        """Whether it was asked for, with success or not."""
        return normalise_id(root_id) in self.known | {normalise_id(root) for root in self.errors}

    @property
    def failures(self) -> list[Failure]:
        """The errors as the user reads them."""
        return [failure_of(error, root_id) for root_id, error in self.errors.items()]

    @property
    def again_in(self) -> float | None:
        """Seconds until it makes sense to read again: soon, but not where Azure asks to wait or a person must act."""
        waits = (max(READ_AGAIN, wait_after(error, 1)) for error in self.errors.values())
        return min(waits, default=None)
