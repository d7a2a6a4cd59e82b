"""The least time within Azure's budgets: what a client that asks without a pause gets from the budgets themselves."""

import itertools
import time

import pytest
from click.testing import CliRunner

from arm_emulator.__main__ import main
from arm_emulator.best_time import Calls, bounds
from arm_emulator.clock import Clock
from arm_emulator.errors import ArmError
from arm_emulator.throttling import Throttle

METHODS = {"reads": "GET", "writes": "PUT", "deletes": "DELETE"}
STEP = 0.05


def greedy(calls: list[Calls], speed: float) -> float:
    """Seconds that a client takes which tries every call again and again."""
    moments = itertools.count()
    clock = Clock(speed, wall=lambda: now)
    throttle = Throttle(clock)
    now = time.time()
    left = [each.count for each in calls]
    for moment in moments:
        for number, each in enumerate(calls):
            try:
                while left[number]:
                    throttle.take(each.principal or "one", each.subscription, METHODS[each.kind])
                    throttle.take_network(each.subscription, each.region, METHODS[each.kind])
                    left[number] -= 1
            except ArmError:
                continue
        if not any(left):
            return moment * STEP / speed
        now += STEP / speed
    raise AssertionError


@pytest.mark.parametrize("speed", [1.0, 20.0])
@pytest.mark.parametrize(
    "calls",
    [
        [Calls("a", "westeurope", "writes", 100)],
        [Calls("a", "westeurope", "writes", 250), Calls("a", "northeurope", "writes", 250)],
        [Calls("a", "westeurope", "writes", 300), Calls("a", "westeurope", "deletes", 500)],
        [Calls("a", "westeurope", "reads", 1000), Calls("b", "westeurope", "writes", 210)],
        [Calls("a", f"region-{number}", "writes", 200, f"principal-{number}") for number in range(20)],
    ],
    ids=["a burst", "two regions of one bucket", "a bucket a kind", "two subscriptions", "twenty principals"],
)
def test_a_greedy_client_takes_as_long_and_no_client_less(calls: list[Calls], speed: float) -> None:
    best = bounds(calls, speed)[0].seconds
    assert best <= greedy(calls, speed) + 1e-9
    assert greedy(calls, speed) <= best + 2 * STEP / speed


def test_more_than_a_window_holds_waits_for_the_next() -> None:
    tightest, arms, *_ = bounds([Calls("a", "westeurope", "writes", 1500)])
    assert (tightest.seconds, arms.seconds) == (330, 130)
    assert "Microsoft.Network's writes of subscription a in westeurope" in tightest.budget
    assert "all principals" not in arms.budget
    both = [Calls("a", "westeurope", "writes", 600, "one"), Calls("a", "westeurope", "deletes", 600, "two")]
    assert bounds(both)[0].seconds == 300, "deletes count as writes there, whoever calls"


def test_the_command_prints_it_and_refuses_what_it_cannot_read() -> None:
    printed = CliRunner().invoke(main, ["best-time", "--speed", "20", "a/westeurope/writes=500"])
    assert printed.output.splitlines()[0].split() == ["1.5", "s", "ARM's", "writes", "of", "subscription", "a"]
    for wrong in ("a/westeurope/writes", "a/westeurope/puts=3", "writes=3", "a/b/writes=-1"):
        refused = CliRunner().invoke(main, ["best-time", wrong])
        assert refused.exit_code == 2
        assert "SUBSCRIPTION/REGION/KIND=COUNT" in refused.output
