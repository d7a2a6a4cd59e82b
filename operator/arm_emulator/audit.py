"""Who wrote what: an entry for each write that was accepted, and one for each that was refused."""

import uuid
from collections import deque
from collections.abc import Callable

from arm_emulator.errors import ArmError, Json
from arm_emulator.guids import new_guid

_MOST_REFUSED = 10_000


class Audit:
    """Entries `{time, principal, method, id, status, action, correlation, operation}`, oldest first.

    `operation` is the id of the long operation that the write started, where it did. `refused` has the last ones of those
    that were not let through, with `code` and `message` in addition.
    """

    def __init__(self) -> None:
        """Empty."""
        self.entries: list[Json] = []
        self.refused: deque[Json] = deque(maxlen=_MOST_REFUSED)
        self.listeners: list[Callable[[Json], None]] = []

    def record(self, entry: Json) -> None:
        """Adds an entry, to those refused where it has a code."""
        self.restore(entry)
        for listener in self.listeners:
            listener(entry)

    def restore(self, entry: Json) -> None:
        """Adds an entry that was recorded before a restart."""
        if "code" in entry:
            self.refused.append(entry)
        else:
            self.entries.append(entry)


def refusal(entry: Json, error: ArmError) -> Json:
    """The entry of a write that was refused."""
    return {**entry, "status": int(error.status), "code": error.code, "message": error.message}


def correlation(given: str | None) -> str:
    """The correlation id of a request: the client's where it is a guid, else a fresh one."""
    try:
        return str(uuid.UUID(given or ""))
    except ValueError:
        return new_guid()
