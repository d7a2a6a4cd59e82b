"""The custom resources as the watches last showed them: enough to know who depends on whom and who was first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bastion_operator.api.meta import RECONCILE_REQUESTED_AT
from bastion_operator.reconcile.keys import Key, Kind

Raw = Mapping[str, Any]


@dataclass(slots=True)
class ObjectStore:
    """Raw objects by key. A pass reads its own object from the API server; this is for looking at the others."""

    _objects: dict[Key, Raw] = field(default_factory=dict)

    def seen(self, key: Key, raw: Raw | None) -> bool:
        """Take note of an object, None if it is gone; returns whether its pass is due.

        A change of the generation, of the deletion timestamp or of the annotation that asks for a pass makes it due;
        the operator's own writes of status and finalizer change none of them.
        """
        before = self._objects.get(key)
        if raw is None:
            self._objects.pop(key, None)
            return before is not None
        self._objects[key] = raw
        return before is None or _wakes(before) != _wakes(raw)

    def known(self, key: Key) -> bool:
        """Whether the object was seen and is not gone."""
        return key in self._objects

    def of_kind(self, kind: Kind) -> Iterator[tuple[Key, Raw]]:
        """Every object of a kind."""
        return ((key, raw) for key, raw in self._objects.items() if key.kind is kind)

    def using_identity(self, identity: str) -> list[Key]:
        """The BastionHosts and VNetPeerings that name this AzureIdentity, in the order of their keys."""
        return sorted(
            key
            for key, raw in self._objects.items()
            if key.kind is not Kind.AZURE_IDENTITY and identity_of(raw) == identity
        )


def identity_of(raw: Raw) -> str:
    """The AzureIdentity that an object names; the API server has filled in the default."""
    return str(((raw.get("spec") or {}).get("identityRef") or {}).get("name", "default"))


def seniority(raw: Raw) -> tuple[str, str]:
    """Who was first: of two resources that ask for one thing, the lower has it."""
    metadata = raw["metadata"]
    return (str(metadata.get("creationTimestamp", "")), str(metadata.get("uid", "")))


def _wakes(raw: Raw) -> tuple[Any, ...]:
    metadata = raw["metadata"]
    annotations = metadata.get("annotations") or {}
    return (
        metadata.get("uid"),
        metadata.get("generation"),
        metadata.get("deletionTimestamp"),
        annotations.get(RECONCILE_REQUESTED_AT),
    )
