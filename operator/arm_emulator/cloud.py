"""The whole of the local Azure that has state: one object that every part is handed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from arm_emulator.audit import Audit
from arm_emulator.clock import Clock
from arm_emulator.errors import Json
from arm_emulator.guids import new_guid
from arm_emulator.ids import ResourceId, parse
from arm_emulator.operations import Operations
from arm_emulator.rights import Rights
from arm_emulator.store import Resource, Store

PAGE_SIZE = 1000
"""Entries on a page of a list, at most, unless the command line says less."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line decides about Azure's behaviour."""

    tenant_id: str
    public_ip_quota: int = 10
    graph_lag: float = 2.0
    page_size: int = PAGE_SIZE
    quotas: Mapping[str, int] = field(default_factory=dict)
    """Numbers of resources a subscription and region in place of Azure's defaults, by type in lower case."""


@dataclass(slots=True)
class Cloud:
    """Clock, resources and operations of the one tenant."""

    clock: Clock
    store: Store
    operations: Operations
    settings: Settings
    extra_rows: dict[str, Json] = field(default_factory=dict)
    """Rows of estate files whose ids are no resource ids of a subscription: kept for the graph."""
    audit: Audit = field(default_factory=Audit)
    """Every write: who, what, with which outcome."""
    rights: Rights = field(init=False)
    """What principals may do, by the role assignments in the store."""

    def __post_init__(self) -> None:
        """Rights follow the store."""
        self.rights = Rights(self.store)

    def find(self, resource_id: str | None) -> Resource | None:
        """The resource with this id, in any casing."""
        return None if resource_id is None else self.store.get(resource_id.rstrip("/").lower())

    def touch(self, root_key: str) -> None:
        """A new etag for a top-level resource, and so for its children."""
        root = self.store.get(root_key)
        if root is not None:
            root.etag = new_etag() if root.etag.startswith("W/") or not root.etag else own_etag()
            self.store.put(root)

    def drop(self, item: Resource) -> None:
        """Removes a resource that goes along with another one; what it referred to loses a back reference."""
        family = [item, *self.store.descendants(item.key)]
        targets = {found.target for one in family for found in self.store.referred(one.key)}
        self.store.remove(item.key)
        for target in targets:
            standing = self.store.get(target)
            if standing is not None:
                self.touch(standing.root_key)

    def etag(self, item: Resource) -> str:
        """The etag of a resource: a child's is its top-level resource's, unless it has one of its own."""
        root = item if item.parent_key is None or item.etag else self.store.get(item.root_key)
        return "" if root is None else root.etag


def new_etag() -> str:
    """A weak etag around a fresh guid, as Microsoft.Network makes them."""
    return f'W/"{new_guid()}"'


def own_etag() -> str:
    """A bare GUID, as services beside Microsoft.Network's core write etags."""
    return new_guid()


def id_of(reference: object) -> str | None:
    """The id in a `{"id": …}` reference; None where there is none."""
    if isinstance(reference, dict):
        value = reference.get("id")
        if isinstance(value, str) and value:
            return value
    return None


def parsed(reference: object) -> ResourceId | None:
    """The same, taken apart."""
    text = id_of(reference)
    return None if text is None else parse(text)


def upper_cased(resource_id: ResourceId) -> str:
    """An id as Microsoft.Network writes it in back references: group and names in upper case."""
    group = None if resource_id.group is None else resource_id.group.upper()
    names = tuple(name.upper() for name in resource_id.names)
    return str(replace(resource_id, group=group, names=names))


def items(body: Json, name: str) -> list[Json]:
    """A list of objects in a body; absent, null or of another shape counts as empty."""
    value = body.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
