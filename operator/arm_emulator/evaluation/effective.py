"""Effective rules and routes of an interface, in the bodies that Azure answers.

Shapes: https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/list-effective-network-security-groups
"""

from arm_emulator.errors import Json
from arm_emulator.evaluation.placement import RuleSet, members_of, placement
from arm_emulator.evaluation.routes import Route, effective_routes
from arm_emulator.evaluation.rows import Rows, field, referred
from arm_emulator.evaluation.security_rules import Rule, port_range
from arm_emulator.evaluation.tags import ANY, Side, expanded, tag_map

PROTOCOLS = {"*": "All", "any": "All"}


def effective_groups(rows: Rows, interface: Json) -> Json:
    """The rules of each group and network manager around an interface, tags expanded."""
    place = placement(rows, interface)
    return {"value": [_group(rows, held, place.side) for held in place.inbound()]}


def _group(rows: Rows, held: RuleSet, side: Side) -> Json:
    target = held.owner if held.kind == "networkManager" else held.applied_to
    tags = sorted({entry for rule in held.rules for entry in (*rule.sources, *rule.destinations)})
    return {
        "networkSecurityGroup": {"id": held.owner},
        "association": {held.kind: {"id": target}},
        "effectiveSecurityRules": [_rule(rows, rule, held.kind, side) for rule in held.rules],
        "tagMap": tag_map(side, tags),
    }


def _rule(rows: Rows, rule: Rule, kind: str, side: Side) -> Json:
    sources = _entries(rows, rule.sources, rule.source_groups)
    destinations = _entries(rows, rule.destinations, rule.destination_groups)
    source_ports, destination_ports = _ports(rule.source_ports), _ports(rule.destination_ports)
    return {
        "name": rule_name(rule, kind),
        "protocol": PROTOCOLS.get(rule.protocol.lower(), rule.protocol.capitalize()),
        "sourcePortRange": source_ports[0],
        "destinationPortRange": destination_ports[0],
        "sourcePortRanges": source_ports,
        "destinationPortRanges": destination_ports,
        "sourceAddressPrefix": sources[0] if sources else "",
        "destinationAddressPrefix": destinations[0] if destinations else "",
        "sourceAddressPrefixes": sources,
        "destinationAddressPrefixes": destinations,
        "expandedSourceAddressPrefix": _expanded(side, sources),
        "expandedDestinationAddressPrefix": _expanded(side, destinations),
        "access": rule.access,
        "priority": rule.priority,
        "direction": rule.direction,
    }


def rule_name(rule: Rule, kind: str) -> str:
    """`defaultSecurityRules/…` and `securityRules/…`; a network manager's rules have their name alone."""
    if kind == "networkManager":
        return rule.name
    return f"{'defaultSecurityRules' if rule.is_default else 'securityRules'}/{rule.name}"


def _entries(rows: Rows, entries: tuple[str, ...], groups: tuple[str, ...]) -> list[str]:
    members = [address for group in groups for address in members_of(rows, group)]
    return ["0.0.0.0/0" if entry.lower() in ANY else entry for entry in entries] + members


def _expanded(side: Side, entries: list[str]) -> list[str]:
    return [prefix for entry in entries for prefix in expanded(side, entry) or []]


def _ports(ranges: tuple[str, ...]) -> list[str]:
    return ["{}-{}".format(*port_range(text)) for text in ranges]


def effective_route_table(rows: Rows, interface: Json) -> Json:
    """All routes of an interface's subnet."""
    place = placement(rows, interface)
    table = rows.find(referred(rows.find(place.subnet) or {}, "routeTable"))
    stopped = table is not None and field(table, "disableBgpRoutePropagation") is True
    return {"value": [_route(route, stopped=stopped) for route in effective_routes(rows, place.subnet)]}


def _route(route: Route, *, stopped: bool) -> Json:
    shown: Json = {} if route.name is None else {"name": route.name}
    return {
        **shown,
        "disableBgpRoutePropagation": stopped,
        "source": route.source,
        "state": "Active" if route.active else "Invalid",
        "addressPrefix": [str(route.prefix)],
        "nextHopType": route.hop,
        "nextHopIpAddress": [] if route.address is None else [route.address],
    }
