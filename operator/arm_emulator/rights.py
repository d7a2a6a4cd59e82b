"""What each principal may do: the role assignments and role definitions that stand, evaluated.

Rules: https://learn.microsoft.com/azure/role-based-access-control/overview and
https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

from arm_emulator.ancestry import levels
from arm_emulator.errors import ArmError, Json
from arm_emulator.principals import Principal, matches
from arm_emulator.store import Resource, Store

ROLE_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
ROLE_DEFINITIONS = "Microsoft.Authorization/roleDefinitions"
_MEMBERS = ("actions", "notActions", "dataActions", "notDataActions")
_MOST_DECISIONS = 200_000
_SOURCES = ("/microsoft.authorization/role", "/microsoft.management/managementgroups/")


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of a role definition's permissions: what matches `actions` is granted, unless it matches `not_actions`."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    data_actions: tuple[str, ...]
    not_data_actions: tuple[str, ...]

    def grants(self, action: str) -> bool:
        """Whether this entry grants an action (lower-case); what another entry grants is not its business."""
        return _grants(self.actions, self.not_actions, action)

    def body(self) -> Json:
        """As it is answered."""
        values = (self.actions, self.not_actions, self.data_actions, self.not_data_actions)
        return {name: list(value) for name, value in zip(_MEMBERS, values, strict=True)}


# Asked for each resource that is written or read for the first time, with few actions and few entries.
@lru_cache(maxsize=1 << 14)
def _grants(actions: tuple[str, ...], not_actions: tuple[str, ...], action: str) -> bool:
    return matches(actions, action) and not matches(not_actions, action)


class Rights:
    """Answers from the store, and remembers its answers until something that they rest on changes."""

    def __init__(self, store: Store) -> None:
        """Listens to the store: a role assignment that is written counts from the next question on."""
        self._store = store
        self._decided: dict[tuple[str, str, str], bool] = {}
        self._granted: dict[str, dict[str, list[Permission]]] | None = None
        self.directory: set[str] = set()
        """The object ids (lower-case) that the directory knows."""
        self.version = 0
        """Counts the changes: what was read for a principal before one may not be what it may read now."""
        store.listeners.append(self._changed)

    def may(self, principal: Principal, action: str, scope: str) -> bool:
        """Whether the principal has `action` on the id or scope `scope`; neither is compared by case."""
        key = (principal.object_id, action, scope)
        decided = self._decided.get(key)
        if decided is None:
            if len(self._decided) >= _MOST_DECISIONS:
                self._decided.clear()
            decided = self._decided[key] = self._evaluated(principal, action.lower(), scope.lower())
        return decided

    def reader(self, principal: Principal) -> Callable[[str, str], bool]:
        """Whether rows of a type, by their keys, may be read; what may be read in a whole
        subscription costs no look at the row.
        """
        within: dict[tuple[str, str], bool] = {}

        def readable(kind: str, key: str) -> bool:
            subscription = "/".join(key.split("/", 3)[:3]) if key.startswith("/subscriptions/") else "/"
            known = within.get((kind, subscription))
            if known is None:
                known = within[kind, subscription] = self.may(principal, f"{kind}/read", subscription)
            return known or self.may(principal, f"{kind}/read", key)

        return readable

    def permissions(self, principal: Principal, scope: str) -> list[Permission]:
        """All entries that apply to the principal on a scope."""
        granted = self._of(principal)
        return [one for level in levels(self._store, scope.lower()) for one in granted.get(level, ())]

    def authorize(self, principal: Principal, action: str, scope: str) -> None:
        """Raises AuthorizationFailed (403) unless the principal has `action` on `scope`."""
        if not self.may(principal, action, scope):
            raise ArmError(
                HTTPStatus.FORBIDDEN,
                "AuthorizationFailed",
                f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have authorization "
                f"to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently "
                "granted, please refresh your credentials.",
            )

    def authorize_linked(
        self, principal: Principal, action: str, scope: str, linked_action: str, linked_scope: str
    ) -> None:
        """Raises LinkedAuthorizationFailed (403): a body names something on which the caller needs a right of its own."""
        if not self.may(principal, linked_action, linked_scope):
            raise ArmError(
                HTTPStatus.FORBIDDEN,
                "LinkedAuthorizationFailed",
                f"The client '{principal.client_id}' with object id '{principal.object_id}' has permission to perform "
                f"action '{action}' on scope '{scope}'; however, it does not have permission to perform action(s) "
                f"'{linked_action}' on the linked scope(s) '{linked_scope}' (respectively) or the linked scope(s) are "
                "invalid.",
            )

    def _evaluated(self, principal: Principal, action: str, scope: str) -> bool:
        granted = self._of(principal)
        return any(
            permission.grants(action) for level in levels(self._store, scope) for permission in granted.get(level, ())
        )

    def _of(self, principal: Principal) -> dict[str, list[Permission]]:
        if self._granted is None:
            self._granted = self._read()
        return self._granted.get(principal.object_id.lower(), {})

    def _read(self) -> dict[str, dict[str, list[Permission]]]:
        """Permissions by principal and by the scope of the assignment."""
        definitions = {item.name.lower(): permissions_of(item) for item in self._store.listed("/", ROLE_DEFINITIONS)}
        granted: dict[str, dict[str, list[Permission]]] = {}
        for item in self._store.listed("/", ROLE_ASSIGNMENTS):
            principal = str(item.properties.get("principalId", "")).lower()
            found = definitions.get(definition_name(item), ())
            granted.setdefault(principal, {}).setdefault(scope_of(item), []).extend(found)
        return granted

    def _changed(self, key: str, _item: Resource | None) -> None:
        if any(source in key for source in _SOURCES) or key.count("/") == 2:  # noqa: PLR2004  (a subscription)
            self._decided.clear()
            self._granted = None
            self.version += 1


def definition_name(assignment: Resource) -> str:
    """The guid of the role definition that an assignment refers to, in lower case."""
    return str(assignment.properties.get("roleDefinitionId", "")).lower().rpartition("/")[2]


def scope_of(assignment: Resource) -> str:
    """The scope of an assignment, in lower case; `/` is the tenant."""
    return assignment.id.scope.lower() or "/"


def permissions_of(definition: Resource) -> Sequence[Permission]:
    """The permissions of a stored role definition."""
    listed = definition.properties.get("permissions")
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [Permission(*(_texts(entry.get(name)) for name in _MEMBERS)) for entry in entries]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
