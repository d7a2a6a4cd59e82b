"""Tables for people: as wide as the terminal allows, plain where nobody looks at one.

Where a terminal is too narrow for all columns with their words whole, the columns that stand apart go below each row; only
where that does not help either, words are broken.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import click

from bastion_operator.cli.terminal import VERDICT_COLOURS, bold, coloured, columns_of, width

_GAP: Final = "  "
_COLOURS: Final = VERDICT_COLOURS | {"Lost": "red", "Gained": "green", "Changed": "yellow"}
_NOTHING: Final = "-"
# A line may end behind a word or behind the comma of a list; in a name that has to be broken, behind a part of it.
_WORDS: Final = re.compile(r"(?<=[\s,])")
_PARTS: Final = re.compile(r"(?<=[\s,/_.-])")


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head. ``whole``: its cells are short words that are never broken. ``apart``: see above."""

    head: str
    whole: bool = False
    apart: bool = False


def show_table(columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> None:
    """Writes rows to stdout: aligned and uncut where it is no terminal, folded to the width of one and coloured otherwise."""
    if not sys.stdout.isatty():
        click.echo("\n".join(columns_of([tuple(column.head for column in columns), *rows])))
        return
    click.echo("\n".join(_laid_out(columns, rows, width())))


def _laid_out(columns: Sequence[Column], rows: Sequence[tuple[str, ...]], room: int) -> Iterator[str]:
    beside, below = _places(columns, rows, room)
    chosen = [columns[place] for place in beside]
    cells = [tuple(row[place] for place in beside) for row in rows]
    widths = _widths(chosen, cells, room)
    yield from _lines([[bold(column.head.ljust(each))] for column, each in zip(chosen, widths, strict=True)])
    for row, shown in zip(rows, cells, strict=True):
        yield from _lines([_cell(cell, each) for cell, each in zip(shown, widths, strict=True)])
        for place in below:
            if row[place] != _NOTHING:
                yield from (_GAP + line for line in _folded(row[place], room - len(_GAP), _WORDS))


def _places(columns: Sequence[Column], rows: Sequence[tuple[str, ...]], room: int) -> tuple[list[int], list[int]]:
    """Which columns stand side by side, and which below each row."""
    every = [*range(len(columns))]
    apart = [place for place in every if columns[place].apart]
    if _fits(_needed(columns, rows), room):
        return every, []
    return [place for place in every if place not in apart], apart


def _widths(columns: Sequence[Column], rows: Sequence[tuple[str, ...]], room: int) -> list[int]:
    """What each column gets: all that it could use, or what its words need, or what is left."""
    widths = [max(len(cell) for cell in cells) for cells in _by_column(columns, rows)]
    whole = [each if column.whole else len(column.head) for column, each in zip(columns, widths, strict=True)]
    for least in (_needed(columns, rows), whole):
        while not _fits(widths, room):
            place = max(range(len(widths)), key=lambda each: (widths[each] > least[each], widths[each]))
            if widths[place] <= least[place]:
                break
            widths[place] -= 1
    return widths


def _needed(columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> list[int]:
    """What each column needs so that no word is broken."""
    return [
        max(len(word) for cell in cells for word in ([cell] if column.whole else _words(cell)))
        for column, cells in zip(columns, _by_column(columns, rows), strict=True)
    ]


def _by_column(columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    return zip(*(tuple(column.head for column in columns), *rows), strict=True)


def _fits(widths: Sequence[int], room: int) -> bool:
    return sum(widths) + len(_GAP) * (len(widths) - 1) <= room


def _words(cell: str) -> list[str]:
    return [word.rstrip() for word in _WORDS.split(cell)]


def _cell(cell: str, width: int) -> list[str]:
    """The lines of a cell, each as wide as its column."""
    breaks = _WORDS if all(len(word) <= width for word in _words(cell)) else _PARTS
    return [coloured(line, _COLOURS.get(cell)) + " " * (width - len(line)) for line in _folded(cell, width, breaks)]


def _folded(text: str, width: int, breaks: re.Pattern[str]) -> list[str]:
    lines, line = [], ""
    for piece in breaks.split(text):
        if line and len(line) + len(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
        while len(line.rstrip()) > width:
            lines.append(line[:width])
            line = line[width:]
    return [*lines, line.rstrip()]


def _lines(cells: Sequence[list[str]]) -> Iterator[str]:
    """The lines of a row, whose cells may have several each."""
    blank = [" " * _shown_width(lines[0]) for lines in cells]
    for parts in zip_longest(*cells):
        yield _GAP.join(part if part is not None else blank[place] for place, part in enumerate(parts)).rstrip()


def _shown_width(text: str) -> int:
    return len(click.unstyle(text))


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
