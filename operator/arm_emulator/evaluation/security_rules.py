"""Security rules held against one flow, one rule after the other.

Rules: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from arm_emulator.errors import Json
from arm_emulator.evaluation.rows import parts
from arm_emulator.evaluation.tags import Side, contains

LAST_PORT = 65535
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


@dataclass(frozen=True, slots=True)
class Flow:
    """Source and destination as prefixes (one address: /32); `port` is None for all ports; groups are lower-cased ids."""

    source: IPv4Network
    destination: IPv4Network
    port: int | None
    protocol: str = "Tcp"
    source_groups: frozenset[str] = field(default_factory=frozenset)
    destination_groups: frozenset[str] = field(default_factory=frozenset)
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
    """A security group's rules with the six that every group has, by priority."""
    user = [_rule(row, str(group["id"])) for row in parts(group, "securityRules") if _is_whole(row)]
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


def _is_whole(row: Json) -> bool:
    """A row of an estate file may say less than Azure would."""
    return set(row.get("properties") or {}) >= {"direction", "priority", "access"}


def _rule(row: Json, group_id: str) -> Rule:
    properties = row["properties"]
    return Rule(
        name=str(row["name"]),
        direction=str(properties["direction"]).capitalize(),
        priority=int(properties["priority"]),
        access=str(properties["access"]).capitalize(),
        protocol=str(properties.get("protocol", "*")),
        sources=_both(properties, "sourceAddressPrefix", "sourceAddressPrefixes"),
        destinations=_both(properties, "destinationAddressPrefix", "destinationAddressPrefixes"),
        source_ports=_both(properties, "sourcePortRange", "sourcePortRanges"),
        destination_ports=_both(properties, "destinationPortRange", "destinationPortRanges"),
        source_groups=_ids(properties, "sourceApplicationSecurityGroups"),
        destination_groups=_ids(properties, "destinationApplicationSecurityGroups"),
        resource=group_id,
    )


def _both(properties: Json, one: str, several: str) -> tuple[str, ...]:
    single = properties.get(one)
    return (*([str(single)] if single not in (None, "") else []), *map(str, properties.get(several) or []))


def _ids(properties: Json, name: str) -> tuple[str, ...]:
    return tuple(str(entry["id"]).lower() for entry in properties.get(name) or [])


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
    if text == "*":
        return 0, LAST_PORT
    low, _, high = text.partition("-")
    if not low.isdecimal() or not (high or low).isdecimal():
        return 1, 0
    return int(low), int(high or low)


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
