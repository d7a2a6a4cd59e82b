"""One case for each code: the estate that shows it, and the fix that takes it away."""

import pytest

from bastion_operator.network.codes import CODES, UnknownCodeError, finding
from bastion_operator.network.finding import FindingClass
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge
from tests.support.estates import Estate, vm_id
from tests.unit.network.reason_cases import CASES, Case

WITHOUT_FIX = {
    "GuestNotVerified": "always said: the guest is no ARM resource",
    "RbacNotEvaluated": "always said: roles are judged for the principals of a BastionHost only",
    "CapacityExceeded": "sessions are no ARM resource",
    "PermissionDenied": "said by whoever reads from Azure, never by the engine",
}


def verdict_of(estate: Estate, case: Case, **asked: object) -> Verdict:
    return judge(Inventory.from_rows(estate), vm_id("web"), **(case.asked | asked))


def codes(verdict: Verdict) -> set[str]:
    return {item.code for item in (*verdict.reasons, *verdict.warnings)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_broken_estate_shows_exactly_its_reasons(case: Case) -> None:
    verdict = verdict_of(case.broken, case)
    assert tuple(reason.code for reason in verdict.reasons) == case.expected
    assert case.code in codes(verdict)
    classes = {CODES[code].finding_class.value for code in case.expected}
    assert verdict.verdict == next((one for one in ("Unreachable", "Unknown") if one in classes), "Reachable")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_fix_takes_the_code_away(case: Case) -> None:
    asked = {key: None for key in ("bastion_ids", "address") if key in case.asked}
    verdict = verdict_of(case.mended, case, **asked)
    assert case.code not in codes(verdict)
    if CODES[case.code].finding_class is FindingClass.UNREACHABLE and case.code != "BastionNotSucceeded":
        assert verdict.verdict == "Reachable"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_finding_says_where_to_look_and_belongs_to_the_table(case: Case) -> None:
    for item in (*verdict_of(case.broken, case).reasons, *verdict_of(case.broken, case).warnings):
        assert CODES[item.code].finding_class is item.finding_class
        assert item.message
        if item.finding_class is not FindingClass.WARNING:
            assert item.resource or item.code == "BastionNotFound"


def test_every_code_has_its_case() -> None:
    assert set(CODES) - WITHOUT_FIX.keys() == {case.code for case in CASES}


def test_nothing_can_be_said_with_a_code_that_is_not_in_the_table() -> None:
    with pytest.raises(UnknownCodeError, match="SomethingElse"):
        finding("SomethingElse", "a message")
