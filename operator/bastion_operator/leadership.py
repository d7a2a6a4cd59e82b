"""Whether this process may write: of several operators of one installation only the one that holds the Lease does."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

# A process that was stopped, or whose machine slept, must find its time used up. Linux' monotonic clock stands still while
# the machine sleeps, and CLOCK_BOOTTIME does not (clock_gettime(2)); that of macOS goes on by itself.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class NotLeadingError(Exception):
    """A write that was not sent, because another process may be writing by now."""


def seconds_since_boot() -> float:
    """Real seconds from an arbitrary start, those in which the machine slept or the process was stopped included."""
    return time.clock_gettime(_CLOCK)


@dataclass(slots=True)
class Leadership:
    """The right to write, until a time that the Lease moves on. Asked before every write, at the last moment.

    :ivar now: the clock of that time; not the operator's own, which tests run faster
    """

    now: Callable[[], float] = seconds_since_boot
    _until: float = -math.inf
    _given_up: bool = False
    _gained: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def undisputed(cls) -> Self:
        """The right to write of a process that is alone by its settings."""
        leadership = cls()
        leadership.extend(math.inf)
        return leadership

    def extend(self, until: float) -> None:
        """It may write until then, unless it was given up."""
        self._until = max(until, self._until)
        self._gained.set()

    def give_up(self) -> None:
        """It may write no longer, for good: a process that has lost the Lease ends."""
        self._given_up = True

    def left(self) -> float:
        """Seconds for which it may still write; 0 or less: it may not."""
        return -math.inf if self._given_up else self._until - self.now()

    def holds(self) -> bool:
        """Whether it may write now."""
        return self.left() > 0

    def check(self) -> None:
        """Nothing where it may write now.

        :raises NotLeadingError: it may not
        """
        if not self.holds():
            raise NotLeadingError("nothing is written by an operator that does not hold the Lease")

    async def gained(self) -> None:
        """Wait until it may write for the first time."""
        await self._gained.wait()
