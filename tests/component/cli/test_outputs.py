"""What commands print, as golden files: `make golden` writes them anew, and the diff shows what a user will see change."""

import json
import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.support.command import Here

ROOT = Path(__file__).parents[3]
ESTATE = ROOT / "examples" / "reach" / "reasons.json"
MANIFEST = ESTATE.parents[1] / "hub-and-spoke" / "bastion-host.yaml"


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml"])
def test_reach(golden: SnapshotAssertion, run_here: Here, output: str) -> None:
    assert run_here("reach", "--from", ESTATE, "--vm", "db-1", "--vm", "web-1", "-o", output).stdout == golden


@pytest.mark.parametrize("output", ["text", "wide", "json", "yaml"])
def test_explain(golden: SnapshotAssertion, run_here: Here, output: str) -> None:
    assert run_here("explain", "db-1", "--from", ESTATE, "-o", output).stdout == golden


@pytest.mark.parametrize("vm", ["reports-1", "bench-1", "stock-1", "admin-1"])
def test_explain_text(golden: SnapshotAssertion, run_here: Here, vm: str) -> None:
    assert run_here("explain", vm, "--from", ESTATE).stdout == golden


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml"])
def test_diff(golden: SnapshotAssertion, run_here: Here, tmp_path: Path, output: str) -> None:
    rows = json.loads(ESTATE.read_text())["data"]
    [group] = [row for row in rows if row["name"] == "db-nsg"]
    group["properties"]["securityRules"] = []
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(rows))
    assert run_here("diff", ESTATE, changed, "-o", output).stdout == golden


COMMANDS = (
    "reach --from {estate}",
    "explain db-1 --from {estate}",
    "diff {estate} {estate}",
    "topology --from {estate}",
    "what-if --from {estate} -f {manifest}",
    "import --from {estate}",
    "doctor --from {estate}",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_formats_of_tables(run_here: Here, command: str) -> None:
    words = command.format(manifest=MANIFEST, estate=ESTATE).split()
    usual = run_here(*words)
    assert usual.stdout
    as_table, wide = run_here(*words, "-o", "table"), run_here(*words, "-o", "wide")
    assert (as_table.stdout, as_table.returncode) == (usual.stdout, usual.returncode)
    assert (bool(wide.stdout), wide.returncode) == (True, usual.returncode)


@pytest.mark.parametrize("page", ["README.md", "docs/kubectl-bastion.md"])
def test_samples_of_reach_are_real(run_here: Here, page: str) -> None:
    samples = re.findall(
        r"^\$ .*bastion (reach --from examples/.*)\n([^`]*)```", (ROOT / page).read_text(), re.MULTILINE
    )
    assert samples
    for command, output in samples:
        assert run_here(*command.replace("examples/", f"{ROOT}/examples/").split()).stdout == output


def test_the_sample_of_diff_is_real(run_here: Here, tmp_path: Path) -> None:
    text = ESTATE.read_text()
    rows = {row["id"].rpartition("/")[2]: row for row in json.loads(text)["data"]}
    rows["db-nsg"]["properties"]["securityRules"] = []
    rows["web-1"]["properties"]["extended"]["instanceView"]["powerState"]["code"] = "PowerState/deallocated"
    (tmp_path / "after.json").write_text(json.dumps([*rows.values()]))
    page = (ROOT / "docs/kubectl-bastion.md").read_text()
    _, _, sample = page.partition("$ kubectl bastion diff before.json after.json\n")
    told = run_here("diff", ESTATE, tmp_path / "after.json")
    assert (told.stdout + told.stderr, told.returncode) == (sample.partition("```")[0], 1)
