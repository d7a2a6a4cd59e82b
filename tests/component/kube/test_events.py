"""Events tell what happened, count repetitions, and never make a pass fail."""

import logging
from pathlib import Path
from typing import Any

import pytest

from bastion_operator.api import AzureIdentity, BastionHost
from bastion_operator.kube.client import KubeClient, find_cluster
from bastion_operator.kube.events import EventRecorder, EventType
from bastion_operator.kube.resources import path_of
from dev.control_plane import ControlPlane
from tests.support.clock import ManualClock
from tests.support.crd_examples import host, identity
from tests.support.kube import RecordingClient

pytestmark = pytest.mark.usefixtures("crds_served")


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands."""
    return ManualClock()


@pytest.fixture
def recorder(kube: RecordingClient, clock: ManualClock) -> EventRecorder:
    """A recorder of a pod of the operator."""
    return EventRecorder(kube, clock, instance="bastion-operator-0")


async def create(kube: RecordingClient, namespace: str) -> dict[str, Any]:
    """Create a BastionHost."""
    return await kube.request("POST", path_of(BastionHost, namespace), body=host())


async def peered(recorder: EventRecorder, raw: dict[str, Any], note: str = "spoke-1 is Connected") -> None:
    """Record one Event."""
    await recorder.record(
        BastionHost, raw, event_type=EventType.NORMAL, reason="Connected", action="Peering", note=note
    )


async def events(kube: RecordingClient, namespace: str) -> list[dict[str, Any]]:
    """The Events of a namespace, oldest first. The API server's own, in `default`, state no eventTime."""
    answer = await kube.request("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")
    return sorted(answer["items"], key=lambda event: event["eventTime"] or event["metadata"]["creationTimestamp"])


async def test_an_event_says_what_happened_to_which_object(
    kube: RecordingClient, recorder: EventRecorder, namespace: str, control_plane: ControlPlane
) -> None:
    raw = await create(kube, namespace)
    await peered(recorder, raw)
    (event,) = await events(kube, namespace)
    assert event["regarding"] == {
        "apiVersion": "azurebastion.dev/v1beta1",
        "kind": "BastionHost",
        **{key: raw["metadata"][key] for key in ("namespace", "name", "uid", "resourceVersion")},
    }
    assert (event["type"], event["reason"], event["action"], event["note"]) == (
        "Normal",
        "Connected",
        "Peering",
        "spoke-1 is Connected",
    )
    assert (event["reportingController"], event["reportingInstance"], event["eventTime"]) == (
        "azurebastion.dev/bastion-operator",
        "bastion-operator-0",
        "2026-01-01T12:00:00.000000Z",
    )
    assert "spoke-1 is Connected" in control_plane.kubectl("describe", "bh", "example", "--namespace", namespace)


async def test_a_repetition_is_counted(
    kube: RecordingClient, recorder: EventRecorder, clock: ManualClock, namespace: str
) -> None:
    raw = await create(kube, namespace)
    for _ in range(3):
        await peered(recorder, raw)
        clock.advance(60)
    (event,) = await events(kube, namespace)
    assert event["series"] == {"count": 3, "lastObservedTime": "2026-01-01T12:02:00.000000Z"}


async def test_after_a_pause_a_new_one_begins(
    kube: RecordingClient, recorder: EventRecorder, clock: ManualClock, namespace: str
) -> None:
    raw = await create(kube, namespace)
    await peered(recorder, raw)
    clock.advance(361)
    await peered(recorder, raw)
    assert ["series" in event for event in await events(kube, namespace)] == [False, False]


async def test_nothing_is_kept_of_series_that_are_over(
    kube: RecordingClient, recorder: EventRecorder, clock: ManualClock, namespace: str
) -> None:
    raw = await create(kube, namespace)
    for number in range(3):
        await peered(recorder, raw, f"spoke-{number} is Connected")
    assert len(recorder._series) == 3
    clock.advance(360)
    await peered(recorder, raw, "spoke-3 is Connected")
    assert len(recorder._series) == 1


async def test_another_note_is_another_event(kube: RecordingClient, recorder: EventRecorder, namespace: str) -> None:
    raw = await create(kube, namespace)
    await peered(recorder, raw, "spoke-1 is Connected")
    await peered(recorder, raw, "spoke-2 is Connected")
    assert len(await events(kube, namespace)) == 2


async def test_a_repetition_of_one_that_the_server_has_dropped_begins_anew(
    kube: RecordingClient, recorder: EventRecorder, namespace: str
) -> None:
    raw = await create(kube, namespace)
    await peered(recorder, raw)
    (event,) = await events(kube, namespace)
    await kube.request("DELETE", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events/{event['metadata']['name']}")
    await peered(recorder, raw)
    (again,) = await events(kube, namespace)
    assert "series" not in again


@pytest.mark.parametrize("note", ["x" * 5000, "ü" * 5000])
async def test_a_note_that_is_too_long_is_cut(
    kube: RecordingClient, recorder: EventRecorder, namespace: str, note: str
) -> None:
    await peered(recorder, await create(kube, namespace), note)
    (event,) = await events(kube, namespace)
    assert 1020 <= len(event["note"].encode()) <= 1024
    assert event["note"].endswith(f"{note[0]}…")


async def test_an_object_without_a_namespace_has_its_events_in_default(
    kube: RecordingClient, recorder: EventRecorder
) -> None:
    raw = await kube.request("POST", path_of(AzureIdentity), body=identity())
    await recorder.record(
        AzureIdentity,
        raw,
        event_type=EventType.WARNING,
        reason="SecretNotFound",
        action="Check",
        note="no Secret azure",
    )
    await kube.request("DELETE", path_of(AzureIdentity, None, "example"))
    assert raw["metadata"]["uid"] in [event["regarding"].get("uid") for event in await events(kube, "default")]


async def test_one_that_cannot_be_written_is_logged_and_forgotten(
    kube: RecordingClient,
    clock: ManualClock,
    control_plane: ControlPlane,
    namespace: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    raw = await create(kube, namespace)
    control_plane.kubectl("create", "serviceaccount", "nobody", "--namespace", namespace)
    nobody: Path = control_plane.kubeconfig_for("nobody", namespace=namespace)
    async with await KubeClient.connect(find_cluster(nobody)) as client:
        with caplog.at_level(logging.WARNING):
            await peered(EventRecorder(client, clock, instance="x"), raw)
    assert "event Connected on BastionHost example was not written: POST" in caplog.text
    assert await events(kube, namespace) == []
