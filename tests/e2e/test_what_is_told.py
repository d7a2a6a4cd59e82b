"""What is told of VMs beyond the main job: network managers, roles, turns, and what the identity may not see any more."""

import json
from collections.abc import Callable
from typing import Any

from dev.demo.colleague import Colleague
from dev.operator_process import ALONE
from tests.support.access_rows import role_assignment
from tests.support.estates import (
    SUBSCRIPTION,
    admin_rule,
    security_admin,
)
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HOST, HUB_SUBSCRIPTION, SHOP, VERDICTS, Lab, example
from tests.support.otlp_receiver import Collector, collecting

ANN, BEN = "a0000000-0000-0000-0000-000000000001", "a0000000-0000-0000-0000-000000000002"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
EVERYWHERE = (f"/subscriptions/{HUB_SUBSCRIPTION}", f"/subscriptions/{APPS_SUBSCRIPTION}")
ESTATE: list[dict[str, Any]] = json.loads((EXAMPLE / "estate.json").read_text())


def asking(*principals: str) -> list[dict[str, Any]]:
    """The example's BastionHosts; the one named hub asks about these principals."""
    hosts = example("bastion-host.yaml")
    hosts[0]["spec"]["access"] = {"principals": [{"objectID": each} for each in principals]}
    return hosts


def access_of(lab: Lab, principal: str) -> dict[str, Any]:
    listed = lab.get("bh", "hub").get("status", {}).get("access", [])
    return next((each for each in listed if each["objectID"] == principal), {})


def test_admin_rules_and_missing_roles_are_read_from_azure_and_told(lab_factory: Callable[..., Lab]) -> None:
    roles = [role_assignment(ANN, READER, EVERYWHERE[0]), *(role_assignment(BEN, READER, each) for each in EVERYWHERE)]
    rules = json.dumps(security_admin(SHOP, admin_rule("no-ssh", 10, "Deny"))).replace(SUBSCRIPTION, HUB_SUBSCRIPTION)
    lab = lab_factory([*ESTATE, *json.loads(rules), *roles])
    lab.operator.start()
    lab.apply(*asking(ANN, BEN), *example("vnet-peering.yaml"))
    lab.wait_ready("bh/hub", "vnp/hub")

    granted = lab.wait_condition("bh", "hub", "AccessGranted", "False", "RoleMissing")
    assert ANN in granted["message"]
    lab.wait_for(lambda: lab.reasons().get("web-1") == ["SecurityAdminDenies"], "the network manager's rule is told")
    lab.wait_for(lambda: access_of(lab, BEN).get("granted") == 8, "Ben may connect everywhere")
    ann = access_of(lab, ANN)
    assert (ann["granted"], ann["missing"]) == (3, 5) or ann["granted"] + ann["missing"] == access_of(lab, BEN)[
        "granted"
    ]
    assert all(APPS_SUBSCRIPTION in role["scope"] for role in ann["missingRoles"])
    rows = {row["vm"].rsplit("/", 1)[-1]: row for report in lab.objects("rr") for row in report["rows"]}
    assert "RoleMissing" in rows["db-1"]["warnings"]
    assert "RbacNotEvaluated" not in rows["jump"]["warnings"]
    # Who is not asked about any more is not told of either, and roles are no longer read.
    lab.apply(*example("bastion-host.yaml"))
    lab.wait_for(lambda: lab.condition("bh", "hub", "AccessGranted") is None, "the condition goes with the question")
    assert "access" not in lab.get("bh", "hub")["status"]


def test_a_verdict_that_turns_is_an_event_told_once_and_a_collector_is_sent_traces(
    lab_factory: Callable[..., Lab],
) -> None:
    lab = lab_factory()
    with collecting() as collector:
        lab.operator.options = (*ALONE, f"--traces-endpoint={collector.url}")
        lab.operator.start()
        _a_verdict_turns(lab)
        assert lab.operator.stop() == 0, "what is left of the traces is sent at the end"
    _the_passes_are_told(collector, lab)


def _the_passes_are_told(collector: Collector, lab: Lab) -> None:
    """Each pass is a trace, its calls to Azure are in it, with the ids that Azure has of them and with no secret."""
    by_id = {each.id: each for each in collector.spans}
    passes = [each for each in collector.spans if each.name.startswith("reconcile ")]
    assert {each.attributes["azurebastion.name"] for each in passes} >= {"hub", "hub-desktops", lab.namespace}
    # A pass that the end of the process cut off has no result.
    assert all(not each.parent and ("azurebastion.result" in each.attributes or each.failed) for each in passes)
    (made, *_) = (each for each in collector.spans if each.name == "PUT bastionHosts" and not each.failed)
    parent = by_id[made.parent]
    assert parent.name == "reconcile BastionHost"
    assert made.attributes["url.path"].lower() == HOST.lower()
    assert made.attributes["http.response.status_code"] in {200, 201}
    assert made.attributes["azure.service.request.id"]
    correlation = made.attributes["azurebastion.correlation_id"]
    assert correlation == parent.attributes["azurebastion.correlation_id"]
    assert f"[{correlation}]" in lab.operator.log.read_text()
    assert {each["service.name"] for each in collector.resources} == {"bastion-operator"}
    sent = b"".join(collector.bodies)
    for secret in (lab.azure.clients["operator"].client_secret.encode(), b"Bearer", b"api-version="):
        assert secret not in sent


def _a_verdict_turns(lab: Lab) -> None:
    lab.apply_example()
    lab.wait_settled()
    Colleague(lab.azure).deny(APPS_SUBSCRIPTION, "shop", "web-nsg", "NoSsh", priority=100, port=22)

    told = lab.wait_for(lambda: turned(lab, "web-1", "VMUnreachable"), "the turn is told")

    assert "SubnetNsgDenies: rule NoSsh" in told[0]["note"]
    assert told[0]["type"] == "Warning"
    described = lab.kubectl("describe", "bh", "hub", "-n", lab.namespace)
    assert all(each in described for each in ("web-1", "SubnetNsgDenies: rule NoSsh")), described
    # web-2 is stopped, and behind the same rule: it is no longer only stopped.
    lab.wait_for(lambda: len(turned(lab, "web-2", "VMUnreachable")) == 1, "so is that of its neighbour")
    assert not any(turned(lab, name, "VMUnreachable") for name in ("jump", "reports", "db-1", "bench-1"))
    lab.operator.stop()
    lab.operator.start()
    lab.annotate("bh", "hub", "again")
    lab.wait_for(lambda: lab.get("bh", "hub")["status"].get("lastHandledReconcileAt") == "again", "a pass was made")
    assert len(turned(lab, "web-1", "VMUnreachable")) == 1


def turned(lab: Lab, name: str, reason: str) -> list[dict[str, Any]]:
    return [each for each in lab.events() if each["reason"] == reason and f"/{name} by " in each["note"]]


def test_vms_of_a_subscription_that_is_hidden_become_unknown_and_the_others_stay(
    lab_factory: Callable[..., Lab],
) -> None:
    everything: dict[str, Any] = {"actions": ["*"]}
    here = {**everything, "scope": EVERYWHERE[0]}
    principals = [{"name": "operator", "assignments": [everything]}, {"name": "half", "assignments": [here]}]
    lab = lab_factory(principals=principals)
    lab.operator.start()
    lab.apply_example()
    lab.wait_settled()
    half = lab.azure.clients["half"]

    lab.apply_identity(clientID=half.client_id, client_secret=half.client_secret)

    # There is a report for each network, and they are written one after another.
    ours = {"jump", "build-1", "desktop-1"}
    expected = {name: codes if name in ours else ["PermissionDenied"] for name, codes in VERDICTS.items()}
    lab.wait_for(lambda: lab.reasons() == expected, "what is hidden is Unknown, and nothing else has turned")

    def counted() -> tuple[int, int]:
        counts = lab.get("bh", "hub")["status"]["counts"]
        return counts["unknown"], counts["total"]

    lab.wait_for(lambda: counted() == (5, 8), "the counts follow")


def test_groups_that_may_not_be_read_make_the_vms_behind_them_unknown_and_no_others(
    lab_factory: Callable[..., Lab],
) -> None:
    blind = {"actions": ["*"], "notActions": ["Microsoft.Network/networkSecurityGroups/read"]}
    lab = lab_factory(principals=[{"name": "operator", "assignments": [blind]}])
    lab.operator.start()
    lab.apply_example()
    lab.wait_ready("bh/hub", "vnp/hub")

    for name, codes in {"web-1": ["PermissionDenied"], "db-1": ["PermissionDenied"], "build-1": []}.items():
        lab.wait_for(lambda: lab.reasons().get(name) == codes, f"the verdict on {name}")  # noqa: B023
    row = next(row for report in lab.objects("rr") for row in report["rows"] if row["vm"].endswith("/web-1"))
    assert row["verdict"] == "Unknown"
    assert row["reasons"][0]["resource"].endswith("/networkSecurityGroups/web-nsg")
    assert "grant Reader" in row["reasons"][0]["message"]
