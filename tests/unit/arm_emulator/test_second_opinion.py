"""The second opinion on Bastion's flow, by hand-made cases: one rule of Azure's each."""

from typing import Any

import pytest

from arm_emulator.evaluation.opinion.facts import Facts
from arm_emulator.evaluation.opinion.flow import Reason
from arm_emulator.evaluation.opinion.judgement import Asked, Opinion
from tests.support import estates
from tests.support.estates import (
    admin_rule,
    asg_id,
    bastion_id,
    change,
    hub_and_spoke,
    nsg_id,
    peering,
    route,
    route_table_id,
    rule,
    same_vnet,
    security_admin,
    vm_id,
    with_nsg,
    with_routes,
)

Rows = list[dict[str, Any]]
PREFIX = "10.0.1.0/26"
GUARD = nsg_id("guard")
OPEN = Reason("EffectiveDataUnavailable")


def found(estate: Rows, port: int = 22) -> list[Reason]:
    return list(Opinion(Facts(estate)).on(vm_id("web"), bastion_id("bas"), Asked("SSH", port)).reasons)


def codes(estate: Rows, port: int = 22) -> list[str]:
    return [reason.code for reason in found(estate, port)]


def deny(**fields: Any) -> dict[str, Any]:
    return rule("no", 200, "Deny", **fields)


def test_nothing_in_the_way_is_no_reason() -> None:
    assert found(same_vnet()) == []
    assert found(hub_and_spoke()) == []


def test_an_absent_group_allows_and_the_default_rules_let_the_network_in() -> None:
    assert found(with_nsg(same_vnet(), "subnet")) == []
    assert found(with_nsg(hub_and_spoke(), "nic")) == []


@pytest.mark.parametrize(
    ("where", "code"), [("subnet", "SubnetNsgDenies"), ("nic", "NicNsgDenies"), ("bastion", "BastionNsgDenies")]
)
def test_each_group_on_the_way_can_deny(where: str, code: str) -> None:
    direction = "Outbound" if where == "bastion" else "Inbound"
    assert found(with_nsg(same_vnet(), where, deny(direction=direction))) == [Reason(code, GUARD, "no", 200)]


def test_the_first_match_by_priority_decides() -> None:
    allow = rule("yes", 199, "Allow", source=PREFIX)
    assert found(with_nsg(same_vnet(), "subnet", deny(), allow)) == []
    assert found(with_nsg(same_vnet(), "subnet", rule("no", 198, "Deny"), allow)) == [
        Reason("SubnetNsgDenies", GUARD, "no", 198)
    ]


def test_the_last_default_rule_is_named_as_azure_names_it() -> None:
    estate = with_nsg(change(hub_and_spoke(), "spoke", "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess", value=False), "nic")  # fmt: skip
    assert found(estate) == [Reason("NicNsgDenies", GUARD, "DenyAllInBound", 65500)]


@pytest.mark.parametrize("protocol", ["Udp", "Icmp", "Esp", "Ah"])
def test_rules_of_other_protocols_do_not_count(protocol: str) -> None:
    assert found(with_nsg(same_vnet(), "nic", deny(protocol=protocol))) == []


@pytest.mark.parametrize(
    ("ports", "denied"),
    [("22", True), ("20-30", True), ("23-30", False), ("*", True), (["80", "22"], True), (["80", "443-500"], False), (["0-21", "23-65535"], False)],
)  # fmt: skip
def test_ports_are_single_ranges_lists_or_all(ports: str | list[str], denied: bool) -> None:
    assert bool(found(with_nsg(same_vnet(), "nic", deny(ports=ports)))) == denied


def test_addresses_in_the_plural_field_are_read() -> None:
    assert codes(with_nsg(same_vnet(), "nic", deny(source=["192.0.2.0/24", PREFIX]))) == ["NicNsgDenies"]


def test_some_addresses_blocked_is_a_code_of_its_own_with_that_group() -> None:
    blocked = found(with_nsg(same_vnet(), "subnet", deny(source="10.0.1.32/27")))
    assert blocked == [Reason("NsgPartiallyBlocksBastion", GUARD, "no", 200)]


def test_azures_five_reserved_addresses_are_nobodys() -> None:
    for reserved in ("10.0.1.0/30", "10.0.1.63/32"):
        assert found(with_nsg(same_vnet(), "subnet", deny(source=reserved))) == []
    assert codes(with_nsg(same_vnet(), "subnet", deny(source="10.0.1.4"))) == ["NsgPartiallyBlocksBastion"]


def test_the_rule_blamed_is_the_one_for_the_lowest_denied_address() -> None:
    high, low = rule("high", 100, "Deny", source="10.0.1.32/27"), rule("low", 300, "Deny", source="10.0.1.0/27")
    assert found(with_nsg(same_vnet(), "nic", high, low)) == [Reason("NicNsgDenies", GUARD, "low", 300)]


def test_a_rule_on_some_source_ports_is_never_an_allow_and_as_a_deny_only_partial() -> None:
    allow = rule("yes", 100, "Allow", source_ports="1024-65535")
    assert codes(with_nsg(same_vnet(), "nic", allow, deny())) == ["NicNsgDenies"]
    some = deny(source_ports="1024-65535")
    assert found(with_nsg(same_vnet(), "nic", some)) == [Reason("NsgPartiallyBlocksBastion", GUARD, "no", 200)]
    assert codes(with_nsg(same_vnet(), "nic", deny(source_ports="0-65535"))) == ["NicNsgDenies"]


# -- tags: what each side takes them to mean ---------------------------------------------------------------------


def test_virtual_network_is_the_own_space_and_that_of_peers() -> None:
    for estate in (same_vnet(), hub_and_spoke()):
        assert codes(with_nsg(estate, "nic", deny(source="VirtualNetwork"))) == ["NicNsgDenies"]


def test_virtual_network_leaves_out_a_peer_without_access_on_that_side_only() -> None:
    closed = "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess"
    denied = with_nsg(hub_and_spoke(), "nic", deny(source="VirtualNetwork"))
    closed_there = change(denied, "spoke", closed, value=False)
    assert found(closed_there) == [Reason("NicNsgDenies", GUARD, "DenyAllInBound", 65500)]
    closed_here = change(denied, "hub", closed, value=False)
    assert codes(closed_here) == ["PeeringAccessDisabled", "NicNsgDenies"]


def test_virtual_network_holds_the_prefixes_of_the_own_subnets_route_table() -> None:
    closed = change(hub_and_spoke(), "spoke", "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess", value=False)  # fmt: skip
    estate = with_nsg(with_routes(closed, "subnet", route("r", "10.0.0.0/15", "VirtualAppliance", "10.1.9.9")), "nic")
    assert codes(estate) == []


def test_a_default_route_to_an_appliance_makes_everything_virtual_network() -> None:
    closed = change(hub_and_spoke(), "spoke", "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess", value=False)  # fmt: skip
    appliance = with_routes(closed, "subnet", route("r", "0.0.0.0/0", "VirtualAppliance", "10.1.9.9"))
    assert codes(with_nsg(appliance, "nic")) == []


def test_a_default_route_elsewhere_is_judged_both_ways() -> None:
    closed = change(hub_and_spoke(), "spoke", "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess", value=False)  # fmt: skip
    elsewhere = with_routes(closed, "subnet", route("r", "0.0.0.0/0", "VirtualNetworkGateway"))
    assert found(with_nsg(elsewhere, "nic")) == [OPEN]
    assert codes(with_nsg(elsewhere, "nic", deny())) == ["NicNsgDenies"]
    sound = with_routes(hub_and_spoke(), "subnet", route("r", "0.0.0.0/0", "VirtualNetworkGateway"))
    assert codes(with_nsg(sound, "nic")) == []


@pytest.mark.parametrize("tag", ["Internet", "AzureCloud", "GatewayManager", "Storage.WestEurope", "AzureLoadBalancer"])
def test_no_other_tag_holds_a_private_bastion(tag: str) -> None:
    assert found(with_nsg(same_vnet(), "nic", deny(source=tag))) == []


def test_internet_is_what_is_neither_virtual_network_nor_reserved() -> None:
    public = change(hub_and_spoke(), "hub", "properties.addressSpace.addressPrefixes", value=["20.0.0.0/16"])
    public = change(public, "hub", "properties.subnets.0.properties.addressPrefix", value="20.0.1.0/26")
    link = "properties.virtualNetworkPeerings.0.properties"
    public = change(public, "spoke", f"{link}.remoteAddressSpace", value={"addressPrefixes": ["20.0.0.0/16"]})
    assert codes(with_nsg(public, "nic", deny(source="Internet"))) == []
    closed = change(public, "spoke", f"{link}.allowVirtualNetworkAccess", value=False)
    assert found(with_nsg(closed, "nic", deny(source="Internet"))) == [Reason("NicNsgDenies", GUARD, "no", 200)]


def test_an_address_of_ones_own_in_a_tag_that_nobody_knows_is_open() -> None:
    public = change(same_vnet(), "hub", "properties.addressSpace.addressPrefixes", value=["20.0.0.0/16", "10.0.2.0/24"])
    public = change(public, "hub", "properties.subnets.0.properties.addressPrefix", value="20.0.1.0/26")
    assert found(with_nsg(public, "nic", deny(source="Storage"))) == [OPEN]


# -- application security groups ---------------------------------------------------------------------------------


def test_a_destination_group_matches_the_targets_own_only() -> None:
    member = change(
        same_vnet(),
        "web-nic",
        "properties.ipConfigurations.0.properties.applicationSecurityGroups",
        value=[{"id": asg_id("web").upper()}],
    )
    for name, denied in (("web", True), ("other", False)):
        to_group = deny(destinationApplicationSecurityGroups=[{"id": asg_id(name)}])
        to_group["properties"].pop("destinationAddressPrefix")
        assert bool(found(with_nsg(member, "nic", to_group))) == denied


def test_a_source_group_never_matches_bastion() -> None:
    from_group = deny(sourceApplicationSecurityGroups=[{"id": asg_id("web")}])
    from_group["properties"].pop("sourceAddressPrefix")
    assert found(with_nsg(same_vnet(), "nic", from_group)) == []


# -- network managers --------------------------------------------------------------------------------------------


def governed(*rules: dict[str, Any], **configuration: Any) -> Rows:
    return [*hub_and_spoke(), *security_admin("spoke", *rules, **configuration)]


def test_an_admin_deny_comes_before_every_group() -> None:
    estate = with_nsg(governed(admin_rule("closed", 10, "Deny")), "nic", rule("yes", 100, "Allow"))
    assert [(one.code, one.rule, one.priority) for one in found(estate)] == [("SecurityAdminDenies", "closed", 10)]


def test_the_lower_admin_priority_wins() -> None:
    rules = (admin_rule("closed", 20, "Deny"), admin_rule("open", 10, "Allow"))
    assert codes(governed(*rules)) == []
    assert codes(with_nsg(governed(*rules), "nic", deny())) == ["NicNsgDenies"]


def test_always_allow_passes_the_groups_by() -> None:
    estate = governed(admin_rule("open", 10, "AlwaysAllow", source=PREFIX))
    assert codes(with_nsg(with_nsg(estate, "nic", deny()), "subnet", deny())) == []


def test_admin_rules_of_other_ports_say_nothing() -> None:
    assert codes(governed(admin_rule("closed", 10, "Deny", ports=["3389"]))) == []


def test_allow_rules_only_leaves_denys_out_where_a_managed_instance_stands_and_nowhere_else() -> None:
    only = {"applyOnNetworkIntentPolicyBasedServices": ["AllowRulesOnly"]}
    estate = governed(admin_rule("closed", 10, "Deny"), **only)
    assert codes(estate) == ["SecurityAdminDenies"]
    service = [{"name": "d", "properties": {"serviceName": "Microsoft.Sql/managedInstances"}}]
    assert codes(change(estate, "spoke", "properties.subnets.0.properties.delegations", service)) == []


# -- the way back ------------------------------------------------------------------------------------------------


def diverted(estate: Rows, *routes: dict[str, Any]) -> list[Reason]:
    return found(with_routes(estate, "subnet", *routes))


def reply(name: str) -> Reason:
    return Reason("ReturnRouteDiverted", route_table_id("routes"), name)


def test_a_default_route_does_not_divert_a_network_or_a_peer() -> None:
    for estate in (same_vnet(), hub_and_spoke()):
        assert diverted(estate, route("r", "0.0.0.0/0", "VirtualAppliance", "10.0.9.9")) == []


def test_a_user_route_as_long_as_the_peerings_diverts_and_a_shorter_one_does_not() -> None:
    assert diverted(hub_and_spoke(), route("r", "10.0.0.0/16", "VirtualAppliance", "10.1.9.9")) == [reply("r")]
    assert diverted(hub_and_spoke(), route("r", "10.0.0.0/15", "VirtualAppliance", "10.1.9.9")) == []


def test_a_longer_user_route_diverts_even_a_part_of_the_prefix() -> None:
    assert diverted(same_vnet(), route("r", "10.0.1.32/27", "VirtualAppliance", "10.0.9.9")) == [reply("r")]


def test_vnet_local_is_good_and_none_diverts() -> None:
    assert diverted(hub_and_spoke(), route("r", "10.0.0.0/16", "VnetLocal")) == []
    assert diverted(hub_and_spoke(), route("r", PREFIX, "None")) == [reply("r")]


def test_a_route_of_ones_own_network_mends_what_a_wider_one_diverts() -> None:
    wide = route("wide", "10.0.0.0/16", "VirtualAppliance", "10.0.9.9")
    assert diverted(same_vnet(), wide, route("near", PREFIX, "VnetLocal")) == []


# -- the peering -------------------------------------------------------------------------------------------------

LINK = "properties.virtualNetworkPeerings.0.properties"


@pytest.mark.parametrize(
    ("network", "path", "value", "expected"),
    [
        ("hub", "peeringState", "Initiated", ["PeeringOneSided"]),
        ("spoke", "peeringState", "Disconnected", ["PeeringDisconnected"]),
        ("hub", "remoteAddressSpace", {"addressPrefixes": ["10.1.0.0/24"]}, ["AddressSpaceNotSynced"]),
        ("spoke", "remoteAddressSpace", {"addressPrefixes": ["10.9.0.0/16"]}, ["AddressSpaceNotSynced"]),
        ("spoke", "allowVirtualNetworkAccess", False, ["PeeringAccessDisabled"]),
        ("spoke", "allowForwardedTraffic", False, []),
    ],
)
def test_faults_of_a_link(network: str, path: str, value: Any, expected: list[str]) -> None:
    assert codes(change(hub_and_spoke(), network, f"{LINK}.{path}", value)) == expected


def test_a_link_that_is_not_there_at_all() -> None:
    assert codes(change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", [])) == ["PeeringOneSided"]
    apart = change(
        change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", []),
        "spoke",
        "properties.virtualNetworkPeerings",
        [],
    )
    assert codes(apart) == ["NotPeered"]


def test_a_third_network_does_not_pass_anything_on() -> None:
    third = estates.vnet("third", "10.7.0.0/16")
    estate = [*hub_and_spoke(), third]
    for name in ("hub", "spoke"):
        links = [peering("third", space=["10.7.0.0/16"])]
        estate = change(estate, name, "properties.virtualNetworkPeerings", links)
    assert codes(estate) == ["PeeringNotTransitive"]


def test_a_peering_of_some_subnets_names_both() -> None:
    def some(local: list[str], remote: list[str]) -> dict[str, Any]:
        return {"peerCompleteVnets": False, "localSubnetNames": local, "remoteSubnetNames": remote}

    def between(hub: dict[str, Any], spoke: dict[str, Any]) -> Rows:
        estate = change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", [peering("spoke", space=["10.1.0.0/16"], **hub)])  # fmt: skip
        return change(estate, "spoke", "properties.virtualNetworkPeerings", [peering("hub", space=["10.0.0.0/16"], **spoke)])  # fmt: skip

    bastion, workload = ["AzureBastionSubnet"], ["workload"]
    assert codes(between(some(bastion, workload), some(workload, bastion))) == []
    assert codes(between(some(bastion, workload), some(workload, ["other"]))) == ["SubnetNotPeered"]
    v6 = {**some(bastion, workload), "enableOnlyIPv6Peering": True}
    assert codes(between(v6, some(workload, bastion))) == ["SubnetPeeringIPv6Only"]


def test_what_lies_behind_a_faulty_peering_is_judged_as_if_it_were_sound() -> None:
    broken = change(hub_and_spoke(), "spoke", f"{LINK}.peeringState", "Disconnected")
    assert codes(with_nsg(broken, "nic")) == ["PeeringDisconnected"]
    assert codes(with_nsg(broken, "nic", deny(source="VirtualNetwork"))) == ["PeeringDisconnected", "NicNsgDenies"]


# -- Developer ---------------------------------------------------------------------------------------------------


def test_developers_address_is_in_virtual_network_and_load_balancer_and_open_where_internet_decides() -> None:
    developer = estates.drop(same_vnet(sku="Developer"), "bas-ip")
    assert codes(with_nsg(developer, "nic")) == []
    for tag in ("VirtualNetwork", "AzureLoadBalancer", "168.63.129.16"):
        assert codes(with_nsg(developer, "nic", deny(source=tag))) == ["NicNsgDenies"]
    assert found(with_nsg(developer, "nic", deny(source="Internet"))) == [OPEN]
    assert diverted(developer, route("r", "168.63.129.16/32", "None")) == []


def test_rows_that_are_not_there_are_told_by_code_and_a_machine_that_is_not_is_no_question() -> None:
    assert codes(estates.drop(same_vnet(), "bas")) == ["BastionNotFound"]
    assert codes(estates.drop(same_vnet(), "web-nic")) == ["EffectiveDataUnavailable"]
    with pytest.raises(LookupError, match="web"):
        found(estates.drop(same_vnet(), "web"))
