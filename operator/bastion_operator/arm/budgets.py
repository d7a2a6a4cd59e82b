"""What Azure lets the operator call, and how often: the budgets of all identities, learned from every answer.

ARM counts by principal, subscription and kind of call; Microsoft.Network by subscription and region, whoever calls; Resource
Graph by principal. (ARM's buckets also differ by the region that the caller reaches ARM in, which for one operator is one.)

Numbers: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling (network
throttling there as well) and
https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.arm.limits import BucketSize, CallWindow, Limit, TokenBucket
from bastion_operator.clock import Clock

# What a 429 without Retry-After is taken to mean, in seconds.
DEFAULT_WAIT = 30.0


class CallKind(StrEnum):
    """The kinds of call that Azure counts apart."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    GRAPH = "graph"


ARM_BUCKETS: Mapping[CallKind, BucketSize] = {
    CallKind.READ: BucketSize(250, 25),
    CallKind.WRITE: BucketSize(200, 10),
    CallKind.DELETE: BucketSize(200, 10),
}
NETWORK_SECONDS = 300.0
NETWORK_READS, NETWORK_WRITES = 10_000, 1_000
GRAPH_SECONDS, GRAPH_QUERIES = 5.0, 15

# What remains to the identity, and to all identities of the tenant together: fifteen times as much.
_HEADERS: Mapping[CallKind, tuple[str, ...]] = {
    kind: tuple(f"x-ms-ratelimit-remaining-subscription-{scope}{kind.value}s" for scope in ("", "global-"))
    for kind in (CallKind.READ, CallKind.WRITE, CallKind.DELETE)
}
# Codes of the resource provider; any other refusal for too many calls is ARM's own.
_PROVIDERS_CODES = frozenset({"toomanyrequests", "resourcerequeststhrottled", "operationnotallowedduetothrottling"})
_NETWORK = "/providers/microsoft.network/"


class BudgetSpentError(AzureError):
    """A call that was not sent: its budget is spent, or Azure asked to wait. ``retry_after`` says for how long."""


class Call(NamedTuple):
    """What of a call decides which budgets it draws on.

    :ivar principal: the client id of the identity
    :ivar subscription: empty for the graph and for what lies in none
    :ivar region: of the root resource, as ``westeurope``; empty where it is not known
    :ivar network: whether Microsoft.Network counts it
    """

    principal: str
    subscription: str
    region: str
    kind: CallKind
    network: bool


# A pass asks again for every call that still waits: each id is taken apart once, not once a pass.
@lru_cache(maxsize=65_536)
def call_of(principal: str, kind: CallKind, target: str, region: str = "") -> Call:
    """The call to a target (an ARM id); ``region`` in any spelling: ``West Europe`` is ``westeurope``."""
    lowered = target.lower()
    parts = lowered.split("/", 3)
    inside = kind is not CallKind.GRAPH and len(parts) > 2 and parts[1] == "subscriptions"  # noqa: PLR2004 - /subscriptions/{id}
    network = inside and _NETWORK in lowered
    return Call(principal, parts[2] if inside else "", plain_region(region) if network else "", kind, network)


def plain_region(location: str) -> str:
    """A region's name from its name or its display name."""
    return location.replace(" ", "").lower()


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """One budget as metrics show it; ``region`` is empty for those of ARM."""

    subscription: str
    region: str
    budget: str
    calls: int


@dataclass(slots=True)
class Budgets:
    """Every budget that was drawn on so far. Nothing sleeps here: a call without room is refused."""

    clock: Clock
    _limits: dict[Call, tuple[Limit, ...]] = field(default_factory=dict)
    _buckets: dict[tuple[str, str, CallKind], TokenBucket] = field(default_factory=dict)
    _windows: dict[tuple[str, str, str], CallWindow] = field(default_factory=dict)
    _graph: dict[str, CallWindow] = field(default_factory=dict)

    def room(self, call: Call) -> int:
        """How many such calls may be held now."""
        now = self.clock.monotonic()
        return min([limit.room(now) for limit in self.limits(call)])

    def opens_in(self, call: Call, calls: int) -> float:
        """Seconds until there is room for so many."""
        now = self.clock.monotonic()
        return max(limit.opens_in(now, calls) for limit in self.limits(call))

    def spread_in(self, call: Call, waiting: int) -> float:
        """Seconds until the next routine call, of so many that wait."""
        now = self.clock.monotonic()
        return max([limit.spread_in(now, waiting) for limit in self.limits(call)])

    def hold(self, call: Call, *, routine: bool = False) -> None:
        """Set a call aside, for which there must be room."""
        now = self.clock.monotonic()
        for limit in self.limits(call):
            limit.hold(now, routine=routine)

    def drop(self, call: Call) -> None:
        """A held call is not sent."""
        for limit in self.limits(call):
            limit.drop()

    def begin(self, call: Call, target: str, *, held: bool = False) -> None:
        """A call is about to be sent. ``held`` says that it was set aside before; it is no longer, sent or not.

        :raises BudgetSpentError: there is no room, or Azure asked to wait
        """
        now = self.clock.monotonic()
        limits = self.limits(call)
        wait = 0.0
        for limit in limits:
            wait = max(wait, limit.blocked(now))
            if not held and not limit.room(now):
                wait = max(wait, limit.opens_in(now, 1) or 1.0)
        if wait > 0:
            if held:
                self.drop(call)
            raise _spent(call, target, wait)
        for limit in limits:
            if not held:
                limit.hold(now, routine=False)
            limit.send(now)

    def end(self, call: Call, headers: Mapping[str, str]) -> None:
        """A call was answered, whatever the answer; without headers it was lost."""
        now = self.clock.monotonic()
        told = (_number(headers.get(name)) for name in _HEADERS.get(call.kind, ()))
        remaining = min((number for number in told if number is not None), default=None)
        for limit in self.limits(call):
            limit.answer(now, remaining, refused=False)

    def refused(self, call: Call, code: str, seconds: float | None) -> None:
        """A call was refused for being one too many: the budget that the code tells of closes for so many seconds."""
        now = self.clock.monotonic()
        limits = self.limits(call)
        for limit in limits:
            limit.answer(now, None, refused=True)
        one = limits[-1] if code.lower() in _PROVIDERS_CODES else limits[0]
        one.close(now, DEFAULT_WAIT if seconds is None else seconds)

    def graph_quota(self, principal: str, remaining: int, resets_in: float) -> None:
        """Resource Graph says how many queries are left, and when all of them are there again."""
        self._graph_window(principal).told(self.clock.monotonic(), remaining, resets_in)

    def left(self) -> Iterator[BudgetLeft]:
        """What is left of each budget, of several identities' the least; the graph's are of no subscription."""
        now = self.clock.monotonic()
        least: dict[tuple[str, str, str], int] = {}
        for (_, subscription, kind), bucket in list(self._buckets.items()):
            name = (subscription, "", f"arm-{kind.value}s")
            least[name] = min(bucket.left(now), least.get(name, bucket.size.capacity))
        for (subscription, region, kind_name), window in list(self._windows.items()):
            least[subscription, region, f"network-{kind_name}"] = window.room(now)
        for window in list(self._graph.values()):
            least["", "", "graph"] = min(window.room(now), least.get(("", "", "graph"), window.limit))
        return (BudgetLeft(*name, calls) for name, calls in least.items())

    def limits(self, call: Call) -> tuple[Limit, ...]:
        """ARM's budget, then the resource provider's where one counts."""
        known = self._limits.get(call)
        if known is None:
            known = self._limits[call] = self._make(call)
        return known

    def _make(self, call: Call) -> tuple[Limit, ...]:
        if call.kind is CallKind.GRAPH:
            return (self._graph_window(call.principal),)
        key = (call.principal, call.subscription, call.kind)
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(ARM_BUCKETS[call.kind], self.clock.monotonic())
        bucket = self._buckets[key]
        if not call.network:
            return (bucket,)
        reads = call.kind is CallKind.READ
        place = (call.subscription, call.region, "reads" if reads else "writes")
        if place not in self._windows:
            self._windows[place] = CallWindow(NETWORK_READS if reads else NETWORK_WRITES, NETWORK_SECONDS)
        return (bucket, self._windows[place])

    def _graph_window(self, principal: str) -> CallWindow:
        return self._graph.setdefault(principal, CallWindow(GRAPH_QUERIES, GRAPH_SECONDS))


def told_budget(call: Call) -> str:
    """The budget in words: ``Azure's write budget of subscription … in westeurope``."""
    if call.kind is CallKind.GRAPH:
        return "the quota of Resource Graph"
    place = f" in {call.region}" if call.region else ""
    return f"Azure's {call.kind} budget of subscription {call.subscription}{place}"


def _spent(call: Call, target: str, seconds: float) -> BudgetSpentError:
    return BudgetSpentError(
        code="WaitingForAzure",
        # Without the seconds: the words stand in conditions, and are to stay the same from pass to pass.
        message=f"{told_budget(call)} is spent; it goes on by itself as soon as there is more",
        error_class=ErrorClass.THROTTLED,
        target=target,
        retry_after=seconds,
    )


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
