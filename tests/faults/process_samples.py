"""What a process holds while it runs: memory, descriptors, connections and threads, and whether it comes to hold more."""

import asyncio
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

import psutil

_EVERY = 2.0
_LOOKS = 30
_ANSWER_SECONDS = 20.0
_BUCKET = re.compile(r'azurebastion_queue_seconds_bucket\{le="([^"]+)"\} (\S+)')
_MOST = 0.99


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment; ``at`` in real seconds from an arbitrary start, memory resident and in MB."""

    at: float
    megabytes: float
    descriptors: int
    connections: int
    threads: int


@dataclass
class Watched:
    """A process that is looked at every few seconds, and its liveness probe.

    :ivar red: what the probe said where it was not green
    """

    process: psutil.Process
    probe_url: str
    samples: list[Sample] = field(default_factory=list)
    red: list[str] = field(default_factory=list)

    async def look(self) -> None:
        """Until cancelled."""
        while True:
            self.samples.append(self.now())
            trouble = await asyncio.to_thread(_trouble, f"{self.probe_url}/healthz")
            self.red += [trouble] if trouble else []
            await asyncio.sleep(_EVERY)

    def now(self) -> Sample:
        """The process as it is."""
        with self.process.oneshot():
            held = self.process.memory_info().rss / 2**20
            connections = len(self.process.net_connections())
            return Sample(time.monotonic(), held, self.process.num_fds(), connections, self.process.num_threads())


@dataclass(frozen=True, slots=True)
class Least:
    """The least that a process holds for a while: without what comes and goes with its work."""

    descriptors: int
    connections: int
    threads: int


async def least_held(watched: Watched) -> Least:
    """What the process holds where it has next to nothing to do."""
    samples = []
    for _ in range(_LOOKS):
        samples.append(watched.now())
        await asyncio.sleep(_EVERY / 2)
    return Least(
        min(each.descriptors for each in samples),
        min(each.connections for each in samples),
        min(each.threads for each in samples),
    )


def program_of(pid: int) -> psutil.Process:
    """The program that a child runs: itself where it was forked, else what its launcher has started."""
    process = psutil.Process(pid)
    return next(iter(process.children()), process)


def slope(samples: Sequence[Sample]) -> float:
    """MB an hour of real time: the median of the slopes between all pairs (Theil and Sen), which single peaks do not bend."""
    return median(
        (later.megabytes - earlier.megabytes) / (later.at - earlier.at) * 3600
        for earlier, later in combinations(samples, 2)
        if later.at > earlier.at
    )


def waits(metrics_url: str) -> Mapping[float, float]:
    """How many keys had waited for at most so many seconds of the operator's clock, as its metric tells it."""
    with urllib.request.urlopen(metrics_url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - loopback
        return {float(most): float(count) for most, count in _BUCKET.findall(answer.read().decode())}


def longest_wait(before: Mapping[float, float], after: Mapping[float, float]) -> float:
    """Seconds that 99 of 100 keys have waited at most since ``before``."""
    since = {most: count - before[most] for most, count in after.items()}
    return min(most for most, count in since.items() if count >= _MOST * max(since.values()))


def _trouble(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS):  # noqa: S310 - loopback
            return ""
    except (urllib.error.URLError, OSError) as error:
        return repr(error)
