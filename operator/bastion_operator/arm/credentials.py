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

from bastion_operator.arm.cloud import Cloud


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


def valid_until(principal: ServicePrincipal) -> datetime | None:
    """When its certificate ends; None for a secret, of which only Entra knows that, and where it cannot be read."""
    if principal.certificate is None:
        return None
    try:
        return load_pem_x509_certificate(principal.certificate).not_valid_after_utc
    except ValueError:
        return None


def principal_of(identity: Identity) -> str:
    """Whom ARM counts calls for: the client id, which is one in all tenants; of the machine's own identity a name."""
    return (identity.client_id or "the machine's identity").lower()


def make_credential(identity: Identity, cloud: Cloud) -> AsyncTokenCredential:
    """The credential for an identity.

    :raises CredentialSettingsError: a certificate that cannot be read, a token file that is not there
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
                return WorkloadIdentityCredential(tenant_id=tenant_id, client_id=client_id, **discovery)
            case ManagedIdentity(client_id):
                return ManagedIdentityCredential(client_id=client_id, retry_total=0)
            case _:
                raise CredentialSettingsError("a service principal needs a client secret or a certificate")
    except (ValueError, TypeError) as error:
        if isinstance(error, CredentialSettingsError):
            raise
        # The library's message may quote its input; its type is enough to act on.
        raise CredentialSettingsError(f"the credential's settings were refused ({type(error).__name__})") from None
