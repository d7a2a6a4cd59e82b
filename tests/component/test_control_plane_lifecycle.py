"""Processes of the local control plane: outages and restarts, failed starts, and nothing left behind."""

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dev.control_plane import ControlPlane, ControlPlaneError, KubectlError, Programs, StartError, find_programs
from dev.control_plane.child import Child
from dev.control_plane.server import LOWEST_PORT, PORT_COUNT, free_ports

pytestmark = pytest.mark.filterwarnings("error::ResourceWarning")

REPOSITORY = Path(__file__).parents[2]

START_AND_WAIT = """
import json, sys, time
from dev.control_plane import ControlPlane
control_plane = ControlPlane()
control_plane.start()
print(json.dumps({"url": control_plane.url, "directory": str(control_plane.directory)}), flush=True)
time.sleep(600)
"""


def eventually(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return what()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for yet does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def sleeper(tmp_path: Path) -> tuple[list[str], Path]:
    """A command that writes its process id to a file and sleeps."""
    pid_file = tmp_path / "pid"
    script = f"import os, time, pathlib; pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(600)"
    return [sys.executable, "-I", "-S", "-c", script], pid_file


def read_pid(pid_file: Path) -> int:
    assert eventually(lambda: pid_file.exists() and pid_file.read_text() != "")
    return int(pid_file.read_text())


def test_an_outage_of_the_api_server_keeps_address_data_and_tokens_and_two_do_not_meet(
    control_plane: ControlPlane,
) -> None:
    with ControlPlane(control_plane.programs) as own:
        assert own.url != control_plane.url
        own.kubectl("create", "configmap", "kept", "-n", "default")
        with pytest.raises(KubectlError, match="not found"):
            control_plane.kubectl("get", "configmap", "kept", "-n", "default")
        own.kubectl("create", "serviceaccount", "kept", "-n", "default")
        kubeconfig = own.kubeconfig_for("kept", namespace="default")
        url, port = own.url, urlsplit(own.url).port
        assert port is not None
        for kill in (False, True):
            own.stop_api_server(kill=kill)
            assert not listens(port)
            with pytest.raises(KubectlError, match="refused"):
                own.kubectl("get", "namespaces")
            own.start_api_server()
            assert own.url == url
            assert own.kubectl("get", "configmap", "kept", "-n", "default", "-o", "name")
            assert "kept" in own.kubectl("auth", "whoami", kubeconfig=kubeconfig)
        with pytest.raises(ControlPlaneError, match="running already"):
            own.start_api_server()
        directory = own.directory
        started = time.monotonic()
    assert time.monotonic() - started < 10
    assert not directory.exists()
    assert not listens(port)


def test_what_ran_ends_with_its_parent_even_if_that_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    started = json.loads(parent.stdout.readline())
    directory, port = Path(started["directory"]), urlsplit(started["url"]).port
    assert port is not None
    assert directory.is_dir()
    assert listens(port)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert eventually(lambda: not listens(port))
    assert eventually(lambda: not directory.exists())


def test_a_server_that_ends_at_once_shows_the_tail_of_its_log_and_keeps_it(tmp_path: Path) -> None:
    broken = tmp_path / "kube-apiserver"
    broken.write_text("#!/bin/sh\necho unknown flag: --brand-new >&2\nexit 3\n")
    broken.chmod(0o755)
    programs = dataclasses.replace(find_programs(), kube_apiserver=broken)
    control_plane = ControlPlane(programs)
    with pytest.raises(StartError, match=r"kube-apiserver ended with code 3(.|\n)*unknown flag: --brand-new") as caught:
        control_plane.start()
    log = Path(str(caught.value).partition("The end of ")[2].partition(":\n")[0])
    assert log.read_text() == "unknown flag: --brand-new\n"
    (log.parent / "tokens.csv").unlink()  # and nothing recreates it: etcd's launcher has ended too
    with pytest.raises(ControlPlaneError, match="not started"):
        _ = control_plane.directory
    subprocess.run(["rm", "-rf", str(log.parent)], check=True)


def test_a_program_that_cannot_be_executed_is_named(tmp_path: Path) -> None:
    programs = Programs(tmp_path / "kube-apiserver", tmp_path / "etcd", tmp_path / "kubectl", "nowhere")
    with pytest.raises(StartError, match=r"etcd ended with code 127(.|\n)*cannot start .*etcd: No such file") as caught:
        ControlPlane(programs).start()
    log = Path(str(caught.value).partition("The end of ")[2].partition(":\n")[0])
    subprocess.run(["rm", "-rf", str(log.parent)], check=True)


def test_it_cannot_be_started_twice_nor_used_before(control_plane: ControlPlane) -> None:
    with pytest.raises(ControlPlaneError, match="started already"):
        control_plane.start()
    with pytest.raises(ControlPlaneError, match="not started"):
        ControlPlane(control_plane.programs).kubectl("version")
    ControlPlane(control_plane.programs).stop()


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(LOWEST_PORT <= port < LOWEST_PORT + PORT_COUNT for port in ports)
    assert LOWEST_PORT + PORT_COUNT < 32768


def test_a_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    """The kernel's own parent-death signal is sent when the starting thread ends: the launcher must not rely on it."""
    command, pid_file = sleeper(tmp_path)
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.append(Child.start(command, log=tmp_path / "log")))
    thread.start()
    pid = read_pid(pid_file)
    thread.join()
    time.sleep(0.7)
    assert is_alive(pid)
    assert children[0].kill() != 0
    assert eventually(lambda: not is_alive(pid))


def test_a_forked_sibling_that_holds_the_pipe_open_does_not_keep_a_child_alive(tmp_path: Path) -> None:
    command, pid_file = sleeper(tmp_path)
    script = (
        "import json, os, sys, time, pathlib\n"
        "from dev.control_plane.child import Child\n"
        "child = Child.start(json.loads(sys.argv[1]), log=pathlib.Path(sys.argv[2]))\n"
        "sibling = os.fork()\n"
        "if sibling:\n"
        "    print(sibling, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, json.dumps(command), str(tmp_path / "log")],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    sibling = int(parent.stdout.readline())
    pid = read_pid(pid_file)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    try:
        assert eventually(lambda: not is_alive(pid))
        assert is_alive(sibling)
    finally:
        os.kill(sibling, signal.SIGKILL)


def test_killing_a_child_kills_what_it_started(tmp_path: Path) -> None:
    command, pid_file = sleeper(tmp_path)
    outer = [sys.executable, "-I", "-S", "-c", f"import subprocess; subprocess.run({command!r})"]
    child = Child.start(outer, log=tmp_path / "log")
    pid = read_pid(pid_file)
    child.kill()
    assert not child.running
    assert eventually(lambda: not is_alive(pid))


def test_a_terminated_child_may_end_in_good_order(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('goodbye', flush=True), sys.exit(7)))\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = Child.start([sys.executable, "-I", "-S", "-c", script], log=tmp_path / "log")
    assert eventually(lambda: "ready" in child.tail())
    assert child.terminate() == 7
    assert child.tail() == "ready\ngoodbye"


def test_a_child_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
    child = Child.start([sys.executable, "-I", "-S", "-c", script], log=tmp_path / "log")
    assert eventually(lambda: "ready" in child.tail())
    assert child.terminate(grace=0.3) == 128 + signal.SIGKILL


@pytest.mark.parametrize(("script", "code"), [("raise SystemExit(5)", 5), ("import os; os.kill(os.getpid(), 15)", 143)])
def test_a_childs_exit_code_is_passed_on(tmp_path: Path, script: str, code: int) -> None:
    child = Child.start([sys.executable, "-I", "-S", "-c", script], log=tmp_path / "log")
    assert child.wait(10) == code


if sys.platform == "linux":  # only its kernel can do this; elsewhere a killed launcher leaves its program behind

    def test_a_program_ends_with_its_launcher_if_that_is_killed(tmp_path: Path) -> None:
        command, pid_file = sleeper(tmp_path)
        child = Child.start(command, log=tmp_path / "log")
        pid = read_pid(pid_file)
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        assert eventually(lambda: not is_alive(pid))


def test_the_command_starts_prints_and_ends_on_interrupt() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dev.control_plane"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("export KUBECONFIG=")
    kubeconfig = Path(line.strip().partition("=")[2])
    kubectl = str(find_programs().kubectl)
    answer = subprocess.run(
        [kubectl, "--kubeconfig", str(kubeconfig), "get", "--raw", "/readyz"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "ok"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    assert not kubeconfig.parent.exists()
