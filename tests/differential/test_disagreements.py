"""Estates on which engine and the second opinion once disagreed, each with what the facts say. Both must say it now."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, INSTANCE, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support import estates
from tests.support.estates import (
    Estate,
    Row,
    admin_rule,
    change,
    connected_group,
    gateway,
    hub,
    hub_and_spoke,
    hub_connection,
    peering,
    route,
    rule,
    same_vnet,
    scale_set,
    security_admin,
    site,
    vnet_id,
    with_nsg,
    with_routes,
)

ACCESS = "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess"
LINKS = "properties.virtualNetworkPeerings"
SPACE = "properties.virtualNetworkPeerings.0.properties.remoteAddressSpace"
APPLIANCE = ("VirtualAppliance", "10.1.9.9")
SPLIT_PORTS = ["0-1023", "1024-65535"]


def closed(estate: Estate, *networks: str) -> Estate:
    for network in networks:
        estate = change(estate, network, ACCESS, value=False)
    return estate


def developer() -> Estate:
    return same_vnet(sku="Developer")


def both_sides_closed() -> Estate:
    # Facts: the flag is judged for each side, so that each has a reason of its own. The engine was right.
    return closed(hub_and_spoke(), "hub", "spoke")


def both_links_stale() -> Estate:
    # Facts: each link is synced on its own side, so that each has a reason. The engine was right.
    stale = {"addressPrefixes": ["10.9.0.0/16"]}
    return change(change(hub_and_spoke(), "hub", SPACE, stale), "spoke", SPACE, stale)


def route_over_reserved_addresses() -> Estate:
    # Facts: "any address of the prefix", yet Azure's five reserved ones are never a session's: the engine's side was taken.
    return with_routes(same_vnet(), "subnet", route("reserved", "10.0.1.0/30", *APPLIANCE))


def unpeered_subnet_behind_a_closed_link() -> Estate:
    # Facts: links that are one-sided, disconnected, out of sync or absent count as open; one that leaves a subnet out is as
    # it is. The engine was right.
    some: dict[str, Any] = {
        "peerCompleteVnets": False,
        "localSubnetNames": ["workload"],
        "remoteSubnetNames": ["other"],
    }
    estate = change(hub_and_spoke(), "spoke", LINKS, [peering("hub", space=["10.0.0.0/16"], **some)])
    return with_nsg(closed(estate, "spoke"), "nic")


def default_route_that_changes_how_much_is_denied() -> Estate:
    # Facts: with the default route in the tag a part is denied, without it all: the results differ, so that the route is
    # named in place of either. The engine was right.
    estate = with_nsg(closed(hub_and_spoke(), "spoke"), "nic", rule("some", 100, "Deny", source="10.0.1.8/29"))
    return with_routes(estate, "subnet", route("out", "0.0.0.0/0", "None"))


def all_source_ports_in_two_ranges() -> Estate:
    # Facts: a source port range other than * counts as a part; both sides read two ranges so, whatever they add up to.
    return with_nsg(same_vnet(), "nic", rule("no", 100, "Deny", source_ports=SPLIT_PORTS))


def unreadable_deny_of_some_source_ports_before_a_deny() -> Estate:
    # Facts: whether or not it matches, what it leaves is denied by the next. The engine made it Unknown, and was mended.
    some = rule("some", 100, "Deny", protocol="Wireguard", source_ports=SPLIT_PORTS)
    return with_nsg(same_vnet(), "nic", some, rule("no", 110, "Deny"))


def developer_where_an_admin_rule_allows_internet() -> Estate:
    # Facts: an Allow of a network manager, or none, comes to the same: nothing hangs on whether Internet holds the address.
    return [*developer(), *security_admin("hub", admin_rule("open", 10, "Allow", source="Internet"))]


def developer_where_an_admin_rule_always_allows_some_source_ports_of_internet() -> Estate:
    # Facts: a rule on some source ports never counts as an Allow, so that nothing hangs on what Internet holds. The engine
    # was wrong, and mended.
    always = admin_rule("some", 10, "AlwaysAllow", source="Internet")
    always["properties"]["sourcePortRanges"] = ["1024-65535"]
    return [*developer(), *security_admin("hub", always)]


def developer_where_some_source_ports_of_internet_are_denied() -> Estate:
    # Facts: where an Internet rule decides about 168.63.129.16 it is Unknown, also for a part. The engine was right.
    return with_nsg(developer(), "subnet", rule("no", 100, "Deny", source="Internet", source_ports=SPLIT_PORTS))


def developer_where_internet_is_denied_in_a_network_without_an_address_space() -> Estate:
    # Facts: that more is in doubt does not make certain what Internet holds. The engine forgot it, and was mended.
    held = change(developer(), "hub", "properties.addressSpace", {})
    return with_nsg(held, "subnet", rule("no", 100, "Deny", source="Internet"))


def developer_and_a_tag_of_a_service() -> Estate:
    # Facts: 168.63.129.16 is in VirtualNetwork and AzureLoadBalancer, and in no service's tag. The engine was right.
    rules = (rule("storage", 100, "Allow", source="Storage.WestEurope"), rule("no", 110, "Deny"))
    return with_nsg(developer(), "nic", *rules)


def table_on_bastions_subnet_that_leads_to_the_target() -> Estate:
    # Facts, step 12: Unknown then, in place of NotPeered. The engine was right.
    return with_routes(apart(), "bastion", route("on", "10.1.0.0/16", "VirtualAppliance", "10.0.9.9"))


def way_back(hop: str, prefix: str) -> Estate:
    address = "10.1.9.9" if hop == "VirtualAppliance" else None
    table = estates.route_table("back", route("away", prefix, hop, address))
    path = "properties.subnets.0.properties.routeTable"
    return [*change(table_on_bastions_subnet_that_leads_to_the_target(), "spoke", path, {"id": table["id"]}), table]


def way_back_by_the_gateway() -> Estate:
    # Facts, step 16: without a peering a user route diverts that leads elsewhere than to the gateway. The engine was right.
    return way_back("VirtualNetworkGateway", "10.0.1.0/24")


def way_back_by_an_appliance() -> Estate:
    # As above: elsewhere.
    return way_back("VirtualAppliance", "10.0.0.0/16")


def way_back_by_a_wide_route_to_an_appliance() -> Estate:
    # The facts leave open whether a route that is shorter than a peering's counts where there is none. Both sides read them
    # as if there were one: what is in the way of a peering only is left for when there is one.
    return way_back("VirtualAppliance", "10.0.0.0/15")


def allow_rules_only_where_no_managed_instance_is() -> Estate:
    # Facts: "with AllowRulesOnly no Deny applies"; Microsoft's page says so of networks with such services alone: others
    # "can continue using Allow and Deny rules". The engine was right.
    only = {"applyOnNetworkIntentPolicyBasedServices": ["AllowRulesOnly"]}
    return [*same_vnet(), *security_admin("hub", admin_rule("closed", 10, "Deny"), **only)]


def flow_between_networks_that_are_not_peered() -> Estate:
    # Facts: every reason stands for itself: what would still be in the way once they are peered is listed as well.
    return with_routes(apart(), "subnet", route("away", "10.0.0.0/16", "None"))


def apart() -> Estate:
    return change(change(hub_and_spoke(), "hub", LINKS, []), "spoke", LINKS, [])


def encrypted_network_behind_a_virtual_hub() -> Estate:
    # Facts, step 11: another VNet that drops unencrypted traffic is warned of, whatever leads there. The engine warned of
    # peered ones only, and was mended.
    return change(behind_a_hub(), "spoke", "properties.encryption", {"enabled": True, "enforcement": "DropUnencrypted"})


def connected_group_and_ip_connect() -> Estate:
    # Facts, step 11: a connected group is Unknown. The engine added NoRouteToTarget where IP-based connection was on, and
    # so made it Unreachable; mended.
    return [*change(apart(), "bas", "properties.enableIpConnect", value=True), *connected_group("hub", "spoke")]


def connected_group_with_a_network_that_is_not_in_the_data() -> Estate:
    # Facts, section 1: a manager's word on a VNet is a row of its own. The Bastion comes into question; the opinion left it
    # out, and was mended.
    known = [one for one in apart() if one["id"] != vnet_id("hub")]
    return [*known, *connected_group("hub", "spoke")]


def link_that_does_not_say_what_it_knows() -> Estate:
    # Facts: what cannot be read is never guessed to be Unreachable. The engine took the link to know nothing, so that any
    # user route took the replies away; mended.
    estate = change(hub_and_spoke(), "spoke", SPACE, None)
    return with_routes(estate, "subnet", route("wide", "0.0.0.0/1", *APPLIANCE))


def site_that_tells_everything_in_two_halves() -> Estate:
    # Facts, step 12: a gateway is no route; a site of 0.0.0.0/0 is a default route, in halves as well. The engine took the
    # halves for a route to the VM, and was mended.
    estate = change(apart(), "bas", "properties.enableIpConnect", value=True)
    return [*estate, gateway("vpn", "hub"), *site("all", "vpn", "0.0.0.0/1", "128.0.0.0/1")]


def doubt_on_which_nothing_hangs() -> Estate:
    # Facts: a tag that nobody knows makes Unknown what hangs on it. Behind the doubtful Deny an Allow that cannot be read
    # changes nothing, as the default rules allow too. The engine named both, and was mended.
    held = (rule("who", 100, "Deny", source="NobodyKnows"), rule("what", 110, "Allow", source="10.0.0.0/33"))
    return with_nsg(same_vnet(), "nic", *held)


def doubtful_allow_before_a_deny_of_some_source_ports() -> Estate:
    # Facts: where the tag holds Bastion's addresses, all sessions pass, else some: Unknown. The engine said some, for
    # certain, and was mended.
    held = (
        rule("who", 100, "Allow", source="NobodyKnows"),
        rule("some", 110, "Deny", source_ports="1024-65535"),
    )
    return with_nsg(same_vnet(), "nic", *held)


def default_route_that_changes_what_is_denied_for_certain_anyway() -> Estate:
    # Facts: Unknown only if the results differ. Without the default route some sessions or all are denied, because the
    # network does not say its addresses, with it some: some, either way. The opinion was wrong, and mended.
    held = with_nsg(hub_and_spoke(), "nic", rule("some", 100, "Deny", source_ports="1024-65535"))
    silent = change(held, "spoke", "properties.addressSpace", None)
    return with_routes(silent, "subnet", route("all", "0.0.0.0/0", "Internet"))


def always_allow_in_doubt_where_the_groups_deny() -> Estate:
    # Facts, step 14: AlwaysAllow skips the groups. Where it is not known whether it does, a Deny behind it is not certain.
    # The engine made it Unreachable, and was mended.
    held = with_nsg(hub_and_spoke(), "nic", rule("no", 100, "Deny"))
    return [*held, *security_admin("spoke", admin_rule("always", 5, "AlwaysAllow", source="NobodyKnows"))]


def always_allow_behind_a_deny_of_some_source_ports() -> Estate:
    # Facts, step 14: the sessions that the Deny leaves are let past the groups, which are not asked. The opinion was wrong, and
    # mended.
    some = admin_rule("some", 5, "Deny")
    some["properties"]["sourcePortRanges"] = ["1024-65535"]
    held = with_nsg(hub_and_spoke(), "nic", rule("no", 100, "Deny"))
    return [*held, *security_admin("spoke", some, admin_rule("always", 6, "AlwaysAllow"))]


def always_allow_in_doubt_where_the_groups_allow() -> Estate:
    # Facts: an unknown tag makes Unknown what hangs on it, and here nothing does. The engine was wrong, and mended.
    held = with_nsg(hub_and_spoke(), "nic")
    return [*held, *security_admin("spoke", admin_rule("always", 5, "AlwaysAllow", source="NobodyKnows"))]


def admin_rule_on_a_tag_that_a_default_route_may_widen() -> Estate:
    # Facts, section 4: with 0.0.0.0/0 to elsewhere than an appliance, rules are judged with it in the tag and without it.
    # The engine judged an administrator's rules without it only, and was mended.
    held = with_routes(closed(hub_and_spoke(), "spoke"), "subnet", route("all", "0.0.0.0/0", "None"))
    return [*held, *security_admin("spoke", admin_rule("no", 5, "Deny", source="VirtualNetwork"))]


def site_that_covers_bastion_behind_a_closed_link() -> Estate:
    # Facts, section 4: what is learned from gateways is in the tag VirtualNetwork. The engine left it out; mended.
    held = closed(with_nsg(hub_and_spoke(), "nic"), "spoke")
    return [*held, gateway("vpn", "spoke"), *site("all", "vpn", "10.0.0.0/9")]


def deny_from_a_doubtful_tag_in_front_of_the_default_allow() -> Estate:
    # Facts: what is not known is followed both ways. If Bastion is in the tag, the Deny takes it, else the last default rule:
    # denied either way. The engine took the tag for another one in the default rule, and was mended.
    held = with_nsg(same_vnet(), "nic", rule("no", 100, "Deny", source="VirtualNetwork"))
    return change(held, "hub", "properties.addressSpace", None)


def behind_a_hub() -> Estate:
    estate = change(apart(), "bas", "properties.enableIpConnect", value=True)
    return [*estate, hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke")]


def two_doubts_that_decide_a_row_each() -> Estate:
    # Facts: the Allow that cannot be read is for public addresses, and may be what clients need; the tag that nobody knows may
    # hold the load balancer, which a default rule lets in. The engine named the first doubt for both, and was mended.
    held = (
        rule("what", 101, "Allow", source="20.0.0.0/16", destination="10.0.0.0/33"),
        rule("who", 102, "Deny", source="NobodyKnows"),
    )
    return with_nsg(same_vnet(), "bastion", *held, bare=True)


def doubtful_deny_of_some_clients_before_one_of_all() -> Estate:
    # Facts, step 7: some clients are enough. Whatever the tag holds, others come through unless the rule behind denies all, so
    # that nothing hangs on the tag. The opinion named it as well, and was mended.
    some = rule("some", 100, "Deny", source="20.0.1.64/29", destination="NobodyKnows", ports="443")
    return with_nsg(same_vnet(), "bastion", some, rule("all", 110, "Deny", ports="many"))


def doubtful_allow_before_a_doubtful_deny() -> Estate:
    # Facts: for what default rules let in (the load balancer, the network) the Allow alone changes nothing, nor do both
    # together; the Deny alone denies it. Found by reasoning: the engine tried all doubts as one, and was mended.
    held = (
        rule("what", 101, "Allow", source="10.0.0.0/33"),
        rule("who", 102, "Deny", source="NobodyKnows"),
    )
    return with_nsg(same_vnet(), "bastion", *held, bare=True)


def deny_of_half_of_bastion_towards_a_tag_in_doubt() -> Estate:
    # Facts: whether VirtualNetwork holds the VM or not, half of Bastion is denied: by the rule if it does, by DenyAllInBound
    # if it does not, as AllowVnetInBound says the same tag. The engine took the two for independent, and was mended.
    half = rule("half", 100, "Deny", source="10.0.1.32/27", destination="VirtualNetwork")
    return with_nsg(change(hub_and_spoke(), "spoke", "properties.addressSpace", {}), "nic", half)


def deny_of_some_source_ports_towards_a_tag_in_doubt() -> Estate:
    # Facts: if VirtualNetwork holds the VM, some sessions are denied by the rule, else all by DenyAllInBound: some, either
    # way, which is never promised. The engine made it Unknown, and was mended.
    some = rule("some", 100, "Deny", destination="VirtualNetwork", source_ports="443")
    return with_nsg(change(hub_and_spoke(), "spoke", "properties.addressSpace", {}), "nic", some)


def doubtful_deny_of_some_source_ports_behind_one_for_certain() -> Estate:
    # Facts: the rule to name is the one that decides. Some sessions are denied by the first rule, whatever VirtualNetwork holds.
    # The engine named the second, and was mended.
    first = rule("first", 100, "Deny", source_ports="443")
    second = rule("second", 101, "Deny", destination="VirtualNetwork", source_ports="443")
    return with_nsg(change(hub_and_spoke(), "spoke", "properties.addressSpace", {}), "nic", first, second)


CASES: list[tuple[Callable[[], Estate], list[str]]] = [
    (both_sides_closed, ["PeeringAccessDisabled", "PeeringAccessDisabled"]),
    (both_links_stale, ["AddressSpaceNotSynced", "AddressSpaceNotSynced"]),
    (route_over_reserved_addresses, []),
    (unpeered_subnet_behind_a_closed_link, ["SubnetNotPeered", "NicNsgDenies"]),
    (default_route_that_changes_how_much_is_denied, ["EffectiveDataUnavailable"]),
    (all_source_ports_in_two_ranges, ["NsgPartiallyBlocksBastion"]),
    (unreadable_deny_of_some_source_ports_before_a_deny, ["NicNsgDenies"]),
    (deny_of_half_of_bastion_towards_a_tag_in_doubt, ["NsgPartiallyBlocksBastion", "EffectiveDataUnavailable"]),
    (deny_of_some_source_ports_towards_a_tag_in_doubt, ["NsgPartiallyBlocksBastion"]),
    (doubtful_deny_of_some_source_ports_behind_one_for_certain, ["NsgPartiallyBlocksBastion"]),
    (developer_where_an_admin_rule_allows_internet, []),
    (developer_where_an_admin_rule_always_allows_some_source_ports_of_internet, []),
    (developer_where_some_source_ports_of_internet_are_denied, ["EffectiveDataUnavailable"]),
    (developer_where_internet_is_denied_in_a_network_without_an_address_space, ["EffectiveDataUnavailable"]),
    (developer_and_a_tag_of_a_service, ["NicNsgDenies"]),
    (table_on_bastions_subnet_that_leads_to_the_target, ["IpConnectDisabled", "EffectiveDataUnavailable"]),
    (way_back_by_the_gateway, ["IpConnectDisabled", "EffectiveDataUnavailable"]),
    (way_back_by_an_appliance, ["IpConnectDisabled", "EffectiveDataUnavailable", "ReturnRouteDiverted"]),
    (way_back_by_a_wide_route_to_an_appliance, ["IpConnectDisabled", "EffectiveDataUnavailable"]),
    (allow_rules_only_where_no_managed_instance_is, ["SecurityAdminDenies"]),
    (flow_between_networks_that_are_not_peered, ["NotPeered", "ReturnRouteDiverted"]),
    (encrypted_network_behind_a_virtual_hub, ["VnetEncryptionEnforced"]),
    (connected_group_and_ip_connect, ["ConnectedGroupNoPeering"]),
    (connected_group_with_a_network_that_is_not_in_the_data, ["EffectiveDataUnavailable"]),
    (link_that_does_not_say_what_it_knows, ["EffectiveDataUnavailable"]),
    (site_that_tells_everything_in_two_halves, ["DefaultRouteAdvertised", "NotPeered", "NoRouteToTarget"]),
    (doubt_on_which_nothing_hangs, ["UnknownServiceTag"]),
    (doubtful_allow_before_a_deny_of_some_source_ports, ["UnknownServiceTag"]),
    (default_route_that_changes_what_is_denied_for_certain_anyway, ["NsgPartiallyBlocksBastion"]),
    (always_allow_in_doubt_where_the_groups_deny, ["UnknownServiceTag"]),
    (always_allow_behind_a_deny_of_some_source_ports, ["SecurityAdminDenies", "SecurityAdminAlwaysAllows"]),
    (always_allow_in_doubt_where_the_groups_allow, []),
    (admin_rule_on_a_tag_that_a_default_route_may_widen, ["PeeringAccessDisabled", "EffectiveDataUnavailable"]),
    (site_that_covers_bastion_behind_a_closed_link, []),
    (deny_from_a_doubtful_tag_in_front_of_the_default_allow, ["NicNsgDenies"]),
    (
        two_doubts_that_decide_a_row_each,
        ["EffectiveDataUnavailable", "BastionNsgMissingRule", "UnknownServiceTag", "UnknownServiceTag"],
    ),
    (doubtful_deny_of_some_clients_before_one_of_all, ["EffectiveDataUnavailable"] * 4),
    (
        doubtful_allow_before_a_doubtful_deny,
        [*["EffectiveDataUnavailable"] * 2, *["EffectiveDataUnavailable", "UnknownServiceTag"] * 2],
    ),
]


SSH = Question("SSH", 22)


@pytest.mark.parametrize(("made", "expected"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_both_say_what_the_facts_say(made: Callable[[], list[Row]], expected: list[str]) -> None:
    one = Asked(made(), questions=(SSH,))
    (candidate,) = engine(one)(WEB, SSH, BAS).candidates
    warned = [warning.code for warning in candidate.warnings if warning.code in expected]
    assert [*(reason.code for reason in candidate.reasons), *warned] == expected
    compare(one)


def test_an_instance_of_a_scale_set_is_denied_by_whichever_rule() -> None:
    # Facts, section 4: Unknown where a rule splits the subnet. Two rules that both deny split nothing: whatever its address,
    # the instance is denied. The engine made it Unknown, and was mended.
    rules = (rule("low", 100, "Deny", destination="10.0.2.0/25"), rule("rest", 110, "Deny"))
    estate = [*with_nsg(same_vnet(), "subnet", *rules), *scale_set("fleet", "hub", "workload")]
    one = Asked(estate, questions=(SSH,), machines=(INSTANCE,))
    assert [reason.code for reason in engine(one)(INSTANCE, SSH, BAS).reasons] == ["SubnetNsgDenies"]
    compare(one)


def test_vms_of_one_subnet_may_be_in_different_tenants() -> None:
    # Facts, step 11: the tenants are compared. Where the VNet's row tells none, each VM's own counts; the engine took that of
    # the first VM of the subnet for all, and was mended.
    estate = [*hub_and_spoke(), *scale_set("fleet", "spoke", "workload")]
    estate = change(
        change(estate, "spoke", "tenantId", value=None), "web", "tenantId", "0a1b2c3d-0000-4000-8000-0000000000ff"
    )
    one = Asked(estate, questions=(SSH,), machines=(WEB, INSTANCE))
    answer = engine(one)
    assert [reason.code for reason in answer(WEB, SSH, BAS).reasons] == ["CrossTenantPeering"]
    assert not answer(INSTANCE, SSH, BAS).reasons
    compare(one)
