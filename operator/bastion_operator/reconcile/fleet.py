"""The fleet: one shared inventory of Azure, read from Resource Graph and laid over with what was read since.

Its cost does not depend on how many custom resources there are: one refresh at a time for each identity, kept for a
while, one store of rows for all identities with the set of ids that each may see. The graph is late and may miss
rows, so nothing is ever written or concluded to be gone on its word: what is about to be changed is read with a GET,
and what a GET says lies over the graph's row until the graph says the same.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.arm.graph import read_inventory
from bastion_operator.clock import Clock
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.gaps import gaps
from bastion_operator.network.held_row import Held, row_of
from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.model import Observed
from bastion_operator.reconcile.agreement import agree
from bastion_operator.reconcile.gathered import Gathered, gathered

_log = logging.getLogger(__name__)

Row = Mapping[str, Any]
# Requests that are under way at once to confirm what the graph does not show yet.
_AT_ONCE = 8
# Seconds that a pass waits for a reading. A throttled graph takes minutes, and a pass can do a lot by GETs meanwhile.
_PATIENCE = 20.0
# Seconds for which a failed reading answers for all who ask.
_FAILURE_KEPT = 10.0
# GETs in a reading for what rows refer to and the graph does not show.
_MOST_GAPS = 10


@dataclass(slots=True)
class _View:
    """What one identity sees: the ids of its rows, when they were read, and which subscriptions had no row.

    ``access``: role assignments were asked for as well. ``refused``: ids that a GET may not read (403);
    ``asked``: when each id was asked for that is referred to and has no row.
    ``before`` is the last inventory that was made, whether it is still true or not: the next one shares with it.
    """

    subscriptions: frozenset[str]
    ids: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    read_at: float | None = None
    access: bool = False
    unreadable: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    asked: dict[str, float] = field(default_factory=dict)
    inventory: Inventory | None = None
    before: Inventory | None = None
    version: int = 0
    reading: "asyncio.Task[None] | None" = None
    failure: AzureError | None = None
    failed_at: float = 0.0

    def outdate(self) -> None:
        """Rows have changed: what was made of them is of the past."""
        self.inventory = None
        self.version += 1

    def patch(self, key: str, body: Row | None) -> None:
        """One row has changed: an inventory that there is goes on with it."""
        known = self.inventory
        self.outdate()
        if known is not None:
            self.inventory = self.before = known.patched([] if body is None else [body], [key] if body is None else [])

    def young(self, oldest: float, *, access: bool) -> bool:
        """Whether the rows were read at this time of the clock or later, role assignments included if those are asked for."""
        return self.read_at is not None and self.read_at >= oldest and (self.access or not access)

    def covers(self, key: str) -> bool:
        """Whether the resource lies in one of the subscriptions that the identity may be used in."""
        return _subscription_of(key) in self.subscriptions


@dataclass(slots=True)
class FleetSnapshot:
    """Rows of all identities' subscriptions, by normalised id."""

    clock: Clock
    _rows: dict[str, Held] = field(default_factory=dict)
    _overlay: dict[str, Row | None] = field(default_factory=dict)
    _views: dict[str, _View] = field(default_factory=dict)

    async def refresh(
        self,
        identity: str,
        client: ArmClient,
        subscriptions: Iterable[str],
        max_age: float,
        *,
        access: bool = False,
        until_read: float = 0.0,
    ) -> "asyncio.Task[None] | None":
        """Read the identity's rows again if they are older than ``max_age`` seconds.

        With ``access`` they are to hold the role assignments as well, and are read again at once if they do not. Rows of
        at most ``until_read`` seconds will do meanwhile: then the reading is returned that goes on.

        One reading at a time for an identity; it goes on where a caller does not wait for its end.

        :raises AzureError: if the graph cannot be read, or not soon; what was read before stays
        """
        asked_at = self.clock.monotonic()
        view = self._view(identity, subscriptions)
        # A reading that was under way when this caller asked serves it only if it is young enough as well.
        while not view.young(asked_at - max_age, access=access):
            reading = self._begin(identity, view, client, access=access)
            if view.young(asked_at - until_read, access=access):
                return reading
            await self._wait(reading, asked_at + _PATIENCE)
        return None

    def _view(self, identity: str, subscriptions: Iterable[str]) -> _View:
        """What is known of the identity's rows; nothing if its subscriptions are others than they were."""
        wanted = frozenset(subscription.lower() for subscription in subscriptions)
        view = self._views.get(identity)
        if view is None or view.subscriptions != wanted:
            if view is not None and view.reading is not None:
                view.reading.cancel()
            view = self._views[identity] = _View(wanted)
        return view

    def _begin(self, identity: str, view: _View, client: ArmClient, *, access: bool) -> "asyncio.Task[None]":
        """The reading that is under way, or a new one."""
        # One that was given up before its first step has not taken itself off the view.
        if view.reading is None or view.reading.done():
            if view.failure is not None and self.clock.monotonic() < view.failed_at + _FAILURE_KEPT:
                raise view.failure
            view.reading = asyncio.create_task(
                self._read(identity, view, client, access=access), name=f"inventory of {identity}"
            )
        return view.reading

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

    async def _read(self, identity: str, view: _View, client: ArmClient, *, access: bool) -> None:
        began = self.clock.monotonic()
        try:
            reading = await read_inventory(client, sorted(view.subscriptions), access=access)
            self._store(view, await asyncio.to_thread(gathered, reading, self._rows), began)
            view.access, view.failure = access, None
            await self._confirm_overlay(view, client)
            await self._fill_gaps(identity, view, client)
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
        if _same_row(row_of(self._current(key)), body):
            return False
        self._overlay[key] = body
        self._outdate(key, body)
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

    def ages(self) -> dict[str, float]:
        """Seconds since the rows of each identity were read that has any."""
        ages = ((identity, self.age(identity)) for identity in self._views)
        return {identity: age for identity, age in ages if age is not None}

    async def inventory(self, identity: str) -> Inventory | None:
        """The identity's rows as facts, built off the event loop; None if they were never read."""
        view = self._views.get(identity)
        if view is None or view.read_at is None:
            return None
        if view.inventory is None:
            version = view.version
            overlay = {key: body for key, body in self._overlay.items() if view.covers(key)}
            refused = view.refused | {f"/subscriptions/{each}" for each in view.unreadable}
            seen = _Seen(view.ids, view.types, refused, overlay, view.before)
            inventory = await asyncio.to_thread(_inventory, seen, self._rows)
            if version != view.version:
                # Something was read meanwhile: this is still an answer, but not one to keep.
                return inventory
            view.inventory = view.before = inventory
        return view.inventory

    def _store(self, view: _View, read: Gathered, read_at: float) -> None:
        self._rows.update(read.news)
        # What was known when the rows were compared, another identity's reading may have let go of meanwhile.
        self._rows.update((key, read.same[key]) for key in read.same.keys() - self._rows.keys())
        view.ids = read.ids
        view.types = read.types
        view.read_at = read_at
        view.unreadable = tuple(sorted(view.subscriptions - read.subscriptions))
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
        covered = [key for key in self._overlay if view.covers(key)]
        behind = [key for key in covered if not _same_row(self._read_row(view, key), self._overlay[key])]
        self._drop(set(covered).difference(behind), view)
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

    def _drop(self, keys: set[str], confirmed_in: _View) -> None:
        """The graph has shown one identity what lies over it. Whoever was read before that takes it for read as well.

        Whoever is being read at this moment may be shown what was there before: what it covers stays until that is known.
        """
        others = [view for view in self._views.values() if view is not confirmed_in]
        keys -= {key for key in keys if any(view.reading is not None and view.covers(key) for view in others)}
        dropped = {key: self._overlay.pop(key) for key in keys}
        for view in others:
            here = {key for key in dropped if view.covers(key)}
            there = {key for key in here if dropped[key] is not None}
            if here:
                view.ids = (view.ids - here) | there

    async def _fill_gaps(self, identity: str, view: _View, client: ArmClient) -> None:
        """Ask for what rows refer to and the graph does not show: it is late, gone, or not for this identity.

        A few in a reading, those first that were not asked for yet, or longest ago; between two questions the answer holds.
        """
        inventory = await self.inventory(identity)
        if inventory is None:
            return
        missing = {normalise_id(each): each for each in await asyncio.to_thread(gaps, inventory)}
        asked = [key for key in missing if view.covers(key) and key not in self._overlay]
        asked.sort(key=lambda key: view.asked.get(key, 0.0))
        refused = set(view.refused & missing.keys())
        now = self.clock.monotonic()
        view.asked = {key: at for key, at in view.asked.items() if key in missing} | dict.fromkeys(
            asked[:_MOST_GAPS], now
        )

        async def ask(key: str) -> None:
            try:
                body = await client.get(missing[key])
            except AzureError as error:
                if error.error_class is ErrorClass.DENIED:
                    refused.add(key)
                else:
                    _log.info("%s could not be read: %s", missing[key], error.code)
            else:
                refused.discard(key)
                if body is not None:
                    self.record(missing[key], body)

        await asyncio.gather(*map(ask, asked[:_MOST_GAPS]))
        if refused != view.refused:
            view.refused = frozenset(refused)
            view.outdate()

    def _current(self, key: str) -> Held | None:
        # A single look at the overlay: plans are made in threads, and between two it may lose the key.
        try:
            return self._overlay[key]
        except KeyError:
            return self._rows.get(key)

    def _seen_by(self, identity: str, key: str) -> Row | None:
        view = self._views.get(identity)
        if view is None or not (key in view.ids or (key in self._overlay and view.covers(key))):
            return None
        return row_of(self._current(key))

    def _read_row(self, view: _View, key: str) -> Row | None:
        return row_of(self._rows.get(key)) if key in view.ids else None

    def _outdate(self, key: str, body: Row | None) -> None:
        for view in self._views.values():
            if view.covers(key):
                view.patch(key, body)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an identity sees at one moment, for a thread to make an inventory of."""

    ids: frozenset[str]
    types: frozenset[str]
    refused: frozenset[str]
    overlay: Mapping[str, Row | None]
    before: Inventory | None


def _inventory(seen: _Seen, rows: Mapping[str, Held]) -> Inventory:
    """An identity's rows as facts, ordered by id; made of the inventory before where the same was asked for."""
    found = {key: held for key in seen.ids if key not in seen.overlay and (held := rows.get(key)) is not None}
    found |= {key: body for key, body in seen.overlay.items() if body is not None}
    asked = (seen.types, seen.refused)
    if seen.before is None or (seen.before.types_read, seen.before.refused) != asked:
        return Inventory.from_rows((found[key] for key in _sorted(found)), *asked)
    known = seen.before.held()
    changed = [held for key, held in found.items() if known.get(key) is not held]
    return seen.before.patched(changed, known.keys() - found.keys())


def _sorted(keys: Iterable[str]) -> Iterator[str]:
    """By subscription, one after the other: a sort of all at once keeps every other thread out for as long as it takes."""
    by_subscription: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_subscription[_subscription_of(key)].append(key)
    for subscription in sorted(by_subscription):
        yield from sorted(by_subscription[subscription])


def _same_row(row: Row | None, body: Row | None) -> bool:
    if row is None or body is None:
        return row is body
    return agree(row, body)


def _subscription_of(key: str) -> str:
    parts = key.split("/")
    return parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/{id}
