"""The real helm: what the charts render, what it refuses, and what it does to an API server."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.deployment import NAMESPACE, ROOT, Manifest

CHARTS = ROOT / "deploy/charts"
CHART = CHARTS / "bastion-operator"
CRD_CHART = CHARTS / "bastion-operator-crds"
RELEASE = "bastion-operator"


class HelmError(Exception):
    """helm ended with an error; the message is what it wrote."""


@dataclass(frozen=True)
class Helm:
    """Helm with a home of its own, and the kubeconfig that it is given."""

    program: Path
    home: Path
    kubeconfig: Path | None = None

    def run(self, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
        """What it prints. Raises HelmError."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
        environment |= {name: str(self.home) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")}
        environment["KUBECONFIG"] = str(self.kubeconfig or self.home / "none")
        given: tuple[str, ...] = () if values is None else ("--values", "-")
        answer = subprocess.run(
            [str(self.program), *arguments, *given],
            input=json.dumps(values or {}),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise HelmError(answer.stdout + answer.stderr)
        return answer.stdout

    def rendered(self, chart: Path = CHART, values: Mapping[str, Any] | None = None) -> tuple[Manifest, ...]:
        """The chart's objects. Raises HelmError."""
        text = self.run("template", RELEASE, str(chart), "--namespace", NAMESPACE, values=values or {})
        return tuple(each for each in yaml.safe_load_all(text) if each)


def container_of(manifests: tuple[Manifest, ...]) -> Manifest:
    """The one container of the one Deployment."""
    (deployment,) = (each for each in manifests if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


def environment_of(manifests: tuple[Manifest, ...]) -> dict[str, str]:
    """The container's variables that have a value of their own."""
    return {each["name"]: each["value"] for each in container_of(manifests)["env"] if "value" in each}
