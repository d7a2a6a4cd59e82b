"""Times as ratios of one run: seconds of one machine say nothing on another."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


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
    """The most memory that this program has held so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not the resource usage: Linux counts there what the process held before it became this program.
        lines = (line.split() for line in status.read_text(encoding="ascii").splitlines())
        return next(int(line[1]) for line in lines if line[0] == "VmHWM:") / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)
