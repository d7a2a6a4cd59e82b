"""The chart on a real API server: installed, upgraded and uninstalled by the real helm."""

import copy
import json
from collections.abc import Iterator

import pytest
import yaml

from dev.control_plane import ControlPlane, KubectlError
from tests.support.deployment import NAMESPACE, Manifest
from tests.support.helm import CHART, CRD_CHART, RELEASE, Helm, HelmError

pytestmark = pytest.mark.deploy

PLACE = ("--namespace", NAMESPACE)
CRDS = "bastion-operator-crds"
UUID = "00000000-1111-2222-3333-444444444444"
IDENTITY = {"create": True, "tenantID": UUID, "clientID": UUID, "allowedNamespaces": {"names": ["team-a"]}}
# Everything that changes the pod at once.
FULL = {
    "defaultIdentity": IDENTITY,
    "caBundle": {"configMapName": "azure-ca"},
    "proxy": {"https": "http://proxy.example:3128"},
    "cloud": {"name": "AzureChina"},
    "settings": {"logFormat": "json", "namespaces": ["team-a"]},
}


@pytest.fixture(scope="module")
def cluster(helm: Helm) -> Iterator[tuple[Helm, ControlPlane]]:
    """An API server whose operator namespace enforces the Pod Security level `restricted`, with the CRDs."""
    with ControlPlane() as control_plane:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        for name, marks in ((NAMESPACE, labels), ("team-a", {})):
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": marks}}
            control_plane.kubectl("apply", "-f", "-", input=yaml.safe_dump(namespace))
        yield Helm(helm.program, helm.home, control_plane.kubeconfig), control_plane


@pytest.fixture(scope="module")
def installed(cluster: tuple[Helm, ControlPlane]) -> tuple[Helm, ControlPlane]:
    """The charts installed in the order that docs/install.md tells."""
    helm, control_plane = cluster
    with pytest.raises(HelmError, match="ensure CRDs are installed first"):
        helm.run("install", RELEASE, str(CHART), *PLACE, values={"defaultIdentity": IDENTITY})
    helm.run("install", CRDS, str(CRD_CHART), *PLACE)
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crds", "--all")
    helm.run("install", RELEASE, str(CHART), *PLACE, values={"defaultIdentity": IDENTITY})
    return cluster


def test_an_upgrade_with_other_values_takes_their_place(installed: tuple[Helm, ControlPlane]) -> None:
    helm, control_plane = installed
    assert "bastionhosts" in _roles(control_plane, "clusterrole")

    helm.run("upgrade", RELEASE, str(CHART), *PLACE, values=FULL)

    assert "bastionhosts" not in _roles(control_plane, "clusterrole"), "they are watched in one namespace only"
    assert "bastionhosts" in _roles(control_plane, "role", "team-a")
    identity = json.loads(control_plane.kubectl("get", "azureidentity", "default", "-o", "json"))
    assert identity["spec"]["allowedNamespaces"] == {"names": ["team-a"]}


def _roles(control_plane: ControlPlane, kind: str, namespace: str = NAMESPACE) -> set[str]:
    items = json.loads(control_plane.kubectl("get", kind, "-n", namespace, "-o", "json"))["items"]
    ours = [each for each in items if each["metadata"]["name"].startswith(RELEASE)]
    return {resource for each in ours for rule in each["rules"] for resource in rule["resources"]}


@pytest.mark.parametrize("values", [{}, FULL], ids=["by default", "with everything"])
def test_the_pod_is_restricted_by_the_judgement_of_the_api_server(
    installed: tuple[Helm, ControlPlane], values: Manifest
) -> None:
    helm, control_plane = installed
    (deployment,) = (each for each in helm.rendered(values=values) if each["kind"] == "Deployment")
    template = copy.deepcopy(deployment["spec"]["template"])
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"] |= {"name": "template", "namespace": NAMESPACE}

    assert _create(control_plane, pod).strip() == "pod/template created (server dry run)"
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        _create(control_plane, pod)


def _create(control_plane: ControlPlane, pod: Manifest) -> str:
    return control_plane.kubectl("create", "--dry-run=server", "-f", "-", input=yaml.safe_dump(pod))


def test_uninstalled_it_leaves_what_people_made_and_the_definitions(installed: tuple[Helm, ControlPlane]) -> None:
    helm, control_plane = installed
    network = f"/subscriptions/{UUID}/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"
    host = {
        "apiVersion": "azurebastion.dev/v1beta1",
        "kind": "BastionHost",
        "metadata": {"name": "hub", "namespace": "team-a"},
        "spec": {"virtualNetworkID": network, "sku": "Basic"},
    }
    control_plane.kubectl("apply", "-f", "-", input=yaml.safe_dump(host))

    helm.run("uninstall", RELEASE, *PLACE)
    helm.run("uninstall", CRDS, *PLACE)

    assert "bastionhost.azurebastion.dev/hub" in control_plane.kubectl(
        "get", "bastionhosts", "-n", "team-a", "-o", "name"
    )
    assert "azureidentity.azurebastion.dev/default" in control_plane.kubectl("get", "azureidentities", "-o", "name")
    assert len(control_plane.kubectl("get", "crds", "-o", "name").splitlines()) == 4
    for kind in ("deployments", "networkpolicies", "poddisruptionbudgets", "roles", "serviceaccounts"):
        assert control_plane.kubectl("get", kind, "-n", NAMESPACE, "-o", "name") == "", kind

    # It is taken over by the next installation of the same name, as after a mistake.
    helm.run("install", CRDS, str(CRD_CHART), *PLACE)
    helm.run("install", RELEASE, str(CHART), *PLACE, values={"defaultIdentity": IDENTITY})
    assert "bastionhost.azurebastion.dev/hub" in control_plane.kubectl(
        "get", "bastionhosts", "-n", "team-a", "-o", "name"
    )
