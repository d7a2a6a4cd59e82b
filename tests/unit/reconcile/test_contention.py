"""What is done and undone again and again: at once at first, then more and more rarely, and told."""

import random
from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.planning.model import Change, Difference, Verb
from bastion_operator.reconcile.attempts import Attempts
from bastion_operator.reconcile.keys import Key, Kind
from tests.support.clock import ManualClock
from tests.support.estates import vnet_id

KEY = Key(Kind.VNET_PEERING, "team", "net")
LINK = f"{vnet_id('hub')}/virtualNetworkPeerings/to-spoke"


def flag(value: bool, **body: Any) -> Change:
    difference = Difference("properties.allowForwardedTraffic", not value, value)
    return Change(Verb.UPDATE, LINK, vnet_id("hub"), "flags differ from the spec", body, (difference,))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def attempts(clock: ManualClock) -> Attempts:
    return Attempts(clock, random.Random(1))


def repaired(attempts: Attempts, change: Change) -> None:
    """Azure takes the change, and the next pass finds everything in sync."""
    attempts.taken(KEY, change)
    attempts.in_sync(KEY)


def test_the_first_two_that_were_undone_are_repaired_at_once_and_then_ever_more_rarely(
    attempts: Attempts, clock: ManualClock
) -> None:
    waits = []
    for number in range(9):
        repaired(attempts, flag(True, etag=number))
        waits.append(attempts.wait_for(KEY, flag(True, etag=number + 1)))
        clock.advance(waits[-1])
    assert waits == [0, 0, 60, 120, 240, 480, 960, 1920, 3600]


def test_the_wait_begins_when_the_undoing_is_seen_however_late_that_is(attempts: Attempts, clock: ManualClock) -> None:
    for _ in range(3):
        repaired(attempts, flag(True))
    clock.advance(1800)
    assert attempts.wait_for(KEY, flag(True)) == 60
    clock.advance(45)
    assert attempts.wait_for(KEY, flag(True)) == 15
    clock.advance(15)
    assert attempts.wait_for(KEY, flag(True)) == 0


def test_the_third_is_told_with_who_wrote_last_once_that_is_known(attempts: Attempts) -> None:
    change = flag(True)
    for _ in range(2):
        repaired(attempts, change)
        assert attempts.failures(KEY, (change,)) == []
        assert attempts.contention.unexplained(KEY, [change]) == []
    repaired(attempts, change)
    assert attempts.contention.unexplained(KEY, [change]) == [LINK]
    attempts.contention.explain(KEY, LINK, "Last written by somebody@example.com")
    assert attempts.contention.unexplained(KEY, [change]) == []
    (failure,) = attempts.failures(KEY, (change,))
    assert (failure.code, failure.condition_reason, failure.blocking) == ("Contended", "Contended", False)
    assert "Update was done 3 times" in failure.message
    assert "somebody@example.com" in failure.message
    repaired(attempts, change)
    assert attempts.contention.unexplained(KEY, [change]) == [LINK], "and is looked up again"


def test_what_is_not_wanted_now_is_not_told(attempts: Attempts) -> None:
    for _ in range(3):
        repaired(attempts, flag(True))
    assert attempts.failures(KEY, (flag(False),)) == []


def test_another_value_of_the_same_field_is_another_change(attempts: Attempts) -> None:
    for number in range(6):
        repaired(attempts, flag(number % 2 == 0))
    assert attempts.wait_for(KEY, replace(flag(True), differences=())) == 0
    assert attempts.wait_for(KEY, flag(True)) > 0


def test_a_change_that_is_no_longer_wanted_among_others_that_are_has_had_its_effect(attempts: Attempts) -> None:
    other = replace(flag(True), resource_id=f"{LINK}-2")
    for _ in range(3):
        attempts.taken(KEY, flag(True))
        attempts.failures(KEY, (other,))
    assert attempts.wait_for(KEY, flag(True)) == 60


def test_after_some_hours_it_is_another_story(attempts: Attempts, clock: ManualClock) -> None:
    for _ in range(5):
        repaired(attempts, flag(True))
    clock.advance(6 * 3600)
    assert attempts.wait_for(KEY, flag(True)) == 0
    repaired(attempts, flag(True))
    assert attempts.failures(KEY, (flag(True),)) == []


def test_whoever_asks_for_it_now_gets_it_now(attempts: Attempts) -> None:
    for _ in range(5):
        repaired(attempts, flag(True))
    attempts.forget(KEY)
    assert attempts.wait_for(KEY, flag(True)) == 0


def test_an_address_space_that_grows_is_no_fight(attempts: Attempts) -> None:
    sync = replace(flag(True), verb=Verb.SYNC, differences=())
    for _ in range(9):
        repaired(attempts, sync)
    assert attempts.wait_for(KEY, sync) == 0


def test_what_the_operator_removed_itself_was_not_undone(attempts: Attempts) -> None:
    create = replace(flag(True), verb=Verb.CREATE, differences=())
    for _ in range(9):
        repaired(attempts, create)
        repaired(attempts, replace(create, verb=Verb.DELETE, body=None))
    assert attempts.wait_for(KEY, create) == 0


def test_nothing_is_kept_of_changes_that_are_no_part_of_a_fight_any_more(
    attempts: Attempts, clock: ManualClock
) -> None:
    for number in range(50):
        link = f"{vnet_id('hub')}/virtualNetworkPeerings/to-spoke-{number}"
        repaired(attempts, replace(flag(True), resource_id=link))
        clock.advance(3600)
    assert len(attempts.contention._repairs[KEY]) == 6
