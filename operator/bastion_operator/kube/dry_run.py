"""Objects as the API server would store them, without storing them: defaults, validation and the status that stands."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.meta import API_VERSION, CustomResource
from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.kube.client import APPLY_PATCH, KubeClient
from bastion_operator.kube.resources import Raw

_PLURALS: Final[Mapping[str, type[CustomResource]]] = {"BastionHost": BastionHost, "VNetPeering": VNetPeering}
_FIELD_MANAGER: Final = "kubectl-bastion"


async def dry_run(client: KubeClient, manifest: Mapping[str, Any]) -> Raw:
    """The object that ``kubectl apply --server-side --dry-run=server`` would answer; its status is that of now.

    Raises InvalidError for what the schema refuses, ForbiddenError where the caller may not patch the kind.
    """
    metadata = {name: manifest["metadata"][name] for name in _NAMED if name in manifest["metadata"]}
    plural = _PLURALS[manifest["kind"]].names.plural
    namespace, name = quote(metadata["namespace"], safe=""), quote(metadata["name"], safe="")
    query = {"dryRun": "All", "force": "true", "fieldManager": _FIELD_MANAGER}
    body = {"apiVersion": API_VERSION, "kind": manifest["kind"], "metadata": metadata, "spec": manifest.get("spec")}
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/{plural}/{name}"
    return await client.request("PATCH", path, query=query, body=body, content_type=APPLY_PATCH)


# What the server writes itself (uid, resourceVersion) must not be sent.
_NAMED: Final = ("name", "namespace", "labels", "annotations")
