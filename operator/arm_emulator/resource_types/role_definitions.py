"""Microsoft.Authorization/roleDefinitions: built-in ones are only read; custom ones are one tenant's, whatever the scope.

Rules: https://learn.microsoft.com/azure/role-based-access-control/custom-roles and
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting (the codes).
"""

from collections.abc import Mapping

from arm_emulator import ancestry, odata
from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, bad_request, conflict
from arm_emulator.resource_types.base import IMMEDIATE, Link, Put, ResourceType, Statuses
from arm_emulator.rights import ROLE_ASSIGNMENTS, ROLE_DEFINITIONS, definition_name
from arm_emulator.store import Resource

CUSTOM = "CustomRole"
_MEMBERS = ("actions", "notActions", "dataActions", "notDataActions")


class RoleDefinitions(ResourceType):
    """The same at whatever scope it is asked for; PUT answers 201, a deletion what was deleted, and built-in ones stay."""

    name = ROLE_DEFINITIONS
    tracked = has_etag = has_state = False
    envelope = frozenset({"properties"})
    members = ("properties", "id", "type", "name")
    create = delete = IMMEDIATE
    statuses = Statuses(updated=201, deletion_has_body=True)
    tenant_wide = True
    not_found = ("RoleDefinitionDoesNotExist", "The specified role definition with ID '{name}' does not exist.")
    read_only = frozenset({"createdOn", "updatedOn", "createdBy", "updatedBy"})

    def prepare(self, put: Put) -> None:
        wanted = put.properties
        if put.before.get("type", CUSTOM) != CUSTOM:
            raise bad_request("BuiltInRoleDefinitionCannotBeChanged", f"Role definition '{put.id.name}' is built in.")
        name = wanted.get("roleName")
        if not isinstance(name, str) or not name.strip():
            raise malformed("The role definition has no roleName.")
        scopes = texts(wanted, "assignableScopes")
        if not scopes:
            raise malformed("The role definition has no assignableScopes.")
        for other in put.cloud.store.listed("/", ROLE_DEFINITIONS):
            if other.key != put.id.key and str(other.properties.get("roleName", "")).lower() == name.lower():
                raise conflict(
                    "RoleDefinitionWithSameNameExists",
                    "A custom role with the same name already exists in this directory.",
                )
        at, by = put.cloud.clock.timestamp(), put.principal.object_id
        put.body["properties"] = {
            "roleName": name,
            "type": CUSTOM,
            "description": str(wanted.get("description") or ""),
            "assignableScopes": scopes,
            "permissions": _permissions(wanted),
            "createdOn": put.before.get("createdOn", at),
            "updatedOn": at,
            "createdBy": put.before.get("createdBy", by),
            "updatedBy": by,
        }

    def links(self, put: Put) -> list[Link]:
        """A custom role is written with the right to do so on all the scopes that it can be assigned at."""
        return [
            Link(f"{ROLE_DEFINITIONS}/write", scope) for scope in put.properties["assignableScopes"] if scope != "/"
        ]

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        if item.properties.get("type") != CUSTOM:
            raise bad_request("BuiltInRoleDefinitionCannotBeChanged", f"Role definition '{item.name}' is built in.")
        if any(definition_name(one) == item.name.lower() for one in cloud.store.listed("/", ROLE_ASSIGNMENTS)):
            raise conflict(
                "RoleDefinitionHasAssignments",
                f"There are existing role assignments referencing role (id: {item.name}).",
            )

    def listed(self, cloud: Cloud, place: str, query: Mapping[str, str]) -> list[Resource]:
        """Those that can be assigned at the place; `atScopeAndBelow()` adds those for scopes below it."""
        text = query.get("$filter", "")
        terms = odata.only(odata.terms(text), text, "rolename", "type", "atscopeandbelow", "atscope")
        here = set(ancestry.levels(cloud.store, place))
        below = any(term.name == "atscopeandbelow" for term in terms)
        found = []
        for item in cloud.store.listed("/", ROLE_DEFINITIONS):
            scopes = [scope.lower().rstrip("/") or "/" for scope in texts(item.properties, "assignableScopes")]
            near = any(scope in here or (below and place in ancestry.levels(cloud.store, scope)) for scope in scopes)
            if near and all(_fits(item, term) for term in terms):
                found.append(item)
        return found


def malformed(message: str) -> ArmError:
    """400: a body of Microsoft.Authorization's that cannot be used."""
    return bad_request("BadRequestFormat", f"The request was incorrectly formatted. {message}")


def texts(properties: Json, name: str) -> list[str]:
    """A list of texts in a body; absent is empty. Raises BadRequestFormat."""
    value = properties.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise malformed(f"'{name}' is no list of strings.")
    return value


def _permissions(wanted: Json) -> list[Json]:
    listed = wanted.get("permissions")
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        raise malformed("The role definition has no permissions.")
    return [{name: texts(one, name) for name in _MEMBERS} for one in listed]


def _fits(item: Resource, term: odata.Term) -> bool:
    if term.name in ("atscope", "atscopeandbelow"):
        return True
    value = item.properties.get("roleName" if term.name == "rolename" else "type", "")
    return str(value).lower() == term.value.lower()
