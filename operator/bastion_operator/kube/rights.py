"""Rights on the API server: those that the operator works with, and whether somebody has one."""

from dataclasses import dataclass
from typing import Any, Final

from bastion_operator.api.meta import GROUP
from bastion_operator.kube.client import KubeClient

_REVIEWS: Final = "/apis/authorization.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a resource (``bastionhosts/status`` for a subresource) of an API group; ``name``: on that object alone."""

    group: str
    resource: str
    verb: str
    name: str = ""

    def __str__(self) -> str:
        return (
            f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}{f'/{self.name}' if self.name else ''}"
        )


_IDENTITIES: Final = ("azureidentities",)
_IN_NAMESPACES: Final = ("bastionhosts", "vnetpeerings")


def _watched(plurals: tuple[str, ...]) -> tuple[Right, ...]:
    """What the operator does with the custom resources that people write."""
    return (
        *(Right(GROUP, plural, verb) for plural in plurals for verb in ("get", "list", "watch", "patch")),
        *(Right(GROUP, f"{plural}/status", "patch") for plural in plurals),
    )


EVENTS: Final = tuple(Right("events.k8s.io", "events", verb) for verb in ("create", "patch"))
OF_THE_CLUSTER: Final = (*_watched(_IDENTITIES), Right("", "namespaces", "get"))
"""What the operator does with what has no namespace."""
IN_EACH_NAMESPACE: Final = (
    *_watched(_IN_NAMESPACES),
    *(Right(GROUP, "reachabilityreports", verb) for verb in ("get", "list", "create", "patch", "delete")),
    *EVENTS,
)
"""What it does in each namespace that it watches."""
EVERYWHERE: Final = (*OF_THE_CLUSTER, *IN_EACH_NAMESPACE)
"""What it does where it watches all namespaces: deploy/base/cluster_role.yaml, which a test compares."""
MANAGING: Final = tuple(Right(GROUP, plural, "patch") for plural in _IN_NAMESPACES)
"""What it does without where all resources only observe: deploy/observe."""
IN_OWN_NAMESPACE: Final = (
    Right("", "secrets", "get"),
    Right("coordination.k8s.io", "leases", "create"),
    *(Right("coordination.k8s.io", "leases", verb, "bastion-operator") for verb in ("get", "update")),
)
"""What it does in its own namespace besides: deploy/base/role.yaml."""


async def may_account(client: KubeClient, user: str, right: Right, namespace: str | None) -> bool:
    """Whether a user has the right, in a namespace or (None) in all. Raises ForbiddenError where the caller may not ask."""
    spec = {"user": user, "resourceAttributes": _attributes(right, namespace)}
    return await _allowed(client, "SubjectAccessReview", spec)


async def may_caller(client: KubeClient, right: Right, namespace: str | None = None) -> bool:
    """Whether the caller has the right, in a namespace or (None) in all."""
    return await _allowed(client, "SelfSubjectAccessReview", {"resourceAttributes": _attributes(right, namespace)})


def _attributes(right: Right, namespace: str | None) -> dict[str, str]:
    resource, _, subresource = right.resource.partition("/")
    found = {"group": right.group, "resource": resource, "subresource": subresource, "verb": right.verb}
    return found | {key: value for key, value in (("namespace", namespace), ("name", right.name)) if value}


async def _allowed(client: KubeClient, kind: str, spec: dict[str, Any]) -> bool:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    answer = await client.request("POST", f"{_REVIEWS}/{kind.lower()}s", body=body)
    return answer.get("status", {}).get("allowed") is True
