"""The package as people install the command alone: `uv tool install`, which does as `pipx install` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.control_plane import ControlPlane

ROOT = Path(__file__).parents[3]
ESTATE = ROOT / "examples" / "reach" / "estate.json"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_tool_installation_has_the_plugin_and_its_completion(tmp_path: Path, control_plane: ControlPlane) -> None:
    uv = [sys.executable, str(ROOT / "dev" / "with_uv.py")]
    environment = os.environ | {
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "KUBECONFIG": str(control_plane.kubeconfig),
    }
    subprocess.run([*uv, "tool", "install", "--quiet", str(ROOT)], check=True, env=environment)
    installed = {path.name for path in (tmp_path / "bin").iterdir()}
    assert installed >= {"kubectl-bastion", "kubectl_complete-bastion", "bastion-operator"}
    kubectl = str(control_plane.programs.kubectl)
    told = subprocess.run(
        [kubectl, "bastion", "reach", "--from", str(ESTATE)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert "NicNsgDenies" in told.stdout
