"""Who may call, and the rights that each starts with; what they come to is told by `rights.py`."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from arm_emulator.entra.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Assignment:
    """A right that a principal starts with, at `scope` and below: a built-in role by its name, or actions of its own.

    Rule: https://learn.microsoft.com/azure/role-based-access-control/role-definitions
    """

    scope: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    role: str = ""

    def grants(self, action: str) -> bool:
        """Whether the actions allow `action` (lower-case) where they apply."""
        return matches(self.actions, action) and not matches(self.not_actions, action)


@dataclass(frozen=True, slots=True)
class Principal:
    """A service principal with its credentials, and the rights that it starts with (`starting_rights.py`)."""

    name: str
    client_id: str
    client_secret: str
    object_id: str
    assignments: tuple[Assignment, ...] = field(default=())
    credentials: Credentials = field(default_factory=Credentials)
    """What it can prove itself with beside its secret."""


@lru_cache(maxsize=4096)
def _pattern(wildcard: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in wildcard.lower().split("*")))


def matches(wildcards: Iterable[str], action: str) -> bool:
    """Whether an action (lower-case) is one of these; `*` stands for any number of characters."""
    return any(_pattern(wildcard).fullmatch(action) for wildcard in wildcards)


DEFAULT_NAMES = ("operator", "somebody", "reader")
_NAMESPACE = uuid.UUID("6b6f1d0a-4a5e-4a43-9a55-7d0f4b7f3f10")


def default_principals(secret_of: "dict[str, str]") -> list[Principal]:
    """Three: `operator` (Network Contributor and Reader), `somebody` (Owner), `reader` (Reader)."""
    rights = {
        "operator": (Assignment("/", role="Network Contributor"), Assignment("/", role="Reader")),
        "somebody": (Assignment("/", role="Owner"),),
        "reader": (Assignment("/", role="Reader"),),
    }
    return [
        Principal(name, stable_guid(f"client/{name}"), secret_of[name], stable_guid(f"object/{name}"), assignments)
        for name, assignments in rights.items()
    ]


def stable_guid(name: str) -> str:
    """The same guid for the same name in every run."""
    return str(uuid.uuid5(_NAMESPACE, name))
