"""The cache of programs: one process at a time, and the command that fills it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dev.control_plane import ProgramsError, cache, find_programs
from dev.control_plane.from_source import Recipe, build_programs
from dev.control_plane.settings import PROGRAM_NAMES
from dev.control_plane.toolchain import find_go
from tests.support.control_plane_programs import (
    HERE,
    LocalMirror,
    settings_for,
)

pytestmark = pytest.mark.filterwarnings("error::ResourceWarning")


# One at a time


def test_a_second_process_waits_says_so_and_takes_what_the_first_made(
    tmp_path: Path, mirror: LocalMirror, recipe: Recipe
) -> None:
    settings = settings_for(tmp_path, mirror.url, b"")
    lines: list[str] = []
    found: list[Path] = []
    lock = settings.cache / "control-plane" / ".lock"
    with cache.exclusive(lock, print):
        second = threading.Thread(
            target=lambda: found.append(find_programs(settings, lines.append, recipe=recipe).etcd.parent)
        )
        second.start()
        deadline = time.monotonic() + 30
        while not lines and time.monotonic() < deadline:
            time.sleep(0.05)
        assert lines == ["another process prepares the control plane's programs; waiting (0 s)"]
        made = settings.cache / "control-plane" / f"1.36.3-linux-amd64-{recipe.fingerprint}"
        with cache.staging(made) as folder:
            build_programs(recipe, find_go(recipe.go, os.environ), settings, folder, print)
    second.join(30)
    assert found == [made]
    assert len(lines) == 1
    assert mirror.asked == []


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / ".lock"
    script = (
        "import sys, time, pathlib\n"
        "from dev.control_plane import cache\n"
        "with cache.exclusive(pathlib.Path(sys.argv[1]), print):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(lock)], cwd=HERE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    lines: list[str] = []
    with cache.exclusive(lock, lines.append):
        assert lines == []


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, mirror: LocalMirror) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(ProgramsError, match=r"cache folder .* cannot be written: .* Set BASTION_OPERATOR_CACHE"):
        find_programs(settings_for(tmp_path, mirror.url, b""))


# The command


def test_prepare_prints_where_the_programs_are() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "dev.control_plane", "--prepare"], cwd=HERE, capture_output=True, text=True, check=True
    )
    assert [Path(line).name for line in answer.stdout.splitlines()] == list(PROGRAM_NAMES)


def test_the_command_ends_with_one_line_and_code_1_on_an_error(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "dev.control_plane", "--prepare"],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ) | {"KUBEBUILDER_ASSETS": str(tmp_path)},
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"KUBEBUILDER_ASSETS is {tmp_path}, which lacks kube-apiserver, etcd, kubectl")
    assert len(answer.stderr.splitlines()) == 1
