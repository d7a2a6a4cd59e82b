"""AzureIdentities of every type for the operator's passes: made with their Secret, waited for, taken away again."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import trustme

from bastion_operator.api.azure_identity import AzureIdentity
from bastion_operator.kube.client import MERGE_PATCH
from bastion_operator.kube.resources import get_object, path_of
from bastion_operator.reconcile.keys import Key, Kind
from tests.support.kstatus import violations
from tests.support.operator_in_process import Manifest, Passes

_PATIENCE = 90.0


def key_and_certificate(
    *, begins: datetime | None = None, ends: datetime | None = None, authority: trustme.CA | None = None
) -> bytes:
    """A certificate with its private key as PEM, as azure-identity takes it."""
    issued = (authority or trustme.CA()).issue_cert(
        "client.example", key_type=trustme.KeyType.RSA, not_before=begins, not_after=ends
    )
    return bytes(issued.private_key_and_cert_chain_pem.bytes())


def certificate_of(pem: bytes) -> str:
    """The certificate without its key."""
    _, start, rest = pem.decode().partition("-----BEGIN CERTIFICATE-----")
    return start + rest


@dataclass
class Identities:
    """What tests make and look at; names begin with the namespace, because identities are the cluster's."""

    passes: Passes
    made: list[Key] = field(default_factory=list)

    async def make(self, name: str, spec: Manifest, data: Mapping[str, bytes] | None = None) -> Key:
        """An AzureIdentity for the passes' namespace; ``data`` is that of its Secret, None: there is none."""
        whole_name = f"{self.passes.namespace}-{name}"
        if data is not None:
            await self.keep(name, data)
        common = {"tenantID": self.passes.azure.tenant_id, "allowedNamespaces": {"names": [self.passes.namespace]}}
        if spec["type"] == "ServicePrincipal":
            common["secretName"] = whole_name
        key = await self.passes.create(Kind.AZURE_IDENTITY, whole_name, {**common, **spec})
        self.made.append(key)
        return key

    async def keep(self, name: str, data: Mapping[str, bytes], *, replace: bool = False) -> None:
        """Make the Secret of an identity, or put other values into it."""
        path = f"/api/v1/namespaces/{self.passes.namespace}/secrets"
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        whole_name = f"{self.passes.namespace}-{name}"
        if replace:
            await self.passes.kube.request(
                "PATCH", f"{path}/{whole_name}", body={"data": encoded}, content_type=MERGE_PATCH
            )
        else:
            await self.passes.kube.request("POST", path, body={"metadata": {"name": whole_name}, "data": encoded})

    async def ready(self, key: Key, reason: str, says: str = "") -> Manifest:
        """The condition Ready once it has this reason, and these words in its message."""
        return await self._condition(key, "Ready", reason, says)

    async def granted(self, key: Key, reason: str, says: str) -> Manifest:
        """The same of the condition AccessGranted."""
        return await self._condition(key, "AccessGranted", reason, says)

    async def _condition(self, key: Key, condition_type: str, reason: str, says: str) -> Manifest:
        deadline = time.monotonic() + _PATIENCE
        while True:
            raw = await get_object(self.passes.kube, AzureIdentity, None, key.name)
            assert violations(raw) == [], raw
            conditions = {each["type"]: each for each in raw.get("status", {}).get("conditions", [])}
            found: Manifest = conditions.get(condition_type, {})
            if found.get("reason") == reason and says in found["message"]:
                assert ("Stalled" in conditions) == (conditions["Ready"]["status"] == "False")
                return found
            assert time.monotonic() < deadline, f"{key}: {condition_type} is not {reason} ({says}) but {found}"
            await asyncio.sleep(0.1)

    async def clear(self) -> None:
        """Take them away, finalizers or not: a later operator would look at them."""
        for key in self.made:
            path = path_of(AzureIdentity, None, key.name)
            await self.passes.kube.request(
                "PATCH", path, body={"metadata": {"finalizers": None}}, content_type=MERGE_PATCH
            )
            await self.passes.kube.request("DELETE", path)


@asynccontextmanager
async def identities_of(passes: Passes) -> AsyncIterator[Identities]:
    """Identities that are gone at the end."""
    identities = Identities(passes)
    try:
        yield identities
    finally:
        await identities.clear()
