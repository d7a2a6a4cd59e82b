"""One writer: the leader stopped, continued, killed and ended in order, the local Azure's request log as judge."""

import json
import random
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from dev.control_plane import ControlPlane
from tests.faults.kill_run import was_taken
from tests.faults.leaders import LEASE_LOST, Leaders, go_on, stop, wait_at_random
from tests.faults.test_fault_matrix import Figure, seed
from tests.support.lab import Lab, Manifest, example, install_operator, labs_in

(PEERING,) = example("vnet-peering.yaml")
ALL = PEERING["spec"]["spokes"]
# Most of a run is waiting for a lease to end, so several clusters have theirs side by side.
RUNS, CLUSTERS = 200, 4


@pytest.fixture
def leaders(lab_factory: Callable[..., Lab]) -> Iterator[Leaders]:
    leaders = Leaders(lab_factory())
    yield leaders
    leaders.end()


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[list[Leaders]]:
    """Several, each with an API server and an Azure of its own, as the operators of one cluster share its AzureIdentities."""
    with ExitStack() as stack:
        every: list[Leaders] = []
        for number in range(CLUSTERS):
            folder, namespace = tmp_path / str(number), f"leaders-{number}"
            folder.mkdir()
            control_plane = stack.enter_context(ControlPlane())
            account = install_operator(control_plane)
            control_plane.kubectl("create", "namespace", namespace)
            lab = stack.enter_context(labs_in(control_plane, account, namespace, folder))()
            every.append(Leaders(lab))
            stack.callback(every[-1].end)
        yield every


def with_spokes(spokes: list[Manifest]) -> Manifest:
    copy: Manifest = json.loads(json.dumps(PEERING))
    copy["spec"] |= {"spokes": spokes, "interval": "1h"}
    return copy


def in_sync(lab: Lab) -> bool:
    """Its spec, as it is now, is carried out."""
    found = lab.get("vnp", "hub")
    ready = [each for each in found.get("status", {}).get("conditions", []) if each["type"] == "Ready"]
    return [(each["status"], each["observedGeneration"]) for each in ready] == [
        ("True", found["metadata"]["generation"])
    ]


def metrics(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def stop_and_go_on(leaders: Leaders, change: Manifest, rng: random.Random, *, early: bool) -> None:
    """Ask for ``change``, stop the leader (the oldest that runs) at some moment of the work, and let it go on once the
    other leads: ``early`` while that one is at work, else when it has done everything.
    """
    lab, (leader, *_) = leaders.lab, [each for each in leaders.processes if each.child and each.child.running]
    since, before = len(lab.writes()), leaders.holder()
    lab.apply(change)
    wait_at_random(rng, lab)
    stop(leader)
    leaders.wait_passed_on(before)
    if not early:
        lab.wait_for(lambda: in_sync(lab), "the other has carried it out")
        lab.wait_still(seconds=1.3)
    writes, versions = lab.writes(), lab.versions()
    go_on(leader)
    assert leader.child is not None
    assert leader.child.wait(60) == LEASE_LOST
    said = leader.log.read_text().splitlines()[-1]
    assert said.startswith("bastion-operator: Lease bastion-operator/bastion-operator was lost: "), said
    if early:
        lab.wait_for(lambda: in_sync(lab), "the other has carried it out")
    else:
        assert lab.writes()[len(writes) :] == [], "nothing was written after that"
        assert lab.versions() == versions
    taken = Counter((method, path) for method, path, status in lab.writes()[since:] if was_taken(status))
    assert set(taken.values()) <= {1}, taken


def test_the_leader_alone_writes_whatever_becomes_of_it(leaders: Leaders, figure: Figure) -> None:
    rng = random.Random(seed())
    figure(f"leaders: stopped once, FAULT_SEED={seed()}")
    lab, leader = leaders.lab, leaders.start()
    # With spokes of which each is an act of its own, so that there is a middle to be stopped in.
    lab.apply(with_spokes(ALL[:1]))
    lab.wait_ready("vnp/hub")
    standby = leaders.start()
    assert metrics(leader.metrics_url)["azurebastion_leader"] == 1
    waiting = metrics(standby.metrics_url)
    assert waiting["azurebastion_leader"] == 0
    assert not [name for name in waiting if name.startswith(("azurebastion_azure_calls", "azurebastion_reconciles"))]

    stop_and_go_on(leaders, with_spokes(ALL), rng, early=False)
    assert metrics(standby.metrics_url)["azurebastion_leader"] == 1

    # A leader that dies.
    successor = leaders.start()
    before = leaders.holder()
    lab.apply(with_spokes(ALL[:1]))
    wait_at_random(rng, lab)
    standby.kill()
    leaders.wait_passed_on(before)
    lab.wait_for(lambda: in_sync(lab), "the successor has carried it out")

    # And one that is asked to end.
    last = leaders.start()
    before = leaders.holder()
    assert successor.stop() == 0
    assert leaders.holder() != before
    leaders.wait_passed_on(before)
    assert "is released" in successor.log.read_text()
    lab.wait_for(lambda: "is held now" in last.log.read_text(), "it says so")  # when it has read the answer
    lab.apply(with_spokes(ALL))
    lab.wait_for(lambda: in_sync(lab), "the last one works")


def stopped_over_and_over(leaders: Leaders, rng: random.Random, runs: int, failed: threading.Event) -> int:
    """So many leaders stopped and continued, one after the other; how many of them while the next one was at work."""
    leaders.start()
    leaders.lab.apply(with_spokes(ALL[:1]))
    leaders.lab.wait_ready("vnp/hub")
    early = 0
    for run in range(runs):
        if failed.is_set():
            break
        leaders.start()
        while_at_work = rng.random() < 0.5
        try:
            stop_and_go_on(leaders, with_spokes(ALL if run % 2 == 0 else ALL[:1]), rng, early=while_at_work)
        except BaseException:
            failed.set()
            raise
        early += while_at_work
    return early


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_200_times_stopped_and_continued(clusters: list[Leaders], figure: Figure) -> None:
    failed = threading.Event()
    with ThreadPoolExecutor(CLUSTERS) as side_by_side:
        under_way = [
            side_by_side.submit(
                stopped_over_and_over, leaders, random.Random(f"{seed()} {number}"), RUNS // CLUSTERS, failed
            )
            for number, leaders in enumerate(clusters)
        ]
    early = sum(each.result() for each in under_way)
    figure(f"leaders: {RUNS} stopped, {early} continued while the next one was at work, FAULT_SEED={seed()}")
    assert sum(len(leaders.processes) for leaders in clusters) == RUNS + CLUSTERS
