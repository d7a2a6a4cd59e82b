"""The operator's engine and the local Azure's own opinion judge the same random estates, and must come to the same."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from hypothesis import HealthCheck, given, settings

from arm_emulator.evaluation.opinion import judgement
from arm_emulator.evaluation.opinion.facts import Facts
from arm_emulator.evaluation.opinion.flow import Reason
from arm_emulator.evaluation.opinion.judgement import Judgement, Opinion
from bastion_operator.network.codes import CODES
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Candidate, Evaluation, Reachability, Verdict, judge
from tests.differential.random_estates import Asked, Question, asked

BLAMED = frozenset(
    {
        "BastionNsgDenies", "SecurityAdminDenies", "SubnetNsgDenies", "NicNsgDenies", "NsgPartiallyBlocksBastion",
        "ReturnRouteDiverted",
    }
)  # fmt: skip
"""Codes of which the resource, rule and priority are compared as well."""
LEFT_OUT = {
    "RoleMissing": "whose roles allow a connection is no matter of a Bastion and a machine; tests/unit/network/test_access.py",
}
"""Codes that are not compared, and why."""

Said = tuple[object, ...]


def blame(found: Iterable[Finding | Reason]) -> set[tuple[str, ...]]:
    """Of what denies: the rule or route for the lowest address that does not get through, and what it lies in."""
    return {
        (one.code, str(one.resource).lower(), str(one.rule), str(one.priority)) for one in found if one.code in BLAMED
    }


def engine(one: Asked) -> Callable[[str, Question, str | None], Verdict]:
    """The operator's answers: on one Bastion, or on all that come into question."""
    inventory = Inventory.from_rows(one.estate, refused=one.refused)
    evaluation = Evaluation(inventory, one.sessions)

    def answer(machine: str, question: Question, bastion: str | None) -> Verdict:
        return judge(
            inventory,
            machine,
            protocol=question.protocol,
            port=question.port,
            address=question.address,
            bastion_ids=None if bastion is None else [bastion],
            evaluation=evaluation,
        )

    return answer


def of_engine(found: Verdict | Candidate) -> Said:
    reasons, warnings = ({one.code for one in listed} for listed in (found.reasons, found.warnings))
    return (str(found.verdict), found.via, found.methods, reasons, warnings, blame(found.reasons))


def of_opinion(found: Judgement) -> Said:
    return (found.verdict, found.via, found.methods, found.codes, found.warnings, blame(found.reasons))


def compare(one: Asked) -> Counter[str]:
    """Compares what both say of each machine, Bastion and protocol, and which Bastion is best; returns a census."""
    census: Counter[str] = Counter()
    answer, opinion = engine(one), Opinion(Facts(one.estate, one.refused, one.sessions))
    for machine in one.machines:
        for question in one.questions:
            put = judgement.Asked(question.protocol, question.port, question.address)
            for bastion in one.bastions:
                (candidate,) = answer(machine, question, bastion).candidates
                assert of_engine(candidate) == of_opinion(opinion.on(machine, bastion, put)), (
                    machine,
                    bastion,
                    question,
                )
                codes = {finding.code for finding in (*candidate.reasons, *candidate.warnings)}
                census.update((str(candidate.verdict), *codes))
            compare_best(answer(machine, question, None), opinion.best(machine, put))
    return census


def compare_best(verdict: Verdict, best: list[Judgement]) -> None:
    """Which Bastions come into question, and how good the best of them is; where there is none, what is said of the machine."""
    assert sorted(one.bastion for one in verdict.candidates) == sorted(one.bastion for one in best if one.bastion)
    if verdict.candidates:
        assert of_engine(verdict)[:3] == of_opinion(best[0])[:3]
    else:
        assert of_engine(verdict) == of_opinion(best[0])


def compare_many(count: int) -> Counter[str]:
    """Compares random estates; how often each verdict and code occurred, once for each machine, Bastion and protocol."""
    census: Counter[str] = Counter()

    @settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(asked())
    def both_say_the_same(one: Asked) -> None:
        census.update(compare(one))

    both_say_the_same()
    print(*(f"{times:>8} {name}" for name, times in census.most_common()), sep="\n")  # noqa: T201  the census is a result
    return census


def test_both_come_to_the_same() -> None:
    assert set(Reachability) <= set(compare_many(500))


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_both_come_to_the_same_20000_times() -> None:
    census = compare_many(20_000)
    assert not set(CODES) - set(LEFT_OUT) - set(census), "codes that no estate showed"
