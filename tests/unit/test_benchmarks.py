"""Limits of the benchmarks: which figures miss theirs, and which of these are the machine's affair."""

import pytest

from benchmarks.measure import Figure


@pytest.mark.parametrize(
    ("figure", "missed", "limit"),
    [
        (Figure("b", "w", 30, "calls", at_most=30), False, "at most 30"),
        (Figure("b", "w", 31, "calls", at_most=30), True, "at most 30"),
        (Figure("b", "w", 1_000, "x", at_least=1_000), False, "at least 1,000"),
        (Figure("b", "w", 99.9, "x", at_least=100), True, "at least 100"),
        (Figure("b", "w", 5, "x"), False, ""),
    ],
)
def test_a_limit_is_told_and_met_when_it_is_reached(figure: Figure, *, missed: bool, limit: str) -> None:
    assert (figure.missed, figure.limit) == (missed, limit)


@pytest.mark.parametrize(("unit", "is_time"), [("ms", True), ("a second", True), ("x", False), ("MB", False)])
def test_times_are_told_apart_from_what_no_machine_changes(unit: str, *, is_time: bool) -> None:
    assert Figure("b", "w", 1, unit).is_time is is_time
