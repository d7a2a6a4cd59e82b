"""What failed is kept back for a while, by what exactly was sent, and told as long as it is wanted."""

import math
import random
from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.planning.model import Change, Verb
from bastion_operator.reconcile.attempts import Attempts
from bastion_operator.reconcile.backoff import Backoff
from bastion_operator.reconcile.keys import Key, Kind
from tests.support.clock import ManualClock

KEY = Key(Kind.BASTION_HOST, "team", "hub")
HOST = "/subscriptions/a/resourceGroups/net/providers/Microsoft.Network/bastionHosts/hub"


def change(**body: Any) -> Change:
    return Change(Verb.CREATE, HOST, HOST, "the host does not exist", body)


def refusal(code: str = "QuotaExceeded", error_class: ErrorClass = ErrorClass.REFUSED, **more: Any) -> AzureError:
    return AzureError(code, "no", error_class, status=400, target=HOST, **more)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def attempts(clock: ManualClock) -> Attempts:
    return Attempts(clock, random.Random(1))


def test_a_refused_change_waits_and_says_why(attempts: Attempts, clock: ManualClock) -> None:
    attempts.failed(KEY, change(sku="Basic"), refusal())
    assert 200 < attempts.wait_for(KEY, change(sku="Basic")) < 400
    (failure,) = attempts.failures(KEY, (change(sku="Basic"),))
    assert (failure.code, failure.blocking) == ("QuotaExceeded", True)
    clock.advance(400)
    assert attempts.wait_for(KEY, change(sku="Basic")) == 0
    assert attempts.failures(KEY, (change(sku="Basic"),)), "what was said holds until it is tried again"


def test_another_change_of_the_same_resource_is_free_at_once(attempts: Attempts) -> None:
    attempts.failed(KEY, change(sku="Basic"), refusal())
    assert attempts.wait_for(KEY, change(sku="Standard")) == 0
    assert attempts.failures(KEY, (change(sku="Standard"),)) == []


def test_what_failed_is_kept_where_its_resource_was_not_read_and_forgotten_where_it_was(attempts: Attempts) -> None:
    attempts.failed(KEY, change(sku="Basic"), refusal())
    (failure,) = attempts.failures(KEY, (), {HOST.lower()})
    assert failure.code == "QuotaExceeded"
    assert attempts.wait_for(KEY, change(sku="Basic")) > 0
    assert attempts.failures(KEY, ()) == []
    assert attempts.wait_for(KEY, change(sku="Basic")) == 0


def test_azures_own_wait_goes_before_ours(attempts: Attempts) -> None:
    attempts.failed(KEY, change(), refusal("TooManyRequests", ErrorClass.THROTTLED, retry_after=777.0))
    assert attempts.wait_for(KEY, change()) == pytest.approx(777)


def test_what_was_one_call_too_many_waits_for_nothing_but_its_budget(attempts: Attempts) -> None:
    attempts.failed(KEY, change(), refusal("TooManyRequests", ErrorClass.THROTTLED, retry_after=777.0))
    attempts.failed(KEY, change(sku="Basic"), refusal())
    assert attempts.wait_but_for_budgets(KEY, change()) == 0
    assert attempts.wait_but_for_budgets(KEY, change(sku="Basic")) > 200


def test_waits_grow_with_failures_in_a_row(attempts: Attempts, clock: ManualClock) -> None:
    waits = []
    for _ in range(4):
        attempts.failed(KEY, change(), refusal("GatewayTimeout", ErrorClass.TRANSIENT))
        waits.append(attempts.wait_for(KEY, change()))
        clock.advance(1000)
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0]


def test_contention_is_told_only_if_it_lasts(attempts: Attempts, clock: ManualClock) -> None:
    for _ in range(6):
        attempts.failed(KEY, change(), refusal("AnotherOperationInProgress", ErrorClass.CONTENTION))
        assert attempts.failures(KEY, (change(),)) == []
        clock.advance(49)
    clock.advance(10)
    attempts.failed(KEY, change(), refusal("AnotherOperationInProgress", ErrorClass.CONTENTION))
    (failure,) = attempts.failures(KEY, (change(),))
    assert (failure.blocking, failure.condition_reason) == (False, "Retrying")


def test_contention_long_ago_does_not_make_the_next_a_lasting_one(attempts: Attempts, clock: ManualClock) -> None:
    attempts.failed(KEY, change(), refusal("AnotherOperationInProgress", ErrorClass.CONTENTION))
    clock.advance(7200)
    attempts.failed(KEY, change(), refusal("AnotherOperationInProgress", ErrorClass.CONTENTION))
    assert attempts.failures(KEY, (change(),)) == []
    assert attempts.wait_for(KEY, change()) < 3


def test_many_that_were_told_the_same_wait_do_not_come_back_together(attempts: Attempts) -> None:
    waits = set()
    for number in range(20):
        error = refusal("RetryableErrorDueToAnotherOperation", ErrorClass.CONTENTION, retry_after=11.0)
        attempts.failed(KEY, change(number=number), error)
        waits.add(round(attempts.wait_for(KEY, change(number=number)), 3))
    assert len(waits) > 10
    assert 11 <= min(waits) <= max(waits) <= 13.75


def test_a_reading_that_fails_waits_longer_each_time_and_is_forgotten_once_it_was_had(
    attempts: Attempts, clock: ManualClock
) -> None:
    waits = []
    for _ in range(4):
        attempt = attempts.unread(KEY, HOST, refusal("GatewayTimeout", ErrorClass.TRANSIENT))
        waits.append(attempt.not_before - clock.monotonic())
        clock.advance(waits[-1])
    assert waits == sorted(waits)
    assert attempt.told
    attempts.read(KEY, HOST.upper())
    assert attempts.unread(KEY, HOST, refusal("GatewayTimeout", ErrorClass.TRANSIENT)).failures == 1


def test_a_reading_that_meets_contention_is_told_only_if_it_lasts(attempts: Attempts, clock: ManualClock) -> None:
    first = attempts.unread(KEY, HOST, refusal("RetryableError", ErrorClass.CONTENTION))
    clock.advance(301)
    second = attempts.unread(KEY, HOST, refusal("RetryableError", ErrorClass.CONTENTION))
    assert (first.told, second.told) == (False, True)


def test_success_takes_it_back(attempts: Attempts) -> None:
    attempts.failed(KEY, change(), refusal())
    attempts.taken(KEY, replace(change(), resource_id=HOST.upper()))
    assert attempts.wait_for(KEY, change(tags={})) == 0
    assert attempts.failures(KEY, (change(),)) == []


def test_a_change_that_azure_took_without_effect_is_repeated_slowly_and_told(
    attempts: Attempts, clock: ManualClock
) -> None:
    waits = []
    for _ in range(4):
        attempts.taken(KEY, change(sku="Basic"))
        waits.append(attempts.wait_for(KEY, change(sku="Basic")))
        clock.advance(waits[-1])
    assert waits == [10, 20, 40, 80]
    (failure,) = attempts.failures(KEY, (change(sku="Basic"),))
    assert (failure.code, failure.blocking) == ("ChangeWithoutEffect", False)
    attempts.forget(KEY)
    assert attempts.wait_for(KEY, change(sku="Basic")) == 0
    assert attempts.failures(KEY, (change(sku="Basic"),)) == []


def test_a_change_that_was_needed_long_ago_is_not_repeated(attempts: Attempts, clock: ManualClock) -> None:
    attempts.taken(KEY, change())
    clock.advance(3600)
    attempts.taken(KEY, change())
    assert attempts.wait_for(KEY, change()) == 10


def test_what_azure_itself_writes_into_a_body_makes_no_other_change(attempts: Attempts) -> None:
    def update(etag: str, state: str) -> Change:
        return change(etag=etag, properties={"provisioningState": state, "rules": [{"etag": etag, "name": "one"}]})

    attempts.failed(KEY, update("W/1", "Succeeded"), refusal())
    assert attempts.wait_for(KEY, update("W/2", "Failed")) > 0
    assert attempts.wait_for(KEY, change(properties={"rules": [{"name": "other"}]})) == 0


def test_backoff_doubles_with_jitter_up_to_a_limit_and_starts_over() -> None:
    backoff = Backoff(random.Random(7))
    waits = [backoff.next(KEY) for _ in range(12)]
    for number, wait in enumerate(waits):
        longest = min(2.0**number, 300.0)
        assert longest / 2 <= wait <= longest
    backoff.reset(KEY)
    assert backoff.next(KEY) <= 1.0


def test_a_cure_that_is_tried_once_is_not_sent_again_until_somebody_asks(
    attempts: Attempts, clock: ManualClock
) -> None:
    cure = replace(change(), once=True)
    attempts.failed(KEY, cure, refusal("GatewayTimeout", ErrorClass.TRANSIENT))
    clock.advance(4000)
    assert attempts.wait_for(KEY, cure) == 0, "what never reached Azure is tried again"
    attempts.worked_on(KEY, cure)
    clock.advance(1e6)
    assert attempts.wait_for(KEY, cure) == math.inf
    assert attempts.wait_for(KEY, change(sku="Standard")) == 0
    attempts.forget(KEY)
    assert attempts.wait_for(KEY, cure) == 0


def test_any_other_change_may_be_sent_again(attempts: Attempts) -> None:
    attempts.worked_on(KEY, change())
    assert attempts.wait_for(KEY, change()) == 0
