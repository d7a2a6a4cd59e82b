"""A clock that goes only when a test says so."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Starts at noon of 1 January 2026; a sleep moves it on at once."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self._seconds = 1000.0

    def now(self) -> datetime:
        """The wall time, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since an arbitrary start."""
        return self._seconds

    def of_real(self, seconds: float) -> float:
        """This clock's seconds are real ones."""
        return seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds

    async def sleep(self, seconds: float) -> None:
        """Let time pass, without waiting."""
        self.advance(max(seconds, 0))
