"""A spec that changes while a pass begins: what is sent and what the status says was acted on are of one reading."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.clock import SystemClock
from bastion_operator.kube.client import JSON_PATCH, MERGE_PATCH, KubeClient, find_cluster
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.outcome import Outcome
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.vnet_peering import vnet_peering_pass
from bastion_operator.reconcile.worker import PASSES
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import make_identity, passes_at_work

FLAG = {"hubToSpoke": {"allowForwardedTraffic": True}}


class EditedMeanwhile(KubeClient):
    """The real client; just before the finalizer is set somebody changes the spec."""

    edited = False

    async def request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        if options.get("content_type") == JSON_PATCH and not self.edited:
            self.edited = True
            await super().request("PATCH", path, body={"spec": FLAG}, content_type=MERGE_PATCH)
        return await super().request(method, path, **options)


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    rows = json.loads((EXAMPLE / "estate.json").read_text())
    return azure_factory(rows, throttling=False, graph_lag=0)


async def test_the_links_are_made_as_the_newer_spec_asks(
    control_plane: ControlPlane, crds_served: None, azure: LocalAzure, namespace: str
) -> None:
    del crds_served
    async with await EditedMeanwhile.connect(find_cluster(control_plane.kubeconfig), SystemClock()) as kube:

        async def edited_meanwhile(services: Services, key: Key) -> Outcome:
            return await vnet_peering_pass(replace(services, kube=kube), key)

        passes_of = {**PASSES, Kind.VNET_PEERING: edited_meanwhile}
        async with passes_at_work(control_plane, azure, namespace, speed=50.0, passes=passes_of) as passes:
            await make_identity(passes, namespace, [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION])
            spec = {
                "identityRef": {"name": namespace},
                "hub": {"virtualNetworkID": HUB},
                "spokes": [{"virtualNetworkID": SHOP}],
            }
            key = await passes.create(Kind.VNET_PEERING, "hub", spec)
            await passes.wait("it is made", lambda: passes.reads(key, "Ready", "True"))
            assert passes.seen[key]["status"]["observedGeneration"] == passes.seen[key]["metadata"]["generation"] == 2
            sent = [each for each in azure.request_log() if each["method"] == "PUT"]
            assert len(sent) == 2, "neither half was made by the older spec and changed afterwards"
