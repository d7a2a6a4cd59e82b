"""What `make check-deploy` needs: real helm and promtool. Where they cannot be had these tests fail."""

import subprocess
from collections.abc import Callable

import pytest

from dev.deploy_tools import HELM, PROMTOOL, find_tool
from tests.support.deployment import ROOT
from tests.support.helm import Helm

Promtool = Callable[..., str]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(find_tool(HELM), tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Runs it in the project's folder and gives what it prints; AssertionError with that where it finds fault."""
    program = find_tool(PROMTOOL)

    def run(*arguments: str) -> str:
        answer = subprocess.run([str(program), *arguments], capture_output=True, text=True, cwd=ROOT, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout + answer.stderr

    return run
