"""What needs no token: Entra's endpoints, and the list of endpoints that clients of custom clouds read first."""

import base64
import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote_plus

from arm_emulator.entra.access_tokens import Grant
from arm_emulator.entra.directory import Directory
from arm_emulator.entra.discovery import endpoints, instance_discovery, openid_configuration
from arm_emulator.entra.errors import TokenError, invalid_request
from arm_emulator.errors import Json
from arm_emulator.messages import Answer, Request

_TOKEN = re.compile(r"/([^/]+)/oauth2/(?:v2\.0/)?token", re.IGNORECASE)
_OPENID = re.compile(r"/([^/]+)/(?:v2\.0/)?\.well-known/openid-configuration", re.IGNORECASE)
_KEYS = re.compile(r"/([^/]+)/discovery/(?:v2\.0/)?keys", re.IGNORECASE)
_INSTANCE = re.compile(r"/common/discovery/instance", re.IGNORECASE)
_METADATA = re.compile(r"/metadata/endpoints/?", re.IGNORECASE)


class EntraService:
    """Answers for the directory."""

    def __init__(self, directory: Directory) -> None:
        """One directory, one tenant."""
        self._directory = directory

    def serves(self, request: Request) -> bool:
        """Whether the path is one of these."""
        return any(pattern.fullmatch(request.path) for pattern in (_TOKEN, _OPENID, _KEYS, _INSTANCE, _METADATA))

    async def prepare(self, request: Request) -> None:
        """What has to be fetched from elsewhere before `answer` can decide. Raises TokenError."""
        if request.method == "POST" and _TOKEN.fullmatch(request.path) is not None:
            await self._directory.prepare(_form(request))

    def answer(self, request: Request) -> Answer:
        """The answer. Raises TokenError."""
        token = _TOKEN.fullmatch(request.path)
        if token is not None:
            return self._token(request, token[1])
        openid = _OPENID.fullmatch(request.path)
        if openid is not None:
            self._directory.known_tenant(openid[1])
            return Answer(HTTPStatus.OK, openid_configuration(request.endpoint, openid[1]))
        if _KEYS.fullmatch(request.path):
            return Answer(HTTPStatus.OK, self._directory.tokens.keys())
        if _INSTANCE.fullmatch(request.path):
            return Answer(HTTPStatus.OK, instance_discovery(request.endpoint, self._directory.tenant_id))
        return Answer(HTTPStatus.OK, endpoints(request.endpoint, request.query.get("api-version", "")))

    def _token(self, request: Request, tenant: str) -> Answer:
        if request.method != "POST":
            raise TokenError(
                HTTPStatus.METHOD_NOT_ALLOWED, "invalid_request", 900561, "The endpoint only accepts POST requests."
            )
        grant = self._directory.grant(tenant, _form(request), request.endpoint)
        if "/oauth2/v2.0/" in request.path.lower():
            return Answer(HTTPStatus.OK, _v2(grant))
        return Answer(HTTPStatus.OK, _v1(grant))


def _v2(grant: Grant) -> Json:
    return {
        "token_type": "Bearer",
        "expires_in": grant.lifetime,
        "ext_expires_in": grant.lifetime,
        "access_token": grant.token,
    }


def _v1(grant: Grant) -> Json:
    """The older endpoint writes numbers as text, and says more."""
    return {
        "token_type": "Bearer",
        "expires_in": str(grant.lifetime),
        "ext_expires_in": str(grant.lifetime),
        "expires_on": str(grant.expires),
        "not_before": str(grant.not_before),
        "resource": grant.audience,
        "access_token": grant.token,
    }


def _form(request: Request) -> Mapping[str, str]:
    """The posted form, with what a Basic header says about the client (RFC 6749, 2.3.1)."""
    try:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise invalid_request(900144, "The request body must contain a form.") from None
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no base64, or no text in it
        raise invalid_request(900144, "The Basic authorization header must hold a client's id and secret.") from None
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret), **form}
