"""The Azure roles: each action that is missing is named, the read-only role suffices to observe, and nothing goes wrong without one."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bastion_operator.api.conditions import ConditionStatus
from bastion_operator.arm.needed_actions import MANAGE, OBSERVE
from bastion_operator.clock import SystemClock
from bastion_operator.planning.identity_access import identity_access
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.own_rights import OwnRights
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.arm_client import CallerFactory, caller_factory
from tests.support.azure import AzureFactory
from tests.support.identities import Identities, identities_of
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import Manifest, Passes, passes_at_work

__all__ = ["caller_factory"]

ALL = (*OBSERVE, *MANAGE)
SUBSCRIPTIONS = [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION]
WORKSPACE = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/connectivity/providers/Microsoft.OperationalInsights/workspaces/logs"
ESTATE: list[Manifest] = json.loads((EXAMPLE / "estate.json").read_text())


def principals_file(folder: Path, roles: dict[str, list[str]]) -> Path:
    path = folder / "principals.json"
    path.write_text(
        json.dumps([{"name": name, "assignments": [{"actions": actions}]} for name, actions in roles.items()])
    )
    return path


def without(action: str) -> list[str]:
    return [each for each in ALL if each != action]


async def test_each_action_that_a_role_lacks_is_named(
    azure_factory: AzureFactory, caller_factory: CallerFactory, tmp_path: Path
) -> None:
    file = principals_file(tmp_path, {"whole": list(ALL), **{each: without(each) for each in ALL}})
    azure = azure_factory(ESTATE, principals=file, throttling=False)
    scopes = [f"/subscriptions/{each}" for each in SUBSCRIPTIONS]
    for name in ("whole", *ALL):
        rights = OwnRights(SystemClock(), ALL)
        client = (await caller_factory(azure, principal=name)).client
        state = identity_access(SUBSCRIPTIONS, ALL, await rights.lacking(client, scopes), "deploy/azure/role.json")
        if name == "whole":
            assert state.true
        else:
            assert (state.status, state.reason) == (ConditionStatus.FALSE, "RoleMissing")
            for subscription in SUBSCRIPTIONS:
                assert f"in {subscription}: {name}" in state.message


@asynccontextmanager
async def at_work(
    control_plane: ControlPlane, azure: LocalAzure, namespace: str
) -> AsyncIterator[tuple[Passes, Identities]]:
    kinds = (Kind.BASTION_HOST, Kind.VNET_PEERING)
    async with (
        passes_at_work(control_plane, azure, namespace, speed=200.0, kinds=kinds) as passes,
        identities_of(passes) as identities,
    ):
        yield passes, identities


async def identity_of(identities: Identities, principal: str, name: str) -> Key:
    who = identities.passes.azure.clients[principal]
    spec = {"type": "ServicePrincipal", "clientID": who.client_id, "allowedSubscriptions": SUBSCRIPTIONS}
    return await identities.make(name, spec, {"clientSecret": who.client_secret.encode()})


def resources(identity: Key, **spec: Any) -> tuple[Manifest, Manifest]:
    """A host with all that it can be asked for, and the peering that leads it to VMs."""
    common = {"identityRef": {"name": identity.name}, **spec}
    host = {
        "virtualNetworkID": HUB,
        "sku": "Standard",
        "subnetPrefix": "Auto",
        "networkSecurity": {"subnet": "Enforce", "targets": "Enforce", "overrideDenies": True},
        "diagnostics": {"workspaceID": WORKSPACE},
        **common,
    }
    return host, {"hub": {"virtualNetworkID": HUB}, "spokes": [{"virtualNetworkID": SHOP}], **common}


@pytest.mark.usefixtures("crds_served")
async def test_the_read_only_role_suffices_to_observe_and_says_what_managing_would_take(
    control_plane: ControlPlane, azure_factory: AzureFactory, namespace: str, tmp_path: Path
) -> None:
    role = json.loads((EXAMPLE.parents[1] / "deploy/azure/role-observe.json").read_text())
    file = principals_file(tmp_path, {"reader": role["Actions"]})
    azure = azure_factory(ESTATE, principals=file, throttling=False, graph_lag=0)
    async with at_work(control_plane, azure, namespace) as (passes, identities):
        identity = await identity_of(identities, "reader", "reader")
        host, link = resources(identity, managementPolicy="Observe")
        made = [
            await passes.create(Kind.BASTION_HOST, "hub", {**host, "access": {"principals": [{"objectID": PERSON}]}}),
            await passes.create(Kind.VNET_PEERING, "hub", link),
        ]
        for key in made:
            await passes.wait(f"{key} is compared", partial(_out_of_sync, passes, key))
        await identities.granted(identity, "AllGranted", "deploy/azure/role-observe.json")
        assert [entry for entry in azure.request_log() if entry["status"] in {401, 403}] == []
        assert [entry for entry in azure.request_log() if entry["method"] in {"PUT", "PATCH", "DELETE"}] == []

        await passes.change_spec(made[1], managementPolicy="Manage")
        refused = await passes.wait("the missing right is told", partial(_denied, passes, made[1]))
        assert "virtualNetworkPeerings/write" in refused["message"]
        told = await identities.granted(identity, "RoleMissing", "deploy/azure/role.json")
        assert "Microsoft.Network/bastionHosts/write" in told["message"]


PERSON = "12345678-1111-2222-3333-444444444444"


def _out_of_sync(passes: Passes, key: Key) -> bool:
    ready = passes.reads(key, "Ready", "False")
    return ready is not None and ready["reason"] in {"OutOfSync", "NotFound"}


def _denied(passes: Passes, key: Key) -> Manifest | None:
    ready = passes.reads(key, "Ready", "False")
    return ready if ready is not None and ready["reason"] in {"PermissionDenied", "AuthorizationFailed"} else None
