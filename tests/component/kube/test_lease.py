"""Leader election against the real API server: who may write, until when, and how it passes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bastion_operator.kube.client import MERGE_PATCH, KubeClient, find_cluster
from bastion_operator.kube.lease import LeaderElection, LeaseLostError, LeaseSettings, LeaseSettingsError
from bastion_operator.leadership import Leadership, NotLeadingError, seconds_since_boot
from dev.control_plane import ControlPlane
from tests.support.kube import RecordingClient

# With room for a machine that is busy with other tests: one that holds the Lease must come to renew it.
DURATION = 6
RENEW_DEADLINE = 5.0
Json = dict[str, Any]


@dataclass
class Candidate:
    """One who stands for election; ``skew`` is what its clock goes before the machine's."""

    settings: LeaseSettings
    client: KubeClient
    skew: float = 0.0
    leadership: Leadership = field(init=False)
    election: LeaderElection = field(init=False)
    task: "asyncio.Task[None]" = field(init=False)

    def __post_init__(self) -> None:
        self.leadership = Leadership(lambda: seconds_since_boot() + self.skew)
        self.election = LeaderElection(self.client, self.settings, self.leadership)
        self.task = asyncio.create_task(self.election.run())

    async def gained(self, seconds: float = 30.0) -> None:
        await asyncio.wait_for(self.leadership.gained(), seconds)

    async def retire(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


Stand = Callable[[str], Candidate]


@asynccontextmanager
async def standing(kube: KubeClient, namespace: str) -> AsyncIterator[Stand]:
    made: list[Candidate] = []

    def stand(holder: str) -> Candidate:
        settings = LeaseSettings(
            namespace, "operator", holder, DURATION, renew_deadline=RENEW_DEADLINE, retry_period=0.2
        )
        made.append(Candidate(settings, kube))
        return made[-1]

    try:
        yield stand
    finally:
        for candidate in made:
            await candidate.retire()


@pytest.fixture
async def stand(kube: RecordingClient, namespace: str) -> AsyncIterator[Stand]:
    async with standing(kube, namespace) as make:
        yield make


def path(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/operator"


async def spec_of(kube: KubeClient, namespace: str) -> Json:
    spec: Json = (await kube.request("GET", path(namespace)))["spec"]
    return spec


async def test_the_first_has_it_and_it_passes_on_at_once_when_it_is_released(
    kube: RecordingClient, namespace: str, stand: Stand
) -> None:
    one = stand("one")
    await one.gained()
    first = await spec_of(kube, namespace)
    assert (first["holderIdentity"], first["leaseDurationSeconds"], first["leaseTransitions"]) == ("one", DURATION, 1)

    other = stand("other")
    await asyncio.sleep(DURATION + 0.5)
    assert one.leadership.holds(), "it is renewed"
    assert not other.leadership.holds()
    renewed = await spec_of(kube, namespace)
    assert renewed["renewTime"] > first["renewTime"]
    assert renewed["acquireTime"] == first["acquireTime"]

    await one.retire()
    await one.election.release()
    assert not one.leadership.holds()
    # Sooner than if it had to wait for the end of the Lease.
    await other.gained(DURATION - 0.5)
    taken = await spec_of(kube, namespace)
    assert (taken["holderIdentity"], taken["leaseTransitions"]) == ("other", 2)


async def test_one_that_died_is_succeeded_after_the_duration_and_never_before_its_right_has_ended(stand: Stand) -> None:
    one = stand("one")
    await one.gained()
    other = stand("other")
    await asyncio.sleep(0.5)
    await one.retire()
    while not other.leadership.holds():
        overlap = one.leadership.holds()
        await asyncio.sleep(0.01)
    assert not overlap, "the deadline lies before the end of the Lease"
    assert not one.leadership.holds()


async def test_one_whose_time_was_used_up_loses_it_and_writes_nothing_meanwhile(stand: Stand) -> None:
    one = stand("one")
    await one.gained()
    # As after a time in which it was stopped or the machine slept.
    one.skew = 60.0
    with pytest.raises(NotLeadingError):
        one.leadership.check()
    with pytest.raises(LeaseLostError, match="could not be renewed within"):
        await asyncio.wait_for(one.task, 30)


async def test_one_from_whom_it_was_taken_says_by_whom(kube: RecordingClient, namespace: str, stand: Stand) -> None:
    one = stand("one")
    await one.gained()
    patch = {"spec": {"holderIdentity": "a person"}}
    await kube.request("PATCH", path(namespace), body=patch, content_type=MERGE_PATCH)
    with pytest.raises(LeaseLostError, match=f"Lease {namespace}/operator was lost: a person holds it now"):
        await asyncio.wait_for(one.task, 30)
    assert not one.leadership.holds()


async def test_others_may_annotate_or_delete_it_under_its_holder(
    kube: RecordingClient, namespace: str, stand: Stand
) -> None:
    one = stand("one")
    await one.gained()
    note = {"metadata": {"annotations": {"seen": "yes"}}}
    await kube.request("PATCH", path(namespace), body=note, content_type=MERGE_PATCH)
    await asyncio.sleep(0.5)
    assert (await kube.request("GET", path(namespace)))["metadata"]["annotations"] == {"seen": "yes"}
    await kube.request("DELETE", path(namespace))
    await asyncio.sleep(DURATION)
    assert (await spec_of(kube, namespace))["holderIdentity"] == "one"
    assert one.leadership.holds()
    assert not one.task.done()


async def test_who_may_not_write_writes_to_the_api_server_neither(control_plane: ControlPlane, namespace: str) -> None:
    leadership = Leadership()
    cluster = find_cluster(control_plane.kubeconfig)
    async with await KubeClient.connect(cluster, leadership=leadership) as client:
        body = {"metadata": {"name": "one"}}
        collection = f"/api/v1/namespaces/{namespace}/configmaps"
        with pytest.raises(NotLeadingError):
            await client.request("POST", collection, body=body)
        assert (await client.request("GET", f"/api/v1/namespaces/{namespace}"))["metadata"]["name"] == namespace
        leadership.extend(seconds_since_boot() + 60)
        await client.request("POST", collection, body=body)
        leadership.give_up()
        with pytest.raises(NotLeadingError):
            await client.request("DELETE", f"{collection}/one")


async def test_two_that_come_at_the_same_moment_do_not_both_have_it(stand: Stand) -> None:
    both = [stand("one"), stand("other")]
    await asyncio.wait(
        [asyncio.create_task(each.leadership.gained()) for each in both], return_when=asyncio.FIRST_COMPLETED, timeout=5
    )
    assert [each.leadership.holds() for each in both].count(True) == 1
    await asyncio.sleep(0.5)
    assert [each.leadership.holds() for each in both].count(True) == 1


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ({"duration": 0}, "must be 1 s or more"),
        ({"duration": 10, "renew_deadline": 10.0}, "must be shorter than the lease duration of 10 s"),
        ({"renew_deadline": 2.0, "retry_period": 2.0}, "must be shorter than the renew deadline of 2 s"),
        ({"retry_period": 0.0}, "longer than 0 s"),
    ],
)
def test_times_that_do_not_go_together_are_refused(times: Json, says: str) -> None:
    with pytest.raises(LeaseSettingsError, match=says):
        LeaseSettings("here", "operator", "one", **times)
