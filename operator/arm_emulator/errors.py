"""ARM's error answers: `{"error": {code, message, target?, details[]?}}`, and those that several parts raise."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

Json = dict[str, Any]

GATEWAY_CODES = frozenset({
    "AuthorizationFailed", "InvalidApiVersionParameter", "InvalidResourceGroup", "InvalidResourceGroupLocation",
    "InvalidResourceLocation", "InvalidResourceNamespace", "InvalidResourceType",
    "LinkedAuthorizationFailed", "LinkedInvalidPropertyId", "LocationNotAvailableForResourceGroup",
    "LocationNotAvailableForResourceType", "LocationRequired",
    "MissingApiVersionParameter", "MissingSubscriptionRegistration", "NoRegisteredProviderFound",
    "ParentResourceNotFound", "ReadOnlyDisabledSubscription", "RequestDisallowedByPolicy", "ResourceGroupBeingDeleted",
    "ResourceGroupNotFound", "ResourceNotFound", "ScopeLocked", "SubscriptionNotFound", "SubscriptionRequestsThrottled",
})  # fmt: skip
"""What Resource Manager itself refuses before a provider hears of it."""


class ArmError(Exception):
    """Becomes an error answer. Raised anywhere between the request and the answer; the state is unharmed by then."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Json] = (),
        target: str | None = None,
        headers: Mapping[str, str] | None = None,
        additional_info: Sequence[Json] = (),
    ) -> None:
        """`status` is the HTTP status; `details` are `{code, message}` objects, the more useful code often in the first.

        `additional_info` are `{type, info}` objects, as policies write them.
        """
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = list(details)
        self.target = target
        self.headers = dict(headers or {})
        self.additional_info = list(additional_info)
        self.lists_details = False
        """Whether `details` is there when it is empty, as Microsoft.Network writes it and the gateway does not."""

    def body(self) -> Json:
        """The answer's body."""
        return {"error": self.error()}

    def error(self) -> Json:
        """The inner object, as an operation that failed carries it too."""
        error: Json = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.details or self.lists_details:
            error["details"] = self.details
        if self.additional_info:
            error["additionalInfo"] = self.additional_info
        return error


def bad_request(code: str, message: str, *, details: Sequence[Json] = (), target: str | None = None) -> ArmError:
    """400."""
    return ArmError(HTTPStatus.BAD_REQUEST, code, message, details=details, target=target)


def conflict(code: str, message: str) -> ArmError:
    """409."""
    return ArmError(HTTPStatus.CONFLICT, code, message)


def not_found(code: str, message: str) -> ArmError:
    """404."""
    return ArmError(HTTPStatus.NOT_FOUND, code, message)


def invalid_format(message: str, path: str) -> ArmError:
    """What Microsoft.Network answers to a body of the wrong shape."""
    detail = f"{message} Path '{path}'."
    return bad_request(
        "InvalidRequestFormat", "Cannot parse the request.", details=[{"code": "InvalidJson", "message": detail}]
    )


def group_not_found(name: str) -> ArmError:
    """404 from the gateway for a missing resource group."""
    return not_found("ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def invalid_reference(target: str, source: str) -> ArmError:
    """A body names a resource that is not there."""
    return bad_request(
        "InvalidResourceReference",
        f"Resource {target} referenced by resource {source} was not found. Please make sure that the referenced "
        "resource exists, and that both resources are in the same region.",
    )
