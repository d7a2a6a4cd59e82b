"""The example of README: one estate with the obstacles that people meet, and the fixes that rid them of each."""

from collections.abc import Iterable
from functools import reduce
from pathlib import Path

import pytest

from bastion_operator.network.estate_file import read_estate_file
from bastion_operator.network.fields import Row
from bastion_operator.network.fixes import apply_fix, explain
from bastion_operator.network.held_row import row_of
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all

FILE = Path(__file__).parents[3] / "examples" / "reach" / "reasons.json"
ROWS: Iterable[Row] = list(filter(None, map(row_of, read_estate_file(FILE.name, FILE.read_bytes()).rows)))
EXPECTED = {
    "admin-1": (None, ["NicNsgDenies"]),
    "bench-1": (None, ["DeveloperNoPeering"]),
    "cache-1": (None, ["SubnetNsgDenies"]),
    "db-1": (None, ["NicNsgDenies"]),
    "play-1": ("SameVNet", []),
    "reports-1": (None, ["ReturnRouteDiverted"]),
    "stock-1": ("IpConnect", []),
    "web-1": ("Peering", []),
    "web-2": (None, ["VMNotRunning"]),
}


def verdicts() -> list[Verdict]:
    return judge_all(Inventory.from_rows(ROWS))


def test_each_vm_has_the_verdict_that_the_example_is_there_for() -> None:
    told = {
        one.vm_name: (one.via if one.verdict == "Reachable" else None, [each.code for each in one.reasons])
        for one in verdicts()
    }
    assert told == EXPECTED


@pytest.mark.parametrize("verdict", [one for one in verdicts() if one.reasons], ids=lambda one: one.vm_name)
def test_the_fixes_told_make_each_vm_reachable(verdict: Verdict) -> None:
    told = explain(verdict, Inventory.from_rows(ROWS))
    fixes = [reason.fix for reason in told.reasons if reason.fix is not None]
    assert len(fixes) == len(told.reasons)
    rows = reduce(apply_fix, fixes, ROWS)
    mended = Inventory.from_rows(rows)
    [after] = judge_all(mended, vm_ids=[verdict.vm])
    assert after.verdict == "Reachable", after.reasons
