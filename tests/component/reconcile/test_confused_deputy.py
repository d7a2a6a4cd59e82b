"""No team gets the operator to act, or to look, where its identity is not for it: every field that holds an id.

The identity's principal may do everything everywhere in this Azure: what is not asked is what the operator kept back.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from bastion_operator.kube.client import MERGE_PATCH
from bastion_operator.kube.resources import path_of
from bastion_operator.reconcile.keys import Key, Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.crd_examples import HUB, OTHER, PUBLIC_IP, SELECTOR, SPOKE, UUID, WORKSPACE, host, peering
from tests.support.estates import vnet
from tests.support.id_fields import IdField, id_fields
from tests.support.operator_in_process import MODELS, Manifest, Passes, make_identity, passes_at_work

pytestmark = pytest.mark.usefixtures("crds_served")

FOREIGN = "99999999-1111-2222-3333-444444444444"
KINDS = {"BastionHost": Kind.BASTION_HOST, "VNetPeering": Kind.VNET_PEERING}
FINALIZER = "azurebastion.dev/cleanup"
# One resource of each kind with every field that holds an id.
WHOLE = {
    "BastionHost": host(
        publicIP={"id": PUBLIC_IP},
        diagnostics={"workspaceID": WORKSPACE},
        targets={"selectors": {"subnetIDs": [f"{HUB}/subnets/default", f"{SPOKE}/subnets/default"]}},
    ),
    "VNetPeering": peering(SPOKE, OTHER, spokeSelector=SELECTOR),
}
FIELDS = [field for kind in WHOLE for field in id_fields(kind)]


def foreign(field: IdField) -> Manifest:
    """The whole resource, with an id of somebody else's subscription in this one field."""
    whole = WHOLE[field.kind]
    return field.changed(whole, FOREIGN if field.subscription else field.value(whole).replace(UUID, FOREIGN))


def test_the_whole_resources_set_every_field_that_holds_an_id() -> None:
    assert {str(field) for field in FIELDS} == {
        "BastionHost.spec.diagnostics.workspaceID",
        "BastionHost.spec.publicIP.id",
        "BastionHost.spec.targets.selectors.subnetIDs[]",
        "BastionHost.spec.virtualNetworkID",
        "VNetPeering.spec.hub.virtualNetworkID",
        "VNetPeering.spec.spokeSelector.subscriptions[]",
        "VNetPeering.spec.spokes[].virtualNetworkID",
    }
    for field in FIELDS:
        assert json.dumps(foreign(field)).count(FOREIGN) == 1


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    """The team's networks and, in another subscription, somebody else's of the same names."""
    names = (("hub", "hub-rg", "10.0.0.0/16"), ("spoke", "hub-rg", "10.1.0.0/16"), ("other", "other-rg", "10.2.0.0/16"))
    rows: list[Manifest] = []
    for subscription in (UUID, FOREIGN):
        rows.append({"id": f"/subscriptions/{subscription}", "type": "microsoft.resources/subscriptions", "name": "s"})
        for name, group, prefix in names:
            row = json.dumps(vnet(name, prefix))
            own = vnet(name, prefix)["id"]
            mine = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"
            rows.append(json.loads(row.replace(own, mine)))
    return azure_factory(rows, throttling=False, graph_lag=0)


@asynccontextmanager
async def at_work(control_plane: ControlPlane, azure: LocalAzure, namespace: str) -> AsyncIterator[Passes]:
    """The operator, with an identity of the namespace's name for one of the two subscriptions."""
    kinds = (Kind.BASTION_HOST, Kind.VNET_PEERING)
    async with passes_at_work(control_plane, azure, namespace, speed=50.0, kinds=kinds) as passes:
        identity = await make_identity(passes, namespace, [UUID.upper()])
        yield passes
        path = path_of(MODELS[Kind.AZURE_IDENTITY], None, identity.name)
        await passes.kube.request("PATCH", path, body={"metadata": {"finalizers": None}}, content_type=MERGE_PATCH)
        await passes.kube.request("DELETE", path)


def asked_of(azure: LocalAzure) -> Iterator[str]:
    return (entry["url"] for entry in azure.request_log() if "/oauth2/" not in entry["url"])


async def refused(passes: Passes, key: Key, reason: str) -> str:
    """The message of Accepted, once it is False for this reason and Ready says the same."""

    def told() -> Manifest | None:
        accepted, ready = (passes.reads(key, each, "False") for each in ("Accepted", "Ready"))
        same = accepted is not None and ready is not None and accepted["reason"] == ready["reason"] == reason
        return accepted if same else None

    return str((await passes.wait(f"{key} is refused: {reason}", told))["message"])


async def test_an_id_outside_the_allowed_subscriptions_is_refused_wherever_it_stands_without_an_azure_call(
    control_plane: ControlPlane, azure: LocalAzure, namespace: str
) -> None:
    async with at_work(control_plane, azure, namespace) as passes:
        made = {}
        for number, field in enumerate(FIELDS):
            spec = {**foreign(field)["spec"], "identityRef": {"name": namespace}}
            made[await passes.create(KINDS[field.kind], f"field-{number}", spec)] = field
        only_hub: Manifest = {"identityRef": {"name": namespace}, "sides": "HubOnly", "managementPolicy": "Observe"}
        observed = peering(SPOKE.replace(UUID, FOREIGN), **only_hub)
        made[await passes.create(Kind.VNET_PEERING, "only-the-hubs-half", observed["spec"])] = FIELDS[-1]
        for key, field in made.items():
            message = await refused(passes, key, "SubscriptionNotAllowed")
            assert f"add {FOREIGN} to spec.allowedSubscriptions" in message, field
            assert "finalizers" not in passes.seen[key]["metadata"]
        assert list(asked_of(azure)) == []


async def test_an_identity_that_is_not_for_the_namespace_is_refused_without_an_azure_call(
    control_plane: ControlPlane, azure: LocalAzure, namespace: str
) -> None:
    absent: Manifest = {"allowedNamespaces": None}
    others = {"allowedNamespaces": {"names": ["elsewhere"], "selector": {"matchLabels": {"team": "elsewhere"}}}}
    nowhere: Manifest = {"allowedSubscriptions": None}
    async with at_work(control_plane, azure, namespace) as passes:
        identity = Key(Kind.AZURE_IDENTITY, "", namespace)
        made = []
        for number, (allowed, reason) in enumerate(
            ((absent, "IdentityNotAllowed"), (others, "IdentityNotAllowed"), (nowhere, "SubscriptionNotAllowed"))
        ):
            own_names = {"allowedNamespaces": {"names": [namespace]}, "allowedSubscriptions": [UUID]}
            await passes.change_spec(identity, **{**own_names, **allowed})
            await passes.services.sessions.session(namespace, fresh=True)
            for kind, whole in WHOLE.items():
                key = await passes.create(
                    KINDS[kind], f"try-{number}", {**whole["spec"], "identityRef": {"name": namespace}}
                )
                await refused(passes, key, reason)
                made.append(key)
        unknown = await passes.create(
            Kind.VNET_PEERING, "no-identity", {**WHOLE["VNetPeering"]["spec"], "identityRef": {"name": "nobody"}}
        )
        assert "there is no AzureIdentity nobody" in await refused(passes, unknown, "IdentityNotFound")
        assert list(asked_of(azure)) == []


async def test_claims_that_somebody_forged_lead_to_nothing_that_the_identity_is_not_for(
    control_plane: ControlPlane, azure: LocalAzure, namespace: str
) -> None:
    """Whoever may write a status could claim another's things; no role of the operator's lets a tenant do that."""
    before = await asyncio.to_thread(azure.resources)
    async with at_work(control_plane, azure, namespace) as passes:
        spec = {**peering()["spec"], "identityRef": {"name": namespace}, "managementPolicy": "Observe"}
        observed = await passes.create(Kind.VNET_PEERING, "observed", spec)
        await passes.wait("it is looked at", lambda: passes.condition(observed, "Connected"))
        deleted = await passes.create(Kind.VNET_PEERING, "deleted", {**spec, "suspend": True})
        network = HUB.replace(UUID, FOREIGN)
        claim = {"id": f"{network}/virtualNetworkPeerings/theirs", "purpose": "Peering", "origin": "Created"}
        for key in (observed, deleted):
            await passes.wait("it has a status", partial(_status, passes, key))
            path = path_of(MODELS[key.kind], key.namespace, key.name, "status")
            await passes.kube.request("PATCH", path, body={"status": {"claims": [claim]}}, content_type=MERGE_PATCH)
        path = path_of(MODELS[deleted.kind], deleted.namespace, deleted.name)
        hold = {"metadata": {"finalizers": [FINALIZER]}}
        await passes.kube.request("PATCH", path, body=hold, content_type=MERGE_PATCH)
        await passes.change_spec(deleted, suspend=False, managementPolicy="Manage")
        await passes.delete(deleted)
        held = await passes.wait("the deletion is held", lambda: _with_reason(passes, deleted, "DeletionBlocked"))
        assert FOREIGN in held["message"]
        # Made within one second the two are of one age, and the pair would be the other's.
        await passes.kube.request("PATCH", path, body={"metadata": {"finalizers": None}}, content_type=MERGE_PATCH)
        await passes.touch(deleted)
        await passes.change_spec(observed, managementPolicy="Manage")
        await passes.wait("it is joined", lambda: passes.reads(observed, "Connected", "True"))
        await passes.ask_now(observed, "again")
        await passes.wait(
            "it was looked at again",
            lambda: passes.seen[observed]["status"].get("lastHandledReconcileAt") == "again",
        )
    assert [url for url in asked_of(azure) if FOREIGN in url] == []
    after = await asyncio.to_thread(azure.resources)
    for rows in (before, after):
        for own in [each for each in rows if FOREIGN not in each]:
            del rows[own]
    assert after == before != {}


def _status(passes: Passes, key: Key) -> Manifest | None:
    return passes.seen.get(key, {}).get("status")


def _with_reason(passes: Passes, key: Key, reason: str) -> Manifest | None:
    ready = passes.reads(key, "Ready", "False")
    return ready if ready is not None and ready["reason"] == reason else None
