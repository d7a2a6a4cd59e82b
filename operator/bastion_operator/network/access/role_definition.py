"""Role definitions: what a role allows. Rules as in actions.py."""

from dataclasses import dataclass
from typing import Any, Final

from bastion_operator.network.access.actions import Action, matches_any
from bastion_operator.network.fields import Row, objects, text, texts

# Whoever reads all of Microsoft.Network holds what Reader holds there.
_READS_NETWORK: Final = frozenset({"*", "*/read", "microsoft.network/*", "microsoft.network/*/read"})


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of a role's ``permissions``: what is named and not excluded by the same entry is allowed."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def grants(self, action: Action) -> bool:
        """Whether this entry allows the action."""
        if action.data:
            return matches_any(self.data_actions, action.name) and not matches_any(self.not_data_actions, action.name)
        named = matches_any(self.actions, action.name) or (action.with_reader and self._reads_network())
        return named and not matches_any(self.not_actions, action.name)

    def _reads_network(self) -> bool:
        return any(wildcard.lower() in _READS_NETWORK for wildcard in self.actions)


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role. ``key`` is the last segment of its id in lower case: a built-in role has the same one at every scope."""

    key: str
    name: str
    permissions: tuple[Permission, ...]

    def grants(self, action: Action) -> bool:
        """Whether the role allows the action: what one entry excludes another may still allow."""
        return any(permission.grants(action) for permission in self.permissions)


def role_key(role_definition_id: str) -> str:
    """The segment that names a role in an id of any scope."""
    return role_definition_id.rstrip("/").rpartition("/")[2].lower()


def read_role_definition(row: Row, row_id: str) -> RoleDefinition:
    """A row of ``microsoft.authorization/roledefinitions``."""
    key = role_key(row_id)
    return RoleDefinition(
        key,
        text(row, "properties", "roleName") or key,
        tuple(read_permission(entry) for entry in objects(row, "properties", "permissions")),
    )


def read_permission(entry: Row) -> Permission:
    """One entry of a role's permissions, or of what the caller may do at a scope."""

    def listed(name: str) -> Any:
        return texts(entry, name) or ()

    return Permission(listed("actions"), listed("notActions"), listed("dataActions"), listed("notDataActions"))
