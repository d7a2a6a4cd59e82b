"""Step 16: the way back from the VM to the Bastion's addresses.

The longest prefix wins, and on a tie the user-defined route; a user-defined route as long as the VNet's or the peering's
system route, or longer, takes the replies with it. Source: Microsoft Learn, "Virtual network traffic routing".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.prefixes import EMPTY, AddressSet, prefix_length
from bastion_operator.network.reachability.host import Host
from bastion_operator.network.reachability.lost import lost
from bastion_operator.network.reachability.path import Topology
from bastion_operator.network.reachability.question import Question
from bastion_operator.network.reachability.sides import Space, linked_space, own_space
from bastion_operator.network.reachability.verdict import Via
from bastion_operator.network.route_table import Route, RouteTable
from bastion_operator.network.service_tags import Doubt
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork

Interval = tuple[int, int]

_INSIDE: Final = frozenset({"vnetlocal", "vnetpeering"})
_GATEWAY: Final = frozenset({"virtualnetworkgateway"})


def return_route_findings(question: Question) -> Iterator[Finding]:
    """Replies go straight back; no user route applies to the Developer SKU's source.

    Over a gateway or a virtual hub it is not seen what does not divert them for certain.
    """
    host, target = question.host, question.target
    if host.is_developer or not question.flow_is_known or target.subnet is None:
        return
    found = tuple(_by_user_routes(question, target.subnet))
    if question.path.via is Via.IP_CONNECT and all(one.code != "ReturnRouteDiverted" for one in found):
        message = (
            "the routes back over the gateway or the virtual hub are learned, and not to be seen in Azure's resources"
        )
        yield finding("NotLookedAt", message, resource=target.subnet.id)
    yield from found


def _by_user_routes(question: Question, subnet: Subnet) -> tuple[Finding, ...]:
    """What the routes of the VM's subnet do to replies."""
    inventory, host, path = question.evaluation.inventory, question.host, question.path
    if subnet.route_table_id is None:
        return ()
    table = inventory.route_table(subnet.route_table_id)
    if table is None:
        message = f"the route table {subnet.route_table_id} of subnet {subnet.name} is not in the data"
        return (lost(inventory, subnet.route_table_id, message),)
    over_gateway = path.via is Via.IP_CONNECT
    good = _GATEWAY if over_gateway else _INSIDE

    def work() -> tuple[Finding, ...]:
        system = _system_routes(question)
        if over_gateway and not table.propagates_bgp:
            system = _kept_away(table, system)
        return tuple(_judged(table, host, system, good))

    key = ("return", table.key, host.bastion.key, question.target.network_key, path.topology, path.sound, over_gateway)
    return question.evaluation.once(key, work)


@dataclass(frozen=True, slots=True)
class RouteChoice:
    """A route on the VM's subnet: ``name`` is None for Azure's own; ``takes`` are the Bastion's addresses whose replies it takes."""

    name: str | None
    prefix: str
    next_hop: str
    takes: AddressSet


def return_routes(question: Question) -> list[RouteChoice]:
    """The routes on the VM's subnet that are seen in Azure's resources, in the order in which they win."""
    subnet, network = question.target.subnet, question.target.network
    table = question.evaluation.inventory.route_table(None if subnet is None else subnet.route_table_id)
    over_gateway = question.path.via is Via.IP_CONNECT
    system = () if over_gateway else _system_routes(question).least
    own = set(_prefixes_of(network))
    remaining = question.host.sources
    found = []
    for interval, route in _longest_first(table, system):
        taken = remaining & AddressSet([interval])
        remaining -= taken
        if route is None:
            prefix, hop = (
                ", ".join(AddressSet([interval]).prefixes()),
                "VnetLocal" if interval in own else "VNetPeering",
            )
            found.append(RouteChoice(None, prefix, hop, taken))
        else:
            found.append(RouteChoice(route.name, route.prefix, route.next_hop or "?", taken))
    return found


def _judged(table: RouteTable, host: Host, system: "_SystemRoutes", good: frozenset[str]) -> Iterator[Finding]:
    sources = host.sources
    replies = _replies(table, sources, system.most, good)
    possible = replies if system.doubt is None else _replies(table, sources, system.least, good)
    route = replies.blamed
    if route is not None and not _may_be_kept(table, good):
        some = ", ".join(replies.diverted.prefixes())
        message = f"route {route.name} ({route.prefix} to {route.next_hop}) of {table.name} takes the replies"
        yield finding(
            "ReturnRouteDiverted",
            f"{message} to {some} (of the Bastion addresses {host.prefix_text}) away: {_cure(host, replies, good)}",
            resource=table.id,
            rule=route.name,
        )
    if (unread := table.unread(possible.undecided)) is not None:
        yield finding("EffectiveDataUnavailable", unread.what, resource=table.id, rule=unread.route)
    route = possible.blamed
    if system.doubt is not None and route is not None and not possible.diverted <= replies.diverted:
        message = f"whether route {route.name} of {table.name} takes the replies hangs on what is not known"
        yield finding(system.doubt.code, f"{message}: {system.doubt.what}", resource=system.doubt.resource)


def _cure(host: Host, replies: "_Replies", good: frozenset[str]) -> str:
    """What to do: a route for the Bastion prefix is of use only where those that lead away are shorter."""
    if any(AddressSet([interval]) <= host.prefix for interval in replies.away):
        return "take it off"
    hop = "VirtualNetworkGateway" if good is _GATEWAY else "VnetLocal"
    return f"take it off, or add a route for {host.prefix_text} to {hop}"


@dataclass(frozen=True, slots=True)
class _Replies:
    """Where user routes take the replies: ``diverted`` are the sources whose replies they take elsewhere, ``away`` their prefixes.

    ``blamed`` does it to the lowest of them; ``undecided`` take some nobody can tell where.
    """

    diverted: AddressSet
    away: tuple[Interval, ...]
    blamed: Route | None
    undecided: tuple[Route, ...]


def _replies(table: RouteTable, sources: AddressSet, system: tuple[Interval, ...], good: frozenset[str]) -> _Replies:
    remaining, diverted, blamed, undecided = sources, AddressSet(), None, []
    away: list[Interval] = []
    for interval, route in _longest_first(table, system):
        taken = remaining & AddressSet([interval])
        remaining -= taken
        if route is None or not taken or route.next_hop in good:
            continue
        if not route.hop_is_read:
            undecided.append(route)
            continue
        if blamed is None or taken.lowest < diverted.lowest:
            blamed = route
        diverted |= taken
        away.append(interval)
    return _Replies(diverted, tuple(away), blamed, tuple(undecided))


def _may_be_kept(table: RouteTable, good: frozenset[str]) -> bool:
    """Whether a route of which nobody can tell what it takes may keep inside what another one would take away."""
    return any(not route.prefix_is_read and (not route.hop_is_read or route.next_hop in good) for route in table.routes)


def _longest_first(table: RouteTable | None, system: tuple[Interval, ...]) -> list[tuple[Interval, Route | None]]:
    """User routes and system routes (None) in the order in which they win: by length, on a tie the user's."""
    user: list[tuple[Interval, Route | None]] = [
        (route.interval, route) for route in (() if table is None else table.routes) if route.interval is not None
    ]
    every = user + [(interval, None) for interval in system]
    return sorted(every, key=lambda pair: (-prefix_length(pair[0]), pair[1] is None))


@dataclass(frozen=True, slots=True)
class _SystemRoutes:
    """Prefixes of the system routes that lead to the Bastion: ``least`` for certain, ``most`` if all goes well.

    Where the two differ, ``doubt`` says why.
    """

    least: tuple[Interval, ...]
    most: tuple[Interval, ...]
    doubt: Doubt | None = None


def _system_routes(question: Question) -> _SystemRoutes:
    """The VNet's own, or the peer's as the VM's link knows it."""
    path, target, host = question.path, question.target, question.host
    own = _prefixes_of(target.network)
    link = path.pair.far if path.pair is not None else None
    if path.topology is Topology.SAME_VNET:
        space = _space_of(host.network)
        known = own
    elif path.sound and link is not None and link.remote_address_space is not None:
        space = linked_space(link)
        known = (*own, *_separate(link.remote_address_space.texts))
    else:
        space = _space_of(host.network)
        known = (*own, *_prefixes_of(host.network))
    if space.doubt is None or host.sources <= space.addresses:
        return _SystemRoutes(known, known)
    # No system route is longer than the subnet's prefix, so that a user route as long as that wins for certain.
    subnet = host.subnet.prefixes if host.subnet is not None else None
    return _SystemRoutes(known, (*known, *_separate(() if subnet is None else subnet.texts)), space.doubt)


def _kept_away(table: RouteTable, system: _SystemRoutes) -> _SystemRoutes:
    """What of learned routes is left on a subnet whose table keeps them away, or may do so."""
    if table.propagates_bgp is False:
        return _SystemRoutes((), ())
    what = f"whether route table {table.name} keeps learned routes away"
    return _SystemRoutes((), system.most, Doubt("EffectiveDataUnavailable", what, table.id))


def _space_of(network: VirtualNetwork | None) -> Space:
    return Space(EMPTY) if network is None else own_space(network)


def _prefixes_of(network: VirtualNetwork | None) -> tuple[Interval, ...]:
    return () if network is None or network.address_space is None else _separate(network.address_space.texts)


def _separate(texts: tuple[str, ...]) -> tuple[Interval, ...]:
    """Each prefix by itself: neighbouring prefixes are routes of their own, never one longer route."""
    return tuple(interval for text in texts for interval in AddressSet.readable(text).intervals)
