"""Access tokens as Entra's v1.0 endpoint issues them, and their check at ARM's door.

Claims: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

import base64
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from arm_emulator.clock import Clock, iso
from arm_emulator.entra.accounts import Accounts
from arm_emulator.errors import ArmError, Json
from arm_emulator.principals import Principal

AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)
KEY_ID = "arm-emulator-1"
CLAIMS_CAPABLE = "CP1"
"""The capability by which a client says that it answers claims challenges."""
_KEPT_TOKENS = 4096


def new_signing_key() -> str:
    """A fresh RSA key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token is asked for. `strength` is the claim `appidacr`: "1" for a secret, "2" for a certificate or better."""

    audience: str
    strength: str
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """A token and what is said about it; the times are whole seconds, since the epoch but for the lifetime."""

    token: str
    audience: str
    not_before: int
    lifetime: int

    @property
    def expires(self) -> int:
        """When it ends, in seconds since the epoch."""
        return self.not_before + self.lifetime


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    expires: float
    audience: str
    generation: int
    claims_capable: bool


class AccessTokens:
    """Signs and checks the tokens of one tenant."""

    def __init__(
        self,
        *,
        tenant_id: str,
        principals: Iterable[Principal],
        accounts: Accounts,
        signing_key: str,
        clock: Clock,
        lifetime: float,
    ) -> None:
        """`lifetime` in seconds; `signing_key` an RSA key as PEM."""
        self._lifetime = int(lifetime)
        self._tenant_id = tenant_id
        self._by_object_id = {principal.object_id: principal for principal in principals}
        self._accounts = accounts
        self._clock = clock
        self._verified: dict[str, _Verified] = {}
        key = serialization.load_pem_private_key(signing_key.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("the signing key must be an RSA key")
        self._key = key
        self._public_key = key.public_key()

    def issue(self, principal: Principal, wanted: Wanted) -> Grant:
        """A token of this moment."""
        now = int(self._clock.now())
        claims: Json = {
            "aud": wanted.audience,
            "iss": f"https://sts.windows.net/{self._tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + self._lifetime,
            "appid": principal.client_id,
            "appidacr": wanted.strength,
            "idp": f"https://sts.windows.net/{self._tenant_id}/",
            "idtyp": "app",
            "oid": principal.object_id,
            # Entra writes what only it can read into this claim; here it says which tokens a revocation strikes.
            "rh": f"1.{self._accounts[principal.client_id].generation}.",
            "sub": principal.object_id,
            "tid": self._tenant_id,
            "uti": uuid.uuid4().hex[:22],
            "ver": "1.0",
        }
        if wanted.capabilities:
            claims["xms_cc"] = list(wanted.capabilities)
        identity = principal.credentials.managed_identity
        if identity is not None and identity.resource_id is not None:
            claims["xms_mirid"] = identity.resource_id
        token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID, "x5t": KEY_ID})
        return Grant(token, wanted.audience, now, self._lifetime)

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
        if verified.audience not in AUDIENCES and _host(verified.audience) != _host(endpoint):
            raise self._refused(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource "
                f"'{verified.audience}'. It should exactly match with one of the allowed audiences "
                f"'{','.join(AUDIENCES)}'.",
            )
        self._check_revocation(verified)
        return verified.principal

    def keys(self) -> Json:
        """The published keys (JWKS) that tokens are signed with."""
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self._public_key, as_dict=True)
        return {"keys": [{**jwk, "kid": KEY_ID, "x5t": KEY_ID, "use": "sig"}]}

    def _check_revocation(self, verified: _Verified) -> None:
        """A claims challenge for a revoked token of a client that can answer it; others' tokens live until they expire.

        Rule: https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation
        """
        account = self._accounts[verified.principal.client_id]
        if not verified.claims_capable or verified.generation >= account.generation:
            return
        asked = {"access_token": {"nbf": {"essential": True, "value": str(int(account.revoked_at))}}}
        claims = base64.b64encode(orjson.dumps(asked)).decode()
        message = "Continuous access evaluation resulted in challenge with code: TokenIssuedBeforeRevocationTimestamp"
        challenge = (
            f'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            f'error="insufficient_claims", claims="{claims}"'
        )
        raise ArmError(
            HTTPStatus.UNAUTHORIZED, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge}
        )

    def _checked(self, token: str) -> _Verified:
        try:
            claims = jwt.decode(
                token,
                self._public_key,
                algorithms=["RS256"],
                issuer=f"https://sts.windows.net/{self._tenant_id}/",
                # Expiry and audience have errors of their own; the emulator's clock decides about the former.
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise self._refused("InvalidAuthenticationToken", "The access token is invalid.") from error
        principal = self._by_object_id.get(str(claims.get("oid")))
        if principal is None:
            raise self._refused("InvalidAuthenticationToken", "The access token is from an unknown principal.")
        if len(self._verified) >= _KEPT_TOKENS:
            self._verified.clear()
        verified = _Verified(
            principal,
            float(claims["exp"]),
            str(claims["aud"]),
            int(str(claims["rh"]).split(".")[1]),
            CLAIMS_CAPABLE in [str(one).upper() for one in claims.get("xms_cc", [])],
        )
        self._verified[token] = verified
        return verified

    def _refused(self, code: str, message: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="https://login.windows.net/{self._tenant_id}", error="invalid_token", '
            f'error_description="{message}"'
        )
        return ArmError(HTTPStatus.UNAUTHORIZED, code, message, headers={"WWW-Authenticate": challenge})


def _host(url: str) -> str:
    """The host and port that a URL names; what is no URL is told from all of them."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return f"no host: {url}"
