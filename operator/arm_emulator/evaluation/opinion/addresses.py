"""Prefixes as first and last address, and the addresses at which anything may change."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, ip_network

from arm_emulator.evaluation.tags import NEVER_INTERNET

Span = tuple[int, int]
LAST = int(IPv4Address("255.255.255.255"))
EVERYTHING: Span = (0, LAST)
HOST = int(IPv4Address("168.63.129.16"))
"""Azure's own address: source of health probes and of the Developer SKU's sessions."""
RESERVED_AT_START, RESERVED_AT_END = 4, 1
"""Azure keeps the first four addresses of a subnet and the last one."""


@lru_cache(maxsize=4096)
def span(text: str) -> Span | None:
    """First and last address of an IPv4 prefix or address; None for whatever else the text is."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return (int(network[0]), int(network[-1])) if isinstance(network, IPv4Network) else None


@lru_cache(maxsize=4096)
def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 prefix or address, which has no part in Bastion's traffic."""
    try:
        return ip_network(text, strict=False).version == 6  # noqa: PLR2004  the version
    except ValueError:
        return False


def spans(networks: Iterable[IPv4Network]) -> list[Span]:
    return [(int(network[0]), int(network[-1])) for network in networks]


NOT_PUBLIC = spans(NEVER_INTERNET)


def within(address: int, held: Iterable[Span]) -> bool:
    return any(first <= address <= last for first, last in held)


def usable(networks: Iterable[IPv4Network]) -> list[int]:
    """The addresses of a subnet but Azure's five of each prefix; all of them where that leaves none."""
    found = [
        address
        for first, last in spans(networks)
        for address in range(first + RESERVED_AT_START, last - RESERVED_AT_END + 1)
    ]
    return found or [address for first, last in spans(networks) for address in range(first, last + 1)]


def samples(*held: Iterable[Span]) -> list[int]:
    """One address of every stretch between two edges of these spans: what is true of it is true of all of the stretch."""
    edges = {0}
    for each in held:
        for first, last in each:
            edges |= {first, last + 1}
    return sorted(edge for edge in edges if edge <= LAST)
