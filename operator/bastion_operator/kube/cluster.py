"""What the operator needs to know of the cluster itself."""

from urllib.parse import quote

from bastion_operator.kube.client import KubeClient

KUBE_SYSTEM = "kube-system"


async def cluster_uid(client: KubeClient) -> str:
    """The UID of the namespace kube-system, which lives as long as the cluster and is no other cluster's."""
    namespace = await client.request("GET", f"/api/v1/namespaces/{KUBE_SYSTEM}")
    return str(namespace["metadata"]["uid"])


async def namespace_labels(client: KubeClient, name: str) -> dict[str, str]:
    """The labels of a namespace. Raises NotFoundError if there is none of this name."""
    namespace = await client.request("GET", f"/api/v1/namespaces/{quote(name, safe='')}")
    return dict(namespace["metadata"].get("labels") or {})
