"""A process that has loaded this project's programs and forks one whenever it is asked to: what `dev.forked` starts.

    python -m dev.fork_server          # its stdin is the socket over which the orders come; their end is its own

An order is a message (see ``Order``) with four files: the program's stdin, stdout and stderr, and a socket on which its
process id and in the end its exit code come back, one line each. A program is a process of its own that does what the installed one does after
its imports; it leads a process group, which is killed when this process ends, in whatever way. For Linux.
"""

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points

from dev.wall_clock import follow

_PR_SET_PDEATHSIG = 1
_LENGTH = struct.Struct("!I")
# The programs themselves load these late, so that --help answers at once.
_LOADED = ("bastion_operator.handlers.run", "arm_emulator.serve")
_LOADED_WHOLE = "bastion_operator.cli"
_PROGRAMS = ("bastion-operator", "arm-emulator", "kubectl-bastion")


@dataclass(frozen=True, slots=True)
class Order:
    """A program to start: its command line, program first by its path, its whole environment, and where it works."""

    command: list[str]
    environment: dict[str, str]
    directory: str

    @property
    def name(self) -> str:
        """The program's name."""
        return os.path.basename(self.command[0])  # noqa: PTH119 - pathlib tells nothing more

    def send(self, over: socket.socket, standard: Sequence[int], answers: socket.socket) -> None:
        """Send it with its files: stdin, stdout and stderr, and where the answers come from."""
        message = json.dumps(asdict(self)).encode()
        socket.send_fds(over, [_LENGTH.pack(len(message))], [*standard, answers.fileno()])
        over.sendall(message)

    @staticmethod
    def receive(over: socket.socket) -> "tuple[Order, list[int], socket.socket] | None":
        """The next order, its stdin, stdout and stderr, and its socket; None where there will be none any more."""
        head, files, _, _ = socket.recv_fds(over, _LENGTH.size, 4)
        if not head:
            return None
        (length,) = _LENGTH.unpack(head)
        message = b""
        while len(message) < length:
            part = over.recv(length - len(message))
            if not part:
                return None  # who sent it was killed over it
            message += part
        *standard, answers = files
        return Order(**json.loads(message)), standard, socket.socket(fileno=answers)


def serve(orders: socket.socket) -> Order | None:
    """Fork a process for each order, and tell of its end. In a forked process it comes back with the order; else with None."""
    wakeup, writer = _wakeup_pipe()
    running: dict[int, socket.socket] = {}
    while True:
        readable, _, _ = select.select([orders.fileno(), wakeup], [], [])
        if wakeup in readable:
            os.read(wakeup, 512)
            _tell_of_ends(running)
        if orders.fileno() in readable:
            received = Order.receive(orders)
            if received is None:
                for process in running:
                    _kill_group(process)
                    os.waitpid(process, 0)
                return None
            order, standard, answers = received
            process = os.fork()
            if process == 0:
                for each in (orders, answers, *running.values()):
                    each.close()
                _become(order, standard)
                for opened in (wakeup, writer):
                    os.close(opened)
                return order
            for opened in standard:
                os.close(opened)
            running[process] = answers
            _tell(answers, process)


def _wakeup_pipe() -> tuple[int, int]:
    """Both ends of a pipe that the end of a process writes to."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return reader, writer


def _tell_of_ends(running: dict[int, socket.socket]) -> None:
    for process in list(running):
        if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            # What it has started does not outlive it, as under a launcher. Its number is its own until it is waited for.
            _kill_group(process)
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            with running.pop(process) as answers:
                _tell(answers, code if code >= 0 else 128 - code)


def _tell(answers: socket.socket, number: int) -> None:
    try:
        answers.sendall(f"{number}\n".encode())
    except OSError:
        return  # nobody wants to know any more


def _kill_group(process: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _become(order: Order, standard: Sequence[int]) -> None:
    """Make the forked process one as it would be if it had just been executed."""
    server = os.getppid()
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)
    for target, opened in enumerate(standard):
        os.dup2(opened, target)
        os.close(opened)
    os.chdir(order.directory)
    os.environ.clear()
    os.environ.update(order.environment)
    sys.argv = list(order.command)
    # By it click tells a module from a program.
    sys.modules["__main__"].__package__ = None


def main() -> None:
    """Load, serve, and be the program in each process that was forked."""
    orders = socket.socket(fileno=os.dup(0))
    programs: dict[str, Callable[[], object]] = {
        name: entry.load() for name in _PROGRAMS for entry in entry_points(group="console_scripts", name=name)
    }
    every = pkgutil.walk_packages(importlib.import_module(_LOADED_WHOLE).__path__, f"{_LOADED_WHOLE}.")
    for name in (*_LOADED, *(each.name for each in every)):
        importlib.import_module(name)
    # Only the thread that forks goes on in the fork.
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()
    order = serve(orders)
    if order is not None:
        follow(order.environment)
        programs[order.name]()


if __name__ == "__main__":
    main()
