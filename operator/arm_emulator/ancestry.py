"""Management groups above subscriptions, and with them every scope that something is inherited from."""

from collections.abc import Iterator

from arm_emulator.errors import Json
from arm_emulator.ids import SUBSCRIPTION_TYPE, ResourceId, scopes
from arm_emulator.store import Resource, Store

MANAGEMENT_GROUPS = "Microsoft.Management/managementGroups"
PARENT = "_managementGroup"
"""Member of a subscription's body: the key of the management group that it is in."""
_PREFIX = f"/providers/{MANAGEMENT_GROUPS}/"


def group_id(name: str) -> ResourceId:
    """The id of the management group with this name."""
    return ResourceId("", None, MANAGEMENT_GROUPS, (name,))


def parent_key(item: Resource) -> str:
    """The key of the management group that a subscription or a management group is directly in; empty for a root."""
    if item.id.type == SUBSCRIPTION_TYPE:
        return str(item.body.get(PARENT, ""))
    parent = (item.properties.get("details") or {}).get("parent") or {}
    return str(parent.get("id") or "").lower()


def groups_above(store: Store, item: Resource | None) -> list[Resource]:
    """The management groups above a subscription or a management group, nearest first."""
    found: list[Resource] = []
    while item is not None:
        item = store.get(parent_key(item))
        if item is None or item in found:
            break
        found.append(item)
    return found


def levels(store: Store, scope: str) -> Iterator[str]:
    """A lower-cased scope and all that it inherits from, narrowest first: resource, group, subscription, management
    groups, `/`.
    """
    key = scope.rstrip("/")
    start = ""
    for level in scopes(key) if key else ():
        if level != "/":
            yield level
            start = level if _is_container(level) else start
    for group in groups_above(store, store.get(start)):
        yield group.key
    yield "/"


def chain(store: Store, item: Resource) -> list[Json]:
    """The ancestry as Resource Graph's rows have it: name and display name, nearest first, the root last."""
    return [
        {"displayName": str(group.properties.get("displayName") or group.name), "name": group.name}
        for group in groups_above(store, item)
    ]


def root_group(store: Store) -> Resource | None:
    """The management group that new ones and new subscriptions go to."""
    groups = store.listed("/", MANAGEMENT_GROUPS)
    return next((group for group in groups if not parent_key(group)), None)


def _is_container(level: str) -> bool:
    """Whether a key is a subscription's or a management group's."""
    if level.startswith("/subscriptions/"):
        return "/" not in level.removeprefix("/subscriptions/")
    return level.startswith(_PREFIX.lower()) and "/" not in level[len(_PREFIX) :]
