"""How the interpreter is set for a program that works on a fleet in threads while an event loop answers probes, and for one
that answers a question about a fleet and ends.
"""

import atexit
import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

_NEW_OBJECTS: Final = 10_000
_YOUNG_ROUNDS: Final = 5
_MIDDLE_ROUNDS: Final = 4_000
_TURN: Final = 0.001
_KEPT: Final[list[object]] = []
_UNFORESEEN: Final = 1


def collect_less_often() -> None:
    """Makes the collector look at what is new only, and once in 10,000 new objects in place of 700.

    For programs that hold an inventory: what is read of a fleet has no cycles and lives long, and each look at all of it is
    a pause of up to a second in which no probe is answered. Python's own setting takes hundreds of looks while a fleet is
    read, a sixth of the time that verdicts take. Here one comes after 200 million new objects, once in a day or so.
    """
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_ROUNDS, _MIDDLE_ROUNDS)


def take_short_turns() -> None:
    """Makes threads that compute give way after a millisecond in place of five.

    An answer of the event loop waits for the interpreter several times, each time for a turn of every thread that computes:
    with four of them a probe takes a fifth of a second by Python's own setting, and a fifth of that by this one.
    """
    sys.setswitchinterval(_TURN)


def keep_to_the_end(*things: object) -> None:
    """Holds what a program of a few seconds has read and worked out.

    For programs that end by ``run_and_leave``: taking an estate apart when a function returns costs a sixth of their time.
    """
    _KEPT.extend(things)


def run_and_leave(program: Callable[[], object]) -> NoReturn:
    """Runs a program that ends by SystemExit with a number, and ends the process with it: memory goes as it is.

    What was registered with atexit is done before, and streams are flushed.
    """
    code = _UNFORESEEN

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            # Where nobody listens any more there is nobody to tell.
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()
        os._exit(code)

    # What is registered first is done last.
    atexit.register(leave)
    try:
        program()
    except SystemExit as ended:
        code = 0 if ended.code is None else ended.code if isinstance(ended.code, int) else _UNFORESEEN
        raise
    code = 0
    sys.exit(code)
