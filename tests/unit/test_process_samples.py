"""How the soak judges memory and waits: a leak is seen through what comes and goes, and what comes and goes is none."""

import random

import pytest

from tests.faults.process_samples import Sample, longest_wait, slope


def samples(megabytes_an_hour: float, *, peaks: float = 8.0) -> list[Sample]:
    """Twenty minutes of a process of 160 MB with now and then a peak, some noise, and a leak."""
    rng = random.Random(1)
    return [
        Sample(
            float(at),
            160 + megabytes_an_hour * at / 3600 + rng.uniform(0, 1) + (peaks if rng.random() < 0.1 else 0),
            50,
            40,
            8,
        )
        for at in range(0, 1200, 2)
    ]


@pytest.mark.parametrize("leak", [0.0, 10.0, 100.0])
def test_a_slope_is_that_of_the_leak_whatever_comes_and_goes(leak: float) -> None:
    assert slope(samples(leak)) == pytest.approx(leak, abs=1.0)


def test_a_wait_is_the_bucket_in_which_99_of_100_lie_since_it_was_last_looked_at() -> None:
    last = float("inf")
    before = {1.0: 0.0, 60.0: 500.0, last: 900.0}
    assert longest_wait(before, {1.0: 900.0, 60.0: 1490.0, last: 1900.0}) == 60.0
    assert longest_wait(before, {1.0: 900.0, 60.0: 1480.0, last: 1900.0}) == last
