"""A simulated week with a hundred custom resources: all comes right each day, and the operator holds no more than on the first.

`FAULT_SEED=n` repeats the choices; what happens between them is the machine's.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from dev.wall_clock import WallClock
from tests.faults.process_samples import Least, Sample, Watched, least_held, longest_wait, program_of, slope, waits
from tests.faults.soak import DAY, FACTOR, Week, every_wish
from tests.faults.soak_hubs import INTERVAL_HOURS, Hub, Shape, Wish, hub_estate
from tests.faults.story import subscription_of
from tests.faults.story_processes import Stage, stage
from tests.faults.story_runs import OWN, template_of_id
from tests.faults.test_fault_matrix import Figure, seed
from tests.support.lab import Lab

HUBS: Mapping[Shape, int] = {Shape.WHOLE: 20, Shape.SELECTING: 20, Shape.OBSERVED: 10}
DAYS = 7
# Per cent of what is held after the first day, for each of the others: what a pass may keep is then less than a kilobyte.
# By an hour of the week it would say nothing, as what is held could double; by one of real time what comes and goes hides it.
GROWTH_A_DAY = 1.0
# Descriptors that a connection more or less takes at the moment.
FEW = 4
_LOOK_EVERY = 1.0
_SPOKES = ("spoke", "second", "third")
_SECRETS = ("SIGNED-SECRET", "&s=", "Bearer ", "eyJ")


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_a_week(lab_factory: Callable[..., Lab], figure: Figure) -> None:
    hubs = {f"hub-{shape}-{number:02}": shape for shape, count in HUBS.items() for number in range(count)}
    models = {
        f"model-{shape}-{place:02}": (shape, wish) for shape in Shape for place, wish in enumerate(every_wish(shape))
    }
    lab = soaked(lab_factory, {**hubs, **{name: shape for name, (shape, _) in models.items()}})
    secrets = [lab.azure.clients["operator"].client_secret]
    async with stage(lab, _LOOK_EVERY) as told:
        week = week_of(told, hubs)
        await week.learn([hub_of(told, name, *each) for name, each in models.items()])
        async with watching(lab) as watched:
            before = await held_at_rest(lab, watched)
            lab.apply_identity(allowedSubscriptions=[subscription_of(name) for name in hubs])
            await week.begin()
            waited = waits(lab.operator.metrics_url)
            await week.day()
            warm = len(watched.samples)
            for _ in range(DAYS - 1):
                await week.day()
            samples = watched.samples[warm:]
            wait = longest_wait(waited, waits(lab.operator.metrics_url))
            await week.end()
            after = await held_at_rest(lab, watched)
        audit, conditions = await told.control.audit(), list(told.passes.history.values())
    text = "\n".join([lab.operator.log.read_text(), json.dumps(lab.events()), json.dumps(conditions)])
    done = ", ".join(f"{count} {what}" for what, count in sorted(week.done.items()))
    figure(f"soak: {2 * sum(HUBS.values())} custom resources, {week.days:.1f} days, {done}, FAULT_SEED={seed()}")
    figure(f"soak: 99 of 100 keys that were due waited at most {wait:.0f} s of the operator's clock; {before}, {after}")
    growth = grown(samples, figure)
    assert lab.operator.stop() == 0
    check_what_was_written(audit, [*hubs, *models])
    check_what_was_told(text, [*secrets, *week.secrets])
    assert watched.red == []
    assert wait <= INTERVAL_HOURS * 3600
    check_what_is_held(before, after)
    assert growth < GROWTH_A_DAY


def soaked(lab_factory: Callable[..., Lab], shapes: Mapping[str, Shape]) -> Lab:
    """A lab with these hubs, whose operator and local Azure are as fast as the week, the operator's wall clock included."""
    rows = [row for name, shape in shapes.items() for row in hub_estate(name, shape)]
    lab = lab_factory(rows, identity=False, graph_lag=30.0, operator_speed=FACTOR, azure_speed=FACTOR)
    lab.apply_identity(allowedSubscriptions=[subscription_of(name) for name in shapes])
    lab.operator.wall_clock = WallClock(lab.folder)
    lab.operator.start()
    return lab


def week_of(told: Stage, hubs: Mapping[str, Shape]) -> Week:
    clock = told.lab.operator.wall_clock
    assert clock is not None
    return Week(told, [hub_of(told, *each) for each in hubs.items()], random.Random(seed()), clock)


def hub_of(told: Stage, name: str, shape: Shape, wish: Wish | None = None) -> Hub:
    return Hub(told.passes, told.wire, name, told.lab.namespace, shape, wish or Wish())


def check_what_was_written(audit: Iterable[Mapping[str, str]], names: Sequence[str]) -> None:
    """The operator has written to nothing of others."""
    own = {each.replace("spoke", spoke) for each in OWN for spoke in _SPOKES}
    assert {template_of_id(each["id"], names) for each in audit if each["principal"] == "operator"} <= own


def check_what_was_told(text: str, client_secrets: Sequence[str]) -> None:
    """No secret and no signed URL was, and nothing that nobody foresaw."""
    for secret in (*_SECRETS, "Traceback", "never retrieved", *client_secrets):
        assert secret not in text


@asynccontextmanager
async def watching(lab: Lab) -> AsyncIterator[Watched]:
    """The operator's process is looked at all the while."""
    assert lab.operator.child is not None
    watched = Watched(program_of(lab.operator.child.pid), lab.operator.probe_url)
    looking = asyncio.create_task(watched.look())
    try:
        yield watched
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def held_at_rest(lab: Lab, watched: Watched) -> Least:
    """What is held where there is nothing to do at all: the identity, which looks into its rights, is deleted as well."""
    lab.api.delete(lab.identity)
    lab.wait_for(lambda: lab.api.find(lab.identity) is None, "the identity is gone")
    return await least_held(watched)


def check_what_is_held(before: Least, after: Least) -> None:
    """No descriptor, connection or thread is left of the week."""
    assert after.descriptors <= before.descriptors + FEW
    assert after.connections <= before.connections + FEW
    assert after.threads <= before.threads


def grown(samples: Sequence[Sample], figure: Figure) -> float:
    """By how many per cent of what it was first memory grows in a simulated day."""
    first, last = samples[0].megabytes, samples[-1].megabytes
    hourly = slope(samples) / first * 100
    daily = hourly * DAY / FACTOR / 3600
    days = (samples[-1].at - samples[0].at) * FACTOR / DAY
    figure(
        f"soak: {first:.1f} MB after a day, {last:.1f} MB {days:.1f} days later, {daily:+.2f} % a day, {hourly / FACTOR:+.4f} %"
        f" an hour of them, {hourly:+.1f} % an hour of real time"
    )
    return daily
