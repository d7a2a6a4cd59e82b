"""Fixes of several reasons: each is worked out from what the earlier ones leave, and together they leave none."""

from typing import Any

import pytest

from bastion_operator.network.finding import Action, Fix
from bastion_operator.network.fixes import apply_fix, az_commands, explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge, judge_all
from tests.support.estates import (
    Estate,
    add,
    admin_rule,
    bastion,
    bastion_id,
    change,
    drop,
    gateway,
    hub,
    hub_and_spoke,
    hub_connection,
    jit_policy,
    nsg_id,
    public_ip,
    ref,
    rule,
    same_vnet,
    security_admin,
    site,
    subnet,
    subnet_id,
    vm_id,
    with_nsg,
)
from tests.unit.network.asking import LINK, ask, codes
from tests.unit.network.random_estates import random_estate

LOWER, UPPER = "10.0.1.0/27", "10.0.1.32/27"
ELSEWHERE = frozenset({"BastionNotFound", "SubnetMissing", "NoIPv4Address", "CrossTenantPeering", "NotPeered"})
"""Reasons whose fix, as an upgrade from Developer, lets later steps speak for the first time: nobody was told of what these say."""


def explained(estate: Estate, **asked: Any) -> Verdict:
    inventory = Inventory.from_rows(estate)
    return explain(judge(inventory, vm_id("web"), **asked), inventory)


def fixes_of(verdict: Verdict) -> list[Fix]:
    """The fixes in the order of the reasons; one that mends several is made once."""
    found: list[Fix] = []
    for reason in verdict.reasons:
        if reason.fix is not None and reason.fix not in found:
            found.append(reason.fix)
    return found


def mended(estate: Estate, **asked: Any) -> Estate:
    for fix in fixes_of(explained(estate, **asked)):
        estate = apply_fix(estate, fix)
    return estate


def developer(estate: Estate) -> Estate:
    return add(drop(estate, "bas", "bas-ip"), bastion("bas", "hub", sku="Developer"))


def over_wan(sku: str) -> Estate:
    """A Bastion in one spoke of a virtual WAN, the VM in another."""
    estate = hub_and_spoke(sku=sku)
    for network in ("hub", "spoke"):
        estate = change(estate, network, "properties.virtualNetworkPeerings", [])
    return add(estate, hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke"))


def test_a_host_that_lacks_two_things_is_upgraded_once_and_never_back() -> None:
    estate = developer(hub_and_spoke())
    protocol, peering = explained(estate, protocol="RDP").reasons
    assert (protocol.code, peering.code) == ("ProtocolNotSupportedBySku", "DeveloperNoPeering")
    assert protocol.fix is not None
    assert protocol.fix == peering.fix
    assert protocol.fix.summary == "upgrade Bastion bas to Standard"
    assert ask(mended(estate, protocol="RDP"), protocol="RDP").verdict == "Reachable"


def test_after_an_upgrade_from_developer_the_rule_is_for_the_prefix_of_the_new_subnet() -> None:
    estate = with_nsg(developer(hub_and_spoke()), "nic", rule("no", 200, "Deny"))
    reasons = explained(estate).reasons
    assert [reason.code for reason in reasons] == ["DeveloperNoPeering", "NicNsgDenies"]
    assert reasons[1].fix is not None
    assert reasons[1].fix.changes[-1].to_value["properties"]["sourceAddressPrefix"] == "10.0.1.0/26"
    assert codes(mended(estate)) == []


def test_an_upgrade_takes_ip_connect_along_where_that_is_the_only_path() -> None:
    estate = over_wan("Basic")
    protocol, path = explained(estate, protocol="RDP").reasons
    assert (protocol.code, path.code) == ("ProtocolNotSupportedBySku", "IpConnectSkuTooLow")
    assert protocol.fix is not None
    assert protocol.fix == path.fix
    assert ask(mended(estate, protocol="RDP"), protocol="RDP").verdict == "Reachable"


def test_a_subnet_whose_name_differs_in_case_gives_way_to_that_of_the_upgraded_host() -> None:
    estate = developer(hub_and_spoke())
    estate = change(estate, "hub", "properties.subnets.0.name", "azurebastionsubnet")
    estate = change(estate, "hub", "properties.subnets.0.id", subnet_id("hub", "azurebastionsubnet"))
    subnets = next(row for row in mended(estate) if row["name"] == "hub")["properties"]["subnets"]
    assert sorted(one["name"] for one in subnets) == ["AzureBastionSubnet", "workload"]


def test_what_an_earlier_fix_moved_back_is_stepped_in_front_of_where_it_is_then() -> None:
    no_ssh = rule("no-ssh", 101, "Deny", ports="22", direction="Outbound")
    estate = with_nsg(hub_and_spoke(), "bastion", no_ssh, rule("none", 102, "Deny", direction="Outbound"))
    reasons = explained(estate).reasons
    assert {"BastionNsgRuleShadowed", "BastionNsgDenies"} == {reason.code for reason in reasons}
    assert all(reason.fix is not None for reason in reasons)
    assert codes(mended(estate)) == []


def test_a_name_that_something_far_away_has_is_not_taken_by_a_later_fix() -> None:
    estate = change(same_vnet(), "bas", "properties.ipConfigurations.0.properties.publicIPAddress", value=None)
    estate = with_nsg(estate, "bastion", rule("no", 119, "Deny", source="Internet", ports="443"))
    denied, *_, lacking = explained(estate).reasons
    assert (denied.code, lacking.code) == ("BastionNsgRuleShadowed", "PublicIPInvalid")
    assert lacking.fix is not None
    made = [one.resource.rsplit("/", 1)[-1] for one in lacking.fix.changes if one.action is Action.CREATE]
    assert made == ["bas-ip-2", "bas"]


def test_what_was_asked_is_mended_by_asking_otherwise_whatever_else_is() -> None:
    estate = change(same_vnet(), "bas", "properties.provisioningState", "Failed")
    failed, other = explained(estate, address="10.0.2.77").reasons
    assert (failed.code, other.code) == ("BastionStateFailed", "NotPrimaryNic")
    assert other.fix is not None
    assert [one.action for one in other.fix.changes] == [Action.ASK]


def test_a_fix_that_turns_one_reason_into_another_of_which_there_is_one_already_is_not_told() -> None:
    estate = with_nsg(same_vnet(), "bastion", rule("tag", 300, "Deny", source="NobodyKnows"), bare=True)
    assert {"BastionNsgMissingRule", "UnknownServiceTag"} <= set(codes(estate))
    assert codes(mended(estate)) == []


def test_a_fix_is_of_the_bastion_asked_about_not_of_another_that_reaches_the_vm_anyway() -> None:
    rules = [rule("no", 125, "Deny", source="AzureLoadBalancer", ports="443")]
    estate = with_nsg(hub_and_spoke(), "bastion", *rules)
    own = {"id": subnet_id("spoke", "AzureBastionSubnet")} | subnet("AzureBastionSubnet", "10.1.9.0/26")
    next(row for row in estate if row["name"] == "spoke")["properties"]["subnets"].append(own)
    estate = add(estate, bastion("near", "spoke"), public_ip("near-ip"))
    [reason] = explained(estate, bastion_ids=[bastion_id("bas")]).reasons
    assert reason.fix is not None
    assert ask(apply_fix(estate, reason.fix), bastion_ids=[bastion_id("bas")]).verdict == "Reachable"


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ({"peeringState": "Initiated"}, {"allowVirtualNetworkAccess": False}),
        ({"remoteAddressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}, {"allowVirtualNetworkAccess": False}),
        (
            {"peeringState": "Disconnected"},
            {"peerCompleteVnets": False, "localSubnetNames": ["other"], "remoteSubnetNames": ["other"]},
        ),
        (None, {"allowVirtualNetworkAccess": False}),
    ],
    ids=["one-sided and closed", "out of sync and closed", "cut off and other subnets", "missing half and closed"],
)
def test_what_a_broken_peering_hides_is_mended_with_it(near: dict[str, Any] | None, far: dict[str, Any]) -> None:
    estate = hub_and_spoke()
    for name, fields in (("hub", near), ("spoke", far)):
        for field, value in (fields or {}).items():
            estate = change(estate, name, f"{LINK}.{field}", value)
    if near is None:
        estate = change(estate, "hub", "properties.virtualNetworkPeerings", [])
    [reason] = explained(estate).reasons
    assert reason.fix is not None
    assert codes(apply_fix(estate, reason.fix)) == []


def test_access_is_asked_for_from_every_prefix_of_the_bastion_subnet() -> None:
    estate = change(
        same_vnet(), "hub", "properties.subnets.0.properties.addressPrefixes", ["10.0.1.0/26", "10.0.5.0/26"]
    )
    [warning] = [one for one in explained(add(estate, jit_policy("web"))).warnings if one.code == "JitMayBlock"]
    assert warning.fix is not None
    [command] = az_commands(warning.fix)
    assert '"allowedSourceAddressPrefixes":["10.0.1.0/26","10.0.5.0/26"]' in command


def test_access_is_not_asked_for_from_a_host_whose_prefix_is_not_known() -> None:
    estate = change(same_vnet(), "hub", "properties.addressSpace.addressPrefixes", ["10.0.2.0/24"])
    estate = change(estate, "hub", "properties.subnets.0", subnet("rest", "10.0.2.0/24"))
    estate = add(estate, jit_policy("web"))
    assert [one.fix for one in explained(estate).warnings if one.code == "JitMayBlock"] == [None]


def test_two_warnings_of_one_group_take_two_priorities() -> None:
    estate = with_nsg(same_vnet(), "bastion", rule("all", 4000, "Allow", source="10.0.0.0/8"), bare=True)
    rules = [
        one.fix.changes[-1].to_value["properties"]
        for one in explained(estate).warnings
        if one.code == "BastionNsgRowNotExplicit" and one.fix is not None
    ]
    places = [(held["direction"], held["priority"]) for held in rules]
    assert len(places) > 1
    assert len(places) == len(set(places))


def test_a_warning_that_a_reasons_fix_takes_away_has_that_fix() -> None:
    denies = rule("MicrosoftDefenderForCloud-JITRule_1", 4096, "Deny", ports=["22", "3389"])
    told = explained(add(with_nsg(hub_and_spoke(), "nic", denies), jit_policy("web")))
    [warning] = [one for one in told.warnings if one.code == "JitMayBlock"]
    assert warning.fix is not None
    assert warning.fix == told.reasons[0].fix


def test_a_warning_is_mended_even_where_that_asks_for_the_reasons_fixes_anew() -> None:
    estate = change(same_vnet(), "hub", "properties.subnets.0.properties.addressPrefix", "10.0.1.0/27")
    estate = with_nsg(estate, "nic", rule("no", 100, "Deny"))
    [warning] = [one for one in explained(estate).warnings if one.code == "SubnetTooSmall"]
    assert warning.fix is not None


def test_the_data_is_read_again_where_it_is_there_and_leaves_the_answer_open() -> None:
    estate = change(same_vnet(), "web", "properties.extended", {})
    [reason] = explained(estate).reasons
    assert reason.fix is not None
    assert reason.fix.summary == f"read {vm_id('web')} again: what the data has of it leaves this open"


def test_a_private_only_host_keeps_to_the_internet_where_a_learned_default_leaves_it_open() -> None:
    estate = same_vnet(sku="Premium", enablePrivateOnlyBastion=True)
    estate = add(drop(estate, "bas-ip"), gateway("vpn", "hub"), *site("hq", "vpn", "0.0.0.0/0"))
    [reason] = explained(estate).reasons
    assert reason.code == "EffectiveDataUnavailable"
    assert codes(mended(estate)) == []


@pytest.mark.parametrize("seed", range(740, 770))
def test_the_fixes_of_a_verdict_leave_none_of_its_reasons(seed: int) -> None:
    rows = random_estate(seed)
    inventory = Inventory.from_rows(rows)
    for verdict in judge_all(inventory):
        told = explain(verdict, inventory)
        reasons = {reason.code for reason in told.reasons}
        fixed = all(reason.fix is not None for reason in told.reasons)
        changes = [one for fix in fixes_of(told) for one in fix.changes]
        untried = {one.action for one in changes} & {Action.READ, Action.ASK}
        if not fixed or reasons & ELSEWHERE or untried or any(one.from_value == "Developer" for one in changes):
            continue
        after = rows
        for fix in fixes_of(told):
            after = apply_fix(after, fix)
        assert not judge(Inventory.from_rows(after), verdict.vm, protocol=verdict.protocol, port=verdict.port).reasons


@pytest.mark.parametrize(("first", "place"), [(50, 49), (1, 1)], ids=["free in front", "moved back"])
def test_the_administrators_allow_stands_in_front_of_all_that_deny(first: int, place: int) -> None:
    denies = admin_rule("d", 100, "Deny", source=LOWER), admin_rule("c", first, "Deny", source=UPPER)
    estate = add(hub_and_spoke(), *security_admin("spoke", *denies))
    [reason] = explained(estate).reasons
    assert reason.fix is not None
    assert reason.fix.changes[-1].to_value["properties"]["priority"] == place
    assert codes(apply_fix(estate, reason.fix)) == []


def test_the_administrators_allow_stands_in_front_of_the_one_that_denies_where_that_is_enough() -> None:
    denies = admin_rule("d", 100, "Deny"), admin_rule("c", 50, "Deny", source="10.9.0.0/16")
    [reason] = explained(add(hub_and_spoke(), *security_admin("spoke", *denies))).reasons
    assert reason.fix is not None
    assert reason.fix.changes[-1].to_value["properties"]["priority"] == 99


def on_both(*rules: dict[str, object]) -> Estate:
    """One group on the VM's subnet and on its NIC."""
    estate = with_nsg(hub_and_spoke(), "subnet", *rules)
    return change(estate, "web-nic", "properties.networkSecurityGroup", ref(nsg_id("guard").upper()))


def test_one_rule_is_enough_for_a_group_that_is_asked_twice() -> None:
    estate = on_both(rule("no", 4000, "Deny"))
    subnet, nic = explained(estate).reasons
    assert (subnet.code, nic.code) == ("SubnetNsgDenies", "NicNsgDenies")
    assert subnet.fix is not None
    assert subnet.fix == nic.fix
    assert [one.action for one in subnet.fix.changes] == [Action.ADD]
    assert codes(apply_fix(estate, subnet.fix)) == []


def test_two_groups_need_a_rule_each() -> None:
    estate = with_nsg(with_nsg(hub_and_spoke(), "subnet", rule("no", 4000, "Deny")), "nic", rule("no", 4000, "Deny"))
    own = next(row for row in reversed(estate) if row["id"] == nsg_id("guard")) | {"id": nsg_id("own"), "name": "own"}
    estate = add(change(estate, "web-nic", "properties.networkSecurityGroup", ref(nsg_id("own"))), own)
    subnet, nic = explained(estate).reasons
    assert subnet.fix is not None
    assert nic.fix is not None
    assert subnet.fix != nic.fix
