"""Who may call, and what each may do: role definitions reduced to actions and notActions at a scope."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus

from arm_emulator.errors import ArmError
from arm_emulator.ids import scopes


@dataclass(frozen=True, slots=True)
class Assignment:
    """Actions (with `*` as wildcard) that are allowed at `scope` and below; what matches `not_actions` is not.

    Rule: https://learn.microsoft.com/azure/role-based-access-control/role-definitions
    """

    scope: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def grants(self, action: str) -> bool:
        """Whether this assignment allows `action` (lower-case) where it applies."""
        return _matches(self.actions, action) and not _matches(self.not_actions, action)


@dataclass(frozen=True, slots=True)
class Principal:
    """A service principal with its secret and rights."""

    name: str
    client_id: str
    client_secret: str
    object_id: str
    assignments: tuple[Assignment, ...] = field(default=())

    @property
    def omnipotent(self) -> bool:
        """Whether nothing is denied anywhere, so that no row needs to be looked at."""
        return any(a.scope == "/" and "*" in a.actions and not a.not_actions for a in self.assignments)

    def may(self, action: str, scope: str) -> bool:
        """Whether the principal has `action` on the id or scope `scope`; neither is compared by case."""
        return _may(self.assignments, action.lower(), scope.lower())


@lru_cache(maxsize=65536)
def _may(assignments: tuple[Assignment, ...], action: str, scope: str) -> bool:
    granted = [a.scope.lower().rstrip("/") or "/" for a in assignments if a.grants(action)]
    return any(level in granted for level in scopes(scope.rstrip("/")))


@lru_cache(maxsize=4096)
def _pattern(wildcard: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in wildcard.lower().split("*")))


def _matches(wildcards: Iterable[str], action: str) -> bool:
    return any(_pattern(wildcard).fullmatch(action) for wildcard in wildcards)


def authorize(principal: Principal, action: str, scope: str) -> None:
    """Raises AuthorizationFailed (403) unless the principal has `action` on `scope`."""
    if not principal.may(action, scope):
        raise ArmError(
            HTTPStatus.FORBIDDEN,
            "AuthorizationFailed",
            f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have authorization to "
            f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
            "please refresh your credentials.",
        )


def authorize_linked(principal: Principal, action: str, scope: str, linked_action: str, linked_scope: str) -> None:
    """Raises LinkedAuthorizationFailed (403): a body names a resource on which the caller needs a right of its own."""
    if not principal.may(linked_action, linked_scope):
        raise ArmError(
            HTTPStatus.FORBIDDEN,
            "LinkedAuthorizationFailed",
            f"The client '{principal.client_id}' with object id '{principal.object_id}' has permission to perform "
            f"action '{action}' on scope '{scope}'; however, it does not have permission to perform action(s) "
            f"'{linked_action}' on the linked scope(s) '{linked_scope}' (respectively) or the linked scope(s) are invalid.",
        )


READER = ("*/read",)
NETWORK_CONTRIBUTOR = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Insights/alertRules/*",
    "Microsoft.Network/*",
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.Resources/deployments/*",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Support/*",
)
DEFAULT_NAMES = ("operator", "somebody", "reader")
_NAMESPACE = uuid.UUID("6b6f1d0a-4a5e-4a43-9a55-7d0f4b7f3f10")


def default_principals(secret_of: "dict[str, str]") -> list[Principal]:
    """Three: `operator` (Network Contributor and Reader), `somebody` (everything), `reader` (Reader)."""
    rights = {
        "operator": (Assignment("/", NETWORK_CONTRIBUTOR), Assignment("/", READER)),
        "somebody": (Assignment("/", ("*",)),),
        "reader": (Assignment("/", READER),),
    }
    return [
        Principal(name, stable_guid(f"client/{name}"), secret_of[name], stable_guid(f"object/{name}"), assignments)
        for name, assignments in rights.items()
    ]


def stable_guid(name: str) -> str:
    """The same guid for the same name in every run."""
    return str(uuid.uuid5(_NAMESPACE, name))
