"""What a terminal can do: its width, and whether it is to be coloured (https://no-color.org)."""

import os
import shutil
import sys
import textwrap
from typing import Final

import click

NARROWEST: Final = 80
_WITHOUT_TERMINAL: Final = 110
VERDICT_COLOURS: Final = {"Reachable": "green", "Unreachable": "red", "Unknown": "yellow"}


def width() -> int:
    """Columns to write in: the terminal's, never fewer than 80; 110 where the output is no terminal."""
    if not sys.stdout.isatty():
        return _WITHOUT_TERMINAL
    return max(shutil.get_terminal_size().columns, NARROWEST)


def coloured(text: str, colour: str | None) -> str:
    """The text in a colour, where somebody sees it who has not asked for none."""
    shown = colour is not None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return click.style(text, fg=colour) if shown else text


def bold(text: str) -> str:
    """The text in bold, where somebody sees it who has not asked for plain text."""
    return click.style(text, bold=True) if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def wrapped(text: str, indent: int, *, hanging: int = 0, columns: int | None = None) -> list[str]:
    """The text in lines of the terminal's width, none of its words broken."""
    return textwrap.wrap(
        text,
        width=columns or width(),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


def columns_of(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows as lines with aligned columns; the last column is as long as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
