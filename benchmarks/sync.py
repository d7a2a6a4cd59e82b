"""Peerings and security rules kept in sync: how many requests a hub with 200 spokes takes, and how long beside Azure's own time.

The whole product: the real API server, the local Azure with its budgets, the operator under its shipped rights. Azure
works on one change of a virtual network at a time, and on a peering for ten seconds: 200 halves at the hub, one after the
other, take far longer than the budgets ask for. Both bounds stand beside what was measured, as the local Azure tells them.

At speed 1 those 200 halves alone take more than half an hour, in which nearly everything waits. ``BENCH_SYNC`` names one
of the speeds.
"""

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.installed import NAMESPACE, REQUESTED_AT, apply, installed, read
from benchmarks.measure import Figure
from benchmarks.sync_estate import HUB, MACHINES_A_SPOKE, REGION, SUBSCRIPTIONS, rows, spoke
from benchmarks.waiting import wait_for
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from dev.operator_process import OperatorProcess

NAME: Final = "sync"
SPOKES: Final = 200
SPEEDS: Final = (20.0, 1.0)
NEAR: Final = 1.3
# In seconds of this machine, whatever the speed.
PATIENCE: Final = 3600.0
# Each look is a process of its own, which takes from the operator what it is measured by.
POLLED_EVERY: Final = 1.0
# Seconds of Azure without a write after which nothing more is expected.
STILL: Final = 60.0
# The default, in seconds.
INTERVAL: Final = 300.0
RESTING_INTERVALS: Final = 2
WATCHERS: Final = 8
GROUP, PEERINGS, RULES = "azurebastion.dev/v1beta1", "/virtualNetworkPeerings/", "/securityRules/"
TOO_MANY, REFUSED = 429, 400


def run() -> Iterator[Figure]:
    """Requests as the local Azure's log has them; wall time against the larger of its two bounds."""
    for speed in SPEEDS:
        if float(os.environ.get("BENCH_SYNC") or speed) == speed:
            with _running(speed) as lab:
                yield from _joined(lab)
                yield from _repaired(lab)
                yield from _let_in(lab)
                yield from _nothing_changed(lab)


@dataclass(frozen=True, slots=True)
class _Lab:
    control_plane: ControlPlane
    azure: LocalAzure
    operator: OperatorProcess
    speed: float

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        """The operator's requests to the resource manager, in order."""
        own = (each for each in self.azure.request_log() if each["principal"] == "operator")
        return [each for each in own if "/providers/" in each["url"]][since:]

    def writes(self, since: int = 0) -> list[dict[str, Any]]:
        """Its PUTs and DELETEs, refused ones as well."""
        return [each for each in self.log(since) if each["method"] in {"PUT", "DELETE", "PATCH"}]

    def wait_for(self, kept: Callable[[], bool], what: str) -> None:
        """Raises TimeoutError."""
        wait_for(kept, what, patience=PATIENCE, every=POLLED_EVERY)

    def condition(self, kind: str, condition_type: str) -> bool:
        """Whether the condition of the object is True for the spec as it is."""
        found = read(self.control_plane, kind, "hub")
        conditions = (found.get("status") or {}).get("conditions", [])
        return any(
            each["type"] == condition_type
            and each["status"] == "True"
            and each.get("observedGeneration") == found["metadata"]["generation"]
            for each in conditions
        )

    def rest(self) -> None:
        """Until nothing was written for a while."""
        count, since = -1, time.monotonic()

        def still() -> bool:
            nonlocal count, since
            if (found := len(self.writes())) != count:
                count, since = found, time.monotonic()
            return time.monotonic() - since > STILL / self.speed

        self.wait_for(still, "everything is at rest")


@contextmanager
def _running(speed: float) -> Iterator[_Lab]:
    with tempfile.TemporaryDirectory() as name, ControlPlane() as control_plane:
        azure, operator = installed(
            Path(name),
            control_plane,
            rows(SPOKES),
            SUBSCRIPTIONS,
            azure_speed=speed,
            operator_speed=speed,
            control=True,
        )
        try:
            operator.start()
            yield _Lab(control_plane, azure, operator, speed)
        finally:
            operator.stop()
            azure.kill()


def _joined(lab: _Lab) -> Iterator[Figure]:
    """The hub and its spokes from nothing."""
    spec = {
        "hub": {"virtualNetworkID": HUB},
        "spokes": [{"virtualNetworkID": spoke(number)} for number in range(SPOKES)],
        "hubToSpoke": {"allowForwardedTraffic": True},
    }
    started = time.monotonic()
    apply(lab.control_plane, GROUP, "VNetPeering", {"name": "hub", "namespace": NAMESPACE}, spec=spec)
    lab.wait_for(lambda: lab.condition("vnetpeering", "Ready"), "all are joined")
    took = time.monotonic() - started
    log = lab.log()
    puts = [each for each in log if each["method"] == "PUT"]
    counts = Counter(_subscription(each["url"]) for each in puts)
    in_turn, budgets = asyncio.run(_bounds(lab.azure, counts))
    longer = "one change of the hub at a time" if in_turn >= budgets else "the budgets"
    what = f"hub with {SPOKES} spokes from nothing, {len(SUBSCRIPTIONS)} subscriptions, speed {lab.speed:g}"
    least = (
        f"the least time, {max(in_turn, budgets):.1f} s by {longer} ({min(in_turn, budgets):.1f} s by the other bound)"
    )
    yield Figure(NAME, what, took / max(in_turn, budgets), "ratio", least, at_most=NEAR)
    yield Figure(NAME, "the same: peering PUTs", len(puts), "calls", at_most=2 * SPOKES, at_least=2 * SPOKES)
    refused = Counter(each["code"] for each in log if each["status"] >= REFUSED)
    yield Figure(NAME, "the same: refused as too many", _too_many(log), "calls", at_most=0)
    yield Figure(NAME, "the same: refused for anything", refused.total(), "calls")
    gets = sum(each["method"] == "GET" and "/operations/" not in each["url"] for each in log)
    yield Figure(NAME, "the same: GETs of networks", gets / len(puts), "a write")
    polls = sum("/operations/" in each["url"] for each in log)
    yield Figure(NAME, "the same: questions about operations", polls / len(puts), "a write")


def _repaired(lab: _Lab) -> Iterator[Figure]:
    """One foreign change, and a pair that reads Disconnected."""
    halves = asyncio.run(_halves(lab.azure))
    half = next(each for each in halves if each["id"].lower().startswith(HUB.lower()))
    half["properties"]["allowForwardedTraffic"] = False
    since = _settled(lab)
    asyncio.run(_put(lab.azure, half))
    lab.wait_for(lambda: bool(lab.writes(since)), "the change is repaired")
    lab.rest()
    yield Figure(
        NAME,
        f"one foreign change repaired, {SPOKES} spokes, speed {lab.speed:g}",
        len(lab.writes(since)),
        "writes",
        at_most=1,
    )
    pair = [each for each in asyncio.run(_halves(lab.azure)) if _joins(each, spoke(SPOKES - 1))]
    for each in pair:
        each["properties"] |= {"peeringState": "Disconnected", "peeringSyncLevel": "RemoteNotInSync"}
    since = _settled(lab)
    asyncio.run(_put(lab.azure, *pair))
    lab.wait_for(lambda: sum(each["method"] == "PUT" for each in lab.writes(since)) > 1, "the pair is made anew")
    lab.rest()
    methods = Counter(each["method"] for each in lab.writes(since))
    for method in ("DELETE", "PUT"):
        yield Figure(
            NAME,
            f"a Disconnected pair made anew, speed {lab.speed:g}: {method}",
            methods[method],
            "calls",
            at_most=2,
            at_least=2,
        )


def _let_in(lab: _Lab) -> Iterator[Figure]:
    """The Bastion's rule on the security group of every VM."""
    groups = SPOKES * MACHINES_A_SPOKE
    since = _settled(lab)
    spec = {
        "virtualNetworkID": HUB,
        "azureName": "hub",
        "sku": "Standard",
        "adoptionPolicy": "IfUnmanaged",
        "networkSecurity": {"subnet": "Off", "targets": "Enforce", "overrideDenies": True},
    }
    started = time.monotonic()
    apply(lab.control_plane, GROUP, "BastionHost", {"name": "hub", "namespace": NAMESPACE}, spec=spec)
    lab.wait_for(lambda: lab.condition("bastionhost", "SecurityRulesInSync"), "every rule is there")
    took = time.monotonic() - started
    log = lab.log(since)
    written = Counter(each["url"].lower() for each in lab.writes(since))
    per_subscription = Counter(_subscription(url) for url in written.elements())
    _, budgets = asyncio.run(_bounds(lab.azure, per_subscription))
    yield Figure(
        NAME,
        f"{groups} security groups get one rule each, speed {lab.speed:g}",
        written.total(),
        "writes",
        at_most=groups,
        at_least=groups,
    )
    yield Figure(NAME, "the same: written twice", sum(count > 1 for count in written.values()), "rules", at_most=0)
    yield Figure(NAME, "the same: refused as too many", _too_many(log), "calls", at_most=0)
    yield Figure(NAME, "the same: wall time", took, "s", f"the budgets' {budgets:.1f} s")
    since = _settled(lab)
    _ask(lab, "bastionhost", "second")
    yield Figure(NAME, "the same: second pass", len(lab.writes(since)), "writes", at_most=0)


def _nothing_changed(lab: _Lab) -> Iterator[Figure]:
    """Intervals at rest with the two resources, and with some that watch the same networks beside them."""
    few = _at_rest(lab)
    what = (
        f"nothing changed, {SPOKES} spokes, {SPOKES * MACHINES_A_SPOKE} security groups, {RESTING_INTERVALS} intervals, "
        f"speed {lab.speed:g}"
    )
    yield Figure(
        NAME, what, sum(each["method"] != "POST" and each["method"] != "GET" for each in few), "writes", at_most=0
    )
    for number in range(WATCHERS):
        spec = {
            "hub": {"virtualNetworkID": HUB},
            "spokes": [{"virtualNetworkID": spoke(each)} for each in range(SPOKES)],
            "managementPolicy": "Observe",
        }
        apply(lab.control_plane, GROUP, "VNetPeering", {"name": f"watch-{number}", "namespace": NAMESPACE}, spec=spec)
    lab.rest()
    many = _at_rest(lab)
    yield Figure(NAME, "the same: reads", len(few), "calls")
    yield Figure(
        NAME,
        f"the same with {WATCHERS} more resources",
        len(many) / max(len(few), 1),
        "ratio",
        "the reads with two",
        at_most=1.5,
    )


def _at_rest(lab: _Lab) -> list[dict[str, Any]]:
    since = _settled(lab)
    time.sleep(RESTING_INTERVALS * INTERVAL / lab.speed)
    return lab.log(since)


def _settled(lab: _Lab) -> int:
    """How many requests there were once everything is at rest."""
    lab.rest()
    return len(lab.log())


def _ask(lab: _Lab, kind: str, mark: str) -> None:
    lab.control_plane.kubectl("annotate", kind, "hub", "-n", NAMESPACE, f"{REQUESTED_AT}={mark}")

    def handled() -> bool:
        return (read(lab.control_plane, kind, "hub").get("status") or {}).get("lastHandledReconcileAt") == mark

    lab.wait_for(handled, "the pass that was asked for")


async def _bounds(azure: LocalAzure, writes: Counter[str]) -> tuple[float, float]:
    """Seconds that Azure worked on the hub, one change at a time, and that the budgets take for so many writes."""
    calls = [
        {"subscription": subscription, "region": REGION, "kind": "writes", "count": count}
        for subscription, count in writes.items()
    ]
    async with azure.control() as control:
        operations = await control.operations()
        budgets = await control.best_time(calls)
    own = (each for each in operations if each["target"].lower().startswith(f"{HUB}/".lower()))
    return sum(_seconds(each) for each in own), budgets


def _seconds(operation: dict[str, Any]) -> float:
    started, ends = (datetime.fromisoformat(operation[name]) for name in ("started", "ends"))
    return (ends - started).total_seconds()


async def _halves(azure: LocalAzure) -> list[dict[str, Any]]:
    async with azure.control() as control:
        return [each for each in await control.resources() if PEERINGS.lower() in each["id"].lower()]


async def _put(azure: LocalAzure, *resources: dict[str, Any]) -> None:
    async with azure.control() as control:
        for each in resources:
            await control.put_resource(each)


def _joins(half: dict[str, Any], network: str) -> bool:
    remote = half["properties"]["remoteVirtualNetwork"]["id"].lower()
    return bool(half["id"].lower().startswith(f"{network}/".lower()) or remote == network.lower())


def _subscription(url: str) -> str:
    return url.lower().partition("/subscriptions/")[2].partition("/")[0]


def _too_many(log: list[dict[str, Any]]) -> int:
    return sum(each["status"] == TOO_MANY for each in log)
