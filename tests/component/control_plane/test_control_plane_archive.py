"""Where the programs of the control plane come from: assets, settings, and the archive that is fetched and checked."""

import gzip
import hashlib
import subprocess
import time
from pathlib import Path

import pytest

from dev.control_plane import ProgramsError, find_programs
from dev.control_plane.archive import fetch_programs
from dev.control_plane.errors import ArchiveError
from dev.control_plane.settings import ENVTEST, PROGRAM_NAMES, Platform, Settings, cache_directory
from tests.support.control_plane_programs import (
    ARCHIVE_PATH,
    WHERE,
    LocalMirror,
    cached_folders,
    envtest_layout,
    packed,
    program,
    settings_for,
)

pytestmark = pytest.mark.filterwarnings("error::ResourceWarning")


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
