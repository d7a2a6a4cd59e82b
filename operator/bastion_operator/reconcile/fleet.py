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
from bastion_operator.arm.errors import AzureError, ErrorClass
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
# Seconds that a pass waits for a reading. A throttled graph takes minutes, and a pass can do a lot by GETs meanwhile.
_PATIENCE = 20.0
# Seconds for which a failed reading answers for all who ask.
_FAILURE_KEPT = 10.0
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
    reading: "asyncio.Task[None] | None" = None
    failure: AzureError | None = None
    failed_at: float = 0.0

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

        One reading at a time for an identity; it goes on where a caller does not wait for its end.

        :raises AzureError: if the graph cannot be read, or not soon; what was read before stays
        """
        asked_at = self.clock.monotonic()
        wanted = frozenset(subscription.lower() for subscription in subscriptions)
        view = self._views.get(identity)
        if view is None or view.subscriptions != wanted:
            if view is not None and view.reading is not None:
                view.reading.cancel()
            view = self._views[identity] = _View(wanted)
        # A reading that was under way when this caller asked serves it only if it is young enough as well.
        while view.read_at is None or view.read_at < asked_at - max_age:
            if view.reading is None:
                if view.failure is not None and self.clock.monotonic() < view.failed_at + _FAILURE_KEPT:
                    raise view.failure
                view.reading = asyncio.create_task(self._read(view, client), name=f"inventory of {identity}")
            await self._wait(view.reading, asked_at + _PATIENCE)

    async def close(self) -> None:
        """Give up the readings that are under way."""
        readings = [view.reading for view in self._views.values() if view.reading is not None]
        for reading in readings:
            reading.cancel()
        await asyncio.gather(*readings, return_exceptions=True)

    def forget(self, identity: str) -> None:
        """The identity is gone, and what only it could see goes with it."""
        view = self._views.pop(identity, None)
        if view is not None and view.reading is not None:
            view.reading.cancel()
        self._prune()

    async def _read(self, view: _View, client: ArmClient) -> None:
        began = self.clock.monotonic()
        try:
            self._store(view, await read_inventory(client, sorted(view.subscriptions)), began)
            view.failure = None
            await self._confirm_overlay(view, client)
        except AzureError as error:
            view.failure, view.failed_at = error, self.clock.monotonic()
        finally:
            view.reading = None

    async def _wait(self, reading: "asyncio.Task[None]", until: float) -> None:
        """Wait for a reading, whose failure is kept in its view; what nobody foresaw is raised here."""
        timer = asyncio.ensure_future(self.clock.sleep(until - self.clock.monotonic()))
        try:
            await asyncio.wait({reading, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        if not reading.done():
            raise AzureError(
                code="InventoryLate",
                message="Resource Graph has not answered yet; what was read before is gone by meanwhile",
                error_class=ErrorClass.TRANSIENT,
                target="Microsoft.ResourceGraph/resources",
            )
        if not reading.cancelled():
            reading.result()

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
        self._prune()

    def _prune(self) -> None:
        """Forget rows that no identity sees any more."""
        seen = frozenset[str]().union(*(each.ids for each in self._views.values()))
        for key in self._rows.keys() - seen:
            del self._rows[key]
        for key in [key for key in self._overlay if not any(view.covers(key) for view in self._views.values())]:
            del self._overlay[key]

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
