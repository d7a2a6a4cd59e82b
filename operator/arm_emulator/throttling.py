"""ARM's token buckets and Microsoft.Network's five-minute windows, with the headers that tell what is left.

Numbers: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling and
https://learn.microsoft.com/azure/virtual-network/virtual-network-troubleshoot-peering-issues (network throttling).
"""

import math
from dataclasses import dataclass
from http import HTTPStatus

from arm_emulator.clock import Clock
from arm_emulator.errors import ArmError

GLOBAL_FACTOR = 15  # the limits of a tenant-wide principal are fifteen times those of one principal
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class BucketSize:
    """Capacity in requests, refill in requests a second."""

    capacity: float
    refill: float


ARM_BUCKETS = {"reads": BucketSize(250, 25), "writes": BucketSize(200, 10), "deletes": BucketSize(200, 10)}
NETWORK_WINDOW = 300.0
NETWORK_LIMITS = {"reads": 10_000, "writes": 1_000}


def kind_of(method: str) -> str:
    """Which budget a method draws on; POST counts as a write."""
    if method in ("GET", "HEAD"):
        return "reads"
    return "deletes" if method == "DELETE" else "writes"


@dataclass(slots=True)
class _Level:
    tokens: float
    at: float


class Throttle:
    """All buckets and windows. `enabled` False counts and tells, but never refuses."""

    def __init__(self, clock: Clock, *, enabled: bool = True) -> None:
        """Refill and windows follow the clock and its speed."""
        self._clock = clock
        self.enabled = enabled
        self._levels: dict[tuple[str, str, str], _Level] = {}
        self._windows: dict[tuple[str, str, str], tuple[float, int]] = {}

    def take(self, principal: str, subscription: str, method: str) -> dict[str, str]:
        """Takes a request from ARM's bucket; returns the headers that tell what remains, raises 429 if nothing does."""
        kind = kind_of(method)
        size = ARM_BUCKETS[kind]
        now = self._clock.now()
        refill = size.refill * self._clock.speed
        level = self._levels.setdefault((principal, subscription, kind), _Level(size.capacity, now))
        level.tokens = min(size.capacity, level.tokens + (now - level.at) * refill)
        level.at = now
        if level.tokens < 1 and self.enabled:
            wait = max(1, math.ceil((1 - level.tokens) / refill))
            raise ArmError(
                TOO_MANY,
                "SubscriptionRequestsThrottled",
                f"Number of '{kind}' requests for subscription '{subscription}' actor '{principal}' exceeded. Please try "
                f"again after '{wait}' seconds after additional tokens are available. Refer to "
                "https://aka.ms/arm-throttling for additional information.",
                headers={"Retry-After": str(wait), **_remaining(kind, 0, 0)},
            )
        level.tokens = max(0, level.tokens - 1)
        used = size.capacity - level.tokens
        return _remaining(kind, int(level.tokens), int(size.capacity * GLOBAL_FACTOR - used))

    def take_network(self, subscription: str, region: str, method: str) -> None:
        """Counts a request in Microsoft.Network's window of five minutes; raises 429 when it is full."""
        kind = "reads" if kind_of(method) == "reads" else "writes"
        now = self._clock.now()
        length = self._clock.scaled(NETWORK_WINDOW)
        started, count = self._windows.get((subscription, region, kind), (now, 0))
        if now - started >= length:
            started, count = now, 0
        if count >= NETWORK_LIMITS[kind] and self.enabled:
            raise ArmError(
                TOO_MANY,
                "TooManyRequests",
                "The server rejected the request because too many requests have been received for this subscription.",
                details=[
                    {
                        "code": "TooManyRequests",
                        "message": f"Number of {kind} for subscription {subscription} in region {region} exceeded "
                        f"{NETWORK_LIMITS[kind]} in {int(NETWORK_WINDOW)} seconds.",
                    }
                ],
                headers={"Retry-After": str(max(1, math.ceil(length - (now - started))))},
            )
        self._windows[subscription, region, kind] = (started, count + 1)


def _remaining(kind: str, subscription: int, everywhere: int) -> dict[str, str]:
    return {
        f"x-ms-ratelimit-remaining-subscription-{kind}": str(subscription),
        f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(everywhere),
    }
