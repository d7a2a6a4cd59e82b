"""The least time that so many calls can take within Azure's budgets, however well a client spreads them.

Of each budget the bound that it alone sets; the largest of them is the answer. A client that comes near it wastes nothing.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from arm_emulator.errors import Json, bad_request
from arm_emulator.throttling import ARM_BUCKETS, GLOBAL_FACTOR, NETWORK_LIMITS, NETWORK_WINDOW


@dataclass(frozen=True, slots=True)
class Calls:
    """So many calls of one kind (`reads`, `writes` or `deletes`) to Microsoft.Network in one subscription and region."""

    subscription: str
    region: str
    kind: str
    count: int
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """No client is faster than `seconds`, because of this budget."""

    budget: str
    seconds: float


def bounds(calls: Iterable[Calls], speed: float = 1.0) -> list[Bound]:
    """The bound of each budget at this speed, the tightest first; from full budgets on."""
    by_bucket: dict[tuple[str, str, str], int] = defaultdict(int)
    by_shared_bucket: dict[tuple[str, str], int] = defaultdict(int)
    by_window: dict[tuple[str, str, str], dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for each in calls:
        by_bucket[each.principal, each.subscription, each.kind] += each.count
        by_shared_bucket[each.subscription, each.kind] += each.count
        window = "reads" if each.kind == "reads" else "writes"
        by_window[each.subscription, each.region, window][each.principal, each.kind] += each.count
    found = [
        Bound(f"ARM's {kind} of subscription {subscription}", _bucket_seconds(kind, count) / speed)
        for (_, subscription, kind), count in by_bucket.items()
    ]
    found += [
        Bound(
            f"ARM's {kind} of subscription {subscription}, all principals",
            _bucket_seconds(kind, count, GLOBAL_FACTOR) / speed,
        )
        for (subscription, kind), count in by_shared_bucket.items()
    ]
    found += [
        Bound(
            f"Microsoft.Network's {kind} of subscription {subscription} in {region}",
            _window_seconds(kind, counts) / speed,
        )
        for (subscription, region, kind), counts in by_window.items()
    ]
    return sorted(found, key=lambda bound: -bound.seconds)


def _bucket_seconds(kind: str, count: int, times: int = 1) -> float:
    """Out of a bucket of so many times a principal's size."""
    size = ARM_BUCKETS[kind]
    return max(0.0, (count - times * size.capacity) / (times * size.refill))


def _window_seconds(kind: str, counts: dict[tuple[str, str], int]) -> float:
    """Full windows are waited for; what is left for the last one comes out of buckets that are full again by then."""
    count, limit = sum(counts.values()), NETWORK_LIMITS[kind]
    before = max(math.ceil(count / limit) - 1, 0)
    sizes = [ARM_BUCKETS[each] for _, each in counts]
    left = count - before * limit - sum(size.capacity for size in sizes)
    return before * NETWORK_WINDOW + max(0.0, left / sum(size.refill for size in sizes))


def read(body: Json) -> list[Calls]:
    """The calls of `{"calls": [{"subscription", "region", "kind", "count", "principal"?}]}`. Raises ArmError."""
    listed = body.get("calls")
    if not isinstance(listed, list):
        raise _invalid()
    return [_read_one(each) for each in listed]


def _read_one(each: Any) -> Calls:
    if not isinstance(each, dict):
        raise _invalid()
    count, kind = each.get("count"), each.get("kind")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0 or kind not in ARM_BUCKETS:
        raise _invalid()
    subscription, region, principal = (str(each.get(name, "")) for name in ("subscription", "region", "principal"))
    return Calls(subscription.lower(), region.lower(), kind, count, principal)


def _invalid() -> Exception:
    return bad_request(
        "InvalidCalls",
        "The best time is asked for by {'calls': [{'subscription', 'region', 'kind': 'reads' | 'writes' | 'deletes', "
        "'count': a number that is not negative}]}.",
    )
