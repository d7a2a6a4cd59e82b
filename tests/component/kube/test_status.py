"""Statuses are written whole, once, and only where something changes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bastion_operator.api import BastionHost, VNetPeering
from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.api.vnet_peering import MAX_ROWS, MAX_SPOKES, LinkStatus, VNetPeeringStatus
from bastion_operator.kube.client import APPLY_PATCH, MERGE_PATCH
from bastion_operator.kube.errors import InvalidError, NotFoundError
from bastion_operator.kube.resources import get_object, path_of
from bastion_operator.kube.status import StatusPublisher
from tests.support.crd_examples import HUB, host, peering
from tests.support.kube import RecordingClient, arm_id

pytestmark = pytest.mark.usefixtures("crds_served")


def condition(condition_type: str, status: str = "True", **fields: Any) -> dict[str, Any]:
    """A condition as JSON."""
    whole = {"type": condition_type, "status": status, "reason": "Succeeded", "message": "", "observedGeneration": 1}
    return {**whole, "lastTransitionTime": "2026-01-01T00:00:00Z", **fields}


STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "conditions": [condition("Ready"), condition("Accepted")],
    "claims": [{"id": HUB, "purpose": "Host", "origin": "Created"}],
    "reasonCounts": [{"code": "NotPeered", "count": 2}],
    "reachable": "12/15",
    "reports": [],
}


@pytest.fixture
def publisher(kube: RecordingClient) -> StatusPublisher:
    """A new one, as after a start."""
    return StatusPublisher(kube)


async def create(kube: RecordingClient, namespace: str) -> dict[str, Any]:
    """Create a BastionHost, and start counting requests."""
    raw = await kube.request("POST", path_of(BastionHost, namespace), body=host())
    kube.sent.clear()
    return raw


async def read(kube: RecordingClient, namespace: str) -> dict[str, Any]:
    """The BastionHost as it is."""
    return await get_object(kube, BastionHost, namespace, "example")


async def test_a_message_is_told_as_it_is_whatever_is_in_it(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    message = "tag \U0001f680 \\ud83d\\ude80 \U0006ec10 \x07 \x7f \x85 \x9f \xa0 \u2028 \ufeff \uffff \"'#: {"
    assert await publisher.publish(BastionHost, raw, STATUS | {"conditions": [condition("Ready", message=message)]})
    assert (await read(kube, namespace))["status"]["conditions"][0]["message"] == message


async def test_a_status_is_written_in_one_request(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    assert await publisher.publish(BastionHost, raw, STATUS)
    assert kube.sent == [("PATCH", f"{path_of(BastionHost, namespace, 'example')}/status")]
    stored = await read(kube, namespace)
    assert stored["status"] == STATUS
    assert stored["metadata"]["generation"] == 1


async def test_the_same_status_again_is_no_request(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    await publisher.publish(BastionHost, raw, STATUS)
    stored = await read(kube, namespace)
    kube.sent.clear()
    reordered = {**STATUS, "conditions": STATUS["conditions"][::-1], "dnsName": None}
    for known in (raw, stored):
        assert not await publisher.publish(BastionHost, known, reordered)
    assert not await StatusPublisher(kube).publish(BastionHost, stored, STATUS)
    assert kube.sent == []
    assert (await read(kube, namespace))["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]


async def test_what_is_no_longer_wanted_goes(kube: RecordingClient, publisher: StatusPublisher, namespace: str) -> None:
    raw = await create(kube, namespace)
    await publisher.publish(BastionHost, raw, {**STATUS, "conditions": [condition("Reconciling"), condition("Ready")]})
    smaller = {"observedGeneration": 1, "conditions": [condition("Ready", "False")]}
    await publisher.publish(BastionHost, await read(kube, namespace), smaller)
    assert (await read(kube, namespace))["status"] == smaller


async def test_an_older_state_than_the_last_write_does_not_hide_a_change(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    await publisher.publish(BastionHost, raw, STATUS)
    before = await read(kube, namespace)
    await publisher.publish(BastionHost, before, {**STATUS, "reachable": "0/15"})
    assert await publisher.publish(BastionHost, before, STATUS)
    assert (await read(kube, namespace))["status"]["reachable"] == "12/15"


async def test_a_foreign_change_of_the_status_is_mended(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    await publisher.publish(BastionHost, raw, STATUS)
    path = path_of(BastionHost, namespace, "example", "status")
    await kube.request("PATCH", path, body={"status": {"reachable": "9/9"}}, content_type=MERGE_PATCH)
    assert await publisher.publish(BastionHost, await read(kube, namespace), STATUS)
    assert (await read(kube, namespace))["status"]["reachable"] == "12/15"


async def test_a_field_that_the_crds_do_not_know_is_told_with_what_to_do(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    with pytest.raises(InvalidError, match=r"ofALaterVersion.*Install the CRDs that belong to this version"):
        await publisher.publish(BastionHost, raw, {**STATUS, "ofALaterVersion": "x"})


async def test_a_change_by_somebody_else_in_between_is_no_obstacle(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    path = path_of(BastionHost, namespace, "example")
    await kube.request("PATCH", path, body={"metadata": {"labels": {"a": "b"}}}, content_type=MERGE_PATCH)
    assert await publisher.publish(BastionHost, raw, STATUS)
    stored = await read(kube, namespace)
    assert (stored["status"], stored["metadata"]["labels"]) == (STATUS, {"a": "b"})


async def test_what_the_schema_forbids_is_told(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    with pytest.raises(InvalidError, match="reachable"):
        await publisher.publish(BastionHost, raw, {**STATUS, "reachable": "x" * 33})


async def test_an_object_that_is_gone_is_not_made_again(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    raw = await create(kube, namespace)
    path = path_of(BastionHost, namespace, "example")
    await kube.request("DELETE", path)
    with pytest.raises(NotFoundError):
        await publisher.publish(BastionHost, raw, STATUS)
    again = await create(kube, namespace)
    with pytest.raises(NotFoundError, match="another one has its name now"):
        await publisher.publish(BastionHost, raw, STATUS)
    assert await read(kube, namespace) == again


async def test_the_largest_hub_with_the_longest_names_fits_into_the_api_server(
    kube: RecordingClient, publisher: StatusPublisher, namespace: str
) -> None:
    networks = [arm_id("virtualNetworks", f"{number:03}{'x' * 61}", group="g" * 90) for number in range(MAX_SPOKES)]
    path = path_of(VNetPeering, namespace, "example")
    manifest = peering(*networks)
    # As a client-side apply leaves it, with the whole manifest once more.
    manifest["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(manifest)}
    query = {"fieldManager": "user", "force": "true"}
    raw = await kube.request("PATCH", path, query=query, body=manifest, content_type=APPLY_PATCH)
    claims = tuple(
        Claim(
            id=f"{network}/virtualNetworkPeerings/{name * 80}",
            purpose="HubToSpoke",
            origin=ClaimOrigin.CREATED,
            claimed_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for network in networks
        for name in "ab"
    )
    rows = tuple(
        LinkStatus(
            virtual_network_id=network,
            hub_state="Initiated",
            hub_flags=("x" * 64,) * 8,
            spoke_flags=("x" * 64,) * 8,
            reason="x" * 128,
            message="x" * 512,
        )
        for network in networks[:MAX_ROWS]
    )
    status = VNetPeeringStatus(claims=claims, spokes=rows, connected="0/500")
    assert await publisher.publish(VNetPeering, raw, status.to_json())
    stored = await get_object(kube, VNetPeering, namespace, "example")
    assert VNetPeering.model_validate(stored).status == status
    assert len(json.dumps(stored)) < 1_400_000
