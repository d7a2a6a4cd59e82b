"""From an inventory's bytes to verdicts and reports, against parsing the bytes; what it holds in memory, and how it grows.

Every figure is of a process of its own, in processor time: what else the machine does meanwhile does not count.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.estate import Shape, pages
from benchmarks.measure import Figure

NAME: Final = "verdicts"
SMALL, LARGE = 5_000, 50_000
MANY: Final = 20
TURNS: Final = 3


def run() -> Iterator[Figure]:
    """RDP and SSH on each VM, for one identity that sees all and for many that each see a part."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (_written(Path(folder), machines) for machines in (SMALL, LARGE))
        parsed, dropped = (_measured(large, work)["seconds"] for work in ("parse", "parse-and-drop"))
        parts = _measured(large, "reports", MANY)
        # In turns, each large run between two small ones, and the middle of three: what growth there is must not be that
        # of the machine's other work.
        turns = [[_measured(each, "reports") for each in (small, large, small)] for _ in range(TURNS)]
    growth = median(
        (whole["seconds"] / LARGE) / ((before["seconds"] + after["seconds"]) / 2 / SMALL)
        for before, whole, after in turns
    )
    few, whole = turns[0][0], min((turn[1] for turn in turns), key=lambda run: float(run["seconds"]))
    if whole["verdicts"] != 2 * LARGE or parts["verdicts"] < 2 * LARGE or few["verdicts"] != 2 * SMALL:
        raise AssertionError(f"verdicts are missing: {whole}, {parts}, {few}")
    what = f"{LARGE} VMs, both protocols, bytes to verdicts and reports"
    for name, each in (("one identity", whole), (f"{MANY} identities", parts)):
        yield Figure(NAME, f"{what}, {name}", each["seconds"] / parsed, "x", "json.loads of the bytes", at_most=6)
        yield Figure(
            NAME, "the same", each["seconds"] / dropped, "x", "json.loads page by page, nothing kept", at_most=6
        )
        yield Figure(NAME, f"peak memory, {name}", each["peak"], "MB", at_most=600)
    yield Figure(NAME, f"time a VM, {LARGE} VMs", growth, "x", f"the same with {SMALL} VMs", at_most=1.3)


def _written(folder: Path, machines: int) -> Path:
    file = folder / f"{machines}.jsonl"
    with file.open("wb") as lines:
        for page in pages(Shape.of(machines)):
            lines.write(page + b"\n")
    return file


def _measured(file: Path, work: str, identities: int = 1) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.fleet_process", str(file), work, str(identities)]
    answer = subprocess.run(command, check=True, capture_output=True)
    return dict(json.loads(answer.stdout))
