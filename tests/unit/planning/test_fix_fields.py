"""Which field of which custom resource mends a reason, and that each such field exists."""

from typing import Any

import pytest

from bastion_operator.api import BastionHost, VNetPeering
from bastion_operator.network.finding import Finding
from bastion_operator.network.fixes import explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Evaluation, judge
from bastion_operator.network.reachability.target import find_target
from bastion_operator.planning.fix_fields import FixField, Mending, fix_fields
from tests.support.estates import (
    Estate,
    bastion_id,
    change,
    hub_and_spoke,
    jit_policy,
    rule,
    same_vnet,
    vm_id,
    vnet_id,
    with_nsg,
)
from tests.unit.network.asking import link
from tests.unit.network.reason_cases import CASES, Case

KINDS = {"BastionHost": BastionHost, "VNetPeering": VNetPeering}


def fields(estate: Estate, code: str, case: Case | None = None, **asked: Any) -> tuple[FixField, ...]:
    inventory = Inventory.from_rows(estate, refused=() if case is None else case.refused)
    evaluation = Evaluation(inventory, {} if case is None else case.sessions)
    verdict = explain(judge(inventory, vm_id("web"), evaluation=evaluation, **asked), inventory, evaluation=evaluation)
    vm, host = inventory.virtual_machine(vm_id("web")), inventory.bastion(verdict.bastion)
    assert vm is not None
    ends = (None if host is None else host.virtual_network_id, find_target(inventory, vm).network_id)
    found: Finding = next(one for one in (*verdict.reasons, *verdict.warnings) if one.code == code)
    return fix_fields(Mending(verdict, found, *ends))


def told(found: tuple[FixField, ...]) -> list[tuple[str, str, Any]]:
    return [(each.kind, each.field, each.value) for each in found]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_field_is_one_of_its_kind_and_takes_the_value(case: Case) -> None:
    for each in fields(case.broken, case.code, case, **case.asked):
        schema = KINDS[each.kind].model_json_schema()
        if each.field.startswith("metadata.annotations["):
            continue
        place: Any = schema
        for name in each.field.split("."):
            place = resolved(schema, place)["properties"][name]
        allowed = resolved(schema, place).get("enum")
        assert allowed is None or each.value in allowed


def resolved(schema: Any, place: Any) -> Any:
    """The definition behind references and optional fields."""
    while True:
        if "$ref" in place:
            place = schema["$defs"][place["$ref"].rpartition("/")[2]]
        elif "anyOf" in place:
            place = next(each for each in place["anyOf"] if each.get("type") != "null")
        else:
            return place


def test_a_group_of_a_target_is_opened_by_enforcing_and_a_deny_of_others_only_if_asked() -> None:
    denied = fields(with_nsg(hub_and_spoke(), "nic", rule("no", 200, "Deny")), "NicNsgDenies")
    assert told(denied) == [
        ("BastionHost", "spec.networkSecurity.targets", "Enforce"),
        ("BastionHost", "spec.networkSecurity.overrideDenies", True),
    ]
    assert {each.about for each in denied} == {bastion_id("bas")}
    closed = link(with_nsg(hub_and_spoke(), "subnet"), "spoke", allowVirtualNetworkAccess=False)
    assert told(fields(closed, "SubnetNsgDenies")) == [("BastionHost", "spec.networkSecurity.targets", "Enforce")]


def test_nothing_is_enforced_where_just_in_time_access_guards() -> None:
    guarded = with_nsg(hub_and_spoke(), "nic", rule("MicrosoftDefenderForCloud-JITRule_1", 200, "Deny", ports="22"))
    assert fields([*guarded, jit_policy("web")], "NicNsgDenies") == ()


def test_what_the_sku_lacks_is_the_sku_that_has_it() -> None:
    assert told(fields(same_vnet(sku="Basic"), "ProtocolNotSupportedBySku", protocol="RDP")) == [
        ("BastionHost", "spec.sku", "Standard")
    ]
    assert told(fields(same_vnet(sku="Basic"), "CustomPortNotSupported", port=2222)) == [
        ("BastionHost", "spec.sku", "Standard"),
        ("BastionHost", "spec.networkSecurity.ports.ssh", [2222]),
    ]


def test_networks_are_joined_by_a_peering_and_a_broken_one_is_taken_over() -> None:
    apart = change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", [])
    apart = change(apart, "spoke", "properties.virtualNetworkPeerings", [])
    joined = [
        ("VNetPeering", "spec.hub.virtualNetworkID", vnet_id("hub")),
        ("VNetPeering", "spec.spokes", [{"virtualNetworkID": vnet_id("spoke")}]),
    ]
    assert told(fields(apart, "NotPeered")) == joined
    cut = link(hub_and_spoke(), "hub", peeringState="Disconnected")
    assert told(fields(cut, "PeeringDisconnected")) == [*joined, ("VNetPeering", "spec.adoptionPolicy", "IfUnmanaged")]


def test_a_stopped_vm_is_not_the_operators_to_start() -> None:
    stopped = change(
        hub_and_spoke(), "web", "properties.extended.instanceView.powerState.code", "PowerState/deallocated"
    )
    assert fields(stopped, "VMNotRunning") == ()
