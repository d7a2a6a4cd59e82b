"""A fleet of custom resources in sync: what the operator costs at rest beside a bare watch, how it starts, and how long changes take.

The whole product at speed 1: the real API server, the local Azure with its budgets, the operator under its shipped rights.
First it is started on custom resources without any status, as after a restore: it finds everything again. Then it is
started once more, and everything is known. Then it rests, and then some of them are changed at once.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.installed import NAMESPACE, installed
from benchmarks.load_estate import INSTALLATION, REGION, Fleet
from benchmarks.measure import Figure
from benchmarks.waiting import wait_for
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from dev.operator_process import ALONE, OperatorProcess

NAME: Final = "load"
WHOLE: Final = Fleet(peerings=1_000, spokes=10, hosts=100, subscriptions=50)
# For those who have no quarter of an hour.
QUARTER: Final = Fleet(peerings=250, spokes=10, hosts=25, subscriptions=50)
FLEET: Final = QUARTER if os.environ.get("BENCH_LOAD") == "quarter" else WHOLE
CHANGED: Final = 0.05
INTERVAL: Final = 300.0
# Every routine pass comes at least once in this time.
REST_SECONDS: Final = 180.0
READY_SECONDS, PROCESSOR_SHARE, MEGABYTES, NEAR = 10.0, 10.0, 400.0, 1.5
PATIENCE: Final = 900.0
POLLED_EVERY: Final = 3.0
_API: Final = f"/apis/azurebastion.dev/v1beta1/namespaces/{NAMESPACE}"
_BUCKET: Final = re.compile(r'azurebastion_queue_seconds_bucket\{le="([^"]+)"\} (\S+)')
_PASSES: Final = re.compile(r'^azurebastion_reconciles_total\{kind="([^"]+)"[^}]*\} (\S+)', re.MULTILINE)
_WRITES: Final = frozenset({"PUT", "DELETE", "PATCH"})


def run() -> Iterator[Figure]:
    """Requests as the local Azure's log has them; processor time and memory as the system tells them."""
    size = f"{FLEET.peerings} VNetPeerings of {FLEET.spokes} spokes, {FLEET.hosts} BastionHosts"
    with _running() as lab:
        _apply_all(lab)
        lab.operator.start()
        lab.wait_for(lambda: lab.in_sync() == FLEET.peerings, "all are found again")
        yield Figure(NAME, f"{size} without a status: found again", lab.writes(), "Azure writes", at_most=0)
        yield from _started_again(lab)
        yield from _at_rest(lab, size)
        yield from _changed(lab)


@dataclass(frozen=True, slots=True)
class _Lab:
    control_plane: ControlPlane
    azure: LocalAzure
    operator: OperatorProcess
    folder: Path

    def writes(self) -> int:
        """The operator's writes to Azure so far."""
        return sum(each["method"] in _WRITES for each in self.own_log())

    def own_log(self, since: int = 0) -> list[dict[str, Any]]:
        """The operator's requests to the resource manager."""
        return [each for each in self.azure.request_log() if each["principal"] == "operator"][since:]

    def objects(self, plural: str) -> list[dict[str, Any]]:
        """All custom resources of a kind."""
        found: list[dict[str, Any]] = json.loads(self.control_plane.kubectl("get", "--raw", f"{_API}/{plural}"))[
            "items"
        ]
        return found

    def in_sync(self) -> int:
        """How many VNetPeerings are Ready for their spec as it is."""
        return sum(map(_ready, self.objects("vnetpeerings")))

    def versions(self) -> set[str]:
        """The resourceVersion of every custom resource."""
        found = (*self.objects("vnetpeerings"), *self.objects("bastionhosts"))
        return {each["metadata"]["resourceVersion"] for each in found}

    def wait_for(self, kept: Callable[[], bool], what: str) -> None:
        """Raises TimeoutError."""
        wait_for(kept, what, patience=PATIENCE, every=POLLED_EVERY)

    def settle(self) -> None:
        """Until no custom resource changed for a while."""
        before: set[str] = set()

        def still() -> bool:
            nonlocal before
            now, last = self.versions(), before
            before = now
            return now == last

        self.wait_for(still, "everything is at rest")


@contextmanager
def _running() -> Iterator[_Lab]:
    with tempfile.TemporaryDirectory() as name, ControlPlane() as control_plane:
        folder = Path(name)
        subscriptions = FLEET.all_subscriptions()
        azure, operator = installed(
            folder, control_plane, FLEET.rows(NAMESPACE), subscriptions, azure_speed=1, operator_speed=1, control=True
        )
        operator.options = (*ALONE, f"--installation-id={INSTALLATION}")
        try:
            yield _Lab(control_plane, azure, operator, folder)
        finally:
            operator.stop()
            azure.kill()


def _apply_all(lab: _Lab) -> None:
    peerings = [_manifest("VNetPeering", hub, FLEET.spec(hub)) for hub in range(FLEET.peerings)]
    _apply(lab, peerings + [_manifest("BastionHost", hub, FLEET.host_spec(hub)) for hub in range(FLEET.hosts)])


def _manifest(kind: str, hub: int, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": f"hub-{hub}", "namespace": NAMESPACE}
    return {"apiVersion": "azurebastion.dev/v1beta1", "kind": kind, "metadata": metadata, "spec": spec}


def _apply(lab: _Lab, manifests: list[dict[str, Any]]) -> None:
    body = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    lab.control_plane.kubectl("apply", "--server-side", "-f", "-", input=body, timeout=600)


def _started_again(lab: _Lab) -> Iterator[Figure]:
    lab.settle()
    lab.operator.stop()
    writes, versions = lab.writes(), lab.versions()
    began = time.monotonic()
    lab.operator.start()
    ready = time.monotonic() - began
    # The first passes are spread over five seconds; the inventory is read first.
    lab.wait_for(lambda: _all_passed(passes_by_kind(_metrics(lab))), "the first passes are done")
    passed = time.monotonic() - began
    yield Figure(NAME, "started again, in sync: ready", ready, "s", at_most=READY_SECONDS)
    yield Figure(NAME, "the same: every first pass done", passed, "s")
    yield Figure(NAME, "the same", lab.writes() - writes, "Azure writes", at_most=0)
    yield Figure(NAME, "the same", len(lab.versions() - versions), "statuses written", at_most=0)


def _at_rest(lab: _Lab, size: str) -> Iterator[Figure]:
    with _bare_watch(lab) as watch:
        operator = _process(lab.operator)
        # What starting has cost is over.
        time.sleep(10)
        versions, log, waits = lab.versions(), len(lab.own_log()), _waits(lab)
        before = {each: _processor_seconds(each) for each in (operator, watch)}
        time.sleep(REST_SECONDS)
        shares = {each: (_processor_seconds(each) - before[each]) / REST_SECONDS * 100 for each in (operator, watch)}
        memory = {each: each.memory_info().rss / 2**20 for each in (operator, watch)}
    requests = lab.own_log(log)
    yield Figure(NAME, f"at rest, {size}: processor", shares[operator], "% of a core", at_most=PROCESSOR_SHARE)
    yield Figure(NAME, "the same of a bare watch", shares[watch], "% of a core")
    yield Figure(NAME, "the same: memory", memory[operator], "MB", at_most=MEGABYTES)
    yield Figure(NAME, "the same of a bare watch", memory[watch], "MB")
    lag = percentile(waits, _waits(lab))
    yield Figure(NAME, "the same: of 100 keys that are due 99 wait at most", lag, "s", at_most=INTERVAL)
    yield Figure(NAME, "the same", sum(each["method"] in _WRITES for each in requests), "Azure writes", at_most=0)
    yield Figure(NAME, "the same", len(lab.versions() - versions), "statuses written", at_most=0)
    yield Figure(NAME, "the same: reads", len(requests) / REST_SECONDS * 60, "calls a minute")


def _changed(lab: _Lab) -> Iterator[Figure]:
    """So many VNetPeerings get another setting in one apply."""
    hubs = range(0, FLEET.peerings, round(1 / CHANGED))
    since = len(lab.own_log())
    began = time.monotonic()
    _apply(
        lab,
        [_manifest("VNetPeering", hub, FLEET.spec(hub, hubToSpoke={"allowForwardedTraffic": True})) for hub in hubs],
    )
    lab.wait_for(lambda: lab.in_sync() == FLEET.peerings, "all changes are carried out")
    took = time.monotonic() - began
    puts = [each for each in lab.own_log(since) if each["method"] in _WRITES]
    in_turn, budgets = asyncio.run(_bounds(lab.azure, Counter(_subscription(each["url"]) for each in puts)))
    least = f"the least time: {in_turn:.0f} s for one change of a hub at a time, {budgets:.0f} s by the budgets"
    what = f"{len(hubs)} VNetPeerings changed at once"
    yield Figure(NAME, what, took / max(in_turn, budgets), "ratio", least, at_most=NEAR)
    wanted = len(hubs) * FLEET.spokes
    yield Figure(NAME, "the same", len(puts), "Azure writes", at_most=wanted, at_least=wanted)


async def _bounds(azure: LocalAzure, writes: Counter[str]) -> tuple[float, float]:
    """Seconds that Azure worked on the busiest network, one change at a time, and that the budgets take."""
    calls = [
        {"subscription": subscription, "region": REGION, "kind": "writes", "count": count}
        for subscription, count in writes.items()
    ]
    worked: Counter[str] = Counter()
    async with azure.control() as control:
        for each in await control.operations():
            took = datetime.fromisoformat(each["ends"]) - datetime.fromisoformat(each["started"])
            worked[each["target"].lower().rpartition("/virtualnetworkpeerings/")[0]] += round(took.total_seconds())
        return float(max(worked.values())), await control.best_time(calls)


@contextmanager
def _bare_watch(lab: _Lab) -> Iterator[psutil.Process]:
    """A watch of the same objects by kopf, beside the operator."""
    kubeconfig = lab.control_plane.kubeconfig_for("bastion-operator", namespace=NAMESPACE)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare_watch"],
        env=lab.control_plane.environment(kubeconfig),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
        assert process.poll() is None, "the bare watch has ended by itself"
    finally:
        process.kill()
        process.wait()


def _process(operator: OperatorProcess) -> psutil.Process:
    """The operator's own process: it was started by a launcher, whose only child it is."""
    assert operator.child is not None
    (process,) = psutil.Process(operator.child.pid).children()
    return process


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _metrics(lab: _Lab) -> str:
    with urllib.request.urlopen(lab.operator.metrics_url, timeout=30) as answer:  # noqa: S310 - loopback
        text: str = answer.read().decode()
    return text


def passes_by_kind(metrics: str) -> Counter[str]:
    """How many passes have ended for each kind of custom resource, whatever their result, by a text of Prometheus."""
    passes: Counter[str] = Counter()
    for kind, count in _PASSES.findall(metrics):
        passes[kind] += round(float(count))
    return passes


def _all_passed(passes: Counter[str]) -> bool:
    return passes["VNetPeering"] >= FLEET.peerings and passes["BastionHost"] >= FLEET.hosts


def _waits(lab: _Lab) -> dict[float, float]:
    """How many keys had waited for at most so many seconds."""
    return {float(most): float(count) for most, count in _BUCKET.findall(_metrics(lab))}


def percentile(before: dict[float, float], after: dict[float, float]) -> float:
    """The bucket in which 99 of 100 of what came since ``before`` lie, by counts of all up to a bucket.

    Raises ValueError where nothing came: a limit would hold of what nobody measured.
    """
    since = {most: count - before.get(most, 0.0) for most, count in after.items()}
    total = max(since.values(), default=0.0)
    if not total:
        raise ValueError("no key was due in the time that was measured")
    return min(most for most, count in since.items() if count >= 0.99 * total)


def _ready(found: dict[str, Any]) -> bool:
    return any(
        each["type"] == "Ready"
        and each["status"] == "True"
        and each.get("observedGeneration") == found["metadata"]["generation"]
        for each in (found.get("status") or {}).get("conditions", [])
    )


def _subscription(url: str) -> str:
    return url.lower().partition("/subscriptions/")[2].partition("/")[0]
