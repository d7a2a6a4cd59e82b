"""The queue coalesces, delays, and never hands out a key whose pass still runs."""

import asyncio
import random

import pytest

from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.work_queue import WorkQueue
from tests.support.clock import ManualClock

ONE = Key(Kind.VNET_PEERING, "team", "one")
OTHER = Key(Kind.VNET_PEERING, "team", "other")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> WorkQueue:
    return WorkQueue(clock)


async def test_a_key_added_often_is_due_once(queue: WorkQueue) -> None:
    for key in (ONE, ONE, OTHER, ONE):
        queue.add(key)
    assert [await queue.take(), await queue.take()] == [ONE, OTHER]
    assert len(queue) == 0


async def test_lanes_take_turns(queue: WorkQueue) -> None:
    many = [Key(Kind.VNET_PEERING, "team", f"of-one-subscription-{number}") for number in range(3)]
    for key in many:
        queue.add(key, "one subscription")
    queue.add(ONE)
    queue.add(OTHER, "another")
    queue.add(many[2])
    assert len(queue) == 5
    assert [await queue.take() for _ in range(5)] == [many[0], ONE, OTHER, many[1], many[2]]


async def test_a_key_added_while_its_pass_runs_is_due_again_after_it(queue: WorkQueue) -> None:
    queue.add(ONE)
    await queue.take()
    queue.add(ONE)
    queue.add(ONE)
    assert len(queue) == 0, "no second pass beside the first"
    queue.done(ONE)
    assert await queue.take() == ONE
    queue.done(ONE)
    assert len(queue) == 0


async def test_of_several_delays_the_earliest_counts(queue: WorkQueue, clock: ManualClock) -> None:
    started = clock.monotonic()
    queue.add_after(ONE, 300)
    queue.add_after(ONE, 20)
    queue.add_after(ONE, 100)
    timers = asyncio.create_task(queue.run_timers())
    assert await queue.take() == ONE
    assert clock.monotonic() - started == pytest.approx(20)
    queue.done(ONE)
    await asyncio.sleep(0)
    assert len(queue) == 0, "the later ones are overtaken, not added"
    timers.cancel()


async def test_a_delay_does_not_hold_back_what_is_due_now(queue: WorkQueue) -> None:
    queue.add_after(ONE, 300)
    queue.add(ONE)
    assert await queue.take() == ONE


async def test_a_shorter_delay_wakes_the_timers(queue: WorkQueue, clock: ManualClock) -> None:
    class StandingClock(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(0 if seconds < 60 else 3600)
            self.advance(seconds)

    standing = StandingClock()
    queue = WorkQueue(standing)
    queue.add_after(ONE, 3000)
    timers = asyncio.create_task(queue.run_timers())
    await asyncio.sleep(0)
    queue.add_after(OTHER, 5)
    assert await asyncio.wait_for(queue.take(), 5) == OTHER
    timers.cancel()


async def test_a_key_that_is_gone_loses_its_delays(queue: WorkQueue, clock: ManualClock) -> None:
    queue.add_after(ONE, 10)
    queue.add_after(OTHER, 20)
    queue.forget(ONE)
    timers = asyncio.create_task(queue.run_timers())
    assert await queue.take() == OTHER
    timers.cancel()


async def test_how_long_a_key_had_been_due_is_told_while_it_runs(queue: WorkQueue, clock: ManualClock) -> None:
    queue.add(ONE)
    clock.advance(3)
    queue.add(ONE)
    clock.advance(4)
    assert queue.waited(await queue.take()) == pytest.approx(7)


async def test_what_is_due_can_be_spread_over_some_seconds(queue: WorkQueue, clock: ManualClock) -> None:
    keys = [Key(Kind.VNET_PEERING, "team", str(number)) for number in range(200)]
    for key in keys:
        queue.add(key)
    started = clock.monotonic()
    queue.spread(10, random.Random(1))
    assert len(queue) == 0
    timers = asyncio.create_task(queue.run_timers())
    moments = {}
    for _ in keys:
        key = await queue.take()
        moments[key] = clock.monotonic() - started
    timers.cancel()
    assert set(moments) == set(keys)
    assert all(0 <= moment <= 10 for moment in moments.values())
    assert len({round(moment) for moment in moments.values()}) > 8
