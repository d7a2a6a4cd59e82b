"""Security rules held against one flow, one rule after the other.

Rules: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from dataclasses import field as made
from ipaddress import IPv4Network
from json import dumps

from arm_emulator.errors import Json
from arm_emulator.evaluation.rows import field
from arm_emulator.evaluation.tags import Side, contains

LAST_PORT = 65535
NO_PORTS = (1, 0)
ACCESSES = ("Allow", "Deny")
FIRST = -1
"""Where a rule is tried whose priority cannot be read: if it matches there, it covers every place that it may have."""
MISSING = "?"
"""Stands for what a rule does not state, and in front of what it states and nobody can read."""
DEFAULTS = (
    ("AllowVnetInBound", "Inbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", "Inbound", 65001, "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", "Inbound", 65500, "Deny", "*", "*"),
    ("AllowVnetOutBound", "Outbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", "Outbound", 65001, "Allow", "*", "Internet"),
    ("DenyAllOutBound", "Outbound", 65500, "Deny", "*", "*"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a security group or of a network manager, its singular and plural fields read as one."""

    name: str
    direction: str
    priority: int
    access: str
    protocol: str = "*"
    sources: tuple[str, ...] = ("*",)
    destinations: tuple[str, ...] = ("*",)
    source_ports: tuple[str, ...] = ("*",)
    destination_ports: tuple[str, ...] = ("*",)
    source_groups: tuple[str, ...] = ()
    destination_groups: tuple[str, ...] = ()
    is_default: bool = False
    resource: str = ""
    place: int = 0
    """Where it stands in its list, which tells rules of one name apart."""
    unread: tuple[str, ...] = ()
    """What of it has to be so for it to be this rule, and cannot be read."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Source and destination as prefixes (one address: /32); `port` is None for all ports; groups are lower-cased ids."""

    source: IPv4Network
    destination: IPv4Network
    port: int | None
    protocol: str = "Tcp"
    source_groups: frozenset[str] = made(default_factory=frozenset)
    destination_groups: frozenset[str] = made(default_factory=frozenset)
    source_port: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """What of a rule fits a flow; None where nobody can tell."""

    protocol: bool
    source: bool | None
    source_port: bool
    destination: bool | None
    destination_port: bool
    some_source_ports: bool = False
    """Whether the rule names source ports, of which a client that takes any port uses some."""

    @property
    def whole(self) -> bool | None:
        """Whether all of it fits; None where that hangs on what nobody can tell."""
        each = (self.protocol, self.source, self.destination, self.destination_port)
        if False in each:
            return False
        return None if None in each else True


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a list of rules decides: Allow, Deny, AlwaysAllow; Partial where a Deny takes some source ports; Unknown; or
    Undecided where no rule fits.
    """

    access: str
    rule: Rule | None = None


UNDECIDED = Outcome("Undecided")


def rules_of(group: Json) -> list[Rule]:
    """A security group's rules with the six that every group has, by priority.

    One of which nobody can tell the direction or the access is several, each with what has to be so for it.
    """
    listed = field(group, "securityRules")
    rows = enumerate(listed if isinstance(listed, list) else [], start=1)
    user = [rule for place, row in rows for rule in _rules(row, place, str(group["id"]))]
    defaults = [
        Rule(
            name,
            direction,
            priority,
            access,
            "*",
            (source,),
            (destination,),
            is_default=True,
            resource=str(group["id"]),
        )
        for name, direction, priority, access, source, destination in DEFAULTS
    ]
    return sorted([*user, *defaults], key=lambda rule: rule.priority)


def readable_rules_of(group: Json) -> list[Rule]:
    """Those of which direction, priority and access are known, as Azure has no others."""
    every = rules_of(group)
    unread = {rule.place for rule in every if rule.unread}
    return [rule for rule in every if rule.is_default or rule.place not in unread]


def _rules(row: object, place: int, group_id: str) -> Iterator[Rule]:
    """What a row may be: one rule, if it can be read."""
    if isinstance(row, dict):
        held = row.get("properties")
        properties = held if isinstance(held, dict) and held else row
        rule = _rule(row, properties, place, group_id)
        way, what = properties.get("direction"), properties.get("access")
    else:
        rule, way, what = Rule(f"#{place}", "", FIRST, "", resource=group_id, place=place, unread=("rule",)), None, None
    for direction in _word(way, "Inbound", "Outbound"):
        told = (
            rule.unread if direction == str(way).capitalize() or "rule" in rule.unread else (*rule.unread, "direction")
        )
        looking = replace(rule, direction=direction, unread=told)
        if str(what).capitalize() in ACCESSES:
            yield replace(looking, access=str(what).capitalize())
        elif names_some(rule.source_ports):
            # As an Allow it would never count.
            yield replace(looking, access="Deny", unread=(*told, "access"))
        else:
            yield replace(looking, access="Allow", unread=(*told, "access"))
            yield replace(looking, access="Deny")


def _word(value: object, *known: str) -> tuple[str, ...]:
    """The word that is meant, or all that may be."""
    return tuple(one for one in known if one == str(value).capitalize()) or known


def _rule(row: Json, properties: Json, place: int, group_id: str) -> Rule:
    """A rule without its direction and access."""
    priority, protocol, name = _whole(properties.get("priority")), properties.get("protocol"), row.get("name")
    known = isinstance(protocol, str) and protocol.lower() != "any"
    return Rule(
        name=str(name or str(row.get("id") or "").rpartition("/")[2] or f"#{place}"),
        direction="",
        priority=FIRST if priority is None else priority,
        access="",
        protocol=str(protocol) if known else "?",
        sources=_side(properties, "source"),
        destinations=_side(properties, "destination"),
        source_ports=_both(properties, "sourcePortRange", "sourcePortRanges") or (MISSING,),
        destination_ports=_both(properties, "destinationPortRange", "destinationPortRanges") or (MISSING,),
        source_groups=_ids(properties, "sourceApplicationSecurityGroups"),
        destination_groups=_ids(properties, "destinationApplicationSecurityGroups"),
        resource=group_id,
        place=place,
        unread=() if priority is not None else ("priority",),
    )


def _whole(value: object) -> int | None:
    """A whole number, be it written as a text."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _side(properties: Json, side: str) -> tuple[str, ...]:
    """The addresses of one side; what is no application security group has its place among them."""
    listed = properties.get(f"{side}ApplicationSecurityGroups")
    entries = listed if isinstance(listed, list) else []
    odd = [one for one in entries if not _is_group(one)] if listed is None or isinstance(listed, list) else [listed]
    stated = _both(properties, f"{side}AddressPrefix", f"{side}AddressPrefixes")
    found = (*stated, *(_said(one, odd=True) for one in odd))
    return found if found or entries else (f"{MISSING}{side}",)


def _both(properties: Json, one: str, several: str) -> tuple[str, ...]:
    single, listed = properties.get(one), properties.get(several)
    many = [] if listed is None else listed if isinstance(listed, list) else [listed]
    return tuple(map(_said, [*([] if single in (None, "") else [single]), *many]))


def _said(item: object, *, odd: bool = False) -> str:
    """A text or a number as it stands; whatever else, so that it is neither prefix nor tag nor port."""
    plain = isinstance(item, str | int) and not isinstance(item, bool) and not odd
    return str(item) if plain else MISSING + dumps(item)


def _is_group(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), str) and entry["id"] != ""


def _ids(properties: Json, name: str) -> tuple[str, ...]:
    listed = properties.get(name)
    return tuple(str(one["id"]).lower() for one in listed if _is_group(one)) if isinstance(listed, list) else ()


def names_some(source_ports: Iterable[str]) -> bool:
    """Whether these are some source ports and not all, as far as every one can be read."""
    ranges = list(map(port_range, source_ports))
    return all(low <= high for low, high in ranges) and not any(low <= 1 and high >= LAST_PORT for low, high in ranges)


def match(rule: Rule, flow: Flow, side: Side) -> Match:
    """What of the rule fits the flow."""
    some = not any(port_range(text) == (0, LAST_PORT) for text in rule.source_ports)
    return Match(
        protocol=rule.protocol.lower() in ("*", "any") or rule.protocol.lower() == flow.protocol.lower(),
        source=bool(flow.source_groups & set(rule.source_groups))
        or _any(contains(side, entry, flow.source) for entry in rule.sources),
        source_port=not some or (flow.source_port is not None and _has_port(rule.source_ports, flow.source_port)),
        destination=bool(flow.destination_groups & set(rule.destination_groups))
        or _any(contains(side, entry, flow.destination) for entry in rule.destinations),
        destination_port=_has_port(rule.destination_ports, flow.port),
        some_source_ports=some and flow.source_port is None,
    )


def decide(rules: Iterable[Rule], flow: Flow, side: Side) -> Outcome:
    """The first rule that fits decides. `rules` are those of one direction, by priority.

    A rule on some source ports never counts as an Allow, and its Deny takes a part of the sessions. A rule of which
    nobody can tell whether it fits makes the outcome Unknown, unless it comes to the same either way.
    """
    partial: Rule | None = None
    doubtful: list[Rule] = []
    for rule in rules:
        found = match(rule, flow, side)
        if found.whole is False or not (found.source_port or found.some_source_ports):
            continue
        if found.some_source_ports and rule.access != "Deny":
            continue
        if found.whole is None:
            doubtful.append(rule)
        elif found.some_source_ports:
            partial = partial or rule
        else:
            return _outcome(rule, partial, doubtful)
    return _outcome(None, partial, doubtful)


def _outcome(rule: Rule | None, partial: Rule | None, doubtful: list[Rule]) -> Outcome:
    access = "Undecided" if rule is None else rule.access
    # Where a network manager has no word, or allows, the security groups are asked: it comes to the same.
    same = ("Allow", "Undecided") if access in ("Allow", "Undecided") else (access,)
    other = next((one for one in doubtful if one.access not in same), None)
    if other is not None:
        return Outcome("Unknown", other)
    if partial is not None and access != "Deny":
        return Outcome("Partial", partial)
    return Outcome(access, rule)


def _any(found: Iterable[bool | None]) -> bool | None:
    answers = list(found)
    return True if True in answers else None if None in answers else False


def port_range(text: str) -> tuple[int, int]:
    """First and last port of `n`, `a-b` or `*`; a range without ports for what is none of these."""
    if text.strip() == "*":
        return 0, LAST_PORT
    low, dash, high = (part.strip() for part in text.partition("-"))
    high = high if dash else low
    if not all(bound.isascii() and bound.isdecimal() and int(bound) <= LAST_PORT for bound in (low, high)):
        return NO_PORTS
    return (int(low), int(high)) if int(low) <= int(high) else NO_PORTS


def _has_port(ranges: Iterable[str], port: int | None) -> bool:
    if port is None:
        return _covers_every_port(ranges)
    return any(low <= port <= high for low, high in map(port_range, ranges))


def _covers_every_port(ranges: Iterable[str]) -> bool:
    next_port = 0
    for low, high in sorted(map(port_range, ranges)):
        if low > next_port:
            return False
        next_port = max(next_port, high + 1)
    return next_port > LAST_PORT
