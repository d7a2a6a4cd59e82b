"""How a fleet's rows are held in memory: the types of which there are many are read as they arrive, and packed.

As JSON objects, 50,000 VMs with their NICs and security groups take a gigabyte; what is read of them takes a tenth, and
packed together the rows themselves hardly anything. One is unpacked, with its neighbours, when somebody wants to see it.
"""

import zlib
from collections.abc import Callable, Iterator, KeysView, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import orjson

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, text
from bastion_operator.network.network_interface import NetworkInterface, read_network_interface
from bastion_operator.network.resource_types import NETWORK_INTERFACES, SECURITY_GROUPS, VIRTUAL_MACHINES
from bastion_operator.network.security_group import SecurityGroup, read_security_group
from bastion_operator.network.virtual_machine import VirtualMachine, read_virtual_machine

_FASTEST: Final = 1
_BYTES_A_PACK: Final = 64 * 1024
_PACKS_OPEN: Final = 8

Fact = VirtualMachine | NetworkInterface | SecurityGroup


@dataclass(frozen=True, slots=True, eq=False)
class _Pack:
    """Some rows together, compressed."""

    content: bytes


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row that was read as it arrived. ``kind`` is its type, lower-cased. Two that say the same are equal.

    No abstract class: of each of a fleet's rows it is asked several times whether it is one, which takes five times as long
    there.
    """

    key: str
    kind: str
    fact: Fact = field(compare=False)


@dataclass(frozen=True, slots=True)
class PackedRow(ReadRow):
    """One of which the text is packed with that of others. ``digest`` is of the whole row, and of this process alone."""

    digest: int
    _pack: _Pack = field(compare=False)
    _place: int = field(compare=False)

    def row(self) -> dict[str, Any]:
        """The row as it arrived; not to be changed."""
        return _unpacked(self._pack)[self._place]


@dataclass(frozen=True, slots=True)
class TextRow(ReadRow):
    """One of which the text stays where it was read from."""

    _text: memoryview

    def row(self) -> dict[str, Any]:
        """The row as it arrived; not to be changed."""
        found: dict[str, Any] = orjson.loads(self._text)
        return found


Held = Row | PackedRow | TextRow
"""A row, or what is kept in its place."""


def hold(page: list[dict[str, Any]]) -> Iterator[Held]:
    """What to keep of the rows of one answer of Resource Graph; in another order."""
    read: list[dict[str, Any]] = []
    texts: list[bytes] = []
    size = 0
    for row in page:
        if (text(row, "type") or "").lower() not in READ_AS_THEY_ARRIVE or text(row, "id") is None:
            yield row
            continue
        read.append(row)
        texts.append(orjson.dumps(row))
        size += len(texts[-1])
        if size >= _BYTES_A_PACK:
            yield from _packed(read, texts)
            read, texts, size = [], [], 0
    yield from _packed(read, texts)


def _packed(rows: list[dict[str, Any]], texts: list[bytes]) -> Iterator[PackedRow]:
    pack = _Pack(zlib.compress(b"[" + b",".join(texts) + b"]", _FASTEST))
    for place, (row, content) in enumerate(zip(rows, texts, strict=True)):
        row_id, kind = row["id"], row["type"].lower()
        fact = READ_AS_THEY_ARRIVE[kind](row, row_id)
        yield PackedRow(normalise_id(row_id), kind, fact, hash(content), pack, place)


def hold_text(row: dict[str, Any], text_of_it: memoryview) -> Held:
    """What to keep of a row of which the text stays in memory."""
    row_id, kind = row.get("id"), (text(row, "type") or "").lower()
    if kind not in READ_AS_THEY_ARRIVE or not isinstance(row_id, str):
        return row
    return TextRow(normalise_id(row_id), kind, READ_AS_THEY_ARRIVE[kind](row, row_id), text_of_it)


@lru_cache(_PACKS_OPEN)
def _unpacked(pack: _Pack) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(zlib.decompress(pack.content))
    return rows


def key_of(held: Held) -> str | None:
    """The lower-cased id; None where there is none."""
    if isinstance(held, ReadRow):
        return held.key
    row_id = text(held, "id")
    return None if row_id is None else normalise_id(row_id)


def row_of(held: Held | None) -> Row | None:
    """The row as it arrived."""
    return held.row() if isinstance(held, ReadRow) else held


class RowsOf(Mapping[str, Row]):
    """Held rows as the rows that they were, each unpacked when it is asked for."""

    def __init__(self, held: Mapping[str, Held]) -> None:
        """``held``: by lower-cased id."""
        self._held = held

    def __getitem__(self, key: str) -> Row:
        held = self._held[key]
        return held.row() if isinstance(held, ReadRow) else held

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def keys(self) -> KeysView[str]:
        """The ids, without a look at the rows."""
        return self._held.keys()


READ_AS_THEY_ARRIVE: Final[Mapping[str, Callable[[Row, str], Fact]]] = MappingProxyType(
    {
        VIRTUAL_MACHINES: read_virtual_machine,
        NETWORK_INTERFACES: read_network_interface,
        SECURITY_GROUPS: read_security_group,
    }
)
"""The types that an estate has many rows of, and how one is read."""
