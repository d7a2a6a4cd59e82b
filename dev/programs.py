"""The project's own programs as they are installed beside the Python that runs."""

import contextlib
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dev.control_plane.child import Child
from dev.forked import ForkServer
from dev.wall_clock import FILE_VARIABLE

_ROOT = Path(__file__).parents[1]
_fork_servers: list[ForkServer] = []


def program(name: str) -> str:
    """The path of an installed program of this project.

    :raises FileNotFoundError: if it is not installed, with the command that installs it
    """
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run `make demo` or `uv sync`, which install it")
    return str(path)


def start_program(
    name: str, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Child:
    """Start a program of this project, appending its output to `log`; inside ``forking`` it is forked.

    :raises FileNotFoundError: if it is not installed
    """
    command = [program(name), *arguments]
    if _fork_servers:
        return _fork_servers[-1].start(command, log=log, environment=environment)
    if environment is not None and FILE_VARIABLE in environment:
        by_clock = [sys.executable, "-m", "dev.wall_clock", *command]
        return Child.start(by_clock, log=log, environment=environment, directory=_ROOT)
    return Child.start(command, log=log, environment=environment)


def run_program(
    name: str,
    arguments: Sequence[str],
    *,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float,
) -> subprocess.CompletedProcess[str]:
    """Run a program of this project to its end; inside ``forking`` it is forked.

    :raises FileNotFoundError: if it is not installed
    :raises subprocess.TimeoutExpired: after so many seconds
    """
    command = [program(name), *arguments]
    if _fork_servers:
        return _fork_servers[-1].run(command, stdin=stdin, environment=environment, timeout=timeout)
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False, env=environment
    )


@contextlib.contextmanager
def forking() -> Iterator[None]:
    """Programs that are started meanwhile are forked from one process that has loaded them, where the system is Linux."""
    if sys.platform != "linux":
        yield
        return
    server = ForkServer()
    _fork_servers.append(server)
    try:
        yield
    finally:
        _fork_servers.remove(server)
        server.close()
