"""`kubectl bastion` as a program: its start, and `reach` on a file, against the interpreter's own start and other tools'.

All are processor times of whole processes, which are the wall times of programs of one thread on a machine that has nothing
else to do: what it does meanwhile does not count.
"""

import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.estate import Shape, document
from benchmarks.measure import Figure

NAME: Final = "command"
MACHINES: Final = 10_000
MOST_START_MS: Final = 150
MOST_REACH_SECONDS: Final = 1.5
MOST_TIMES_THE_INTERPRETER: Final = 6
"""What a start may cost as a ratio, which says the same on any machine: 90 ms where an interpreter starts in 15 ms."""
MOST_TIMES_THE_INTERPRETER_TO_REACH: Final = 150
"""The same of `reach`: 1.5 s where an interpreter starts in 10 ms. What waits for memory grows on a busy machine, a start does not."""
MOST_TIMES_PARSING: Final = 2
"""Of `reach` against Python's own parser on the same file, which needs as much memory: a second for 52 MB."""
_OTHERS: Final = (("kubectl", "version", "--client"), ("az", "--version"))
_TURNS: Final = 5


def run() -> Iterator[Figure]:
    """Processor times of whole processes."""
    scripts = Path(sysconfig.get_path("scripts"))
    program = str(scripts / "kubectl-bastion")
    what = "kubectl bastion --help"
    # kubectl comes with the development environment; az is there where somebody has installed it.
    found = {command: shutil.which(command[0], path=str(scripts)) or shutil.which(command[0]) for command in _OTHERS}
    others = {command: path for command, path in found.items() if path is not None}
    interpreter, start, *rest = _seconds(
        [sys.executable, "-c", "pass"],
        [program, "--help"],
        *([path, *command[1:]] for command, path in others.items()),
    )
    yield Figure(NAME, what, start * 1000, "ms", at_most=MOST_START_MS)
    yield Figure(NAME, what, start / interpreter, "ratio", "python -c pass", at_most=MOST_TIMES_THE_INTERPRETER)
    for command, other in zip(others, rest, strict=True):
        yield Figure(NAME, what, start / other, "ratio", " ".join(command))
    yield from _reach(program, interpreter)


def _reach(program: str, interpreter: float) -> Iterator[Figure]:
    what = f"reach --from, {MACHINES} VMs"
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(document(Shape.of(MACHINES)))
        file.flush()
        parse, table, document_too = _seconds(
            [sys.executable, "-c", f"import json; json.load(open({file.name!r}, 'rb'))"],
            [program, "reach", "--from", file.name],
            [program, "reach", "--from", file.name, "-o", "json", "--fixes", "none"],
        )
    start, parser = "python -c pass", "python parsing the file"
    yield Figure(NAME, what, table, "s", at_most=MOST_REACH_SECONDS)
    yield Figure(NAME, what, table / interpreter, "ratio", start, at_most=MOST_TIMES_THE_INTERPRETER_TO_REACH)
    yield Figure(NAME, what, table / parse, "ratio", parser, at_most=MOST_TIMES_PARSING)
    yield Figure(NAME, f"{what}, -o json", document_too / parse, "ratio", parser)


def _seconds(*commands: Sequence[str]) -> list[float]:
    """The shortest processor time of each, the commands run in turns so that all see the same machine."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    best = [float("inf")] * len(commands)
    # The first turn writes the bytecode that an installed program has.
    for turn in range(1 + _TURNS):
        for place, command in enumerate(commands):
            before = _spent()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            if turn:
                best[place] = min(best[place], _spent() - before)
    return best


def _spent() -> float:
    """Processor seconds of all children so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
