"""What is going on, on stderr, once it takes longer than a second. Nothing where stderr is no terminal."""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 1.0
"""Seconds for which nobody has to be told."""


class Progress:
    """One piece of work that is under way."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._bar: _Bar | None = None
        self._ended = False
        self._lock = threading.Lock()

    def advance(self, steps: int = 1) -> None:
        """So many more of the total are done."""
        self._done += steps
        if self._bar is not None:
            self._bar.show(self._done)

    def begin(self) -> None:
        """The time has come to show it."""
        bar = _Bar(self._what, self._total)
        with self._lock:
            if self._ended:
                return
            self._bar = bar
            bar.start()
        bar.show(self._done)

    def end(self) -> None:
        """Take it off the terminal."""
        with self._lock:
            self._ended = True
            if self._bar is not None:
                self._bar.stop()


class _Bar:
    """rich's own, which is imported only when there is something to show."""

    def __init__(self, what: str, total: int | None) -> None:
        from rich.console import Console  # noqa: PLC0415  only for what takes long
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as RichProgress  # noqa: PLC0415

        counted = (BarColumn(bar_width=20), MofNCompleteColumn()) if total is not None else ()
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), *counted, TimeElapsedColumn())
        self._shown = RichProgress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._shown.add_task(what, total=total)

    def start(self) -> None:
        self._shown.start()

    def show(self, done: int) -> None:
        self._shown.update(self._task, completed=done)

    def stop(self) -> None:
        self._shown.stop()


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Progress]:
    """Tells of the work in the block: ``what`` is a clause such as "reading Azure", ``total`` how many steps it has."""
    shown = Progress(what, total)
    if not sys.stderr.isatty():
        yield shown
        return
    timer = threading.Timer(PATIENCE, shown.begin)
    timer.daemon = True
    timer.start()
    try:
        yield shown
    finally:
        timer.cancel()
        shown.end()


def counted(what: str, items: Iterable[T], total: int) -> Iterator[T]:
    """The items, with a bar once they take long."""
    with progress(what, total) as shown:
        for item in items:
            yield item
            shown.advance()
