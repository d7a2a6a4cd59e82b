"""The shipped manifests, as `kubectl apply -k deploy/base` puts them on an API server of their own."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.control_plane import ControlPlane
from dev.control_plane.child import Child
from dev.control_plane.server import free_ports
from dev.programs import program

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
    return kustomized(control_plane.programs.kubectl, folder)


def kustomized(kubectl: Path, folder: Path) -> tuple[Manifest, ...]:
    """The same where no API server runs."""
    answer = subprocess.run([str(kubectl), "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return tuple(each for each in yaml.safe_load_all(answer.stdout) if each)


@contextmanager
def running_operator(installation: Installation, log: Path, environment: Mapping[str, str]) -> Iterator[Child]:
    """The operator as the Deployment starts it, with its account's rights; `environment` says where Azure is."""
    metrics, probes = free_ports(2)
    own = {
        **{entry["name"]: _as_the_kubelet_would(entry) for entry in installation.container["env"]},
        "BASTION_OPERATOR_RUN_METRICS_BIND_ADDRESS": f"127.0.0.1:{metrics}",
        "BASTION_OPERATOR_RUN_HEALTH_PROBE_BIND_ADDRESS": f"127.0.0.1:{probes}",
    }
    child = Child.start(
        [program("bastion-operator"), *installation.container["args"]],
        log=log,
        environment={**installation.control_plane.environment(installation.kubeconfig), **own, **environment},
    )
    try:
        yield child
        assert child.running, child.tail()
        # In order, so that the Lease is free for the next one at once.
        assert child.terminate() == 0, child.tail()
    finally:
        child.kill()


def _as_the_kubelet_would(entry: Manifest) -> str:
    if "value" in entry:
        return str(entry["value"])
    return {"metadata.namespace": NAMESPACE, "metadata.name": "operator-0"}[entry["valueFrom"]["fieldRef"]["fieldPath"]]
