"""What is wrong with what: the one type that travels from the verdicts through plans and conditions to the user."""

from dataclasses import dataclass
from enum import StrEnum


class FindingClass(StrEnum):
    """What a finding does to a verdict: forbids it, leaves it open, or only rides along.

    An obstacle is no part of a verdict: it keeps the operator from making Azure as a custom resource asks.
    """

    UNREACHABLE = "Unreachable"
    UNKNOWN = "Unknown"
    WARNING = "Warning"
    OBSTACLE = "Obstacle"


@dataclass(frozen=True, slots=True)
class Fix:
    """The smallest change that takes a finding away.

    ``resource`` is an ARM id, ``field`` the path of the field or the name of the rule in it, ``actor`` who may do it
    (operator, owner of the VNet, administrator).
    """

    resource: str
    field: str
    from_value: object
    to_value: object
    actor: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, missing or worth knowing.

    ``resource`` is the ARM id as the input has it; ``rule``, ``priority`` and ``direction`` are set where a security rule
    or a route decided.
    """

    code: str
    finding_class: FindingClass
    message: str
    resource: str | None = None
    rule: str | None = None
    priority: int | None = None
    direction: str | None = None
    fix: Fix | None = None
