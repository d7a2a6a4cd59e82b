"""The story in an operator that is a process of its own: with faults, and killed at any moment."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from arm_emulator.client import ControlClient
from bastion_operator.clock import SystemClock
from bastion_operator.kube.client import find_cluster
from bastion_operator.kube.errors import KubeError
from bastion_operator.reconcile.program import ProgramSettings, running
from tests.faults.story import Phase, Story
from tests.faults.story_runs import CLEAN, KINDS
from tests.support.arm_client import cloud_of
from tests.support.azure import Wire
from tests.support.lab import Lab
from tests.support.operator_in_process import Passes

# Real seconds for one phase. A process takes an answer for lost after a minute.
PHASE_SECONDS = 200.0
# Real seconds that an operator lives once it is ready, at most, before it is killed.
LIFE = 1.5
_LOOKS_AGAIN = 0.5
# Real seconds between two looks at the custom resources.
LOOK_EVERY = 0.15


@dataclass(frozen=True, slots=True)
class Stage:
    """What stories in another process are told with: a view of the API server, and two ways into Azure."""

    lab: Lab
    passes: Passes
    wire: Wire
    control: ControlClient

    def story(self, name: str) -> Story:
        """The story of this name, with the lab's AzureIdentity."""
        return Story(self.passes, self.wire, name, identity=self.lab.namespace)


@asynccontextmanager
async def stage(lab: Lab, look_every: float = LOOK_EVERY) -> AsyncIterator[Stage]:
    """A view of the custom resources; whoever acts on them is the lab's operator."""
    settings = ProgramSettings(cloud_of(lab.azure), find_cluster(lab.control_plane.kubeconfig), lab.namespace)
    async with (
        running(settings, SystemClock()) as services,
        Wire(lab.azure) as wire,
        lab.azure.control() as control,
    ):
        passes = Passes(services, lab.azure, lab.namespace)
        view = asyncio.create_task(_look(passes, look_every))
        try:
            yield Stage(lab, passes, wire, control)
        finally:
            view.cancel()
            await asyncio.gather(view, return_exceptions=True)


async def _look(passes: Passes, every: float) -> None:
    """The view, also after the API server was away."""
    while True:
        with contextlib.suppress(KubeError):
            await passes.look(KINDS, every)
        await asyncio.sleep(_LOOKS_AGAIN)


async def undisturbed(told: Stage) -> dict[Phase, str]:
    """What each phase leaves where nothing happens."""
    story = told.story(CLEAN)
    known, left = {Phase.DELETE: await story.state()}, {}
    for phase in Phase:
        await story.begin(phase)
        left[phase] = await story.end(phase, known.get(phase), seconds=PHASE_SECONDS)
        # Ready as it was before: only Azure shows that somebody's damage is repaired.
        known[Phase.REPAIR] = left[phase]
    return left


@dataclass
class Kills:
    """How often the operator was killed, and how many stories have ended meanwhile."""

    wanted: int
    rng: random.Random
    kills: int = 0
    stories: int = 0

    @property
    def over(self) -> bool:
        return self.kills >= self.wanted


async def killed_at_random(told: Stage, kills: Kills, expected: Mapping[Phase, str], names: Sequence[str]) -> None:
    """Each story over and over, side by side, and kill -9 at any moment until it was done often enough.

    Every phase of every story ends as if nothing had happened. Raises AssertionError.
    """
    tellers = [asyncio.create_task(_over_and_over(told.story(name), expected, kills)) for name in names]
    try:
        while not kills.over and not any(teller.done() for teller in tellers):
            life = kills.rng.uniform(0.0, LIFE)
            await asyncio.wait(tellers, timeout=life, return_when=asyncio.FIRST_COMPLETED)
            told.lab.operator.kill()
            kills.kills += 1
            await asyncio.to_thread(told.lab.operator.start)
        await asyncio.gather(*tellers)
    finally:
        for teller in tellers:
            teller.cancel()
        await asyncio.gather(*tellers, return_exceptions=True)


async def _over_and_over(story: Story, expected: Mapping[Phase, str], kills: Kills) -> None:
    while not kills.over:
        for phase in Phase:
            await story.begin(phase)
            await story.end(phase, expected[phase], seconds=PHASE_SECONDS)
        kills.stories += 1
