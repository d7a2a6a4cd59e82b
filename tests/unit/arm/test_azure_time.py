"""Azure's time by the Date of its answers: it goes on by the monotonic clock, whatever becomes of the machine's wall clock."""

from datetime import UTC, datetime, timedelta

import pytest

from bastion_operator.arm.azure_time import AzureTime, date_of
from tests.support.clock import ManualClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT_NOON = "Thu, 01 Jan 2026 12:00:00 GMT"


class SetClock(ManualClock):
    """Its wall clock can be set, and its seconds be a part of real ones."""

    def __init__(self, speed: float = 1.0) -> None:
        super().__init__()
        self.speed = speed

    def of_real(self, seconds: float) -> float:
        return seconds * self.speed

    def step(self, change: timedelta) -> None:
        """What NTP does: the wall time jumps, and the monotonic time does not."""
        self._now += change


def test_before_the_first_answer_only_the_own_clock_is_known() -> None:
    time = AzureTime(ManualClock())
    assert time.now() is None
    assert time.bounds() == (NOON, NOON)


@pytest.mark.parametrize("speed", [1.0, 50.0])
def test_it_goes_on_between_answers_in_real_seconds(speed: float) -> None:
    clock = SetClock(speed)
    time = AzureTime(clock)
    time.note(AT_NOON)
    clock.advance(90 * speed)
    assert time.now() == NOON + timedelta(seconds=90)


@pytest.mark.parametrize("change", [timedelta(hours=6), timedelta(hours=-6)])
def test_a_step_of_the_machines_clock_leaves_it_and_opens_the_bounds(change: timedelta) -> None:
    clock = SetClock()
    time = AzureTime(clock)
    time.note(AT_NOON)
    clock.step(change)
    assert time.now() == NOON
    assert time.bounds() == tuple(sorted([NOON, NOON + change]))


def test_the_last_answer_counts() -> None:
    time = AzureTime(ManualClock())
    time.note(AT_NOON)
    time.note("Thu, 01 Jan 2026 12:00:30 GMT")
    assert time.now() == NOON + timedelta(seconds=30)


@pytest.mark.parametrize("header", [None, "", "soon", "Thu, 99 Jan 2026 12:00:00 GMT"])
def test_what_is_no_date_says_nothing(header: str | None) -> None:
    time = AzureTime(ManualClock())
    time.note(AT_NOON)
    time.note(header)
    assert date_of(header) is None
    assert time.now() == NOON
