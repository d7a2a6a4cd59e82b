"""The time by Azure's own word: the Date of its answers (RFC 9110, section 6.6.1).

The machine's wall clock may be set wrong, or be set right by a step of hours. Where a wrong time would do harm, both are asked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

from bastion_operator.clock import Clock


@dataclass(slots=True)
class AzureTime:
    """What Azure's clock showed when it last answered, and what has passed since by the monotonic clock."""

    clock: Clock
    _told: datetime | None = None
    _at: float = 0.0

    def note(self, date: str | None) -> None:
        """Take note of an answer's Date; of one that is missing or none nothing is known."""
        told = date_of(date)
        if told is not None:
            self._told, self._at = told, self.clock.monotonic()

    def now(self) -> datetime | None:
        """Azure's time; None before its first answer."""
        if self._told is None:
            return None
        passed = (self.clock.monotonic() - self._at) / self.clock.of_real(1.0)
        return self._told + timedelta(seconds=passed)

    def bounds(self) -> tuple[datetime, datetime]:
        """Between which times it is, by this machine's clock and Azure's: the earlier and the later of the two."""
        own = self.clock.now()
        azure = self.now() or own
        return min(own, azure), max(own, azure)


# It changes once a second, however many answers come.
@lru_cache(maxsize=16)
def date_of(header: str | None) -> datetime | None:
    """The time of a Date header; None where it is missing, or is none."""
    try:
        found = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
