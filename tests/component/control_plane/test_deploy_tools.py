"""The tools of `make check-deploy`: built once from their pinned modules, kept, and refused plainly where they cannot be had."""

import dataclasses
import os
import re
import subprocess
from pathlib import Path

import pytest

from dev.control_plane.errors import BuildError
from dev.control_plane.from_source import Recipe, Target
from dev.deploy_tools import HELM, PROMTOOL, find_tool
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


@pytest.mark.parametrize("tool", [HELM, PROMTOOL], ids=["helm", "promtool"])
def test_a_closed_network_is_said_with_the_ways_out(tmp_path: Path, closed_port: int, tool: Recipe) -> None:
    proxy = {"GOPROXY": f"http://127.0.0.1:{closed_port}", "GOMODCACHE": str(tmp_path / "modules"), "GONOPROXY": "none"}
    settings = settings_for(tmp_path, "", b"", variables=dict(os.environ) | proxy)

    with pytest.raises(
        BuildError, match=r"refused(.|\n)*Two ways out(.|\n)*BASTION_OPERATOR_CACHE(.|\n)*GOPROXY"
    ) as told:
        find_tool(tool, settings, print)

    assert "KUBEBUILDER_ASSETS" not in str(told.value), "that is the way out of another program"


@pytest.mark.parametrize("tool", [HELM, PROMTOOL], ids=["helm", "promtool"])
def test_the_version_that_is_told_is_the_one_that_is_pinned(tool: Recipe) -> None:
    text = (tool.module / "go.mod").read_text()
    (target,) = tool.targets

    assert re.search(rf"^tool {re.escape(target.package)}$", text, re.MULTILINE)
    # Prometheus counts its modules as 0.315 what it releases as 3.15.
    assert re.search(rf"^\s*{re.escape(tool.probe or '')} v{re.escape(tool.version)}\b", text, re.MULTILINE)
    assert tool.version in target.linker_flags
