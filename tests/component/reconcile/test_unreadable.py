"""What a newer CRD takes and the operator cannot read is told by its field, and holds no deletion that needs nothing of it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from bastion_operator.api.azure_identity import AzureIdentity
from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.kube.client import MERGE_PATCH
from bastion_operator.kube.errors import NotFoundError
from bastion_operator.kube.resources import get_object, path_of
from bastion_operator.reconcile.keys import Key, Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.control_plane import CRDS, install_crds
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import Manifest, Passes, make_identity, passes_at_work

# Values that the operator does not know, by the way to their field.
NEWER = {
    "VNetPeering": {"spec.sides": "SpokeOnly", "status.claims[].origin": "Inherited"},
    "AzureIdentity": {"spec.type": "Passkey"},
}
SECONDS = 30.0


def take(schema: Manifest, way: str, value: str) -> None:
    """Let the schema take one more value of an enumeration."""
    for name in way.split("."):
        schema = schema["properties"][name.removesuffix("[]")]
        schema = schema["items"] if name.endswith("[]") else schema
    schema["enum"].append(value)


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    rows = json.loads((EXAMPLE / "estate.json").read_text())
    return azure_factory(rows, throttling=False, graph_lag=0)


@pytest.fixture
async def newer(azure: LocalAzure, tmp_path: Path) -> AsyncIterator[Passes]:
    """The operator's passes in a cluster whose CRDs know values that the operator does not."""
    for file in CRDS.glob("*.yaml"):
        crd = yaml.safe_load(file.read_text())
        for way, value in NEWER.get(crd["spec"]["names"]["kind"], {}).items():
            take(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], way, value)
        (tmp_path / file.name).write_text(yaml.safe_dump(crd))
    with ControlPlane() as control_plane:
        install_crds(control_plane, tmp_path)
        async with passes_at_work(control_plane, azure, "default", speed=50.0) as passes:
            await make_identity(passes, "default", [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION])
            yield passes


def link(identity: str, **spec: object) -> Manifest:
    spokes = [{"virtualNetworkID": SHOP}]
    return {"identityRef": {"name": identity}, "hub": {"virtualNetworkID": HUB}, "spokes": spokes, **spec}


def deletions(azure: LocalAzure) -> list[Manifest]:
    return [each for each in azure.request_log() if each["method"] == "DELETE"]


def reason_of(passes: Passes, key: Key) -> str:
    ready = passes.condition(key, "Ready")
    return "" if ready is None else str(ready["reason"])


async def test_what_a_newer_crd_takes_and_the_operator_cannot_read_is_told_by_its_field(
    newer: Passes, azure: LocalAzure
) -> None:
    key = await newer.create(Kind.VNET_PEERING, "hub", link("default", sides="SpokeOnly"))
    told = await newer.wait("it is told", lambda: newer.reads(key, "Ready", "False"))
    assert told["reason"] == "InvalidSpec"
    assert "field spec.sides: Input should be 'Both' or 'HubOnly'" in told["message"]
    assert newer.reads(key, "Accepted", "False")
    assert newer.reads(key, "Stalled", "True")
    assert not [each for each in azure.request_log() if each["method"] == "PUT"]
    other = await newer.create(Kind.VNET_PEERING, "other", link("default"))
    await newer.wait("it stands in nobody's way", lambda: newer.reads(other, "Ready", "True"))
    await newer.delete(other)
    await newer.wait("it is gone", lambda: other not in newer.seen)
    await newer.touch(other)

    await newer.change_spec(key, sides="Both")
    await newer.wait("what can be read is acted on", lambda: newer.reads(key, "Ready", "True"))


async def test_an_identity_that_the_operator_cannot_read_is_told_there_and_where_it_is_used(newer: Passes) -> None:
    ids = dict.fromkeys(("tenantID", "clientID"), HUB_SUBSCRIPTION)
    await newer.create(
        Kind.AZURE_IDENTITY, "newest", {"type": "Passkey", "allowedSubscriptions": [HUB_SUBSCRIPTION], **ids}
    )
    user = await newer.create(Kind.VNET_PEERING, "hub", link("newest"))
    told = await newer.wait("it is told", lambda: newer.reads(user, "Ready", "False"))
    assert told["reason"] == "IdentityNotReady"
    assert "AzureIdentity newest cannot be read, field spec.type" in told["message"]
    ready = await ready_of_identity(newer, "newest")
    assert (ready["status"], ready["reason"]) == ("False", "InvalidSpec")
    assert "field spec.type" in ready["message"]


@pytest.mark.parametrize("policy", [{"deletionPolicy": "Retain"}, {"managementPolicy": "Observe"}])
async def test_what_is_to_stay_in_azure_is_let_go_though_the_operator_cannot_read_it(
    newer: Passes, azure: LocalAzure, policy: Manifest
) -> None:
    key = await newer.create(Kind.VNET_PEERING, "hub", link("default"))
    await newer.wait("it is made", lambda: newer.reads(key, "Ready", "True"))
    await newer.change_spec(key, sides="SpokeOnly")
    await newer.delete(key)
    told = await newer.wait("it is told", lambda: reason_of(newer, key) == "DeletionBlocked" and newer.seen[key])
    (ready,) = (each for each in told["status"]["conditions"] if each["type"] == "Ready")
    assert "field spec.sides" in ready["message"]
    assert "deletionPolicy: Retain lets the resource go" in ready["message"]
    await newer.change_spec(key, suspend=True, **policy)
    await newer.wait("suspend holds it", lambda: reason_of(newer, key) == "InvalidSpec")
    await newer.change_spec(key, suspend=False)
    await newer.wait("it is let go", lambda: key not in newer.seen)
    assert not deletions(azure)


async def test_a_status_that_cannot_be_read_is_told_beside_it_and_holds_nothing_that_is_to_stay(
    newer: Passes, azure: LocalAzure
) -> None:
    key = await newer.create(Kind.VNET_PEERING, "hub", link("default"))
    await newer.wait("it is made", lambda: newer.reads(key, "Ready", "True"))
    claims = newer.seen[key]["status"]["claims"]
    later = [{**claims[0], "origin": "Inherited"}, *claims[1:]]
    path = path_of(VNetPeering, key.namespace, key.name, "status")
    await newer.kube.request("PATCH", path, body={"status": {"claims": later}}, content_type=MERGE_PATCH)
    await newer.ask_now(key, "now")
    ready = await newer.wait("it is told", lambda: newer.reads(key, "Ready", "False"))
    assert ready["reason"] == "InvalidSpec"
    assert "status.claims.0.origin" in ready["message"]
    status = newer.seen[key]["status"]
    assert status["claims"] == later, "what is not understood is not written over"
    assert status["lastHandledReconcileAt"] == "now"

    await newer.delete(key)
    await newer.wait("nothing is deleted on a guess", lambda: reason_of(newer, key) == "DeletionBlocked")
    await newer.change_spec(key, deletionPolicy="Retain")
    await newer.wait("it is let go", lambda: key not in newer.seen)
    assert not deletions(azure)


async def test_an_identity_that_the_operator_cannot_read_is_let_go_once_nobody_uses_it(newer: Passes) -> None:
    key = Key(Kind.AZURE_IDENTITY, "", "default")
    user = await newer.create(Kind.VNET_PEERING, "hub", link("default", managementPolicy="Observe"))
    await newer.wait("it is used", lambda: newer.reads(user, "Ready", "False"))
    await newer.change_spec(key, type="Passkey", secretName=None)
    await newer.delete(key)
    assert newer.services.objects.known(key)
    await newer.delete(user)
    await newer.wait("it is let go", lambda: not newer.services.objects.known(key), seconds=SECONDS)
    with pytest.raises(NotFoundError):
        await get_object(newer.kube, AzureIdentity, None, key.name)


async def ready_of_identity(passes: Passes, name: str) -> Manifest:
    status = (await get_object(passes.kube, AzureIdentity, None, name)).get("status", {})
    return next((each for each in status.get("conditions", ()) if each["type"] == "Ready"), {"reason": ""})
