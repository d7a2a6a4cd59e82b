"""What is told once, as an Event, is told also where the status of the same pass cannot be written."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bastion_operator.reconcile.keys import Key, Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.api_server_gate import ApiServerGate, Refusal
from tests.support.azure import AzureFactory
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import Passes, make_identity, passes_at_work

KINDS = (Kind.VNET_PEERING, Kind.BASTION_HOST)


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    rows = json.loads((EXAMPLE / "estate.json").read_text())
    return azure_factory(rows, throttling=False, graph_lag=0)


@pytest.fixture
def gate(control_plane: ControlPlane) -> Iterator[ApiServerGate]:
    """What the operator reaches the API server through."""
    gate = ApiServerGate(control_plane)
    gate.start()
    yield gate
    gate.stop()


async def told_of(passes: Passes, key: Key, reason: str) -> list[str]:
    """The notes of the Events with this reason."""
    listed = await passes.kube.request("GET", f"/apis/events.k8s.io/v1/namespaces/{passes.namespace}/events")
    mine = (each for each in listed["items"] if each["regarding"]["name"] == key.name)
    return [each["note"] for each in mine if each["reason"] == reason]


async def test_changes_and_turns_are_told_though_the_status_cannot_be_written(
    control_plane: ControlPlane,
    crds_served: None,
    azure: LocalAzure,
    namespace: str,
    gate: ApiServerGate,
    tmp_path: Path,
) -> None:
    del crds_served
    account = gate.kubeconfig(control_plane.kubeconfig, tmp_path / "kubeconfig")
    async with passes_at_work(control_plane, azure, namespace, speed=50.0, kinds=KINDS, account=account) as passes:
        await make_identity(passes, namespace, [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION])
        identity = {"identityRef": {"name": namespace}}
        host = {
            "virtualNetworkID": HUB,
            "sku": "Basic",
            "subnetPrefix": "Auto",
            "interval": "1h",
            "targets": {"scope": "All"},
        }
        hub = await passes.create(Kind.BASTION_HOST, "bastion", {**identity, **host})
        await passes.wait("it is made", lambda: passes.reads(hub, "Ready", "True"))
        assert not [each for each in await told_of(passes, hub, "VMReachable") if "web-1" in each]

        link = {"hub": {"virtualNetworkID": HUB}, "spokes": [{"virtualNetworkID": SHOP}]}
        net = await passes.create(Kind.VNET_PEERING, "net", {**identity, **link})
        await passes.wait("it is made", lambda: passes.reads(net, "Ready", "True"))

        refusals = [Refusal(503, "PATCH", f"/{key.name}/status") for key in (hub, net)]
        with gate.refusing(*refusals):
            await passes.ask_now(hub, "now")
            await passes.change_spec(net, hubToSpoke={"allowForwardedTraffic": True})
            await passes.wait("none can be written", lambda: all(each.given for each in refusals))
        for key in (hub, net):
            await passes.wait("it can be again", partial(handled, passes, key))
        assert await told_of(passes, net, "Updated")
        assert [each for each in await told_of(passes, hub, "VMReachable") if "web-1" in each]


def handled(passes: Passes, key: Key) -> bool:
    """Whether the status is of the object as it is."""
    raw = passes.seen[key]
    asked = raw["metadata"].get("annotations", {}).get("azurebastion.dev/reconcile-requested-at")
    status = raw["status"]
    return (status["observedGeneration"], status.get("lastHandledReconcileAt")) == (
        raw["metadata"]["generation"],
        asked,
    )
