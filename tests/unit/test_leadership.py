"""The right to write ends by itself, and is gone for good once it was given up."""

import asyncio
import time

import pytest

from bastion_operator.leadership import Leadership, NotLeadingError, seconds_since_boot


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_nobody_may_write_before_the_lease_is_held() -> None:
    with pytest.raises(NotLeadingError, match="does not hold the Lease"):
        Leadership().check()


def test_it_ends_at_its_time_and_goes_on_with_each_renewal() -> None:
    clock = Hands()
    leadership = Leadership(clock)
    leadership.extend(110.0)
    clock.at = 109.9
    leadership.check()
    leadership.extend(112.0)
    clock.at = 111.9
    leadership.check()
    clock.at = 112.0
    assert not leadership.holds()
    with pytest.raises(NotLeadingError):
        leadership.check()


def test_an_answer_that_comes_late_takes_nothing_away() -> None:
    clock = Hands()
    leadership = Leadership(clock)
    leadership.extend(120.0)
    leadership.extend(110.0)
    assert leadership.left() == 20.0


def test_given_up_it_does_not_come_back_with_an_answer_that_was_on_its_way() -> None:
    leadership = Leadership(Hands())
    leadership.extend(110.0)
    leadership.give_up()
    leadership.extend(120.0)
    assert not leadership.holds()


async def test_who_waits_for_it_goes_on_when_it_comes() -> None:
    leadership = Leadership(Hands())
    waiting = asyncio.create_task(leadership.gained())
    await asyncio.sleep(0)
    assert not waiting.done()
    leadership.extend(110.0)
    await asyncio.wait_for(waiting, 1)


def test_who_is_alone_may_always_write() -> None:
    assert Leadership.undisputed().holds()


def test_its_clock_counts_the_time_in_which_the_machine_slept() -> None:
    kept = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    before = time.clock_gettime(kept)
    now = seconds_since_boot()
    assert before <= now <= time.clock_gettime(kept)
