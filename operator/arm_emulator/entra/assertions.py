"""Client assertions: JWTs that a client shows in place of a secret.

Signed with a registered certificate: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
Of another issuer: https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from arm_emulator.clock import iso
from arm_emulator.entra.credentials import Certificate, FederatedCredential
from arm_emulator.entra.errors import TokenError, invalid_client, outside_of_its_time

_SKEW = 300.0
"""Seconds by which Entra lets the clocks of two machines differ."""
_CHECK_AGAINST = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)
_MALFORMED = "JWT token is invalid or malformed."


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client assertion whose signature is not checked yet."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        """Who says that it was made by them; empty where nobody does."""
        return str(self.claims.get("iss", ""))

    @property
    def key_id(self) -> str:
        """What its header calls the key; empty where it does not."""
        return str(self.header.get("kid", ""))


def read(text: str) -> Assertion:
    """Takes an assertion apart. Raises TokenError 50027 for what is no JWT, and for any algorithm but RSA with SHA-256."""
    try:
        parts = jwt.decode_complete(text, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise invalid_client(50027, _MALFORMED) from None
    if parts["header"].get("alg") not in ("RS256", "PS256"):
        raise invalid_client(50027, f"{_MALFORMED} Its algorithm must be RS256 or PS256.")
    return Assertion(text, parts["header"], parts["payload"])


def check_certificate(
    assertion: Assertion, client_id: str, registered: Sequence[Certificate], *, now: float, audiences: Sequence[str]
) -> None:
    """Raises TokenError unless a registered certificate's key signed this for this client and endpoint, and now."""
    if not any(assertion.header.get(name) for name in ("x5t", "x5t#S256", "kid")):
        raise invalid_client(
            5002723,
            "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in "
            "token header.",
        )
    if assertion.claims.get("sub") != client_id:
        raise invalid_client(
            700021,
            "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at "
            "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        )
    _check_signature(assertion, client_id, registered, now)
    if not set(_audiences(assertion)) & set(audiences):
        raise invalid_client(
            700023,
            "Client assertion audience claim does not match Realm issuer. Review the documentation at "
            "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        )
    _check_time(assertion, now)


def _check_signature(assertion: Assertion, client_id: str, registered: Sequence[Certificate], now: float) -> None:
    named = [one for one in registered if _is_named(assertion.header, one)]
    shown = _shown_thumbprint(assertion.header)
    if not named:
        raise _bad_signature(f"The key was not found., Thumbprint of key used by client: '{shown}'", client_id)
    found = named[0]
    if not found.not_before <= now < found.not_after:
        raise _bad_signature(f"The key used is expired., {_found_key(found)}", client_id)
    if not _signed_by(assertion.text, found.key):
        raise _bad_signature(
            f"The provided signature value did not match the expected signature value., {_found_key(found)}", client_id
        )


def check_federated(
    assertion: Assertion,
    client: str,
    trusted: Sequence[FederatedCredential],
    keys: Mapping[str, rsa.RSAPublicKey],
    *,
    now: float,
) -> None:
    """Raises TokenError unless one of the trusted credentials matches and the issuer's `keys` (by kid) signed this, for now.

    `client` is what messages call the application.
    """
    match(assertion, client, trusted)
    key = keys.get(assertion.key_id)
    if key is None:
        raise invalid_client(
            7000272,
            f"The certificate with identifier {assertion.key_id} used to sign the federated credential could not be found "
            f"in the metadata of identity provider {assertion.issuer}. Please validate that your Identity Provider's "
            "metadata exposes the key used to sign the incoming token.",
        )
    if not _signed_by(assertion.text, key):
        raise invalid_client(
            50013,
            "Assertion failed signature validation. [Reason - The provided signature value did not match the expected "
            f"signature value., Thumbprint of key used by client: '{assertion.key_id}']",
        )
    _check_time(assertion, now)


def match(assertion: Assertion, client: str, trusted: Sequence[FederatedCredential]) -> FederatedCredential:
    """The federated credential that an assertion is for; raises TokenError with what does not match, by case."""
    if not trusted:
        raise invalid_client(70025, f"The client {client} has no configured federated identity credentials.")
    of_issuer = [one for one in trusted if one.issuer == assertion.issuer]
    if not of_issuer:
        raise _no_match(700211, "issuer", assertion.issuer)
    subject = str(assertion.claims.get("sub", ""))
    of_subject = [one for one in of_issuer if one.subject == subject]
    if not of_subject:
        raise _no_match(700213, "subject", subject)
    audiences = _audiences(assertion)
    for one in of_subject:
        if set(one.audiences) & set(audiences):
            return one
    raise _no_match(700212, "audience", ", ".join(audiences))


def token_audiences(endpoint: str, tenants: Sequence[str]) -> list[str]:
    """What an assertion signed with a certificate may be addressed to: the token endpoints and issuers of a tenant."""
    bases = [f"{endpoint}/{tenant}" for tenant in tenants]
    host = urlsplit(endpoint).netloc
    if host != "login.microsoftonline.com":
        bases += [f"https://login.microsoftonline.com/{tenant}" for tenant in tenants]
    return [base + path for base in bases for path in ("/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "", "/")]


def _no_match(number: int, what: str, value: str) -> TokenError:
    return invalid_client(
        number,
        f"No matching federated identity record found for presented assertion {what} '{value}'. {_CHECK_AGAINST}",
    )


def _bad_signature(reason: str, client_id: str) -> TokenError:
    return invalid_client(
        700027,
        f"Client assertion contains an invalid signature. [Reason - {reason}, Please visit the Azure Portal, Graph "
        f"Explorer or directly use MS Graph to see configured keys for app Id '{client_id}'.]",
    )


def _found_key(found: Certificate) -> str:
    start, end = (iso(moment)[:19].replace("T", " ") for moment in (found.not_before, found.not_after))
    return f"Thumbprint of key used by client: '{found.thumbprint}', Found key 'Start={start}, End={end}'"


def _is_named(header: Mapping[str, Any], one: Certificate) -> bool:
    # Clients differ in whether they pad base64url; RFC 7515 does not.
    if header.get("x5t#S256"):
        return str(header["x5t#S256"]).rstrip("=") == one.x5t_s256
    if header.get("x5t"):
        return str(header["x5t"]).rstrip("=") == one.x5t
    return str(header.get("kid")).upper() == one.thumbprint or header.get("kid") == one.x5t


def _shown_thumbprint(header: Mapping[str, Any]) -> str:
    return str(header.get("x5t#S256") or header.get("x5t") or header.get("kid"))


def _signed_by(text: str, key: rsa.RSAPublicKey) -> bool:
    try:
        jwt.decode(
            text,
            key,
            algorithms=["RS256", "PS256"],
            # What the claims say is judged apart, each with an error of its own.
            options={
                "verify_aud": False,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.InvalidTokenError:
        return False
    return True


def _audiences(assertion: Assertion) -> list[str]:
    value = assertion.claims.get("aud")
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _check_time(assertion: Assertion, now: float) -> None:
    start, end = _seconds(assertion.claims.get("nbf", 0)), _seconds(assertion.claims.get("exp"))
    if start is None or end is None:
        raise invalid_client(50027, f"{_MALFORMED} It must say when it expires, in seconds since the epoch.")
    if not start - _SKEW <= now < end + _SKEW:
        raise outside_of_its_time(iso(now), iso(start), iso(end))


def _seconds(value: Any) -> float | None:
    latest = 253_402_300_799  # the last second that a timestamp has a year of four digits for
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= latest else None
