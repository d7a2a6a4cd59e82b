"""Times as ratios of one run: seconds of one machine say nothing on another."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TIMES: Final = frozenset({"us a call", "ms", "s", "a second"})


@dataclass(frozen=True, slots=True)
class Figure:
    """One result. ``value`` is in ``unit``; ``against`` is what a ratio divides by.

    ``at_most`` and ``at_least`` are its limit, in the same unit, where it has one.
    """

    benchmark: str
    what: str
    value: float
    unit: str
    against: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def missed(self) -> bool:
        """Whether the value is beyond its limit."""
        too_much = self.at_most is not None and self.value > self.at_most
        return too_much or (self.at_least is not None and self.value < self.at_least)

    @property
    def is_time(self) -> bool:
        """Whether the value is as much the machine's as the program's: a slow or a busy one misses the limit by itself."""
        return self.unit in _TIMES

    @property
    def limit(self) -> str:
        """The limit as a person reads it; empty where there is none."""
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        if self.at_least == self.at_most is not None:
            return f"exactly {self.at_most:,g}"
        return ", ".join(f"{word} {bound:,g}" for word, bound in bounds if bound is not None)


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
