"""Turns for writes: every token is used, nobody starves, urgent calls go first, and what waits is woken in its turn."""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.arm.budgets import Budgets, BudgetSpentError, Call, CallKind, call_of
from bastion_operator.arm.schedule import Schedule, Urgency, Want
from tests.support.clock import ManualClock
from tests.support.estates import OTHER_SUBSCRIPTION, SUBSCRIPTION, vnet_id

CAPACITY, REFILL = 200, 10


def write(
    region: str = "westeurope",
    subscription: str = SUBSCRIPTION,
    kind: CallKind = CallKind.WRITE,
    principal: str = "one",
) -> Call:
    return call_of(principal, kind, vnet_id("net", subscription=subscription), region)


def wants(count: int, call: Call, urgency: Urgency = Urgency.CREATION, start: int = 0) -> list[Want]:
    return [Want(f"{call.region}/{number}", call, urgency) for number in range(start, start + count)]


@dataclass
class Desk:
    """A schedule with its clock, and who was woken."""

    clock: ManualClock = field(default_factory=ManualClock)
    woken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.budgets = Budgets(self.clock)
        self.schedule: Schedule[str] = Schedule(self.budgets, self.clock, lambda key, _: self.woken.append(key))
        self.left: dict[str, list[Want]] = {}
        self.sent: list[tuple[str, Want]] = []
        self.hear()

    def hear(self, *principals: str) -> None:
        """Azure has answered lately, and the buckets are full: what a first burst may be is test_limits.py's subject."""
        for principal in principals or ("one",):
            for subscription in (SUBSCRIPTION, OTHER_SUBSCRIPTION):
                for kind in (CallKind.WRITE, CallKind.DELETE):
                    # A group is no resource of the provider's, whose windows it leaves as they are.
                    call = call_of(principal, kind, f"/subscriptions/{subscription}/resourceGroups/rg")
                    self.budgets.begin(call, "rg")
                    self.budgets.end(call, {})
        self.clock.advance(1)

    def come(self, key: str) -> int:
        """A pass: ask for what is left and send what was granted; how many were."""
        granted = self.schedule.ask(key, self.left[key])
        for want in [want for want in self.left[key] if want.name in granted]:
            assert self.schedule.spend(key, want.name, want.call)
            self.budgets.begin(want.call, want.name, held=True)
            self.budgets.end(want.call, {})
            self.left[key].remove(want)
            self.sent.append((key, want))
        return len(granted)

    def drain(self, key: str = "drain", call: Call | None = None) -> None:
        """Use up what a budget holds now."""
        call = call or write()
        for _ in range(self.budgets.room(call)):
            self.budgets.hold(call)
            self.budgets.begin(call, key, held=True)
            self.budgets.end(call, {})

    def pass_time(self, seconds: float, step: float = 0.5) -> None:
        """Let time pass; whoever is woken comes."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            self.clock.advance(step)
            self.schedule.serve()
            woken, self.woken[:] = list(self.woken), []
            for key in [key for key in dict.fromkeys(woken) if key in self.left]:
                self.come(key)

    def counts(self) -> Counter[str]:
        """How many calls of each were sent."""
        return Counter(key for key, _ in self.sent)

    def turns(self) -> Counter[str]:
        """How many each has had a turn for, used or not yet."""
        waiting = {key: sum(each.count for each in self.schedule.waiting(key)) for key in self.left}
        return self.counts() + Counter({key: len(left) - waiting[key] for key, left in self.left.items()})


def test_one_who_asks_gets_what_there_is_and_is_woken_for_the_rest_as_it_comes() -> None:
    desk = Desk()
    desk.left["hub"] = wants(250, write())
    assert desk.come("hub") == CAPACITY
    assert desk.woken == [], "nothing is left for anybody"
    desk.pass_time(5)
    assert desk.counts()["hub"] == pytest.approx(CAPACITY + 5 * REFILL, abs=1)
    desk.pass_time(1)
    assert desk.left["hub"] == []
    assert desk.schedule.serve() is None
    assert desk.schedule.waiting("hub") == []


def test_a_huge_one_and_a_small_one_take_turns() -> None:
    desk = Desk()
    desk.drain()
    desk.left |= {"huge": wants(1000, write()), "small": wants(30, write())}
    for key in desk.left:
        desk.come(key)
    desk.pass_time(6.5)
    assert desk.counts()["small"] == 30, "half of the turns are its own"


@settings(max_examples=20)
@given(st.integers(2, 8), st.integers(0, 2**32))
def test_every_token_is_used_and_turns_are_shared_evenly_among_those_who_wait(claimants: int, seed: int) -> None:
    rng = random.Random(seed)
    desk = Desk()
    desk.drain()
    desk.left |= {f"key-{number}": wants(rng.randint(30, 200), write()) for number in range(claimants)}
    for key in desk.left:
        desk.come(key)
    desk.pass_time(10)
    counts = desk.turns()
    assert sum(counts.values()) >= min(10 * REFILL, sum(map(len, desk.left.values()))) - 1
    # Who still waits has had as many turns as anybody, give or take the last look.
    for key in [key for key, left in desk.left.items() if len(left) > 10]:
        assert counts[key] >= max(counts.values()) - 2


@settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_a_flood_of_what_is_urgent_does_not_starve_the_routine(seed: int) -> None:
    rng = random.Random(seed)
    desk = Desk()
    desk.drain()
    desk.left |= {"routine": wants(5, write()), "flood": wants(500, write(), Urgency.ASKED_REPAIR)}
    for key in rng.sample(sorted(desk.left), 2):
        desk.come(key)
    desk.pass_time(3)
    assert desk.left["routine"] == []
    assert desk.turns()["flood"] >= 20


def test_deletions_and_repairs_go_before_creations_and_what_a_person_asked_for_before_the_routine() -> None:
    desk = Desk()
    desk.drain()
    order = [Urgency.CREATION, Urgency.ASKED_CREATION, Urgency.REPAIR, Urgency.ASKED_REPAIR]
    desk.left |= {urgency.name: wants(40, write(), urgency) for urgency in order}
    for key in desk.left:
        desk.come(key)
    desk.pass_time(4)
    # One of four goes to whoever was served longest ago.
    assert desk.turns()["ASKED_REPAIR"] >= 30
    desk.pass_time(4)
    assert desk.turns()["REPAIR"] >= 25
    assert desk.turns()["ASKED_CREATION"] + desk.turns()["CREATION"] >= 10


def test_one_with_much_to_do_is_woken_for_many_turns_at_once_and_one_with_little_for_each() -> None:
    desk = Desk()
    desk.drain()
    desk.left |= {"huge": wants(1000, write()), "small": wants(2, write())}
    for key in desk.left:
        desk.come(key)
    came = Counter[str]()
    for _ in range(60):
        desk.clock.advance(0.5)
        desk.schedule.serve()
        came.update(desk.woken)
        for key in dict.fromkeys(desk.woken):
            desk.come(key)
        desk.woken.clear()
    assert came["small"] <= 2
    assert came["huge"] <= 4, "30 seconds, in which one is woken after 10 at the latest"
    assert desk.counts() == {"small": 2, "huge": pytest.approx(298, abs=100)}


def test_nobody_is_woken_for_what_it_was_told_when_it_asked() -> None:
    desk = Desk()
    desk.schedule.ask("hub", wants(5, write()))
    for _ in range(10):
        desk.clock.advance(0.5)
        desk.schedule.serve()
    assert desk.woken == []
    desk.schedule.expect("hub", wants(6, write()))
    desk.schedule.serve()
    assert desk.woken == ["hub"], "one more, which it does not know of"


def test_who_is_woken_is_told_of_with_the_budget_that_its_grants_draw_on() -> None:
    desk, told = Desk(), list[tuple[str, object]]()
    desk.schedule.wake = lambda key, budget: told.append((key, budget))
    for number, subscription in enumerate((SUBSCRIPTION, OTHER_SUBSCRIPTION, SUBSCRIPTION)):
        desk.schedule.expect(f"claimant-{number}", wants(1, write(subscription=subscription)))
    desk.schedule.serve()
    budgets = dict(told)
    assert budgets.keys() == {"claimant-0", "claimant-1", "claimant-2"}
    assert budgets["claimant-0"] == budgets["claimant-2"] != budgets["claimant-1"]


def test_regions_share_arms_budget_evenly() -> None:
    desk = Desk()
    desk.drain()
    desk.left |= {"west": wants(100, write("westeurope")), "north": wants(100, write("northeurope"))}
    for key in desk.left:
        desk.come(key)
    desk.pass_time(10)
    assert abs(desk.counts()["west"] - desk.counts()["north"]) <= 2


def test_a_closed_budget_stops_its_own_calls_to_the_second_and_no_others() -> None:
    desk = Desk()
    calls = {
        "closed": write(),
        "other region": write("northeurope"),
        "other subscription": write(subscription=OTHER_SUBSCRIPTION),
        "other kind": write(kind=CallKind.READ),
    }
    desk.budgets.begin(calls["closed"], "x")
    desk.budgets.refused(calls["closed"], "TooManyRequests", 446.0)
    desk.left |= {key: wants(3, call) for key, call in calls.items()}
    for key in desk.left:
        desk.come(key)
    assert desk.counts() == {"other region": 3, "other subscription": 3, "other kind": 3}
    desk.pass_time(445.5)
    assert desk.counts()["closed"] == 0
    desk.pass_time(2)
    assert desk.counts()["closed"] == 3


def test_arms_own_refusal_closes_all_regions_of_the_subscription_for_the_identity() -> None:
    desk = Desk()
    desk.budgets.begin(write(), "x")
    desk.budgets.refused(write(), "SubscriptionRequestsThrottled", 5.0)
    with pytest.raises(BudgetSpentError) as caught:
        desk.budgets.begin(write("northeurope"), "x")
    assert caught.value.retry_after == pytest.approx(5)
    desk.budgets.begin(write(principal="two"), "x")


@pytest.mark.parametrize(("own", "everybody", "left"), [("150", "2950", 150), ("150", "20", 20), (None, "x", 199)])
def test_what_remains_is_what_the_least_of_azures_headers_says(own: str | None, everybody: str, left: int) -> None:
    desk = Desk()
    headers = {"x-ms-ratelimit-remaining-subscription-global-writes": everybody}
    headers |= {"x-ms-ratelimit-remaining-subscription-writes": own} if own else {}
    desk.budgets.begin(write(), "x")
    desk.budgets.end(write(), headers)
    calls = {each.subscription: each.calls for each in desk.budgets.left() if each.budget == "arm-writes"}
    assert calls == {SUBSCRIPTION: left, OTHER_SUBSCRIPTION: CAPACITY}


def test_the_providers_window_is_shared_by_all_identities() -> None:
    desk = Desk()
    desk.hear("one more", *(f"principal-{number}" for number in range(5)))
    for number in range(5):
        desk.drain(call=write(principal=f"principal-{number}"))
    assert desk.budgets.room(write(principal="one more")) == 0
    assert desk.budgets.room(write("northeurope", principal="one more")) == CAPACITY


def test_identities_share_a_window_evenly() -> None:
    desk = Desk()
    for _ in range(300):
        for _ in range(min(4, desk.budgets.room(write(principal="before")))):
            desk.budgets.begin(write(principal="before"), "x")
            desk.budgets.end(write(principal="before"), {})
        desk.clock.advance(1)
    desk.left |= {name: wants(150, write(principal=name), Urgency.REPAIR) for name in ("one", "two")}
    for key in desk.left:
        desk.come(key)
    # The window is full, and comes free again as it was filled: four calls a second.
    desk.pass_time(20)
    assert sum(desk.turns().values()) == pytest.approx(80, abs=8)
    assert abs(desk.turns()["one"] - desk.turns()["two"]) <= 12


def test_a_quarter_of_a_window_stays_for_repairs_while_creations_wait_for_the_next() -> None:
    desk = Desk()
    desk.left |= {"huge": wants(1500, write())}
    desk.come("huge")
    desk.pass_time(70)
    assert 740 <= desk.counts()["huge"] <= 790, "three quarters at once, the rest is spread"
    desk.left["repair"] = wants(50, write(), Urgency.REPAIR, start=5000)
    desk.come("repair")
    desk.pass_time(6)
    assert desk.counts()["repair"] == 50
    desk.pass_time(270)
    assert desk.counts()["huge"] >= 1000


def test_what_is_given_up_is_there_for_others() -> None:
    desk = Desk()
    assert len(desk.schedule.ask("leaves", wants(CAPACITY, write()))) == CAPACITY
    desk.left["comes"] = wants(10, write())
    assert desk.come("comes") == 0
    desk.schedule.forget("leaves")
    desk.pass_time(1)
    assert desk.counts()["comes"] == 10


def test_a_turn_that_nobody_comes_for_is_given_to_others() -> None:
    desk = Desk()
    desk.drain()
    desk.schedule.expect("lost", wants(CAPACITY, write()))
    for _ in range(60):
        desk.clock.advance(0.5)
        desk.schedule.serve()
    desk.left["comes"] = wants(100, write())
    desk.pass_time(121)
    desk.come("comes")
    desk.pass_time(1)
    assert desk.counts()["comes"] == 100


def test_one_that_was_never_told_of_its_turn_is_woken_when_the_turn_is_given_up() -> None:
    desk = Desk()
    desk.drain()
    desk.left["huge"] = wants(1000, write())
    desk.come("huge")
    desk.clock.advance(0.5)
    desk.schedule.serve()
    assert desk.schedule.holds("huge")
    assert desk.woken == [], "a few turns of a thousand are not worth coming for yet"
    # The machine slept, say.
    desk.clock.advance(500)
    desk.schedule.serve()
    assert desk.woken == ["huge"]
    assert desk.come("huge") > 0


def test_it_tells_how_long_a_wait_will_be() -> None:
    desk = Desk()
    desk.drain()
    desk.left["hub"] = wants(40, write())
    desk.come("hub")
    (waiting,) = desk.schedule.waiting("hub")
    assert waiting.count == 40
    assert waiting.seconds == pytest.approx(4, abs=0.2)
    desk.pass_time(5)
    assert desk.left["hub"] == []
