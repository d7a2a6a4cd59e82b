"""An operator that watches one namespace, installed by the chart: it does its work there, with rights there alone."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import yaml

from dev.control_plane import ControlPlane
from dev.control_plane.server import free_ports
from tests.support.crd_examples import host, identity, manifest, peering
from tests.support.deployment import NAMESPACE, SERVICE_ACCOUNT, Installation, Manifest, running_operator
from tests.support.helm import CHART, CRD_CHART, RELEASE, Helm

pytestmark = pytest.mark.deploy

Found = TypeVar("Found")
WATCHED, OTHER = "team-a", "team-b"
VALUES = {"settings": {"namespaces": [WATCHED], "logFormat": "json", "leaderElectResourceName": "blue"}}
SECONDS = 60


@pytest.fixture
def one_namespace(helm: Helm) -> Iterator[Installation]:
    """The charts on an API server with two teams, of which one is watched."""
    with ControlPlane() as control_plane:
        for name in (NAMESPACE, WATCHED, OTHER):
            control_plane.kubectl("create", "namespace", name)
        cluster = Helm(helm.program, helm.home, control_plane.kubeconfig)
        cluster.run("install", "bastion-operator-crds", str(CRD_CHART), "--namespace", NAMESPACE)
        control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crds", "--all")
        cluster.run("install", RELEASE, str(CHART), "--namespace", NAMESPACE, values=VALUES)
        account = control_plane.kubeconfig_for(SERVICE_ACCOUNT, namespace=NAMESPACE)
        yield Installation(control_plane, account, helm.rendered(values=VALUES))


def test_it_works_in_its_namespace_and_leaves_the_other_alone(one_namespace: Installation, tmp_path: Path) -> None:
    kubectl = one_namespace.control_plane.kubectl
    kubectl("create", "secret", "generic", "azure", "-n", NAMESPACE, "--from-literal=clientSecret=wrong")
    spec = {**identity()["spec"], "allowedNamespaces": {"names": [WATCHED, OTHER]}}
    objects = [manifest("AzureIdentity", spec, "default")]
    objects += [
        {**each, "metadata": {**each["metadata"], "namespace": namespace}}
        for namespace in (WATCHED, OTHER)
        for each in (host(name="hub", deletionPolicy="Retain"), peering(deletionPolicy="Retain"))
    ]
    kubectl("apply", "-f", "-", input=yaml.safe_dump_all(objects))
    (silent,) = free_ports(1)
    nowhere = dict.fromkeys(("AZURE_AUTHORITY_HOST", "AZURE_RESOURCE_MANAGER_ENDPOINT"), f"https://127.0.0.1:{silent}")

    with running_operator(one_namespace, tmp_path / "operator.log", nowhere) as operator:
        ready = _eventually(lambda: _ready(one_namespace, "azureidentities", "default"), operator.log)
        assert ready["reason"] == "AzureUnreachable", "the Secret was not read"
        for plural, name in (("bastionhosts", "hub"), ("vnetpeerings", "example")):
            _eventually(lambda: _ready(one_namespace, plural, name, WATCHED), operator.log)  # noqa: B023 - called at once
            assert _status(one_namespace, plural, name, OTHER) == {"observedGeneration": -1}, "the CRD's default"
        # Of what lies in no namespace Events stand in this one.
        _eventually(lambda: kubectl("get", "events.events.k8s.io", "-n", "default", "-o", "name"), operator.log)
        assert kubectl("get", "leases", "-n", NAMESPACE, "-o", "name").strip() == "lease.coordination.k8s.io/blue"
        kubectl("delete", "bastionhosts", "hub", "-n", WATCHED, f"--timeout={SECONDS}s")
        kubectl("delete", "vnetpeerings", "example", "-n", WATCHED, f"--timeout={SECONDS}s")

    lines = [json.loads(line) for line in (tmp_path / "operator.log").read_text().splitlines()]
    assert [line for line in lines if "orbidden" in line["message"] or "error" in line] == []
    about = {line["resource"] for line in lines if "resource" in line}
    assert about
    assert not [each for each in about if OTHER in each]
    assert all(line["correlationID"] for line in lines if "resource" in line)


def _status(installation: Installation, plural: str, name: str, namespace: str = "") -> Manifest:
    where = ["-n", namespace] if namespace else []
    found = json.loads(installation.control_plane.kubectl("get", plural, name, *where, "-o", "json"))
    return dict(found.get("status") or {})


def _ready(installation: Installation, plural: str, name: str, namespace: str = "") -> Manifest | None:
    conditions = _status(installation, plural, name, namespace).get("conditions", ())
    return next((each for each in conditions if each["type"] == "Ready"), None)


def _eventually(look: Callable[[], Found | None], log: Path) -> Found:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"it did not come about; the operator's log:\n{log.read_text()}")
