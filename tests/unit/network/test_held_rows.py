"""Rows held as what was read of them say what the rows say, and can be seen as they were."""

import copy
from collections.abc import Callable, Iterable

import orjson
import pytest

from bastion_operator.network.held_row import Held, ReadRow, hold, hold_text, row_of
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from tests.support.estates import Row, nsg, rule, vm
from tests.unit.network.random_estates import random_estate


def as_texts(rows: list[Row]) -> list[Held]:
    return [hold_text(row, memoryview(orjson.dumps(row))) for row in rows]


@pytest.mark.parametrize("kept", [hold, as_texts], ids=["packed", "as texts"])
@pytest.mark.parametrize("seed", range(20))
def test_held_rows_give_the_verdicts_of_the_rows_themselves(
    seed: int, kept: Callable[[list[Row]], Iterable[Held]]
) -> None:
    rows = random_estate(seed)
    held = Inventory.from_rows(kept(copy.deepcopy(rows)))
    plain = Inventory.from_rows(rows)
    assert judge_all(held, protocols=("RDP", "SSH")) == judge_all(plain, protocols=("RDP", "SSH"))
    assert {row["id"]: row for row in held} == {row["id"]: row for row in plain}


def test_what_there_is_much_of_is_read_as_it_arrives() -> None:
    kept = list(hold([vm("web"), nsg("g"), {"id": "/subscriptions/one", "type": "microsoft.resources/subscriptions"}]))
    assert sorted(isinstance(each, ReadRow) for each in kept) == [False, True, True]


def test_rows_of_many_packs_are_found_again() -> None:
    groups = [nsg(f"g{number}", *(rule(f"r{each}", 100 + each, "Allow") for each in range(20))) for number in range(50)]
    inventory = Inventory.from_rows(hold(groups))
    assert [inventory.row(group["id"]) for group in groups] == groups


@pytest.mark.parametrize("kept", [hold, as_texts], ids=["packed", "as texts"])
def test_a_row_that_says_the_same_is_equal_and_one_that_does_not_is_another(
    kept: Callable[[list[Row]], Iterable[Held]],
) -> None:
    def held(row: Row) -> Held:
        (found,) = kept([row])
        assert isinstance(found, ReadRow)
        assert row_of(found) == row
        return found

    assert held(nsg("g", rule("r", 100, "Allow"))) == held(nsg("g", rule("r", 100, "Allow")))
    described = rule("r", 100, "Allow")
    described["properties"]["description"] = "what a plan looks at and a verdict does not"
    assert held(nsg("g", rule("r", 100, "Allow"))) != held(nsg("g", described))


def test_rules_that_come_as_rows_of_their_own_count_beside_those_that_were_read_before() -> None:
    group = nsg("g", rule("one", 100, "Allow"))
    child = rule("two", 200, "Deny") | {
        "id": f"{group['id']}/securityRules/two",
        "type": "Microsoft.Network/networkSecurityGroups/securityRules",
    }
    inventory = Inventory.from_rows(hold([group, child]))
    known = inventory.security_group(group["id"])
    assert known is not None
    assert known.rules is not None
    assert [each.name for each in known.rules] == ["one", "two"]
