"""Every example in every `--help` is run, as it stands there."""

import gc
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from bastion_operator.cli.main import COMMANDS, main
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import one_azure
from tests.support.command import PROGRAM
from tests.support.published import publish, reports

ROOT = Path(__file__).parents[3]
ESTATE = ROOT / "examples" / "reach" / "reasons.json"
NAMESPACE = "connectivity"
ROWS: list[dict[str, Any]] = json.loads(ESTATE.read_text())["data"]
for _row in ROWS:
    if _row["type"].lower() == "microsoft.compute/virtualmachines":
        # An example asks for it, and a tag that no VM has is refused.
        _row["tags"] = {"env": "prod"}
SUBSCRIPTION = {
    "id": "/subscriptions/0a1b2c3d-0000-4000-8000-00000000000c",
    "subscriptionId": "0a1b2c3d-0000-4000-8000-00000000000c",
    "name": "production",
    "type": "microsoft.resources/subscriptions",
    "properties": {"state": "Enabled"},
}


def examples() -> Iterator[str]:
    """The lines that begin with the program's name, out of the help of each command."""
    for name, lazy in COMMANDS.items():
        command = lazy.load()
        shown = command.get_help(click.Context(command, info_name=name))
        listed = [line.strip() for line in shown.partition("Examples:")[2].splitlines() if line.strip()]
        assert listed, f"{name} has no example"
        yield from listed


def words_of(line: str) -> list[str]:
    """The words after the program's name, without what a shell does with the output."""
    found = re.search(r"kubectl bastion ([^>)]*)", line)
    assert found is not None, f"{line} is no example of kubectl bastion"
    return found.group(1).split()


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """The local Azure with the estate of the examples."""
    yield from one_azure(tmp_path_factory.mktemp("azure"), [SUBSCRIPTION, *ROWS], "--graph-lag=0")


@pytest.fixture
def place(
    control_plane: ControlPlane,
    crds_served: None,
    azure: LocalAzure,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A folder with the files that the examples name, a cluster with reports and a login."""
    for name in ("estate", "before", "after", "hub"):
        (tmp_path / f"{name}.json").write_text(json.dumps(ROWS))
    for name in ("spokes", "roles"):
        (tmp_path / f"{name}.json").write_text("[]")
    (tmp_path / "plan.json").write_text(
        '{"format_version": "1.2", "planned_values": {"root_module": {}}, "resource_changes": []}'
    )
    (tmp_path / "whatif.json").write_text('{"status": "Succeeded", "properties": {"changes": []}}')
    for name in ("bastion-host", "vnet-peering"):
        (tmp_path / f"{name}.yaml").write_text((ROOT / "examples" / "hub-and-spoke" / f"{name}.yaml").read_text())
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    publish(control_plane, [home, *reports(ROWS, NAMESPACE)])
    client = azure.clients["operator"]
    told = azure.environment() | {
        "KUBECONFIG": str(control_plane.kubeconfig),
        "AZURE_TENANT_ID": azure.tenant_id,
        "AZURE_CLIENT_ID": client.client_id,
        "AZURE_CLIENT_SECRET": client.client_secret,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    control_plane.kubectl("delete", "reachabilityreports", "--all", "-n", NAMESPACE)
    gc.enable()


def test_every_example_is_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    going_on = 0
    for line in examples():
        words = words_of(line)
        if "--watch" in words:
            going_on += 1
            with subprocess.Popen([str(PROGRAM), *words], stdout=subprocess.PIPE, text=True, cwd=place) as program:
                assert program.stdout is not None
                assert program.stdout.readline().split()[0] == "VM"
                program.terminate()
            continue
        # In this process, which has the libraries loaded: thirty programs would take half a minute.
        with pytest.raises(SystemExit) as ended:
            main(words)
        told = capsys.readouterr()
        # 1 is a check that says no: a doctor in a cluster without an operator.
        assert ended.value.code in {0, 1}, (line, told.err)
        assert told.out or told.err, line
    assert going_on
