"""Rows of subscriptions, role assignments, role definitions and sign-in extensions, as Resource Graph answers them."""

from collections.abc import Iterable
from typing import Any

from tests.support.estates import SUBSCRIPTION, TENANT, Row, row, vm_id


def subscription(name: str = SUBSCRIPTION, management_groups: Iterable[str] | None = ()) -> Row:
    """A subscription below these management groups, nearest first; None: the row does not tell."""
    held: Row = {"state": "Enabled"}
    if management_groups is not None:
        held["managementGroupAncestorsChain"] = [{"displayName": one, "name": one} for one in management_groups]
    return {
        "id": f"/subscriptions/{name}",
        "name": "A subscription",
        "type": "microsoft.resources/subscriptions",
        "tenantId": TENANT,
        "subscriptionId": name,
        "properties": held,
    }


def role_assignment(
    principal: str, role: str, scope: str, *, principal_type: str = "User", name: str | None = None, **properties: Any
) -> Row:
    """A role assignment; ``role`` is the id's last segment."""
    own = name or f"{principal}-{role}".lower()
    held = {"principalId": principal, "principalType": principal_type, "scope": scope}
    held["roleDefinitionId"] = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return {
        "id": f"{scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{own}",
        "name": own,
        "type": "microsoft.authorization/roleassignments",
        "properties": held | properties,
    }


def role_definition(name: str, *actions: str, **permission: list[str]) -> Row:
    """A custom role of one permission; ``permission`` holds notActions, dataActions, notDataActions."""
    return {
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{name}",
        "name": name,
        "type": "microsoft.authorization/roledefinitions",
        "properties": {
            "roleName": f"Role {name}",
            "type": "CustomRole",
            "permissions": [{"actions": list(actions), "notActions": [], "dataActions": []} | permission],
        },
    }


def entra_extension(machine: str, kind: str = "AADSSHLoginForLinux") -> Row:
    """The extension by which people sign in to a VM with Entra ID."""
    return row(f"{vm_id(machine)}/extensions/{kind}", {"type": kind, "publisher": "Microsoft.Azure.ActiveDirectory"})
