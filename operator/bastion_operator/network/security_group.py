"""Network security groups and their rules, as read from ARM JSON.

Azure answers a rule's fields in the singular or the plural form (the plural lists come back empty where the singular was
used): both are read. What cannot be read stays in the rule as text, so that an evaluation can tell what hangs on it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, ids, mapping, number, text
from bastion_operator.network.prefixes import EMPTY, EVERYTHING, AddressSet, PrefixError, is_ipv6, parse_prefix

PROTOCOLS: Final = frozenset({"tcp", "udp", "icmp", "icmpv6", "esp", "ah", "*"})
LAST_PORT: Final = 65535
_CONCERNING_TCP: Final = frozenset({"tcp", "*", None})


class Direction(StrEnum):
    """Which way a rule looks, from the NIC or subnet that has the group."""

    INBOUND = "Inbound"
    OUTBOUND = "Outbound"


class Access(StrEnum):
    """What a rule does."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """One side of a rule: literal addresses, service tags (lower-cased), application security groups (ids, lower-cased)."""

    addresses: AddressSet
    tags: tuple[str, ...] = ()
    application_security_groups: frozenset[str] = frozenset()
    malformed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ports:
    """Port ranges, both ends included."""

    ranges: tuple[tuple[int, int], ...]
    malformed: tuple[str, ...] = ()
    every: bool = field(init=False, repr=False, compare=False)
    """Whether all ports that a connection can have are in it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "every", any(first <= 1 and last >= LAST_PORT for first, last in self.ranges))

    def __contains__(self, port: int) -> bool:
        for first, last in self.ranges:  # noqa: SIM110  any() costs three times as much, and this runs once a rule and question
            if first <= port <= last:
                return True
        return False


@dataclass(frozen=True, slots=True)
class SecurityRule:
    """A rule. ``priority``, ``direction``, ``access`` and ``protocol`` are None where they cannot be read."""

    name: str
    priority: int | None
    direction: Direction | None
    access: Access | None
    protocol: str | None
    source: Endpoints
    destination: Endpoints
    source_ports: Ports
    destination_ports: Ports
    default: bool = False

    @property
    def readable(self) -> bool:
        """Whether all of the rule could be read, service tags aside."""
        return not (
            self.priority is None
            or self.direction is None
            or self.access is None
            or self.protocol is None
            or self.source.malformed
            or self.destination.malformed
            or self.source_ports.malformed
            or self.destination_ports.malformed
        )

    @property
    def malformed(self) -> tuple[str, ...]:
        """What of the rule could not be read, service tags aside."""
        named = {
            "priority": self.priority,
            "direction": self.direction,
            "access": self.access,
            "protocol": self.protocol,
        }
        parts = (self.source, self.destination, self.source_ports, self.destination_ports)
        missing = tuple(field for field, value in named.items() if value is None)
        return missing + tuple(item for part in parts for item in part.malformed)


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A network security group; ``rules`` (default rules left out) is None where the resource states no list of them."""

    id: str
    key: str
    name: str
    rules: tuple[SecurityRule, ...] | None
    _ordered: dict[Direction, tuple[SecurityRule, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def walk(self, direction: Direction) -> tuple[SecurityRule, ...]:
        """The rules of one direction that can concern TCP, the default ones last, in the order in which Azure asks them.

        A rule whose priority cannot be read stands in front: tried there as a possible match, it covers every place that
        it may have.
        """
        if (known := self._ordered.get(direction)) is None:
            # Of most groups one direction alone is ever asked for.
            known = self._ordered[direction] = tuple(_in_order(self.rules or (), direction))
        return known


ANY_ENDPOINT: Final = Endpoints(EVERYTHING)
ANY_PORT: Final = Ports(((0, LAST_PORT),))


_ANY_RULE: Final = SecurityRule("", None, None, None, None, ANY_ENDPOINT, ANY_ENDPOINT, ANY_PORT, ANY_PORT)
"""What may be any rule; that it may be one for other addresses or ports adds nothing to the doubt whether it applies."""


def _default(name: str, priority: int, direction: Direction, access: Access, *ends: Endpoints) -> SecurityRule:
    source, destination = ends
    return SecurityRule(name, priority, direction, access, "*", source, destination, ANY_PORT, ANY_PORT, default=True)


_NETWORK = Endpoints(EMPTY, ("virtualnetwork",))
_BALANCER = Endpoints(EMPTY, ("azureloadbalancer",))
_INTERNET = Endpoints(EMPTY, ("internet",))

DEFAULT_RULES: Final = (
    _default("AllowVnetInBound", 65000, Direction.INBOUND, Access.ALLOW, _NETWORK, _NETWORK),
    _default("AllowAzureLoadBalancerInBound", 65001, Direction.INBOUND, Access.ALLOW, _BALANCER, ANY_ENDPOINT),
    _default("DenyAllInBound", 65500, Direction.INBOUND, Access.DENY, ANY_ENDPOINT, ANY_ENDPOINT),
    _default("AllowVnetOutBound", 65000, Direction.OUTBOUND, Access.ALLOW, _NETWORK, _NETWORK),
    _default("AllowInternetOutBound", 65001, Direction.OUTBOUND, Access.ALLOW, ANY_ENDPOINT, _INTERNET),
    _default("DenyAllOutBound", 65500, Direction.OUTBOUND, Access.DENY, ANY_ENDPOINT, ANY_ENDPOINT),
)
"""The rules that every group ends with; they cannot be changed. Source: Microsoft Learn, "Network security groups"."""


def _in_order(rules: tuple[SecurityRule, ...], direction: Direction) -> list[SecurityRule]:
    chosen = [
        rule
        for rule in (*rules, *DEFAULT_RULES)
        if rule.direction in {direction, None} and rule.protocol in _CONCERNING_TCP
    ]
    return sorted(chosen, key=_place)


def _place(rule: SecurityRule) -> int:
    return -1 if rule.priority is None else rule.priority


def read_security_group(row: Row, row_id: str, rules: Iterable[Row] = ()) -> SecurityGroup:
    """A group out of its ARM JSON, together with rules that came as rows of their own.

    Such a row stands for the listed rule of its name. What the list holds in place of a rule is one that cannot be read.
    """
    listed = mapping(row, "properties").get("securityRules")
    extra = tuple(map(read_security_rule, rules))
    read = [_listed_rule(item, place) for place, item in enumerate(listed, 1)] if isinstance(listed, list) else []
    if extra:
        names = {rule.name.lower() for rule in extra}
        read = [rule for rule in read if rule.name.lower() not in names]
    return SecurityGroup(
        id=row_id,
        key=normalise_id(row_id),
        name=text(row, "name") or row_id.rsplit("/", 1)[-1],
        rules=(*read, *extra) if isinstance(listed, list) or extra else None,
    )


def _listed_rule(item: object, place: int) -> SecurityRule:
    """A rule of a group's list; one without a name is called by its place, so that none is taken for another."""
    rule = read_security_rule(item) if type(item) is dict else _ANY_RULE
    return rule if rule.name else replace(rule, name=f"#{place}")


def read_security_rule(row: Row) -> SecurityRule:
    """A rule out of its ARM JSON; the fields may also lie beside the name, as the effective rules have them."""
    properties = mapping(row, "properties") or row
    get = properties.get
    priority = get("priority")
    source = _stated(get("sourceAddressPrefix"), get("sourceAddressPrefixes"))
    destination = _stated(get("destinationAddressPrefix"), get("destinationAddressPrefixes"))
    source_groups = get("sourceApplicationSecurityGroups")
    destination_groups = get("destinationApplicationSecurityGroups")
    return _rule(
        name if type(name := row.get("name")) is str and name else (text(row, "id") or "").rsplit("/", 1)[-1],
        priority if type(priority) is int else number(properties, "priority"),
        word if type(word := get("direction")) is str else "",
        word if type(word := get("access")) is str else "",
        word if type(word := get("protocol")) is str else "",
        source if source_groups is None else source + _strange(source_groups),
        destination if destination_groups is None else destination + _strange(destination_groups),
        _groups(source_groups) if source_groups else _NO_GROUPS,
        _groups(destination_groups) if destination_groups else _NO_GROUPS,
        _stated(get("sourcePortRange"), get("sourcePortRanges")),
        _stated(get("destinationPortRange"), get("destinationPortRanges")),
    )


@lru_cache(maxsize=1 << 13)
def _rule(  # noqa: PLR0917  the columns of a rule
    name: str,
    priority: int | None,
    direction: str,
    access: str,
    protocol: str,
    source: tuple[str, ...],
    destination: tuple[str, ...],
    source_groups: frozenset[str],
    destination_groups: frozenset[str],
    source_ports: tuple[str, ...],
    destination_ports: tuple[str, ...],
) -> SecurityRule:
    """A rule as its columns state it; an estate has the same rule in many groups."""
    return SecurityRule(
        name,
        priority,
        _DIRECTIONS.get(direction.lower()),
        _ACCESSES.get(access.lower()),
        protocol.lower() if protocol.lower() in PROTOCOLS else None,
        _endpoints(source, source_groups, "sourceAddressPrefix"),
        _endpoints(destination, destination_groups, "destinationAddressPrefix"),
        _ports(source_ports, "sourcePortRange"),
        _ports(destination_ports, "destinationPortRange"),
    )


_DIRECTIONS: Final = {way.value.lower(): way for way in Direction}
_ACCESSES: Final = {access.value.lower(): access for access in Access}


def _stated(single: object, several: object) -> tuple[str, ...]:
    """What the singular and the plural form of a field state; null, an empty text and an empty list state nothing."""
    if type(single) is str and single and (several is None or several == []):
        return (single,)  # the short way for nearly all
    one = (single,) if type(single) is str else () if single is None else (_as_text(single),)
    many = several if type(several) is list else () if several is None else (several,)
    return (one if one != _EMPTY_TEXT else ()) + tuple([_as_text(item) for item in many])


_EMPTY_TEXT: Final = ("",)


def _as_text(item: object) -> str:
    """A text or a number as it stands; anything else in brackets, which begin no prefix, tag or port."""
    if type(item) is str:
        return item
    return str(item) if type(item) is int else _bracketed(item)


def _bracketed(item: object) -> str:
    return f"<{item}>"


def _groups(listed: object) -> frozenset[str]:
    return frozenset(map(normalise_id, ids({"": listed}, "")))


def _strange(groups: object) -> tuple[str, ...]:
    """What stands in place of application security groups and names none."""
    if type(groups) is list:
        return tuple([_bracketed(one) for one in groups if text(one, "id") is None])
    return () if groups is None else (_bracketed(groups),)


def _endpoints(stated: tuple[str, ...], groups: frozenset[str], missing: str) -> Endpoints:
    return read_endpoints(stated, groups) if stated or groups else Endpoints(EMPTY, malformed=(missing,))


_NO_GROUPS: Final[frozenset[str]] = frozenset()


@lru_cache(maxsize=1 << 16)
def read_endpoints(stated: tuple[str, ...], groups: frozenset[str] = frozenset()) -> Endpoints:
    """Prefixes, ``*`` and service tags as a rule lists them; IPv6 takes no part."""
    intervals: list[tuple[int, int]] = []
    tags: list[str] = []
    malformed: list[str] = []
    for item in stated:
        if item == "*":
            return Endpoints(EVERYTHING, (), groups)
        try:
            intervals.append(parse_prefix(item))
        except PrefixError:
            if not is_ipv6(item):
                (tags if item[:1].isalpha() else malformed).append(item.lower() if item[:1].isalpha() else item)
    return Endpoints(AddressSet(intervals), tuple(tags), groups, tuple(malformed))


def _ports(stated: tuple[str, ...], missing: str) -> Ports:
    return read_ports(stated) if stated else Ports((), (missing,))


@lru_cache(maxsize=1 << 14)
def read_ports(stated: tuple[str, ...]) -> Ports:
    """Ports ``n``, ``a-b`` and ``*`` as a rule lists them."""
    ranges: list[tuple[int, int]] = []
    malformed: list[str] = []
    for item in stated:
        first, dash, last = ("0", "-", str(LAST_PORT)) if item.strip() == "*" else item.strip().partition("-")
        bounds = (first.strip(), (last if dash else first).strip())
        if all(map(_is_port, bounds)) and int(bounds[0]) <= int(bounds[1]):
            ranges.append((int(bounds[0]), int(bounds[1])))
        else:
            malformed.append(item)
    return Ports(tuple(ranges), tuple(malformed))


def _is_port(bound: str) -> bool:
    return bound.isascii() and bound.isdigit() and int(bound) <= LAST_PORT
