"""Who is to be able to connect through a host: what the spec asks, and what the status says of each of them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from bastion_operator.api.identifiers import UUID, ArmID
from bastion_operator.api.model import ATOMIC, Model, Word, list_map

MAX_PRINCIPALS = 32
MAX_MISSING = 20
_MAX_COUNT = 1_000_000


class AccessMode(StrEnum):
    """What to do about roles that are missing."""

    AUDIT = "Audit"


class PrincipalType(StrEnum):
    """What a principal is in Entra, in Azure's own words."""

    USER = "User"
    GROUP = "Group"
    SERVICE_PRINCIPAL = "ServicePrincipal"


class AccessPrincipal(Model):
    """Somebody who is to be able to connect."""

    object_id: UUID = Field(description="The object id in Entra: of a service principal, not of its app registration.")
    type: PrincipalType = Field(
        default=PrincipalType.USER,
        description="User, Group or ServicePrincipal. Roles that a user has only by a group are not to be seen in "
        "Azure's resources: name the group.",
    )
    name: str | None = Field(
        default=None, min_length=1, max_length=256, description="What people call it; only shown, in messages."
    )


class AccessPolicy(Model):
    """Who is to be able to connect. Their roles on the VMs, NICs, virtual networks and the host are judged."""

    mode: AccessMode = Field(default=AccessMode.AUDIT, description="Audit tells which roles are missing, and where.")
    principals: Annotated[tuple[AccessPrincipal, ...], list_map("objectID")] = Field(
        min_length=1, max_length=MAX_PRINCIPALS, description="Users, groups and service principals."
    )


class MissingRole(Model):
    """A role that a principal lacks."""

    role: str = Field(max_length=128, description="The built-in role that has what is missing.")
    scope: ArmID = Field(
        description="ARM id of the resource on which it is missing; where it is missing on several, of their resource "
        "group."
    )
    resources: int = Field(ge=0, le=_MAX_COUNT, description="Number of resources there on which it is missing.")
    vms: int = Field(ge=0, le=_MAX_COUNT, description="Number of VMs that cannot be connected to for want of it.")
    actions: Annotated[tuple[Annotated[str, Field(max_length=256)], ...], ATOMIC] = Field(
        default=(), max_length=16, description="The actions of it that nothing grants."
    )


class PrincipalAccess(Model):
    """What one principal may do with the VMs that the host is meant to reach."""

    object_id: UUID = Field(description="The object id in Entra.")
    name: Word | None = Field(default=None, description="The name that the spec gives it.")
    granted: int = Field(default=0, ge=0, le=_MAX_COUNT, description="VMs for which it has every role.")
    missing: int = Field(default=0, ge=0, le=_MAX_COUNT, description="VMs for which it lacks a role.")
    unknown: int = Field(default=0, ge=0, le=_MAX_COUNT, description="VMs of which it cannot be told.")
    missing_roles: Annotated[tuple[MissingRole, ...], ATOMIC] = Field(
        default=(),
        max_length=MAX_MISSING,
        description="What it lacks, what concerns most VMs first, at most 20.",
    )


PrincipalAccesses = Annotated[tuple[PrincipalAccess, ...], Field(max_length=MAX_PRINCIPALS), list_map("objectID")]
