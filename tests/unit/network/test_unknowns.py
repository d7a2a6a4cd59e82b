"""A diagram against every combination of what is not known."""

from collections.abc import Mapping
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bastion_operator.network.service_tags import Doubt
from bastion_operator.network.unknowns import MOST_UNKNOWNS, Condition, Diagram, TooManyError, Tree, Unknown

UNKNOWNS: Final = tuple(Unknown((name,), Doubt("EffectiveDataUnavailable", name)) for name in "abcd")
OUTCOMES: Final = ("Allow", "Deny", "Partly")
Holds = Mapping[Unknown, bool]
Rule = tuple[Condition, str | None]
"""Where a rule matches, and what comes of it then; None for one that turns what comes after it into its own."""

parts = st.lists(st.sampled_from(UNKNOWNS), min_size=1, max_size=2).map(tuple)
conditions = st.lists(parts, min_size=1, max_size=2).map(tuple)
rules = st.lists(st.tuples(conditions, st.sampled_from([*OUTCOMES, None])), max_size=5)


def turned(outcome: str) -> str:
    return "Deny" if outcome == "Deny" else "Partly"


def first_match(listed: list[Rule], last: str, holds: Holds) -> str:
    for place, (condition, outcome) in enumerate(listed):
        if all(any(holds[one] for one in part) for part in condition):
            return outcome or turned(first_match(listed[place + 1 :], last, holds))
    return last


def tree_of(diagram: Diagram[str], listed: list[Rule], last: str) -> Tree[str]:
    for condition, _ in listed:
        diagram.expect(condition)
    tree: Tree[str] = last
    for condition, outcome in reversed(listed):
        tree = diagram.where(condition, outcome or diagram.mapped(tree, turned), tree)
    return tree


@given(rules, st.sampled_from(OUTCOMES))
def test_a_tree_has_the_outcomes_and_the_unknowns_that_every_combination_shows(listed: list[Rule], last: str) -> None:
    diagram: Diagram[str] = Diagram()
    tree = tree_of(diagram, listed, last)
    results = {held: first_match(listed, last, dict(zip(UNKNOWNS, held, strict=True))) for held in COMBINATIONS}
    assert sorted(diagram.outcomes(tree)) == sorted(set(results.values()))
    deciding = {
        unknown.doubt
        for place, unknown in enumerate(UNKNOWNS)
        if any(results[held] != results[flipped(held, place)] for held in COMBINATIONS)
    }
    assert set(diagram.doubts(tree)) == deciding


COMBINATIONS: Final = tuple(product((False, True), repeat=len(UNKNOWNS)))


def flipped(held: tuple[bool, ...], place: int) -> tuple[bool, ...]:
    return (*held[:place], not held[place], *held[place + 1 :])


def test_a_hundred_rules_that_may_match_are_no_work() -> None:
    own = [Unknown((str(number),), Doubt("EffectiveDataUnavailable", str(number))) for number in range(100)]
    listed: list[Rule] = [(((one,), (UNKNOWNS[0],)), OUTCOMES[place % 2]) for place, one in enumerate(own)]
    diagram: Diagram[str] = Diagram()
    tree = tree_of(diagram, listed, "Deny")
    assert sorted(diagram.outcomes(tree)) == ["Allow", "Deny"]
    assert len(diagram.doubts(tree)) == len(own), (
        "the first of all decides with each, but the last comes to what is behind it"
    )


def test_what_cannot_be_weighed_is_said_to_be_so() -> None:
    many = [
        Unknown((str(number),), Doubt("EffectiveDataUnavailable", str(number))) for number in range(MOST_UNKNOWNS + 1)
    ]
    with pytest.raises(TooManyError):
        tree_of(Diagram(), [(((one,),), "Allow") for one in many], "Deny")
    # Bryant's own example of an order that takes 2^n branches: first all of one side, then all of the other.
    left, right = many[:14], many[14:28]
    pairs: list[Rule] = [(((one,), (other,)), "Allow") for one, other in zip(left, right, strict=True)]
    with pytest.raises(TooManyError):
        tree_of(Diagram(), [(tuple((one,) for one in left), "Partly"), *pairs], "Deny")
