"""Helm and kustomize install the same: what the charts render is compared with the base, alone and with each component."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.control_plane import find_programs
from tests.support.deployment import BASE, ROOT, Manifest, kustomized
from tests.support.helm import CRD_CHART, Helm

pytestmark = pytest.mark.deploy

COMPONENTS = sorted(path.parent for path in ROOT.glob("deploy/**/values.yaml") if "charts" not in path.parts)
# What only a package of Helm's has.
HELMS_OWN = {"app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/version", "helm.sh/chart"}
KEEP = "helm.sh/resource-policy"
Comparable = dict[tuple[str, str, str], Any]


def test_every_component_says_what_it_is_in_the_chart() -> None:
    folders = {path.parent for path in ROOT.glob("deploy/**/kustomization.yaml")}

    assert set(COMPONENTS) == folders - {BASE}
    assert len(COMPONENTS) >= 6


@pytest.mark.parametrize("components", [[], *([each] for each in COMPONENTS), COMPONENTS], ids=lambda c: "+".join(each.name for each in c) or "base")  # fmt: skip
def test_both_install_the_same(helm: Helm, components: list[Path], tmp_path: Path) -> None:
    # Two clouds at once are none, and what patches the whole ClusterRole goes with no other that does.
    alone = {"azure-china", "observe"}
    components = [each for each in components if each.name not in alone or len(components) == 1]
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(BASE, tmp_path)],
        "components": [os.path.relpath(each, tmp_path) for each in components],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    values: dict[str, Any] = {}
    for each in components:
        for name, value in yaml.safe_load((each / "values.yaml").read_text()).items():
            values[name] = values.get(name, {}) | value

    by_kustomize = _comparable(kustomized(find_programs().kubectl, tmp_path))
    by_helm = _comparable([*helm.rendered(CRD_CHART), *helm.rendered(values=values)])

    # Helm is told by the person who installs which namespace to make.
    (namespace,) = (key for key in by_kustomize if key[0] == "Namespace")
    del by_kustomize[namespace]
    assert by_helm.keys() == by_kustomize.keys()
    for key, wanted in by_kustomize.items():
        assert by_helm[key] == wanted, key


def test_the_crds_of_the_chart_are_kept_when_it_goes(helm: Helm) -> None:
    crds = helm.rendered(CRD_CHART)

    assert len(crds) == len(list((ROOT / "crds").glob("azurebastion.dev_*.yaml")))
    assert [each["metadata"]["annotations"][KEEP] for each in crds] == ["keep"] * len(crds)


def _comparable(manifests: Iterable[Manifest]) -> Comparable:
    """Objects by kind, namespace and name, without what only one of the tools writes."""
    return {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): _plain(each)
        for each in manifests
    }


def _plain(value: Any, key: str = "") -> Any:
    match value:
        case dict():
            kept = {name: _plain(each, name) for name, each in value.items() if name not in HELMS_OWN | {KEEP}}
            if kept.get("imagePullPolicy") == "IfNotPresent":
                del kept["imagePullPolicy"]  # it is the default of any tag but latest
            return {name: each for name, each in kept.items() if (name, each) != ("annotations", {})}
        case list() if key == "rules" and value and "verbs" in value[0]:
            return {right for rule in value for right in _rights(rule)}
        case list() if key in {"env", "volumes", "volumeMounts"}:
            return sorted((_plain(each) for each in value), key=lambda each: str(each["name"]))
        case list():
            return [_plain(each) for each in value]
        case str():
            return value.strip()
        case _:
            return value


def _rights(rule: Manifest) -> Iterable[tuple[str, ...]]:
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                yield (group, resource, verb, *rule.get("resourceNames", ()))
