"""One case for each code: the estate that shows it, and the fix that takes it away."""

from collections.abc import Callable, Iterator
from functools import reduce

import pytest

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.codes import CODES, UnknownCodeError, finding
from bastion_operator.network.finding import Action, Actor, Finding, FindingClass, Fix
from bastion_operator.network.fixes import PROPOSERS, WITHOUT_FIX, apply_fix, explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Evaluation, Verdict, judge
from tests.support.estates import Estate, Row, vm_id
from tests.unit.network.reason_cases import CASES, Case

ALWAYS_SAID = {
    "GuestNotVerified": "the guest is no ARM resource",
    "RbacNotEvaluated": "roles are judged for the principals that somebody names",
    "RoleMissing": "the same: test_access.py has the pairs of both",
}
FIXED = [case for case in CASES if case.code in PROPOSERS]


def evaluation_of(estate: Estate, case: Case, *, refused: bool = True) -> Evaluation:
    return Evaluation(Inventory.from_rows(estate, refused=case.refused if refused else ()), case.sessions)


def verdict_of(estate: Estate, case: Case, **asked: object) -> Verdict:
    evaluation = evaluation_of(estate, case)
    return judge(evaluation.inventory, vm_id("web"), evaluation=evaluation, **(case.asked | asked))


def explained(case: Case) -> Verdict:
    evaluation = evaluation_of(case.broken, case)
    verdict = judge(evaluation.inventory, vm_id("web"), evaluation=evaluation, **case.asked)
    return explain(verdict, evaluation.inventory, evaluation=evaluation)


def codes(verdict: Verdict) -> set[str]:
    return {item.code for item in (*verdict.reasons, *verdict.warnings)}


def shown(case: Case) -> list[Finding]:
    verdict = explained(case)
    return [item for item in (*verdict.reasons, *verdict.warnings) if item.code == case.code]


def reader_of(estate: Estate) -> Callable[[str], Iterator[Row]]:
    """Reads a resource, what lies below it, and the row that it lies in; of a snapshot all of its configuration."""

    def read(resource: str) -> Iterator[Row]:
        key = normalise_id(resource).partition("/snapshots/")[0]
        for row in estate:
            row_key = normalise_id(row["id"])
            if row_key == key or row_key.startswith(f"{key}/") or key.startswith(f"{row_key}/"):
                yield row

    return read


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_broken_estate_shows_exactly_its_reasons(case: Case) -> None:
    verdict = verdict_of(case.broken, case)
    assert tuple(reason.code for reason in verdict.reasons) == case.expected
    assert case.code in codes(verdict)
    classes = {CODES[code].finding_class.value for code in case.expected}
    assert verdict.verdict == next((one for one in ("Unreachable", "Unknown") if one in classes), "Reachable")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_estate_mended_by_hand_shows_the_code_no_more(case: Case) -> None:
    asked = {key: None for key in ("bastion_ids", "address") if key in case.asked}
    verdict = verdict_of(case.mended, case, **asked)
    assert case.code not in codes(verdict)
    if CODES[case.code].finding_class is FindingClass.UNREACHABLE and case.code != "BastionNotSucceeded":
        assert verdict.verdict == "Reachable"


@pytest.mark.parametrize("case", FIXED, ids=str)
def test_the_fix_that_is_told_turns_the_verdict(case: Case) -> None:
    fixes = [item.fix for item in shown(case)]
    told = [fix for fix in fixes if fix is not None]
    assert told
    assert len(told) == len(fixes)
    mended = reduce(lambda rows, fix: apply_fix(rows, fix, reader_of(case.mended)), told, list(case.broken))
    asked = {key: None for key in ("bastion_ids", "address") if key in case.asked}
    after = verdict_of(mended, case, **asked)
    assert case.code not in codes(after), after.reasons
    assert after.verdict == "Reachable", after.reasons


@pytest.mark.parametrize("case", FIXED, ids=str)
def test_a_fix_changes_only_what_it_names_and_leaves_the_rows_that_it_was_given_alone(case: Case) -> None:
    before = repr(case.broken)
    for item in shown(case):
        assert item.fix is not None
        after = {normalise_id(row["id"]): row for row in apply_fix(case.broken, item.fix, reader_of(case.mended))}
        named = [normalise_id(change.resource) for change in item.fix.changes]
        links = "properties.virtualNetworkPeerings"
        peered = any(change.field in {links, "properties.peeringState"} for change in item.fix.changes)
        for row in case.broken:
            key = normalise_id(row["id"])
            concerned = any(one == key or one.startswith(f"{key}/") or key.startswith(f"{one}/") for one in named)
            read = any(change.action is Action.READ for change in item.fix.changes)
            assert concerned or read or (peered and "/virtualnetworks/" in key) or after[key] == row
    assert repr(case.broken) == before


@pytest.mark.parametrize("case", FIXED, ids=str)
def test_a_fix_says_who_may_make_it_and_reads_as_one_line(case: Case) -> None:
    for item in shown(case):
        fix = item.fix
        assert isinstance(fix, Fix)
        assert fix.summary
        assert "\n" not in fix.summary
        assert all(change.actor in set(Actor) and change.resource.startswith("/") for change in fix.changes)


@pytest.mark.parametrize("case", [case for case in CASES if case.code in WITHOUT_FIX], ids=str)
def test_what_no_change_takes_away_carries_no_fix(case: Case) -> None:
    assert [item.fix for item in shown(case)] == [None] * len(shown(case))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_finding_says_where_to_look_and_belongs_to_the_table(case: Case) -> None:
    for item in (*verdict_of(case.broken, case).reasons, *verdict_of(case.broken, case).warnings):
        assert CODES[item.code].finding_class is item.finding_class
        assert item.message
        if item.finding_class is not FindingClass.WARNING:
            assert item.resource or item.code == "BastionNotFound"


@pytest.mark.parametrize("case", [case for case in CASES if "Nsg" in case.code or "Admin" in case.code], ids=str)
def test_a_message_about_a_rule_names_it_with_priority_direction_and_what_to_do(case: Case) -> None:
    for item in verdict_of(case.broken, case).reasons:
        if item.rule is None:
            continue
        assert item.rule in item.message
        assert f"priority {item.priority}" in item.message
        assert (item.direction or "").lower() in item.message.lower()
        assert any(word in item.message for word in ("allow", "add an Allow", "put an Allow", "request access"))


def test_every_code_has_its_case() -> None:
    assert set(CODES) - ALWAYS_SAID.keys() == {case.code for case in CASES}


def test_every_code_has_a_fix_or_the_reason_why_there_is_none() -> None:
    assert PROPOSERS.keys() | WITHOUT_FIX.keys() == CODES.keys()
    assert not PROPOSERS.keys() & WITHOUT_FIX.keys()
    assert all(CODES[code].finding_class is FindingClass.WARNING for code in WITHOUT_FIX)


def test_nothing_can_be_said_with_a_code_that_is_not_in_the_table() -> None:
    with pytest.raises(UnknownCodeError, match="SomethingElse"):
        finding("SomethingElse", "a message")
