"""Role assignments: who has which role, where, and under which condition."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bastion_operator.network.access.role_definition import role_key
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, text

MANAGEMENT_GROUPS: Final = "/providers/microsoft.management/managementgroups/"
_ASSIGNMENTS: Final = "/providers/microsoft.authorization/roleassignments/"


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """One row of ``microsoft.authorization/roleassignments``. ``scope`` and the two keys are in lower case."""

    id: str
    scope: str
    role_key: str
    principal_key: str
    principal_type: str | None
    condition: str | None

    @property
    def may_hold_others(self) -> bool:
        """Whether the principal is a group, or is not said to be none: its members are not to be seen in ARM."""
        return self.principal_type is None or self.principal_type.lower() == "group"


def read_role_assignment(row: Row, row_id: str) -> RoleAssignment | None:
    """The assignment; None where the row does not say who has which role."""
    principal, role = text(row, "properties", "principalId"), text(row, "properties", "roleDefinitionId")
    if principal is None or role is None:
        return None
    scope = text(row, "properties", "scope")
    if scope is None:
        scope = normalise_id(row_id).rpartition(_ASSIGNMENTS)[0]
    return RoleAssignment(
        row_id,
        normalise_id(scope),
        role_key(role),
        principal.lower(),
        text(row, "properties", "principalType"),
        text(row, "properties", "condition"),
    )


def scopes_of(resource_id: str) -> Iterator[str]:
    """The scopes in which a resource lies, outermost first, itself last: subscription, resource group, parents.

    Management groups above the subscription are not part of an id.
    """
    segments = normalise_id(resource_id).strip("/").split("/")
    place = 0
    while place < len(segments):
        # A namespace has no scope of its own: /providers/{namespace}/{type}/{name} is one step.
        place += 4 if segments[place] == "providers" else 2
        yield "/" + "/".join(segments[:place])


def subscription_of(scope: str) -> str | None:
    """The subscription's id in lower case, None for what lies above subscriptions."""
    parts = scope.split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else None  # noqa: PLR2004 - /subscriptions/{id}
