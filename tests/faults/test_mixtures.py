"""Random mixtures of foreign changes, faults, kills, restarts of the API server and jumps of Azure's clock, over days.

`FAULT_SEED=n` repeats the choices; what happens between them is the machine's.
"""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults.mixtures import Mixture, mixed
from tests.faults.story_processes import stage, undisturbed
from tests.faults.test_fault_matrix import Figure, seed
from tests.faults.test_story_processes import check_what_was_written, told_by
from tests.support.lab import Lab

FEW, RUNS, AT_ONCE, ROUNDS = 3, 200, 20, 4


async def check_mixtures(lab_factory: Callable[..., Lab], batches: int, at_once: int, figure: Figure) -> None:
    """So many batches of mixtures, and in the end everything is as without them."""
    names = [f"story-{number:05}" for number in range(at_once)]
    done, days = Counter[str](), 0.0
    lab = told_by(lab_factory, names, wall_clock=True)
    wall_clock = lab.operator.wall_clock
    assert wall_clock is not None
    async with stage(lab) as told:
        expected = await undisturbed(told)
        for batch in range(batches):
            mixture = Mixture(told, random.Random(f"{seed()} {batch}"), wall_clock)
            await mixed(mixture, expected, names, rounds=ROUNDS)
            done.update(mixture.done)
            days += mixture.days
        audit = await told.control.audit()
    figure(f"mixtures: {batches * at_once} runs, {days:.0f} days of Azure's clock, {dict(done)}, FAULT_SEED={seed()}")
    check_what_was_written(lab, audit, names)


@pytest.mark.timeout(600)
async def test_a_few_random_mixtures(lab_factory: Callable[..., Lab], figure: Figure) -> None:
    await check_mixtures(lab_factory, 1, FEW, figure)


@pytest.mark.long
@pytest.mark.timeout(5400)
async def test_random_mixtures_end_as_if_nothing_had_been(lab_factory: Callable[..., Lab], figure: Figure) -> None:
    await check_mixtures(lab_factory, RUNS // AT_ONCE, AT_ONCE, figure)
