"""docs/reachability.md explains every code, and no other."""

import re
from pathlib import Path

from bastion_operator.network.codes import ANY_STEP, CODES
from bastion_operator.network.finding import FindingClass
from bastion_operator.network.reachability.steps import STEPS

PAGE = (Path(__file__).parents[3] / "docs" / "reachability.md").read_text(encoding="utf-8")
HEADINGS = {
    FindingClass.UNREACHABLE: "### Reasons that make a VM Unreachable",
    FindingClass.UNKNOWN: "### Reasons that leave it Unknown",
    FindingClass.WARNING: "### Warnings and information",
}


def section(heading: str) -> str:
    return PAGE.split(heading, 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]


def test_every_code_is_explained_under_its_class_with_its_step() -> None:
    for finding_class, heading in HEADINGS.items():
        rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section(heading), re.MULTILINE))
        expected = {name: code for name, code in CODES.items() if code.finding_class is finding_class}
        assert rows.keys() == expected.keys()
        for name, steps in rows.items():
            wanted = expected[name].step
            assert wanted == ANY_STEP or str(wanted) in re.findall(r"\d+", steps), name


def test_codes_are_listed_in_the_order_in_which_reasons_come() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", section(HEADINGS[FindingClass.UNREACHABLE]), re.MULTILINE)
    assert listed == [name for name, code in CODES.items() if code.finding_class is FindingClass.UNREACHABLE]


def test_the_steps_run_in_their_order_and_each_is_in_the_table() -> None:
    numbers = [step.number for step in STEPS]
    assert numbers == sorted(numbers)
    told = {int(number) for cell in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for number in cell.split(",")}
    assert set(numbers) <= told
    assert told - set(numbers) == {10}, "step 10 is the path's topology, which step 11 goes on from"
