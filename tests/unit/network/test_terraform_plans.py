"""Terraform's plans in Azure's terms: what they do to reachability, and what of them is not understood."""

import json
from pathlib import Path
from typing import Any

import pytest

from bastion_operator.network.foreseen.doubts import doubted
from bastion_operator.network.foreseen.plan import ForeignPlan, PlanFileError, apply_plan
from bastion_operator.network.foreseen.terraform import read_terraform_plan
from bastion_operator.network.foreseen.terraform_references import References, place_of
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all
from tests.support.estates import (
    GROUP,
    SUBSCRIPTION,
    Estate,
    bastion_id,
    hub_and_spoke,
    nic_id,
    nsg_id,
    route_table_id,
    rule,
    subnet_id,
    vm_id,
    vnet_id,
    with_nsg,
)

Json = dict[str, Any]
IN_GROUP = {"resource_group_name": GROUP, "location": "westeurope"}
DENY = {
    "name": "deny-all",
    "priority": 200,
    "direction": "Inbound",
    "access": "Deny",
    "protocol": "*",
    "source_port_range": "*",
    "destination_port_range": "*",
    "source_address_prefix": "*",
    "destination_address_prefix": "*",
    "source_address_prefixes": [],
}


def entry(kind: str, name: str, after: Json | None, *, before: Json | None = None, **more: Any) -> Json:
    """An entry of resource_changes; ``unknown`` and ``replace`` as they are wanted, ``refers`` the expressions."""
    if more.pop("replace", False):
        actions = ["delete", "create"]
    else:
        actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
    unknown = more.pop("unknown", {})
    change = {"actions": more.pop("actions", actions), "before": before, "after": after, "after_unknown": unknown}
    found = {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name, "change": change}
    return found | more


def planned(*changes: Json, refers: Json | None = None, **parts: Any) -> bytes:
    """A plan; ``refers`` gives the references of arguments by the resource's address."""
    resources = [{"address": address, "expressions": expressions} for address, expressions in (refers or {}).items()]
    provider = {"azurerm": {"expressions": {"subscription_id": {"constant_value": SUBSCRIPTION}}}}
    configuration = {"provider_config": provider, "root_module": {"resources": resources}}
    plan = {"format_version": "1.2", "configuration": configuration, "resource_changes": [*changes]}
    return json.dumps(plan | parts).encode()


def read(content: bytes) -> ForeignPlan:
    return read_terraform_plan("plan.json", content)


def outcome(estate: Estate, content: bytes) -> dict[str, Verdict]:
    """The verdicts after the plan, by the name of the VM."""
    plan = read(content)
    after = apply_plan(Inventory.from_rows(estate), plan)
    return {each.vm_name: each for each in doubted(judge_all(after), after, plan)}


def told(verdict: Verdict) -> tuple[str, list[str]]:
    return verdict.verdict.value, [reason.code for reason in verdict.reasons]


def refers(*references: str) -> Json:
    return {"references": [*references]}


def test_a_rule_that_is_planned_takes_the_way_to_a_vm() -> None:
    estate = with_nsg(hub_and_spoke(), "nic", rule("allow", 150, "Allow"))
    assert told(outcome(estate, planned())["web"]) == ("Reachable", [])
    values = DENY | {"resource_group_name": GROUP, "network_security_group_name": "guard", "priority": 110}
    found = outcome(estate, planned(entry("azurerm_network_security_rule", "deny", values)))
    assert told(found["web"]) == ("Unreachable", ["NicNsgDenies"])
    gone = entry(
        "azurerm_network_security_rule",
        "deny",
        None,
        before=values | {"id": f"{nsg_id('guard')}/securityRules/deny-all"},
    )
    denied = with_nsg(hub_and_spoke(), "nic", rule("deny-all", 110, "Deny"))
    assert told(outcome(denied, planned(gone))["web"]) == ("Reachable", [])


def test_a_group_that_is_made_and_attached_in_one_plan_is_found_by_its_reference() -> None:
    group = entry(
        "azurerm_network_security_group",
        "guard",
        IN_GROUP | {"name": "guard", "security_rule": [DENY]},
        unknown={"id": True},
    )
    attached = entry(
        "azurerm_subnet_network_security_group_association",
        "guard",
        {"subnet_id": subnet_id("spoke", "workload")},
        unknown={"id": True, "network_security_group_id": True},
    )
    expressions = {
        "azurerm_subnet_network_security_group_association.guard": {
            "network_security_group_id": refers(
                "azurerm_network_security_group.guard.id", "azurerm_network_security_group.guard"
            )
        }
    }
    content = planned(attached, group, refers=expressions)
    assert told(outcome(hub_and_spoke(), content)["web"]) == ("Unreachable", ["SubnetNsgDenies"])
    assert [each.resource_id for each in read(content).changes] == [subnet_id("spoke", "workload"), nsg_id("guard")]


def test_a_whole_spoke_with_a_vm_is_foreseen_before_any_of_it_is_there() -> None:
    estate = hub_and_spoke()
    hub = {"id": vnet_id("hub")}
    changes = [
        entry(
            "azurerm_virtual_network", "new", IN_GROUP | {"name": "new", "address_space": ["10.7.0.0/16"], "subnet": []}
        ),
        entry(
            "azurerm_subnet",
            "work",
            {
                "name": "work",
                "resource_group_name": GROUP,
                "virtual_network_name": "new",
                "address_prefixes": ["10.7.1.0/24"],
            },
        ),
        entry(
            "azurerm_virtual_network_peering",
            "out",
            {
                "name": "to-hub",
                "resource_group_name": GROUP,
                "virtual_network_name": "new",
                "remote_virtual_network_id": hub["id"],
                "allow_virtual_network_access": True,
            },
        ),
        entry(
            "azurerm_virtual_network_peering",
            "back",
            {"name": "to-new", "resource_group_name": GROUP, "virtual_network_name": "hub"},
            unknown={"remote_virtual_network_id": True},
        ),
        entry(
            "azurerm_network_interface",
            "nic",
            IN_GROUP
            | {"name": "fresh-nic", "ip_configuration": [{"name": "one", "private_ip_address_allocation": "Dynamic"}]},
            unknown={"ip_configuration": [{"subnet_id": True, "private_ip_address": True}]},
        ),
        entry(
            "azurerm_linux_virtual_machine",
            "vm",
            IN_GROUP | {"name": "fresh", "tags": {"tier": "web"}},
            unknown={"network_interface_ids": True},
        ),
    ]
    expressions = {
        "azurerm_virtual_network_peering.back": {
            "remote_virtual_network_id": refers("azurerm_virtual_network.new.id", "azurerm_virtual_network.new")
        },
        "azurerm_network_interface.nic": {
            "ip_configuration": [{"subnet_id": refers("azurerm_subnet.work.id", "azurerm_subnet.work")}]
        },
        "azurerm_linux_virtual_machine.vm": {
            "network_interface_ids": refers("azurerm_network_interface.nic.id", "azurerm_network_interface.nic")
        },
    }
    for order in (changes, changes[::-1]):
        found = outcome(estate, planned(*order, refers=expressions))
        assert told(found["fresh"]) == ("Reachable", [])
        assert found["fresh"].vm == vm_id("fresh")
    one_sided = outcome(estate, planned(*(each for each in changes if each["name"] != "back"), refers=expressions))
    assert told(one_sided["fresh"]) == ("Unreachable", ["PeeringOneSided"])


def test_references_lead_through_modules_and_to_the_instance_of_the_same_key() -> None:
    def in_module(kind: str, name: str, after: Json, index: str, **more: Any) -> Json:
        base = {"module_address": "module.net", "index": index, "address": f'module.net.{kind}.{name}["{index}"]'}
        return entry(kind, name, after, **more) | base

    groups = [
        in_module(
            "azurerm_network_security_group",
            "g",
            IN_GROUP | {"name": name, "security_rule": rules},
            name,
            unknown={"id": True},
        )
        for name, rules in (("open", []), ("shut", [DENY]))
    ]
    attached = in_module(
        "azurerm_subnet_network_security_group_association",
        "a",
        {},
        "shut",
        unknown={"network_security_group_id": True, "subnet_id": True},
    )
    module = {
        "resources": [
            {
                "address": "azurerm_subnet_network_security_group_association.a",
                "expressions": {
                    "network_security_group_id": refers("azurerm_network_security_group.g", "each.key"),
                    "subnet_id": refers("var.subnet"),
                },
            }
        ]
    }
    call = {
        "expressions": {"subnet": refers("data.azurerm_subnet.work.id", "data.azurerm_subnet.work")},
        "module": module,
    }
    plan = json.loads(planned(*groups, attached))
    plan["configuration"]["root_module"]["module_calls"] = {"net": call}
    data = {
        "mode": "data",
        "type": "azurerm_subnet",
        "name": "work",
        "values": {"id": subnet_id("spoke", "workload")},
    }
    plan["prior_state"] = {"values": {"root_module": {"resources": [data]}}}
    found = outcome(hub_and_spoke(), json.dumps(plan).encode())
    assert told(found["web"]) == ("Unreachable", ["SubnetNsgDenies"])


def test_references_of_a_recorded_plan_are_followed() -> None:
    """The plan of ``terraform_references.tf`` as Terraform 1.11.4 wrote it."""
    plan = json.loads((Path(__file__).parent / "terraform_references.json").read_text())
    places = {place_of(change): change for change in plan["resource_changes"]}
    references = References(plan, {place: f"/{change['address']}" for place, change in places.items()})

    def told(address: str, unknown: Any = True) -> object:
        [place] = [each for each, change in places.items() if change["address"] == address]
        return references.completed(place, {}, {"input": unknown}).get("input")

    assert told('module.net.terraform_data.g["b"]') == "/terraform_data.base"
    assert told('module.net.terraform_data.h["b"]') == '/module.net.terraform_data.g["b"]'
    assert told("terraform_data.d[1]") == "/terraform_data.c[1]"
    assert told("terraform_data.user") == '/module.net.terraform_data.g["a"]', (
        "by the key of a map and by an output of its own"
    )
    assert told("terraform_data.either") is None, "one of two, by a condition"


def test_what_stands_keeps_what_terraform_does_not_name() -> None:
    before = {"id": nic_id("web-nic"), "name": "web-nic"} | IN_GROUP
    configuration = {"name": "web-nic-ip", "subnet_id": subnet_id("spoke", "workload")}
    estate = hub_and_spoke()
    for row in estate:
        if row["name"] == "web-nic":
            configuration["name"] = row["properties"]["ipConfigurations"][0]["name"]
    after = before | {"ip_configuration": [configuration]}
    found = outcome(estate, planned(entry("azurerm_network_interface", "nic", after, before=before)))
    assert told(found["web"]) == ("Reachable", []), "its address stays"


def test_a_route_table_a_bastion_and_a_peering_that_goes_are_seen() -> None:
    route = {
        "name": "all",
        "address_prefix": "10.0.1.0/26",
        "next_hop_type": "VirtualAppliance",
        "next_hop_in_ip_address": "10.0.9.4",
    }
    table = entry(
        "azurerm_route_table", "t", IN_GROUP | {"name": "t", "route": [route], "bgp_route_propagation_enabled": True}
    )
    attached = entry(
        "azurerm_subnet_route_table_association",
        "t",
        {"subnet_id": subnet_id("spoke", "workload"), "route_table_id": route_table_id("t")},
    )
    assert told(outcome(hub_and_spoke(), planned(table, attached))["web"]) == ("Unreachable", ["ReturnRouteDiverted"])
    downgraded = {"id": bastion_id("bas"), "name": "bas", "sku": "Standard", "tunneling_enabled": True} | IN_GROUP
    updated = entry("azurerm_bastion_host", "b", downgraded, before=downgraded)
    assert "NativeClient" in outcome(hub_and_spoke(), planned(updated))["web"].methods
    name = next(
        link["name"]
        for row in hub_and_spoke()
        if row["name"] == "spoke"
        for link in row["properties"]["virtualNetworkPeerings"]
    )
    gone = {"id": f"{vnet_id('spoke')}/virtualNetworkPeerings/{name}", "name": name}
    removed = planned(entry("azurerm_virtual_network_peering", "p", None, before=gone))
    assert told(outcome(hub_and_spoke(), removed)["web"]) == ("Unreachable", ["PeeringDisconnected"])


def test_azapi_brings_arms_own_body_as_an_object_and_as_text() -> None:
    body = {"properties": {"securityRules": [rule("deny-all", 110, "Deny")]}}
    estate = with_nsg(hub_and_spoke(), "nic", rule("allow", 150, "Allow"))
    for given in (body, json.dumps(body)):
        values = {
            "type": "Microsoft.Network/networkSecurityGroups@2024-05-01",
            "parent_id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}",
            "name": "guard",
            "body": given,
        }
        found = outcome(estate, planned(entry("azapi_resource", "g", values)))
        assert told(found["web"]) == ("Unreachable", ["NicNsgDenies"])


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (entry("azurerm_resource_group", "g", {"name": "g"}), "Reachable"),
        (entry("azurerm_storage_account", "g", {"name": "g"}), "Reachable"),
        (entry("random_pet", "g", {"id": "x"}), "Reachable"),
        (entry("azurerm_firewall", "f", {"name": "f"}, unknown={"ip_configuration": True}), "Unknown"),
        (entry("azurerm_firewall", "f", {"x": [{"subnet_id": subnet_id("spoke", "AzureFirewallSubnet")}]}), "Unknown"),
        (
            entry("azurerm_firewall", "f", {"x": [{"subnet_id": subnet_id("elsewhere", "AzureFirewallSubnet")}]}),
            "Reachable",
        ),
        (
            entry(
                "azurerm_resource_group_policy_assignment", "p", {"resource_group_id": f"/subscriptions/{SUBSCRIPTION}"}
            ),
            "Unknown",
        ),
        (entry("azurerm_network_interface", "n", IN_GROUP | {"name": "web-nic", "ip_configuration": [{}]}), "Unknown"),
        (entry("azurerm_network_interface", "n", IN_GROUP | {"name": "other", "ip_configuration": [{}]}), "Reachable"),
        (entry("azurerm_firewall", "f", {"name": "f"}, actions=["no-op"]), "Reachable"),
    ],
)
def test_what_is_not_understood_is_listed_and_makes_unknown_what_may_hang_on_it(change: Json, verdict: str) -> None:
    content = planned(change)
    found = outcome(hub_and_spoke(), content)["web"]
    assert found.verdict.value == verdict
    plan = read(content)
    assert [each.name for each in plan.not_considered] == (
        [] if change["type"].startswith("random") or change["change"]["actions"] == ["no-op"] else [change["address"]]
    )
    if verdict == "Unknown":
        assert change["address"] in found.reasons[0].message
        assert found.methods == ()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"half {", "is no JSON"),
        (b"[]", "is no plan of Terraform's"),
        (b'{"version": 4, "resources": []}', "is no plan of Terraform's"),
        (b'{"format_version": "1.0", "values": {}}', "is a state of Terraform's"),
        (b'{"format_version": "1.0", "resource_changes": ["x"]}', "entry 1 of resource_changes: it is a text"),
        (b'{"format_version": "1.0", "resource_changes": {}}', "field resource_changes: it is an object"),
    ],
)
def test_what_is_no_plan_is_refused_with_how_to_write_one(content: bytes, what: str) -> None:
    with pytest.raises(PlanFileError, match=what) as caught:
        read(content)
    assert "terraform show -json" in caught.value.remedy


def test_the_subscription_is_told_by_the_provider_a_variable_or_the_ids_and_asked_for_otherwise() -> None:
    made = entry("azurerm_route_table", "t", IN_GROUP | {"name": "t"})
    plan = json.loads(planned(made))
    provider = plan["configuration"]["provider_config"]["azurerm"]["expressions"]
    provider["subscription_id"] = refers("var.sub")
    plan["variables"] = {"sub": {"value": "0a"}}
    assert "/subscriptions/0a/" in read(json.dumps(plan).encode()).changes[0].resource_id
    del provider["subscription_id"]
    with pytest.raises(PlanFileError, match="names none"):
        read(json.dumps(plan).encode())
    assert (
        read_terraform_plan("p", json.dumps(plan).encode(), "0b")
        .changes[0]
        .resource_id.startswith("/subscriptions/0b/")
    )
    plan["prior_state"] = {"x": vnet_id("hub")}
    assert read(json.dumps(plan).encode()).changes[0].resource_id == route_table_id("t")


@pytest.mark.parametrize(
    ("unknown", "expressions", "verdict"),
    [
        (
            {"source_address_prefix": True},
            {"source_address_prefix": refers("azurerm_public_ip.p.ip_address")},
            "Unknown",
        ),
        ({"destination_port_ranges": [True]}, {"destination_port_ranges": refers("var.ports")}, "Unknown"),
        ({"source_address_prefix": True}, {}, "Reachable"),
        ({"tags": {"x": True}}, {"tags": refers("var.x")}, "Reachable"),
        ({"source_address_prefixes": []}, {"source_address_prefixes": refers("var.x")}, "Reachable"),
    ],
)
def test_an_argument_that_is_written_and_not_told_yet_is_never_passed_over(
    unknown: Json, expressions: Json, verdict: str
) -> None:
    estate = with_nsg(hub_and_spoke(), "nic", rule("allow", 150, "Allow"))
    values = DENY | {
        "resource_group_name": GROUP,
        "network_security_group_name": "guard",
        "priority": 110,
        "access": "Allow",
    }
    content = planned(
        entry("azurerm_network_security_rule", "r", values, unknown=unknown),
        refers={"azurerm_network_security_rule.r": expressions},
    )
    found = outcome(estate, content)["web"]
    assert found.verdict.value == verdict
    if verdict == "Unknown":
        assert f"its {next(iter(unknown))} is known only after apply" in found.reasons[0].message


def test_a_block_that_is_written_and_not_told_yet_is_never_passed_over() -> None:
    group = entry(
        "azurerm_network_security_group",
        "g",
        IN_GROUP | {"name": "guard", "security_rule": [DENY | {"source_address_prefix": None}]},
        unknown={"security_rule": [{"source_address_prefix": True, "source_address_prefixes": []}], "id": True},
    )
    blocks = {"security_rule": [{"source_address_prefix": refers("azurerm_public_ip.p.ip_address")}]}
    content = planned(group, refers={"azurerm_network_security_group.g": blocks})
    [left_out] = read(content).not_considered
    assert left_out.why == "because its source_address_prefix is known only after apply"
    assert left_out.about == (nsg_id("guard"),)


def test_each_provider_has_its_own_subscription() -> None:
    made = [entry("azurerm_route_table", name, IN_GROUP | {"name": name}) for name in ("hub", "spoke", "lost")]
    plan = json.loads(planned(*made))
    providers = plan["configuration"]["provider_config"]
    providers["azurerm.spokes"] = {"expressions": {"subscription_id": {"constant_value": "0b"}}}
    providers["azurerm.unclear"] = {"expressions": {"subscription_id": refers("local.somewhere")}}
    plan["configuration"]["root_module"]["resources"] = [
        {"address": f"azurerm_route_table.{name}", "provider_config_key": key}
        for name, key in (("hub", "azurerm"), ("spoke", "azurerm.spokes"), ("lost", "azurerm.unclear"))
    ]
    found = read(json.dumps(plan).encode())
    assert [each.resource_id.split("/")[2] for each in found.changes] == [SUBSCRIPTION, "0b"]
    [lost] = found.not_considered
    assert (lost.name, lost.anything) == ("azurerm_route_table.lost", True)
    assert "its subscription is not told" in lost.why


def test_a_plan_whose_values_have_odd_shapes_is_read_without_an_error() -> None:
    kinds = Path(__file__).parents[3] / "operator" / "bastion_operator" / "network" / "foreseen" / "terraform_types.py"
    names = {line.split('"')[1] for line in kinds.read_text().splitlines() if line.strip().startswith('"azurerm_')}
    for kind in sorted(names):
        for values in (
            {},
            {"name": 5},
            {"name": "x", "resource_group_name": "g", "ip_configuration": "odd", "route": [None]},
        ):
            plan = read(planned(entry(kind, "odd", values)))
            apply_plan(Inventory.from_rows(hub_and_spoke()), plan)
