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
_CREDENTIAL = ("InvalidAuthenticationToken", "ExpiredAuthenticationToken", "AuthenticationFailed")

CLASS_OF_CODE: Mapping[str, ErrorClass] = {
    code: error_class
    for error_class, codes in {
        ErrorClass.CONTENTION: _CONTENTION,
        ErrorClass.THROTTLED: _THROTTLED,
        ErrorClass.TRANSIENT: _TRANSIENT,
        ErrorClass.OTHER_ACT: _OTHER_ACT,
        ErrorClass.DELETE_ORDER: _DELETE_ORDER,
        ErrorClass.DENIED: _DENIED,
        ErrorClass.CREDENTIAL: _CREDENTIAL,
    }.items()
    for code in codes
}

_CLASS_OF_STATUS: Mapping[int, ErrorClass] = {
    401: ErrorClass.CREDENTIAL,
    403: ErrorClass.DENIED,
    408: ErrorClass.TRANSIENT,
    412: ErrorClass.CONTENTION,
    429: ErrorClass.THROTTLED,
}
_SERVER_ERROR = 500


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


# Codes that only wrap another; the one inside says what happened.
_WRAPPERS = frozenset({"BadRequest", "DeploymentFailed", "Conflict", "Failed", "Canceled", "ResourceOperationFailure"})


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
    error = body.get("error") if isinstance(body, Mapping) else None
    code, message = f"HttpStatus{status}", "the answer carried no error body"
    if isinstance(error, Mapping):
        code, message = _code_and_message(error, code)
    return AzureError(
        code=code,
        message=message,
        error_class=classify(code, status),
        status=status,
        target=target,
        retry_after=retry_after,
        correlation_id=correlation_id,
    )


def _code_and_message(error: Mapping[str, Any], default: str) -> tuple[str, str]:
    code = str(error.get("code") or default)
    message = str(error.get("message") or "").strip()
    details = error.get("details")
    if isinstance(details, list):
        for detail in details:
            inner = detail.get("code") if isinstance(detail, Mapping) else None
            if inner and (code in _WRAPPERS or inner in CLASS_OF_CODE):
                return str(inner), str(detail.get("message") or message).strip()
    return code, message


def classify(code: str, status: int) -> ErrorClass:
    """The class of a code; of an unknown one, what its HTTP status suggests."""
    known = CLASS_OF_CODE.get(code)
    if known is not None:
        return known
    if status >= _SERVER_ERROR:
        return ErrorClass.TRANSIENT
    return _CLASS_OF_STATUS.get(status, ErrorClass.REFUSED)
