"""The shipped manifests, as `kubectl apply -k deploy/base` puts them on an API server of their own."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.control_plane import ControlPlane

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy" / "base"
NAMESPACE = "bastion-operator"
SERVICE_ACCOUNT = "bastion-operator"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Installation:
    """An API server with the base applied, and the rights of the operator's account there."""

    control_plane: ControlPlane
    kubeconfig: Path
    manifests: tuple[Manifest, ...]

    def one(self, kind: str, name: str = "bastion-operator") -> Manifest:
        """The manifest of this kind and name."""
        (found,) = (each for each in self.manifests if each["kind"] == kind and each["metadata"]["name"] == name)
        return found

    @property
    def pod_spec(self) -> Manifest:
        spec: Manifest = self.one("Deployment")["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Manifest:
        (container,) = self.pod_spec["containers"]
        return dict(container)


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """Not the API server of the other tests: an operator that runs here sees no resources but its own test's."""
    with ControlPlane() as control_plane:
        control_plane.kubectl("apply", "-k", str(BASE))
        crds = control_plane.kubectl("get", "crds", "-o", "name").split()
        control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", *crds)
        # The first read of a new resource may be answered "storage is (re)initializing"; kubectl then asks again.
        control_plane.kubectl("get", "azureidentities,bastionhosts,vnetpeerings,reachabilityreports", "-A")
        account = control_plane.kubeconfig_for(SERVICE_ACCOUNT, namespace=NAMESPACE)
        yield Installation(control_plane, account, rendered(control_plane, BASE))


def rendered(control_plane: ControlPlane, folder: Path) -> tuple[Manifest, ...]:
    """What kustomize makes of a folder. Raises CalledProcessError with its message if it refuses it."""
    answer = subprocess.run(
        [str(control_plane.programs.kubectl), "kustomize", str(folder)], capture_output=True, text=True, check=True
    )
    return tuple(each for each in yaml.safe_load_all(answer.stdout) if each)
