"""The gate: closed for one kind of call to one subscription until the time that Azure named, and no longer."""

import pytest

from bastion_operator.arm.errors import AzureError
from bastion_operator.arm.throttle import DEFAULT_WAIT, CallKind, ThrottleGate
from tests.support.clock import ManualClock


def closed(gate: ThrottleGate, subscription: str, kind: CallKind) -> bool:
    try:
        gate.check(subscription, kind, "/x")
    except AzureError:
        return True
    return False


def test_it_opens_when_the_time_has_come() -> None:
    clock = ManualClock()
    gate = ThrottleGate(clock)
    gate.close("one", CallKind.WRITE, 446)
    clock.advance(445)
    assert closed(gate, "one", CallKind.WRITE)
    clock.advance(1)
    assert not closed(gate, "one", CallKind.WRITE)


def test_other_kinds_and_other_subscriptions_go_on() -> None:
    gate = ThrottleGate(ManualClock())
    gate.close("one", CallKind.WRITE, 446)
    assert not closed(gate, "one", CallKind.READ)
    assert not closed(gate, "one", CallKind.DELETE)
    assert not closed(gate, "two", CallKind.WRITE)


def test_a_shorter_wait_does_not_shorten_a_longer_one() -> None:
    clock = ManualClock()
    gate = ThrottleGate(clock)
    gate.close("one", CallKind.READ, 100)
    gate.close("one", CallKind.READ, None)
    clock.advance(DEFAULT_WAIT)
    with pytest.raises(AzureError) as caught:
        gate.check("one", CallKind.READ, "/x")
    assert caught.value.retry_after == 100 - DEFAULT_WAIT
