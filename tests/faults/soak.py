"""A simulated week of a fleet: wishes and foreign changes, faults, an API server that restarts, secrets that are rotated.

Operator and local Azure run faster by one factor, and the wall clocks of both are moved on, so that tokens end and graces run
out as they do in a week. Each day ends with a calm in which everything must be as it was asked for.
"""

import asyncio
import contextlib
import json
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from bastion_operator.kube.errors import ConflictError, NotFoundError, UnavailableError
from bastion_operator.reconcile.keys import Key, Kind
from dev.wall_clock import WallClock
from tests.faults.fault_cells import Fault, faults_of
from tests.faults.soak_hubs import HOSTS, SELECTED, SPOKES, VISITED, Hub, Shape, Standing, Standings, Wish, spoke_row
from tests.faults.story import differing_lines
from tests.faults.story_processes import Stage

FACTOR = 450.0
DAY = 86_400.0
# Real seconds.
HOUR = 3600.0 / FACTOR
_TENSE = 0.7 * DAY / FACTOR
_CALM_SECONDS = 240.0
_BETWEEN_ACTS = (15.0, 60.0)
_BETWEEN_BLOWS = (2.0, 6.0)
_BETWEEN_RESTARTS = (60.0, 200.0)
_SPOKE_AWAY = (0.5, 4.0)
# A simulated quarter of an hour is what somebody takes to bring a new secret to the cluster.
_SECRET_LATE = 2.0
_LOOKS_EVERY = 2.0
_ASKS_EVERY = 6.0
# After so many looks in a row in which everything is right it is taken for the end.
_TWICE = 2
_GRAPH = "/providers/Microsoft.ResourceGraph/"
_OWN_PART = re.compile(r'"id": "([^"]+/azurebastion-[^"/]+)"', re.IGNORECASE)
_METHODS = ("GET", "GET", "PUT", "PUT", "DELETE", "POST")
T = TypeVar("T")


@dataclass
class Week:
    """What happens in it.

    :ivar done: how often each thing was done
    :ivar wall_clock: the operator's
    :ivar secrets: the operator's, one after the other
    :ivar days: simulated days that have passed
    :ivar learned: what stands in Azure, by shape and wish, where nobody disturbs; None: without custom resources
    """

    told: Stage
    hubs: Sequence[Hub]
    rng: random.Random
    wall_clock: WallClock
    done: Counter[str] = field(default_factory=Counter)
    learned: dict[tuple[Shape, Wish | None], str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    days: float = 0.0
    _stood: Standings = field(default_factory=Standings)

    async def learn(self, models: Sequence[Hub]) -> None:
        """From hubs that nobody disturbs, one for each shape and wish: what each wish leaves, and that nothing is left."""
        before = await self._standings(models)
        for hub in models:
            self.learned[hub.shape, None] = before[hub.name].text
        await asyncio.gather(*(self._create(hub, hub.wish) for hub in models))
        await self._until_ready(models)
        left: dict[str, Standing] = {}
        while (found := await self._standings(models)) != left:
            left = found
            await asyncio.sleep(_LOOKS_EVERY)
        for hub in models:
            self.learned[hub.shape, hub.wish] = left[hub.name].text
        await asyncio.gather(*(self._delete(hub) for hub in models))
        await self._until_right(models)

    async def begin(self) -> None:
        """Everything is asked for the first time."""
        await asyncio.gather(*(self._create(hub, self.rng.choice(hub.possible())) for hub in self.hubs))
        await self._until_right(self.hubs)

    async def day(self) -> None:
        """Changes, faults and weather for most of it; then calm, in which all must come right. Raises AssertionError."""
        ends, calm = time.monotonic() + DAY / FACTOR, asyncio.Event()
        acts = [self._acting(hub, random.Random(self.rng.getrandbits(32)), calm) for hub in self.hubs]
        storms = [
            self._now_and_then(_BETWEEN_BLOWS, self._blow, calm),
            self._now_and_then(_BETWEEN_RESTARTS, self._restart_api_server, calm),
        ]
        passing = asyncio.create_task(self._pass_hours())
        tense = asyncio.gather(self._rotate(), *acts, *storms)
        try:
            await asyncio.wait({tense}, timeout=_TENSE)
            calm.set()
            await tense
            await self.told.control.remove_faults()
            await self._until_right(self.hubs)
            await asyncio.sleep(max(ends - time.monotonic(), 0.0))
            assert not passing.done(), passing
        finally:
            tense.cancel()
            passing.cancel()
            await asyncio.gather(tense, passing, return_exceptions=True)

    async def end(self) -> None:
        """Everything is deleted, and Azure is as it was. Raises AssertionError."""
        await asyncio.gather(*(self._delete(hub) for hub in self.hubs if hub.alive))
        await self._until_right(self.hubs)

    async def _pass_hours(self) -> None:
        """What runs faster goes on by itself; the wall clocks, which nothing makes faster, are moved on by the rest."""
        since = time.monotonic()
        while True:
            await asyncio.sleep(HOUR)
            passed, since = time.monotonic() - since, time.monotonic()
            self.wall_clock.move(passed * (FACTOR - 1))
            await self.told.control.advance(passed * (FACTOR - 1))
            self.days += passed * FACTOR / DAY

    # --- what people ask for, and what others do -------------------------------------------------------------------

    async def _acting(self, hub: Hub, rng: random.Random, calm: asyncio.Event) -> None:
        acts: dict[str, tuple[int, Callable[[Hub, random.Random], Awaitable[str]]]] = {
            "wish": (6, self._wish),
            "damage": (6, self._damage),
            "visit": (5, self._visit),
            "spoke": (3, self._spoke_away),
            "life": (1, self._end_or_begin),
        }
        names, weights = list(acts), [weight for weight, _ in acts.values()]
        while not await _came(calm, rng.uniform(*_BETWEEN_ACTS)):
            _, act = acts[rng.choices(names, weights)[0]]
            self.done[await act(hub, rng)] += 1

    async def _wish(self, hub: Hub, rng: random.Random) -> str:
        if not hub.alive:
            return await self._end_or_begin(hub, rng)
        wish = rng.choice(hub.possible())
        await self._tag(hub, hub.tagged(wish))
        host, links = hub.keys
        hub.wish = wish
        await _persistently(partial(self.told.passes.change_spec, host, **hub.host_spec(wish)))
        await _persistently(partial(self.told.passes.change_spec, links, **hub.links_spec(wish)))
        return "changed specs"

    async def _end_or_begin(self, hub: Hub, rng: random.Random) -> str:
        if hub.alive:
            await self._delete(hub)
            return "deleted"
        await self._create(hub, rng.choice(hub.possible()))
        return "made anew"

    async def _create(self, hub: Hub, wish: Wish) -> None:
        await self._tag(hub, hub.tagged(wish))
        hub.wish, hub.alive = wish, True
        host, links = hub.keys
        for key, spec in ((host, hub.host_spec(wish)), (links, hub.links_spec(wish))):
            whole = _without_none(spec)
            with contextlib.suppress(ConflictError):  # its answer was lost before
                await _persistently(partial(self.told.passes.create, key.kind, hub.name, whole))

    async def _delete(self, hub: Hub) -> None:
        """Ask for it, and wait until the operator has let go."""
        for key in hub.keys:
            with contextlib.suppress(NotFoundError):
                await _persistently(partial(self.told.passes.delete, key))
        asked = time.monotonic()
        while any(key in self.told.passes.seen for key in hub.keys):
            await asyncio.sleep(_LOOKS_EVERY)
            if time.monotonic() > asked + _ASKS_EVERY:
                asked = time.monotonic()
                await hub.ask_now(str(asked))
        hub.alive = False
        hub.visits.pop(hub.id_of("bastionHosts", hub.name).lower(), None)
        await self._tag(hub, dict.fromkeys(hub.tagged(hub.wish), False))

    async def _tag(self, hub: Hub, tagged: Mapping[str, bool]) -> None:
        """Somebody gives the selector's tag to some spokes, and takes it from others."""
        for name, has in tagged.items():
            what = "Merge" if has else "Delete"
            while not await _change_tags(hub, hub.network(name), SELECTED, what):  # noqa: ASYNC110 - Azure tells nobody
                await asyncio.sleep(_LOOKS_EVERY)

    async def _damage(self, hub: Hub, rng: random.Random) -> str:
        """Somebody takes away a part of the operator's, or a tag of it."""
        found = ""
        for kind in ("virtualNetworks", "networkSecurityGroups"):
            _, listed, _ = await hub.call(
                "GET", f"/subscriptions/{hub.subscription}/providers/Microsoft.Network/{kind}"
            )
            found += json.dumps(listed)
        own = sorted(set(_OWN_PART.findall(found)))
        if not own:
            return await self._visit(hub, rng)
        status, _, _ = await hub.call("DELETE", rng.choice(own))
        return "foreign deletions" if status < 300 else "foreign attempts"

    async def _visit(self, hub: Hub, rng: random.Random) -> str:
        """Somebody leaves a tag on what is theirs, or on the host."""
        visited, count = rng.choice(hub.visitable()), str(rng.getrandbits(32))
        if not await _change_tags(hub, visited, {VISITED: count}, "Merge"):
            return "foreign attempts"
        hub.visits[visited.lower()] = count
        return "foreign changes"

    async def _spoke_away(self, hub: Hub, rng: random.Random) -> str:
        """A spoke is taken away, and made anew a moment later."""
        if hub.shape is not Shape.WHOLE:
            return await self._visit(hub, rng)
        second = hub.network("second")
        await self.told.control.delete_resource(second)
        hub.visits.pop(second.lower(), None)
        await asyncio.sleep(rng.uniform(*_SPOKE_AWAY))
        await self.told.control.put_resource(spoke_row(hub.name, "second"))
        return "spokes gone and come"

    # --- the weather -------------------------------------------------------------------------------------------------

    async def _now_and_then(
        self, between: tuple[float, float], stroke: Callable[[], Awaitable[str]], calm: asyncio.Event
    ) -> None:
        while not await _came(calm, self.rng.uniform(*between)):
            self.done[await stroke()] += 1

    async def _blow(self) -> str:
        """A call of one hub, or one to the graph, is met by a fault."""
        method = self.rng.choice(_METHODS)
        where = _GRAPH if method == "POST" else f"/subscriptions/{self.rng.choice(self.hubs).subscription}/"
        fault = self.rng.choice(_graph_faults() if method == "POST" else faults_of(method))
        nth = self.rng.randint(1, 3)
        number = await self.told.control.add_fault(
            dict(fault.action), method=method, url=where, principal="operator", nth=nth
        )
        if "hold" in fault.action:
            # Not for as long as a request may take: that is a minute of real time, which is a third of a day here.
            await asyncio.sleep(self.rng.uniform(*_BETWEEN_BLOWS))
            await self.told.control.remove_fault(number)
        return "faults"

    async def _restart_api_server(self) -> str:
        plane = self.told.lab.control_plane
        await asyncio.to_thread(plane.stop_api_server)
        await asyncio.to_thread(plane.start_api_server)
        return "restarts of the API server"

    async def _rotate(self) -> None:
        """Entra has a new secret, and the cluster a little later."""
        changed = await self.told.control.change_principal("operator", rotate=True)
        self.secrets.append(str(changed["client_secret"]))
        await asyncio.sleep(_SECRET_LATE)
        await asyncio.to_thread(self.told.lab.apply_secret, self.secrets[-1])
        self.done["secrets rotated"] += 1

    # --- what must be ------------------------------------------------------------------------------------------------

    async def _standings(self, hubs: Sequence[Hub]) -> dict[str, Standing]:
        return self._stood.of(await self.told.control.resources(), [hub.name for hub in hubs])

    async def _until_ready(self, hubs: Sequence[Hub]) -> None:
        deadline, asked = time.monotonic() + _CALM_SECONDS, time.monotonic()
        while waiting := [str(key) for hub in hubs for key in hub.keys if not self._told_right(hub, key)]:
            assert time.monotonic() < deadline, self._conditions(waiting)
            await asyncio.sleep(_LOOKS_EVERY)
            asked = await self._ask(hubs, asked)

    async def _until_right(self, hubs: Sequence[Hub]) -> None:
        """Until all is told and stands as asked for; who sees that it is not asks for a pass. Raises AssertionError."""
        deadline, asked, right = time.monotonic() + _CALM_SECONDS, time.monotonic(), 0
        while right < _TWICE:
            await asyncio.sleep(_LOOKS_EVERY)
            wrong = await self._wrong(hubs)
            right = 0 if wrong else right + 1
            assert not wrong or time.monotonic() < deadline, "\n\n".join(wrong.values())
            asked = await self._ask([hub for hub in hubs if hub.name in wrong], asked)

    async def _ask(self, hubs: Sequence[Hub], asked: float) -> float:
        """Somebody asks for passes of these at once, if it is long enough since ``asked``; returns when that was."""
        if time.monotonic() < asked + _ASKS_EVERY:
            return asked
        now = time.monotonic()
        await asyncio.gather(*(hub.ask_now(str(now)) for hub in hubs))
        return now

    async def _wrong(self, hubs: Sequence[Hub]) -> dict[str, str]:
        """By the name of the hub, what is not as it must be."""
        wrong: dict[str, str] = {}
        found = await self._standings(hubs)
        for hub in hubs:
            untold = [str(key) for key in hub.keys if not self._told_right(hub, key)]
            expected = self.learned[hub.shape, hub.wish if hub.alive and hub.managed else None]
            differing = differing_lines(expected, found[hub.name].text)
            lost = sorted(hub.visits.items() ^ found[hub.name].visits.items())
            if untold or differing or lost:
                lines = [f"{hub.name}, {hub.shape}, {hub.wish}, {'alive' if hub.alive else 'deleted'}", *differing]
                wrong[hub.name] = "\n".join([*lines, *(f"visits: {each}" for each in lost), self._conditions(untold)])
        return wrong

    def _told_right(self, hub: Hub, key: Key) -> bool:
        raw = self.told.passes.seen.get(key)
        if not hub.alive or raw is None:
            return hub.alive == (raw is not None)
        if raw.get("status", {}).get("observedGeneration") != raw["metadata"]["generation"]:
            return False
        if key.kind is Kind.VNET_PEERING and hub.shape is Shape.SELECTING:
            # Until the inventory shows the tags as they are it is Ready with those that it knows.
            counts = raw["status"].get("counts", {})
            if counts.get("selected") != len(SPOKES[hub.shape][hub.wish.links]) or counts.get("left"):
                return False
        if hub.in_sync(key, hub.wish):
            enforced = hub.shape is Shape.WHOLE and key.kind is Kind.BASTION_HOST
            types = ("Ready", "SecurityRulesInSync") if enforced else ("Ready",)
            return all(self.told.passes.reads(key, each, "True") for each in types)
        ready = self.told.passes.reads(key, "Ready", "False")
        return ready is not None and ready["reason"] == "OutOfSync"

    def _conditions(self, keys: Sequence[str]) -> str:
        seen = {str(key): raw for key, raw in self.told.passes.seen.items()}
        return "\n".join(f"{key}: {json.dumps(seen.get(key, {}).get('status', {}).get('conditions'))}" for key in keys)


def every_wish(shape: Shape) -> list[Wish]:
    """Every wish that leaves something of its own in Azure."""
    if shape is Shape.OBSERVED:
        return [Wish()]
    return [Wish(host, links) for host in range(len(HOSTS[shape])) for links in range(len(SPOKES[shape]))]


def _graph_faults() -> list[Fault]:
    """What passes by itself: any other answer of the graph says the same of all hubs at once."""
    return [each for each in faults_of("GET") if each.code is None or each.code.status in {429, 503}]


async def _change_tags(hub: Hub, resource_id: str, tags: Mapping[str, str], operation: str) -> bool:
    """Whether Azure took somebody's change of tags."""
    path = f"{resource_id}/providers/Microsoft.Resources/tags/default?api-version=2024-11-01"
    status, _, _ = await hub.call("PATCH", path, {"operation": operation, "properties": {"tags": tags}})
    return status < 300


async def _came(calm: asyncio.Event, seconds: float) -> bool:
    """Whether it is calm within so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(calm.wait(), seconds)
    return calm.is_set()


async def _persistently(act: Callable[[], Awaitable[T]]) -> T:
    """Again while the API server is away."""
    while True:
        try:
            return await act()
        except UnavailableError:
            await asyncio.sleep(_LOOKS_EVERY)


def _without_none(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_none(value) if isinstance(value, Mapping) else value
        for name, value in spec.items()
        if value is not None
    }
