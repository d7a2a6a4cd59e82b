"""IPv4 prefixes and sets of addresses as integer intervals: exact, and fast enough for a fleet's rules."""

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

ADDRESS_BITS: Final = 32
LAST_ADDRESS: Final = 2**ADDRESS_BITS - 1
_OCTETS: Final = 4


class PrefixError(ValueError):
    """A text that is not an IPv4 address or prefix."""


@lru_cache(maxsize=1 << 16)
def parse_address(text: str) -> int:
    """The IPv4 address as an integer, ``10.0.0.1`` to 167772161. Raises PrefixError."""
    octets = text.split(".")
    if len(octets) != _OCTETS:
        raise PrefixError(f"{text!r} is no IPv4 address: it needs four numbers, as in 10.0.0.4")
    value = 0
    for octet in octets:
        if (number := _NUMBERS.get(octet)) is None:
            raise PrefixError(f"{text!r} is no IPv4 address: {octet!r} is not a number from 0 to 255")
        value = value << 8 | number
    return value


_NUMBERS: Final = {f"{number:0{digits}}": number for number in range(256) for digits in (1, 2, 3)}
"""What an octet may be written as: up to three digits, zeros in front counting nothing."""


@lru_cache(maxsize=1 << 16)
def parse_prefix(text: str) -> tuple[int, int]:
    """First and last address of a prefix, both included. An address alone is its /32; bits below the mask are dropped.

    Raises PrefixError.
    """
    address_text, slash, length_text = text.strip().partition("/")
    address = parse_address(address_text)
    if not slash:
        return address, address
    if not (length_text.isascii() and length_text.isdigit() and int(length_text) <= ADDRESS_BITS):
        raise PrefixError(f"{text!r} is no IPv4 prefix: the part after the slash must be a number from 0 to 32")
    hosts = (1 << (ADDRESS_BITS - int(length_text))) - 1
    first = address & ~hosts
    return first, first | hosts


def prefix_length(interval: tuple[int, int]) -> int:
    """The mask of the smallest prefix that holds the interval."""
    return ADDRESS_BITS - (interval[0] ^ interval[1]).bit_length()


def format_address(value: int) -> str:
    """An integer as dotted text."""
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address or prefix; those are known and take no part in Bastion's IPv4 traffic."""
    if ":" not in text:
        return False
    try:
        ipaddress.IPv6Network(text.strip(), strict=False)
    except ValueError:
        return False
    return True


class AddressSet:
    """An immutable set of IPv4 addresses, kept as sorted intervals that neither touch nor overlap."""

    __slots__ = ("_firsts", "intervals")

    intervals: tuple[tuple[int, int], ...]

    def __init__(self, intervals: Iterable[tuple[int, int]] = ()) -> None:
        self.intervals = _merged(intervals)
        self._firsts: list[int] | None = None

    @classmethod
    def _ready(cls, intervals: tuple[tuple[int, int], ...]) -> "AddressSet":
        """A set of intervals that are known to be sorted and apart."""
        made = cls.__new__(cls)
        made.intervals = intervals
        made._firsts = None  # noqa: SLF001  its own class
        return made

    @classmethod
    def of_one(cls, address: int) -> "AddressSet":
        """The address alone."""
        return cls._ready(((address, address),))

    @classmethod
    def of(cls, *prefixes: str) -> "AddressSet":
        """The union of prefixes and addresses. Raises PrefixError."""
        return cls(parse_prefix(prefix) for prefix in prefixes)

    @classmethod
    def readable(cls, *prefixes: str) -> "AddressSet":
        """The union of what of the texts is an IPv4 prefix or address; the rest is left out."""
        return PrefixList.of(prefixes).addresses

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __contains__(self, address: int) -> bool:
        if len(self.intervals) <= 1:
            return bool(self.intervals) and self.intervals[0][0] <= address <= self.intervals[0][1]
        if self._firsts is None:
            self._firsts = [first for first, _ in self.intervals]
        place = bisect_right(self._firsts, address) - 1
        return place >= 0 and address <= self.intervals[place][1]

    def __or__(self, other: "AddressSet") -> "AddressSet":
        if not other.intervals or self.intervals == other.intervals:
            return self
        return AddressSet((*self.intervals, *other.intervals)) if self.intervals else other

    def __and__(self, other: "AddressSet") -> "AddressSet":
        if not self.intervals or not other.intervals:
            return EMPTY
        (first, last), (other_first, other_last) = self.intervals[0], other.intervals[-1]
        if self.intervals[-1][1] < other.intervals[0][0] or other_last < first:
            return EMPTY
        if len(self.intervals) == 1 == len(other.intervals):
            if other_first <= first and last <= other_last:
                return self
            return self._ready(((max(first, other_first), min(last, other_last)),))
        return self._ready(tuple(_common(self.intervals, other.intervals)))

    def __sub__(self, other: "AddressSet") -> "AddressSet":
        if not self.intervals or not other.intervals:
            return self
        return self._ready(tuple(_rest(self.intervals, other.intervals)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AddressSet) and self.intervals == other.intervals

    def __hash__(self) -> int:
        return hash(self.intervals)

    def __len__(self) -> int:
        if len(self.intervals) == 1:
            first, last = self.intervals[0]
            return last - first + 1
        return sum(last - first + 1 for first, last in self.intervals)

    def __repr__(self) -> str:
        return f"AddressSet.of({', '.join(map(repr, self.prefixes()))})"

    def __le__(self, other: "AddressSet") -> bool:
        if len(self.intervals) == 1 == len(other.intervals):
            (first, last), (other_first, other_last) = self.intervals[0], other.intervals[0]
            return other_first <= first and last <= other_last
        return not self - other

    def __ge__(self, other: "AddressSet") -> bool:
        return not other - self

    def isdisjoint(self, other: "AddressSet") -> bool:
        """Whether no address lies in both."""
        return next(_common(self.intervals, other.intervals), None) is None

    @property
    def lowest(self) -> int:
        """The lowest address. The set must not be empty."""
        return self.intervals[0][0]

    def prefixes(self) -> Iterator[str]:
        """The fewest prefixes that make up the set, lowest first."""
        for first, last in self.intervals:
            start = first
            while start <= last:
                aligned = start & -start or 1 << ADDRESS_BITS
                size = min(aligned, 1 << (last - start + 1).bit_length() - 1)
                yield f"{format_address(start)}/{ADDRESS_BITS - size.bit_length() + 1}"
                start += size


def _merged(intervals: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = merged[-1][0], last
        else:
            merged.append((first, last))
    return tuple(merged)


def _common(ones: tuple[tuple[int, int], ...], others: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    one = other = 0
    while one < len(ones) and other < len(others):
        first = max(ones[one][0], others[other][0])
        last = min(ones[one][1], others[other][1])
        if first <= last:
            yield first, last
        if ones[one][1] < others[other][1]:
            one += 1
        else:
            other += 1


def _rest(ones: tuple[tuple[int, int], ...], others: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    for first, last in ones:
        start = first
        for hole_first, hole_last in others:
            if hole_last < start:
                continue
            if hole_first > last:
                break
            if hole_first > start:
                yield start, hole_first - 1
            start = hole_last + 1
        if start <= last:
            yield start, last


EMPTY: Final = AddressSet()
EVERYTHING: Final = AddressSet([(0, LAST_ADDRESS)])


@dataclass(frozen=True, slots=True)
class PrefixList:
    """A list of prefixes as a resource states it: IPv4 as addresses, and what could not be read by its text."""

    texts: tuple[str, ...]
    addresses: AddressSet
    malformed: tuple[str, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> "PrefixList":
        """Reads what can be read; IPv6 prefixes are kept as text only, the rest of what is not IPv4 is malformed."""
        kept = tuple(texts)
        intervals, malformed = [], []
        for text in kept:
            try:
                intervals.append(parse_prefix(text))
            except PrefixError:
                if not is_ipv6(text):
                    malformed.append(text)
        return cls(kept, AddressSet(intervals), tuple(malformed))

    def intervals(self) -> Iterator[tuple[int, int]]:
        """First and last address of each IPv4 prefix by itself, as they are listed."""
        for text in self.texts:
            if text not in self.malformed and not is_ipv6(text):
                yield parse_prefix(text)


def overlaps(one: str | Iterable[str], other: str | Iterable[str]) -> bool:
    """Whether any prefix of the one shares an address with any of the other; IPv4 and IPv6. Raises PrefixError."""
    ones, others = _as_list(one), _as_list(other)
    ipv4 = [AddressSet.of(*(text for text in texts if not is_ipv6(text))) for texts in (ones, others)]
    if not ipv4[0].isdisjoint(ipv4[1]):
        return True
    ipv6 = [[ipaddress.IPv6Network(text, strict=False) for text in texts if is_ipv6(text)] for texts in (ones, others)]
    return any(mine.overlaps(theirs) for mine in ipv6[0] for theirs in ipv6[1])


def free_prefix(spaces: Iterable[str], taken: Iterable[str], new_prefix_length: int) -> str | None:
    """The lowest IPv4 prefix of that length inside one of the spaces that shares no address with what is taken.

    IPv6 entries are passed over. None if there is no room. Raises PrefixError for a malformed entry, ValueError for a
    length outside 0 to 32.
    """
    if not 0 <= new_prefix_length <= ADDRESS_BITS:
        raise ValueError(f"{new_prefix_length} is no IPv4 prefix length: it must be from 0 to 32")
    room = AddressSet.of(*(text for text in spaces if not is_ipv6(text)))
    free = room - AddressSet.of(*(text for text in taken if not is_ipv6(text)))
    size = 1 << ADDRESS_BITS - new_prefix_length
    for first, last in free.intervals:
        start = (first + size - 1) & ~(size - 1)
        if start + size - 1 <= last:
            return f"{format_address(start)}/{new_prefix_length}"
    return None


def _as_list(texts: str | Iterable[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts)
