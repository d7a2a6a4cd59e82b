"""Bodies, versions and paths of what governs: roles, locks, policies, management groups."""

import uuid
from typing import Any

from tests.support.arm import Arm, Reply

Json = dict[str, Any]
ROLES = "2022-04-01"
LOCKS = "2020-05-01"
POLICIES = "2023-04-01"
GROUPS = "2023-04-01"
TAGS = "2024-11-01"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
AUTHORIZATION = "/providers/Microsoft.Authorization"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups"


def guid(number: int) -> str:
    return str(uuid.UUID(int=number))


def assignment_path(scope: str, number: int = 1) -> str:
    return f"{scope}{AUTHORIZATION}/roleAssignments/{guid(number)}"


def assignment(principal: str, role: str = READER, **properties: Any) -> Json:
    definition = f"{AUTHORIZATION}/roleDefinitions/{role}"
    return {"properties": {"roleDefinitionId": definition, "principalId": principal, **properties}}


def assign(arm: Arm, scope: str, principal: str, role: str = READER, number: int = 1, **properties: Any) -> Reply:
    return arm.put(assignment_path(scope, number), assignment(principal, role, **properties), version=ROLES)


def custom_role(name: str, actions: list[str], *scopes: str, not_actions: list[str] | None = None) -> Json:
    permission = {"actions": actions, "notActions": not_actions or []}
    return {"properties": {"roleName": name, "assignableScopes": [*scopes], "permissions": [permission]}}


def lock(arm: Arm, scope: str, level: str, name: str = "l") -> Reply:
    return arm.put(f"{scope}{AUTHORIZATION}/locks/{name}", {"properties": {"level": level}}, version=LOCKS)


def policy(arm: Arm, scope: str, condition: Json, name: str = "p", effect: str = "deny", **properties: Any) -> str:
    """Defines and assigns a policy at a scope; returns the id of the definition."""
    definition = f"{scope}{AUTHORIZATION}/policyDefinitions/{name}"
    rule = {"if": condition, "then": {"effect": effect}}
    body: Json = {"properties": {"mode": "All", "policyRule": rule, **properties}}
    answer = arm.put(definition, body, version=POLICIES)
    assert answer.status == 201, answer.body
    body = {"properties": {"policyDefinitionId": definition}}
    answer = arm.put(f"{scope}{AUTHORIZATION}/policyAssignments/{name}", body, version=POLICIES)
    assert answer.status == 201, answer.body
    return definition
