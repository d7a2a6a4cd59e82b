"""Prometheus metrics, with labels of few values."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bastion_operator.arm.budgets import Budgets, CallKind
from bastion_operator.arm.schedule import Schedule
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.object_store import ObjectStore
from bastion_operator.reconcile.resource_metrics import ResourceCollector

# Series of budgets at most, the scarcest first: an identity may be used in hundreds of subscriptions.
_MOST_BUDGETS = 200


# Up to what is long also where the interval is hours.
_QUEUE_SECONDS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 10_800)


class Metrics:
    """The operator's own counts, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.passes = Counter(
            "azurebastion_reconciles", "Passes by kind and how they ended.", ["kind", "result"], registry=self.registry
        )
        self.pass_seconds = Histogram(
            "azurebastion_reconcile_seconds", "Duration of passes by kind.", ["kind"], registry=self.registry
        )
        self.azure_calls = Counter(
            "azurebastion_azure_calls",
            "Calls to Azure by kind of call, type of resource and HTTP status or error code.",
            ["call", "resource_type", "result"],
            registry=self.registry,
        )
        self.drift = Counter(
            "azurebastion_drift",
            "Changes that a plan found necessary in Azure, each once, made or not; by kind of custom resource, type and verb.",
            ["kind", "resource_type", "verb"],
            registry=self.registry,
        )
        self.writes = Counter(
            "azurebastion_writes",
            "Changes that Azure took, by kind of custom resource, type and verb.",
            ["kind", "resource_type", "verb"],
            registry=self.registry,
        )
        self.last_pass = Gauge(
            "azurebastion_last_pass_timestamp_seconds",
            "When the last pass ended, in Unix time.",
            registry=self.registry,
        )
        self.queue_length = Gauge("azurebastion_queue_length", "Keys that are due.", registry=self.registry)
        self.queue_seconds = Histogram(
            "azurebastion_queue_seconds",
            "For how long a key had been due when its pass began.",
            buckets=_QUEUE_SECONDS,
            registry=self.registry,
        )
        self.leader = Gauge(
            "azurebastion_leader",
            "1 in the process that holds the Lease and may write, else 0.",
            registry=self.registry,
        )

    def azure_call(self, kind: CallKind, resource_type: str, result: str) -> None:
        """Count one answered call; fits :class:`~bastion_operator.arm.client.CallObserver`."""
        self.azure_calls.labels(kind.value, resource_type, result).inc()

    def show_leader(self, holds: Callable[[], bool]) -> None:
        """Show from now on what ``holds`` says when somebody looks."""
        self.leader.set_function(holds)

    def show_budgets(self, budgets: Budgets, schedule: Schedule[Key]) -> None:
        """Show from now on what waits for Azure's budgets, and what is left of them."""
        self.registry.register(_BudgetCollector(budgets, schedule))

    def show_resources(self, objects: ObjectStore, ages: Callable[[], Mapping[str, float]]) -> None:
        """Show from now on what the custom resources say, and how old each identity's inventory is."""
        self.registry.register(ResourceCollector(objects, ages))


@dataclass(frozen=True, slots=True, eq=False)
class _BudgetCollector(Collector):
    """Counted when somebody looks: no call pays for it."""

    budgets: Budgets
    schedule: Schedule[Key]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        waiting = GaugeMetricFamily(
            "azurebastion_azure_waiting_calls", "Writes that wait for their turn in Azure's budgets.", labels=["call"]
        )
        counts: Counts[CallKind] = Counts()
        for call, count in self.schedule.counts().items():
            counts[call.kind] += count
        for kind in (CallKind.WRITE, CallKind.DELETE):
            waiting.add_metric([kind.value], counts[kind])
        yield waiting
        left = GaugeMetricFamily(
            "azurebastion_azure_calls_left",
            "Calls that Azure's budgets allow now; of ARM's budgets the region is empty.",
            labels=["subscription", "region", "budget"],
        )
        for each in nsmallest(_MOST_BUDGETS, self.budgets.left(), key=lambda each: each.calls):
            left.add_metric([each.subscription, each.region, each.budget], each.calls)
        yield left
