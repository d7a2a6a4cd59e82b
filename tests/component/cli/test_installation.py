"""The package as people install the command alone: `uv tool install` and the real `pipx install` and `pipx run`."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dev.control_plane import ControlPlane

ROOT = Path(__file__).parents[3]
ESTATE = ROOT / "examples" / "reach" / "estate.json"
UV = (sys.executable, str(ROOT / "dev" / "with_uv.py"))
PIPX = (*UV, "tool", "run", "pipx==1.18.4")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_tool_installation_has_the_plugin_and_its_completion(tmp_path: Path, control_plane: ControlPlane) -> None:
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    environment = with_programs(tmp_path / "bin", control_plane, places)
    subprocess.run([*UV, "tool", "install", "--quiet", str(ROOT)], check=True, env=environment)
    the_plugin_answers(tmp_path / "bin", control_plane, environment)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_pipx_installs_a_wheel_and_runs_it_without_installing(tmp_path: Path, control_plane: ControlPlane) -> None:
    places = {name: str(tmp_path / name.lower()) for name in ("PIPX_HOME", "PIPX_MAN_DIR")}
    environment = with_programs(tmp_path / "bin", control_plane, places | {"PIPX_BIN_DIR": str(tmp_path / "bin")})
    subprocess.run([*UV, "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(ROOT)], check=True)
    [wheel] = tmp_path.glob("*.whl")
    # As the README's first example has it.
    example = ["run", "--spec", str(wheel), "kubectl-bastion", "reach", "--from", str(ESTATE)]
    told = subprocess.run([*PIPX, *example], capture_output=True, text=True, check=True, env=environment)
    assert "NicNsgDenies" in told.stdout
    assert not (tmp_path / "bin" / "kubectl-bastion").exists()
    subprocess.run([*PIPX, "install", str(wheel)], check=True, env=environment)
    the_plugin_answers(tmp_path / "bin", control_plane, environment)


def with_programs(folder: Path, control_plane: ControlPlane, places: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a folder's programs come first, and tools are installed in these places."""
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **places, "PATH": path, "KUBECONFIG": str(control_plane.kubeconfig)}


def the_plugin_answers(folder: Path, control_plane: ControlPlane, environment: Mapping[str, str]) -> None:
    installed = {path.name for path in folder.iterdir()}
    assert installed >= {"kubectl-bastion", "kubectl_complete-bastion", "bastion-operator"}
    command = [str(control_plane.programs.kubectl), "bastion", "reach", "--from", str(ESTATE)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "NicNsgDenies" in told.stdout
