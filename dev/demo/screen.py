"""What the demo prints, and what it counts as come true."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_VERDICT_STYLE = {"Reachable": "green", "Unreachable": "red", "Unknown": "yellow"}
_PLAIN_WIDTH = 160


class NotComeTrueError(Exception):
    """Something that the demo promises did not happen."""


class Screen:
    """Writes to stdout; without a terminal in plain text of a fixed width."""

    def __init__(self) -> None:
        console = Console()
        self._console = console if console.is_terminal else Console(width=_PLAIN_WIDTH, highlight=False)
        self.interactive = console.is_terminal

    def chapter(self, title: str) -> None:
        """A new part of the story."""
        self._console.print()
        self._console.rule(f"[bold]{escape(title)}", align="left")

    def say(self, text: str) -> None:
        """A sentence."""
        self._console.print(escape(text), soft_wrap=True)

    def command(self, line: str, output: str) -> None:
        """A command as the reader would type it, with what it printed."""
        self._console.print(f"[bold cyan]$ {escape(line)}", soft_wrap=True)
        self._console.print(escape(output.rstrip()), soft_wrap=True, highlight=False)

    def check(self, promise: str, kept: bool) -> None:
        """Show that a promise was kept. Raises NotComeTrueError if it was not."""
        if not kept:
            raise NotComeTrueError(promise)
        self._console.print(f"[green]✓[/] {escape(promise)}", soft_wrap=True)

    def wait_for(self, promise: str, kept: Callable[[], bool], *, seconds: float) -> None:
        """Wait until a promise is kept. Raises NotComeTrueError after so many seconds."""
        deadline = time.monotonic() + seconds
        while not (held := kept()) and time.monotonic() < deadline:
            time.sleep(0.25)
        self.check(promise, held)

    def reachability(self, rows: list[dict[str, Any]]) -> None:
        """The table of VMs, from the rows of reports."""
        table = Table(show_lines=False, expand=False)
        for column in ("VM", "Network", "To", "Verdict", "Bastion", "How", "Why not"):
            table.add_column(column, overflow="fold")
        for row in rows:
            reasons = "\n".join(f"{reason['code']}: {reason['message']}" for reason in row.get("reasons", []))
            how = ", ".join(filter(None, [row.get("via"), *row.get("methods", [])]))
            reachable = row["verdict"] == "Reachable"
            table.add_row(
                _last(row["vm"]),
                row["network"],
                f"{row['protocol']} {row['port']}",
                f"[{_VERDICT_STYLE[row['verdict']]}]{row['verdict']}",
                _last(row.get("bastion") or "-") if reachable else "-",
                how if reachable else "-",
                escape(reasons) or "-",
            )
        self._console.print(table)


def _last(resource_id: str) -> str:
    return resource_id.rsplit("/", 1)[-1]
