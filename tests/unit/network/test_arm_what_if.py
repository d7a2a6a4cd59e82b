"""Answers of ARM's what-if: what a deployment does to reachability, and what of it is not considered."""

import json
from typing import Any

import pytest

from bastion_operator.network.foreseen.arm_what_if import read_arm_what_if
from bastion_operator.network.foreseen.doubts import doubted
from bastion_operator.network.foreseen.plan import PlanFileError, apply_plan
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all
from tests.support.estates import (
    Estate,
    bastion_id,
    hub_and_spoke,
    nic_id,
    nsg_id,
    resource_id,
    route_table_id,
    rule,
    subnet_id,
    vm_id,
    vnet_id,
    with_nsg,
)

Json = dict[str, Any]


def change(resource: str, kind: str, after: Json | None = None, **more: Any) -> Json:
    return {"resourceId": resource, "changeType": kind, "after": after, "before": None, "delta": None} | more


def outcome(estate: Estate, *changes: Json) -> Verdict:
    """The verdict on ``web`` after the deployment."""
    plan = read_arm_what_if("whatif.json", json.dumps({"status": "Succeeded", "changes": changes}).encode())
    after = apply_plan(Inventory.from_rows(estate), plan)
    return {each.vm_name: each for each in doubted(judge_all(after), after, plan)}["web"]


def told(verdict: Verdict) -> tuple[str, list[str]]:
    return verdict.verdict.value, [reason.code for reason in verdict.reasons]


def test_a_modified_group_a_deleted_peering_and_a_field_that_goes_are_seen() -> None:
    guarded = with_nsg(hub_and_spoke(), "nic", rule("allow", 150, "Allow"))
    denying = {"properties": {"securityRules": [rule("deny", 110, "Deny")]}}
    assert told(outcome(guarded, change(nsg_id("guard"), "Modify", denying))) == ("Unreachable", ["NicNsgDenies"])
    [link] = next(row for row in hub_and_spoke() if row["name"] == "spoke")["properties"]["virtualNetworkPeerings"]
    assert told(outcome(hub_and_spoke(), change(link["id"], "Delete"))) == ("Unreachable", ["PeeringDisconnected"])
    denied = with_nsg(hub_and_spoke(), "nic", rule("deny", 110, "Deny"))
    freed: list[dict[str, Any]] = [
        {"path": "properties.networkSecurityGroup", "propertyChangeType": "Delete", "before": {}, "after": None}
    ]
    configurations = next(row for row in denied if row["name"] == "web-nic")["properties"]["ipConfigurations"]
    planned = [
        {"name": each.get("name"), "properties": {"subnet": each["properties"]["subnet"]}} for each in configurations
    ]
    modified = change(nic_id("web-nic"), "Modify", {"properties": {"ipConfigurations": planned}}, delta=freed)
    assert told(outcome(denied, modified)) == ("Reachable", []), "and its address stays"


def test_a_group_and_a_route_table_that_are_made_without_parts_have_none() -> None:
    attached = {"networkSecurityGroup": {"id": nsg_id("new")}, "routeTable": {"id": route_table_id("new")}}
    made = (
        change(nsg_id("new"), "Create", {"location": "westeurope"}),
        change(route_table_id("new"), "Create", {"location": "westeurope", "properties": {}}),
        change(subnet_id("spoke", "workload"), "Modify", {"properties": attached}),
    )
    assert told(outcome(hub_and_spoke(), *made)) == ("Reachable", [])


def test_what_comes_to_rest_or_cannot_matter_changes_nothing() -> None:
    storage = resource_id("Microsoft.Storage/storageAccounts", "x")
    changes = [
        change(nsg_id("x"), "Ignore"),
        change(nsg_id("y"), "NoChange"),
        change(storage, "Create", {"properties": {}}),
    ]
    assert told(outcome(hub_and_spoke(), *changes)) == ("Reachable", [])


@pytest.mark.parametrize(
    "unclear",
    [
        change(bastion_id("bas"), "Deploy"),
        change(vnet_id("spoke"), "Unsupported", unsupportedReason="the template is nested too deep"),
        change(vm_id("web"), "Modify", {"properties": {"networkProfile": "[reference('other').profile]"}}),
        change(
            resource_id("Microsoft.Network/azureFirewalls", "f"),
            "Create",
            {"properties": {"x": subnet_id("hub", "Fw")}},
        ),
        change(resource_id("Microsoft.Network/azureFirewalls", "f"), "Create", {"properties": {}}),
        change("[resourceId('x')]", "Create"),
    ],
    ids=["deploy", "unsupported", "expression", "firewall with its subnet", "firewall of nothing", "no id"],
)
def test_what_cannot_be_told_makes_unknown_what_hangs_on_it(unclear: Json) -> None:
    verdict = outcome(hub_and_spoke(), unclear)
    assert verdict.verdict.value == "Unknown"
    assert verdict.reasons[0].code == "EffectiveDataUnavailable"
    elsewhere = change(vnet_id("elsewhere"), "Unsupported")
    assert told(outcome(hub_and_spoke(), elsewhere)) == ("Reachable", [])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"{", "is no JSON"),
        (b"[]", "it has no list of changes"),
        (b'{"changes": [1]}', r"whatif\.json, entry 1 of changes: it is a number, and must be an object"),
        (b'{"changes": [], "potentialChanges": {}}', "field potentialChanges: it is an object, and must be a list"),
        (b'{"error": {"code": "InvalidTemplate", "message": "line 3"}}', "InvalidTemplate: line 3"),
    ],
)
def test_what_is_no_answer_is_refused_with_how_to_get_one(content: bytes, what: str) -> None:
    with pytest.raises(PlanFileError, match=what) as caught:
        read_arm_what_if("whatif.json", content)
    assert "--no-pretty-print" in caught.value.remedy
