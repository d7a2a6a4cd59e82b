"""What a resource type declares; the life cycle (`life_cycle.py`) does the rest, once for all types."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import ClassVar

from arm_emulator.cloud import Cloud, new_etag, own_etag
from arm_emulator.errors import Json
from arm_emulator.ids import ResourceId
from arm_emulator.operations import Operation, Timing
from arm_emulator.principals import Principal
from arm_emulator.store import Reference, Resource

IMMEDIATE = Timing(0, (0,))


@dataclass(slots=True)
class Put:
    """A PUT (or the merged body of a PATCH) on its way. `body` is normalised in place by the type's `prepare`."""

    cloud: Cloud
    id: ResourceId
    body: Json
    old: Resource | None
    parent: Json | None
    api_version: str
    principal: Principal
    query: Mapping[str, str] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    """The types of children that the body speaks about: those it leaves out go."""

    @property
    def properties(self) -> Json:
        """The properties that are asked for."""
        properties: Json = self.body["properties"]
        return properties

    @property
    def location(self) -> str:
        """The region that is asked for."""
        return str(self.body.get("location", ""))

    @property
    def before(self) -> Json:
        """The properties that are stored; empty at creation."""
        return {} if self.old is None else self.old.properties


@dataclass(frozen=True, slots=True)
class Link:
    """A right that a body needs on another resource: `action` on `scope`."""

    action: str
    scope: str


class Superseding(Enum):
    """Whose running PUT a new write on a family cancels and replaces; where it does not, it is refused for the time."""

    NOTHING = "nothing"
    ITSELF = "itself"
    FAMILY = "family"


@dataclass(frozen=True, slots=True)
class Statuses:
    """What writes are answered with."""

    created: int = HTTPStatus.CREATED
    updated: int = HTTPStatus.OK
    """That of a PUT on what is there."""
    deleted: int = HTTPStatus.OK
    """That of a deletion that is done at once."""
    deletion_has_body: bool = False
    """Whether a deletion that is done at once answers what was deleted."""


class ResourceType:
    """Defaults that fit most of Microsoft.Network. A type overrides what it does otherwise."""

    name: str
    tracked: ClassVar[bool] = True
    """Whether it has a location and tags of its own."""
    has_etag: ClassVar[bool] = True
    members: ClassVar[Sequence[str]] = (
        "name", "id", "etag", "type", "location", "tags", "zones", "extendedLocation", "properties",
    )  # fmt: skip
    """The members of an answer in their recorded order; what is not named follows as it is stored."""
    order: ClassVar[Sequence[str]] = ("provisioningState", "resourceGuid")
    """The properties that an answer begins with, in their recorded order."""
    nested: ClassVar[Mapping[str, str]] = {}
    """Property of this type that lists children, and the children's type."""
    read_only: ClassVar[frozenset[str]] = frozenset({"provisioningState", "resourceGuid"})
    """Properties that a body may carry and that are ignored there."""
    unpublished: ClassVar[frozenset[str]] = frozenset()
    """Those of them that Azure answers, and takes back, though no published shape has them; and of other members, as
    `sku.tier`."""
    envelope: ClassVar[frozenset[str]] = frozenset({"location", "tags", "properties"})
    """Members of the body beside id, name, type and etag."""
    has_state: ClassVar[bool] = True
    """Whether its properties tell a provisioningState."""
    create: ClassVar[Timing] = Timing(1, (1,))
    update: ClassVar[Timing | None] = None
    delete: ClassVar[Timing] = Timing(10, (10,))
    statuses: ClassVar[Statuses] = Statuses()
    tenant_wide: ClassVar[bool] = False
    """Whether one is the same whatever scope it is asked for at, as a role definition is: ids are answered as asked."""
    not_found: ClassVar[tuple[str, str]] = ("", "")
    """Code and message (with `{id}` and `{name}`) of its own 404; ARM's where the code is empty."""
    own_etag: ClassVar[bool] = False
    """Whether the etag is a bare GUID of this resource alone, not shared between parent and child."""
    names: ClassVar[re.Pattern[str]] = re.compile(r"\w(?:[\w.-]{0,78}\w)?", re.ASCII)
    """What a name may be."""
    creating_state: ClassVar[str] = "Updating"
    kind: ClassVar[str] = ""
    """The `kind` that an answer tells; a body may carry it and it is ignored there."""
    notifies: ClassVar[bool] = True
    """Whether the answer that starts an operation says `Azure-AsyncNotification: Enabled`."""
    silent_when_unchanged: ClassVar[bool] = False
    """Whether a PUT that changes nothing is answered Succeeded at once, without an operation; where it changes tags
    alone, the operation has ended."""
    superseding: ClassVar[Superseding] = Superseding.NOTHING
    """Meant for top-level types: what holds for the whole family below."""
    retryable_references: ClassVar[bool] = False
    """Whether a reference to what has not come to rest is answered with 429 RetryableError in place of 400."""
    force_skips_checks: ClassVar[bool] = False
    """Whether `force=true` deletes what `check_delete` would keep."""
    next_link: ClassVar[str] = "nextLink"
    """The member of a list that leads to its next page; empty where lists come on one page."""
    by_location: ClassVar[bool] = False
    """Whether a subscription's can be listed by region, below `locations/{region}`."""
    actions: ClassVar[Mapping[str, str]] = {}
    """POST actions by lower-cased name, and how they are spelt."""
    parts: ClassVar[Mapping[str, str]] = {}
    """Read-only children by lower-cased segment, and the property that they are the entries of."""
    below: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Lists of all descendants of some types, by the lower-cased segment that asks for them."""
    users: ClassVar[Mapping[str, str]] = {}
    """Lists of those that refer to it, by the lower-cased segment that asks for them: how they do so."""
    patchable: ClassVar[frozenset[str]] = frozenset({"tags"})
    merges_patch: ClassVar[bool] = False
    """Whether PATCH merges into the whole body (JSON merge patch) and then goes the way of a PUT."""

    def appears(self, cloud: Cloud, resource_id: ResourceId) -> Resource | None:
        """Stores and returns what Azure makes by itself when it is first asked for; None where it makes nothing."""
        return None

    def prepare(self, put: Put) -> None:
        """Fills in defaults and refuses what is wrong with this body alone. Raises ArmError."""

    def check_children(self, put: Put, child_type: str, children: list[Json]) -> None:
        """Refuses a set of children (`{id, name, properties}`) that cannot be under the parent as `put` leaves it."""

    def check_name(self, resource_id: ResourceId) -> bool:
        """Whether names of this type have rules of their own, and this one keeps them; ARM's hold where False."""
        del resource_id
        return False

    def links(self, put: Put) -> list[Link]:
        """Rights that the caller needs on what the body refers to."""
        return []

    def references(self, item: Resource) -> list[Reference]:
        """What the stored body refers to."""
        return []

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        """What follows for others as soon as the write is acknowledged."""

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        """What appears when the operation has succeeded. The life cycle stores `item` afterwards."""

    def family(self, cloud: Cloud, item: Resource) -> list[Resource]:
        """Those that come to rest with it when an operation on it ends: what is below it."""
        return cloud.store.descendants(item.key)

    def adopted(self, item: Resource) -> None:
        """Fills in what a row of an estate file leaves out and Azure would know."""

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        """Refuses a deletion of something in use. Raises ArmError."""

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        """What follows for others once it is gone; `item` is still in the store."""

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        """Properties that are answered but not stored: back references and states of others."""
        return {}

    def row(self, cloud: Cloud, item: Resource) -> Json:
        """Properties that only Resource Graph's rows have."""
        return {}

    def view(self, cloud: Cloud, item: Resource, segment: str, query: Mapping[str, str]) -> Json | None:
        """What GET answers on `{id}/{segment}` (lower-case) that is no child; None where there is nothing such.

        Raises ArmError where the query is wrong.
        """
        return None

    def expanded(self, cloud: Cloud, item: Resource, expand: str) -> Json:
        """Properties that a GET adds for `$expand` (lower-case)."""
        return {}

    def listed(self, cloud: Cloud, place: str, query: Mapping[str, str]) -> list[Resource]:
        """The resources of this type on a place: a lower-cased id, or `/` for the tenant."""
        return cloud.store.listed(place, self.name)

    def answered(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        """What a `Result` comes to when its operation has succeeded; its body is in the operation's detail."""

    def act(self, cloud: Cloud, item: Resource, call: "Call") -> "Action | Result | Reply":
        """Does a POST action; raises ArmError where it cannot be done."""
        raise NotImplementedError(f"{self.name} declares no action {call.action}")


@dataclass(frozen=True, slots=True)
class Call:
    """A POST action: its name in lower case, its body (empty where none was sent), and who asks."""

    action: str
    body: Json
    principal: Principal
    api_version: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """An action that changes the resource: an operation of this timing, and what its end stores."""

    name: str
    timing: Timing
    detail: Json


@dataclass(frozen=True, slots=True)
class Result:
    """An action that answers later: 202 with `null` and a Location alone, where `body` is found at the end."""

    name: str
    timing: Timing
    body: Json


@dataclass(frozen=True, slots=True)
class Reply:
    """An action that is answered at once, with 200 and this body."""

    body: object


def fresh_etag(declared: ResourceType, item: Resource) -> str:
    """A new etag of the kind that the type has; empty for a child that shows its top-level resource's."""
    if declared.own_etag:
        return own_etag()
    return new_etag() if item.parent_key is None else ""
