"""What stands at the start beside the estate: built-in role definitions, the tenant root group, the principals' roles."""

from arm_emulator import ancestry
from arm_emulator.built_in_roles import BUILT_IN_ROLES
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import SUBSCRIPTION_TYPE, ResourceId, parse
from arm_emulator.principals import Assignment, Principal, stable_guid
from arm_emulator.rights import ROLE_ASSIGNMENTS, ROLE_DEFINITIONS
from arm_emulator.store import resource

_BUILT_IN_SINCE = "2015-02-02T21:55:09.8806423Z"


def complete(cloud: Cloud) -> None:
    """Adds the built-in roles and the tenant root group that are missing, and puts subscriptions of no group there."""
    for role in BUILT_IN_ROLES:
        described = {"roleName": role.name, "type": "BuiltInRole", "description": role.description}
        permission = {
            "actions": [*role.actions],
            "notActions": [*role.not_actions],
            "dataActions": [*role.data_actions],
            "notDataActions": [*role.not_data_actions],
        }
        _define(cloud, role.guid, {**described, "assignableScopes": ["/"], "permissions": [permission]})
    root = ancestry.root_group(cloud.store)
    if root is None:
        tenant = cloud.settings.tenant_id
        details = {"version": 1, "updatedTime": cloud.clock.timestamp(), "updatedBy": tenant}
        body = {"properties": {"displayName": "Tenant Root Group", "tenantId": tenant, "details": details}}
        root = resource(ancestry.group_id(tenant), body)
        cloud.store.put(root)
    for item in [*cloud.store.listed("/", SUBSCRIPTION_TYPE)]:
        if cloud.store.get(ancestry.parent_key(item)) is None:
            item.body[ancestry.PARENT] = root.key
            cloud.store.put(item)


def give(cloud: Cloud, principal: Principal) -> None:
    """Makes the principal's starting rights role assignments, and role definitions where actions are spelt out."""
    for number, assignment in enumerate(principal.assignments):
        guid = _role(cloud, principal, assignment, number)
        scope = assignment.scope.rstrip("/")
        name = stable_guid(f"assignment/{principal.object_id}/{number}")
        assigned = parse(f"{scope}/providers/{ROLE_ASSIGNMENTS}/{name}")
        assert assigned is not None
        place = f"/subscriptions/{assigned.subscription}" if assigned.subscription else ""
        properties = {
            "roleDefinitionId": f"{place}/providers/{ROLE_DEFINITIONS}/{guid}",
            "principalId": principal.object_id,
            "principalType": "ServicePrincipal",
            "scope": scope or "/",
            "condition": None,
            "conditionVersion": None,
            **_made(cloud.clock.timestamp(), principal.object_id),
            "delegatedManagedIdentityResourceId": None,
            "description": "What the principal started with",
        }
        cloud.store.put(resource(assigned, {"properties": properties}))


def _role(cloud: Cloud, principal: Principal, assignment: Assignment, number: int) -> str:
    if assignment.role:
        return next(role.guid for role in BUILT_IN_ROLES if role.name.lower() == assignment.role.lower())
    guid = stable_guid(f"role/{principal.object_id}/{number}")
    permission = {
        "actions": [*assignment.actions],
        "notActions": [*assignment.not_actions],
        "dataActions": [],
        "notDataActions": [],
    }
    described = {"roleName": f"Rights of {principal.name} ({number + 1})", "type": "CustomRole", "description": ""}
    _define(cloud, guid, {**described, "assignableScopes": [assignment.scope], "permissions": [permission]})
    return guid


def _define(cloud: Cloud, guid: str, properties: Json) -> None:
    definition = ResourceId("", None, ROLE_DEFINITIONS, (guid,))
    if cloud.store.get(definition.key) is None:
        cloud.store.put(resource(definition, {"properties": {**properties, **_made(_BUILT_IN_SINCE, None)}}))


def _made(at: str, by: str | None) -> Json:
    return {"createdOn": at, "updatedOn": at, "createdBy": by, "updatedBy": by}
