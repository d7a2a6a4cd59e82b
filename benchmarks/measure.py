"""Times as ratios of one run: seconds of one machine say nothing on another."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One result. ``value`` is a ratio, a count or MB, as ``unit`` says; ``against`` is what a ratio divides by."""

    benchmark: str
    what: str
    value: float
    unit: str
    against: str = ""


def seconds(work: Callable[[], object], *, times: int = 1) -> float:
    """The shortest of so many runs, in seconds of wall time."""
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def cpu_seconds(work: Callable[[], object]) -> float:
    """The processor time of one run in this process: what other programs do meanwhile does not count."""
    started = time.process_time()
    work()
    return time.process_time() - started


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)
