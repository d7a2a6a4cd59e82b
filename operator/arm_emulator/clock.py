"""The emulator's one clock: wall time, an offset that the control side can move, and the speed of Azure's waiting times."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache


class Clock:
    """Time in seconds since the epoch. `speed` divides every waiting time of Azure; it does not bend `now`."""

    def __init__(
        self,
        speed: float = 1.0,
        offset: float = 0.0,
        wall: Callable[[], float] = time.time,
        *,
        min_retry_after: int = 0,
    ) -> None:
        """`wall` is where real time comes from; tests pass their own. `min_retry_after` in seconds is not scaled."""
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.speed = speed
        self.offset = offset
        self._wall = wall
        self._min_retry_after = min_retry_after

    def now(self) -> float:
        """Seconds since the epoch, as Azure sees it."""
        return self._wall() + self.offset

    def advance(self, seconds: float) -> None:
        """Lets time jump ahead: operations fall due, tokens expire, budgets fill up."""
        if seconds < 0:
            raise ValueError("time runs forward only")
        self.offset += seconds

    def scaled(self, seconds: float) -> float:
        """One of Azure's waiting times, at this speed."""
        return seconds / self.speed

    def retry_after(self, seconds: float) -> str:
        """The same as a Retry-After header: whole seconds, 0 where it scales below one and nothing else is the least."""
        return str(max(int(self.scaled(seconds)), self._min_retry_after))

    def timestamp(self) -> str:
        """Now as ARM writes times."""
        return iso(self.now())


def iso(seconds: float) -> str:
    """`2026-01-31T10:00:00.1234567Z`: seven digits, as ARM writes them."""
    whole, micro = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_to_the_second(whole)}.{micro:06}0Z"


@lru_cache(maxsize=1024)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def offset_iso(seconds: float) -> str:
    """`2026-01-31T10:00:00.1234567+00:00`, as Microsoft.Compute writes times."""
    return f"{iso(seconds).removesuffix('Z')}+00:00"
