"""The manifests in deploy/base, judged by a real API server and its Pod Security admission."""

import copy
import json
import os
import tomllib
from pathlib import Path

import pytest
import yaml

from dev.control_plane import KubectlError
from tests.support.deployment import BASE, NAMESPACE, ROOT, Installation, Manifest, rendered

CRD_NAMES = {path.stem.removeprefix("azurebastion.dev_") for path in (ROOT / "crds").glob("azurebastion.dev_*.yaml")}


def test_a_second_apply_changes_nothing(installation: Installation) -> None:
    before = _versions(installation)
    answer = installation.control_plane.kubectl("apply", "-k", str(BASE)).splitlines()

    assert len(answer) == len(installation.manifests) == len(before)
    # By what is stored: kubectl calls a disruption budget configured each time, as it always sends its selector.
    assert _versions(installation) == before


def _versions(installation: Installation) -> dict[tuple[str, str], str]:
    found = json.loads(installation.control_plane.kubectl("get", "-k", str(BASE), "-o", "json"))["items"]
    return {(each["kind"], each["metadata"]["name"]): each["metadata"]["resourceVersion"] for each in found}


def test_every_object_passes_strict_validation_on_the_server(installation: Installation) -> None:
    answer = installation.control_plane.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-k", str(BASE)
    )

    assert answer.count("serverside-applied (server dry run)") == len(installation.manifests)


def test_the_base_holds_every_crd_of_the_project(installation: Installation) -> None:
    crds = [each for each in installation.manifests if each["kind"] == "CustomResourceDefinition"]

    assert {each["spec"]["names"]["plural"] for each in crds} == CRD_NAMES
    assert len(crds) == 4


def test_the_crds_can_be_applied_without_kustomize_as_well(installation: Installation) -> None:
    answer = installation.control_plane.kubectl("apply", "--dry-run=server", "-f", str(ROOT / "crds"))

    assert len(answer.splitlines()) == len(CRD_NAMES)


def test_everything_lies_in_the_operators_namespace(installation: Installation) -> None:
    cluster_wide = {"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
    for each in installation.manifests:
        expected = None if each["kind"] in cluster_wide else NAMESPACE
        assert each["metadata"].get("namespace") == expected, each["kind"]


def test_an_overlay_moves_it_to_another_namespace_and_image(installation: Installation, tmp_path: Path) -> None:
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "elsewhere",
        "resources": [os.path.relpath(BASE, tmp_path)],
        "images": [{"name": "bastion-operator", "newName": "registry.example/bastion-operator", "newTag": "7"}],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))

    manifests = rendered(installation.control_plane, tmp_path)
    found = {each["kind"]: each for each in manifests if each["kind"] != "CustomResourceDefinition"}

    assert found["Namespace"]["metadata"]["name"] == "elsewhere"
    assert found["Deployment"]["metadata"]["namespace"] == "elsewhere"
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/bastion-operator:7"
    for binding in ("RoleBinding", "ClusterRoleBinding"):
        assert [subject["namespace"] for subject in found[binding]["subjects"]] == ["elsewhere"]


def test_two_replicas_of_which_a_rollout_or_a_drained_node_takes_one_at_a_time(installation: Installation) -> None:
    spec = installation.one("Deployment")["spec"]

    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    labels = spec["template"]["metadata"]["labels"].items()
    assert spec["selector"]["matchLabels"].items() <= labels
    (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels
    budget = installation.one("PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= labels


def test_the_image_is_tagged_with_the_projects_version(installation: Installation) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert installation.container["image"] == f"bastion-operator:{version}"


def test_the_pod_is_restricted_by_the_judgement_of_the_api_server(installation: Installation) -> None:
    answer = _create(installation, _pod(installation))

    assert answer.strip() == "pod/template created (server dry run)"
    assert installation.container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("runAsNonRoot", "runAsNonRoot != true"),
        ("seccompProfile", "seccompProfile"),
        ("allowPrivilegeEscalation", "allowPrivilegeEscalation != false"),
        ("capabilities", "unrestricted capabilities"),
    ],
)
def test_the_namespace_refuses_the_pod_without_any_of_its_restrictions(
    installation: Installation, part: str, message: str
) -> None:
    pod = _pod(installation)
    for context in (pod["spec"]["securityContext"], pod["spec"]["containers"][0]["securityContext"]):
        context.pop(part, None)

    with pytest.raises(KubectlError, match=message):
        _create(installation, pod)


def _pod(installation: Installation) -> Manifest:
    spec = copy.deepcopy(installation.pod_spec)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "template", "namespace": NAMESPACE}, "spec": spec}


def _create(installation: Installation, pod: Manifest) -> str:
    return installation.control_plane.kubectl("create", "--dry-run=server", "-f", "-", input=yaml.safe_dump(pod))
