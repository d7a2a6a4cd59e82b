"""A pass that cannot be made, or breaks off, is told in the status; what is told there beside it is of before."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from bastion_operator.api.azure_identity import AzureIdentity
from bastion_operator.kube.resources import get_object
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.outcome import Outcome
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.vnet_peering import vnet_peering_pass
from bastion_operator.reconcile.worker import PASSES
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.control_plane import CRDS, install_crds
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import Manifest, Passes, make_identity, passes_at_work

NEWER = {"VNetPeering": ("sides", "SpokeOnly"), "AzureIdentity": ("type", "Passkey")}
SECRET = "what nobody may read"


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    rows = json.loads((EXAMPLE / "estate.json").read_text())
    return azure_factory(rows, throttling=False, graph_lag=0)


@pytest.fixture
async def at_work(control_plane: ControlPlane, crds_served: None, azure: LocalAzure, namespace: str) -> "Breakable":
    del crds_served
    return Breakable(control_plane, azure, namespace)


class Breakable:
    """Passes of VNetPeerings that break off as long as ``broken`` is set."""

    def __init__(self, control_plane: ControlPlane, azure: LocalAzure, namespace: str) -> None:
        self.broken = False
        passes = {**PASSES, Kind.VNET_PEERING: self._pass}
        self.running = passes_at_work(control_plane, azure, namespace, speed=50.0, passes=passes)

    async def _pass(self, services: Services, key: Key) -> Outcome:
        if self.broken:
            raise ZeroDivisionError(SECRET)
        return await vnet_peering_pass(services, key)


def link(identity: str, **spec: object) -> Manifest:
    return {
        "identityRef": {"name": identity},
        "hub": {"virtualNetworkID": HUB},
        "spokes": [{"virtualNetworkID": SHOP}],
        **spec,
    }


async def test_a_pass_that_breaks_off_again_and_again_leaves_nothing_that_passes_for_the_truth_of_now(
    at_work: Breakable, namespace: str
) -> None:
    async with at_work.running as passes:
        await make_identity(passes, namespace, [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION])
        key = await passes.create(Kind.VNET_PEERING, "hub", link(namespace))
        await passes.wait("it is made", lambda: passes.reads(key, "Ready", "True"))
        before = passes.seen[key]["status"]

        at_work.broken = True
        await passes.change_spec(key, hubToSpoke={"allowForwardedTraffic": True})
        told = await passes.wait("it is told", lambda: passes.reads(key, "Ready", "Unknown"))
        assert told["reason"] == "InternalError"
        assert "ZeroDivisionError" in told["message"]
        status = passes.seen[key]["status"]
        assert SECRET not in json.dumps(status)
        assert status["observedGeneration"] == before["observedGeneration"], "nobody has acted on the change"
        assert {name: status[name] for name in ("claims", "spokes")} == {
            name: before[name] for name in ("claims", "spokes")
        }

        at_work.broken = False
        await passes.wait("it goes on", lambda: passes.reads(key, "Ready", "True"))
        assert passes.seen[key]["status"]["observedGeneration"] == before["observedGeneration"] + 1


@pytest.fixture
async def newer(azure: LocalAzure, tmp_path: Path) -> AsyncIterator[Passes]:
    """The operator's passes in a cluster whose CRDs know values that the operator does not."""
    for file in CRDS.glob("*.yaml"):
        crd = yaml.safe_load(file.read_text())
        if (known := NEWER.get(crd["spec"]["names"]["kind"])) is not None:
            spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
            spec["properties"][known[0]]["enum"].append(known[1])
        (tmp_path / file.name).write_text(yaml.safe_dump(crd))
    with ControlPlane() as control_plane:
        install_crds(control_plane, tmp_path)
        async with passes_at_work(control_plane, azure, "default", speed=50.0) as passes:
            await make_identity(passes, "default", [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION])
            yield passes


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
    raw = await get_object(newer.kube, AzureIdentity, None, "newest")
    (ready,) = (each for each in raw["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "InvalidSpec")
    assert "field spec.type" in ready["message"]
