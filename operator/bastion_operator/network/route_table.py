"""Route tables, as read from ARM JSON."""

from collections.abc import Iterable
from dataclasses import dataclass

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, flag, mapping, objects, text
from bastion_operator.network.prefixes import PrefixError, is_ipv6, parse_prefix


@dataclass(frozen=True, slots=True)
class Route:
    """A user-defined route. ``interval`` is None for a destination that is a service tag, IPv6 or unreadable.

    ``next_hop`` is Azure's word, lower-cased: virtualappliance, virtualnetworkgateway, vnetlocal, internet, none.
    """

    name: str
    prefix: str
    interval: tuple[int, int] | None
    next_hop: str
    readable: bool


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table; ``propagates_bgp`` is false where gateway routes are kept away from its subnets."""

    id: str
    key: str
    routes: tuple[Route, ...]
    propagates_bgp: bool


def read_route_table(row: Row, row_id: str, routes: Iterable[Row] = ()) -> RouteTable:
    """A route table out of its ARM JSON, together with routes that came as rows of their own."""
    properties = mapping(row, "properties")
    return RouteTable(
        id=row_id,
        key=normalise_id(row_id),
        routes=tuple(map(_read_route, (*objects(properties, "routes"), *routes))),
        propagates_bgp=not flag(properties, "disableBgpRoutePropagation"),
    )


def _read_route(row: Row) -> Route:
    prefix = text(row, "properties", "addressPrefix") or ""
    hop = (text(row, "properties", "nextHopType") or "").lower()
    interval = None
    readable = bool(hop)
    try:
        interval = parse_prefix(prefix)
    except PrefixError:
        readable = readable and (is_ipv6(prefix) or _is_service_tag(prefix))
    return Route(text(row, "name") or "", prefix, interval, hop, readable)


def _is_service_tag(prefix: str) -> bool:
    return prefix[:1].isalpha()
