"""Entra's token endpoint: client credentials in, signed access tokens out, and their check at ARM's door.

Protocol: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from arm_emulator.clock import Clock, iso
from arm_emulator.errors import ArmError, Json
from arm_emulator.principals import Principal

AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)
KEY_ID = "arm-emulator-1"
_KEPT_TOKENS = 4096


class TokenError(Exception):
    """An OAuth 2.0 error answer of the token endpoint."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        """`number` is the AADSTS code."""
        super().__init__(text)
        self.status = status
        self.error = error
        self.number = number
        self.text = text

    def body(self, timestamp: str) -> Json:
        """As Entra writes it."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {timestamp[:10]} {timestamp[11:19]}Z",
            "error_codes": [self.number],
            "timestamp": f"{timestamp[:10]} {timestamp[11:19]}Z",
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }


def new_signing_key() -> str:
    """A fresh RSA key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    expires: float
    audience: str


class Directory:
    """One tenant of Entra: its principals, its signing key, the tokens it gave out."""

    def __init__(
        self, *, tenant_id: str, principals: list[Principal], signing_key: str, clock: Clock, lifetime: float = 3599
    ) -> None:
        """`lifetime` of an access token in seconds; `signing_key` an RSA key as PEM."""
        self.tenant_id = tenant_id
        self.principals = {principal.client_id: principal for principal in principals}
        self._by_object_id = {principal.object_id: principal for principal in principals}
        self._key = serialization.load_pem_private_key(signing_key.encode(), None)
        self._clock = clock
        self._lifetime = lifetime
        self._verified: dict[str, _Verified] = {}
        if not isinstance(self._key, rsa.RSAPrivateKey):
            raise TypeError("the signing key must be an RSA key")
        self._public_key = self._key.public_key()

    def known_tenant(self, tenant: str) -> None:
        """Raises AADSTS90002 for a tenant that is not this one."""
        if tenant.lower() not in (self.tenant_id, "common", "organizations"):
            raise TokenError(
                HTTPStatus.BAD_REQUEST,
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
                "subscriptions for the tenant.",
            )

    def grant(self, tenant: str, form: Mapping[str, str]) -> Json:
        """The answer to a token request; `form` is the posted form."""
        self.known_tenant(tenant)
        grant_type = form.get("grant_type")
        if grant_type != "client_credentials":
            raise TokenError(
                HTTPStatus.BAD_REQUEST,
                "unsupported_grant_type",
                70003,
                f"The app requested an unsupported grant type '{grant_type}'.",
            )
        principal = self._authenticated(form)
        audience = _audience(form)
        return {
            "token_type": "Bearer",
            "expires_in": int(self._lifetime),
            "ext_expires_in": int(self._lifetime),
            "access_token": self._issue(principal, audience),
        }

    def verify(self, header: str | None, endpoint: str) -> Principal:
        """The caller named by an Authorization header; raises ArmError 401 with Azure's wording."""
        if not header:
            raise self._refused("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self._refused(
                "AuthenticationFailedInvalidHeader",
                "Authentication failed. The 'Authorization' header is provided in an invalid format.",
            )
        verified = self._verified.get(token) or self._checked(token)
        if verified.expires <= self._clock.now():
            raise self._refused(
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{iso(verified.expires)}' is earlier than current UTC time "
                f"'{self._clock.timestamp()}'.",
            )
        if verified.audience not in AUDIENCES and urlsplit(verified.audience).netloc != urlsplit(endpoint).netloc:
            raise self._refused(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource "
                f"'{verified.audience}'. It should exactly match with one of the allowed audiences "
                f"'{','.join(AUDIENCES)}'.",
            )
        return verified.principal

    def keys(self) -> Json:
        """The published keys (JWKS) that tokens are signed with."""
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self._public_key, as_dict=True)
        return {"keys": [{**jwk, "kid": KEY_ID, "use": "sig"}]}

    def _authenticated(self, form: Mapping[str, str]) -> Principal:
        client_id = form.get("client_id", "")
        principal = self.principals.get(client_id)
        if principal is None:
            raise TokenError(
                HTTPStatus.BAD_REQUEST,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{self.tenant_id}'. This can "
                "happen if the application has not been installed by the administrator of the tenant or consented to by "
                "any user in the tenant. You may have sent your authentication request to the wrong tenant.",
            )
        if "client_assertion" in form:
            raise TokenError(
                HTTPStatus.UNAUTHORIZED,
                "invalid_client",
                700213,
                f"No matching federated identity record found for presented assertion of application '{client_id}'.",
            )
        if "client_secret" not in form:
            raise TokenError(
                HTTPStatus.UNAUTHORIZED,
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )
        if form["client_secret"] != principal.client_secret:
            raise TokenError(
                HTTPStatus.UNAUTHORIZED,
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
                f"not the client secret ID, for a secret added to app '{client_id}'.",
            )
        return principal

    def _issue(self, principal: Principal, audience: str) -> str:
        now = int(self._clock.now())
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + self._lifetime,
            "appid": principal.client_id,
            "appidacr": "1",
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": self.tenant_id,
            "uti": uuid.uuid4().hex[:22],
            "ver": "1.0",
        }
        assert isinstance(self._key, rsa.RSAPrivateKey)
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})

    def _checked(self, token: str) -> _Verified:
        try:
            claims = jwt.decode(
                token,
                self._public_key,
                algorithms=["RS256"],
                issuer=f"https://sts.windows.net/{self.tenant_id}/",
                # Expiry and audience have errors of their own; the emulator's clock decides about the former.
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError as error:
            raise self._refused("InvalidAuthenticationToken", "The access token is invalid.") from error
        principal = self._by_object_id.get(str(claims.get("oid")))
        if principal is None:
            raise self._refused("InvalidAuthenticationToken", "The access token is from an unknown principal.")
        if len(self._verified) >= _KEPT_TOKENS:
            self._verified.clear()
        verified = _Verified(principal, float(claims["exp"]), str(claims["aud"]))
        self._verified[token] = verified
        return verified

    def _refused(self, code: str, message: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="https://login.windows.net/{self.tenant_id}", error="invalid_token", '
            f'error_description="{message}"'
        )
        return ArmError(HTTPStatus.UNAUTHORIZED, code, message, headers={"WWW-Authenticate": challenge})


def _audience(form: Mapping[str, str]) -> str:
    """The audience that a v2 scope (`<resource>/.default`) or a v1 resource asks for."""
    scopes = [scope for scope in form.get("scope", "").split() if scope.endswith("/.default")]
    if scopes:
        return scopes[0].removesuffix("/.default")
    if form.get("resource"):
        return form["resource"]
    raise TokenError(
        HTTPStatus.BAD_REQUEST,
        "invalid_scope",
        1002012,
        f"The provided value for scope {form.get('scope', '')} is not valid. Client credential flows must have a scope "
        "value with /.default suffixed to the resource identifier (application ID URI).",
    )


def openid_configuration(authority: str, tenant: str) -> Json:
    """What MSAL reads before it asks for a token."""
    base = f"{authority}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "tenant_region_scope": None,
        "cloud_instance_name": urlsplit(authority).netloc,
    }


def instance_discovery(authority: str, tenant: str) -> Json:
    """The answer to MSAL's question whether this authority is one."""
    host = urlsplit(authority).netloc
    return {
        "tenant_discovery_endpoint": f"{authority}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
