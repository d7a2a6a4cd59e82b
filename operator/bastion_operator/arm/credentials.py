"""azure-identity's credentials, one for each AzureIdentity. There is no implicit identity and no credential chain."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import (
    CertificateCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from cryptography.x509 import load_pem_x509_certificate

from bastion_operator.arm.cloud import TOKEN_FILE, Cloud


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An app registration that proves itself by a secret or a certificate (PEM with its key); just one of them."""

    tenant_id: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WorkloadIdentity:
    """An identity federated with the operator's service account; the webhook's environment names the token file."""

    tenant_id: str
    client_id: str


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity of the machine; ``client_id`` picks a user-assigned one."""

    client_id: str | None = None


Identity = ServicePrincipal | WorkloadIdentity | ManagedIdentity


class CredentialSettingsError(ValueError):
    """The settings of an identity that azure-identity cannot take; never carries a secret."""


class TokenFileError(CredentialSettingsError):
    """The pod has no token of its service account for Entra."""


@dataclass(frozen=True, slots=True)
class Validity:
    """The time for which a certificate is valid."""

    begins: datetime
    ends: datetime


def validity_of(identity: Identity) -> Validity | None:
    """That of its certificate; None without one (of a secret only Entra knows it), and where it cannot be read."""
    if not isinstance(identity, ServicePrincipal) or identity.certificate is None:
        return None
    try:
        certificate = load_pem_x509_certificate(identity.certificate)
    except ValueError:
        return None
    return Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def principal_of(identity: Identity) -> str:
    """Whom ARM counts calls for: the client id, which is one in all tenants; of the machine's own identity a name."""
    return (identity.client_id or "the machine's identity").lower()


def make_credential(identity: Identity, cloud: Cloud) -> AsyncTokenCredential:
    """The credential for an identity.

    :raises CredentialSettingsError: a certificate that cannot be read, a client id that is none
    :raises TokenFileError: a token file that is not named or cannot be read
    """
    discovery: dict[str, Any] = {
        "authority": cloud.authority,
        "disable_instance_discovery": not cloud.verify_authority,
        # Retries of the library's own would sleep inside a pass: the work queue comes again instead.
        "retry_total": 0,
        "connection_verify": cloud.ca_file or True,
    }
    try:
        match identity:
            case ServicePrincipal(tenant_id, client_id, str(secret), _):
                return ClientSecretCredential(tenant_id, client_id, secret, **discovery)
            case ServicePrincipal(tenant_id, client_id, None, bytes(certificate)):
                return CertificateCredential(tenant_id, client_id, certificate_data=certificate, **discovery)
            case WorkloadIdentity(tenant_id, client_id):
                where = _token_file(cloud)
                return WorkloadIdentityCredential(
                    tenant_id=tenant_id, client_id=client_id, token_file_path=where, **discovery
                )
            case ManagedIdentity(client_id):
                return ManagedIdentityCredential(client_id=client_id, retry_total=0)
            case _:
                raise CredentialSettingsError("a service principal needs a client secret or a certificate")
    except (ValueError, TypeError) as error:
        if isinstance(error, CredentialSettingsError):
            raise
        # The library's message may quote its input.
        raise CredentialSettingsError(_refused(identity)) from None


def _token_file(cloud: Cloud) -> str:
    """The token file, once it could be read: azure-identity reads it again every ten minutes."""
    if cloud.token_file is None:
        raise TokenFileError(
            f"{TOKEN_FILE} is not set: give the operator's pod the label azure.workload.identity/use: \"true\" where Azure's "
            "webhook runs, or mount a projected token with the audience api://AzureADTokenExchange and name its file"
        )
    try:
        with open(cloud.token_file, encoding="utf-8") as file:  # noqa: PTH123 - as azure-identity does
            file.read(1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise TokenFileError(
            f"the file {cloud.token_file} that {TOKEN_FILE} names cannot be read ({why}): mount the service account's token there"
        ) from None
    return cloud.token_file


def _refused(identity: Identity) -> str:
    if isinstance(identity, ServicePrincipal) and identity.certificate is not None:
        return (
            "clientCertificate is not the PEM of a certificate together with its private key without a passphrase: "
            "`cat certificate.pem key.pem` makes one"
        )
    return "tenantID and clientID are not what azure-identity takes: write both as Entra shows them"
