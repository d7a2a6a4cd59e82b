"""What must not change an answer: who else is judged, how ids are spelled, in which order rows come, a Deny less."""

import copy
import random
from typing import Any

import pytest

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge, judge_all
from tests.unit.network.random_estates import random_estate


def check(seed: int) -> set[str]:
    inventory = Inventory.from_rows(random_estate(seed))
    seen: set[str] = set()
    for verdict in judge_all(inventory, protocols=("RDP", "SSH")):
        alone = judge(inventory, verdict.vm, protocol=verdict.protocol)
        assert alone == verdict, f"seed {seed}"
        seen.update(reason.code for reason in verdict.reasons)
        seen.update(reason.code for candidate in verdict.candidates for reason in candidate.reasons)
        seen.update(warning.code for warning in verdict.warnings)
    return seen


def test_a_vm_judged_alone_has_the_verdict_that_it_has_among_all() -> None:
    seen = {code for seed in range(120) for code in check(seed)}
    assert len(seen) > 30, f"the estates show too little: {sorted(seen)}"


@pytest.mark.long
def test_a_vm_judged_alone_has_the_verdict_that_it_has_among_all_in_many_estates() -> None:
    for seed in range(1_000, 3_000):
        check(seed)


def told(rows: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """What is said of each VM, ids aside."""
    return {
        (verdict.vm.lower(), verdict.protocol): (
            verdict.verdict,
            verdict.via,
            verdict.methods,
            [(reason.code, reason.rule, reason.priority) for reason in verdict.reasons],
            [(candidate.bastion.lower(), candidate.verdict) for candidate in verdict.candidates],
        )
        for verdict in judge_all(Inventory.from_rows(rows), protocols=("RDP", "SSH"))
    }


def shouted(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {inner: shouted(held, inner) for inner, held in value.items()}
    if isinstance(value, list):
        return [shouted(held, key) for held in value]
    return value.upper() if key in {"id", "Id"} and isinstance(value, str) else value


@pytest.mark.parametrize("seed", range(200, 240))
def test_the_case_of_ids_and_the_order_of_rows_change_nothing(seed: int) -> None:
    rows = random_estate(seed)
    shuffled = shouted(rows)
    random.Random(seed).shuffle(shuffled)
    assert told(shuffled) == told(rows)


@pytest.mark.parametrize("seed", range(300, 330))
def test_a_deny_less_makes_no_vm_unreachable(seed: int) -> None:
    rows = random_estate(seed)
    before = told(rows)
    for place, row in enumerate(rows):
        for rule_place, rule in enumerate(row["properties"].get("securityRules", [])):
            if rule["properties"]["access"] == "Deny":
                fewer = copy.deepcopy(rows)
                del fewer[place]["properties"]["securityRules"][rule_place]
                for vm, after in told(fewer).items():
                    assert before[vm][0] != "Reachable" or after[0] == "Reachable", (vm, rule["name"])
