"""What Azure knows: resources by lower-cased id, with the indexes that lists, back references and the graph need."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from arm_emulator.errors import Json
from arm_emulator.ids import ResourceId


@dataclass(slots=True)
class Resource:
    """One ARM resource. `body` holds what was stored (location, tags, sku, properties …) without id, name, type, etag
    and without children, which are resources of their own. `etag` is empty on children that share their parent's.
    """

    id: ResourceId
    key: str
    body: Json
    etag: str = ""
    root_key: str = ""
    parent_key: str | None = None

    @property
    def name(self) -> str:
        """The last name of the id."""
        return self.id.name

    @property
    def properties(self) -> Json:
        """The stored properties."""
        properties: Json = self.body["properties"]
        return properties

    @property
    def state(self) -> str:
        """The provisioning state; resources that have none count as Succeeded."""
        return str(self.properties.get("provisioningState", "Succeeded"))

    @property
    def location(self) -> str:
        """The region, empty for children."""
        return str(self.body.get("location", ""))


def resource(resource_id: ResourceId, body: Json) -> Resource:
    """A resource with its derived keys: those of parent and root are its own, less a segment and a name a level."""
    key = resource_id.key
    levels = len(resource_id.names) - 1
    return Resource(
        resource_id,
        key,
        body,
        root_key=key.rsplit("/", 2 * levels)[0] if levels else key,
        parent_key=key.rsplit("/", 2)[0] if levels else None,
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """`source` names `target` (a key) in its body; `element` is the id of the part of it that does, for back references."""

    relation: str
    target: str
    element: str
    source: str = field(default="")


type_key = str.lower
ReferencesOf = Callable[[Resource], list[Reference]]
_EMPTY: dict[str, None] = {}


class Store:
    """Dictionaries only: an answer is found without a scan. Listeners hear of each change (persistence, the graph)."""

    def __init__(self, references_of: ReferencesOf) -> None:
        """`references_of` reads the references out of a resource's body."""
        self._references_of = references_of
        self._resources: dict[str, Resource] = {}
        self._by_scope: dict[tuple[str, str], dict[str, None]] = {}
        self._children: dict[str, dict[str, dict[str, None]]] = {}
        self._extensions: dict[str, dict[str, None]] = {}
        self._outgoing: dict[str, list[Reference]] = {}
        self._incoming: dict[str, dict[Reference, None]] = {}
        self.listeners: list[Callable[[str, Resource | None], None]] = []

    def get(self, key: str) -> Resource | None:
        """The resource with this lower-cased id."""
        return self._resources.get(key)

    def __iter__(self) -> Iterator[Resource]:
        """All resources, children included, in the order in which they were made."""
        return iter(self._resources.values())

    def __len__(self) -> int:
        """How many resources there are."""
        return len(self._resources)

    def put(self, item: Resource) -> None:
        """Adds or replaces. Call it after every change of a body: indexes and listeners follow from here."""
        if item.key not in self._resources:
            self._index(item)
        self._resources[item.key] = item
        self._refer(item.key, self._references_of(item))
        self._tell(item.key, item)

    def remove(self, key: str) -> None:
        """Removes one resource with its children and the extension resources on it."""
        below = itertools.chain(*self._children.get(key, {}).values(), self._extensions.get(key, ()))
        for one in [*below]:
            self.remove(one)
        item = self._resources.pop(key, None)
        if item is None:
            return
        self._refer(key, [])
        for scope in _list_scopes(item):
            self._by_scope[scope].pop(key, None)
        if item.parent_key is not None:
            self._children[item.parent_key][type_key(item.id.type)].pop(key, None)
        elif item.id.extends:
            self._extensions[item.id.extends.lower()].pop(key, None)
        self._tell(key, None)

    def children(self, key: str, child_type: str) -> list[Resource]:
        """The children of one type, oldest first."""
        keys = self._children.get(key, {}).get(type_key(child_type), _EMPTY)
        return [self._resources[child] for child in keys]

    def descendants(self, key: str) -> list[Resource]:
        """All resources below one, parents before their children."""
        found: list[Resource] = []
        for child in itertools.chain(*self._children.get(key, {}).values()):
            found += [self._resources[child], *self.descendants(child)]
        return found

    def listed(self, scope: str, resource_type: str) -> list[Resource]:
        """The resources of a type in a subscription or resource group, or on a resource, oldest first.

        `scope` is a lower-cased id; `/` is the whole tenant.
        """
        return [self._resources[key] for key in self._by_scope.get((scope, type_key(resource_type)), _EMPTY)]

    def count(self, scope: str, resource_type: str) -> int:
        """How many resources `listed` would give."""
        return len(self._by_scope.get((scope, type_key(resource_type)), _EMPTY))

    def referrers(self, key: str, relation: str | None = None) -> list[Reference]:
        """Who refers to the resource with this key, in the order in which they began to."""
        incoming = self._incoming.get(key, {})
        return [reference for reference in incoming if relation is None or reference.relation == relation]

    def referred(self, key: str) -> list[Reference]:
        """What the resource with this key refers to."""
        return self._outgoing.get(key, [])

    def _index(self, item: Resource) -> None:
        for scope in _list_scopes(item):
            self._by_scope.setdefault(scope, {})[item.key] = None
        if item.parent_key is not None:
            of_parent = self._children.setdefault(item.parent_key, {})
            of_parent.setdefault(type_key(item.id.type), {})[item.key] = None
        elif item.id.extends:
            self._extensions.setdefault(item.id.extends.lower(), {})[item.key] = None

    def _refer(self, key: str, references: list[Reference]) -> None:
        wanted = [Reference(r.relation, r.target.lower(), r.element, key) for r in references]
        before = self._outgoing.pop(key, [])
        for reference in before:
            if reference not in wanted:
                self._incoming[reference.target].pop(reference, None)
        for reference in wanted:
            self._incoming.setdefault(reference.target, {})[reference] = None
        if wanted:
            self._outgoing[key] = wanted

    def _tell(self, key: str, item: Resource | None) -> None:
        for listener in self.listeners:
            listener(key, item)


def _list_scopes(item: Resource) -> list[tuple[str, str]]:
    """Where the resource shows up in lists: its group, its subscription, what it extends, and the tenant."""
    of_type = type_key(item.id.type)
    scopes = [("/", of_type)]
    if item.id.subscription:
        subscription = f"/subscriptions/{item.id.subscription.lower()}"
        scopes.append((subscription, of_type))
        if item.id.group is not None:
            scopes.append((f"{subscription}/resourcegroups/{item.id.group.lower()}", of_type))
    if item.id.extends:
        scopes.append((item.id.extends.lower(), of_type))
    return scopes
