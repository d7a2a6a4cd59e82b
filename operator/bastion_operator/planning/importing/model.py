"""What importing yields: custom resources, each with the proof of what it would change, and what was left out, with why."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bastion_operator.api.meta import API_VERSION
from bastion_operator.network.finding import Finding
from bastion_operator.planning.model import Change

_NOT_IN_NAMES: Final = re.compile("[^a-z0-9]+")
_LONGEST_NAME: Final = 63


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the custom resources go: namespace (None: left to kubectl) and the AzureIdentity that they name."""

    namespace: str | None = None
    identity: str = "default"


@dataclass(frozen=True, slots=True)
class Imported:
    """A custom resource for something that stands.

    :ivar manifest: the object as YAML has it, with ``managementPolicy: Observe``
    :ivar changes: what the operator would change with ``managementPolicy: Manage`` instead; none for what is sound
    :ivar obstacles: what would keep it from managing
    """

    manifest: Mapping[str, Any]
    changes: tuple[Change, ...] = ()
    obstacles: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in Azure for which no custom resource was made, and why."""

    resource_id: str
    reason: str


@dataclass(slots=True)
class Names:
    """Names of objects, each given once for a kind."""

    _given: set[tuple[str, str]] = field(default_factory=set)

    def give(self, kind: str, *parts: str) -> str:
        """A name that Kubernetes takes, made of these words."""
        plain = _NOT_IN_NAMES.sub("-", "-".join(parts).lower()).strip("-")[:_LONGEST_NAME].strip("-") or "imported"
        name, number = plain, 1
        while (kind, name) in self._given:
            number += 1
            name = f"{plain[: _LONGEST_NAME - 4]}-{number}"
        self._given.add((kind, name))
        return name


def manifest(kind: str, name: str, placement: Placement, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A custom resource that only observes, ready to be switched to Manage: what it finds it then takes over."""
    metadata = {"name": name} | ({"namespace": placement.namespace} if placement.namespace else {})
    common = {
        "identityRef": {"name": placement.identity},
        "managementPolicy": "Observe",
        "adoptionPolicy": "IfUnmanaged",
    }
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": {**common, **spec}}
