"""2,000 writes within Azure's budgets, alone and beside another client, against the least time that the local Azure names.

The writes go through the operator's own queue, schedule and client, as passes of :data:`CLAIMANTS` custom resources would
send them, without what else a pass does; each pass reads before it writes, so connections are open when the time begins. At
speed 20 the budgets allow nearly as much as two processes on two cores can send: the time that the same calls take without
budgets stands beside it, and where that is longer than the least time, no order of the calls keeps the limit.
"""

import asyncio
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from bastion_operator.arm.budgets import Budgets, Call, CallKind, call_of
from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.connection import ArmConnection
from bastion_operator.arm.credentials import ServicePrincipal
from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.arm.schedule import Schedule, Urgency, Want
from bastion_operator.clock import Clock, SystemClock
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.work_queue import WorkQueue
from benchmarks.measure import Figure
from dev.local_azure import LocalAzure

NAME: Final = "azure_budgets"
SUBSCRIPTIONS: Final = tuple(f"00000000-0000-0000-0000-0000000000{number:02d}" for number in range(4))
REGIONS: Final = ("westeurope", "northeurope")
WRITES, CLAIMANTS, WORKERS, AT_ONCE = 2_000, 40, 8, 16
# In each subscription as many at once as go out before Azure has said a word: in four, as many connections as the pool holds.
FIRST_READS: Final = 25
SPEEDS: Final = (1.0, 20.0)
NEAR, NEAR_BESIDE = 1.1, 1.3
OVERHEADS: Final = 5
ONE_WINDOW: Final = 1_500
WINDOW_SPEED: Final = 10.0
# Far faster than any budget: a client that is never held back. Not so fast that Azure's word is old before the next comes.
NO_BUDGETS: Final = 1e3
EATEN_AT_ONCE: Final = 100
EATEN_A_SECOND: Final = 5.0
TOO_MANY: Final = 429


def run() -> Iterator[Figure]:
    """Ratios to the least time; refusals counted in the local Azure's own log."""
    # Beside other programs a processor is slow for some time: the least of some runs is what the code takes.
    least = min(overhead() for _ in range(OVERHEADS))
    yield Figure(NAME, "overhead of budgets and turns, 40 that wait", least * 1e6, "us a call", at_most=100)
    for speed in SPEEDS:
        yield from _measured(speed)
    writes = [_write(number, SUBSCRIPTIONS[0], REGIONS[0]) for number in range(ONE_WINDOW)]
    with _azure(WINDOW_SPEED) as azure:
        best = asyncio.run(_best(azure, Counter((each.subscription, each.region) for each in writes)))
        sent = asyncio.run(_send(azure, writes, SystemClock(WINDOW_SPEED)))
        what = f"{ONE_WINDOW} writes in one region, more than its window of 5 minutes holds, speed {WINDOW_SPEED:g}"
        yield Figure(NAME, what, max(sent.done.values()) / best, "ratio", f"the least time, {best:.1f} s")
        yield Figure(NAME, "the same: refused as too many", _refusals(azure).total(), "calls")


def _measured(speed: float) -> Iterator[Figure]:
    writes = [
        _write(number, SUBSCRIPTIONS[number % 4], REGIONS[number // 4 % 2]) for number in range(WRITES)
    ]  # spread over all subscriptions and regions
    counts = Counter((each.subscription, each.region) for each in writes)
    what = f"{WRITES} writes in {len(SUBSCRIPTIONS)} subscriptions x {len(REGIONS)} regions, speed {speed:g}"
    with _azure(speed) as azure:
        best = asyncio.run(_best(azure, counts))
        alone = asyncio.run(_send(azure, writes, SystemClock(speed)))
        ratio = max(alone.done.values()) / best
        yield Figure(NAME, what, ratio, "ratio", f"the least time, {best:.1f} s", at_most=NEAR)
        yield Figure(NAME, "the same: refused as too many", _refusals(azure).total(), "calls", at_most=0)
    with _azure(speed, "--no-throttling") as azure:
        unbound = asyncio.run(_send(azure, writes, SystemClock(NO_BUDGETS)))
        took = max(unbound.done.values())
        yield Figure(NAME, "the same calls without any budget", took / best, "ratio", "the least time")
    with _azure(speed) as azure:
        beside = asyncio.run(_send(azure, writes, SystemClock(speed), eater_in=SUBSCRIPTIONS[0]))
        halved = counts + Counter({(SUBSCRIPTIONS[0], REGIONS[0]): beside.eaten})
        one = asyncio.run(_best(azure, halved))
        others = max(seconds for subscription, seconds in beside.done.items() if subscription != SUBSCRIPTIONS[0])
        taken = f"the least time with what it took, {one:.1f} s"
        yield Figure(
            NAME,
            "another client eats half of one budget: that one",
            beside.done[SUBSCRIPTIONS[0]] / one,
            "ratio",
            taken,
            at_most=NEAR_BESIDE,
        )
        harmed = others / max(alone.done.values())
        yield Figure(NAME, "the others", harmed, "ratio", "the time without it", at_most=NEAR)
        yield Figure(NAME, "refused as too many", _refusals(azure).total(), "calls")
        yield Figure(NAME, "refused twice in a row", _twice_in_a_row(azure), "calls", at_most=0)


@dataclass(frozen=True, slots=True)
class Write:
    """A security group to be made."""

    id: str
    subscription: str
    region: str

    @property
    def body(self) -> dict[str, Any]:
        return {"location": self.region, "properties": {}}


def _write(number: int, subscription: str, region: str, name: str = "group") -> Write:
    group = f"/subscriptions/{subscription}/resourceGroups/rg"
    return Write(f"{group}/providers/Microsoft.Network/networkSecurityGroups/{name}-{number}", subscription, region)


@dataclass
class Sent:
    """When the last write of each subscription was answered, in seconds from the start, and what another client took."""

    done: dict[str, float] = field(default_factory=dict)
    eaten: int = 0


def _azure(speed: float, *options: str) -> "_Running":
    return _Running(speed, options)


class _Running:
    """A local Azure with empty subscriptions."""

    def __init__(self, speed: float, options: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        rows = [
            row
            for subscription in SUBSCRIPTIONS
            for row in (
                {
                    "id": f"/subscriptions/{subscription}",
                    "type": "microsoft.resources/subscriptions",
                    "name": subscription,
                },
                {
                    "id": f"/subscriptions/{subscription}/resourceGroups/rg",
                    "type": "microsoft.resources/subscriptions/resourcegroups",
                    "name": "rg",
                    "location": REGIONS[0],
                },
            )
        ]
        (folder / "estate.json").write_bytes(orjson.dumps(rows))
        self._azure = LocalAzure(folder, estates=[folder / "estate.json"], speed=speed, options=options)

    def __enter__(self) -> LocalAzure:
        self._azure.start()
        return self._azure

    def __exit__(self, *_: object) -> None:
        self._azure.stop()
        self._folder.cleanup()


async def _best(azure: LocalAzure, counts: Counter[tuple[str, str]]) -> float:
    calls = [
        {"subscription": subscription, "region": region, "kind": "writes", "count": count}
        for (subscription, region), count in counts.items()
    ]
    async with azure.control() as control:
        return await control.best_time(calls)


async def _send(azure: LocalAzure, writes: Sequence[Write], clock: Clock, *, eater_in: str | None = None) -> Sent:
    connection, client = _client(azure, clock)
    eating_by, eater = _client(azure, SystemClock(NO_BUDGETS))
    try:
        # A pass reads before it writes: by then connections are open, and there is a token.
        first = writes[: FIRST_READS * len({each.subscription for each in writes})]
        await asyncio.gather(*(client.get(each.id, region=each.region) for each in first))
        sent = Sent()
        running = _Claimants(client, connection.budgets, clock, writes, sent)
        if eater_in is None:
            await running.run()
            return sent
        eating = asyncio.create_task(_eat(eater, eater_in, sent, clock))
        await running.run()
        eating.cancel()
        return sent
    finally:
        for closing in (client.close, eater.close, connection.close, eating_by.close):
            await closing()


def _client(azure: LocalAzure, clock: Clock) -> tuple[ArmConnection, ArmClient]:
    cloud = Cloud(authority=azure.authority, resource_manager=azure.endpoint, ca_file=azure.ca_file)
    connection = ArmConnection(cloud, clock)
    who = azure.clients["somebody"]
    identity = ServicePrincipal(azure.tenant_id, who.client_id, client_secret=who.client_secret)
    return connection, connection.client(identity)


class _Claimants:
    """Custom resources with writes to send, each woken by the schedule through the operator's own queue."""

    def __init__(self, client: ArmClient, budgets: Budgets, clock: Clock, writes: Sequence[Write], sent: Sent) -> None:
        self._client, self._sent = client, sent
        self._queue = WorkQueue(clock)
        self._schedule: Schedule[Key] = Schedule(budgets, clock, self._queue.add)
        self._left: dict[Key, dict[str, Write]] = {
            Key(Kind.VNET_PEERING, "team", str(number)): {each.id: each for each in writes[number::CLAIMANTS]}
            for number in range(CLAIMANTS)
        }
        self._wants = {each.id: Want(each.id, self._call(each), Urgency.CREATION) for each in writes}
        self._open = Counter(each.subscription for each in writes)
        self._all = asyncio.Event()
        self._began = 0.0

    async def run(self) -> None:
        self._began = time.monotonic()
        for key in self._left:
            self._queue.add(key)
        tasks = [
            asyncio.create_task(self._schedule.run()),
            *(asyncio.create_task(self._work()) for _ in range(WORKERS)),
        ]
        done = asyncio.create_task(self._all.wait())
        await asyncio.wait({done, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            left = self._left[key]
            granted = self._schedule.ask(key, [self._wants[name] for name in left])
            limit = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._put(key, left[name], limit) for name in granted))
            self._schedule.expect(key, [self._wants[name] for name in left])
            self._queue.done(key)

    async def _put(self, key: Key, write: Write, limit: asyncio.Semaphore) -> None:
        async with limit:
            if not self._schedule.spend(key, write.id, self._wants[write.id].call):
                return
            try:
                await self._client.put(write.id, write.body, region=write.region, held=True)
            except AzureError as error:
                if error.error_class is not ErrorClass.THROTTLED:
                    raise
                return
        del self._left[key][write.id]
        self._open[write.subscription] -= 1
        if not self._open[write.subscription]:
            self._sent.done[write.subscription] = time.monotonic() - self._began
        if not any(self._open.values()):
            self._all.set()

    def _call(self, write: Write) -> Call:
        return call_of(self._client.principal, CallKind.WRITE, write.id, write.region)


async def _eat(client: ArmClient, subscription: str, sent: Sent, clock: Clock) -> None:
    """Half of what a bucket holds at once, then half of what flows in; it obeys Azure, and knows nothing of the others."""
    writes = (_write(number, subscription, REGIONS[0], "other") for number in itertools.count())
    await asyncio.gather(*(_eat_one(client, each, sent) for each in itertools.islice(writes, EATEN_AT_ONCE)))
    for write in writes:
        await clock.sleep(1 / EATEN_A_SECOND)
        await _eat_one(client, write, sent)


async def _eat_one(client: ArmClient, write: Write, sent: Sent) -> None:
    try:
        await client.put(write.id, write.body, region=write.region)
    except AzureError as error:
        if error.error_class is not ErrorClass.THROTTLED:
            raise
        await client.clock.sleep(error.retry_after or 0)
    else:
        sent.eaten += 1


def _ours(azure: LocalAzure) -> Iterator[tuple[str, int]]:
    """Subscription and status of each of our writes, as they were answered."""
    for entry in azure.request_log():
        if entry["method"] == "PUT" and "/group-" in entry["url"]:
            yield entry["url"].partition("/subscriptions/")[2].partition("/")[0], entry["status"]


def _refusals(azure: LocalAzure) -> Counter[str]:
    return Counter(subscription for subscription, status in _ours(azure) if status == TOO_MANY)


def _twice_in_a_row(azure: LocalAzure) -> int:
    """Refusals of a bucket that follow one with no call let through between."""
    last: dict[str, int] = {}
    count = 0
    for subscription, status in _ours(azure):
        count += status == TOO_MANY == last.get(subscription)
        last[subscription] = status
    return count


def overhead() -> float:
    """Processor seconds a call for all that budgets and turns do, with 40 claimants of 50 writes each that come as woken."""
    clock = _SteppedClock()
    budgets = Budgets(clock)
    woken: list[int] = []
    schedule: Schedule[int] = Schedule(budgets, clock, lambda key, _: woken.append(key))
    writes = {
        key: {
            each.id: each for each in (_write(50 * key + number, SUBSCRIPTIONS[0], REGIONS[0]) for number in range(50))
        }
        for key in range(CLAIMANTS)
    }
    # Azure's word as it is where nobody else eats: never less than by own count.
    headers = {"x-ms-ratelimit-remaining-subscription-writes": "199"}
    sent, started = 0, time.process_time()
    woken += writes
    while any(writes.values()):
        come, woken[:] = list(dict.fromkeys(woken)), []
        for key in come:
            left = writes[key]
            calls = {name: call_of("principal", CallKind.WRITE, name, each.region) for name, each in left.items()}
            wants = [Want(name, call, Urgency.CREATION) for name, call in calls.items()]
            for name in schedule.ask(key, wants):
                if schedule.spend(key, name, calls[name]):
                    budgets.begin(calls[name], name, held=True)
                    budgets.end(calls[name], headers)
                    del left[name]
                    sent += 1
            schedule.expect(key, [Want(name, calls[name], Urgency.CREATION) for name in left])
        clock.seconds += 0.5
        schedule.serve()
    return (time.process_time() - started) / sent


class _SteppedClock(SystemClock):
    """Goes on when told: waiting costs no processor time that could be measured."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds
