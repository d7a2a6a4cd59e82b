"""The operator as a process: a twentieth of the fault matrix, and a thousand kills at random moments of a hub's life.

`FAULT_SEED=n` repeats the choice of cells and the moments. Kills at every write of a creation and a deletion:
test_kill_at_every_write.py.
"""

import asyncio
import random
from collections.abc import Callable

import pytest

from dev.wall_clock import WallClock
from tests.faults.fault_cells import matrix, rows
from tests.faults.story import Phase, estate, subscription_of
from tests.faults.story_processes import PHASE_SECONDS, Kills, killed_at_random, stage, undisturbed
from tests.faults.story_runs import CLEAN, OWN, StoryRuns, disturbed, template_of_id
from tests.faults.test_fault_matrix import Figure, bad, seed, untrue
from tests.support.lab import Lab

FEW_KILLS, KILLS, STORIES = 25, 1000, 4
CELLS = 36


def told_by(lab_factory: Callable[..., Lab], names: list[str], *, wall_clock: bool = False) -> Lab:
    """A lab with the subscriptions of these stories and of the undisturbed one, and its operator, whose clock may be set."""
    lab = lab_factory([row for name in (CLEAN, *names) for row in estate(name)], identity=False, graph_lag=0.0)
    lab.apply_identity(allowedSubscriptions=[subscription_of(name) for name in (CLEAN, *names)])
    lab.operator.wall_clock = WallClock(lab.folder) if wall_clock else None
    lab.operator.start()
    return lab


def check_what_was_written(lab: Lab, audit: list[dict[str, str]], names: list[str]) -> None:
    """Nothing of others, and no secret in the log."""
    written = {template_of_id(each["id"], (CLEAN, *names)) for each in audit if each["principal"] == "operator"}
    assert written <= OWN
    log = lab.operator.log.read_text()
    for secret in ("SIGNED-SECRET", "&s=", "Bearer ", "eyJ", lab.azure.clients["operator"].client_secret, "Traceback"):
        assert secret not in log


async def check_kills(lab_factory: Callable[..., Lab], number: int, figure: Figure) -> None:
    """So many kills at random moments, and in the end everything is as without them."""
    names = [f"story-{place:05}" for place in range(STORIES)]
    lab = told_by(lab_factory, names)
    kills = Kills(number, random.Random(seed()))
    async with stage(lab) as told:
        expected = await undisturbed(told)
        await killed_at_random(told, kills, expected, names)
        audit = await told.control.audit()
    figure(f"kill -9: {kills.kills} at random moments, {kills.stories} stories told, FAULT_SEED={seed()}")
    check_what_was_written(lab, audit, names)


@pytest.mark.timeout(600)
async def test_killed_at_a_few_random_moments(lab_factory: Callable[..., Lab], figure: Figure) -> None:
    await check_kills(lab_factory, FEW_KILLS, figure)


@pytest.mark.long
@pytest.mark.timeout(5400)
async def test_killed_at_random_moments_of_every_phase(lab_factory: Callable[..., Lab], figure: Figure) -> None:
    await check_kills(lab_factory, KILLS, figure)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_a_twentieth_of_the_matrix_as_a_process(lab_factory: Callable[..., Lab], figure: Figure) -> None:
    chosen = rows(random.Random(seed()).sample(matrix(), CELLS), random.Random(seed()))
    names = [f"story-{number:05}" for number in range(len(chosen))]
    lab, runs = told_by(lab_factory, names), StoryRuns()
    async with stage(lab) as told:
        expected: dict[Phase, asyncio.Future[str]] = {}
        for phase, left in (await undisturbed(told)).items():
            expected[phase] = asyncio.get_running_loop().create_future()
            expected[phase].set_result(left)
        await asyncio.gather(
            *(
                disturbed(told.story(name), told.control, row, expected, runs, seconds=PHASE_SECONDS)
                for name, row in zip(names, chosen, strict=True)
            )
        )
        audit = await told.control.audit()
    figure(f"fault matrix: {len(runs.seen)} of {len(matrix())} cells as processes, FAULT_SEED={seed()}")
    assert len(runs.seen) == CELLS
    assert not bad(runs)
    assert not [text for seen in runs.seen if (text := untrue(seen))]
    check_what_was_written(lab, audit, names)
