"""Who wrote what: an entry for each write that was accepted."""

from collections.abc import Callable

from arm_emulator.errors import Json


class Audit:
    """Entries `{time, principal, method, id, status, operation}`, oldest first."""

    def __init__(self) -> None:
        """Empty."""
        self.entries: list[Json] = []
        self.listeners: list[Callable[[Json], None]] = []

    def record(self, entry: Json) -> None:
        """Adds an entry."""
        self.entries.append(entry)
        for listener in self.listeners:
            listener(entry)
