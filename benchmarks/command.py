"""`kubectl bastion` as a program: its start, and `reach` on a file, against the interpreter's own start."""

import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.estate import Shape, document
from benchmarks.measure import Figure, seconds

NAME = "command"
MACHINES = 10_000


def run() -> Iterator[Figure]:
    """Wall times of whole processes."""
    program = str(Path(sysconfig.get_path("scripts")) / "kubectl-bastion")
    interpreter = _seconds([sys.executable, "-c", "pass"])
    yield Figure(NAME, "kubectl bastion --help", _seconds([program, "--help"]) / interpreter, "ratio", "python -c pass")
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(document(Shape.of(MACHINES)))
        file.flush()
        parse = _seconds([sys.executable, "-c", f"import json; json.load(open({file.name!r}, 'rb'))"])
        reach = _seconds([program, "reach", "--from", file.name, "-o", "json"])
    yield Figure(NAME, f"reach --from, {MACHINES} VMs", reach / parse, "ratio", "python parsing the file")


def _seconds(command: list[str]) -> float:
    return seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), times=3)
