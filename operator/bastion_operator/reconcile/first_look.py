"""What the operator looks at before it does anything: every custom resource that there is.

Of two resources that ask for one thing the older has it, which a pass can only know once it has seen both; so nothing
is queued before all have been seen.
"""

import logging
from collections.abc import Mapping, Sequence

from bastion_operator.api.azure_identity import AzureIdentity
from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.meta import API_VERSION, CustomResource
from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.kube.errors import KubeError, NotFoundError
from bastion_operator.kube.resources import list_objects, served_kinds
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.services import Services

_log = logging.getLogger(__name__)

MODELS: Mapping[Kind, type[CustomResource]] = {
    Kind.AZURE_IDENTITY: AzureIdentity,
    Kind.BASTION_HOST: BastionHost,
    Kind.VNET_PEERING: VNetPeering,
}
_RETRY = 2.0


async def look_around(services: Services, namespaces: Sequence[str]) -> None:
    """Note every custom resource and queue its first pass; comes back when that was possible.

    One that was seen before and is not there gets a pass as well, which finds that it is gone.
    """
    told = ""
    while True:
        try:
            found = await _list(services, namespaces)
        except Exception as error:  # noqa: BLE001 - without this look nothing would ever be done
            text = _advice(error)
            if text != told:
                expected = isinstance(error, KubeError)
                _log.warning("waiting for the API server: %s", text, exc_info=None if expected else error)
                told = text
            await services.clock.sleep(_RETRY)
            continue
        for key, raw in found.items():
            services.objects.seen(key, raw)
        for key in services.objects.keys():  # noqa: SIM118 - no mapping: its keys are a list
            services.queue.add(key)
        return


async def _list(services: Services, namespaces: Sequence[str]) -> dict[Key, dict[str, object]]:
    missing = {model.names.plural for model in MODELS.values()} - await served_kinds(services.kube)
    if missing:
        raise NotFoundError(f"the API server does not serve {', '.join(sorted(missing))} of {API_VERSION}")
    found = {}
    for kind, model in MODELS.items():
        scopes: Sequence[str | None] = [None]
        if namespaces and model.names.scope == "Namespaced":
            scopes = namespaces
        for scope in scopes:
            for raw in await list_objects(services.kube, model, scope):
                metadata = raw["metadata"]
                found[Key(kind, metadata.get("namespace", ""), metadata["name"])] = raw
    return found


def _advice(error: Exception) -> str:
    if isinstance(error, NotFoundError):
        return (
            "are the CRDs installed? `bastion-operator crds | kubectl apply --server-side -f -` installs them "
            f"({error})"
        )
    return str(error)
