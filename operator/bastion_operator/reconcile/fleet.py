"""The fleet: one shared inventory of Azure, read from Resource Graph and laid over with what was read since.

Its cost does not depend on how many custom resources there are: one refresh at a time for each identity, kept for a
while, one store of rows for all identities with the set of ids that each may see. The graph is late and may miss
rows, so nothing is ever written or concluded to be gone on its word: what is about to be changed is read with a GET,
and what a GET says lies over the graph's row until the graph says the same.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError
from bastion_operator.arm.graph import InventoryReading, read_inventory
from bastion_operator.clock import Clock
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.model import Observed
from bastion_operator.reconcile.agreement import agree

_log = logging.getLogger(__name__)

Row = Mapping[str, Any]
# Requests that are under way at once to confirm what the graph does not show yet.
_AT_ONCE = 8
_SUBSCRIPTION = "microsoft.resources/subscriptions"


@dataclass(slots=True)
class _View:
    """What one identity sees: the ids of its rows, when they were read, and which subscriptions had no row."""

    subscriptions: frozenset[str]
    ids: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    read_at: float | None = None
    unreadable: tuple[str, ...] = ()
    inventory: Inventory | None = None
    version: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def outdate(self) -> None:
        """Rows have changed: what was made of them is of the past."""
        self.inventory = None
        self.version += 1

    def covers(self, key: str) -> bool:
        """Whether the resource lies in one of the subscriptions that the identity may be used in."""
        return _subscription_of(key) in self.subscriptions


@dataclass(slots=True)
class FleetSnapshot:
    """Rows of all identities' subscriptions, by normalised id."""

    clock: Clock
    _rows: dict[str, Row] = field(default_factory=dict)
    _overlay: dict[str, Row | None] = field(default_factory=dict)
    _views: dict[str, _View] = field(default_factory=dict)

    async def refresh(self, identity: str, client: ArmClient, subscriptions: Iterable[str], max_age: float) -> None:
        """Read the identity's rows again if they are older than ``max_age`` seconds.

        :raises AzureError: if the graph cannot be read; what was read before stays
        """
        asked_at = self.clock.monotonic()
        wanted = frozenset(subscription.lower() for subscription in subscriptions)
        view = self._views.get(identity)
        if view is None or view.subscriptions != wanted:
            view = self._views[identity] = _View(wanted)
        async with view.lock:
            # Whoever waited for the lock shares what was read meanwhile, if the reading began after it asked.
            if view.read_at is not None and view.read_at >= asked_at - max_age:
                return
            began = self.clock.monotonic()
            self._store(view, await read_inventory(client, sorted(wanted)), began)
            await self._confirm_overlay(view, client)

    def record(self, resource_id: str, body: Row | None) -> bool:
        """Lay what a GET just said over the graph's row; None says that the resource is not there.

        Returns whether that is news.
        """
        key = normalise_id(resource_id)
        known = self._current(key)
        if _same_row(known, body):
            return False
        self._overlay[key] = body
        self._outdate(key)
        return True

    def observed(self, identity: str) -> Observed:
        """What the identity's plans may look at."""
        return Observed({}, source=lambda key: self._seen_by(identity, key))

    def unreadable(self, identity: str) -> tuple[str, ...]:
        """The subscriptions that the identity is allowed to use but that the graph does not show it."""
        view = self._views.get(identity)
        return view.unreadable if view is not None else ()

    def age(self, identity: str) -> float | None:
        """Seconds since the identity's rows were read; None if they never were."""
        view = self._views.get(identity)
        return None if view is None or view.read_at is None else self.clock.monotonic() - view.read_at

    async def inventory(self, identity: str) -> Inventory | None:
        """The identity's rows as facts, built off the event loop; None if they were never read."""
        view = self._views.get(identity)
        if view is None or view.read_at is None:
            return None
        if view.inventory is None:
            version = view.version
            rows = [row for key in sorted(self._visible(view)) if (row := self._current(key)) is not None]
            inventory = await asyncio.to_thread(Inventory.from_rows, rows, view.types)
            if version != view.version:
                # Something was read meanwhile: this is still an answer, but not one to keep.
                return inventory
            view.inventory = inventory
        return view.inventory

    def _store(self, view: _View, reading: InventoryReading, read_at: float) -> None:
        by_id = {normalise_id(str(row["id"])): row for row in reading.rows if row.get("id")}
        readable = {
            str(row.get("subscriptionId", "")).lower()
            for row in reading.rows
            if str(row.get("type", "")).lower() == _SUBSCRIPTION
        }
        self._rows.update(by_id)
        view.ids = frozenset(by_id)
        view.types = reading.types
        view.read_at = read_at
        view.unreadable = tuple(sorted(view.subscriptions - readable))
        view.outdate()
        # A row that no identity sees any more is forgotten.
        seen = frozenset[str]().union(*(each.ids for each in self._views.values()))
        for key in self._rows.keys() - seen:
            del self._rows[key]

    async def _confirm_overlay(self, view: _View, client: ArmClient) -> None:
        """Drop what the graph has caught up with; ask again about the rest, which others may have changed since."""
        behind = []
        for key in [key for key in self._overlay if view.covers(key)]:
            if _same_row(self._rows.get(key) if key in view.ids else None, self._overlay[key]):
                del self._overlay[key]
            else:
                behind.append(key)
        limit = asyncio.Semaphore(_AT_ONCE)

        async def read_again(key: str) -> None:
            async with limit:
                try:
                    body = await client.get(key)
                except AzureError as error:
                    _log.info("%s could not be read again: %s", key, error.code)
                else:
                    self.record(key, body)

        await asyncio.gather(*(read_again(key) for key in behind))

    def _current(self, key: str) -> Row | None:
        return self._overlay[key] if key in self._overlay else self._rows.get(key)

    def _seen_by(self, identity: str, key: str) -> Row | None:
        view = self._views.get(identity)
        if view is None or not (key in view.ids or (key in self._overlay and view.covers(key))):
            return None
        return self._current(key)

    def _visible(self, view: _View) -> set[str]:
        return {*view.ids, *(key for key in self._overlay if view.covers(key))}

    def _outdate(self, key: str) -> None:
        for view in self._views.values():
            if view.covers(key):
                view.outdate()


def _same_row(row: Row | None, body: Row | None) -> bool:
    if row is None or body is None:
        return row is body
    return agree(row, body)


def _subscription_of(key: str) -> str:
    parts = key.split("/")
    return parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/{id}
