"""A program that ends with the process that started it, however that one ends."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")


class Child:
    """One started program with a log file. Its stdin is empty; stdout and stderr go to the log.

    It runs in a session of its own, so that Ctrl-C on a terminal reaches only the process that started it, which
    then decides in what order things end.
    """

    def __init__(self, command: Sequence[str], log: Path, process: subprocess.Popen[bytes]) -> None:
        """Use `start`."""
        self.command = tuple(command)
        self.log = log
        self._process = process

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        sweep: Path | None = None,
    ) -> "Child":
        """Start `command`, appending its output to `log`.

        `directory` is the working directory. `sweep` names a folder to remove if this process vanishes without
        stopping the child. A program that cannot be executed ends at once with exit code 127 and a line in the log.
        """
        swept = ["--sweep", str(sweep)] if sweep is not None else []
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), *swept, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                cwd=directory,
                start_new_session=True,
            )
        return cls(command, log, process)

    @property
    def pid(self) -> int:
        """Process id of the launcher, which answers for the program."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, or None while the program runs; 128 + N after signal N."""
        code = self._process.poll()
        if code is not None:
            self._let_go()
        return code

    @property
    def running(self) -> bool:
        """Whether the program has not ended yet."""
        return self.returncode is None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired after `timeout` seconds."""
        code = self._process.wait(timeout)
        self._let_go()
        return code

    def terminate(self, grace: float = 10.0) -> int:
        """Ask the program to end (SIGTERM), and kill it after `grace` seconds; returns the exit code."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            return self.wait(grace)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Kill the program and everything that it started; returns the exit code."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGUSR1)
        try:
            return self.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()  # on Linux the program goes with its launcher
            return self.wait()

    def _let_go(self) -> None:
        """Close the pipe that tells the launcher of this process's life."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        with contextlib.suppress(FileNotFoundError), self.log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 64 * 1024))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        return ""
