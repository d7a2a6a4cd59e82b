"""Calls begin one after the other, and those of different budgets in turns."""

import asyncio
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field


@dataclass(slots=True)
class SendTurns:
    """In each round of the event loop one call of each lane begins; in a lane it goes by who came first (docs/adr/0011).

    Passes send many calls at once. Were all of them to begin in one round, those of one subscription would keep the processor
    from those of the next, whose full budget gains nothing meanwhile, and no answer would be read until the last has gone out.
    """

    _lanes: dict[Hashable, deque[asyncio.Future[None]]] = field(default_factory=dict)

    async def take(self, lane: Hashable) -> None:
        """Wait for a turn: a round of the event loop, where nothing of the lane waits."""
        loop = asyncio.get_running_loop()
        if not self._lanes:
            loop.call_soon(self._round, loop)
        turn = loop.create_future()
        self._lanes.setdefault(lane, deque()).append(turn)
        await turn

    def _round(self, loop: asyncio.AbstractEventLoop) -> None:
        for lane, waiting in list(self._lanes.items()):
            _give_one(waiting)
            if not waiting:
                del self._lanes[lane]
        if self._lanes:
            loop.call_soon(self._round, loop)


def _give_one(waiting: deque[asyncio.Future[None]]) -> None:
    while waiting:
        turn = waiting.popleft()
        if not turn.done():  # whoever broke off needs no turn
            turn.set_result(None)
            return
