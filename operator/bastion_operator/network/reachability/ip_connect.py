"""Step 12: whether a route leads to a VM whose VNet is not peered, which IP-based connection could use.

A gateway by itself is no route. Known routes are: both VNets on hubs of one virtual WAN whose route tables take each other's
prefixes, unless a static route there takes the traffic; a site that was told to Azure and covers the VM's address; a
VNet-to-VNet connection.
Source: Microsoft Learn, "Connect to a VM via specified private IP address", "About virtual hub routing" and
"Virtual hub routing preference".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import product

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import AddressSet, PrefixList, prefix_length
from bastion_operator.network.reachability.gateway_use import gateways_of, sites_of, unread_end
from bastion_operator.network.reachability.host import SUBNET_NAME, Host
from bastion_operator.network.reachability.lost import lost_fact
from bastion_operator.network.reachability.sides import EVERYWHERE, own_space
from bastion_operator.network.reachability.target import Target
from bastion_operator.network.service_tags import Doubt
from bastion_operator.network.sku import supports
from bastion_operator.network.virtual_network import VirtualNetwork
from bastion_operator.network.virtual_wan import (
    DEFAULT_TABLE,
    NONE_TABLE,
    HubConnection,
    HubRouteTable,
    propagates,
    table_labels,
)


class RouteKnowledge(Enum):
    """What the resources tell of a route."""

    KNOWN = auto()
    OPEN = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class RouteToTarget:
    """Whether a route is known, and what is not known where it stays open.

    ``kept_away``: the id of the table of AzureBastionSubnet that keeps away the routes which would lead there. ``own``: that
    table has a route there itself, and it is its next hop that is not known.
    """

    knowledge: RouteKnowledge
    doubt: Doubt | None = None
    kept_away: str | None = None
    own: bool = False


NO_ROUTE = RouteToTarget(RouteKnowledge.NONE)
_KNOWN = RouteToTarget(RouteKnowledge.KNOWN)


def route_to(inventory: Inventory, host: Host, target: Target) -> RouteToTarget:
    """What is known of a route from AzureBastionSubnet to the VM's address."""
    if host.network is None or target.network is None:
        return NO_ROUTE
    if (found := _own_table(inventory, host, target.addresses)) is not None:
        return found
    ways = [*_over_hubs(inventory, host, target), *_over_gateways(inventory, host.network, target)]
    for knowledge in (RouteKnowledge.KNOWN, RouteKnowledge.OPEN):
        for one in ways:
            if one.knowledge is knowledge:
                return _on_bastions_subnet(inventory, host, one)
    return NO_ROUTE


def _on_bastions_subnet(inventory: Inventory, host: Host, learned: RouteToTarget) -> RouteToTarget:
    """What becomes of a route of the VNet on AzureBastionSubnet, whose table may keep learned routes away."""
    table = inventory.route_table(host.subnet.route_table_id) if host.subnet is not None else None
    if table is None or table.propagates_bgp:
        return learned
    if table.propagates_bgp is False:
        return RouteToTarget(RouteKnowledge.NONE, kept_away=table.id)
    what = f"whether route table {table.name} keeps learned routes away from {SUBNET_NAME}"
    return RouteToTarget(RouteKnowledge.OPEN, Doubt("EffectiveDataUnavailable", what, table.id))


def _own_table(inventory: Inventory, host: Host, addresses: AddressSet) -> RouteToTarget | None:
    """A route to the VM in the table of AzureBastionSubnet itself: what its next hop does is not known.

    Where it cannot be read whether there is one, that is not known either.
    """
    table_id = host.subnet.route_table_id if host.subnet is not None else None
    if table_id is None:
        return None
    table = inventory.route_table(table_id)
    if table is None:
        what = f"the routes of {SUBNET_NAME}, whose table {table_id} is not in the data"
        return RouteToTarget(RouteKnowledge.OPEN, lost_fact(inventory, table_id, what))
    for route in table.routes:
        if route.interval is None or route.interval == EVERYWHERE:
            continue
        if not addresses.isdisjoint(AddressSet([route.interval])):
            what = f"what becomes of traffic on {route} of {SUBNET_NAME}"
            return replace(_open("EffectiveDataUnavailable", what, table.id), own=True)
    unread = table.unread()
    return None if unread is None else _open("EffectiveDataUnavailable", unread.what, table.id)


def _over_hubs(inventory: Inventory, host: Host, target: Target) -> Iterator[RouteToTarget]:
    ours, theirs = host.network, target.network
    assert ours is not None, "asked only where the Bastion's VNet is known"
    assert theirs is not None, "asked only where the VM's VNet is known"
    ours_on, theirs_on = (inventory.hub_connections.get(network.key, ()) for network in (ours, theirs))
    for one, other in product(ours_on, theirs_on):
        known = _between_connections(inventory, one, other)
        yield known if known is not _KNOWN else _past_static_routes(inventory, (one, host), (other, target))
    held = [any(link.is_hub_connection for link in network.links) for network in (ours, theirs)]
    if not (ours_on and theirs_on) and (held[0] or ours_on) and (held[1] or theirs_on):
        what = f"the virtual hub connections of VNets {ours.name} and {theirs.name} are not in the data"
        yield _open("EffectiveDataUnavailable", what, theirs.id)
    if bool(ours_on) != bool(theirs_on):
        yield from _unnamed(inventory, (*ours_on, *theirs_on))


def _open(code: str, what: str, resource: str) -> RouteToTarget:
    return RouteToTarget(RouteKnowledge.OPEN, Doubt(code, what, resource))


def _unnamed(inventory: Inventory, connections: Iterable[HubConnection]) -> Iterator[RouteToTarget]:
    """Connections of the same hubs that name no VNet: each may be the other VNet's."""
    for connection in connections:
        if (unnamed := inventory.unnamed_hub_connections.get(connection.hub_key)) is not None:
            yield _open("EffectiveDataUnavailable", f"which VNet virtual hub connection {unnamed} connects", unnamed)


def _between_connections(inventory: Inventory, one: HubConnection, other: HubConnection) -> RouteToTarget:
    if one.hub_key != other.hub_key:
        hubs = [inventory.virtual_hubs.get(key) for key in (one.hub_key, other.hub_key)]
        wans = [hub.wan_key if hub is not None else None for hub in hubs]
        if None in wans:
            missing = one.hub_key if wans[0] is None else other.hub_key
            doubt = lost_fact(inventory, missing, f"which virtual WAN the hub {missing} belongs to")
            return RouteToTarget(RouteKnowledge.OPEN, doubt)
        if wans[0] != wans[1]:
            return NO_ROUTE
    for connection in (one, other):
        intent = inventory.routing_intents.get(connection.hub_key)
        if intent is not None and intent.private:
            what = f"what the firewall of routing intent {intent.id} lets through"
            return _open("EffectiveDataUnavailable", what, intent.id)
    there, back = _takes(inventory, one, other), _takes(inventory, other, one)
    if there and back:
        return _KNOWN
    unread = _unread_table(inventory, other) if there else _unread_table(inventory, one)
    if unread is not None:
        return RouteToTarget(RouteKnowledge.OPEN, unread)
    return _by_static_routes(inventory, one, other)


def _takes(inventory: Inventory, receiver: HubConnection, sender: HubConnection) -> bool:
    """Whether one connection's route table holds the other's prefixes, as far as the table can be read."""
    table_key = receiver.associated_table
    return propagates(sender, table_key, table_labels(table_key, inventory.hub_route_tables.get(table_key)))


def _unread_table(inventory: Inventory, connection: HubConnection) -> Doubt | None:
    """The table of a connection whose labels and static routes nobody can tell; those that every hub has are known."""
    key = connection.associated_table
    table = inventory.hub_route_tables.get(key)
    if key.rpartition("/")[2] in {DEFAULT_TABLE, NONE_TABLE} or (table is not None and table.is_read):
        return None
    what = f"what hub route table {key} of connection {connection.name} holds"
    return lost_fact(inventory, key, what) if table is None else Doubt("EffectiveDataUnavailable", what, table.id)


def _past_static_routes(
    inventory: Inventory, here: tuple[HubConnection, Host], there: tuple[HubConnection, Target]
) -> RouteToTarget:
    """Of a static and a propagated route the longer wins, on a tie the static one; who knows what its next hop does."""
    (one, host), (other, target) = here, there
    for connection, addresses, network in (
        (one, target.addresses, target.network),
        (other, host.sources, host.network),
    ):
        table = inventory.hub_route_tables.get(connection.associated_table)
        if table is not None and network is not None and _static_routes_take(table, addresses, network):
            what = f"what the next hop of the static routes in hub route table {table.id} lets through"
            return _open("EffectiveDataUnavailable", what, table.id)
    return _KNOWN


def _static_routes_take(table: HubRouteTable, addresses: AddressSet, network: VirtualNetwork) -> bool:
    """Whether static routes take some of the addresses away from the routes to the VNet's own prefixes."""
    own = () if network.address_space is None else tuple(network.address_space.intervals())
    for route in PrefixList.of(table.destinations).intervals():
        longer = AddressSet(prefix for prefix in own if prefix_length(prefix) > prefix_length(route))
        if route != EVERYWHERE and addresses & AddressSet([route]) - longer:
            return True
    return False


def _by_static_routes(inventory: Inventory, one: HubConnection, other: HubConnection) -> RouteToTarget:
    """Static routes that cover the other VNet lead through something whose rules are not known."""
    network = inventory.virtual_networks.get(other.network_key)
    table = inventory.hub_route_tables.get(one.associated_table)
    if table is None or network is None:
        return NO_ROUTE
    space = own_space(network)
    reached = AddressSet(
        interval for interval in AddressSet.readable(*table.destinations).intervals if interval != EVERYWHERE
    )
    if not reached or (space.doubt is None and reached.isdisjoint(space.addresses)):
        return NO_ROUTE
    what = f"what the next hop of the static routes in hub route table {table.id} lets through"
    return _open("EffectiveDataUnavailable", what, table.id)


def _over_gateways(inventory: Inventory, ours: VirtualNetwork, target: Target) -> Iterator[RouteToTarget]:
    assert target.network is not None, "asked only where the VM's VNet is known"
    gateways = set(gateways_of(inventory, ours))
    if not gateways:
        return
    if target.addresses and any(target.addresses <= site.routes for site in sites_of(inventory, ours)):
        yield _KNOWN
    theirs = set(gateways_of(inventory, target.network))
    if any(inventory.joined_gateways.get(key, frozenset()) & theirs for key in gateways):
        yield _KNOWN
    if (doubt := unread_end(inventory, ours)) is not None:
        yield RouteToTarget(RouteKnowledge.OPEN, doubt)


def ip_connect_findings(host: Host, target: Target, route: RouteToTarget) -> Iterator[Finding]:
    """Step 12: what stands between an unpeered VM and IP-based connection."""
    bastion = host.bastion
    capable = bastion.sku is not None and supports(bastion.sku, "ipConnect")
    if route.knowledge is RouteKnowledge.NONE:
        if route.doubt is not None:
            yield _doubtful(target, route.doubt)
        elif capable and bastion.ip_connect:
            message = (
                f"Bastion {bastion.name} has IP-based connection, but no route leads to VNet {target.network_name}"
            )
            cure = "connect both to one virtual WAN, or peer them"
            if route.kept_away is not None:
                cure = f"route table {route.kept_away} keeps learned routes away from {SUBNET_NAME}; take it off"
            yield finding("NoRouteToTarget", f"{message}: {cure}", resource=target.network_id)
        return
    message = f"VNet {target.network_name} is reached over a virtual hub or a gateway only, by IP-based connection"
    yield finding("IpConnectRequired", message, resource=target.network_id)
    if bastion.sku is not None and not capable:
        message = f"IP-based connection needs SKU Standard or Premium, and Bastion {bastion.name} is {bastion.sku}"
        yield finding("IpConnectSkuTooLow", f"{message}: upgrade it", resource=bastion.id)
    elif not bastion.ip_connect:
        message = f"IP-based connection is off on Bastion {bastion.name}: set enableIpConnect to true"
        yield finding("IpConnectDisabled", message, resource=bastion.id)
    if route.doubt is not None:
        yield _doubtful(target, route.doubt)


def _doubtful(target: Target, doubt: Doubt) -> Finding:
    message = f"whether a route leads to VNet {target.network_name} hangs on what is not known: {doubt.what}"
    return finding(doubt.code, message, resource=doubt.resource)


def as_a_path(host: Host, route: RouteToTarget) -> RouteToTarget:
    """The route as IP-based connection sees it: one that is only perhaps there is no path for a Bastion that has it not."""
    bastion = host.bastion
    usable = bastion.ip_connect and (bastion.sku is None or supports(bastion.sku, "ipConnect"))
    if usable or route.own or route.knowledge is not RouteKnowledge.OPEN:
        return route
    return replace(route, knowledge=RouteKnowledge.NONE)
