"""The one clock of everything that waits, so that tests can run a day in a minute."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the operator sees it: wall time, a monotonic count of seconds, and sleep."""

    def now(self) -> datetime:
        """The wall time, in UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    def of_real(self, seconds: float) -> float:
        """Real seconds, such as a server's Retry-After, as seconds of this clock."""

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of this clock."""


class SystemClock:
    """The machine's clock, run ``speed`` times as fast: at 100 a wait of ten seconds takes a tenth of a second.

    The wall time is never scaled: conditions and claims carry times that people read.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed

    def now(self) -> datetime:
        """The wall time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of this clock from an arbitrary start."""
        return time.monotonic() * self._speed

    def of_real(self, seconds: float) -> float:
        """Real seconds as seconds of this clock."""
        return seconds * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of this clock."""
        await asyncio.sleep(max(seconds, 0) / self._speed)
