"""Raw rows by type and id, how they change, and tables that are made of them when they are first asked for."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, text
from bastion_operator.network.held_row import Held, ReadRow
from bastion_operator.network.resource_types import RESOURCE_GROUPS, SUBSCRIPTIONS

T = TypeVar("T")

RowsByType = Mapping[str, Mapping[str, Held]]
KeysByType = Mapping[str, set[str]]


class Table(cached_property[T]):
    """A property that is worked out once, out of the rows of some types."""

    kinds: frozenset[str] = frozenset()


def made_of(*kinds: str) -> Callable[[Callable[[Any], T]], cached_property[T]]:
    """Makes a method a Table of the rows of these types: as long as none of them changes, it stays as it is."""

    def table(work: Callable[[Any], T]) -> cached_property[T]:
        made = Table(work)
        made.kinds = frozenset(kinds)
        return made

    return table


def sorted_by_type(rows: Iterable[Held]) -> dict[str, dict[str, Held]]:
    """Rows by type and id, both lower-cased. A row without an id is no fact; of two with one id the later counts."""
    by_type: dict[str, dict[str, Held]] = defaultdict(dict)
    for row in rows:
        if isinstance(row, ReadRow):
            by_type[row.kind][row.key] = row
        elif isinstance(row, dict) and (row_id := text(row, "id")) is not None:
            by_type[type_of(row, row_id)][normalise_id(row_id)] = row
    return by_type


def with_changes(known: RowsByType, rows: Iterable[Held], gone: Iterable[str]) -> tuple[RowsByType, KeysByType]:
    """The rows with others put in their places or beside them, and without those of the ids gone; and which these are.

    The mapping of a type of which no row changes is the very same.
    """
    arrived = sorted_by_type(rows)
    left = {*map(normalise_id, gone), *(key for held in arrived.values() for key in held)}
    touched: dict[str, set[str]] = {kind: set(held) for kind, held in arrived.items()}
    for kind, held in known.items():
        if lost := left & held.keys():
            touched.setdefault(kind, set()).update(lost)
    made = dict(known)
    for kind, keys in touched.items():
        news = arrived.get(kind, {})
        kept = {**known.get(kind, {}), **news}
        for key in keys - news.keys():
            kept.pop(key, None)
        made[kind] = kept
    return made, touched


def differences(one: RowsByType, other: RowsByType) -> dict[str, set[str]]:
    """The ids, by type, of the rows that are in one alone, or not alike in both.

    Quick where one was made of the other by ``with_changes``: what is one object is not compared.
    """
    found: dict[str, set[str]] = {}
    for kind in one.keys() | other.keys():
        mine, theirs = one.get(kind, {}), other.get(kind, {})
        if mine is theirs:
            continue
        keys = {key for key, row in mine.items() if (held := theirs.get(key)) is not row and held != row}
        keys |= theirs.keys() - mine.keys()
        if keys:
            found[kind] = keys
    return found


def type_of(row: Row, row_id: str) -> str:
    """The type as stated, else as the id has it; lower-cased."""
    if (stated := text(row, "type")) is not None:
        return stated.lower()
    _, found, tail = row_id.lower().rpartition("/providers/")
    parts = tail.strip("/").split("/")
    if not found:
        return SUBSCRIPTIONS if len(parts) == len(("subscriptions", "id")) else RESOURCE_GROUPS
    return "/".join((parts[0], *parts[1::2]))
