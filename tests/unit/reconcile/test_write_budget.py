"""Which writes may be sent now, in which order, and the words for those that wait: said once, not each second."""

from dataclasses import dataclass, field

import pytest

from bastion_operator.arm.budgets import Budgets, CallKind, call_of
from bastion_operator.arm.schedule import Schedule
from bastion_operator.planning.model import Verb
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.write_budget import Write, WriteBudget
from tests.support.clock import ManualClock
from tests.support.estates import SUBSCRIPTION, vnet_id

HUB = Key(Kind.VNET_PEERING, "team", "hub")
OTHER = Key(Kind.VNET_PEERING, "team", "other")
WHO = "principal"


@dataclass
class Desk:
    """A write budget with its clock, and who was woken."""

    clock: ManualClock = field(default_factory=ManualClock)
    woken: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.budgets = Budgets(self.clock)
        self.writes = WriteBudget(Schedule(self.budgets, self.clock, lambda key, _: self.woken.append(key)), self.clock)

    def use_up(self, kind: CallKind = CallKind.WRITE, region: str = "westeurope") -> None:
        """Leave nothing of what a budget holds now."""
        call = call_of(WHO, kind, vnet_id("net"), region)
        while self.budgets.room(call):
            self.budgets.hold(call)
            self.budgets.begin(call, "", held=True)
            self.budgets.end(call, {})

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.writes.schedule.serve()


def writes(count: int, verb: Verb = Verb.CREATE, region: str = "West Europe", start: int = 0) -> list[Write]:
    return [Write(vnet_id(f"spoke-{number}"), verb, region) for number in range(start, start + count)]


def test_what_waits_is_told_with_the_budget_and_the_time_and_the_words_stay() -> None:
    desk = Desk()
    desk.use_up()
    desk.writes.ask(HUB, WHO, writes(12))
    told = desk.writes.told(HUB, 40)
    # A token each tenth of a second, rounded up to the second.
    assert told == (
        f"12 of 40 changes wait for Azure's write budget of subscription {SUBSCRIPTION} in westeurope until 12:00:02 UTC"
    )
    desk.wait(0.3)
    desk.writes.expect(HUB, WHO, writes(9, start=3))
    assert desk.writes.told(HUB, 40) == told, "three have gone: no reason to write a status"
    desk.wait(0.5)
    desk.writes.expect(HUB, WHO, writes(4, start=8))
    assert desk.writes.told(HUB, 40) != told, "more than half have gone"
    desk.writes.expect(HUB, WHO, [])
    assert desk.writes.told(HUB, 40) is None


def test_a_budget_that_azure_has_closed_is_told_with_the_time_that_azure_named() -> None:
    desk = Desk()
    call = call_of(WHO, CallKind.WRITE, vnet_id("net"), "westeurope")
    desk.budgets.begin(call, "")
    desk.budgets.refused(call, "TooManyRequests", 187)
    desk.writes.ask(HUB, WHO, writes(1))
    told = desk.writes.told(HUB, 1) or ""
    assert told.endswith("in westeurope until 12:03:08 UTC")
    for _ in range(186):
        desk.wait(1)
        assert desk.writes.told(HUB, 1) == told
    assert desk.woken == []
    desk.wait(1)
    assert desk.woken == [HUB]


def test_several_budgets_are_told_the_longest_wait_first() -> None:
    desk = Desk()
    desk.use_up()
    desk.use_up(CallKind.DELETE)
    desk.writes.ask(HUB, WHO, [*writes(20), *writes(50, Verb.DELETE, start=20)])
    first, second = (desk.writes.told(HUB, 70) or "").split("; ")
    assert first.startswith("50 of 70 changes wait for Azure's delete budget")
    assert second.startswith("20 for Azure's write budget")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (lambda desk: desk.writes.asked_for(OTHER), "a person's before the routine's"),
        (lambda desk: desk.writes.in_sync(OTHER), "a repair before a first creation"),
    ],
    ids=["asked for", "repair"],
)
def test_who_goes_first(first: object, then: str) -> None:
    desk = Desk()
    desk.use_up()
    assert callable(first)
    first(desk)
    for key, start in ((HUB, 0), (OTHER, 100)):
        desk.writes.ask(key, WHO, writes(30, start=start))
    desk.wait(2)
    waiting = {key: sum(each.count for each in desk.writes.schedule.waiting(key)) for key in (HUB, OTHER)}
    assert waiting[OTHER] < 20 < waiting[HUB], then


def test_what_a_person_asked_for_is_routine_again_once_it_is_carried_out() -> None:
    desk = Desk()
    desk.writes.asked_for(HUB)
    desk.writes.in_sync(HUB)
    desk.use_up()
    desk.writes.ask(OTHER, WHO, writes(30, Verb.UPDATE))
    desk.writes.ask(HUB, WHO, writes(30, Verb.UPDATE, start=100))
    desk.wait(2)
    waiting = {key: sum(each.count for each in desk.writes.schedule.waiting(key)) for key in (HUB, OTHER)}
    assert waiting[HUB] == waiting[OTHER]


def test_where_a_resource_lies_is_known_from_its_body_or_from_what_was_read_before() -> None:
    desk = Desk()
    network = vnet_id("hub")
    assert desk.writes.region_of(network) == ""
    desk.writes.note(network, {"location": "westeurope"})
    desk.writes.note(network, None)
    assert desk.writes.region_of(network.upper()) == "westeurope"
    assert desk.writes.region_of(network, None, {"location": "northeurope"}) == "northeurope"


def test_what_is_gone_holds_nothing() -> None:
    desk = Desk()
    # All that a first burst may be.
    granted = desk.writes.ask(HUB, WHO, writes(20))
    assert len(granted) == 20
    desk.writes.forget(HUB)
    assert not desk.writes.holds(HUB)
    assert len(desk.writes.ask(OTHER, WHO, writes(20, start=500))) == 20
