"""Where the Bastion's own traffic to the Internet goes. Steps 4 and 5.

Bastion talks to Azure's control plane over public addresses; a default route that leads elsewhere breaks it. Source:
Microsoft Learn, "Azure Bastion FAQ" (user-defined routes, forced tunnelling) and "Troubleshoot Azure Bastion".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding, FindingClass
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import EVERYTHING, AddressSet, is_ipv6
from bastion_operator.network.reachability.gateway_use import sites_of
from bastion_operator.network.reachability.host import SUBNET_NAME, Host
from bastion_operator.network.reachability.lost import lost, lost_fact
from bastion_operator.network.reachability.sides import EVERYWHERE
from bastion_operator.network.route_table import Route, RouteTable
from bastion_operator.network.service_tags import HOST, NOT_INTERNET, Doubt
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork
from bastion_operator.network.virtual_wan import EVERYWHERE_TEXT

_INTERNET = "internet"


def subnet_routes(inventory: Inventory, host: Host) -> Iterator[Finding]:
    """Step 4: the route table on AzureBastionSubnet sends what is for the Internet to the Internet."""
    if host.subnet is None or host.subnet.route_table_id is None:
        return
    table_id = host.subnet.route_table_id
    table = inventory.route_table(table_id)
    if table is None:
        yield lost(inventory, table_id, f"the route table {table_id} of {SUBNET_NAME} is not in the data")
        return
    diverted, undecided = diverting_routes(table, _own_addresses(host.network))
    if (unread := table.unread(undecided)) is not None:
        message = f"{unread.what}, and {SUBNET_NAME} has that table"
        yield finding("EffectiveDataUnavailable", message, resource=table.id, rule=unread.route)
    if diverted is not None:
        yield _diverted(host, table, diverted)
    elif unread is None and not _internet_default(table):
        message = (
            f"{SUBNET_NAME} has a route table without 0.0.0.0/0 to Internet, which Azure does not support: take it off"
        )
        yield finding("UnsupportedSubnetRouteTable", message, resource=table.id)


@dataclass(frozen=True, slots=True)
class RouteFaults:
    """Which faults steps 4 and 5 find. Later steps are judged without them: the table taken off, the learned route stopped."""

    diverted: bool = False
    learned: bool = False


NO_FAULTS: Final = RouteFaults()


def route_faults(inventory: Inventory, host: Host) -> RouteFaults:
    """Whether the subnet's table is a fault, and whether a learned route is; what is only doubtful is none."""
    steps = (subnet_routes(inventory, host), learned_routes(inventory, host))
    found = [any(one.finding_class is FindingClass.UNREACHABLE for one in step) for step in steps]
    return RouteFaults(*found)


def _diverted(host: Host, table: RouteTable, route: Route) -> Finding:
    where = f"route {route.name} ({route.prefix} to {route.next_hop}) on {SUBNET_NAME}"
    if host.bastion.private_only:
        message = f"whether a private-only Bastion works with {where} is not known"
        return finding("EffectiveDataUnavailable", message, resource=table.id, rule=route.name)
    message = f"{where} takes the traffic that Bastion needs to the Internet: take the route table off"
    return finding("SubnetDefaultRouteDiverted", message, resource=table.id, rule=route.name)


def _own_addresses(network: VirtualNetwork | None) -> AddressSet:
    """Public addresses that the VNet or a peer uses as its own are no way to the Internet."""
    spaces = [network.address_space] if network is not None else []
    spaces += [link.remote_address_space for link in network.peerings] if network is not None else []
    return AddressSet(interval for space in spaces if space is not None for interval in space.addresses.intervals)


def diverting_routes(table: RouteTable, own: AddressSet) -> tuple[Route | None, list[Route]]:
    """The widest route that takes public addresses anywhere but to the Internet, longest prefix deciding.

    Besides, the routes that take public addresses nobody can tell where.
    """
    named = (route for route in table.routes if route.interval is None and route.prefix_is_read)
    taking = [route for route in named if not is_ipv6(route.prefix)][::-1]
    remaining = _public_addresses(own)
    ranged = [(route.interval, route) for route in table.routes if route.interval is not None]
    for interval, route in sorted(ranged, key=lambda pair: pair[0][1] - pair[0][0]):
        taken = remaining & AddressSet([interval])
        if taken:
            taking.append(route)
        remaining -= taken
    diverting = (route for route in reversed(taking) if route.hop_is_read and route.next_hop != _INTERNET)
    return next(diverting, None), [route for route in taking if not route.hop_is_read]


def _public_addresses(own: AddressSet) -> AddressSet:
    """What lies in the Internet; to Azure's own address, which is public as well, no user route applies."""
    return EVERYTHING - NOT_INTERNET - HOST - own


def _internet_default(table: RouteTable) -> bool:
    return any(route.interval == EVERYWHERE and route.next_hop == _INTERNET for route in table.routes)


def learned_routes(inventory: Inventory, host: Host) -> Iterator[Finding]:
    """Step 5: the subnet learns no 0.0.0.0/0 from a gateway or a virtual hub; only what is told in resources counts."""
    if host.subnet is None or host.network is None or _keeps_to_internet(inventory, host.network, host.subnet):
        return
    doubt = _may_keep_it_away(inventory, host.network, host.subnet)
    for code, evidence in learned_defaults(inventory, host.network, host.subnet):
        if doubt is not None:
            message = (
                f"whether {SUBNET_NAME} learns 0.0.0.0/0 hangs on what is not known: {doubt.what} ({evidence.what})"
            )
            yield finding(doubt.code, message, resource=doubt.resource)
        elif host.bastion.private_only:
            message = f"whether a private-only Bastion works with a learned 0.0.0.0/0 is not known: {evidence.what}"
            yield finding("EffectiveDataUnavailable", message, resource=evidence.resource)
        else:
            message = f"{SUBNET_NAME} learns 0.0.0.0/0, which takes the traffic that Bastion needs to the Internet"
            yield finding(code, f"{message}: {evidence.what}; stop it there", resource=evidence.resource)


def _keeps_to_internet(inventory: Inventory, network: VirtualNetwork, subnet: Subnet) -> bool:
    """Whether the subnet's own routes to the Internet leave nothing public to a learned 0.0.0.0/0.

    A route of its own that leads elsewhere does not count: taking it off, the cure of step 4, brings the learned one in.
    """
    table = inventory.route_table(subnet.route_table_id)
    if table is None:
        return False
    return _leave_nothing(network, [route for route in table.routes if route.next_hop == _INTERNET])


def _leave_nothing(network: VirtualNetwork, routes: list[Route]) -> bool:
    held = AddressSet(route.interval for route in routes if route.interval is not None)
    return held >= _public_addresses(_own_addresses(network))


def _may_keep_it_away(inventory: Inventory, network: VirtualNetwork, subnet: Subnet) -> Doubt | None:
    """What cannot be read of the subnet's table, where a learned 0.0.0.0/0 might not get past it."""
    if subnet.route_table_id is None:
        return None
    table = inventory.route_table(subnet.route_table_id)
    if table is None:
        what = f"route table {subnet.route_table_id} is not in the data"
        return lost_fact(inventory, subnet.route_table_id, what)
    if table.propagates_bgp is None:
        what = f"whether route table {table.name} keeps learned routes away"
        return Doubt("EffectiveDataUnavailable", what, table.id)
    possible = [route for route in table.routes if not route.hop_is_read or route.next_hop == _INTERNET]
    if (
        table.states_routes
        and all(route.prefix_is_read for route in possible)
        and not _leave_nothing(network, possible)
    ):
        return None
    unread = table.unread(route for route in possible if not route.hop_is_read)
    return None if unread is None else Doubt("EffectiveDataUnavailable", unread.what, table.id)


def learned_defaults(inventory: Inventory, network: VirtualNetwork, subnet: Subnet) -> Iterator[tuple[str, Doubt]]:
    """Evidence that a subnet learns 0.0.0.0/0, with the code that says so of a Bastion's subnet."""
    table = inventory.route_table(subnet.route_table_id)
    if table is not None and table.propagates_bgp is False:
        return
    for connection in inventory.hub_connections.get(network.key, ()):
        if not connection.takes_default_route:
            continue
        intent = inventory.routing_intents.get(connection.hub_key)
        hub_table = inventory.hub_route_tables.get(connection.associated_table)
        static = hub_table is not None and EVERYWHERE_TEXT in hub_table.destinations
        if static or (intent is not None and intent.internet):
            what = f"virtual hub connection {connection.name} propagates 0.0.0.0/0 (enableInternetSecurity true)"
            yield "VwanDefaultRoutePropagated", Doubt("EffectiveDataUnavailable", what, connection.id)
    for site in sites_of(inventory, network):
        if EVERYWHERE in site.addresses.intervals:
            what = f"local network gateway {site.name} has 0.0.0.0/0 in its address space"
            yield "DefaultRouteAdvertised", Doubt("EffectiveDataUnavailable", what, site.id)
