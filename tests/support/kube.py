"""The operator's own Kubernetes client against the real API server, with a record of what it sends."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from bastion_operator.clock import SystemClock
from bastion_operator.kube.client import KubeClient, find_cluster
from dev.control_plane import ControlPlane


class RecordingClient(KubeClient):
    """The real client; ``sent`` holds method and path of every request."""

    sent: list[tuple[str, str]]

    async def request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        self.sent.append((method, path))
        return await super().request(method, path, **options)

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that were no reads."""
        return [(method, path) for method, path in self.sent if method != "GET"]


@pytest_asyncio.fixture
async def kube(control_plane: ControlPlane) -> AsyncIterator[RecordingClient]:
    """A client with the rights of a cluster administrator."""
    async with await RecordingClient.connect(find_cluster(control_plane.kubeconfig), SystemClock()) as client:
        client.sent = []
        yield client


@pytest.fixture(scope="session")
def crds_served(control_plane: ControlPlane, crds_installed: list[str]) -> None:
    """This project's kinds are not only established but answered for.

    For a moment after that condition the API server still answers 429, "storage is (re)initializing"; kubectl waits
    for as long as it is told to.
    """
    for name in crds_installed:
        control_plane.kubectl("get", name, "--all-namespaces")


def arm_id(resource_type: str, name: str, *, group: str = "hub-rg") -> str:
    """An ARM id under Microsoft.Network."""
    subscription = "00000000-1111-2222-3333-444444444444"
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/{resource_type}/{name}"
