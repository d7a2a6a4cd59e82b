"""What a machine's own endpoints answer to those who ask for a managed identity's token.

Instance metadata: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
App Service: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import hmac
from collections.abc import Callable, Sequence
from http import HTTPStatus

from arm_emulator.entra.access_tokens import AccessTokens, Grant, Wanted
from arm_emulator.entra.accounts import Accounts
from arm_emulator.errors import Json
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal

METADATA_PATH = "/metadata/identity/oauth2/token"
APP_SERVICE_PATH = "/msi/token"


def _resource_id(principal: Principal) -> str:
    identity = principal.credentials.managed_identity
    return "" if identity is None or identity.resource_id is None else identity.resource_id


_NAMES: dict[str, Callable[[Principal], str]] = {
    "client_id": lambda one: one.client_id,
    "object_id": lambda one: one.object_id,
    "principal_id": lambda one: one.object_id,
    "msi_res_id": _resource_id,
    "mi_res_id": _resource_id,
}
"""The parameters by which an identity is asked for."""
_STRENGTH = "2"


class _NoIdentityError(Exception):
    """None is named like that, or none is assigned, or there are several; the message says which."""


class ManagedIdentityService:
    """Answers on a listener of its own, over plain http as on a machine in Azure."""

    def __init__(
        self, *, principals: Sequence[Principal], accounts: Accounts, tokens: AccessTokens, identity_header: str
    ) -> None:
        """The machine has those principals as identities that are one; `identity_header` is App Service's secret."""
        self._identities = [one for one in principals if one.credentials.managed_identity is not None]
        self._accounts = accounts
        self._tokens = tokens
        self._identity_header = identity_header

    def answer(self, request: Request) -> Answer:
        """The answer; errors are answers too, in the shape of the endpoint that was asked."""
        path = request.path.rstrip("/").lower()
        if path == METADATA_PATH:
            return self._metadata(request)
        if path == APP_SERVICE_PATH:
            return self._app_service(request)
        return Answer(HTTPStatus.NOT_FOUND, {"error": "Not found"})

    def _metadata(self, request: Request) -> Answer:
        if request.method != "GET":
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "invalid_request", "Method not allowed")
        if request.headers.get("Metadata", "").lower() != "true" or "X-Forwarded-For" in request.headers:
            return _refused(HTTPStatus.BAD_REQUEST, "bad_request_102", "Required metadata header not specified")
        for name in ("api-version", "resource"):
            if not request.query.get(name):
                text = f"Required query variable '{name}' is missing"
                return _refused(HTTPStatus.BAD_REQUEST, "invalid_request", text)
        try:
            principal = self._named(request)
        except _NoIdentityError as reason:
            return _refused(HTTPStatus.BAD_REQUEST, "invalid_request", str(reason))
        grant = self._grant(principal, request)
        return Answer(
            HTTPStatus.OK,
            {
                **_told(grant, principal),
                "expires_in": str(grant.lifetime),
                "ext_expires_in": str(grant.lifetime),
                "not_before": str(grant.not_before),
            },
        )

    def _app_service(self, request: Request) -> Answer:
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(given.encode(), self._identity_header.encode()):
            return _failed(HTTPStatus.UNAUTHORIZED, "The header X-IDENTITY-HEADER is missing or wrong.")
        for name in ("api-version", "resource"):
            if not request.query.get(name):
                return _failed(HTTPStatus.BAD_REQUEST, f"The query parameter '{name}' is missing.")
        try:
            principal = self._named(request)
        except _NoIdentityError:
            text = "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."
            return _failed(HTTPStatus.BAD_REQUEST, text)
        return Answer(HTTPStatus.OK, _told(self._grant(principal, request), principal))

    def _named(self, request: Request) -> Principal:
        """The identity that a request is about: the one it names; else the system-assigned one, else the only one."""
        usable = [one for one in self._identities if not self._accounts[one.client_id].disabled]
        asked = {name: request.query[name] for name in _NAMES if request.query.get(name)}
        if asked:
            for one in usable:
                if all(_NAMES[name](one).lower() == value.lower() for name, value in asked.items()):
                    return one
            raise _NoIdentityError("Identity not found")
        own = [one for one in usable if not _resource_id(one)]
        found = own or usable
        if not found:
            raise _NoIdentityError("Identity not found")
        if len(found) > 1:
            raise _NoIdentityError(
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in "
                "the token request"
            )
        return found[0]

    def _grant(self, principal: Principal, request: Request) -> Grant:
        return self._tokens.issue(principal, Wanted(request.query["resource"], _STRENGTH))


def _told(grant: Grant, principal: Principal) -> Json:
    return {
        "access_token": grant.token,
        "client_id": principal.client_id,
        "expires_on": str(grant.expires),
        "resource": grant.audience,
        "token_type": "Bearer",
    }


def _refused(status: int, error: str, text: str) -> Answer:
    return Answer(status, {"error": error, "error_description": text})


def _failed(status: int, text: str) -> Answer:
    return Answer(status, {"statusCode": int(status), "message": text})
