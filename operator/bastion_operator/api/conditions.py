"""Conditions: their types, the reasons that are this project's own, and the condition itself."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from bastion_operator.api.model import MAX_GENERATION, ConditionMessage, Model, Timestamp, list_map


class ConditionType(StrEnum):
    """What a condition speaks of. ``Reconciling`` and ``Stalled`` are there only while True, as kstatus wants it."""

    ACCEPTED = "Accepted"
    HOST_PROVISIONED = "HostProvisioned"
    SECURITY_RULES_IN_SYNC = "SecurityRulesInSync"
    TARGETS_REACHABLE = "TargetsReachable"
    ACCESS_GRANTED = "AccessGranted"
    CONNECTED = "Connected"
    ADDRESS_SPACE_IN_SYNC = "AddressSpaceInSync"
    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class ConditionStatus(StrEnum):
    """True, False, or Unknown while it cannot be told."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Reasons of this project. Azure's own error codes are reasons as well: see :func:`reason_of_code`."""

    # Accepted
    ACCEPTED = "Accepted"
    CONFLICT = "Conflict"
    INVALID_SPEC = "InvalidSpec"
    IDENTITY_NOT_FOUND = "IdentityNotFound"
    IDENTITY_NOT_ALLOWED = "IdentityNotAllowed"
    IDENTITY_NOT_READY = "IdentityNotReady"
    SUBSCRIPTION_NOT_ALLOWED = "SubscriptionNotAllowed"
    SUSPENDED = "Suspended"
    # Work in Azure
    PROGRESSING = "Progressing"
    SUCCEEDED = "Succeeded"
    OBSERVED = "Observed"
    PROVISIONING_FAILED = "ProvisioningFailed"
    NOT_FOUND = "NotFound"
    NOT_OWNED = "NotOwned"
    OUT_OF_SYNC = "OutOfSync"
    IN_SYNC = "InSync"
    AZURE_UNREACHABLE = "AzureUnreachable"
    KUBERNETES_FORBIDDEN = "KubernetesForbidden"
    PERMISSION_DENIED = "PermissionDenied"
    THROTTLED = "Throttled"
    RETRYING = "Retrying"
    OPERATION_OVERDUE = "OperationOverdue"
    CONTENDED = "Contended"
    DELETION_GUARDED = "DeletionGuarded"
    INTERNAL_ERROR = "InternalError"
    # Reachability
    ALL_REACHABLE = "AllReachable"
    SOME_UNREACHABLE = "SomeUnreachable"
    NONE_REACHABLE = "NoneReachable"
    NOTHING_TO_REACH = "NothingToReach"
    VERDICTS_UNKNOWN = "VerdictsUnknown"
    # Access
    ALL_GRANTED = "AllGranted"
    ROLE_MISSING = "RoleMissing"
    RBAC_NOT_EVALUATED = "RbacNotEvaluated"
    # Peering
    ALL_CONNECTED = "AllConnected"
    SOME_DISCONNECTED = "SomeDisconnected"
    NOTHING_SELECTED = "NothingSelected"
    # Deletion
    DELETING = "Deleting"
    DELETION_BLOCKED = "DeletionBlocked"
    # AzureIdentity
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a reason, no secret
    SECRET_FORBIDDEN = "SecretForbidden"  # noqa: S105 - a reason, no secret
    SECRET_INVALID = "SecretInvalid"  # noqa: S105 - a reason, no secret
    CERTIFICATE_EXPIRED = "CertificateExpired"
    CERTIFICATE_NOT_YET_VALID = "CertificateNotYetValid"
    TOKEN_FILE_MISSING = "TokenFileMissing"  # noqa: S105 - a reason, no secret
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    IN_USE = "InUse"


# As apimachinery's metav1.Condition bounds them.
_REASON_LENGTH = 1024
_REASON_PATTERN = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"


def reason_of_code(code: str) -> str:
    """Azure's error code as the reason of a condition: its letters and digits, anything else made an underscore."""
    cleaned = re.sub(r"[^A-Za-z0-9_]+", "_", code).strip("_")[:_REASON_LENGTH]
    if not cleaned:
        return Reason.PROVISIONING_FAILED
    return cleaned if cleaned[0].isalpha() else f"Azure_{cleaned}"[:_REASON_LENGTH]


class Condition(Model):
    """One aspect of an object's state, with the reason and what a person can do."""

    type: str = Field(max_length=316, description="What the condition speaks of, such as Ready.")
    status: ConditionStatus = Field(description="True, False, or Unknown while it cannot be told.")
    reason: str = Field(
        max_length=_REASON_LENGTH,
        pattern=_REASON_PATTERN,
        description="Why, in one word: a reason of the operator, or the code of an error of Azure.",
    )
    message: ConditionMessage = Field(description="What happened, to which resource, and what can be done about it.")
    observed_generation: int = Field(
        default=0,
        ge=0,
        le=MAX_GENERATION,
        description="The metadata.generation that the condition was made from.",
    )
    last_transition_time: Timestamp = Field(description="When the condition's status last changed.")


Conditions = Annotated[tuple[Condition, ...], Field(max_length=16), list_map("type")]
