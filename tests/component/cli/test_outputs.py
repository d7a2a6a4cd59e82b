"""What commands print, as golden files: `make golden` writes them anew, and the diff shows what a user will see change."""

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.support.command import printed

ESTATE = Path(__file__).parents[3] / "examples" / "reach" / "reasons.json"


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml"])
def test_reach(golden: SnapshotAssertion, output: str) -> None:
    assert printed("reach", "--from", ESTATE, "--vm", "db-1", "--vm", "web-1", "-o", output) == golden


@pytest.mark.parametrize("output", ["text", "wide", "json", "yaml"])
def test_explain(golden: SnapshotAssertion, output: str) -> None:
    assert printed("explain", "db-1", "--from", ESTATE, "-o", output) == golden


@pytest.mark.parametrize("vm", ["reports-1", "bench-1", "stock-1", "admin-1"])
def test_explain_text(golden: SnapshotAssertion, vm: str) -> None:
    assert printed("explain", vm, "--from", ESTATE) == golden


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml"])
def test_diff(golden: SnapshotAssertion, tmp_path: Path, output: str) -> None:
    rows = json.loads(ESTATE.read_text())["data"]
    [group] = [row for row in rows if row["name"] == "db-nsg"]
    group["properties"]["securityRules"] = []
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(rows))
    assert printed("diff", ESTATE, changed, "-o", output) == golden
