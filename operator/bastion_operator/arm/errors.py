"""Azure's errors, made at the edge: one exception, and one table from Azure's codes to what to do about them.

The classes and codes are those of ARM's and Microsoft.Network's published errors and of recorded traffic. No class
is final: whatever failed is looked at again, the classes only say when.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ErrorClass(StrEnum):
    """What kind of failure it is, which decides when to look again."""

    CONTENTION = "Contention"  # another operation is in the way: seconds, after a fresh read
    THROTTLED = "Throttled"  # no call of that kind before Retry-After
    TRANSIENT = "Transient"  # Azure or the way to it is ill: backoff
    OTHER_ACT = "HealsByAnotherAct"  # the next plan mends it by a different change
    REFUSED = "Refused"  # the request or the environment is wrong: only a change of one of them helps
    DELETE_ORDER = "OrderOfDeletion"  # something still uses it
    DENIED = "RightsOrPolicy"  # a right, a lock or a policy: an administrator must act
    CREDENTIAL = "Credential"  # no token: the identity is wrong, expired or unreachable


_CONTENTION = (
    "AnotherOperationInProgress",
    "RetryableErrorDueToAnotherOperation",
    "RetryableError",
    "ReferencedResourceNotProvisioned",
    "CanceledAndSupersededDueToAnotherOperation",
    "ConflictingConcurrentWriteNotAllowed",
    "PreconditionFailed",
    "OperationNotAllowedOnResourceInTransition",
)
_THROTTLED = (
    "TooManyRequests",
    "SubscriptionRequestsThrottled",
    "ResourceRequestsThrottled",
    "RateLimiting",
    "OperationNotAllowedDueToThrottling",
)
_TRANSIENT = ("GatewayAllocationFailed", "InternalServerError", "ServerTimeout", "GatewayTimeout", "ServiceUnavailable")
_OTHER_ACT = ("RemotePeeringIsDisconnected",)
_DELETE_ORDER = (
    "InUseSubnetCannotBeDeleted",
    "PublicIPAddressCannotBeDeleted",
    "InUseNetworkSecurityGroupCannotBeDeleted",
    "InUseVirtualNetworkCannotBeDeleted",
)
_DENIED = (
    "AuthorizationFailed",
    "LinkedAuthorizationFailed",
    "RequestDisallowedByPolicy",
    "ScopeLocked",
    "ReadOnlyDisabledSubscription",
    "SubscriptionNotFound",
    "ResourceGroupNotFound",
    "MissingSubscriptionRegistration",
    "SubscriptionNotRegistered",
)
_REFUSED = (
    "VnetAddressSpacesOverlap",
    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
    "RemoteVnetHasNoGateways",
    "AnotherPeeringAlreadyReferencesRemoteVnet",
    "SubnetNameMustBeAzureBastionSubnet",
    "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
    "FeatureNotSupportedForDeveloperBastionSku",
    "BastionUpdateNotSupported",
    "PublicIPSkuMismatch",
    "InvalidResourceReference",
    "SecurityRuleConflict",
    "QuotaExceeded",
    "SkuNotAvailable",
    # These do not heal by fast retries: capacity comes back in hours, or not.
    "AllocationFailed",
    "ZonalAllocationFailed",
    "OutOfCapacity",
)
_CREDENTIAL = ("InvalidAuthenticationToken", "ExpiredAuthenticationToken", "AuthenticationFailed")

CLASS_OF_CODE: Mapping[str, ErrorClass] = {
    code: error_class
    for error_class, codes in {
        ErrorClass.CONTENTION: _CONTENTION,
        ErrorClass.THROTTLED: _THROTTLED,
        ErrorClass.TRANSIENT: _TRANSIENT,
        ErrorClass.OTHER_ACT: _OTHER_ACT,
        ErrorClass.DELETE_ORDER: _DELETE_ORDER,
        ErrorClass.REFUSED: _REFUSED,
        ErrorClass.DENIED: _DENIED,
        ErrorClass.CREDENTIAL: _CREDENTIAL,
    }.items()
    for code in codes
}

# Azure spells some codes in more than one case.
_CLASS_BY_LOWER_CODE = {code.lower(): error_class for code, error_class in CLASS_OF_CODE.items()}

_CLASS_OF_STATUS: Mapping[int, ErrorClass] = {
    401: ErrorClass.CREDENTIAL,
    403: ErrorClass.DENIED,
    408: ErrorClass.TRANSIENT,
    412: ErrorClass.CONTENTION,
    429: ErrorClass.THROTTLED,
}
_SERVER_ERROR = 500
_OK = 200


@dataclass(eq=False)
class AzureError(Exception):
    """An answer of Azure that is not what was asked for, or no answer at all.

    :ivar code: Azure's most telling error code (``details[0]`` where the outer one says little), or one of ours for
        failures without an answer: ``ConnectionFailed``, ``CredentialUnavailable``
    :ivar message: Azure's words
    :ivar status: the HTTP status, 0 where there was no answer; a failed operation has 200
    :ivar target: the ARM id or URL path that was asked
    :ivar retry_after: seconds that Azure asks to wait, None where it said nothing
    """

    code: str
    message: str
    error_class: ErrorClass
    status: int = 0
    target: str = ""
    retry_after: float | None = None
    correlation_id: str | None = None

    def __str__(self) -> str:
        return f"{self.code} ({self.target}): {self.message}"


class OperationFailedError(AzureError):
    """A long operation that was accepted and did not succeed: the answer was fine, what it tells is not."""


# Codes that only wrap another; the one inside says what happened.
_WRAPPERS = frozenset({"badrequest", "deploymentfailed", "conflict", "failed", "canceled", "resourceoperationfailure"})


def error_from_body(
    body: Any,
    *,
    status: int,
    target: str,
    retry_after: float | None = None,
    correlation_id: str | None = None,
) -> AzureError:
    """Read ``{"error": {code, message, details[]}}``, whichever way Azure spells it.

    A body that is not that shape gets the code ``HttpStatus<nnn>``: a proxy's page is no reason to lose the status.
    """
    code, message = _read(body, f"HttpStatus{status}")
    return AzureError(
        code=code,
        message=message,
        error_class=classify(code, status),
        status=status,
        target=target,
        retry_after=retry_after,
        correlation_id=correlation_id,
    )


def operation_failure(body: Mapping[str, Any], *, target: str, correlation_id: str | None) -> OperationFailedError:
    """What a long operation that ended Failed or Canceled says of it; the answer's status is 200."""
    code, message = _read(body, f"Operation{str(body.get('status')).capitalize()}")
    return OperationFailedError(
        code=code,
        message=message,
        error_class=classify(code, _OK),
        status=_OK,
        target=target,
        correlation_id=correlation_id,
    )


def _read(body: Any, default: str) -> tuple[str, str]:
    """Code and message of an error's body."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return default, "the answer carried no error body"
    code = str(error.get("code") or default)
    message = str(error.get("message") or "").strip()
    for detail in _details(error):
        inner = str(detail.get("code") or "")
        if inner and (code.lower() in _WRAPPERS or inner.lower() in _CLASS_BY_LOWER_CODE):
            return inner, str(detail.get("message") or message).strip()
    return code, message


def _details(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = error.get("details")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def classify(code: str, status: int) -> ErrorClass:
    """The class of a code; of an unknown one, what its HTTP status suggests."""
    known = _CLASS_BY_LOWER_CODE.get(code.lower())
    if known is not None:
        return known
    if status >= _SERVER_ERROR:
        return ErrorClass.TRANSIENT
    return _CLASS_OF_STATUS.get(status, ErrorClass.REFUSED)
