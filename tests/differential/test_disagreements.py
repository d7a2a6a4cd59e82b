"""Flows on which engine and evaluators once disagreed, each with what the facts say. Both must say it now."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.differential.random_flows import Flow
from tests.differential.test_two_opinions import compare, engine
from tests.support import estates
from tests.support.estates import (
    Estate,
    Row,
    admin_rule,
    change,
    hub_and_spoke,
    peering,
    route,
    rule,
    same_vnet,
    security_admin,
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


CASES: list[tuple[Callable[[], Estate], list[str]]] = [
    (both_sides_closed, ["PeeringAccessDisabled", "PeeringAccessDisabled"]),
    (both_links_stale, ["AddressSpaceNotSynced", "AddressSpaceNotSynced"]),
    (route_over_reserved_addresses, []),
    (unpeered_subnet_behind_a_closed_link, ["SubnetNotPeered", "NicNsgDenies"]),
    (default_route_that_changes_how_much_is_denied, ["EffectiveDataUnavailable"]),
    (all_source_ports_in_two_ranges, ["NsgPartiallyBlocksBastion"]),
    (developer_where_an_admin_rule_allows_internet, []),
    (developer_where_an_admin_rule_always_allows_some_source_ports_of_internet, []),
    (developer_where_some_source_ports_of_internet_are_denied, ["EffectiveDataUnavailable"]),
    (developer_and_a_tag_of_a_service, ["NicNsgDenies"]),
    (table_on_bastions_subnet_that_leads_to_the_target, ["EffectiveDataUnavailable"]),
    (way_back_by_the_gateway, ["EffectiveDataUnavailable"]),
    (way_back_by_an_appliance, ["EffectiveDataUnavailable", "ReturnRouteDiverted"]),
    (way_back_by_a_wide_route_to_an_appliance, ["EffectiveDataUnavailable"]),
    (allow_rules_only_where_no_managed_instance_is, ["SecurityAdminDenies"]),
    (flow_between_networks_that_are_not_peered, ["NotPeered", "ReturnRouteDiverted"]),
]


@pytest.mark.parametrize(("made", "expected"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_both_say_what_the_facts_say(made: Callable[[], list[Row]], expected: list[str]) -> None:
    flow = Flow(made(), 22)
    assert [reason.code for reason in engine(flow)] == expected
    compare(flow)
