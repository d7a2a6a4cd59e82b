"""Runs one program and ends it as soon as the process that asked for it is gone. Executed as a script, never imported.

    python -I -S launcher.py [--sweep DIRECTORY] PROGRAM ARGUMENT...

The parent keeps the write end of this process's stdin: end of file means that the parent has ended, however it ended.
The parent's process id is watched as well, because a forked sibling may hold the pipe open. On Linux the kernel kills
the program should this launcher itself be killed (PR_SET_PDEATHSIG, prctl(2)). SIGTERM and SIGINT are passed on;
SIGUSR1 kills the program and what it started.

With --sweep, DIRECTORY is removed if the parent vanished: nobody else is left to do it.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import sys
import time
from types import FrameType

PR_SET_PDEATHSIG = 1
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
PARENT_POLL_SECONDS = 0.5
SWEEP_TRIES = 20


def start(command: list[str]) -> int:
    """Fork and execute the program as the leader of its own process group; returns its process id."""
    launcher = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, which an executed program would inherit
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        if sys.platform == "linux":
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != launcher:
                os._exit(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted: the program is started as it was given
    except OSError as error:
        os.write(2, f"cannot start {command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def wakeup_pipe() -> int:
    """The read end of a pipe that every signal writes to, so that a signal ends a wait at once."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def parent_is_gone(parent: int, wakeup: int, timeout: float) -> bool:
    """Wait up to `timeout` seconds for a sign that the parent has ended; a signal cuts the wait short."""
    readable, _, _ = select.select([0, wakeup], [], [], timeout)
    if wakeup in readable:
        os.read(wakeup, 512)
    return (0 in readable and not os.read(0, 512)) or os.getppid() != parent


def kill_group(child: int) -> None:
    """Kill the program and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


def sweep(directory: str) -> None:
    """Remove the directory, patiently: other children of the same parent may still be writing their last lines."""
    for _ in range(SWEEP_TRIES):
        shutil.rmtree(directory, ignore_errors=True)
        if not os.path.exists(directory):  # noqa: PTH110 - pathlib would double the start-up time of this script
            return
        time.sleep(0.1)


def main(arguments: list[str]) -> int:
    """Run the program to its end, or to the parent's; returns the program's exit code, 128 + N after signal N."""
    directory = None
    if arguments[0] == "--sweep":
        directory, arguments = arguments[1], arguments[2:]
    parent = os.getppid()
    wakeup = wakeup_pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # until there is a child to pass them on to
    child = start(arguments)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    signal.signal(signal.SIGUSR1, lambda _number, _frame: kill_group(child))
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if parent_is_gone(parent, wakeup, PARENT_POLL_SECONDS):
            kill_group(child)
            os.waitpid(child, 0)
            if directory is not None:
                sweep(directory)
            return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
