"""A pass that breaks off is told in the status; what is told there beside it is of before."""

import json

import pytest

from bastion_operator.kube.errors import InvalidError
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.outcome import Outcome
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.vnet_peering import vnet_peering_pass
from bastion_operator.reconcile.worker import PASSES
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import Manifest, Passes, make_identity, passes_at_work

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
    """Passes of VNetPeerings that break off with ``error`` as long as ``broken`` is set."""

    def __init__(self, control_plane: ControlPlane, azure: LocalAzure, namespace: str) -> None:
        self.broken = False
        self.error: Exception = ZeroDivisionError(SECRET)
        passes = {**PASSES, Kind.VNET_PEERING: self._pass}
        self.running = passes_at_work(control_plane, azure, namespace, speed=50.0, passes=passes)

    async def _pass(self, services: Services, key: Key) -> Outcome:
        if self.broken:
            raise self.error
        return await vnet_peering_pass(services, key)


def link(identity: str, **spec: object) -> Manifest:
    return {
        "identityRef": {"name": identity},
        "hub": {"virtualNetworkID": HUB},
        "spokes": [{"virtualNetworkID": SHOP}],
        **spec,
    }


async def made(passes: Passes, namespace: str) -> Key:
    """A VNetPeering that stands."""
    await make_identity(passes, namespace, [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION])
    key = await passes.create(Kind.VNET_PEERING, "hub", link(namespace))
    await passes.wait("it is made", lambda: passes.reads(key, "Ready", "True"))
    return key


async def test_a_pass_that_breaks_off_again_and_again_leaves_nothing_that_passes_for_the_truth_of_now(
    at_work: Breakable, namespace: str
) -> None:
    async with at_work.running as passes:
        key = await made(passes, namespace)
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


async def test_what_the_api_server_refuses_again_and_again_is_told_in_its_words(
    at_work: Breakable, namespace: str
) -> None:
    async with at_work.running as passes:
        key = await made(passes, namespace)
        at_work.error, at_work.broken = InvalidError("PATCH /reports: field rows is not known"), True
        await passes.change_spec(key, hubToSpoke={"allowForwardedTraffic": True})
        told = await passes.wait("it is told", lambda: passes.reads(key, "Ready", "Unknown"))
        assert "the API server refuses what the operator writes (PATCH /reports: field rows is" in told["message"]
