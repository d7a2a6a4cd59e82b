"""Prefixes as Azure takes them: parsed, checked for overlap and containment."""

import ipaddress
import itertools
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache

from arm_emulator.errors import Json, bad_request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IPV4, IPV6 = "IPv4", "IPv6"
RESERVED_AT_START = 4  # network address, gateway, two for DNS; the last address is reserved as well


def parsed_prefix(prefix: str, owner: str) -> Network:
    """The network; raises InvalidAddressPrefixFormat for text that is none and InvalidCIDRNotation for host bits."""
    try:
        loose = ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        raise bad_request(
            "InvalidAddressPrefixFormat",
            f"Address prefix {prefix} of {owner} is not formatted correctly. It should follow CIDR notation, for "
            "example 10.0.0.0/24.",
        ) from None
    if str(loose.network_address) != prefix.partition("/")[0].lower() and loose.version == 4:  # noqa: PLR2004  (IPv4)
        raise bad_request(
            "InvalidCIDRNotation",
            f"The address prefix {prefix} of {owner} has an invalid CIDR notation. For the given prefix length, the "
            f"address prefix should be {loose}.",
        )
    return loose


def parsed_prefixes(prefixes: Iterable[str], owner: str) -> list[Network]:
    """All of them."""
    return [parsed_prefix(prefix, owner) for prefix in prefixes]


def first_overlap(networks: Sequence[Network]) -> tuple[Network, Network] | None:
    """Two of the networks that share addresses."""
    return next((pair for pair in itertools.combinations(networks, 2) if pair[0].overlaps(pair[1])), None)


def covered(network: Network, space: Iterable[Network]) -> bool:
    """Whether one prefix of the space holds the whole network."""
    return any(
        (isinstance(network, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network) and network.subnet_of(outer))
        or (isinstance(network, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network) and network.subnet_of(outer))
        for outer in space
    )  # fmt: skip


@lru_cache(maxsize=65536)
def _network(prefix: str) -> Network:
    """Parsed once: a hub's prefixes are held against those of each of its peers at every write."""
    return ipaddress.ip_network(prefix, strict=False)


def overlap(left: Iterable[str], right: Iterable[str]) -> list[str]:
    """The prefixes of `left` and `right` that overlap, as Azure lists them."""
    pairs = itertools.product(left, right)
    found: dict[str, None] = {}
    for one, other in pairs:
        if _network(one).overlaps(_network(other)):
            found |= {one: None, other: None}
    return list(found)


def free_address(prefix: str, taken: Iterable[str]) -> str | None:
    """The lowest address of a prefix that Azure would hand out next; None when the subnet is full."""
    network = ipaddress.ip_network(prefix, strict=False)
    used = set(taken)
    hosts = itertools.islice(iter(network), RESERVED_AT_START, min(network.num_addresses - 1, sys.maxsize))
    return next((str(address) for address in hosts if str(address) not in used), None)


def next_free(prefixes: Iterable[str], taken: Iterable[str]) -> str | None:
    """The lowest address of the first prefix that has one; None when all are full."""
    used = set(taken)
    return next((free for prefix in prefixes if (free := free_address(prefix, used)) is not None), None)


def of_version(prefixes: Iterable[str], version: str) -> list[str]:
    """Those of the prefixes that are of one version of IP."""
    return [prefix for prefix in prefixes if (":" in prefix) is (version == IPV6)]


def version_of(properties: Json) -> str:
    """The version of IP that a configuration asks for."""
    return IPV6 if str(properties.get("privateIPAddressVersion")).lower() == "ipv6" else IPV4


def canonical(address: str) -> str:
    """An address in the one form that it is compared in; text that is none stays."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


def assignable(address: str, prefixes: Iterable[str]) -> bool:
    """Whether an address lies in one of the prefixes and is none of the five reserved ones."""
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:
        return False
    for prefix in prefixes:
        network = ipaddress.ip_network(prefix, strict=False)
        if wanted in network:
            position = int(wanted) - int(network.network_address)
            return RESERVED_AT_START <= position < network.num_addresses - 1
    return False


def room(prefix: str) -> int:
    """How many addresses of an IPv4 prefix Azure hands out."""
    return max(0, ipaddress.ip_network(prefix, strict=False).num_addresses - RESERVED_AT_START - 1)


def nth(prefix: str, number: int) -> str:
    """An address of a prefix by its position; the last one where the prefix is smaller."""
    network = ipaddress.ip_network(prefix, strict=False)
    return str(network[min(number, network.num_addresses - 1)])
