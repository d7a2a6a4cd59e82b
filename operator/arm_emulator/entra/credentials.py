"""What a principal can prove itself with, apart from secrets: certificates, federated credentials, managed identities."""

import base64
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN_EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"  # noqa: S105  (an audience, no secret)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate registered with an application: its key and the names that a JWT's header may call it by.

    `x5t` and `x5t_s256` are base64url without padding (RFC 7515, 4.1.7 and 4.1.8), `thumbprint` is SHA-1 in upper-case
    hexadecimal, the times are seconds since the epoch.
    """

    key: rsa.RSAPublicKey
    x5t: str
    x5t_s256: str
    thumbprint: str
    not_before: float
    not_after: float


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """Trust in the tokens of another issuer: all of issuer, subject and one of the audiences have to match, by case.

    Keys come from `keys_file` (a JWKS) or, without one, from the issuer's own discovery document; `ca_file` is what its
    TLS is trusted by beside the machine's own authorities.
    Rule: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
    """

    issuer: str
    subject: str
    audiences: tuple[str, ...] = (TOKEN_EXCHANGE_AUDIENCE,)
    keys_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """An identity of the machine that asks. `resource_id` is a user-assigned identity's; None is system-assigned."""

    resource_id: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """All of one principal."""

    certificates: tuple[Certificate, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()
    managed_identity: ManagedIdentity | None = None


def certificate(pem: bytes) -> Certificate:
    """The first certificate in a PEM text. Raises ValueError where there is none, or none with an RSA key."""
    found = x509.load_pem_x509_certificate(pem)
    key = found.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the certificate has no RSA key, which Entra asks for")  # noqa: TRY004  (of a value, not a type)
    sha1 = found.fingerprint(hashes.SHA1())  # noqa: S303  (a name by RFC 7515, no protection)
    return Certificate(
        key,
        _base64url(sha1),
        _base64url(found.fingerprint(hashes.SHA256())),
        sha1.hex().upper(),
        found.not_valid_before_utc.timestamp(),
        found.not_valid_after_utc.timestamp(),
    )


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
