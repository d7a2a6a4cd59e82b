"""The operator's passes in the test's own process: the real API server, the real client, a local Azure, a fast clock.

What is left out is kopf: whoever makes or changes an object says so with :meth:`Passes.touch`.
"""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bastion_operator.api.azure_identity import AzureIdentity
from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.meta import GROUP, RECONCILE_REQUESTED_AT, CustomResource
from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.arm.connection import REQUEST_TIMEOUT
from bastion_operator.clock import SystemClock
from bastion_operator.kube.client import MERGE_PATCH, KubeClient, find_cluster
from bastion_operator.kube.errors import NotFoundError
from bastion_operator.kube.resources import get_object, list_objects, path_of
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.program import ProgramSettings, running, services_at_work
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.worker import PASSES, Pass
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.arm_client import cloud_of
from tests.support.kstatus import violations

Manifest = dict[str, Any]
MODELS: dict[Kind, type[CustomResource]] = {
    Kind.BASTION_HOST: BastionHost,
    Kind.VNET_PEERING: VNetPeering,
    Kind.AZURE_IDENTITY: AzureIdentity,
}
_LOOK_EVERY = 0.15
_PATIENCE = 120.0


@dataclass
class Passes:
    """Workers at work, and a view of the custom resources that is looked at several times a second."""

    services: Services
    azure: LocalAzure
    namespace: str
    seen: dict[Key, Manifest] = field(default_factory=dict)
    history: dict[Key, list[Manifest]] = field(default_factory=dict)
    nonconforming: list[Manifest] = field(default_factory=list)
    admin: KubeClient | None = None

    @property
    def kube(self) -> KubeClient:
        """The client of tests, with the rights of an administrator; mostly it is the operator's own as well."""
        return self.admin or self.services.kube

    async def create(self, kind: Kind, name: str, spec: Manifest) -> Key:
        """Make a custom resource and let its passes begin."""
        model = MODELS[kind]
        namespace = "" if model.names.scope == "Cluster" else self.namespace
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        body = {"apiVersion": f"{GROUP}/v1beta1", "kind": model.names.kind, "metadata": metadata, "spec": spec}
        raw = await self.kube.request("POST", path_of(model, namespace or None), body=body)
        key = Key(kind, namespace, name)
        self.services.objects.seen(key, raw)
        self.services.queue.add(key)
        return key

    async def touch(self, key: Key) -> None:
        """What a watch would tell of the object as it is now."""
        try:
            raw = await get_object(self.kube, MODELS[key.kind], key.namespace or None, key.name)
        except NotFoundError:
            raw = None
        if self.services.objects.seen(key, raw):
            self.services.queue.add(key)

    async def ask_now(self, key: Key, value: str) -> None:
        """Set the annotation that asks for a pass at once."""
        await self._patch(key, {"metadata": {"annotations": {RECONCILE_REQUESTED_AT: value}}})

    async def change_spec(self, key: Key, **spec: Any) -> None:
        """Change fields of the spec."""
        await self._patch(key, {"spec": spec})

    async def _patch(self, key: Key, patch: Manifest) -> None:
        path = path_of(MODELS[key.kind], key.namespace or None, key.name)
        await self.kube.request("PATCH", path, body=patch, content_type=MERGE_PATCH)
        await self.touch(key)

    async def delete(self, key: Key) -> None:
        """Ask the API server to delete; the finalizer holds it until the operator lets go."""
        await self.kube.request("DELETE", path_of(MODELS[key.kind], key.namespace or None, key.name))
        await self.touch(key)

    async def wait(self, what: str, met: Callable[[], Any], *, seconds: float = _PATIENCE) -> Any:
        """Until ``met`` answers something true, which is returned."""
        deadline = time.monotonic() + seconds
        while not (answer := met()):
            assert self.nonconforming == [], "what kstatus would be misled by"
            assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
            await asyncio.sleep(_LOOK_EVERY)
        return answer

    def condition(self, key: Key, condition_type: str) -> Manifest | None:
        """A condition as it was seen last."""
        conditions = self.seen.get(key, {}).get("status", {}).get("conditions", [])
        return next((each for each in conditions if each["type"] == condition_type), None)

    def reads(self, key: Key, condition_type: str, status: str) -> Manifest | None:
        """The condition, if it has this status."""
        found = self.condition(key, condition_type)
        return found if found is not None and found["status"] == status else None

    def told(self, key: Key) -> list[Manifest]:
        """Every condition that was seen, each text once."""
        return self.history.get(key, [])

    async def look(self, kinds: Iterable[Kind], every: float = _LOOK_EVERY) -> None:
        """Keep the view up to date, after a rest of so many seconds each time; until cancelled."""
        while True:
            for kind in kinds:
                listed = await list_objects(self.kube, MODELS[kind], self.namespace)
                found = {Key(kind, self.namespace, each["metadata"]["name"]): each for each in listed}
                for key in [key for key in self.seen if key.kind is kind and key not in found]:
                    del self.seen[key]
                news = {key: raw for key, raw in found.items() if _version(raw) != _version(self.seen.get(key))}
                self.nonconforming += [each for each in news.values() if violations(each)]
                self.seen |= news
                for key, raw in news.items():
                    before = self.history.setdefault(key, [])
                    texts = {_text(each) for each in before}
                    conditions = raw.get("status", {}).get("conditions", [])
                    before += [each for each in conditions if _text(each) not in texts]
            await asyncio.sleep(every)


def _version(raw: Manifest | None) -> str:
    return "" if raw is None else str(raw["metadata"]["resourceVersion"])


def _text(condition: Manifest) -> tuple[str, ...]:
    return tuple(condition[each] for each in ("type", "status", "reason", "message"))


@asynccontextmanager
async def passes_at_work(
    control_plane: ControlPlane,
    azure: LocalAzure,
    namespace: str,
    *,
    speed: float,
    workers: int = 16,
    kinds: Iterable[Kind] = (Kind.VNET_PEERING,),
    request_timeout: float = REQUEST_TIMEOUT,
    token_file: str | None = None,
    account: Path | None = None,
    passes: Mapping[Kind, Pass] = PASSES,
) -> AsyncIterator[Passes]:
    """The operator's workers; ``namespace`` holds the custom resources and is the operator's own as well.

    :param token_file: the service account's token that a WorkloadIdentity exchanges
    :param account: kubeconfig of the account that the operator uses; an administrator's by default
    :param passes: what a pass of each kind does
    """
    cloud = replace(cloud_of(azure), token_file=token_file)
    settings = ProgramSettings(
        cloud,
        find_cluster(account or control_plane.kubeconfig),
        namespace,
        installation_id=namespace,
        workers=workers,
        request_timeout=request_timeout,
    )
    nothing = asyncio.create_task(asyncio.sleep(0))
    async with (
        running(settings, SystemClock(speed)) as services,
        await KubeClient.connect(find_cluster(control_plane.kubeconfig), SystemClock()) as admin,
        services_at_work(services, settings, nothing, passes),
    ):
        at_work = Passes(services, azure, namespace, admin=admin)
        view = asyncio.create_task(at_work.look(tuple(kinds)))
        try:
            yield at_work
        finally:
            view.cancel()
            await asyncio.gather(view, return_exceptions=True)
        assert at_work.nonconforming == [], "what kstatus would be misled by"


async def make_identity(
    passes: Passes, name: str, subscriptions: Iterable[str], *, secret: str | None = None, principal: str = "operator"
) -> Key:
    """An AzureIdentity for the passes' namespace, with a Secret of the same name."""
    who = passes.azure.clients[principal]
    value = base64.b64encode((secret or who.client_secret).encode()).decode()
    body = {"metadata": {"name": name}, "data": {"clientSecret": value}}
    await passes.kube.request("POST", f"/api/v1/namespaces/{passes.namespace}/secrets", body=body)
    spec = {
        "type": "ServicePrincipal",
        "tenantID": passes.azure.tenant_id,
        "clientID": who.client_id,
        "secretName": name,
        "allowedNamespaces": {"names": [passes.namespace]},
        "allowedSubscriptions": list(subscriptions),
    }
    return await passes.create(Kind.AZURE_IDENTITY, name, spec)
