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


def run() -> Iterator[Figure]:
    """The slowest answer of all; wall time, which on a machine with other work to do says more about that."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "estate.jsonl"
        with file.open("wb") as lines:
            lines.writelines(page + b"\n" for page in pages(Shape.of(MACHINES)))
        waits = _waits_while_evaluating(file)
    yield Figure(NAME, f"/healthz during an evaluation of {MACHINES} VMs: slowest", max(waits) * 1000, "ms")
    yield Figure(NAME, "the same: one in a hundred waits longer than", sorted(waits)[-len(waits) // 100] * 1000, "ms")
    yield Figure(NAME, "the same: probes answered", len(waits), "probes")


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
        waits = list(_probe(port, ended))
        watcher.join()
        process.stdin.close()
    if verdicts != [2 * MACHINES]:
        raise AssertionError(f"{verdicts} verdicts on {MACHINES} VMs")
    return waits


def _probe(port: int, ended: threading.Event) -> Iterator[float]:
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
