"""A real API server for the test run: one control plane, a fresh namespace for each test."""

import contextlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.control_plane import ControlPlane
from tests.support.api_connection import ApiConnection

CRDS = Path(__file__).parents[2] / "crds"
NAME_LIMIT = 40

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A running control plane, shared by the whole run: what a test makes outside its namespace, it removes."""
    with ControlPlane() as running:
        yield running


@pytest.fixture(scope="session")
def admin_kubeconfig(control_plane: ControlPlane) -> Path:
    """Kubeconfig of a cluster administrator."""
    return control_plane.kubeconfig


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    """The name of a namespace that no other test uses.

    It is left behind: without a controller-manager nothing would empty it, and the server ends with the run.
    """
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:NAME_LIMIT].strip("-")
    name = f"{words or 'test'}-{next(_numbers)}"
    with contextlib.closing(ApiConnection(control_plane)) as api:
        api.apply(f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


@pytest.fixture(scope="session")
def crds_installed(control_plane: ControlPlane) -> list[str]:
    """The names of this project's CRDs, all established on the server."""
    return install_crds(control_plane, CRDS)


def install_crds(control_plane: ControlPlane, folder: Path) -> list[str]:
    """Apply every CRD of the folder server-side and wait until the API serves it; returns their names."""
    assert list(folder.glob("*.yaml")), f"{folder} holds no CRD; `make generate` writes them"
    names = control_plane.kubectl("apply", "--server-side", "--output=name", "--filename", str(folder)).split()
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", *names)
    return [name.partition("/")[2] for name in names]
