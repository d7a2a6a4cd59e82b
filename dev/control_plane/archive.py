"""The envtest archive: downloaded within limits, compared with its pinned digest, unpacked without trusting its paths."""

import hashlib
import http.client
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final

from dev.control_plane.errors import ArchiveError
from dev.control_plane.settings import PROGRAM_NAMES, Report, Settings

MEBIBYTE: Final = 1024 * 1024
DOWNLOAD_LIMIT: Final = 400 * MEBIBYTE
PROGRAM_LIMIT: Final = 400 * MEBIBYTE
DOWNLOAD_SECONDS: Final = 600.0
REPORT_SECONDS: Final = 5.0
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def fetch_programs(settings: Settings, into: Path, report: Report, *, download_limit: int = DOWNLOAD_LIMIT) -> None:
    """Put kube-apiserver, etcd and kubectl of this platform's archive into the folder `into`.

    Raises ArchiveError if no digest is pinned for the platform, the server cannot be reached or answers with an
    error, the download is too large or too slow, or its digest is not the pinned one: then nothing is unpacked.
    """
    expected = settings.archive.sha512.get(str(settings.where))
    if expected is None:
        raise ArchiveError(f"no checksum is pinned for the envtest archive on {settings.where}")
    url = settings.archive.url(settings.where)
    packed = into / "archive.tar.gz"
    actual = _download(url, packed, settings.connect_seconds, download_limit, report)
    if actual != expected:
        packed.unlink()
        raise ArchiveError(
            f"{url} is not the pinned archive: its SHA-512 is {actual}, expected {expected}. It was thrown away"
        )
    _unpack(packed, into)
    packed.unlink()


def _download(url: str, to: Path, silence_seconds: float, limit: int, report: Report) -> str:
    """Write the answer to a file; returns its SHA-512 in hexadecimal."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ArchiveError(f"{url}: the archive is fetched over https only; correct BASTION_OPERATOR_ENVTEST_URL")
    report(f"fetching {url}")
    try:
        with urllib.request.urlopen(url, timeout=silence_seconds) as answer, to.open("wb") as file:  # noqa: S310 - the scheme was looked at above
            return _copy(answer, file, url, limit, report)
    except urllib.error.HTTPError as error:
        error.close()
        raise ArchiveError(f"{url} answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ArchiveError(f"{url} cannot be fetched: {getattr(error, 'reason', None) or error}") from error


def _copy(answer: IO[bytes], file: IO[bytes], url: str, limit: int, report: Report) -> str:
    digest = hashlib.sha512()
    size = 0
    started = time.monotonic()
    next_report = started + REPORT_SECONDS
    while block := answer.read(256 * 1024):
        size += len(block)
        now = time.monotonic()
        if size > limit:
            raise ArchiveError(f"{url} is larger than {limit / MEBIBYTE:.0f} MiB: this cannot be the envtest archive")
        if now - started > DOWNLOAD_SECONDS:
            raise ArchiveError(f"{url} did not arrive within {DOWNLOAD_SECONDS:.0f} s ({size / MEBIBYTE:.0f} MiB did)")
        if now >= next_report:
            report(f"  {size / MEBIBYTE:.0f} MiB, {now - started:.0f} s")
            next_report = now + REPORT_SECONDS
        digest.update(block)
        file.write(block)
    return digest.hexdigest()


def _unpack(packed: Path, into: Path) -> None:
    """Copy the three programs out of the archive. Paths, owners, modes and links in it decide nothing."""
    found = set()
    try:
        with tarfile.open(packed, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                content = archive.extractfile(member) if member.isreg() and name in PROGRAM_NAMES else None
                if content is None:
                    continue
                if name in found or member.size > PROGRAM_LIMIT:
                    raise ArchiveError(f"the envtest archive holds {name} twice, or one too large to be true")
                found.add(name)
                _write_program(content, into / name)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ArchiveError(f"the envtest archive cannot be unpacked: {error}") from error
    if missing := set(PROGRAM_NAMES) - found:
        raise ArchiveError(f"the envtest archive lacks {', '.join(sorted(missing))}")


def _write_program(content: IO[bytes], to: Path) -> None:
    with to.open("wb") as file:
        while block := content.read(MEBIBYTE):
            file.write(block)
    to.chmod(0o755)
