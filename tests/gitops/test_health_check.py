"""The health check by Argo CD's own command line, on the cases that lie beside it; by Lua alone: tests/unit/test_argocd_health.py."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.deploy_tools import find_tool
from dev.gitops_tools import ARGO_CD
from tests.support.deployment import ROOT

pytestmark = pytest.mark.gitops

SETTINGS = ROOT / "deploy/argocd/argocd-cm.yaml"
FOLDER = ROOT / "deploy/argocd/resource_customizations/azurebastion.dev/_"
CASES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "health_test.yaml").read_text())["tests"]


def argocd(home: Path, *arguments: str) -> str:
    """What `argocd admin settings` prints for the shipped argocd-cm."""
    command = [str(find_tool(ARGO_CD)), "admin", "settings", *arguments, f"--argocd-cm-path={SETTINGS}"]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"HOME": str(home), "KUBECONFIG": ""}
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case["inputPath"]).stem)
def test_argo_cd_itself_says_so(tmp_path: Path, case: dict[str, Any]) -> None:
    told = argocd(tmp_path, "resource-overrides", "health", str(FOLDER / case["inputPath"]))

    expected = case["healthStatus"]
    assert told.splitlines() == [f"STATUS: {expected['status']}", f"MESSAGE: {expected['message']}"]


def test_of_what_is_being_deleted_argo_cd_asks_no_check(tmp_path: Path) -> None:
    held = yaml.safe_load((FOLDER / "testdata/refused_host.yaml").read_text())
    held["metadata"]["deletionTimestamp"] = "2026-11-01T10:00:00Z"
    (tmp_path / "held.yaml").write_text(yaml.safe_dump(held))

    told = argocd(tmp_path, "resource-overrides", "health", str(tmp_path / "held.yaml"))

    assert told.splitlines() == ["STATUS: Progressing", "MESSAGE: Pending deletion"]


def test_the_settings_are_valid(tmp_path: Path) -> None:
    assert "✅ resource-overrides" in argocd(tmp_path, "validate")
