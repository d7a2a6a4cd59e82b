"""Functions of IP addresses and prefixes."""

import ipaddress
from collections.abc import Callable, Mapping

from arm_emulator.graph.functions.signature import Function
from arm_emulator.graph.values import Value, number, text

_BITS_V4, _BITS_V6 = 32, 128


def _v4(value: Value) -> ipaddress.IPv4Interface:
    return ipaddress.IPv4Interface(text(value).strip())


def _v6(value: Value) -> ipaddress.IPv6Interface:
    """An IPv6 address; an IPv4 one is seen as ::ffff:a.b.c.d."""
    written = text(value).strip()
    if ":" in written:
        return ipaddress.IPv6Interface(written)
    short = ipaddress.IPv4Interface(written)
    prefix = short.network.prefixlen + _BITS_V6 - _BITS_V4
    return ipaddress.IPv6Interface(f"::ffff:{short.ip}/{prefix}")


Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Read = Callable[[Value], Interface]


def _compared(read: Read, one: Value, other: Value, prefix: Value, bits: int) -> int:
    """-1, 0 or 1 for what is left of both under the shortest of the prefixes."""
    left, right = read(one), read(other)
    given = bits if prefix is None else int(number(prefix) or 0)
    shortest = min(left.network.prefixlen, right.network.prefixlen, given)
    first, second = int(left.ip) >> (bits - shortest), int(right.ip) >> (bits - shortest)
    return (first > second) - (first < second)


def _in_range(read: Read, address: Value, prefix: Value) -> bool:
    inner, outer = read(address).network, read(prefix).network
    return inner.prefixlen >= outer.prefixlen and inner.network_address in outer


def _in_any(read: Read, address: Value, *ranges: Value) -> bool:
    every = [one for each in ranges for one in (each if isinstance(each, list) else [each])]
    found = False
    for one in every:
        try:
            found = found or _in_range(read, address, one)
        except ValueError:
            continue
    return found


def _is_private(value: Value) -> bool:
    inner = _v4(value).network
    return any(inner.subnet_of(ipaddress.IPv4Network(one)) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def _parse_v4(value: Value) -> int:
    return int(_v4(value).network.network_address)


def _parse_v4_mask(value: Value, prefix: Value) -> int:
    shift = _BITS_V4 - int(number(prefix) or 0)
    return int(_v4(value).ip) >> shift << shift


def _format_v4(value: Value, prefix: Value = _BITS_V4) -> str:
    whole = int(value) if isinstance(value, int) else int(_v4(value).ip)
    shift = _BITS_V4 - int(number(prefix) or 0)
    return str(ipaddress.IPv4Address(whole >> shift << shift))


def _range_to_list(start: Value, end: Value) -> list[str]:
    first, last = ipaddress.IPv4Address(text(start)), ipaddress.IPv4Address(text(end))
    return [str(one) for one in ipaddress.summarize_address_range(first, last)]


FUNCTIONS: Mapping[str, Function] = {
    "format_ipv4": Function(_format_v4, "string", 1, 2),
    "format_ipv4_mask": Function(
        lambda value, prefix=_BITS_V4: f"{_format_v4(value, prefix)}/{int(number(prefix) or 0)}", "string", 1, 2
    ),
    "ipv4_compare": Function(lambda a, b, prefix=None: _compared(_v4, a, b, prefix, _BITS_V4), "long", 2, 3),
    "ipv4_is_in_any_range": Function(lambda a, *ranges: _in_any(_v4, a, *ranges), "bool", 2, None),
    "ipv4_is_in_range": Function(lambda a, b: _in_range(_v4, a, b), "bool", 2, 2),
    "ipv4_is_match": Function(lambda a, b, prefix=None: _compared(_v4, a, b, prefix, _BITS_V4) == 0, "bool", 2, 3),
    "ipv4_is_private": Function(_is_private, "bool"),
    "ipv4_netmask_suffix": Function(lambda value: _v4(value).network.prefixlen, "long"),
    "ipv4_range_to_cidr_list": Function(_range_to_list, "dynamic", 2, 2),
    "ipv6_compare": Function(lambda a, b, prefix=None: _compared(_v6, a, b, prefix, _BITS_V6), "long", 2, 3),
    "ipv6_is_in_any_range": Function(lambda a, *ranges: _in_any(_v6, a, *ranges), "bool", 2, None),
    "ipv6_is_in_range": Function(lambda a, b: _in_range(_v6, a, b), "bool", 2, 2),
    "ipv6_is_match": Function(lambda a, b, prefix=None: _compared(_v6, a, b, prefix, _BITS_V6) == 0, "bool", 2, 3),
    "parse_ipv4": Function(_parse_v4, "long"),
    "parse_ipv4_mask": Function(_parse_v4_mask, "long", 2, 2),
    "parse_ipv6": Function(lambda value: _v6(value).ip.exploded, "string"),
}
