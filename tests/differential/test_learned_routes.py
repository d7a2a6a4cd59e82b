"""Step 12 and what AzureBastionSubnet's own table makes of it: routes to the VM, and learned routes that are kept away."""

from collections.abc import Callable

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import (
    DELETE,
    Estate,
    change,
    connected_group,
    drop,
    gateway,
    hub,
    hub_and_spoke,
    hub_connection,
    hub_id,
    hub_route_table,
    ref,
    resource_id,
    route,
    row,
    same_vnet,
    site,
    with_nsg,
    with_routes,
)

SSH = Question("SSH", 22)
OPEN = "EffectiveDataUnavailable"
OUT = route("out", "0.0.0.0/0", "Internet")
GATEWAY = resource_id("Microsoft.Network/virtualNetworkGateways", "")
FLAG = "properties.disableBgpRoutePropagation"
NO_WAY = ["NotPeered", "NoRouteToTarget"]


def apart() -> Estate:
    estate = hub_and_spoke(enableIpConnect=True)
    for network in ("hub", "spoke"):
        estate = change(estate, network, "properties.virtualNetworkPeerings", [])
    return estate


def behind_a_hub() -> Estate:
    return [*apart(), hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke")]


def towards(hop: str) -> Estate:
    return with_routes(behind_a_hub(), "bastion", OUT, route("on", "10.1.0.0/16", hop))


def own_route_to_nowhere() -> Estate:
    return towards("None")


def own_route_to_the_internet() -> Estate:
    return towards("Internet")


def own_route_inside() -> Estate:
    return towards("VnetLocal")


def own_route_elsewhere() -> Estate:
    return with_routes(behind_a_hub(), "bastion", OUT, route("on", "10.9.0.0/16", "None"))


def own_table_that_states_no_routes() -> Estate:
    return change(with_routes(apart(), "bastion"), "routes", "properties.routes", DELETE)


def own_table_without_a_row() -> Estate:
    return drop(with_routes(apart(), "bastion"), "routes")


def learned_routes_kept_away() -> Estate:
    return with_routes(behind_a_hub(), "bastion", OUT, propagates_bgp=False)


def a_sites_routes_kept_away() -> Estate:
    estate = [*apart(), gateway("vpn", "hub"), *site("far", "vpn", "10.1.0.0/16")]
    return with_routes(estate, "bastion", OUT, propagates_bgp=False)


def learned_routes_kept_away_from_the_machine_alone() -> Estate:
    return with_routes(behind_a_hub(), "subnet", propagates_bgp=False)


def flag_that_is_no_boolean() -> Estate:
    return change(with_routes(behind_a_hub(), "bastion", OUT), "routes", FLAG, "maybe")


def flag_that_is_no_boolean_where_nothing_is_learned() -> Estate:
    return change(with_routes(apart(), "bastion", OUT), "routes", FLAG, "maybe")


def flag_in_letters() -> Estate:
    return change(with_routes(behind_a_hub(), "bastion", OUT), "routes", FLAG, "False")


def flag_that_is_absent() -> Estate:
    return change(with_routes(behind_a_hub(), "bastion", OUT), "routes", FLAG, DELETE)


def flag_of_the_machines_table_that_is_no_boolean() -> Estate:
    away = route("away", "0.0.0.0/0", "VirtualAppliance", "10.1.9.9")
    return change(with_routes(behind_a_hub(), "subnet", away), "routes", FLAG, 7)


def flag_of_the_machines_table_on_which_nothing_hangs() -> Estate:
    away = route("away", "10.0.1.0/26", "VirtualAppliance", "10.1.9.9")
    return change(with_routes(behind_a_hub(), "subnet", away), "routes", FLAG, 7)


def learned_default() -> Estate:
    return [*same_vnet(), gateway("vpn", "hub"), *site("all", "vpn", "0.0.0.0/0")]


def learned_default_and_a_table_that_states_no_routes() -> Estate:
    return change(with_routes(learned_default(), "bastion"), "routes", "properties.routes", DELETE)


def learned_default_and_a_table_without_a_row() -> Estate:
    return drop(with_routes(learned_default(), "bastion"), "routes")


def learned_default_and_a_flag_that_is_no_boolean() -> Estate:
    return change(with_routes(learned_default(), "bastion"), "routes", FLAG, "maybe")


def learned_default_and_a_default_route_without_a_hop() -> Estate:
    return with_routes(learned_default(), "bastion", route("out", "0.0.0.0/0", ""))


def learned_default_and_a_private_route_without_a_hop() -> Estate:
    return with_routes(learned_default(), "bastion", route("what", "10.0.0.0/8", ""))


def site_without_a_row() -> Estate:
    return drop([*apart(), gateway("vpn", "hub"), *site("far", "vpn", "10.1.0.0/16")], "far")


def site_with_a_prefix_that_is_none() -> Estate:
    return [*apart(), gateway("vpn", "hub"), *site("far", "vpn", "10.1.0.0/99")]


def site_with_such_a_prefix_beside_the_machines() -> Estate:
    return [*apart(), gateway("vpn", "hub"), *site("far", "vpn", "10.1.0.0/16", "10.3.0.0/99")]


def site_that_states_nothing() -> Estate:
    return change(site_with_a_prefix_that_is_none(), "far", "properties", None)


def site_that_tells_its_prefixes_by_bgp() -> Estate:
    # What is learned by BGP no source can hold: it never makes Unknown by itself.
    return change(site_with_a_prefix_that_is_none(), "far", "properties", {"bgpSettings": {"asn": 65010}})


def site_for_other_addresses() -> Estate:
    return [*apart(), gateway("vpn", "hub"), *site("far", "vpn", "192.168.7.0/24")]


def site_for_the_machine_and_all_else(*everything: str) -> Estate:
    # Facts, step 12: a site that covers the VM is a route, and 0.0.0.0/0 none. The one does not take the other's place.
    estate = [*apart(), gateway("vpn", "hub"), *site("far", "vpn", *everything, "10.1.0.0/16")]
    return with_routes(estate, "bastion", OUT)


def site_for_the_machine_and_for_everything() -> Estate:
    return site_for_the_machine_and_all_else("0.0.0.0/0")


def site_for_the_machine_and_for_two_halves() -> Estate:
    return site_for_the_machine_and_all_else("0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0")


def closed(network: str) -> Estate:
    """A link that keeps the other VNet out of the tag, and a gateway whose site brings its addresses in beside all others."""
    path = "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess"
    estate = change(hub_and_spoke(), network, path, value=False)
    return [*estate, gateway("vpn", network), *site("far", "vpn", "0.0.0.0/0", "10.0.0.0/8")]


def site_for_bastion_and_for_everything() -> Estate:
    return with_nsg(closed("spoke"), "subnet")


def such_a_site_whose_routes_are_kept_away() -> Estate:
    return with_routes(site_for_bastion_and_for_everything(), "subnet", propagates_bgp=False)


def such_a_site_on_bastions_side() -> Estate:
    return with_nsg(closed("hub"), "bastion")


def closed_towards(hop: str, prefix: str = "0.0.0.0/0") -> Estate:
    """Bastion's side keeps the VM's VNet out of the tag, and its table leads the Internet's traffic away."""
    path = "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess"
    estate = with_nsg(change(hub_and_spoke(), "hub", path, value=False), "bastion")
    return with_routes(estate, "bastion", route("away", prefix, hop))


def table_that_leads_away_and_widens_the_tag() -> Estate:
    # Facts: a step is judged as if the faults of earlier ones were mended. Without the table the tag has no VM.
    return closed_towards("VirtualAppliance")


def half_that_leads_away_and_widens_the_tag() -> Estate:
    return closed_towards("None", "0.0.0.0/1")


def table_of_a_private_only_bastion_that_may_lead_away() -> Estate:
    # Facts, step 5: that is no fault for certain, and the table stays.
    estate = change(closed_towards("VirtualAppliance"), "bas", "sku.name", "Premium")
    return change(estate, "bas", "properties.enablePrivateOnlyBastion", value=True)


def learned_default_that_may_widen_the_tag() -> Estate:
    path = "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess"
    estate = with_nsg(change(hub_and_spoke(), "hub", path, value=False), "bastion")
    return [*estate, gateway("vpn", "hub"), *site("all", "vpn", "0.0.0.0/0")]


def such_a_site_for_a_bastion_without_ip_connect() -> Estate:
    # Facts, step 12: a path only where a route is known; otherwise NotPeered stands.
    return change(site_without_a_row(), "bas", "sku.name", "Basic")


def such_a_site_where_it_is_switched_off() -> Estate:
    return change(site_without_a_row(), "bas", "properties.enableIpConnect", value=False)


def a_known_site_for_a_bastion_without_ip_connect() -> Estate:
    estate = [*apart(), gateway("vpn", "hub"), *site("far", "vpn", "10.1.0.0/16")]
    return change(estate, "bas", "sku.name", "Basic")


def such_a_site_in_a_connected_group() -> Estate:
    return [*such_a_site_for_a_bastion_without_ip_connect(), *connected_group("hub", "spoke")]


def gateway_at_the_other_end_without_a_row() -> Estate:
    ends = {f"virtualNetworkGateway{place}": ref(GATEWAY + name) for place, name in ((1, "vpn"), (2, "lost"))}
    joined = row(resource_id("Microsoft.Network/connections", "both"), ends)
    return [*apart(), gateway("vpn", "hub"), joined]


def tag_that_a_site_without_a_row_may_widen() -> Estate:
    path = "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess"
    estate = with_nsg(change(hub_and_spoke(), "spoke", path, value=False), "nic")
    return drop([*estate, gateway("vpn", "spoke"), *site("far", "vpn", "10.0.0.0/9")], "far")


def associated(name: str) -> Estate:
    """The spoke's connection takes its routes from that table of the hub."""
    routing = {"associatedRouteTable": ref(f"{hub_id('east')}/hubRouteTables/{name}")}
    estate = [*apart(), hub("east"), hub_connection("east", "hub")]
    return [*estate, hub_connection("east", "spoke", routingConfiguration=routing)]


def hub_table_without_a_row() -> Estate:
    return associated("custom")


def hub_table_that_states_nothing() -> Estate:
    table = hub_route_table("east", "custom", labels=["default"])
    return change([*associated("custom"), table], "custom", "properties", None)


def hub_table_with_the_label() -> Estate:
    return [*associated("custom"), hub_route_table("east", "custom", labels=["default"])]


def hub_table_without_the_label() -> Estate:
    return [*associated("custom"), hub_route_table("east", "custom")]


def hubs_own_table_without_a_row() -> Estate:
    return associated("defaultRouteTable")


def hubs_table_of_nothing() -> Estate:
    return associated("noneRouteTable")


def hub_table_without_a_row_that_is_told_by_its_id() -> Estate:
    tables = {"labels": ["default"], "ids": [ref(f"{hub_id('east')}/hubRouteTables/custom")]}
    return change(
        associated("custom"), "hub-connection", "properties.routingConfiguration", {"propagatedRouteTables": tables}
    )


def table_of_bastions_connection_without_a_row() -> Estate:
    routing = {"associatedRouteTable": ref(f"{hub_id('east')}/hubRouteTables/custom")}
    connection = hub_connection("east", "hub", routingConfiguration=routing)
    return [*apart(), hub("east"), connection, hub_connection("east", "spoke")]


def static_routes_towards_a_network_that_does_not_say_its_space() -> Estate:
    table = hub_route_table("east", "defaultRouteTable", routes=["10.1.0.0/16"])
    return change([*associated("noneRouteTable"), table], "spoke", "properties.addressSpace", None)


def static(*prefixes: str) -> Estate:
    """Both VNets take the routes of a hub's default table, in which there are static ones as well."""
    return [*behind_a_hub(), hub_route_table("east", "defaultRouteTable", labels=["default"], routes=prefixes)]


def static_route_as_long_as_the_machines_network() -> Estate:
    return static("10.1.0.0/16")


def static_route_longer_than_that_around_the_machine() -> Estate:
    return static("10.1.2.0/24")


def static_route_back_as_long_as_bastions_network() -> Estate:
    return static("10.0.0.0/16")


def static_route_back_for_a_part_of_bastions_subnet() -> Estate:
    return static("10.0.1.32/27")


def static_routes_that_are_shorter() -> Estate:
    return static("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/15")


def static_routes_for_others_in_both_networks() -> Estate:
    return static("10.1.9.0/24", "10.0.2.0/24")


def connection_that_names_no_network() -> Estate:
    return change(behind_a_hub(), "spoke-connection", "properties.remoteVirtualNetwork", None)


def such_a_connection_of_another_hub() -> Estate:
    nameless = change([hub_connection("west", "spoke")], "spoke-connection", "properties", None)
    return [*apart(), hub("east"), hub("west", "other"), hub_connection("east", "hub"), *nameless]


def such_a_connection_beside_two_that_do() -> Estate:
    nameless = change([hub_connection("east", "third")], "third-connection", "properties", None)
    none = {"propagatedRouteTables": {"labels": ["none"]}}
    return [
        *apart(),
        hub("east"),
        *(hub_connection("east", one, routingConfiguration=none) for one in ("hub", "spoke")),
        *nameless,
    ]


CASES: list[tuple[Callable[[], Estate], list[str]]] = [
    (own_route_to_nowhere, [OPEN]),
    (own_route_to_the_internet, [OPEN]),
    (own_route_inside, [OPEN]),
    (own_route_elsewhere, []),
    (own_table_that_states_no_routes, [OPEN, OPEN]),
    (own_table_without_a_row, [OPEN, OPEN]),
    (learned_routes_kept_away, NO_WAY),
    (a_sites_routes_kept_away, NO_WAY),
    (learned_routes_kept_away_from_the_machine_alone, []),
    (flag_that_is_no_boolean, [OPEN]),
    (flag_that_is_no_boolean_where_nothing_is_learned, NO_WAY),
    (flag_in_letters, []),
    (flag_that_is_absent, []),
    (flag_of_the_machines_table_that_is_no_boolean, [OPEN]),
    (flag_of_the_machines_table_on_which_nothing_hangs, ["ReturnRouteDiverted"]),
    (learned_default, ["DefaultRouteAdvertised"]),
    (learned_default_and_a_table_that_states_no_routes, [OPEN, OPEN]),
    (learned_default_and_a_table_without_a_row, [OPEN, OPEN]),
    (learned_default_and_a_flag_that_is_no_boolean, [OPEN]),
    (learned_default_and_a_default_route_without_a_hop, [OPEN, OPEN]),
    (learned_default_and_a_private_route_without_a_hop, ["DefaultRouteAdvertised"]),
    (site_without_a_row, [OPEN]),
    (site_with_a_prefix_that_is_none, [OPEN]),
    (site_with_such_a_prefix_beside_the_machines, []),
    (site_that_states_nothing, [OPEN]),
    (site_that_tells_its_prefixes_by_bgp, NO_WAY),
    (site_for_other_addresses, NO_WAY),
    (site_for_the_machine_and_for_everything, []),
    (site_for_the_machine_and_for_two_halves, []),
    (site_for_bastion_and_for_everything, []),
    (such_a_site_whose_routes_are_kept_away, []),
    (such_a_site_on_bastions_side, ["DefaultRouteAdvertised"]),
    (table_that_leads_away_and_widens_the_tag, ["SubnetDefaultRouteDiverted", "BastionNsgDenies"]),
    (half_that_leads_away_and_widens_the_tag, ["SubnetDefaultRouteDiverted", "BastionNsgDenies"]),
    (table_of_a_private_only_bastion_that_may_lead_away, [OPEN]),
    (learned_default_that_may_widen_the_tag, ["DefaultRouteAdvertised", "BastionNsgDenies"]),
    (such_a_site_for_a_bastion_without_ip_connect, ["NotPeered", OPEN]),
    (such_a_site_where_it_is_switched_off, ["NotPeered", OPEN]),
    (a_known_site_for_a_bastion_without_ip_connect, ["IpConnectSkuTooLow"]),
    (such_a_site_in_a_connected_group, ["ConnectedGroupNoPeering", OPEN]),
    (gateway_at_the_other_end_without_a_row, [OPEN]),
    (tag_that_a_site_without_a_row_may_widen, [OPEN]),
    (hub_table_without_a_row, [OPEN]),
    (hub_table_that_states_nothing, [OPEN]),
    (hub_table_with_the_label, []),
    (hub_table_without_the_label, NO_WAY),
    (hubs_own_table_without_a_row, []),
    (hubs_table_of_nothing, NO_WAY),
    (hub_table_without_a_row_that_is_told_by_its_id, []),
    (table_of_bastions_connection_without_a_row, [OPEN]),
    (static_routes_towards_a_network_that_does_not_say_its_space, [OPEN]),
    (static_route_as_long_as_the_machines_network, [OPEN]),
    (static_route_longer_than_that_around_the_machine, [OPEN]),
    (static_route_back_as_long_as_bastions_network, [OPEN]),
    (static_route_back_for_a_part_of_bastions_subnet, [OPEN]),
    (static_routes_that_are_shorter, []),
    (static_routes_for_others_in_both_networks, []),
    (connection_that_names_no_network, [OPEN]),
    (such_a_connection_of_another_hub, NO_WAY),
    (such_a_connection_beside_two_that_do, NO_WAY),
]


@pytest.mark.parametrize(("made", "expected"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_both_say_what_is_known_of_the_way(made: Callable[[], Estate], expected: list[str]) -> None:
    one = Asked(made(), questions=(SSH,))
    (candidate,) = engine(one)(WEB, SSH, BAS).candidates
    assert [reason.code for reason in candidate.reasons] == expected
    compare(one)
