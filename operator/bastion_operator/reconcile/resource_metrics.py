"""Metrics of what the custom resources say of themselves, read from the watches when somebody looks.

No pass pays for them, and a replica that only stands by shows them as well, so that none is missing after a takeover.
The labels are not called namespace and name: Prometheus' own label namespace, that of the pod, would displace the first.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bastion_operator.api.conditions import ConditionStatus, ConditionType
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.object_store import ObjectStore

_RESOURCE = ["kind", "resource_namespace", "resource_name"]
_VERDICTS = ("reachable", "unreachable", "unknown", "stopped")


@dataclass(frozen=True, slots=True, eq=False)
class ResourceCollector(Collector):
    """A few series for each custom resource, and one for each identity.

    :ivar ages: seconds since each identity's inventory was read
    """

    objects: ObjectStore
    ages: Callable[[], Mapping[str, float]]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Each gauge with a sample for each object."""
        ready = GaugeMetricFamily(
            "azurebastion_resource_ready", "1 where the condition Ready is True, else 0.", labels=_RESOURCE
        )
        stalled = GaugeMetricFamily(
            "azurebastion_resource_stalled", "1 where only a person can help: Stalled is True.", labels=_RESOURCE
        )
        deleting = GaugeMetricFamily(
            "azurebastion_resource_deletion_timestamp_seconds",
            "When the deletion of a resource was asked for that is still there, in Unix time.",
            labels=_RESOURCE,
        )
        machines = GaugeMetricFamily(
            "azurebastion_vms", "VMs of a BastionHost by verdict.", labels=[*_RESOURCE[1:], "verdict"]
        )
        for key in self.objects.keys():  # noqa: SIM118 - no mapping: its keys are a list
            raw = self.objects.get(key) or {}
            labels = [key.kind.value, key.namespace, key.name]
            ready.add_metric(labels, _holds(raw, ConditionType.READY))
            stalled.add_metric(labels, _holds(raw, ConditionType.STALLED))
            if (since := _deleted_at(raw)) is not None:
                deleting.add_metric(labels, since)
            for verdict, count in _counts(key, raw):
                machines.add_metric([key.namespace, key.name, verdict], count)
        yield from (ready, stalled, deleting, machines)
        inventory = GaugeMetricFamily(
            "azurebastion_inventory_age_seconds",
            "Time since the inventory of an AzureIdentity was read.",
            labels=["identity"],
        )
        for identity, age in self.ages().items():
            inventory.add_metric([identity], age)
        yield inventory


def _status(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return raw.get("status") or {}


def _holds(raw: Mapping[str, Any], condition_type: ConditionType) -> float:
    conditions = _status(raw).get("conditions") or ()
    return float(any(each["type"] == condition_type and each["status"] == ConditionStatus.TRUE for each in conditions))


def _deleted_at(raw: Mapping[str, Any]) -> float | None:
    since = (raw.get("metadata") or {}).get("deletionTimestamp")
    return None if since is None else datetime.fromisoformat(since).timestamp()


def _counts(key: Key, raw: Mapping[str, Any]) -> Iterable[tuple[str, float]]:
    counts = _status(raw).get("counts") if key.kind is Kind.BASTION_HOST else None
    return [(verdict, float(counts.get(verdict, 0))) for verdict in _VERDICTS] if counts else ()
