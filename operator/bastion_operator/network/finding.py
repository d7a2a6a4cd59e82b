"""What is wrong with what: the one type that travels from the verdicts through plans and conditions to the user."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FindingClass(StrEnum):
    """What a finding does to a verdict: forbids it, leaves it open, or only rides along.

    An obstacle is no part of a verdict: it keeps the operator from making Azure as a custom resource asks.
    """

    UNREACHABLE = "Unreachable"
    UNKNOWN = "Unknown"
    WARNING = "Warning"
    OBSTACLE = "Obstacle"


class Actor(StrEnum):
    """Who may make a change."""

    OPERATOR = "operator"
    NETWORK_OWNER = "owner of the VNet"
    MACHINE_OWNER = "owner of the VM"
    ADMINISTRATOR = "administrator"
    USER = "user"


class Action(StrEnum):
    """What a change does.

    The first five say all that is needed to make the change. The next five end as a field that is set or an entry that is
    added, and name the way there: start a VM, wait for Azure, send the same body again, sync a link, request just-in-time
    access. The last two change nothing in Azure: read what the data lacks, ask for something else.
    """

    SET = "Set"
    ADD = "Add"
    CREATE = "Create"
    DELETE = "Delete"
    START = "Start"
    WAIT = "Wait"
    REPEAT = "Repeat"
    SYNC = "Sync"
    REQUEST_ACCESS = "RequestAccess"
    READ = "Read"
    ASK = "Ask"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a fix: JSON values, in ARM's own form.

    ``resource`` is an ARM id; ``field`` the path of a field in it (``properties.routeTable``), of the list that an entry is
    added to, or empty where the whole resource is meant. ``to_value`` is a field's new value (None takes it away), the
    added entry, or the body of a resource that is created.
    """

    action: Action
    resource: str
    field: str
    from_value: Any
    to_value: Any
    actor: Actor


@dataclass(frozen=True, slots=True)
class Fix:
    """The smallest change that takes a finding away; several, in their order, where no single one can.

    ``summary`` is a clause for people, as in ``start web``.
    """

    summary: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, missing or worth knowing.

    ``resource`` is the ARM id as the input has it; ``rule``, ``priority`` and ``direction`` are set where a security rule
    or a route decided. ``fix`` is there once it was asked for (``network.fixes``).
    """

    code: str
    finding_class: FindingClass
    message: str
    resource: str | None = None
    rule: str | None = None
    priority: int | None = None
    direction: str | None = None
    fix: Fix | None = None
