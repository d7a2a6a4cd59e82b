"""The emulator's README, section "With az in five minutes": its lines, run as they stand."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import LOG, LONGEST, az_environment, shown

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
README = Path(__file__).parents[2] / "operator/arm_emulator/README.md"


def walk_through() -> str:
    section = README.read_text().partition("## With `az` in five minutes")[2].partition("\n## ")[0]
    [script] = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return str(script)


def test_the_walk_through_of_the_readme_works(tmp_path: Path) -> None:
    started = subprocess.Popen(
        ["bash", "-euxo", "pipefail", "-c", walk_through()],
        env=az_environment(tmp_path),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    assert started.stdout is not None
    for line in started.stdout:
        said.append(line)
        if line.startswith("+ az"):
            LOG.info("%s", shown(line.strip()))
    assert started.wait(timeout=LONGEST) == 0, "".join(said)
    assert "to-spoke\tConnected\tFullyInSync\n" in said
    assert "microsoft.network/bastionhosts\t1\n" in said
