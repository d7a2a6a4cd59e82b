"""Each action of deploy/azure/role.json taken away: what is missing is named, nothing is deleted for the lack of it, and all comes
right, and goes again, once it is granted.

That no action is there that nothing needs: tests/component/test_deploy_role.py.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bastion_operator.arm.needed_actions import MANAGE, OBSERVE
from bastion_operator.kube.errors import NotFoundError
from bastion_operator.reconcile.keys import Key, Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.identities import Identities, identities_of
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, SHOP
from tests.support.operator_in_process import Manifest, Passes, passes_at_work

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("crds_served")]

ALL = (*OBSERVE, *MANAGE)
CONNECTIVITY = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/connectivity/providers"
WORKSPACE = f"{CONNECTIVITY}/Microsoft.OperationalInsights/workspaces/logs"
TOOLS = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/tools/providers/Microsoft.Network/virtualNetworks/tools"
# Told of the identity alone: what they are for goes on without them, or is told of single VMs.
READS = {each for each in ALL if each.endswith("/read")}
DELETES = {each for each in ALL if each.endswith("/delete")}


def estate() -> list[Manifest]:
    """The example's, with a workspace, and a group around the shop that lets nobody in."""
    rows: list[Manifest] = json.loads((EXAMPLE / "estate.json").read_text())
    group = next(row for row in rows if row["name"] == "web-nsg")
    closed = {
        "access": "Deny",
        "direction": "Inbound",
        "priority": 4000,
        "protocol": "*",
        **{f"{end}AddressPrefix": "*" for end in ("source", "destination")},
        **{f"{end}PortRange": "*" for end in ("source", "destination")},
    }
    group["properties"]["securityRules"] = [{"name": "closed", "properties": closed}]
    workspace = {
        "id": WORKSPACE,
        "name": "logs",
        "type": "microsoft.operationalinsights/workspaces",
        "location": "westeurope",
        "subscriptionId": HUB_SUBSCRIPTION,
        "resourceGroup": "connectivity",
        "properties": {"provisioningState": "Succeeded"},
    }
    return [*rows, workspace]


@dataclass
class Stage:
    """What the operator is asked for, and who it is in Azure."""

    passes: Passes
    identities: Identities
    identity: Key
    made: list[Key]

    async def act_as(self, principal: str) -> None:
        """Give the identity another principal's credentials, as granting or taking a role does at once."""
        who = self.passes.azure.clients[principal]
        await self.identities.keep("role", {"clientSecret": who.client_secret.encode()}, replace=True)
        await self.passes.change_spec(self.identity, clientID=who.client_id)
        for key in self.made:
            # What needs the action least may be gone by now.
            with suppress(NotFoundError):
                await self.passes.ask_now(key, principal)

    async def ask_for_everything(self) -> None:
        """A host with all that it can be asked for, a Developer host, and the peering that leads to VMs."""
        common = {"identityRef": {"name": self.identity.name}}
        host = {
            "virtualNetworkID": HUB,
            "sku": "Standard",
            "subnetPrefix": "Auto",
            "networkSecurity": {"subnet": "Enforce", "targets": "Enforce", "overrideDenies": True},
            "diagnostics": {"workspaceID": WORKSPACE},
            **common,
        }
        link = {"hub": {"virtualNetworkID": HUB}, "spokes": [{"virtualNetworkID": SHOP}], **common}
        developer = {"virtualNetworkID": TOOLS, "sku": "Developer", **common}
        self.made += [
            await self.passes.create(Kind.BASTION_HOST, "hub", host),
            await self.passes.create(Kind.BASTION_HOST, "developer", developer),
            await self.passes.create(Kind.VNET_PEERING, "hub", link),
        ]

    async def all_ready(self) -> None:
        for key in self.made:
            await self._wait(f"{key} is Ready", partial(self.passes.reads, key, "Ready", "True"))

    async def _wait(self, what: str, met: Callable[[], Any]) -> None:
        try:
            await self.passes.wait(what, met)
        except AssertionError as error:
            error.add_note(json.dumps([self.passes.seen.get(key) for key in self.made], indent=1))
            raise

    async def told(self, action: str) -> None:
        """That it is missing: of the identity, and of the resource for which it is needed."""
        await self.identities.granted(self.identity, "RoleMissing", action)
        if action not in READS:
            named = partial(names_action, self.passes, self.made, action)
            await self._wait(f"{action} is named where it is missing", named)

    async def all_gone(self) -> None:
        for key in self.made:
            await self._wait(f"{key} is gone", partial(is_gone, self.passes, key))


def is_gone(passes: Passes, key: Key) -> bool:
    return key not in passes.seen


def names_action(passes: Passes, keys: list[Key], action: str) -> bool:
    """Whether a condition that is False names the action, as Azure writes it."""
    return any(
        action.lower() in condition["message"].lower()
        for key in keys
        for condition in passes.seen.get(key, {}).get("status", {}).get("conditions", [])
        if condition["status"] == "False"
    )


@asynccontextmanager
async def stage_of(
    control_plane: ControlPlane, azure: LocalAzure, namespace: str, principal: str
) -> AsyncIterator[Stage]:
    kinds = (Kind.BASTION_HOST, Kind.VNET_PEERING)
    async with (
        passes_at_work(control_plane, azure, namespace, speed=200.0, kinds=kinds) as passes,
        identities_of(passes) as identities,
    ):
        who = azure.clients[principal]
        spec: dict[str, Any] = {
            "type": "ServicePrincipal",
            "clientID": who.client_id,
            "allowedSubscriptions": [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION],
        }
        identity = await identities.make("role", spec, {"clientSecret": who.client_secret.encode()})
        yield Stage(passes, identities, identity, [])


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.removeprefix("Microsoft."))
async def test_without_one_action(
    control_plane: ControlPlane,
    azure_factory: AzureFactory,
    namespace: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    action: str,
) -> None:
    caplog.set_level(logging.INFO)
    roles = {"whole": list(ALL), "lacking": [each for each in ALL if each != action]}
    principals = [{"name": name, "assignments": [{"actions": actions}]} for name, actions in roles.items()]
    (tmp_path / "principals.json").write_text(json.dumps(principals))
    azure = azure_factory(estate(), principals=tmp_path / "principals.json", throttling=False, graph_lag=0)
    before = set(await asyncio.to_thread(azure.resources))
    late = action in DELETES
    async with stage_of(control_plane, azure, namespace, "whole" if late else "lacking") as stage:
        await stage.ask_for_everything()
        if late:
            await stage.all_ready()
            await stage.act_as("lacking")
            for key in stage.made:
                await stage.passes.delete(key)
        await stage.told(action)
        if not late:
            lost = [entry for entry in azure.request_log() if entry["method"] == "DELETE" and entry["status"] < 300]
            assert lost == [], "nothing is deleted because something cannot be seen or made"
        await stage.act_as("whole")
        if not late:
            await stage.all_ready()
            for key in stage.made:
                await stage.passes.delete(key)
        await stage.all_gone()
    assert set(await asyncio.to_thread(azure.resources)) == before
    assert [each for each in caplog.records if each.exc_info and each.name.startswith("bastion_operator")] == []
