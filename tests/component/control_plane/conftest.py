"""A mirror, ports that do not answer, and a module that builds without a network."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.control_plane.from_source import Recipe, Target
from tests.support.control_plane_programs import (
    LocalMirror,
)

SOURCE = """package main

import "os"

var version = "unset"

func main() { os.Stdout.WriteString("Kubernetes " + version + "\\n") }
"""


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
