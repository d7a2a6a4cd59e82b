"""Route tables, as read from ARM JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, at, flag, mapping, text
from bastion_operator.network.prefixes import PrefixError, is_ipv6, parse_prefix

_HOPS: Final = frozenset({"virtualappliance", "virtualnetworkgateway", "vnetlocal", "internet", "none", "vnetpeering"})


@dataclass(frozen=True, slots=True)
class Route:
    """A user-defined route. ``interval`` is None for a destination that is a service tag, IPv6 or unreadable.

    ``next_hop`` is the word that stands there, lower-cased: virtualappliance, virtualnetworkgateway, vnetlocal, internet,
    none. ``prefix_is_read`` and ``hop_is_read``: whether destination and next hop are something that Azure knows.
    """

    name: str
    prefix: str
    interval: tuple[int, int] | None
    next_hop: str
    prefix_is_read: bool
    hop_is_read: bool

    def __str__(self) -> str:
        return f"route {self.name} ({self.prefix!r} to {self.next_hop or 'nowhere'})"


@dataclass(frozen=True, slots=True)
class Unread:
    """What of a route table cannot be read, in words; ``route`` is the name of the route, if it is one."""

    what: str
    route: str | None = None


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table; ``propagates_bgp`` is false where routes of gateways and virtual hubs are kept away from its subnets.

    It is None where what the table says of that is no boolean.
    ``states_routes`` is false where neither the table nor a row of its own says what routes there are.
    """

    id: str
    key: str
    routes: tuple[Route, ...]
    states_routes: bool
    propagates_bgp: bool | None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.id.rsplit("/", 1)[-1]

    def unread(self, undecided: Iterable[Route] = ()) -> Unread | None:
        """What cannot be read: all of its routes, the destination of one, or the next hop of one that is undecided for it."""
        if not self.states_routes:
            return Unread(f"route table {self.name} states no routes")
        first = next((route for route in self.routes if not route.prefix_is_read), None) or next(iter(undecided), None)
        return None if first is None else Unread(f"{first} of {self.name} cannot be read", first.name)


def read_route_table(row: Row, row_id: str, routes: Iterable[Row] = ()) -> RouteTable:
    """A route table out of its ARM JSON, together with routes that came as rows of their own."""
    properties = mapping(row, "properties")
    stated = at(properties, "routes")
    parts = [*(stated if isinstance(stated, list) else ()), *routes]
    return RouteTable(
        id=row_id,
        key=normalise_id(row_id),
        routes=tuple(map(_read_route, parts)),
        states_routes=isinstance(stated, list) or bool(parts),
        propagates_bgp=_propagates(properties),
    )


def _propagates(properties: Row) -> bool | None:
    field = "disableBgpRoutePropagation"
    if at(properties, field) is None:
        return True
    kept_away = flag(properties, field)
    return not kept_away if kept_away == flag(properties, field, default=True) else None


def _read_route(row: object) -> Route:
    """A route; one that is no object at all is one of which nothing can be read."""
    prefix = text(row, "properties", "addressPrefix") or ""
    hop = (text(row, "properties", "nextHopType") or "").lower()
    interval = None
    prefix_is_read = True
    try:
        interval = parse_prefix(prefix)
    except PrefixError:
        prefix_is_read = is_ipv6(prefix) or _is_service_tag(prefix)
    return Route(text(row, "name") or "", prefix, interval, hop, prefix_is_read, hop in _HOPS)


def _is_service_tag(prefix: str) -> bool:
    return prefix[:1].isalpha()
