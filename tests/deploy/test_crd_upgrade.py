"""CRDs are upgraded in place: what the release before stored stays as it was, is still valid, and takes the new fields.

previous_release/ holds the CRDs of an earlier release and objects of every shape that they take.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.control_plane import ControlPlane, KubectlError
from tests.support.deployment import NAMESPACE, ROOT, Manifest
from tests.support.helm import CRD_CHART, Helm, HelmError

pytestmark = pytest.mark.deploy

PREVIOUS = Path(__file__).with_name("previous_release")
OBJECTS: list[Manifest] = list(yaml.safe_load_all((PREVIOUS / "objects.yaml").read_text()))
KINDS = "azureidentities,bastionhosts,vnetpeerings,reachabilityreports"
RELEASE = "bastion-operator-crds"


@pytest.fixture
def control_plane() -> Iterator[ControlPlane]:
    """One of its own: CRDs are the cluster's."""
    with ControlPlane() as own:
        yield own


def store_objects(control_plane: ControlPlane) -> dict[tuple[str, str], Any]:
    """Make the objects as the release before did, its status included; what is then stored."""
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crds", "--all")
    control_plane.kubectl("get", KINDS, "-A")
    control_plane.kubectl("apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(OBJECTS))
    with_status = [each for each in OBJECTS if "status" in each]
    assert with_status
    control_plane.kubectl(
        *("apply", "--server-side", "--subresource=status", "--field-manager=bastion-operator", "-f", "-"),
        input=yaml.safe_dump_all(with_status),
    )
    return stored(control_plane)


def stored(control_plane: ControlPlane) -> dict[tuple[str, str], Any]:
    """Spec and status as somebody wrote them: of a new field that has a default there is nothing in them."""
    items = json.loads(control_plane.kubectl("get", KINDS, "-A", "-o", "json"))["items"]
    return {(each["kind"], each["metadata"]["name"]): each for each in items}


def assert_kept(before: dict[tuple[str, str], Any], after: dict[tuple[str, str], Any]) -> None:
    assert after.keys() == before.keys()
    assert len(after) == len(OBJECTS)
    for key, old in before.items():
        assert after[key]["metadata"]["uid"] == old["metadata"]["uid"], key
        for part in ("spec", "status"):
            lost = _missing(old.get(part), after[key].get(part))
            assert lost == [], (key, part)


def _missing(old: Any, new: Any, path: str = "") -> list[str]:
    """What was there and is not any more, or otherwise; new fields may have come by their defaults."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [each for name in old for each in _missing(old[name], new.get(name), f"{path}.{name}")]
    return [] if old == new else [path]


def assert_valid(control_plane: ControlPlane) -> None:
    """The API server takes each object as it stands through validation again."""
    for key, each in stored(control_plane).items():
        each["metadata"].setdefault("annotations", {})["touched"] = "yes"
        each["metadata"].pop("managedFields", None)
        answer = control_plane.kubectl("replace", "--validate=strict", "-f", "-", input=json.dumps(each))
        assert "replaced" in answer, key


def test_what_the_release_before_stored_stands_after_the_upgrade(
    helm: Helm, control_plane: ControlPlane, tmp_path: Path
) -> None:
    cluster = Helm(helm.program, helm.home, control_plane.kubeconfig)
    old = tmp_path / "old"
    shutil.copytree(CRD_CHART, old, ignore=shutil.ignore_patterns("azurebastion.dev_*"))
    for definition in (PREVIOUS / "crds").glob("*.yaml"):
        manifest = yaml.safe_load(definition.read_text())
        manifest["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
        (old / "templates" / definition.name).write_text(yaml.safe_dump(manifest))
    place = ("--namespace", NAMESPACE)
    cluster.run("install", RELEASE, str(old), *place, "--create-namespace")
    before = store_objects(control_plane)
    new_field = {"spec": {"replacePolicy": "Recreate"}}
    with pytest.raises(KubectlError, match="replacePolicy"):
        _strictly(control_plane, new_field)

    cluster.run("upgrade", RELEASE, str(CRD_CHART), *place)

    assert_kept(before, stored(control_plane))
    assert_valid(control_plane)
    _strictly(control_plane, new_field)
    crds = json.loads(control_plane.kubectl("get", "crds", "-o", "json"))["items"]
    assert [each["status"]["storedVersions"] for each in crds] == [["v1beta1"]] * 4

    # The chart goes, the definitions stay, and with them every object; the next installation takes them over.
    cluster.run("uninstall", RELEASE, *place)
    assert_kept(before, stored(control_plane))
    cluster.run("install", RELEASE, str(CRD_CHART), *place)
    assert_kept(before, stored(control_plane))


def test_kubectl_upgrades_them_as_well_and_helm_may_take_them_over(helm: Helm, control_plane: ControlPlane) -> None:
    cluster = Helm(helm.program, helm.home, control_plane.kubeconfig)
    control_plane.kubectl("apply", "--server-side", "-f", str(PREVIOUS / "crds"))
    before = store_objects(control_plane)

    control_plane.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))

    assert_kept(before, stored(control_plane))
    assert_valid(control_plane)
    install = ("install", RELEASE, str(CRD_CHART), "--namespace", NAMESPACE, "--create-namespace")
    with pytest.raises(HelmError, match="exists and cannot be imported"):
        cluster.run(*install)
    cluster.run(*install, "--take-ownership", "--force-conflicts")
    assert_kept(before, stored(control_plane))


def _strictly(control_plane: ControlPlane, change: Manifest) -> None:
    """Apply the host with a change; a field that the CRD does not know is refused."""
    (host,) = (each for each in OBJECTS if each["metadata"]["name"] == "hub")
    changed = {**host, "spec": {**host["spec"], **change["spec"]}}
    control_plane.kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", input=yaml.safe_dump(changed)
    )
