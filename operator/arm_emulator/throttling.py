"""ARM's token buckets and Microsoft.Network's five-minute windows, with the headers that tell what is left.

Numbers: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling and
https://learn.microsoft.com/azure/virtual-network/virtual-network-troubleshoot-peering-issues (network throttling).
"""

import math
from dataclasses import dataclass
from http import HTTPStatus

from arm_emulator.clock import Clock
from arm_emulator.errors import ArmError

GLOBAL_FACTOR = 15
"""All principals together have fifteen times what one has; recorded: 3749 reads and 2999 writes are left after one."""
EVERYONE = ""
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
        """Takes a request from ARM's buckets, the principal's own and that of all principals.

        Returns the headers that tell what remains in both; raises 429 if nothing does in either.
        """
        kind = kind_of(method)
        size = ARM_BUCKETS[kind]
        shared = BucketSize(size.capacity * GLOBAL_FACTOR, size.refill * GLOBAL_FACTOR)
        own = self._level((principal, subscription, kind), size)
        everyones = self._level((EVERYONE, subscription, kind), shared)
        if min(own.tokens, everyones.tokens) < 1 and self.enabled:
            wait = max(self._wait(own, size), self._wait(everyones, shared))
            raise ArmError(
                TOO_MANY,
                "SubscriptionRequestsThrottled",
                f"Number of '{kind}' requests for subscription '{subscription}' actor '{principal}' exceeded. Please try "
                f"again after '{wait}' seconds after additional tokens are available. Refer to "
                "https://aka.ms/arm-throttling for additional information.",
                headers={"Retry-After": str(wait), **_remaining(kind, own, everyones)},
            )
        for level in (own, everyones):
            level.tokens = max(0, level.tokens - 1)
        return _remaining(kind, own, everyones)

    def _level(self, bucket: tuple[str, str, str], size: BucketSize) -> _Level:
        """A bucket as it is filled by now."""
        now = self._clock.now()
        level = self._levels.setdefault(bucket, _Level(size.capacity, now))
        level.tokens = min(size.capacity, level.tokens + (now - level.at) * size.refill * self._clock.speed)
        level.at = now
        return level

    def _wait(self, level: _Level, size: BucketSize) -> int:
        """Whole seconds until the bucket holds a request again, one at least."""
        return max(1, math.ceil((1 - level.tokens) / (size.refill * self._clock.speed)))

    def take_network(self, subscription: str, region: str, method: str) -> None:
        """Counts a request in Microsoft.Network's window of five minutes; raises 429 when it is full."""
        subscription = subscription.lower()
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


def _remaining(kind: str, own: _Level, everyones: _Level) -> dict[str, str]:
    return {
        f"x-ms-ratelimit-remaining-subscription-{kind}": str(int(own.tokens)),
        f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(int(everyones.tokens)),
    }
