"""The yardstick for security rules: every rule of every group, one after the other, with ``ipaddress``.

Written as one would write it first, with no thought of a fleet, apart from what any program would do: prefixes are read
into ``ipaddress`` networks once, before the clock starts. It knows the rules that the benchmark's estate has: prefixes,
``*`` and the tags Internet and VirtualNetwork, with no route table and no application security group.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

_PRIVATE = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_EVERY = ipaddress.IPv4Network("0.0.0.0/0")
_RESERVED_AT_START, _RESERVED_AT_END = 4, 1


@dataclass(slots=True)
class PlainRule:
    """A rule; a tag stands as its name."""

    priority: int
    direction: str
    allows: bool
    source: str | ipaddress.IPv4Network
    destination: str | ipaddress.IPv4Network
    ports: list[tuple[int, int]]


@dataclass(slots=True)
class PlainGroup:
    """A group's rules, default rules included, by priority."""

    rules: list[PlainRule]


def read_group(row: Row) -> PlainGroup:
    """A group out of its JSON."""
    rules = [_read_rule(each["properties"]) for each in row["properties"]["securityRules"]]
    for direction in ("Inbound", "Outbound"):
        every = [(0, 65535)]
        rules.append(PlainRule(65000, direction, True, "VirtualNetwork", "VirtualNetwork", every))
        rules.append(PlainRule(65500, direction, False, _EVERY, _EVERY, every))
    return PlainGroup(sorted(rules, key=lambda rule: rule.priority))


def _read_rule(properties: Row) -> PlainRule:
    return PlainRule(
        properties["priority"],
        properties["direction"],
        properties["access"] == "Allow",
        _read_end(properties["sourceAddressPrefix"]),
        _read_end(properties["destinationAddressPrefix"]),
        [_read_ports(text) for text in properties["destinationPortRanges"]],
    )


def _read_end(text: str) -> str | ipaddress.IPv4Network:
    if text == "*":
        return _EVERY
    return text if text[0].isalpha() else ipaddress.IPv4Network(text)


def _read_ports(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def decide(
    group: PlainGroup,
    direction: str,
    source: ipaddress.IPv4Address,
    destination: ipaddress.IPv4Address,
    port: int,
    virtual_network: list[ipaddress.IPv4Network],
) -> bool:
    """Whether the group lets one connection through: the first rule that matches decides."""
    for rule in group.rules:
        if (
            rule.direction == direction
            and _means(rule.source, source, virtual_network)
            and _means(rule.destination, destination, virtual_network)
            and any(first <= port <= last for first, last in rule.ports)
        ):
            return rule.allows
    return False


def _means(
    end: str | ipaddress.IPv4Network, address: ipaddress.IPv4Address, virtual_network: list[ipaddress.IPv4Network]
) -> bool:
    if isinstance(end, ipaddress.IPv4Network):
        return address in end
    inside = any(address in network for network in virtual_network)
    if end == "VirtualNetwork":
        return inside
    return end == "Internet" and not inside and not any(address in network for network in _PRIVATE)


def session_addresses(prefix: str) -> Iterator[ipaddress.IPv4Address]:
    """The addresses that a Bastion connects from: those of its subnet without the five that Azure keeps."""
    network = ipaddress.IPv4Network(prefix)
    for place, address in enumerate(network):
        if _RESERVED_AT_START <= place < network.num_addresses - _RESERVED_AT_END:
            yield address
