"""Two teams, two identities, one operator that keeps the rows of both in one store: neither reads the other's."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bastion_operator.api.reachability_report import ReachabilityReport
from bastion_operator.kube.client import MERGE_PATCH
from bastion_operator.kube.resources import list_objects, path_of
from bastion_operator.reconcile.keys import Key, Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import MODELS, Passes, make_identity, passes_at_work

pytestmark = pytest.mark.usefixtures("crds_served")

TRACKING = "argocd.argoproj.io/instance"
KINDS = (Kind.BASTION_HOST, Kind.VNET_PEERING)


@pytest.fixture
def azure(azure_factory: AzureFactory, tmp_path: Path) -> LocalAzure:
    """The example's two subscriptions. Both teams' principals may do everything in both."""
    principals = tmp_path / "principals.json"
    everything = [{"actions": ["*"]}]
    principals.write_text(json.dumps([{"name": name, "assignments": everything} for name in ("platform", "hub-team")]))
    rows = json.loads((EXAMPLE / "estate.json").read_text())
    return azure_factory(rows, principals=principals, throttling=False, graph_lag=0)


@pytest.fixture
async def passes(control_plane: ControlPlane, azure: LocalAzure, namespace: str) -> AsyncIterator[Passes]:
    identities = {f"{namespace}-platform": "platform", f"{namespace}-hub-team": "hub-team"}
    seen = {"platform": [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION], "hub-team": [HUB_SUBSCRIPTION]}
    async with passes_at_work(control_plane, azure, namespace, speed=50.0, kinds=KINDS) as passes:
        for name, principal in identities.items():
            await make_identity(passes, name, seen[principal], principal=principal)
        yield passes
        for name in identities:
            path = path_of(MODELS[Kind.AZURE_IDENTITY], None, name)
            await passes.kube.request("PATCH", path, body={"metadata": {"finalizers": None}}, content_type=MERGE_PATCH)
            await passes.kube.request("DELETE", path)


async def test_selectors_targets_and_reports_end_at_the_subscriptions_of_the_identity(
    passes: Passes, azure: LocalAzure, namespace: str
) -> None:
    platform, team = ({"identityRef": {"name": f"{namespace}-{each}"}} for each in ("platform", "hub-team"))
    link = {**platform, "hub": {"virtualNetworkID": HUB}, "spokes": [{"virtualNetworkID": SHOP}]}
    joined = await passes.create(Kind.VNET_PEERING, "all", link)
    await passes.wait("hub and shop are peered", lambda: passes.reads(joined, "Ready", "True"))
    everything = {"virtualNetworkID": HUB, "managementPolicy": "Observe", "targets": {"scope": "All"}}
    of_all = await passes.create(Kind.BASTION_HOST, "of-all", {**everything, **platform})
    host = {"virtualNetworkID": HUB, "sku": "Standard", "subnetPrefix": "Auto", "targets": {"scope": "All"}, **team}
    of_hub = await passes.create(Kind.BASTION_HOST, "hub", host)
    marks = {"labels": {TRACKING: "team"}, "annotations": {f"{TRACKING}-id": "team:azurebastion.dev/BastionHost:hub"}}
    path = path_of(MODELS[of_hub.kind], namespace, of_hub.name)
    await passes.kube.request("PATCH", path, body={"metadata": marks}, content_type=MERGE_PATCH)
    tags = {"owner": "network-team"}
    selector = {"tags": tags, "subscriptions": [HUB_SUBSCRIPTION]}
    found = await passes.create(
        Kind.VNET_PEERING, "found", {**team, "hub": {"virtualNetworkID": HUB}, "spokeSelector": selector}
    )
    await passes.wait("the host stands", lambda: passes.reads(of_hub, "Ready", "True"))
    await passes.wait("what the selector finds is peered", lambda: passes.reads(found, "Ready", "True"))
    for key in (of_all, of_hub):
        await passes.ask_now(key, "with all that there is now")
        await passes.wait("it was looked at again", partial(_handled, passes, key))

    reports = await list_objects(passes.kube, ReachabilityReport, namespace)
    rows = {
        name: {row["vm"].rpartition("/")[2] for each in reports if each["bastionHost"] == name for row in each["rows"]}
        for name in ("of-all", "hub")
    }
    in_hub, in_apps = {"jump", "build-1", "desktop-1"}, {"web-1", "web-2", "reports", "db-1", "bench-1"}
    assert rows == {"of-all": in_hub | in_apps, "hub": in_hub}
    own = [each for each in reports if each["bastionHost"] == "hub"] + [passes.seen[key] for key in (of_hub, found)]
    assert APPS_SUBSCRIPTION not in json.dumps(own)
    assert passes.seen[of_hub]["status"]["counts"]["total"] == len(in_hub)
    # Argo CD would take a report with its mark for a thing of the application that no manifest has, and prune it.
    assert TRACKING not in json.dumps([each["metadata"] for each in reports])
    asked = [entry["url"] for entry in azure.request_log() if entry["principal"] == "hub-team"]
    assert asked
    assert [url for url in asked if APPS_SUBSCRIPTION in url] == []


def _handled(passes: Passes, key: Key) -> bool:
    return "lastHandledReconcileAt" in passes.seen[key]["status"]
