"""The routes of a subnet, system, user-defined and learned, and which of them a packet takes.

Rules: https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from arm_emulator.errors import Json
from arm_emulator.evaluation import gateways, managed
from arm_emulator.evaluation.rows import Rows, field, ipv4, network_of, parts, referred, same, space
from arm_emulator.evaluation.tags import EVERYTHING

USER, GATEWAY, DEFAULT = "User", "VirtualNetworkGateway", "Default"
NOWHERE = tuple(IPv4Network(prefix) for prefix in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"))
"""Ranges that go nowhere unless a network has them."""
LOCAL_HOPS = ("VnetLocal", "VNetPeering", "VNetGlobalPeering", "ConnectedGroup")
SERVICE_PREFIXES = {
    "microsoft.storage": "20.38.108.0/23",
    "microsoft.sql": "104.40.168.64/26",
    "microsoft.keyvault": "13.69.64.72/29",
}
"""One published prefix for each service, in place of the hundreds that Azure lists."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route as `effectiveRouteTable` shows it; `table` is the id of the route table that a user-defined one is in."""

    source: str
    prefix: IPv4Network
    hop: str
    address: str | None = None
    name: str | None = None
    table: str | None = None
    active: bool = True


def effective_routes(
    rows: Rows, subnet_id: str, peers: tuple[tuple[str, tuple[IPv4Network, ...]], ...] = ()
) -> list[Route]:
    """All routes of a subnet. `peers` are networks, with their spaces, that count as peered although no sound link says so."""
    subnet = rows.find(subnet_id) or {}
    network = rows.find(network_of(subnet_id)) or {}
    table = rows.find(referred(subnet, "routeTable"))
    user = [] if table is None else _user_routes(table)
    system = [*_system_routes(rows, network, peers), *_service_routes(subnet)]
    learned = []
    if table is None or field(table, "disableBgpRoutePropagation") is not True:
        learned = [Route(GATEWAY, prefix, "VirtualNetworkGateway") for prefix in gateways.learned(rows, network)]
    return [*(_standing(route, user) for route in system), *(_standing(route, user) for route in learned), *user]


def next_hop(routes: list[Route], address: IPv4Address) -> Route | None:
    """The longest active prefix that holds the address; on a tie user-defined, then learned, then system.

    A route of a network or a peering beats even a longer learned one.
    """
    fitting = [route for route in routes if route.active and address in route.prefix]
    if any(route.source == DEFAULT and route.hop in LOCAL_HOPS for route in fitting):
        fitting = [route for route in fitting if route.source != GATEWAY]
    order = (USER, GATEWAY, DEFAULT)
    return max(fitting, key=lambda route: (route.prefix.prefixlen, -order.index(route.source)), default=None)


def _standing(route: Route, user: list[Route]) -> Route:
    """A system or learned route is Invalid where a user-defined one has the same prefix."""
    if not any(one.prefix == route.prefix for one in user):
        return route
    return Route(route.source, route.prefix, route.hop, route.address, route.name, route.table, active=False)


def _user_routes(table: Json) -> list[Route]:
    return [
        Route(
            USER,
            prefix,
            str(field(row, "nextHopType")),
            None if field(row, "nextHopIpAddress") is None else str(field(row, "nextHopIpAddress")),
            str(row.get("name")),
            str(table["id"]),
        )
        for row in parts(table, "routes")
        for prefix in ipv4([str(field(row, "addressPrefix"))])
    ]


def _system_routes(rows: Rows, network: Json, peers: tuple[tuple[str, tuple[IPv4Network, ...]], ...]) -> list[Route]:
    found = [Route(DEFAULT, prefix, "VnetLocal") for prefix in space(network)]
    for link in parts(network, "virtualNetworkPeerings"):
        remote = referred(link, "remoteVirtualNetwork")
        if field(link, "peeringState") == "Connected" and not any(same(remote, peer) for peer, _ in peers):
            prefixes = space(link, "remoteAddressSpace")
            found += [Route(DEFAULT, prefix, _peering_hop(rows, network, remote)) for prefix in prefixes]
    for peer, prefixes_of_peer in peers:
        found += [Route(DEFAULT, prefix, _peering_hop(rows, network, peer)) for prefix in prefixes_of_peer]
    found += [Route(DEFAULT, prefix, "ConnectedGroup") for prefix in managed.connected(rows, network)]
    found.append(Route(DEFAULT, EVERYTHING, "Internet"))
    return found + [Route(DEFAULT, prefix, "None") for prefix in NOWHERE if prefix not in space(network)]


def _peering_hop(rows: Rows, network: Json, remote: str | None) -> str:
    other = rows.find(remote) or network
    return "VNetPeering" if other.get("location") == network.get("location") else "VNetGlobalPeering"


def _service_routes(subnet: Json) -> list[Route]:
    services = {str(entry.get("service", "")).lower() for entry in _list(field(subnet, "serviceEndpoints"))}
    prefixes = [SERVICE_PREFIXES[service] for service in sorted(services & set(SERVICE_PREFIXES))]
    return [Route(DEFAULT, prefix, "VirtualNetworkServiceEndpoint") for prefix in ipv4(prefixes)]


def _list(value: object) -> list[Json]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
