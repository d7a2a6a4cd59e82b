"""The story of one hub, in a subscription of its own: created, updated, upgraded, scaled, repaired, deleted.

Several stories run side by side in one operator and one local Azure; they share nothing but the AzureIdentity. What each phase must leave
in Azure is what a story that nobody disturbed has left.
"""

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from arm_emulator.client import canonical
from bastion_operator.kube.errors import KubeError
from bastion_operator.reconcile.keys import Key, Kind
from tests.faults.kill_run import comparable
from tests.support.azure import Wire
from tests.support.operator_in_process import Manifest, Passes

_NAMES = uuid.UUID("0a1b2c3d-0000-4000-8000-00000000000b")
_LISTED = (
    "Network/virtualNetworks",
    "Network/networkSecurityGroups",
    "Network/bastionHosts",
    "Network/publicIPAddresses",
    "Network/networkInterfaces",
    "Compute/virtualMachines",
)
# The end of a rule's description is cut where it gets too long.
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){2}(?:-[0-9a-f]{1,4}(?:-[0-9a-f]{1,12})?)?")
_HASH = re.compile(r"[0-9a-f]{16}")
# Seconds between two wishes for a pass at once, of somebody who has mended what is told.
_ASKS_EVERY = 1.0
_LOOKS_EVERY = 0.25
# Seconds for which Azure must stay as it is to be taken for what a phase leaves.
_STAYS = 2.0


class Phase(StrEnum):
    """What is asked for, one after the other."""

    CREATE = "create"
    UPDATE = "update"
    UPGRADE = "upgrade"
    SCALE = "scale"
    REPAIR = "repair"
    DELETE = "delete"


@dataclass
class Story:
    """One hub with a spoke, a VM behind a group that denies everything, and what others keep beside them."""

    passes: Passes
    wire: Wire
    name: str
    identity: str

    @property
    def subscription(self) -> str:
        return subscription_of(self.name)

    @property
    def keys(self) -> tuple[Key, Key]:
        namespace = self.passes.namespace
        return Key(Kind.BASTION_HOST, namespace, self.name), Key(Kind.VNET_PEERING, namespace, self.name)

    async def begin(self, phase: Phase) -> None:
        """Ask for what the phase is about."""
        host, links = self.keys
        match phase:
            case Phase.CREATE:
                await self.passes.create(host.kind, self.name, self._host())
                await self.passes.create(links.kind, self.name, self._links())
            case Phase.UPDATE:
                security = {"allowedSources": ["203.0.113.0/24"]}
                await self.passes.change_spec(host, tags={"cost-center": "network"}, networkSecurity=security)
                await self.passes.change_spec(links, spokeToHub={"allowForwardedTraffic": True})
            case Phase.UPGRADE:
                await self.passes.change_spec(host, sku="Standard", features={"nativeClient": True})
            case Phase.SCALE:
                await self.passes.change_spec(host, scaleUnits=3)
            case Phase.REPAIR:
                await self.disturb()
                await self.ask_now("somebody has noticed")
            case Phase.DELETE:
                await asyncio.gather(self.passes.delete(host), self.passes.delete(links))

    async def end(self, phase: Phase, expected: str | None, *, seconds: float) -> str:
        """Wait until the phase is over and Azure is as ``expected`` (None: as it stays for a while); returns what it is like.

        Whoever reads Stalled mends what is told and asks for another try. Raises AssertionError.
        """
        deadline, asked, number = time.monotonic() + seconds, time.monotonic(), 0
        before, since = "", time.monotonic()
        while True:
            if self._over(phase):
                found = await self.state()
                since = since if found == before else time.monotonic()
                before = found
                if found == expected or (expected is None and time.monotonic() > since + _STAYS):
                    return found
            elif self.stalled() and time.monotonic() > asked + _ASKS_EVERY:
                asked, number = time.monotonic(), number + 1
                await self.ask_now(f"{phase} {number}")
            assert time.monotonic() < deadline, await self._still(phase, expected)
            await asyncio.sleep(_LOOKS_EVERY)

    async def ask_now(self, value: str) -> None:
        """Somebody asks for a pass of both at once; while the API server is away nobody hears it."""
        for key in self.keys:
            if key in self.passes.seen:
                with contextlib.suppress(KubeError):
                    await self.passes.ask_now(key, value)

    async def state(self) -> str:
        """Everything in the subscription as Azure lists it, without what differs between two stories."""
        lists = []
        for kind in _LISTED:
            status, answer, _ = await self.call("GET", f"/subscriptions/{self.subscription}/providers/Microsoft.{kind}")
            assert status == 200, answer
            lists.append(answer["value"])
        # Azure spells ids in upper case where it refers back to them.
        text = json.dumps(comparable(canonical(lists)), sort_keys=True, indent=1).lower()
        return template_of(text, self.name)

    def _over(self, phase: Phase) -> bool:
        if phase is Phase.DELETE:
            return not any(key in self.passes.seen for key in self.keys)
        return all(self._ready(key) for key in self.keys)

    def _ready(self, key: Key) -> bool:
        raw = self.passes.seen.get(key)
        if raw is None or raw.get("status", {}).get("observedGeneration") != raw["metadata"]["generation"]:
            return False
        wanted = ("Ready", "SecurityRulesInSync") if key.kind is Kind.BASTION_HOST else ("Ready",)
        return all(self.passes.reads(key, each, "True") for each in wanted)

    def stalled(self) -> bool:
        return any(self.passes.reads(key, "Stalled", "True") for key in self.keys)

    async def _still(self, phase: Phase, expected: str | None) -> str:
        conditions = {str(key): self.passes.seen.get(key, {}).get("status", {}).get("conditions") for key in self.keys}
        found = await self.state()
        lines = [] if expected is None else differing_lines(expected, found)
        return f"{phase} of {self.name} has not ended: {json.dumps(conditions, indent=1)}\n" + "\n".join(lines)

    async def disturb(self) -> None:
        """Somebody takes away a half, a rule for a VM and a tag."""
        group = self.id_of("networkSecurityGroups", "closed")
        _, found, _ = await self.call("GET", group)
        (rule,) = [each for each in found["properties"]["securityRules"] if each["name"].startswith("azurebastion-")]
        _, spoke, _ = await self.call("GET", self.id_of("virtualNetworks", "spoke"))
        (half,) = [each for each in spoke["properties"]["virtualNetworkPeerings"] if each["name"] != "theirs"]
        await self._insist("DELETE", rule["id"])
        await self._insist("DELETE", half["id"])
        host = self.id_of("bastionHosts", self.name)
        _, body, _ = await self.call("GET", host)
        tags = {name: value for name, value in body["tags"].items() if name != "cost-center"}
        await self._insist("PUT", host, {**body, "tags": tags})

    async def call(self, method: str, path: str, body: Manifest | None = None) -> tuple[int, Any, Any]:
        """Somebody's request; with another token where Azure's clock has run past the one that there was."""
        answer = await self.wire.call(method, path, body)
        if answer[0] == 401:
            self.wire.token = None
            answer = await self.wire.call(method, path, body)
        return answer

    async def _insist(self, method: str, resource_id: str, body: Manifest | None = None) -> None:
        """Somebody's request, again while Azure is at something else."""
        for _ in range(50):
            status, answer, _ = await self.call(method, resource_id, body)
            if status < 300:
                return
            assert status in {409, 412, 429}, answer
            await asyncio.sleep(_LOOKS_EVERY)
        raise AssertionError(f"{method} {resource_id}: {answer}")

    def id_of(self, kind: str, name: str) -> str:
        return id_in(self.subscription, f"Microsoft.Network/{kind}", name)

    def _host(self) -> Manifest:
        return {
            "identityRef": {"name": self.identity},
            "virtualNetworkID": self.id_of("virtualNetworks", "hub"),
            "sku": "Basic",
            "subnetPrefix": "Auto",
            "tags": {"cost-center": "platform"},
            "networkSecurity": {"subnet": "Enforce", "targets": "Enforce", "overrideDenies": True},
            "interval": "10m",
        }

    def _links(self) -> Manifest:
        return {
            "identityRef": {"name": self.identity},
            "hub": {"virtualNetworkID": self.id_of("virtualNetworks", "hub")},
            "spokes": [{"virtualNetworkID": self.id_of("virtualNetworks", "spoke")}],
            "interval": "10m",
        }


def template_of(text: str, name: str) -> str:
    """A lower-case text without what is the story's own: ``@`` its subscription, ``$`` its name, ``#`` hashes, ``*`` GUIDs."""
    general = text.replace(subscription_of(name), "@").replace(name, "$")
    return _HASH.sub("#", _GUID.sub("*", general))


def subscription_of(name: str) -> str:
    """The subscription of the story of this name."""
    return str(uuid.uuid5(_NAMES, name))


def id_in(subscription: str, kind: str, name: str) -> str:
    """An id in the story's one resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/net/providers/{kind}/{name}"


def estate(name: str) -> list[Manifest]:
    """What is there before the story begins: two networks, a closed VM, and what others keep."""
    own = subscription_of(name)
    network, compute = "Microsoft.Network", "Microsoft.Compute"
    hub, spoke = (id_in(own, f"{network}/virtualNetworks", each) for each in ("hub", "spoke"))
    group, interface = (
        id_in(own, f"{network}/networkSecurityGroups", "closed"),
        id_in(own, f"{network}/networkInterfaces", "web"),
    )
    deny = {
        "priority": 4096,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    }
    configuration = {
        "name": "ipconfig",
        "properties": {
            "primary": True,
            "privateIPAddress": "10.1.0.4",
            "privateIPAllocationMethod": "Static",
            "subnet": {"id": f"{spoke}/subnets/work"},
        },
    }
    machine = {
        "networkProfile": {"networkInterfaces": [{"id": interface, "properties": {"primary": True}}]},
        "storageProfile": {"osDisk": {"osType": "Linux"}},
        "extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}},
    }
    return [
        {
            "id": f"/subscriptions/{own}",
            "type": "Microsoft.Resources/subscriptions",
            "subscriptionId": own,
            "name": name,
        },
        row(hub, {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet("work", "10.0.9.0/24")]}),
        row(spoke, {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": [subnet("work", "10.1.0.0/24")]}),
        row(group, {"securityRules": [{"name": "closed", "properties": deny}]}),
        row(interface, {"ipConfigurations": [configuration], "networkSecurityGroup": {"id": group}}),
        row(id_in(own, f"{compute}/virtualMachines", "web"), machine),
    ]


def row(resource_id: str, properties: Mapping[str, Any]) -> Manifest:
    kind = "/".join(resource_id.split("/")[6:8])
    name = resource_id.rsplit("/", 1)[1]
    tags = {"owner": "somebody"}
    return {
        "id": resource_id,
        "name": name,
        "type": kind,
        "location": "westeurope",
        "tags": tags,
        "properties": properties,
    }


def subnet(name: str, prefix: str) -> Manifest:
    return {"name": name, "properties": {"addressPrefix": prefix}}


def differing_lines(one: str, other: str) -> list[str]:
    """The lines of two states that only one of them has, a few."""
    first, second = one.splitlines(), other.splitlines()
    gone = [f"- {line}" for line in first if line not in set(second)]
    come = [f"+ {line}" for line in second if line not in set(first)]
    return [*gone[:20], *come[:20]]
