import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bastion_operator.network.prefixes import (
    AddressSet,
    PrefixError,
    PrefixList,
    format_address,
    free_prefix,
    is_ipv6,
    overlaps,
    parse_address,
    parse_prefix,
)

SMALL = st.tuples(st.integers(0, 255), st.integers(24, 32)).map(
    lambda drawn: str(ipaddress.IPv4Network((f"10.0.0.{drawn[0]}", drawn[1]), strict=False))
)
PREFIX_LISTS = st.lists(SMALL, max_size=6)


def addresses(prefixes: list[str]) -> set[int]:
    """The oracle: every address of every prefix, by the standard library."""
    return {int(address) for prefix in prefixes for address in ipaddress.IPv4Network(prefix)}


@given(PREFIX_LISTS, PREFIX_LISTS)
def test_set_algebra_agrees_with_sets_of_single_addresses(one: list[str], other: list[str]) -> None:
    mine, theirs = AddressSet.of(*one), AddressSet.of(*other)
    ones, others = addresses(one), addresses(other)

    def members(found: AddressSet) -> set[int]:
        return {address for first, last in found.intervals for address in range(first, last + 1)}

    assert members(mine | theirs) == ones | others
    assert members(mine & theirs) == ones & others
    assert members(mine - theirs) == ones - others
    assert (mine <= theirs) == (ones <= others)
    assert mine.isdisjoint(theirs) == ones.isdisjoint(others)
    assert len(mine) == len(ones)
    assert all(
        (address in mine) == (address in ones) for address in range(int(ipaddress.IPv4Address("10.0.0.0")), 167772416)
    )
    assert overlaps(one, other) == (not ones.isdisjoint(others))


@given(PREFIX_LISTS)
def test_prefixes_are_the_fewest_that_make_up_the_set(prefixes: list[str]) -> None:
    expected = list(ipaddress.collapse_addresses(map(ipaddress.IPv4Network, prefixes)))
    assert list(AddressSet.of(*prefixes).prefixes()) == [str(prefix) for prefix in expected]


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_parsing_agrees_with_the_standard_library(address: int, length: int) -> None:
    network = ipaddress.IPv4Network((address, length), strict=False)
    text = f"{ipaddress.IPv4Address(address)}/{length}"
    assert parse_prefix(text) == (int(network.network_address), int(network.broadcast_address))
    assert format_address(parse_address(str(ipaddress.IPv4Address(address)))) == str(ipaddress.IPv4Address(address))


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0", "10.0.0.256", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.+1", "1e1.0.0.0", "10.0.0.0.0", "fd00::/8",
     "VirtualNetwork", "10.0.0.٣", "10.0.0.0/٨"],
)  # fmt: skip
def test_what_is_no_ipv4_prefix_is_refused_with_the_text_in_the_message(text: str) -> None:
    with pytest.raises(PrefixError, match="IPv4"):
        parse_prefix(text)


def test_a_list_of_prefixes_keeps_what_it_can_and_names_what_it_cannot_read() -> None:
    read = PrefixList.of(["10.0.0.0/24", "fd00:db8::/48", "10.0.1.0/77"])
    assert read.addresses == AddressSet.of("10.0.0.0/24")
    assert read.malformed == ("10.0.1.0/77",)
    assert is_ipv6("fd00:db8::/48")


@given(PREFIX_LISTS, st.integers(24, 32))
def test_a_free_prefix_is_free_and_the_lowest(taken: list[str], length: int) -> None:
    found = free_prefix(["10.0.0.0/24"], taken, length)
    blocked = addresses(taken)
    free = [
        str(candidate)
        for candidate in ipaddress.IPv4Network("10.0.0.0/24").subnets(new_prefix=length)
        if blocked.isdisjoint(map(int, candidate))
    ]
    assert found == (free[0] if free else None)


def test_the_whole_range_of_addresses_can_be_taken_and_given() -> None:
    assert list(AddressSet.of("0.0.0.0/0").prefixes()) == ["0.0.0.0/0"]
    assert free_prefix(["0.0.0.0/0"], ["0.0.0.0/1"], 1) == "128.0.0.0/1"
    assert free_prefix(["fd00::/8", "10.0.0.0/24"], ["fd00::/64"], 26) == "10.0.0.0/26"
    assert overlaps("fd00::/8", ["fd00:1::/32"])
    assert not overlaps("fd00::/8", "10.0.0.0/8")
    with pytest.raises(ValueError, match="prefix length"):
        free_prefix(["10.0.0.0/8"], [], 33)
