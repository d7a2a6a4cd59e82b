"""PodMonitor and PrometheusRule, of the chart and of kustomize, by the Prometheus Operator's own definitions on a real API server."""

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dev.control_plane import ControlPlane, KubectlError
from dev.deploy_tools import PROMETHEUS_OPERATOR
from dev.deploy_tools.module_files import find_files
from tests.support.deployment import BASE, NAMESPACE, ROOT, Manifest, kustomized
from tests.support.helm import Helm

pytestmark = pytest.mark.deploy

KINDS = ("PodMonitor", "PrometheusRule")
# Everything of them that a value can change.
VALUES = {
    "monitoring": {
        "podMonitor": {"enabled": True, "interval": "1m", "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}, "runbookURL": "https://wiki.example"},
    }
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """An API server that knows both kinds, and the operator's namespace."""
    definitions = find_files(PROMETHEUS_OPERATOR) / "example/prometheus-operator-crd"
    with ControlPlane() as control_plane:
        control_plane.kubectl("create", "namespace", NAMESPACE)
        for plural in ("podmonitors", "prometheusrules"):
            file = definitions / f"monitoring.coreos.com_{plural}.yaml"
            control_plane.kubectl("apply", "--server-side", "-f", str(file))
            control_plane.kubectl(
                "wait", "--for=condition=Established", "--timeout=30s", f"crd/{plural}.monitoring.coreos.com"
            )
        yield control_plane


def apply(control_plane: ControlPlane, manifest: Manifest) -> None:
    """A field that is not in the definition is an error, as it is none to a plain API server."""
    control_plane.kubectl("apply", "--server-side", "--validate=strict", "-f", "-", input=json.dumps(manifest))


@pytest.mark.parametrize("way", ["helm", "kustomize"])
def test_the_prometheus_operators_definitions_take_them(
    cluster: ControlPlane, helm: Helm, tmp_path: Path, way: str
) -> None:
    if way == "helm":
        rendered = helm.rendered(values=VALUES)
    else:
        overlay = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(BASE, tmp_path)],
            "components": [os.path.relpath(ROOT / "deploy/monitoring", tmp_path)],
        }
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        rendered = kustomized(cluster.programs.kubectl, tmp_path)
    theirs = [each for each in rendered if each["apiVersion"] == "monitoring.coreos.com/v1"]
    assert sorted(each["kind"] for each in theirs) == sorted(KINDS)

    for each in theirs:
        apply(cluster, each)


def test_a_field_that_the_definition_does_not_have_would_be_refused(cluster: ControlPlane, helm: Helm) -> None:
    (monitor,) = (each for each in helm.rendered(values=VALUES) if each["kind"] == "PodMonitor")
    wrong = copy.deepcopy(monitor)
    wrong["spec"]["podMetricsEndpoints"][0]["intervall"] = "30s"
    with pytest.raises(KubectlError, match="intervall"):
        apply(cluster, wrong)

    wrong = copy.deepcopy(monitor)
    wrong["spec"]["podMetricsEndpoints"][0]["interval"] = "half a minute"
    with pytest.raises(KubectlError, match=r"podMetricsEndpoints\[0\].interval"):
        apply(cluster, wrong)
