"""From an inventory's bytes to verdicts and reports, against parsing the bytes; what it holds in memory, and how it grows.

Every figure is of a process of its own, in processor time: what else the machine does meanwhile does not count.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.estate import Shape, pages
from benchmarks.measure import Figure

NAME: Final = "verdicts"
SMALL, LARGE = 5_000, 50_000
MANY: Final = 20
TURNS: Final = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of everything; ``parsed`` and ``dropped`` are seconds, the others what their processes told."""

    parsed: float
    dropped: float
    few: dict[str, Any]
    whole: dict[str, Any]
    again: dict[str, Any]
    parts: dict[str, Any]

    @property
    def growth(self) -> float:
        """Time a VM of the large estate, against that of the small one before and after."""
        small = (self.few["seconds"] + self.again["seconds"]) / 2
        return float((self.whole["seconds"] / LARGE) / (small / SMALL))


def run() -> Iterator[Figure]:
    """RDP and SSH on each VM, for one identity that sees all and for many that each see a part."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = (_written(Path(folder), machines) for machines in (SMALL, LARGE))
        # In turns, each large run between two small ones: what growth there is must not be that of the machine's other
        # work. Of growth the middle of the turns counts, of the rest the quickest.
        turns = [_turn(small, large) for _ in range(TURNS)]
    growth = median(turn.growth for turn in turns)
    parsed, dropped = (min(each) for each in zip(*((turn.parsed, turn.dropped) for turn in turns), strict=True))
    few, whole, parts = (
        min(each, key=lambda run: float(run["seconds"]))
        for each in zip(*((turn.few, turn.whole, turn.parts) for turn in turns), strict=True)
    )
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


def _turn(small: Path, large: Path) -> Turn:
    parsed, dropped = (float(_measured(large, work)["seconds"]) for work in ("parse", "parse-and-drop"))
    few, whole, again = (_measured(each, "reports") for each in (small, large, small))
    return Turn(parsed, dropped, few, whole, again, _measured(large, "reports", MANY))


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
