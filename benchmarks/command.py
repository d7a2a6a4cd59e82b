"""`kubectl bastion` as a program: its start, and `reach` on a file, against the interpreter's own start and other tools'."""

import shutil
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
MOST_START_MS = 150
MOST_REACH_SECONDS = 1.5
MOST_TIMES_THE_INTERPRETER = 10
"""What a start may cost as a ratio, which says the same on any machine: an interpreter starts in some 20 ms."""
_OTHERS = (("kubectl", "version", "--client"), ("az", "--version"))


def run() -> Iterator[Figure]:
    """Wall times of whole processes."""
    scripts = Path(sysconfig.get_path("scripts"))
    program = str(scripts / "kubectl-bastion")
    interpreter = _seconds([sys.executable, "-c", "pass"])
    start = _seconds([program, "--help"])
    yield Figure(NAME, "kubectl bastion --help", start * 1000, "ms", at_most=MOST_START_MS)
    yield Figure(
        NAME,
        "kubectl bastion --help",
        start / interpreter,
        "ratio",
        "python -c pass",
        at_most=MOST_TIMES_THE_INTERPRETER,
    )
    for name, *arguments in _OTHERS:
        # kubectl comes with the development environment; az is there where somebody has installed it.
        found = shutil.which(name, path=str(scripts)) or shutil.which(name)
        if found is not None:
            other = _seconds([found, *arguments])
            yield Figure(NAME, "kubectl bastion --help", start / other, "ratio", " ".join((name, *arguments)))
    yield from _reach(program, interpreter)


def _reach(program: str, interpreter: float) -> Iterator[Figure]:
    what = f"reach --from, {MACHINES} VMs"
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(document(Shape.of(MACHINES)))
        file.flush()
        parse = _seconds([sys.executable, "-c", f"import json; json.load(open({file.name!r}, 'rb'))"])
        table = _seconds([program, "reach", "--from", file.name])
        document_too = _seconds([program, "reach", "--from", file.name, "-o", "json", "--fixes", "none"])
    yield Figure(NAME, what, table, "s", at_most=MOST_REACH_SECONDS)
    yield Figure(NAME, what, table / interpreter, "ratio", "python -c pass")
    yield Figure(NAME, what, table / parse, "ratio", "python parsing the file")
    yield Figure(NAME, f"{what}, -o json", document_too / parse, "ratio", "python parsing the file")


def _seconds(command: list[str]) -> float:
    return seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), times=3)
