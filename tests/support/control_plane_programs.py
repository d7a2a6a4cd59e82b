"""A mirror, archives and settings of the test's own, for where the control plane's programs come from."""

import contextlib
import dataclasses
import hashlib
import http.server
import io
import tarfile
from pathlib import Path

from dev.control_plane.settings import PROGRAM_NAMES, Archive, Platform, Settings

WHERE = Platform("linux", "amd64")
ARCHIVE_PATH = "/envtest-v9.9.9/envtest-v9.9.9-linux-amd64.tar.gz"
HERE = Path(__file__).parents[2]


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


def cached_folders(settings: Settings) -> list[str]:
    return sorted(folder.name for folder in (settings.cache / "control-plane").iterdir() if folder.is_dir())
