"""What needs no token: Entra's endpoints, and the list of endpoints that clients of custom clouds read first."""

import re
from http import HTTPStatus
from urllib.parse import parse_qsl

from arm_emulator.errors import Json
from arm_emulator.messages import Answer, Request
from arm_emulator.tokens import Directory, TokenError, instance_discovery, openid_configuration

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
            return Answer(HTTPStatus.OK, self._directory.keys())
        if _INSTANCE.fullmatch(request.path):
            return Answer(HTTPStatus.OK, instance_discovery(request.endpoint, self._directory.tenant_id))
        return Answer(HTTPStatus.OK, endpoints(request.endpoint, request.query.get("api-version", "")))

    def _token(self, request: Request, tenant: str) -> Answer:
        if request.method != "POST":
            raise TokenError(
                HTTPStatus.METHOD_NOT_ALLOWED, "invalid_request", 900561, "The endpoint only accepts POST requests."
            )
        try:
            form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            raise TokenError(
                HTTPStatus.BAD_REQUEST, "invalid_request", 900144, "The request body must contain a form."
            ) from None
        return Answer(HTTPStatus.OK, self._directory.grant(tenant, form))


def endpoints(endpoint: str, api_version: str) -> Json | list[Json]:
    """The cloud's endpoints, all of them here. Versions from 2019 on answer a list of clouds."""
    host = endpoint.partition("//")[2]
    cloud: Json = {
        "name": "LocalAzure",
        "portal": endpoint,
        "authentication": {
            "loginEndpoint": endpoint,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": endpoint,
        "graphAudience": endpoint,
        "resourceManager": endpoint,
        "media": endpoint,
        "activeDirectoryDataLake": endpoint,
        "batch": endpoint,
        "suffixes": {"keyVaultDns": host, "storage": host, "acrLoginServer": host, "sqlServerHostname": host},
    }
    if api_version >= "2019-05-01":
        return [cloud]
    return {
        "galleryEndpoint": endpoint,
        "graphEndpoint": endpoint,
        "portalEndpoint": endpoint,
        "authentication": {
            "loginEndpoint": endpoint,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
        },
    }
