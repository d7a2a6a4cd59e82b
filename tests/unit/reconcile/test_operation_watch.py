"""Azure's work that takes longer than usual is told, once it does and for as long as it is waited for."""

from bastion_operator.planning.model import NOT_READ, Wait
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.operation_watch import OperationWatch, usual_seconds
from tests.support.clock import ManualClock

KEY = Key(Kind.BASTION_HOST, "team", "hub")
NETWORK = "/subscriptions/a/resourceGroups/net/providers/Microsoft.Network"
HOST = f"{NETWORK}/bastionHosts/hub"
LINK = f"{NETWORK}/virtualNetworks/hub/virtualNetworkPeerings/a"


def wait(resource_id: str, state: str = "Updating") -> Wait:
    return Wait(resource_id, resource_id, state)


def test_what_takes_longer_than_usual_is_told_with_its_beginning_and_the_usual_time() -> None:
    clock = ManualClock()
    watch = OperationWatch(clock)
    assert watch.note(KEY, [wait(HOST)]) == []
    assert watch.due_in(KEY) == usual_seconds(HOST)
    clock.advance(usual_seconds(HOST) - 1)
    assert watch.note(KEY, [wait(HOST)]) == []
    clock.advance(2)
    (failure,) = watch.note(KEY, [wait(HOST)])
    assert (failure.condition_reason, failure.blocking) == ("OperationOverdue", False)
    assert "since 2026-01-01 12:00:00 UTC" in failure.message
    assert "at most 20 minutes" in failure.message
    assert "Updating" in failure.message
    assert watch.due_in(KEY) is None
    clock.advance(60)
    assert watch.note(KEY, [wait(HOST)]) == [failure], "what is said does not change from pass to pass"


def test_each_type_has_its_own_usual_time() -> None:
    assert usual_seconds(LINK) < usual_seconds(HOST)


def test_what_has_ended_or_was_never_read_is_not_at_work() -> None:
    clock = ManualClock()
    watch = OperationWatch(clock)
    watch.note(KEY, [wait(HOST), wait(LINK, NOT_READ), wait(f"{LINK}b", "still in use")])
    clock.advance(3600)
    assert watch.note(KEY, [wait(LINK, NOT_READ), wait(f"{LINK}b", "still in use")]) == []
    assert watch.note(KEY, [wait(HOST)]) == [], "it has begun anew"
    clock.advance(3600)
    watch.forget(KEY)
    assert watch.due_in(KEY) is None
    assert watch.note(KEY, [wait(HOST)]) == []
