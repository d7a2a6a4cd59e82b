"""Tables for people: as wide as the terminal allows, plain where nobody looks at one."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from bastion_operator.cli.terminal import VERDICT_COLOURS, coloured, columns_of, width

# Between two columns.
_GAP = 2
_COLOURS = VERDICT_COLOURS | {"Lost": "red", "Gained": "green", "Changed": "yellow"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head. ``whole``: its cells are short words that are never broken."""

    head: str
    whole: bool = False


def show_table(columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> None:
    """Writes rows to stdout: aligned and uncut where it is no terminal, folded to the width of one and coloured otherwise."""
    if not sys.stdout.isatty():
        click.echo("\n".join(columns_of([tuple(column.head for column in columns), *rows])))
        return
    from rich.console import Console  # noqa: PLC0415  only when a table is drawn
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, least in zip(columns, _least_widths(columns, rows), strict=True):
        table.add_column(column.head, overflow="fold", no_wrap=column.whole, min_width=least)
    for row in rows:
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    # rich leaves colours out where NO_COLOR is set.
    Console(highlight=False, width=width()).print(table)


def _least_widths(columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> list[int | None]:
    """What each column needs so that no word is broken; nothing is asked for where the terminal has no room for all that."""
    heads = tuple(column.head for column in columns)
    needed = [
        max(len(word) for row in (heads, *rows) for word in _words(row[place], column))
        for place, column in enumerate(columns)
    ]
    gaps = _GAP * (len(columns) - 1)
    return [*needed] if sum(needed) + gaps <= width() else [None] * len(columns)


def _words(cell: str, column: Column) -> list[str]:
    return [cell] if column.whole else cell.split() or [""]


class GrowingTable:
    """A table to which rows come one after the other, as `kubectl get --watch` shows it: never folded, its widths kept."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._heads = tuple(column.head for column in columns)
        self._widths: list[int] = []

    def add(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Writes rows; before the first ones the head."""
        first = not self._widths
        listed = [self._heads, *rows] if first else rows
        if not listed:
            return
        least = self._widths or [0] * len(self._heads)
        self._widths = [max(least[place], *(len(row[place]) for row in listed)) for place in range(len(self._heads))]
        lines = ("  ".join(map(self._cell, row, self._widths)).rstrip() for row in listed)
        click.echo("\n".join(lines))

    def _cell(self, cell: str, width: int) -> str:
        return coloured(cell, _COLOURS.get(cell)) + " " * (width - len(cell))
