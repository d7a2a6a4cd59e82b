"""Random mixtures: others change what the operator keeps, calls are met by faults, the operator is killed, the API server
restarts, Azure's clock and the operator's wall clock jump; then all ends as if nothing had been.
"""

import asyncio
import contextlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dev.wall_clock import WallClock
from tests.faults.fault_cells import CALLS, Cell, faults_of
from tests.faults.story import Phase, Story
from tests.faults.story_processes import PHASE_SECONDS, Stage
from tests.faults.story_runs import strike

QUARTER_OF_A_DAY = 6 * 3600.0
_BUILT = (Phase.CREATE, Phase.UPDATE, Phase.UPGRADE, Phase.SCALE)
_ENDS, _DIES = "API server ends", "API server dies"
# A start of the API server takes as much of a core as ten of the operator.
_WEATHER = (*("kill",) * 8, *("clock",) * 4, *("wall-clock",) * 4, _ENDS, _DIES)
# Hours by which the wall clock of the operator's machine is set: as a machine that slept, and as NTP sets one right.
_STEPS = (6, 6, 1, -2, -6, -12)
# Real seconds between two strokes of the weather.
_CALM = (1.0, 6.0)


@dataclass
class Mixture:
    """What one batch of stories goes through.

    :ivar wall_clock: that of the operator
    :ivar done: what has happened, in order
    """

    told: Stage
    rng: random.Random
    wall_clock: WallClock
    done: list[str] = field(default_factory=list)

    @property
    def days(self) -> float:
        """Days by which Azure's clock was moved on."""
        return self.done.count("clock") / 4


async def mixed(mixture: Mixture, expected: Mapping[Phase, str], names: Sequence[str], *, rounds: int) -> None:
    """All stories side by side: built in calm, then so many rounds in bad weather, then deleted. Raises AssertionError."""
    stories = [mixture.told.story(name) for name in names]
    await asyncio.gather(*(_through(story, _BUILT, expected) for story in stories))
    calm = asyncio.Event()
    weather = asyncio.create_task(_weather(mixture, calm))
    try:
        seeds = [mixture.rng.getrandbits(32) for _ in stories]
        await asyncio.gather(
            *(
                _rounds(mixture, story, random.Random(own), expected[Phase.REPAIR], rounds)
                for story, own in zip(stories, seeds, strict=True)
            )
        )
    finally:
        # What is stopped by then is started again first.
        calm.set()
        await weather
    await asyncio.gather(*(_through(story, (Phase.DELETE,), expected) for story in stories))


async def _through(story: Story, phases: Sequence[Phase], expected: Mapping[Phase, str]) -> None:
    for phase in phases:
        await story.begin(phase)
        await story.end(phase, expected[phase], seconds=PHASE_SECONDS)


async def _rounds(mixture: Mixture, story: Story, rng: random.Random, expected: str, rounds: int) -> None:
    for _ in range(rounds):
        call = rng.choice(CALLS[Phase.REPAIR])
        fault = await strike(
            mixture.told.control, Cell(Phase.REPAIR, call, rng.choice(faults_of(call.method))), story.name
        )
        mixture.done.append("fault")
        try:
            await story.disturb()
            mixture.done.append("foreign change")
            await story.ask_now(str(rng.random()))
            await story.end(Phase.REPAIR, expected, seconds=PHASE_SECONDS)
        finally:
            await mixture.told.control.remove_fault(fault)


async def _weather(mixture: Mixture, calm: asyncio.Event) -> None:
    """One stroke after the other, until it is calm."""
    while not calm.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(calm.wait(), mixture.rng.uniform(*_CALM))
            return
        stroke = mixture.rng.choice(_WEATHER)
        mixture.done.append(stroke)
        match stroke:
            case "clock":
                await mixture.told.control.advance(QUARTER_OF_A_DAY)
            case "wall-clock":
                mixture.wall_clock.move(mixture.rng.choice(_STEPS) * 3600.0)
            case "kill":
                await asyncio.to_thread(_killed, mixture.told)
            case _:
                await asyncio.to_thread(_restarted, mixture.told, kill=stroke == _DIES)


def _killed(told: Stage) -> None:
    told.lab.operator.kill()
    # Killed again before it is ready it would never get to anything on a slow machine.
    told.lab.operator.start()


def _restarted(told: Stage, *, kill: bool) -> None:
    # One that ends in good order waits ten seconds for its watchers.
    told.lab.control_plane.stop_api_server(kill=kill)
    told.lab.control_plane.start_api_server()
