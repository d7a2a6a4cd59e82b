"""The one queue of keys: coalescing, with delayed adds, lanes that take turns, and never two passes of one key at a time."""

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import count

from bastion_operator.clock import Clock
from bastion_operator.reconcile.keys import Key


@dataclass(slots=True)
class _Lanes:
    """What waits, by lane; each lane gives one and goes to the end."""

    lanes: dict[Hashable, deque[Key]] = field(default_factory=dict)

    def append(self, item: tuple[Hashable, Key]) -> None:
        lane, key = item
        self.lanes.setdefault(lane, deque()).append(key)

    def popleft(self) -> tuple[Hashable, Key]:
        lane = next(iter(self.lanes))
        keys = self.lanes.pop(lane)
        key = keys.popleft()
        if keys:
            self.lanes[lane] = keys
        return lane, key

    def __len__(self) -> int:
        return sum(map(len, self.lanes.values()))


class _TurnByTurn(asyncio.Queue[tuple[Hashable, Key]]):
    """A queue in which lanes take turns."""

    def _init(self, maxsize: int) -> None:
        del maxsize  # it holds each key once
        self._queue = _Lanes()


@dataclass(slots=True)
class WorkQueue:
    """Keys that are due, each once.

    A key that is added while its pass runs is due again when the pass ends, so that nothing that happened in between is
    missed. Of several delayed adds the earliest counts. Lanes take turns: workers are few, and a hundred keys that hold
    grants for calls to one subscription must not keep them from all others, whose budgets would overflow meanwhile.
    """

    clock: Clock
    _ready: _TurnByTurn = field(default_factory=_TurnByTurn)
    # Since when a key is due, and for how long one that runs had been.
    _queued: dict[Key, float] = field(default_factory=dict)
    _running: dict[Key, float] = field(default_factory=dict)
    _again: set[Key] = field(default_factory=set)
    _due: dict[Key, float] = field(default_factory=dict)
    _heap: list[tuple[float, int, Key]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _earlier: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, key: Key, lane: Hashable = None) -> None:
        """The key is due now, in the lane that it is in already, if it is due."""
        self._due.pop(key, None)
        if key in self._running:
            self._again.add(key)
        elif key not in self._queued:
            self._queued[key] = self.clock.monotonic()
            self._ready.put_nowait((lane, key))

    def add_after(self, key: Key, seconds: float) -> None:
        """The key is due in so many seconds, unless it is earlier already."""
        due = self.clock.monotonic() + seconds
        if key in self._queued or self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._earlier.set()

    def spread(self, seconds: float, rng: random.Random) -> None:
        """What is due now comes at random moments of so many seconds instead."""
        while not self._ready.empty():
            _, key = self._ready.get_nowait()
            del self._queued[key]
            self.add_after(key, rng.uniform(0, seconds))

    def forget(self, key: Key) -> None:
        """Drop what was delayed; a pass that runs goes on."""
        self._due.pop(key, None)

    async def take(self) -> Key:
        """The next key that is due; it is running until :meth:`done`."""
        _, key = await self._ready.get()
        self._running[key] = self.clock.monotonic() - self._queued.pop(key)
        return key

    def waited(self, key: Key) -> float:
        """Seconds of the clock for which a key that is running had been due before it was taken."""
        return self._running[key]

    def done(self, key: Key) -> None:
        """The pass of this key has ended."""
        self._running.pop(key, None)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    async def run_timers(self) -> None:
        """Move delayed keys to the queue when they are due; runs until cancelled."""
        while True:
            self._earlier.clear()
            wait = self._release_due()
            if wait is None:
                await self._earlier.wait()
                continue
            timer = asyncio.ensure_future(self.clock.sleep(wait))
            earlier = asyncio.ensure_future(self._earlier.wait())
            try:
                await asyncio.wait({timer, earlier}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
                earlier.cancel()

    def __len__(self) -> int:
        return self._ready.qsize()

    def _release_due(self) -> float | None:
        """Add what is due; the seconds until the next is, None if nothing is delayed."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) != due:
                heapq.heappop(self._heap)  # overtaken by an earlier add
                continue
            wait = due - self.clock.monotonic()
            if wait > 0:
                return wait
            heapq.heappop(self._heap)
            self.add(key)
        return None
