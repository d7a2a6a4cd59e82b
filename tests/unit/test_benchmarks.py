"""Limits of the benchmarks: which figures miss theirs, and which of these are the machine's affair."""

import pytest
from prometheus_client import generate_latest

from bastion_operator.reconcile.metrics import Metrics
from benchmarks.load import passes_by_kind, percentile
from benchmarks.measure import Figure
from benchmarks.waiting import wait_for


@pytest.mark.parametrize(
    ("figure", "missed", "limit"),
    [
        (Figure("b", "w", 30, "calls", at_most=30), False, "at most 30"),
        (Figure("b", "w", 31, "calls", at_most=30), True, "at most 30"),
        (Figure("b", "w", 1_000, "x", at_least=1_000), False, "at least 1,000"),
        (Figure("b", "w", 99.9, "x", at_least=100), True, "at least 100"),
        (Figure("b", "w", 5, "x", at_most=9, at_least=6), True, "at least 6, at most 9"),
        (Figure("b", "w", 5, "x", at_most=5, at_least=5), False, "exactly 5"),
        (Figure("b", "w", 5, "x"), False, ""),
    ],
)
def test_a_limit_is_told_and_met_when_it_is_reached(figure: Figure, *, missed: bool, limit: str) -> None:
    assert (figure.missed, figure.limit) == (missed, limit)


@pytest.mark.parametrize(("unit", "is_time"), [("ms", True), ("a second", True), ("x", False), ("MB", False)])
def test_times_are_told_apart_from_what_no_machine_changes(unit: str, *, is_time: bool) -> None:
    assert Figure("b", "w", 1, unit).is_time is is_time


def test_the_bucket_of_99_in_100_is_of_what_came_since() -> None:
    assert percentile({1.0: 900, 5.0: 1_000}, {1.0: 900, 5.0: 1_100}) == 5.0
    assert percentile({}, {1.0: 99, 5.0: 100}) == 1.0


@pytest.mark.parametrize("counts", [{}, {1.0: 7.0, 5.0: 9.0}])
def test_of_nothing_there_is_no_bucket(counts: dict[float, float]) -> None:
    with pytest.raises(ValueError, match="no key was due"):
        percentile(counts, counts)


def test_passes_are_counted_by_kind_whatever_their_result() -> None:
    metrics = Metrics()
    for kind, result in (("VNetPeering", "ok"), ("VNetPeering", "error"), ("BastionHost", "ok"), ("VNetPeering", "ok")):
        metrics.passes.labels(kind, result).inc()
    assert passes_by_kind(generate_latest(metrics.registry).decode()) == {"VNetPeering": 3, "BastionHost": 1}


def test_waiting_ends_with_what_was_waited_for() -> None:
    answers = iter([False, True])
    wait_for(lambda: next(answers), "two looks", patience=5, every=0)
    with pytest.raises(TimeoutError, match="never: not within 0 s"):
        wait_for(lambda: False, "never", patience=0, every=0.01)
