"""Prometheus metrics, with labels of few values."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bastion_operator.arm.throttle import CallKind


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
            "Changes that a plan found necessary in Azure, by verb.",
            ["verb"],
            registry=self.registry,
        )
        self.last_pass = Gauge(
            "azurebastion_last_pass_timestamp_seconds",
            "When the last pass ended, in Unix time.",
            registry=self.registry,
        )
        self.queue_length = Gauge("azurebastion_queue_length", "Keys that are due.", registry=self.registry)

    def azure_call(self, kind: CallKind, resource_type: str, result: str) -> None:
        """Count one answered call; fits :class:`~bastion_operator.arm.client.CallObserver`."""
        self.azure_calls.labels(kind.value, resource_type, result).inc()
