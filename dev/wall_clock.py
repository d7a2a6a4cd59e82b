"""The wall clock of a program that was started, set forward and back while it runs, as a step of NTP or a resumed machine does.

The monotonic clock goes on as it is. The program is told by nobody: it is the process's own time that jumps, for the libraries
in it as well. What the process is to think the time is stands in a file, which a thread of it looks at, and which it answers.

    python -m dev.wall_clock PROGRAM ARGUMENT...    # with FILE_VARIABLE in the environment: the program by such a clock
"""

import os
import sys
import threading
import time
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

FILE_VARIABLE = "WALL_CLOCK_FILE"
_LOOKS_EVERY = 0.05


def _replace(file: Path, seconds: float) -> None:
    """A reader finds what was in it or what is, never half of it."""
    fresh = file.with_name(f"{file.name}.fresh")
    fresh.write_text(f"{seconds}\n")
    fresh.replace(file)


def _answer_to(file: Path) -> Path:
    """Where the program that goes by ``file`` says what it goes by."""
    return file.with_name(f"{file.name}.followed")


class WallClock:
    """The hand at the wall clock of the programs that are started with its ``environment``.

    :ivar ahead: seconds by which it is ahead of the machine's
    """

    def __init__(self, folder: Path) -> None:
        """As the machine's; ``folder`` receives the file."""
        self._file = folder / "wall-clock"
        self.ahead = 0.0
        self.move(0.0)

    def environment(self) -> dict[str, str]:
        """What makes a program go by it."""
        return {FILE_VARIABLE: str(self._file)}

    def move(self, seconds: float) -> None:
        """Set it forward, or back where negative. Those that run see it soon: `followed` tells when."""
        self.ahead += seconds
        _replace(self._file, self.ahead)

    @property
    def followed(self) -> bool:
        """Whether the program that goes by it has seen how it is set now."""
        answer = _answer_to(self._file)
        return answer.exists() and float(answer.read_text()) == self.ahead


def follow(environment: Mapping[str, str]) -> None:
    """From now on this process goes by the clock that the environment names, if it names one."""
    if FILE_VARIABLE not in environment:
        return
    import time_machine  # noqa: PLC0415 - a fork for each program is made before, and most have no need of it

    file = Path(environment[FILE_VARIABLE])
    ahead = float(file.read_text())
    traveller = time_machine.travel(time.time() + ahead, tick=True).start()
    _replace(_answer_to(file), ahead)

    def look() -> None:
        known = ahead
        while True:
            wanted = float(file.read_text())
            if wanted != known:
                traveller.shift(wanted - known)
                known = wanted
                _replace(_answer_to(file), known)
            time.sleep(_LOOKS_EVERY)

    threading.Thread(target=look, name="wall clock", daemon=True).start()


def main() -> None:
    """Be a program of this project, by its path, with a clock that can be set."""
    sys.argv = sys.argv[1:]
    (program,) = entry_points(group="console_scripts", name=Path(sys.argv[0]).name)
    called = program.load()
    follow(os.environ)
    called()


if __name__ == "__main__":
    main()
