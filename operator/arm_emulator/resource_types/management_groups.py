"""Microsoft.Management/managementGroups: the tree that subscriptions hang in.

Rules: https://learn.microsoft.com/azure/governance/management-groups/overview and the provider's REST reference.
"""

from collections.abc import Mapping

from arm_emulator import ancestry
from arm_emulator.ancestry import MANAGEMENT_GROUPS
from arm_emulator.cloud import Cloud, id_of
from arm_emulator.errors import Json, bad_request, invalid_format, not_found
from arm_emulator.ids import SUBSCRIPTION_TYPE
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType, Statuses
from arm_emulator.store import Resource

DEEPEST = 6
"""Levels below the root."""


class ManagementGroups(ResourceType):
    """Created with 200, deleted with 204; what a PUT leaves out stays, lists go on by `@nextLink`, six levels are the most."""

    name = MANAGEMENT_GROUPS
    tracked = has_etag = has_state = False
    envelope = frozenset({"properties", "displayName", "parentId", "parentGroupId"})
    create = delete = IMMEDIATE
    statuses = Statuses(created=200, deleted=204)
    merges_patch = True
    next_link = "@nextLink"
    read_only = frozenset({"tenantId", "children"})
    not_found = ("NotFound", "Management group '{id}' was not found.")

    def prepare(self, put: Put) -> None:
        details = put.properties.get("details")
        if details is not None and not isinstance(details, dict):
            raise invalid_format("Error converting value to an object.", "properties.details")
        named = put.body.pop("displayName", None) or put.properties.get("displayName") or put.before.get("displayName")
        moved = (
            put.body.pop("parentId", None)
            or put.body.pop("parentGroupId", None)
            or id_of((details or {}).get("parent"))
        )
        parent = self._parent(put, None if moved is None else str(moved))
        kept = (put.before.get("details") or {}) if put.old is not None else {}
        shown = {
            "version": int(kept.get("version") or 0) + 1,
            "updatedTime": put.cloud.clock.timestamp(),
            "updatedBy": put.principal.object_id,
        }
        if parent is not None:
            shown["parent"] = {
                "id": str(parent.id),
                "name": parent.name,
                "displayName": parent.properties.get("displayName") or parent.name,
            }
        put.body["properties"] = {
            "tenantId": put.cloud.settings.tenant_id,
            "displayName": str(named or put.id.name),
            "details": shown,
        }

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        """The rows of all that hangs below tell of it."""
        del put
        for one in below(cloud, item):
            cloud.store.put(one)

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        if not ancestry.parent_key(item):
            raise bad_request("BadRequest", f"The root management group '{item.name}' cannot be deleted.")
        if children(cloud, item):
            raise bad_request(
                "BadRequest",
                f"Management group '{item.name}' cannot be deleted because it has children: move or delete them first.",
            )

    def row(self, cloud: Cloud, item: Resource) -> Json:
        chain = ancestry.chain(cloud.store, item)
        details = {**(item.properties.get("details") or {}), "managementGroupAncestorsChain": chain}
        return {"details": {**details, "managementGroupAncestors": [one["name"] for one in chain]}}

    def expanded(self, cloud: Cloud, item: Resource, expand: str) -> Json:
        if expand == "children":
            return {"children": [described(cloud, one) for one in children(cloud, item)] or None}
        if expand in ("path", "ancestors"):
            groups = ancestry.groups_above(cloud.store, item)
            path = [
                {"id": str(one.id), "name": one.name, "displayName": one.properties.get("displayName")}
                for one in groups
            ]
            name = "path" if expand == "path" else "managementGroupAncestorsChain"
            shown = path[::-1] if expand == "path" else ancestry.chain(cloud.store, item)
            return {"details": {**(item.properties.get("details") or {}), name: shown}}
        return {}

    def view(self, cloud: Cloud, item: Resource, segment: str, query: Mapping[str, str]) -> Json | None:
        if segment == "descendants":
            return {"value": [described(cloud, one, parent=True) for one in below(cloud, item)]}
        if segment == "subscriptions":
            found = [one for one in children(cloud, item) if one.id.type == SUBSCRIPTION_TYPE]
            return {"value": [membership(cloud, item, one) for one in found]}
        return None

    def _parent(self, put: Put, wanted: str | None) -> Resource | None:
        if wanted is None:
            if put.old is not None:
                return put.cloud.store.get(ancestry.parent_key(put.old))
            return ancestry.root_group(put.cloud.store)
        parent = put.cloud.find(wanted)
        if parent is None or parent.id.type != MANAGEMENT_GROUPS:
            raise not_found("NotFound", f"Management group '{wanted}' was not found.")
        above = [parent, *ancestry.groups_above(put.cloud.store, parent)]
        if any(one.key == put.id.key for one in above):
            raise bad_request("BadRequest", f"Management group '{put.id.name}' cannot be moved below itself.")
        if len(above) > DEEPEST:
            raise bad_request("BadRequest", f"The management group tree has at most {DEEPEST} levels below the root.")
        return parent


def children(cloud: Cloud, group: Resource) -> list[Resource]:
    """The management groups and subscriptions that are directly in a group."""
    candidates = [*cloud.store.listed("/", MANAGEMENT_GROUPS), *cloud.store.listed("/", SUBSCRIPTION_TYPE)]
    return [one for one in candidates if ancestry.parent_key(one) == group.key]


def below(cloud: Cloud, group: Resource) -> list[Resource]:
    """All management groups and subscriptions below a group, nearest first."""
    found = children(cloud, group)
    for one in found:
        if one.id.type == MANAGEMENT_GROUPS:
            found += [inner for inner in children(cloud, one) if inner not in found]
    return found


def described(cloud: Cloud, item: Resource, *, parent: bool = False) -> Json:
    """A child or descendant as the provider lists it."""
    is_group = item.id.type == MANAGEMENT_GROUPS
    name = item.properties.get("displayName") if is_group else item.body.get("_displayName")
    kind = MANAGEMENT_GROUPS if is_group else "/subscriptions"
    shown = {"id": str(item.id), "type": kind, "name": item.name}
    if not parent:
        return {**shown, "displayName": name or item.name}
    above = cloud.store.get(ancestry.parent_key(item))
    return {
        **shown,
        "type": f"{MANAGEMENT_GROUPS}/subscriptions" if not is_group else kind,
        "properties": {"displayName": name or item.name, "parent": {"id": "" if above is None else str(above.id)}},
    }


def membership(cloud: Cloud, group: Resource, subscription: Resource) -> Json:
    """A subscription as a child of its management group."""
    return {
        "name": subscription.name,
        "id": f"{group.id}/subscriptions/{subscription.name}",
        "type": f"{MANAGEMENT_GROUPS}/subscriptions",
        "properties": {
            "tenant": cloud.settings.tenant_id,
            "displayName": subscription.body.get("_displayName", subscription.name),
            "parent": {"id": str(group.id)},
            "state": subscription.properties.get("state", "Enabled"),
        },
    }
