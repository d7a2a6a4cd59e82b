"""How often Python looks for garbage that reference counting does not find."""

import gc
from typing import Final

_NEW_OBJECTS: Final = 50_000
_YOUNG_ROUNDS: Final = 20
_MIDDLE_ROUNDS: Final = 20


def collect_less_often() -> None:
    """Makes the collector look once in 50,000 new objects in place of 700, for programs that hold an inventory.

    What is read of a fleet has no cycles and lives long, and the collector would walk over it hundreds of times while it
    grows: a sixth of the time that verdicts take, and pauses in which no probe is answered.
    """
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_ROUNDS, _MIDDLE_ROUNDS)
