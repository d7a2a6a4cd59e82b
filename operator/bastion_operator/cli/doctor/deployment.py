"""The operator's Deployment: found by its label, and what it says of the account and the namespaces that are watched."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final
from urllib.parse import quote

from bastion_operator.kube.client import KubeClient

NAME: Final = "bastion-operator"
"""Of the Deployment and its account in deploy/base; a Helm release of another name has others."""
# Neither a release's name nor nameOverride changes this one.
_LABEL: Final = f"app.kubernetes.io/part-of={NAME}"
_VARIABLE: Final = "BASTION_OPERATOR_RUN_"


@dataclass(frozen=True, slots=True)
class OperatorDeployment:
    """The Deployment as the API server has it."""

    raw: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.raw["metadata"]["name"])

    @property
    def account(self) -> str:
        """The name of its service account."""
        return str(self._pod.get("serviceAccountName") or "default")

    @property
    def image(self) -> str:
        """The image of the operator's container."""
        return str(self._container.get("image"))

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces that are watched; empty for all."""
        named = tuple(self._flags("--namespace"))
        if named:
            return named
        variables = (self._variable("NAMESPACE"), self._variable("NAMESPACES"))
        return tuple(re.findall(r"[^,\s]+", next(filter(None, variables), "")))

    def setting(self, name: str) -> str | None:
        """The value of a setting by its flag or its environment variable; None where neither tells it."""
        return next(self._flags(f"--{name}"), None) or self._variable(name.replace("-", "_").upper())

    def _variable(self, name: str) -> str | None:
        entries = self._container.get("env") or ()
        return next((self._value(each) for each in entries if each.get("name") == f"{_VARIABLE}{name}"), None)

    def _value(self, entry: Mapping[str, Any]) -> str | None:
        """What a variable holds; of those that come from elsewhere the pod's own namespace is known."""
        path = ((entry.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath")
        namespace: str | None = self.raw["metadata"].get("namespace")
        return namespace if path == "metadata.namespace" else entry.get("value")

    def _flags(self, option: str) -> Iterator[str]:
        words = [str(word) for part in ("command", "args") for word in self._container.get(part) or ()]
        for word, following in zip_longest(words, words[1:], fillvalue=""):
            if word == option and following:
                yield following
            elif word.startswith(f"{option}="):
                yield word.partition("=")[2]

    @property
    def _pod(self) -> Mapping[str, Any]:
        pod: Mapping[str, Any] = self.raw["spec"]["template"]["spec"]
        return pod

    @property
    def _container(self) -> Mapping[str, Any]:
        containers: list[Mapping[str, Any]] = self._pod["containers"]
        return next((each for each in containers if each.get("name") == "operator"), containers[0])


async def find_operator(client: KubeClient, namespace: str) -> OperatorDeployment | None:
    """The Deployment in a namespace, None where there is none. Raises KubeError."""
    path = f"/apis/apps/v1/namespaces/{quote(namespace, safe='')}/deployments"
    listed = await client.request("GET", path, query={"labelSelector": _LABEL})
    return next(map(OperatorDeployment, listed.get("items") or ()), None)
