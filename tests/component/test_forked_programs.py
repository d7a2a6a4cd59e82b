"""Programs that tests fork from one process: the same to see as installed ones, and nothing of them is left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dev.forked import ForkedChild
from dev.local_azure import LocalAzure
from dev.programs import start_program
from tests.component.test_control_plane_lifecycle import REPOSITORY, eventually, is_alive

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere programs are executed"),
    pytest.mark.filterwarnings("error::ResourceWarning"),
]


def test_what_it_says_and_its_exit_code_are_those_of_the_program(tmp_path: Path) -> None:
    environment = {**os.environ, "BASTION_OPERATOR_RUN_WORKERS": "many"}
    child = start_program("bastion-operator", ["run"], log=tmp_path / "log", environment=environment)
    assert isinstance(child, ForkedChild)
    assert child.wait(30) == 2
    assert child.wait(0) == 2
    said = child.tail()
    assert said.startswith("bastion-operator: --workers: 'many' is not a valid integer")


def test_it_works_where_its_starter_does_and_holds_no_files_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    others = LocalAzure(tmp_path, speed=1)
    others.start()
    azure = LocalAzure(tmp_path, speed=1)
    azure.start()
    process = psutil.Process(azure.pid)
    assert process.cwd() == str(tmp_path)
    ports = {each.laddr.port for each in process.net_connections("inet")}
    assert len(ports) == 1, "its own listener alone"
    assert azure.stop() == 0
    assert others.kill() == 128 + signal.SIGKILL


def test_all_end_when_who_started_them_is_killed(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from dev.local_azure import LocalAzure\n"
        "from dev.programs import forking\n"
        "with forking():\n"
        "    azure = LocalAzure(pathlib.Path(sys.argv[1]), speed=1)\n"
        "    azure.start()\n"
        "    print(azure.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = json.loads(parent.stdout.readline())
        server = psutil.Process(pid).ppid()
        parent.kill()
    assert eventually(lambda: not is_alive(pid))
    assert eventually(lambda: not is_alive(server))
