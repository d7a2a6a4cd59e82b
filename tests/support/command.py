"""The installed program `kubectl-bastion`, as a person runs it."""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from bastion_operator.cli.main import main
from dev.programs import run_program

PROGRAM = Path(sys.executable).with_name("kubectl-bastion")
WITHOUT_CLUSTER = {"KUBECONFIG": "/nowhere/kubeconfig"}
"""Nobody's own cluster is ever asked by a test."""


def run_command(
    *args: object, stdin: str | None = None, environment: Mapping[str, str] = WITHOUT_CLUSTER, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Runs it with these arguments; its exit code, stdout and stderr are for the test to look at."""
    told = {key: value for key, value in os.environ.items() if not key.startswith("AZURE_")}
    own = {**told, **environment}
    return run_program("kubectl-bastion", [*map(str, args)], stdin=stdin, environment=own, timeout=timeout)


def printed(*args: object, environment: Mapping[str, str] = WITHOUT_CLUSTER) -> str:
    """What it writes to stdout where it ends well."""
    done = run_command(*args, environment=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told_wrong(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """What went wrong and what to do, of a run that was wrong use: just these two lines, and nothing on stdout."""
    assert (done.returncode, done.stdout) == (2, ""), (done.returncode, done.stdout, done.stderr)
    what, remedy = done.stderr.splitlines()
    assert what.startswith("error: ")
    assert remedy.startswith("hint: ")
    return what.removeprefix("error: "), remedy.removeprefix("hint: ")


Here = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Here]:
    """The same program in this process, for tables of cases: a process of its own takes half a second."""
    for name, value in WITHOUT_CLUSTER.items():
        monkeypatch.setenv(name, value)

    def run(*args: object) -> subprocess.CompletedProcess[str]:
        words = [str(each) for each in args]
        with pytest.raises(SystemExit) as ended:
            main(words)
        told = capsys.readouterr()
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), told.out, told.err)

    yield run
    # A program of a few seconds goes without the collector.
    gc.enable()
