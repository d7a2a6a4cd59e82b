"""What the specs and statuses of BastionHost and VNetPeering have in common."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from bastion_operator.api.conditions import Condition, Conditions, ConditionType
from bastion_operator.api.duration import AtLeastOneMinute
from bastion_operator.api.identifiers import ArmID, ObjectName
from bastion_operator.api.model import ATOMIC, MAX_GENERATION, AnnotationValue, Model, Timestamp


class ManagementPolicy(StrEnum):
    """Whether the operator may write to Azure."""

    MANAGE = "Manage"
    OBSERVE = "Observe"


class AdoptionPolicy(StrEnum):
    """What to do with a resource that exists in Azure already."""

    NEVER = "Never"
    IF_UNMANAGED = "IfUnmanaged"


class DeletionPolicy(StrEnum):
    """What becomes of the Azure side when the custom resource is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class ClaimOrigin(StrEnum):
    """How the operator came by a resource: only what it created does it ever delete."""

    CREATED = "Created"
    ADOPTED = "Adopted"


class IdentityRef(Model):
    """The AzureIdentity to act as."""

    name: ObjectName = Field(default="default", description="Name of an AzureIdentity that allows this namespace.")


class CommonSpec(Model):
    """The fields that every custom resource with an Azure side has."""

    identity_ref: IdentityRef = Field(
        default=IdentityRef(),
        description="The AzureIdentity with which the operator reads and writes Azure for this resource.",
    )
    management_policy: ManagementPolicy = Field(
        default=ManagementPolicy.MANAGE,
        description="Manage keeps Azure as the spec says. Observe never writes to Azure and reports all the same. "
        "It may be switched at any time.",
    )
    adoption_policy: AdoptionPolicy = Field(
        default=AdoptionPolicy.NEVER,
        description="What to do where a resource of the wanted name exists and is not the operator's. Never leaves it "
        "alone and says so. IfUnmanaged takes it over unless another owner is marked on it; what was taken over is "
        "never deleted.",
    )
    deletion_policy: DeletionPolicy | None = Field(
        default=None,
        description="What happens in Azure when this resource is deleted. Delete removes what the operator made. "
        "Retain leaves everything as it is. Unset: what the operator made is deleted, except links that carry remote "
        "gateways. It may be changed while the resource is being deleted.",
    )
    suspend: bool = Field(
        default=False,
        description="Stops all work on this resource, deletion included, until it is false again.",
    )
    interval: AtLeastOneMinute = Field(
        default=timedelta(minutes=5),
        description="How often Azure is compared with the spec when nothing else asks for it: a duration of at least "
        "1m, such as 5m or 1h30m.",
    )


ClaimDetail = Annotated[str, Field(max_length=1024)]
GuardedPlan = Annotated[str, Field(max_length=16, pattern=r"^[0-9a-f]{16}$")]


class Claim(Model):
    """A resource in Azure that the operator has written down as its business before its first write to it."""

    id: ArmID = Field(description="The resource's ARM id.")
    purpose: str = Field(max_length=64, description="What the resource is for, such as Host, Subnet or HubToSpoke.")
    origin: ClaimOrigin = Field(
        description="Created: made by the operator, which may delete it. Adopted: found and taken over, never deleted."
    )
    detail: ClaimDetail | None = Field(
        default=None,
        description="What tells the resource from another of the same name: the prefix of a subnet, the virtual "
        "network that a peering leads to.",
    )
    claimed_at: Timestamp | None = Field(default=None, description="When the claim was written down.")
    selected: bool | None = Field(
        default=None,
        description="True where the network at the other end, or that of the link itself, was found by a spokeSelector.",
    )
    left_at: Timestamp | None = Field(
        default=None,
        description="Since when the network that was found by a spokeSelector has been seen not to match it.",
    )
    guarded_plan: GuardedPlan | None = Field(
        default=None,
        description="Hash of the plan that would delete the resource, and was held back as DeletionGuarded. The annotation "
        "azurebastion.dev/allow-plan with this value lets it pass.",
    )
    guarded_at: Timestamp | None = Field(default=None, description="Since when the deletion has been held back.")


# Atomic, not a map by id: one applier writes them all, and a map would repeat every id in managedFields.
MAX_CLAIMS = 1024
Claims = Annotated[tuple[Claim, ...], Field(max_length=MAX_CLAIMS), ATOMIC]


class ObservedStatus(Model):
    """The fields that every status has."""

    observed_generation: int = Field(
        default=-1,
        ge=-1,
        le=MAX_GENERATION,
        description="The metadata.generation that the operator has acted on; -1 until it has looked at the resource.",
    )
    last_handled_reconcile_at: AnnotationValue | None = Field(
        default=None,
        description="The last value of the annotation azurebastion.dev/reconcile-requested-at that was acted on.",
    )
    conditions: Conditions = Field(default=(), description="The state of the resource, one aspect each.")

    def condition(self, condition_type: ConditionType | str) -> Condition | None:
        """The condition of this type, or None."""
        return next((each for each in self.conditions if each.type == condition_type), None)


class CommonStatus(ObservedStatus):
    """The fields of every status of a resource that has an Azure side."""

    claims: Claims = Field(
        default=(),
        description="The resources in Azure that the operator made or took over for this resource.",
    )

    def claim(self, resource_id: str) -> Claim | None:
        """The claim on this ARM id, compared without regard to case, or None."""
        wanted = resource_id.lower()
        return next((each for each in self.claims if each.id.lower() == wanted), None)
