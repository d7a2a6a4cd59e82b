"""Azure's request to wait, obeyed: no call of a kind to a subscription before the time that a 429 named.

ARM counts per subscription, principal and kind of call; the graph counts per principal (Microsoft's pages on
throttling of Resource Manager and of Resource Graph). A client serves one principal, so the key here is the rest.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.clock import Clock

# What a 429 without Retry-After is taken to mean, in seconds.
DEFAULT_WAIT = 30.0


class CallKind(StrEnum):
    """The kinds of call that Azure counts apart."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    GRAPH = "graph"


@dataclass(slots=True)
class ThrottleGate:
    """Remembers until when each (subscription, kind) is closed. Nothing sleeps here: a closed gate raises."""

    clock: Clock
    _closed_until: dict[tuple[str, CallKind], float] = field(default_factory=dict)

    def check(self, subscription: str, kind: CallKind, target: str) -> None:
        """Let the call pass, or refuse it without asking Azure.

        :raises AzureError: of class Throttled, with the seconds that are left
        """
        left = self._closed_until.get((subscription, kind), 0.0) - self.clock.monotonic()
        if left > 0:
            raise AzureError(
                code="WaitingForAzure",
                message=f"Azure asked to wait with {kind} calls to {subscription or 'the graph'}; {left:.0f} s are left",
                error_class=ErrorClass.THROTTLED,
                target=target,
                retry_after=left,
            )

    def close(self, subscription: str, kind: CallKind, seconds: float | None) -> None:
        """Keep calls of this kind back for so many seconds of the clock."""
        until = self.clock.monotonic() + (DEFAULT_WAIT if seconds is None else seconds)
        key = (subscription, kind)
        self._closed_until[key] = max(until, self._closed_until.get(key, 0.0))
