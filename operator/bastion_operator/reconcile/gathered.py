"""A reading of the graph, made ready to be stored in the fleet."""

from collections.abc import Mapping
from dataclasses import dataclass

from bastion_operator.arm.graph import InventoryReading
from bastion_operator.network.held_row import Held, ReadRow, key_of

_SUBSCRIPTION = "microsoft.resources/subscriptions"


@dataclass(frozen=True, slots=True)
class Gathered:
    """A reading made ready to be stored: the ids in it, the rows that are not as they were and those that are, the
    subscriptions shown.
    """

    ids: frozenset[str]
    news: dict[str, Held]
    same: dict[str, Held]
    types: frozenset[str]
    subscriptions: frozenset[str]


def gathered(reading: InventoryReading, known: Mapping[str, Held]) -> Gathered:
    """A row that says what it said before stays the object that it was: whoever compares two inventories sees it at once.

    The reading's rows are used up, one by one: letting go of a fleet's rows at once keeps every other thread out meanwhile.
    """
    ids: set[str] = set()
    news: dict[str, Held] = {}
    same: dict[str, Held] = {}
    subscriptions: set[str] = set()
    while reading.rows:
        held = reading.rows.pop()
        if (key := key_of(held)) is None or key in ids:
            continue
        ids.add(key)
        if not isinstance(held, ReadRow) and str(held.get("type", "")).lower() == _SUBSCRIPTION:
            subscriptions.add(str(held.get("subscriptionId", "")).lower())
        if (before := known.get(key)) is not None and before == held:
            same[key] = before
        else:
            news[key] = held
    return Gathered(frozenset(ids), news, same, reading.types, frozenset(subscriptions))
