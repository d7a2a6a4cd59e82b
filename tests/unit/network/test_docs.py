"""docs/codes explains every code, and no other; docs/reachability.md has every step."""

import re
from pathlib import Path

import pytest

from bastion_operator.network.codes import ANY_STEP, CODES
from bastion_operator.network.finding import Actor, FindingClass
from bastion_operator.network.fixes import PROPOSERS
from bastion_operator.network.reachability.steps import STEPS
from dev.code_index import PLACE, MissingPageError, first_sentence, render_code_index
from tests.unit.network.reason_cases import CASES
from tests.unit.network.test_reasons import shown

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reachability.md").read_text(encoding="utf-8")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / PLACE).glob("*.md") if path.stem != "README"}
CLASSES = {
    FindingClass.UNREACHABLE: "Unreachable",
    FindingClass.UNKNOWN: "Unknown",
    FindingClass.WARNING: "no difference: a warning",
}


def facts(page: str) -> dict[str, str]:
    """The table below a page's first paragraph."""
    return dict(re.findall(r"^\| ([A-Z][^|]+) \| (.+) \|$", page, re.MULTILINE))


def test_every_code_has_its_page_and_every_page_its_code() -> None:
    assert PAGES.keys() == CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_a_page_tells_class_step_and_who_can_mend_it(code: str) -> None:
    told, known = facts(PAGES[code]), CODES[code]
    assert PAGES[code].startswith(f"# {code}\n\n")
    assert told["Makes a verdict"] == CLASSES[known.finding_class]
    assert told["Who can mend it"] in set(Actor)
    steps = re.findall(r"\d+", told["Found in"].split("]")[0])
    assert known.step == ANY_STEP or str(known.step) in steps
    assert ("any step" in told["Found in"]) == (not steps)


@pytest.mark.parametrize("code", PROPOSERS)
def test_a_page_names_one_who_may_make_the_fix(code: str) -> None:
    case = next(case for case in CASES if case.code == code)
    actors = {change.actor.value for item in shown(case) if item.fix is not None for change in item.fix.changes}
    assert facts(PAGES[code])["Who can mend it"] in actors


@pytest.mark.parametrize("code", CODES)
def test_a_page_tells_how_to_see_it_and_how_to_mend_it(code: str) -> None:
    see, mend = re.split(r"^## Mend it$", PAGES[code].split("## See it", 1)[1], flags=re.MULTILINE)
    commands = re.findall(r"^\$ (.+)$", see + mend, re.MULTILINE)
    assert re.findall(r"^\$ az ", see, re.MULTILINE)
    assert all(command.startswith("az ") for command in commands)
    assert len(mend.strip().splitlines()[0]) > len("Wait.")


@pytest.mark.parametrize("code", CODES)
def test_links_of_a_page_lead_somewhere(code: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGES[code]):
        assert (ROOT / PLACE / target).resolve().is_file(), target


def test_the_index_is_made_from_the_pages_in_the_order_in_which_reasons_come() -> None:
    index = (ROOT / PLACE / "README.md").read_text(encoding="utf-8")
    assert index == render_code_index(ROOT)
    listed = re.findall(r"^\| \[`(\w+)`\]", index, re.MULTILINE)
    assert listed == list(CODES)


def test_the_index_has_whole_sentences() -> None:
    assert [code for code in CODES if not first_sentence(ROOT, code).endswith(".")] == []


def test_a_code_without_a_page_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingPageError, match="BastionNotFound"):
        first_sentence(tmp_path, "BastionNotFound")


def test_the_steps_run_in_their_order_and_each_is_in_the_table() -> None:
    numbers = [step.number for step in STEPS]
    assert numbers == sorted(numbers)
    told = {int(number) for cell in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for number in cell.split(",")}
    assert set(numbers) <= told
    assert told - set(numbers) == {10}, "step 10 is the path's topology, which step 11 goes on from"
