"""A VM that the inventory leaves out is not gone: a rule keeps its address until Azure itself has said so."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import AddressSet
from bastion_operator.network.reachability import judge_all
from bastion_operator.planning.bastion_host import plan_with_targets
from bastion_operator.planning.model import Change, Observed, Plan, Verb
from bastion_operator.planning.rule_evidence import find_evidence
from bastion_operator.planning.rule_mark import RuleMark
from bastion_operator.planning.target_rules import find_target_rules
from tests.support.estates import (
    Row,
    bastion,
    nic,
    nic_id,
    nsg,
    nsg_id,
    peering,
    public_ip,
    resource_id,
    row,
    rule,
    scale_set,
    subnet,
    subnet_id,
    vm,
    vm_id,
    vnet,
    vnet_id,
)
from tests.support.plans import HOST, OWNER, bastion_input, claim, marked

PREFIX = "10.0.0.0/26"
MARK = RuleMark(OWNER, HOST)
ENFORCE = {"subnet": "Off", "targets": "Enforce", "overrideDenies": True}
RULE = f"{nsg_id('outer')}/securityRules/{MARK.name('tcp-22')}"
GONE = ("a", "b")


def azure() -> dict[str, Row]:
    """A host, two VMs behind a group that would deny it but for the operator's rule, with Azure's own references."""
    own = rule(MARK.name("tcp-22"), 4000, "Allow", source=PREFIX, destination=["10.0.1.4/31"], ports="22")
    own["properties"]["description"] = MARK.description("sessions from Bastion bas")
    used = [{"id": f"{nic_id(f'{name}-nic')}/ipConfigurations/ipconfig1".upper()} for name in GONE]
    work = subnet("work", "10.0.1.0/24", nsg="outer")
    work["properties"]["ipConfigurations"] = used
    group = nsg("outer", own, rule("closed", 4096, "Deny"))
    group["properties"]["subnets"] = [{"id": subnet_id("hub", "work")}]
    rows = [
        vnet("hub", "10.0.0.0/16", subnets=[subnet("AzureBastionSubnet", PREFIX), work]),
        marked(bastion("bas", "hub", sku="Standard")),
        marked(public_ip("bas-ip")),
        group,
    ]
    for name, address in zip(GONE, ("10.0.1.4", "10.0.1.5"), strict=True):
        interface = nic(f"{name}-nic", "hub", "work", address)
        interface["properties"]["virtualMachine"] = {"id": vm_id(name)}
        rows += [interface, vm(name)]
    return {row["id"].lower(): row for row in rows}


def plan_of(shown: dict[str, Row], read: Mapping[str, Row | None], **spec: Any) -> Plan:
    """The plan by an inventory of what is shown, with what GETs said besides."""
    claims = (claim(RULE, purpose="TargetRule"),)
    asked = bastion_input(claims=claims, networkSecurity=ENFORCE | spec.pop("networkSecurity", {}), **spec)
    inventory = Inventory.from_rows(shown.values())
    rules = find_target_rules(inventory, asked.spec, MARK, judge_all(inventory, bastion_ids=[HOST]))
    observed = Observed(read, source=shown.get)
    return plan_with_targets(replace(asked, observed=observed), rules)


def rule_changes(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if "/securityRules/" in change.resource_id]


def test_with_everything_shown_the_rule_stands_as_it_is() -> None:
    assert not rule_changes(plan_of(azure(), {}))


LEFT_OUT = [(vm_id("a"),), (nic_id("a-nic"), vm_id("a")), (nic_id("a-nic"),)]


@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_what_is_not_shown_is_asked_for_before_a_rule_loses_its_address(left_out: tuple[str, ...]) -> None:
    shown = {key: row for key, row in azure().items() if key not in {each.lower() for each in left_out}}
    (change,) = rule_changes(plan_of(shown, {}))
    assert (change.verb, change.resource_id) == (Verb.UPDATE, RULE)
    assert [each.field for each in change.differences] == ["destinationAddressPrefix"]
    reads = {each.lower() for each in change.reads}
    assert {nsg_id("outer").lower(), vnet_id("hub").lower(), left_out[0].lower()} <= reads


@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_what_is_there_by_a_get_keeps_its_address_and_what_is_gone_loses_it(left_out: tuple[str, ...]) -> None:
    whole = azure()
    shown = {key: row for key, row in whole.items() if key not in {each.lower() for each in left_out}}
    there = {each: whole[each.lower()] for each in left_out}
    assert not rule_changes(plan_of(shown, there))
    (change,) = rule_changes(plan_of(shown, dict.fromkeys(left_out)))
    assert (change.body or {})["properties"]["destinationAddressPrefix"] == "10.0.1.5"


SET = resource_id("Microsoft.Compute/virtualMachineScaleSets", "many")
INSTANCE = f"{SET}/virtualMachines/0"
INSTANCE_NIC = f"{INSTANCE}/networkInterfaces/nic"


def azure_with_an_instance() -> dict[str, Row]:
    """The same, and an instance of a uniform scale set at an address that the rule lets in as well."""
    rows = azure()
    hub, group = rows[vnet_id("hub").lower()], rows[nsg_id("outer").lower()]
    used = hub["properties"]["subnets"][1]["properties"]["ipConfigurations"]
    used.append({"id": f"{INSTANCE_NIC}/ipConfigurations/ip"})
    group["properties"]["securityRules"][0]["properties"]["destinationAddressPrefixes"].append("10.0.1.6")
    placed = {"primary": True, "subnet": {"id": subnet_id("hub", "work")}, "privateIPAddress": "10.0.1.6"}
    held = {"primary": True, "ipConfigurations": [{"name": "ip", "properties": placed}]}
    more = [*scale_set("many", "hub", "work"), row(INSTANCE_NIC, held)]
    return rows | {each["id"].lower(): each for each in more}


@pytest.mark.parametrize("left_out", [(INSTANCE,), (INSTANCE_NIC, INSTANCE), (INSTANCE_NIC,), (INSTANCE_NIC, SET)])
def test_an_instance_of_a_scale_set_is_asked_for_by_its_own_paths(left_out: tuple[str, ...]) -> None:
    whole = azure_with_an_instance()
    assert not rule_changes(plan_of(whole, {}))
    shown = {key: row for key, row in whole.items() if key not in {each.lower() for each in left_out}}
    (change,) = rule_changes(plan_of(shown, {}))
    assert {left_out[0].lower()} == {each for each in change.reads if "/virtualmachinescalesets/" in each}
    there = {each: whole[each.lower()] for each in left_out}
    assert not rule_changes(plan_of(shown, there))
    (gone,) = rule_changes(plan_of(shown, dict.fromkeys(left_out)))
    assert (gone.body or {})["properties"]["destinationAddressPrefix"] == "10.0.1.4/31"


def test_the_last_vm_takes_the_rule_with_it_only_once_it_is_gone() -> None:
    whole = azure()
    left_out = [each for name in GONE for each in (nic_id(f"{name}-nic"), vm_id(name))]
    shown = {key: row for key, row in whole.items() if key not in {each.lower() for each in left_out}}
    held = plan_of(shown, {left_out[0]: whole[left_out[0].lower()]})
    assert (rule_changes(held), held.going) == ([], ())
    gone = plan_of(shown, dict.fromkeys(left_out))
    (change,) = rule_changes(gone)
    assert (change.verb, gone.going) == (Verb.DELETE, (RULE,))


def test_a_network_that_names_further_nics_when_it_is_read_is_believed() -> None:
    whole = azure()
    stale = copy.deepcopy(whole)
    del stale[vnet_id("hub").lower()]["properties"]["subnets"][1]["properties"]["ipConfigurations"]
    shown = {key: row for key, row in stale.items() if key not in {nic_id("a-nic").lower(), vm_id("a").lower()}}
    read = {vnet_id("hub"): whole[vnet_id("hub").lower()]}
    (change,) = rule_changes(plan_of(shown, read))
    assert nic_id("a-nic").lower() in {each.lower() for each in change.reads}


@pytest.mark.parametrize("left_out", [nsg_id("outer"), vnet_id("hub")])
def test_a_group_or_network_that_is_not_shown_changes_no_rule(left_out: str) -> None:
    whole = azure()
    shown = {key: row for key, row in whole.items() if key != left_out.lower()}
    assert not rule_changes(plan_of(shown, {left_out: whole[left_out.lower()]}))


def test_a_vm_whose_network_is_not_shown_is_no_vm_that_needs_no_rule() -> None:
    whole = azure()
    far = vnet_id("spoke")
    hub = whole[vnet_id("hub").lower()]
    work = hub["properties"]["subnets"].pop()
    work["id"] = subnet_id("spoke", "work")
    whole[far.lower()] = vnet("spoke", "10.0.1.0/24", subnets=[work], peerings=[peering("hub", space=["10.0.0.0/24"])])
    hub["properties"] |= vnet("hub", "10.0.0.0/24", peerings=[peering("spoke", space=["10.0.1.0/24"])])[
        "properties"
    ] | {"subnets": hub["properties"]["subnets"]}
    whole[nsg_id("outer").lower()]["properties"]["subnets"] = [{"id": subnet_id("spoke", "work")}]
    for name in GONE:
        configuration = whole[nic_id(f"{name}-nic").lower()]["properties"]["ipConfigurations"][0]
        configuration["properties"]["subnet"] = {"id": subnet_id("spoke", "work")}
    assert not rule_changes(plan_of(whole, {})), "the rule is needed"
    shown = {key: row for key, row in whole.items() if key != far.lower()}
    assert not rule_changes(plan_of(shown, {}))
    assert not rule_changes(plan_of(shown, {far: whole[far.lower()]}))


def test_what_the_spec_asks_for_no_more_goes_by_what_is_shown() -> None:
    plan = plan_of(azure(), {}, targets={"selectors": {"tags": {"role": "none"}}})
    assert [change.verb for change in rule_changes(plan)] == [Verb.DELETE]


def test_audit_tells_of_no_removal_that_would_have_to_be_looked_into_first() -> None:
    shown = {key: row for key, row in azure().items() if key != vm_id("a").lower()}
    plan = plan_of(shown, {}, networkSecurity={"targets": "Audit"})
    assert not plan.audited
    gone = plan_of(azure(), {}, networkSecurity={"targets": "Audit"}, targets={"selectors": {"tags": {"role": "none"}}})
    assert not gone.changes


def test_an_inventory_that_lacks_very_much_takes_nothing_away() -> None:
    group = nsg("outer")
    group["properties"]["networkInterfaces"] = [{"id": nic_id(f"lost-{number}")} for number in range(40)]
    shown = Inventory.from_rows([group])
    assert find_evidence(group, AddressSet.of("10.0.1.4"), shown, Observed({})).held
    group["properties"]["networkInterfaces"] = group["properties"]["networkInterfaces"][:3]
    assert len(find_evidence(group, AddressSet.of("10.0.1.4"), shown, Observed({})).reads) == 3
