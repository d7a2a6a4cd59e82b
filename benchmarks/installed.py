"""The whole product for a benchmark: a local Azure with an estate, and the operator under its shipped rights."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from dev.operator_process import OperatorProcess

NAMESPACE: Final = "bastion-operator"
REQUESTED_AT: Final = "azurebastion.dev/reconcile-requested-at"
_ROOT: Final = Path(__file__).parents[1]
_AZURE_SECONDS: Final = 600


def installed(
    folder: Path,
    control_plane: ControlPlane,
    estate: Iterable[dict[str, Any]],
    subscriptions: Sequence[str],
    *,
    azure_speed: float,
    operator_speed: float,
    control: bool = False,
) -> tuple[LocalAzure, OperatorProcess]:
    """The local Azure, running, and an operator that may see these subscriptions and was not started yet."""
    file = folder / "estate.jsonl"
    with file.open("wb") as lines:
        lines.writelines(orjson.dumps(row) + b"\n" for row in estate)
    azure = LocalAzure(folder, estates=[file], speed=azure_speed, control=control)
    azure.start(patience=_AZURE_SECONDS)
    control_plane.kubectl("apply", "--server-side", "-k", str(_ROOT / "deploy" / "base"))
    labels = "app.kubernetes.io/name=bastion-operator"
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "-l", labels)
    principal = azure.clients["operator"]
    secret = {"name": "azure-default", "namespace": NAMESPACE}
    apply(control_plane, "v1", "Secret", secret, stringData={"clientSecret": principal.client_secret})
    identity = {
        "type": "ServicePrincipal",
        "tenantID": azure.tenant_id,
        "clientID": principal.client_id,
        "secretName": "azure-default",
        "allowedNamespaces": {"names": [NAMESPACE]},
        "allowedSubscriptions": list(subscriptions),
    }
    apply(control_plane, "azurebastion.dev/v1beta1", "AzureIdentity", {"name": "default"}, spec=identity)
    kubeconfig = control_plane.kubeconfig_for("bastion-operator", namespace=NAMESPACE)
    operator = OperatorProcess(
        control_plane, azure, folder, kubeconfig=kubeconfig, operator_namespace=NAMESPACE, speed=operator_speed
    )
    return azure, operator


def apply(control_plane: ControlPlane, version: str, kind: str, metadata: dict[str, str], **rest: Any) -> None:
    """Apply one object."""
    body = {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
    control_plane.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(body))


def read(control_plane: ControlPlane, kind: str, name: str) -> dict[str, Any]:
    """One object of the operator's namespace."""
    answer: dict[str, Any] = json.loads(control_plane.kubectl("get", kind, name, "-n", NAMESPACE, "-o", "json"))
    return answer
