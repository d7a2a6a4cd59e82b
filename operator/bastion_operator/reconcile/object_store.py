"""The custom resources as the watches last showed them: enough to know who depends on whom and who was first.

Each pass asks who else wants what it wants. That is looked up, as a fleet of a thousand asks it a thousand times an interval.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bastion_operator.api.common import ManagementPolicy
from bastion_operator.api.meta import ALLOW_PLAN, RECONCILE_REQUESTED_AT, RECREATE_FAILED
from bastion_operator.planning.ownership import id_key
from bastion_operator.reconcile.keys import Key, Kind

_log = logging.getLogger(__name__)

Raw = Mapping[str, Any]


@dataclass(slots=True)
class ObjectStore:
    """Raw objects by key. A pass reads its own object from the API server; this is for looking at the others."""

    _objects: dict[Key, Raw] = field(default_factory=dict)
    # What each asks for, who asks for a thing, and of whom that is to be read yet.
    _asked: dict[Key, list[str]] = field(default_factory=dict)
    _askers: dict[tuple[Kind, str], set[Key]] = field(default_factory=lambda: defaultdict(set))
    _unread: dict[Kind, set[Key]] = field(default_factory=lambda: defaultdict(set))
    _selecting: set[Key] = field(default_factory=set)

    def seen(self, key: Key, raw: Raw | None) -> bool:
        """Take note of an object, None if it is gone; returns whether its pass is due.

        A change of the generation, of the deletion timestamp or of an annotation that asks for something makes it due;
        the operator's own writes of status and finalizer change none of them.
        """
        before = self._objects.get(key)
        if raw is None:
            self._objects.pop(key, None)
            self._unread[key.kind].discard(key)
            self._selecting.discard(key)
            self._forget_asked(key)
            return before is not None
        self._objects[key] = raw
        if before is None or _version(before) != _version(raw):
            self._unread[key.kind].add(key)
            self._selecting.discard(key)
            if "spokeSelector" in (raw.get("spec") or {}):
                self._selecting.add(key)
        return before is None or _wakes(before) != _wakes(raw)

    def get(self, key: Key) -> Raw | None:
        """The object as it was seen last; None if it never was, or is gone."""
        return self._objects.get(key)

    def known(self, key: Key) -> bool:
        """Whether the object was seen and is not gone."""
        return key in self._objects

    def keys(self) -> list[Key]:
        """Every object that was seen and is not known to be gone."""
        return list(self._objects)

    def of_kind(self, kind: Kind) -> Iterator[tuple[Key, Raw]]:
        """Every object of a kind."""
        return ((key, raw) for key, raw in self._objects.items() if key.kind is kind)

    def asked_for(self, kind: Kind, read: Callable[[Raw], list[str]]) -> list[tuple[Key, Raw, list[str]]]:
        """Every object of a kind with what it asks for itself alone; ``read`` is called once for each generation.

        One that cannot be read asks for nothing: it must not stop all others.
        """
        self._read(kind, read)
        return [(key, raw, self._asked[key]) for key, raw in self.of_kind(kind)]

    def askers(
        self, kind: Kind, wanted: Iterable[str], read: Callable[[Raw], list[str]]
    ) -> list[tuple[Key, Raw, list[str]]]:
        """Those of them that ask for one of these ids, in any case, in the order of their keys."""
        self._read(kind, read)
        found = {key for each in wanted for key in self._askers.get((kind, id_key(each)), ())}
        return [(key, self._objects[key], self._asked[key]) for key in sorted(found)]

    def selecting(self) -> list[tuple[Key, Raw]]:
        """The VNetPeerings that look for their spokes, in the order of their keys."""
        return [(key, self._objects[key]) for key in sorted(self._selecting)]

    def _read(self, kind: Kind, read: Callable[[Raw], list[str]]) -> None:
        unread = self._unread.pop(kind, set())
        for key in unread:
            self._forget_asked(key)
            try:
                asked = read(self._objects[key])
            except ValueError as error:
                _log.warning("%s cannot be read and is passed over: %s", key, error)
                asked = []
            self._asked[key] = asked
            for each in asked:
                self._askers[kind, id_key(each)].add(key)

    def _forget_asked(self, key: Key) -> None:
        for thing in {(key.kind, id_key(each)) for each in self._asked.pop(key, ())}:
            self._askers[thing].discard(key)
            if not self._askers[thing]:
                del self._askers[thing]

    def using_identity(self, identity: str) -> list[Key]:
        """The BastionHosts and VNetPeerings that name this AzureIdentity, in the order of their keys."""
        return sorted(
            key
            for key, raw in self._objects.items()
            if key.kind is not Kind.AZURE_IDENTITY and identity_of(raw) == identity
        )

    def managed_by_identity(self, identity: str) -> bool:
        """Whether something that names this AzureIdentity is to be made and kept in Azure, and not only observed."""
        specs = (self._objects[key].get("spec") or {} for key in self.using_identity(identity))
        return any(spec.get("managementPolicy") != ManagementPolicy.OBSERVE for spec in specs)

    def access_asked_of(self, identity: str) -> bool:
        """Whether some BastionHost of this AzureIdentity asks who may connect, so that role assignments are to be read."""
        hosts = (raw for _, raw in self.of_kind(Kind.BASTION_HOST) if (raw.get("spec") or {}).get("access"))
        return any(identity_of(raw) == identity for raw in hosts)


def identity_of(raw: Raw) -> str:
    """The AzureIdentity that an object names; the API server has filled in the default."""
    return str(((raw.get("spec") or {}).get("identityRef") or {}).get("name", "default"))


def seniority(raw: Raw) -> tuple[str, str]:
    """Who was first: of two resources that ask for one thing, the lower has it."""
    metadata = raw["metadata"]
    return (str(metadata.get("creationTimestamp", "")), str(metadata.get("uid", "")))


def _version(raw: Raw) -> tuple[Any, Any]:
    """What changes with every change of the spec."""
    return (raw["metadata"].get("uid"), raw["metadata"].get("generation"))


def _wakes(raw: Raw) -> tuple[Any, ...]:
    metadata = raw["metadata"]
    annotations = metadata.get("annotations") or {}
    return (
        metadata.get("uid"),
        metadata.get("generation"),
        metadata.get("deletionTimestamp"),
        annotations.get(RECONCILE_REQUESTED_AT),
        annotations.get(RECREATE_FAILED),
        annotations.get(ALLOW_PLAN),
    )
