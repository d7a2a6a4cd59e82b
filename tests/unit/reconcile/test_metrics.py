"""Metrics: what is said of custom resources, which labels there are, and that pages, alerts and dashboard know no others."""

import re
from collections.abc import Iterable

import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric

from bastion_operator.arm.budgets import Budgets, CallKind, call_of
from bastion_operator.arm.error_classes import ErrorClass
from bastion_operator.arm.error_codes import CODES
from bastion_operator.arm.schedule import Schedule
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.metrics import Metrics
from bastion_operator.reconcile.object_store import ObjectStore
from tests.support.clock import ManualClock
from tests.support.deployment import ROOT
from tests.support.monitoring import METRIC, alert_rules, dashboard_expressions

HOST = Key(Kind.BASTION_HOST, "net", "hub")
PEERING = Key(Kind.VNET_PEERING, "net", "spokes")
IDENTITY = Key(Kind.AZURE_IDENTITY, "", "default")
READY = {"type": "Ready", "status": "True"}
STALLED = {"type": "Stalled", "status": "True"}
PAGE = (ROOT / "docs/metrics.md").read_text()


@pytest.fixture
def objects() -> ObjectStore:
    """A host that is Ready and reaches part of its VMs, a peering that waits for a person, an identity on its way out."""
    store = ObjectStore()
    counts = {"reachable": 5, "unreachable": 2, "unknown": 1, "stopped": 3, "total": 11}
    store.seen(HOST, {"metadata": {}, "status": {"conditions": [READY], "counts": counts}})
    store.seen(PEERING, {"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "False"}, STALLED]}})
    store.seen(IDENTITY, {"metadata": {"deletionTimestamp": "2026-01-01T12:00:00Z"}})
    return store


@pytest.fixture
def metrics(objects: ObjectStore) -> Metrics:
    """Each metric with at least one sample."""
    clock = ManualClock()
    budgets = Budgets(clock)
    made = Metrics()
    made.show_budgets(budgets, Schedule[Key](budgets, clock, lambda *_: None))
    made.show_resources(objects, lambda: {"default": 42.0})
    made.show_leader(lambda: True)
    list(budgets.limits(call_of("client", CallKind.WRITE, "/subscriptions/s/resourceGroups/g")))
    made.azure_call(CallKind.WRITE, "virtualnetworks", "201")
    made.passes.labels(kind="BastionHost", result="ok").inc()
    made.pass_seconds.labels(kind="BastionHost").observe(0.1)
    made.drift.labels(kind="BastionHost", resource_type="bastionhosts", verb="Create").inc()
    made.writes.labels(kind="BastionHost", resource_type="bastionhosts", verb="Create").inc()
    return made


def _samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_custom_resources_are_shown_as_they_were_seen_last(metrics: Metrics, objects: ObjectStore) -> None:
    host, peering, identity = (("BastionHost", "net", "hub"), ("VNetPeering", "net", "spokes"), ("AzureIdentity", "", "default"))  # fmt: skip
    assert _samples(metrics, "azurebastion_resource_ready") == {host: 1, peering: 0, identity: 0}
    assert _samples(metrics, "azurebastion_resource_stalled") == {host: 0, peering: 1, identity: 0}
    assert _samples(metrics, "azurebastion_resource_deletion_timestamp_seconds") == {identity: 1767268800}
    assert _samples(metrics, "azurebastion_vms") == {
        ("net", "hub", verdict): count
        for verdict, count in {"reachable": 5, "unreachable": 2, "unknown": 1, "stopped": 3}.items()
    }
    assert _samples(metrics, "azurebastion_inventory_age_seconds") == {("default",): 42}

    objects.seen(HOST, None)

    assert _samples(metrics, "azurebastion_vms") == {}
    assert host not in _samples(metrics, "azurebastion_resource_ready")


def test_a_resource_that_nobody_has_looked_at_yet_is_not_ready(metrics: Metrics, objects: ObjectStore) -> None:
    objects.seen(HOST, {"metadata": {}})

    assert _samples(metrics, "azurebastion_resource_ready")["BastionHost", "net", "hub"] == 0


def _families(metrics: Metrics) -> Iterable[Metric]:
    families = list(metrics.registry.collect())
    assert [each.name for each in families if not each.samples] == [], "make a sample of it in this file"
    return families


def test_the_page_names_each_metric_with_its_type_and_labels(metrics: Metrics) -> None:
    rows = re.findall(r"^\| `(azurebastion_\w+)` \| (\w+) \| (.*?) \|", PAGE, re.MULTILINE)
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}

    found = {
        f"{each.name}_total" if each.type == "counter" else each.name: (
            each.type,
            {label for sample in each.samples for label in sample.labels} - {"le"},
        )
        for each in _families(metrics)
    }

    assert told == found


def _known(metrics: Metrics) -> set[str]:
    """Every name that a query may use."""
    return {sample.name for each in _families(metrics) for sample in each.samples}


def test_alerts_and_dashboard_ask_for_metrics_that_exist(metrics: Metrics) -> None:
    alerts = {name for rule in alert_rules() for name in METRIC.findall(rule["expr"])}
    dashboard = {name for expression in dashboard_expressions() for name in METRIC.findall(expression)}

    assert alerts - _known(metrics) == set()
    assert dashboard - _known(metrics) == set()
    # Every metric is of use to somebody: it is drawn.
    names = {f"{each.name}_bucket" if each.type == "histogram" else each.name for each in _families(metrics)}
    assert {name for name in names if name not in dashboard and f"{name}_total" not in dashboard} == set()


def test_alerts_and_dashboard_match_labels_that_exist(metrics: Metrics) -> None:
    labels = {label for each in _families(metrics) for sample in each.samples for label in sample.labels}
    texts = [*(rule["expr"] for rule in alert_rules()), *dashboard_expressions()]

    for text in texts:
        grouped = [part for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", text) for part in group.split(",")]
        matched = re.findall(r"[{,](\w+)(?:=~|!~|!=|=)\"", text)
        # Prometheus' own labels of what it scrapes.
        assert {each.strip() for each in (*grouped, *matched)} - labels <= {"pod", "instance"}, text


def test_every_code_for_too_many_calls_is_one_for_the_alert() -> None:
    (rule,) = (rule for rule in alert_rules() if rule["alert"] == "BastionOperatorThrottled")
    (pattern,) = re.findall(r'result=~"([^"]+)"', rule["expr"])
    codes = [each.name for each in CODES.values() if each.error_class is ErrorClass.THROTTLED]

    assert len(codes) >= 5
    assert [code for code in codes if re.fullmatch(pattern, code) is None] == []
    assert re.fullmatch(pattern, "InternalServerError") is None


def test_every_alert_has_its_runbook_and_no_runbook_is_left_over() -> None:
    runbooks = {f"docs/runbooks/{path.name}" for path in (ROOT / "docs/runbooks").glob("*.md")}

    assert {rule["annotations"]["runbook_url"] for rule in alert_rules()} == runbooks
    for rule in alert_rules():
        path = ROOT / rule["annotations"]["runbook_url"]
        assert path.stem == rule["alert"]
        assert path.read_text().startswith(f"# {rule['alert']}\n")
        (severity,) = re.findall(rf"^\| \[{rule['alert']}\]\(runbooks/{path.name}\) \| (\w+) \|", PAGE, re.MULTILINE)
        assert severity == rule["labels"]["severity"]


def test_what_prometheus_reads_is_text(metrics: Metrics) -> None:
    assert b'azurebastion_vms{resource_name="hub",resource_namespace="net",verdict="reachable"} 5.0' in generate_latest(
        metrics.registry
    )
