"""Microsoft.Authorization/roleAssignments: who has which role at which scope. What they come to is told by `rights.py`.

Rules: https://learn.microsoft.com/azure/role-based-access-control/role-assignments-rest,
https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest (the filters) and
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting (the codes).
"""

import uuid
from collections.abc import Mapping

from arm_emulator import ancestry, odata
from arm_emulator.cloud import Cloud
from arm_emulator.errors import bad_request, conflict, not_found
from arm_emulator.ids import ResourceId
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType, Statuses
from arm_emulator.resource_types.role_definitions import RoleDefinitions, malformed
from arm_emulator.rights import ROLE_ASSIGNMENTS, ROLE_DEFINITIONS, definition_name, scope_of
from arm_emulator.store import Resource

PRINCIPAL_TYPES = ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device")


class RoleAssignments(ResourceType):
    """Named by a GUID, one for a principal, role and scope; a list has those above the place and below it as well."""

    name = ROLE_ASSIGNMENTS
    tracked = has_etag = has_state = False
    envelope = frozenset({"properties"})
    members = ("properties", "id", "type", "name")
    create = delete = IMMEDIATE
    statuses = Statuses(deletion_has_body=True)
    not_found = ("RoleAssignmentNotFound", "The role assignment '{name}' is not found.")
    read_only = frozenset({"scope", "createdOn", "updatedOn", "createdBy", "updatedBy"})

    def check_name(self, resource_id: ResourceId) -> bool:
        if not _is_guid(resource_id.name):
            raise bad_request(
                "InvalidRoleAssignmentId",
                f"The role assignment ID '{resource_id.name}' is not valid. The role assignment ID must be a GUID.",
            )
        return True

    def prepare(self, put: Put) -> None:
        wanted = put.properties
        principal, role = wanted.get("principalId"), wanted.get("roleDefinitionId")
        if not isinstance(principal, str) or not _is_guid(principal) or not isinstance(role, str):
            raise malformed("A role assignment needs a principalId (a GUID) and a roleDefinitionId.")
        guid = role.rstrip("/").rpartition("/")[2]
        if put.cloud.store.get(f"/providers/{ROLE_DEFINITIONS}/{guid}".lower()) is None:
            raise not_found(*(text.format(name=guid) for text in RoleDefinitions.not_found))
        self._refuse_change(put, principal, guid)
        self._refuse_twin(put, principal, guid)
        at, by = put.cloud.clock.timestamp(), put.principal.object_id
        place = f"/subscriptions/{put.id.subscription}" if put.id.subscription else ""
        put.body["properties"] = {
            "roleDefinitionId": f"{place}/providers/{ROLE_DEFINITIONS}/{guid}",
            "principalId": principal,
            "principalType": self._principal_type(put, principal),
            "scope": put.id.scope or "/",
            "condition": wanted.get("condition"),
            "conditionVersion": wanted.get("conditionVersion"),
            "createdOn": put.before.get("createdOn", at),
            "updatedOn": at,
            "createdBy": put.before.get("createdBy", by),
            "updatedBy": by,
            "delegatedManagedIdentityResourceId": wanted.get("delegatedManagedIdentityResourceId"),
            "description": wanted.get("description"),
        }

    def listed(self, cloud: Cloud, place: str, query: Mapping[str, str]) -> list[Resource]:
        """At, above and below the place; `atScope()` leaves out what is below."""
        text = query.get("$filter", "")
        terms = odata.only(odata.terms(text), text, "atscope", "assignedto", "principalid")
        here = set(ancestry.levels(cloud.store, place))
        below = not any(term.name == "atscope" for term in terms)
        return [
            item
            for item in cloud.store.listed("/", ROLE_ASSIGNMENTS)
            if (scope_of(item) in here or (below and place in ancestry.levels(cloud.store, scope_of(item))))
            and all(_fits(item, term) for term in terms)
        ]

    def _principal_type(self, put: Put, principal: str) -> str:
        given = put.properties.get("principalType")
        if given is not None:
            spelt = {one.lower(): one for one in PRINCIPAL_TYPES}.get(str(given).lower())
            if spelt is None:
                raise malformed(f"The principalType '{given}' is none of {', '.join(PRINCIPAL_TYPES)}.")
            return spelt
        if principal.lower() not in put.cloud.rights.directory:
            raise bad_request(
                "PrincipalNotFound",
                f"Principal {principal.replace('-', '')} does not exist in the directory {put.cloud.settings.tenant_id}. "
                "Check that you have the correct principal ID. If you are creating this principal and then immediately "
                "assigning a role, this error might be related to a replication delay. In this case, set the role "
                "assignment principalType property to a value, such as ServicePrincipal, User, or Group. See "
                "https://aka.ms/docs-principaltype",
            )
        return str(put.before.get("principalType", "ServicePrincipal"))

    def _refuse_change(self, put: Put, principal: str, guid: str) -> None:
        """What an assignment is of cannot be changed: only its condition and description can."""
        if put.old is None:
            return
        same = str(put.before.get("principalId", "")).lower() == principal.lower()
        if not same or definition_name(put.old) != guid.lower():
            raise bad_request(
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )

    def _refuse_twin(self, put: Put, principal: str, guid: str) -> None:
        """There is one assignment of a role to a principal at a scope."""
        scope = put.id.scope.lower() or "/"
        for other in put.cloud.store.listed("/", ROLE_ASSIGNMENTS):
            wanted = (scope, principal.lower(), guid.lower())
            found = (scope_of(other), str(other.properties.get("principalId", "")).lower(), definition_name(other))
            if other.key != put.id.key and found == wanted:
                raise conflict(
                    "RoleAssignmentExists",
                    "The role assignment already exists. The ID of the existing role assignment is "
                    f"{other.name.replace('-', '')}.",
                )


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _fits(item: Resource, term: odata.Term) -> bool:
    if term.name == "atscope":
        return True
    wanted = term.arguments[0] if term.name == "assignedto" and term.arguments else term.value
    return str(item.properties.get("principalId", "")).lower() == wanted.lower()
