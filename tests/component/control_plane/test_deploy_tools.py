"""The tools of `make check-deploy` and `make test-gitops`: built once from their pinned modules, kept, and refused plainly where they cannot be had."""

import dataclasses
import os
import re
import subprocess
from pathlib import Path

import pytest

from dev.control_plane.errors import BuildError
from dev.control_plane.from_source import CONTROL_PLANE, Recipe, Target
from dev.deploy_tools import HELM, PROMTOOL, find_tool
from dev.deploy_tools.module_files import find_files
from dev.gitops_tools import ARGO_CD, ARGO_CD_MANIFESTS, CONTROLLER_MANAGER
from tests.support.control_plane_programs import settings_for


def test_a_tool_is_built_once_and_kept(tmp_path: Path, recipe: Recipe) -> None:
    tool = dataclasses.replace(recipe, targets=(Target("helm", "tiny", (("main.version", "v4"),)),))
    settings = settings_for(tmp_path, "", b"")
    lines: list[str] = []

    found = find_tool(tool, settings, lines.append)

    assert subprocess.run([found], capture_output=True, text=True, check=True).stdout == "Kubernetes v4\n"
    assert lines[0].startswith("building helm 1.36.3 from source with Go 1.")
    told = len(lines)
    assert find_tool(tool, settings, lines.append) == found
    assert len(lines) == told


@pytest.mark.parametrize(
    "tool",
    [HELM, PROMTOOL, ARGO_CD, CONTROLLER_MANAGER],
    ids=["helm", "promtool", "argocd", "kube-controller-manager"],
)
def test_a_closed_network_is_said_with_the_ways_out(tmp_path: Path, closed_port: int, tool: Recipe) -> None:
    proxy = {"GOPROXY": f"http://127.0.0.1:{closed_port}", "GOMODCACHE": str(tmp_path / "modules"), "GONOPROXY": "none"}
    settings = settings_for(tmp_path, "", b"", variables=dict(os.environ) | proxy)

    with pytest.raises(
        BuildError, match=r"refused(.|\n)*Two ways out(.|\n)*BASTION_OPERATOR_CACHE(.|\n)*GOPROXY"
    ) as told:
        find_tool(tool, settings, print)

    assert "KUBEBUILDER_ASSETS" not in str(told.value), "that is the way out of another program"


def test_files_of_a_module_that_cannot_be_fetched_are_said_with_the_ways_out(tmp_path: Path, closed_port: int) -> None:
    proxy = {"GOPROXY": f"http://127.0.0.1:{closed_port}", "GOMODCACHE": str(tmp_path / "modules"), "GONOPROXY": "none"}
    settings = settings_for(tmp_path, "", b"", variables=dict(os.environ) | proxy)

    with pytest.raises(BuildError, match=r"argo-cd/v3 cannot be fetched(.|\n)*refused(.|\n)*Two ways out"):
        find_files(ARGO_CD_MANIFESTS, settings, lambda _: None)

    assert not list((settings.cache / "deploy-tools").glob("argocd-manifests*"))


@pytest.mark.parametrize("tool", [HELM, PROMTOOL, ARGO_CD], ids=["helm", "promtool", "argocd"])
def test_the_version_that_is_told_is_the_one_that_is_pinned(tool: Recipe) -> None:
    text = (tool.module / "go.mod").read_text()
    (target,) = tool.targets

    assert re.search(rf"^tool {re.escape(target.package)}$", text, re.MULTILINE)
    # Prometheus counts its modules as 0.315 what it releases as 3.15.
    assert re.search(rf"^\s*{re.escape(tool.probe or '')} v{re.escape(tool.version)}\b", text, re.MULTILINE)
    assert tool.version in target.linker_flags


def test_the_garbage_collector_is_of_the_same_kubernetes_as_the_api_server() -> None:
    """Of the same versions in everything, so that what is compiled for the one is not compiled again for the other."""
    own = set((CONTROLLER_MANAGER.module / "go.mod").read_text().splitlines())
    shared = (CONTROL_PLANE.module / "go.mod").read_text()

    assert set(shared[shared.index("\nrequire") :].splitlines()) - own == set()
