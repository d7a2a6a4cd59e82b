"""What Microsoft.Management answers beside its groups: memberships of subscriptions, and all entities one can see."""

from http import HTTPStatus

from arm_emulator import ancestry
from arm_emulator.ancestry import MANAGEMENT_GROUPS
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request, not_found
from arm_emulator.ids import SUBSCRIPTION_TYPE
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.resource_types.management_groups import below, children, membership
from arm_emulator.store import Resource

_VERBS = {"GET": "read", "PUT": "write", "DELETE": "delete"}


class ManagementGroupEndpoints:
    """Answers for the tree of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose subscriptions are moved."""
        self._cloud = cloud

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is none of these. Raises ArmError."""
        match segments:
            case ["providers", "microsoft.management", "managementgroups", group, "subscriptions", subscription]:
                return self._member(request, principal, group, subscription)
            case ["providers", "microsoft.management", "getentities"] if request.method == "POST":
                return self._entities(principal)
            case _:
                return None

    def _member(self, request: Request, principal: Principal, name: str, guid: str) -> Answer:
        verb = _VERBS.get(request.method)
        group = self._cloud.store.get(ancestry.group_id(name).key)
        subscription = self._cloud.store.get(f"/subscriptions/{guid}")
        where = f"/providers/{MANAGEMENT_GROUPS}/{name}"
        if verb is None:
            raise bad_request("UnsupportedHttpVerb", f"The HTTP verb '{request.method}' is not supported here.")
        self._cloud.rights.authorize(principal, f"{MANAGEMENT_GROUPS}/subscriptions/{verb}", where)
        if group is None or subscription is None:
            raise not_found("NotFound", f"'{where}' or subscription '{guid}' was not found.")
        inside = ancestry.parent_key(subscription) == group.key
        if verb == "write":
            self._cloud.rights.authorize(principal, "Microsoft.Authorization/roleAssignments/write", subscription.key)
            self._move(subscription, group)
            return Answer(HTTPStatus.OK, membership(self._cloud, group, subscription), write=str(subscription.id))
        if verb == "delete":
            if not inside:
                return Answer(HTTPStatus.NO_CONTENT)
            root = ancestry.root_group(self._cloud.store)
            assert root is not None
            self._move(subscription, root)
            return Answer(HTTPStatus.OK, write=str(subscription.id))
        if not inside:
            raise not_found("NotFound", f"Subscription '{guid}' is not in management group '{name}'.")
        return Answer(HTTPStatus.OK, membership(self._cloud, group, subscription))

    def _move(self, subscription: Resource, group: Resource) -> None:
        subscription.body[ancestry.PARENT] = group.key
        self._cloud.store.put(subscription)

    def _entities(self, principal: Principal) -> Answer:
        """Groups and subscriptions that the caller may read, with what hangs in each."""
        store = self._cloud.store
        found = [
            self._entity(item)
            for item in [*store.listed("/", MANAGEMENT_GROUPS), *store.listed("/", SUBSCRIPTION_TYPE)]
            if self._cloud.rights.may(principal, f"{item.id.type}/read", item.key)
        ]
        return Answer(HTTPStatus.OK, {"value": found, "count": len(found)})

    def _entity(self, item: Resource) -> Json:
        above = ancestry.groups_above(self._cloud.store, item)
        is_group = item.id.type == MANAGEMENT_GROUPS
        inner = children(self._cloud, item) if is_group else []
        name = item.properties.get("displayName") if is_group else item.body.get("_displayName")
        return {
            "id": str(item.id),
            "type": MANAGEMENT_GROUPS if is_group else "/subscriptions",
            "name": item.name,
            "properties": {
                "tenantId": self._cloud.settings.tenant_id,
                "displayName": name or item.name,
                "parent": {"id": str(above[0].id) if above else None},
                "permissions": "edit",
                "inheritedPermissions": "edit",
                "parentDisplayNameChain": [one.properties.get("displayName") for one in reversed(above)],
                "parentNameChain": [one.name for one in reversed(above)],
                "numberOfChildren": len(inner),
                "numberOfChildGroups": sum(one.id.type == MANAGEMENT_GROUPS for one in inner),
                "numberOfDescendants": len(below(self._cloud, item)) if is_group else 0,
            },
        }
