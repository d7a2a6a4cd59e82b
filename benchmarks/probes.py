"""How long the liveness probe waits while 50,000 VMs are evaluated in the same process."""

import http.client
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.estate import Shape, pages
from benchmarks.measure import Figure

NAME: Final = "probes"
MACHINES: Final = 50_000
EVERY: Final = 0.02
TIMEOUT: Final = 30
LIMIT: Final = 250
"""Milliseconds within which a probe is to be answered."""


def run() -> Iterator[Figure]:
    """The slowest answer of all; wall time, which on a machine with other work to do says more about that."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "estate.jsonl"
        with file.open("wb") as lines:
            lines.writelines(page + b"\n" for page in pages(Shape.of(MACHINES)))
        waits = _waits_while_evaluating(file)
    slowest, rare = slowest_and_rare(waits)
    what = f"/healthz during an evaluation of {MACHINES} VMs"
    yield Figure(NAME, f"{what}: slowest", slowest * 1000, "ms", at_most=LIMIT)
    yield Figure(NAME, "the same: one in a hundred waits longer than", rare * 1000, "ms")
    yield Figure(NAME, "the same: probes answered", len(waits), "probes")


def slowest_and_rare(waits: list[float]) -> tuple[float, float]:
    """The longest wait, and the one that one in a hundred is longer than."""
    ordered = sorted(waits)
    return ordered[-1], ordered[-1 - len(ordered) // 100]


def _waits_while_evaluating(file: Path) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.probed_process", str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        ended = threading.Event()
        verdicts: list[int] = []

        def wait_for_end(output: Iterator[str] = process.stdout) -> None:
            verdicts.append(int(next(output)))
            ended.set()

        process.stdin.write("go\n")
        process.stdin.flush()
        watcher = threading.Thread(target=wait_for_end)
        watcher.start()
        waits = list(waits_until(ended, port))
        watcher.join()
        process.stdin.close()
    if verdicts != [2 * MACHINES]:
        raise AssertionError(f"{verdicts} verdicts on {MACHINES} VMs")
    return waits


def waits_until(ended: threading.Event, port: int) -> Iterator[float]:
    """Seconds that each probe waited for its answer, one after the other until ``ended``; each with a connection of its own."""
    while not ended.is_set():
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status != http.HTTPStatus.OK:
                raise AssertionError("the probe was refused")
        finally:
            connection.close()
        yield time.perf_counter() - started
        time.sleep(EVERY)
