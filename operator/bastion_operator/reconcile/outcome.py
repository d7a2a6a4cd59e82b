"""How a pass ended, for the worker."""

from dataclasses import dataclass
from datetime import timedelta

# What a refusal or an obstacle waits for is a person; it is looked at again in case nobody tells.
SLOW_RECHECK = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """When to look again.

    :ivar again_in: seconds; None if nothing but an event asks for it
    :ivar result: a word for the metrics
    """

    again_in: float | None
    result: str = "ok"


GONE = Outcome(None, "gone")
"""The object is not there any more."""

RELEASED = Outcome(SLOW_RECHECK, "released")
"""The operator's finalizer is off. Whether the object went is looked at, for no watch may tell: one that broke off and lists
anew shows only what is there, and what is not known to be gone stays in the way of others.
"""


def routine_look(interval: timedelta) -> float:
    """Seconds between routine passes: with an inventory of at most half the interval's age, a change made by hand in
    Azure is seen within one interval.
    """
    return interval.total_seconds() / 2
