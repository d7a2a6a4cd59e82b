"""Programs of this project forked from one process that has loaded them, for tests that start hundreds.

Loading takes a second or two of a core, many times what else there is to a start.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from dev.control_plane.child import Child
from dev.fork_server import Order

_ROOT = Path(__file__).parents[1]


class ForkServer:
    """Starts programs. Its process begins with the first of them, and all of them end with it."""

    def __init__(self) -> None:
        """Nothing runs before ``start``."""
        self._lock = threading.Lock()
        self._orders: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> Child:
        """Start a program as ``Child.start`` does. Raises ChildProcessError where the server has ended."""
        with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            return self._fork(command, (nothing, output, output), log, environment)

    def run(
        self, command: Sequence[str], *, stdin: str | None, environment: Mapping[str, str] | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as ``subprocess.run`` does. Raises subprocess.TimeoutExpired after so many seconds."""
        with tempfile.TemporaryDirectory() as folder:
            given, out, err = (Path(folder) / name for name in ("stdin", "stdout", "stderr"))
            given.write_text(stdin or "")
            with given.open("rb") as asked, out.open("ab") as output, err.open("ab") as errors:
                child = self._fork(command, (asked, output, errors), err, environment)
            try:
                code = child.wait(timeout)
            finally:
                child.kill()
            return subprocess.CompletedProcess(list(command), code, out.read_text(), err.read_text())

    def _fork(
        self, command: Sequence[str], standard: Sequence[IO[bytes]], log: Path, environment: Mapping[str, str] | None
    ) -> "ForkedChild":
        mine, theirs = socket.socketpair()
        order = Order(list(command), dict(os.environ if environment is None else environment), str(Path.cwd()))
        with self._lock, theirs:
            order.send(self._connected(), [each.fileno() for each in standard], theirs)
        return ForkedChild(command, log, mine)

    def _connected(self) -> socket.socket:
        if self._orders is None:
            self._orders, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "dev.fork_server"], stdin=theirs.fileno(), cwd=_ROOT, start_new_session=True
                )
        return self._orders

    def close(self) -> None:
        """End the server, and with it what it has started."""
        with self._lock:
            if self._orders is not None:
                self._orders.close()
            if self._process is not None:
                self._process.wait(10)


class ForkedChild(Child):
    """A program that was forked: the same to its user as one that was executed."""

    def __init__(self, command: Sequence[str], log: Path, answers: socket.socket) -> None:
        """Use ``ForkServer.start``. Raises ChildProcessError where the server has ended."""
        self.command = tuple(command)
        self.log = log
        self._answers = answers
        self._lock = threading.Lock()
        self._read = b""
        self._code: int | None = None
        self._pid = self._number(0, None)

    @property
    def pid(self) -> int:
        """Process id of the program itself."""
        return self._pid

    @property
    def returncode(self) -> int | None:
        """Exit code, or None while the program runs; 128 + N after signal N."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired after `timeout` seconds."""
        with self._lock:
            if self._code is None:
                self._code = self._number(1, timeout)
                self._answers.close()
            return self._code

    def terminate(self, grace: float = 10.0) -> int:
        """Ask the program to end (SIGTERM), and kill it after `grace` seconds; returns the exit code."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
        try:
            return self.wait(grace)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Kill the program and everything that it started; returns the exit code."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
        return self.wait(30.0)

    def _number(self, line: int, timeout: float | None) -> int:
        """The number in a line of the answers, once it is there."""
        while self._read.count(b"\n") <= line:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.command, timeout or 0.0)
            received = self._answers.recv(64)
            if not received:
                raise ChildProcessError("the fork server has ended; what it said is above")
            self._read += received
        return int(self._read.split(b"\n")[line])
