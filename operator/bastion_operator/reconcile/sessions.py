"""AzureIdentities at work: one ARM client for each, made anew when the identity or its Secret changes."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from bastion_operator.api.azure_identity import AllowedNamespaces, AzureIdentity, IdentityType
from bastion_operator.api.conditions import Reason
from bastion_operator.api.model import first_error
from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.connection import ArmConnection
from bastion_operator.arm.credentials import (
    CredentialSettingsError,
    Identity,
    ManagedIdentity,
    ServicePrincipal,
    TokenFileError,
    Validity,
    WorkloadIdentity,
    validity_of,
)
from bastion_operator.arm.errors import CredentialHolder
from bastion_operator.clock import Clock
from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.errors import ForbiddenError, InvalidError, NotFoundError
from bastion_operator.kube.resources import get_object
from bastion_operator.kube.secrets import Secret, read_secret

_log = logging.getLogger(__name__)

# How long an identity and its Secret are taken as they were read. A rotated secret is in use after this time.
_KEPT = 60.0
# How long a client is left open that another has replaced: passes and operations that began with it end with it.
_RETIRED_KEPT = 2 * 3600.0
CLIENT_SECRET = "clientSecret"  # noqa: S105 - the name of a key
CLIENT_CERTIFICATE = "clientCertificate"


class IdentityProblemError(Exception):
    """An AzureIdentity that cannot be used, with the reason of the condition that says so."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Session:
    """An identity that can be used.

    :ivar certificate: for how long its certificate is valid; None where it has none
    """

    identity: str
    client: ArmClient
    subscriptions: frozenset[str]
    allowed_namespaces: AllowedNamespaces | None
    certificate: Validity | None = None


@dataclass(slots=True)
class _Kept:
    version: tuple[str, int, str]
    session: Session
    read_at: float


@dataclass(slots=True)
class Sessions:
    """Sessions by the name of the AzureIdentity."""

    kube: KubeClient
    azure: ArmConnection
    secret_namespace: str
    clock: Clock
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _retired: list[tuple[float, ArmClient]] = field(default_factory=list)

    async def session(self, name: str, *, fresh: bool = False) -> Session:
        """The session of an identity; ``fresh`` reads it and its Secret again whatever their age.

        :raises IdentityProblemError: there is no such identity, or its settings or Secret cannot be used
        :raises KubeError: the API server does not answer
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)
            if kept is not None and not fresh and self.clock.monotonic() - kept.read_at < _KEPT:
                return kept.session
            return await self._read(name, kept)

    async def forget(self, name: str) -> None:
        """The identity is gone or another by now. Nothing new begins with it; what has begun may end."""
        now = self.clock.monotonic()
        kept = self._kept.pop(name, None)
        if kept is not None:
            self._retired.append((now, kept.session.client))
        due = [client for since, client in self._retired if now - since > _RETIRED_KEPT]
        # Taken off before the first of them is closed: others come by here meanwhile.
        self._retired = [(since, client) for since, client in self._retired if now - since <= _RETIRED_KEPT]
        for client in due:
            await client.close()

    async def close(self) -> None:
        """Close every credential."""
        clients = [kept.session.client for kept in self._kept.values()] + [client for _, client in self._retired]
        self._kept.clear()
        self._retired.clear()
        for client in clients:
            await client.close()

    async def _read(self, name: str, kept: _Kept | None) -> Session:
        try:
            identity = AzureIdentity.model_validate(await get_object(self.kube, AzureIdentity, None, name))
        except NotFoundError:
            await self.forget(name)
            raise IdentityProblemError(
                Reason.IDENTITY_NOT_FOUND,
                f"there is no AzureIdentity {name}: apply one, or name another in spec.identityRef",
            ) from None
        except ValidationError as error:
            raise IdentityProblemError(
                Reason.IDENTITY_NOT_READY, f"AzureIdentity {name} cannot be read, {first_error(error)}"
            ) from None
        secret = await self._secret(identity)
        version = (identity.metadata.uid, identity.metadata.generation, secret.resource_version if secret else "")
        if kept is not None and kept.version == version:
            kept.read_at = self.clock.monotonic()
            return kept.session
        subscriptions = frozenset(str(each).lower() for each in identity.spec.allowed_subscriptions)
        try:
            settings = azure_identity(identity, secret)
            client = self.azure.client(settings, self._holder(identity, settings), subscriptions=subscriptions)
        except TokenFileError as error:
            raise IdentityProblemError(Reason.TOKEN_FILE_MISSING, f"AzureIdentity {name}: {error}") from None
        except CredentialSettingsError as error:
            raise IdentityProblemError(Reason.SECRET_INVALID, f"AzureIdentity {name}: {error}") from None
        await self.forget(name)
        session = Session(
            identity=name,
            client=client,
            subscriptions=subscriptions,
            allowed_namespaces=identity.spec.allowed_namespaces,
            certificate=validity_of(settings),
        )
        self._kept[name] = _Kept(version, session, self.clock.monotonic())
        _log.info("AzureIdentity %s is in use as %s %s", name, identity.spec.type, identity.spec.client_id)
        return session

    def _holder(self, identity: AzureIdentity, settings: Identity) -> CredentialHolder:
        """The identity and its credential in the words that errors name them by."""
        name = f"AzureIdentity {identity.metadata.name}"
        match settings:
            case ServicePrincipal():
                kept_in = f"Secret {identity.spec.secret_name} in namespace {self.secret_namespace}"
                key = CLIENT_SECRET if settings.client_secret is not None else CLIENT_CERTIFICATE
                valid = validity_of(settings)
                until = f", certificate valid until {utc(valid.ends)}" if valid is not None else ""
                return CredentialHolder(name, f"{kept_in}, key {key}{until}")
            case WorkloadIdentity():
                return CredentialHolder(
                    name, f"the token file {self.azure.cloud.token_file} with its app's federated credential"
                )
            case ManagedIdentity():
                return CredentialHolder(name, "the managed identity of the machine")

    async def _secret(self, identity: AzureIdentity) -> Secret | None:
        name = identity.spec.secret_name
        if name is None:
            return None
        where = f"Secret {name} in namespace {self.secret_namespace}"
        try:
            return await read_secret(self.kube, self.secret_namespace, name)
        except NotFoundError:
            raise IdentityProblemError(
                Reason.SECRET_NOT_FOUND,
                f"{where} does not exist: create it with the key {CLIENT_SECRET} or {CLIENT_CERTIFICATE}",
            ) from None
        except ForbiddenError:
            raise IdentityProblemError(
                Reason.SECRET_FORBIDDEN,
                f"{where} may not be read: the operator's Role there (deploy/base/role.yaml) lets it get Secrets",
            ) from None
        except InvalidError as error:
            raise IdentityProblemError(Reason.SECRET_INVALID, str(error)) from None


def utc(moment: datetime) -> str:
    """A time as messages have it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def azure_identity(identity: AzureIdentity, secret: Secret | None) -> Identity:
    """What the spec and the Secret say, as a credential's settings.

    :raises IdentityProblemError: the Secret lacks its key
    """
    tenant, client = str(identity.spec.tenant_id), identity.spec.client_id
    match identity.spec.type:
        case IdentityType.WORKLOAD_IDENTITY:
            return WorkloadIdentity(tenant, str(client))
        case IdentityType.MANAGED_IDENTITY:
            return ManagedIdentity(client)
        case IdentityType.SERVICE_PRINCIPAL:
            return _service_principal(tenant, str(client), secret)


def _service_principal(tenant: str, client: str, secret: Secret | None) -> ServicePrincipal:
    data = secret.data if secret is not None else {}
    if value := data.get(CLIENT_SECRET):
        try:
            return ServicePrincipal(tenant, client, client_secret=value.decode().strip())
        except UnicodeDecodeError:
            raise IdentityProblemError(Reason.SECRET_INVALID, f"the Secret's {CLIENT_SECRET} is not text") from None
    if value := data.get(CLIENT_CERTIFICATE):
        return ServicePrincipal(tenant, client, certificate=value)
    name = secret.name if secret is not None else "?"
    raise IdentityProblemError(
        Reason.SECRET_INVALID, f"Secret {name} has neither the key {CLIENT_SECRET} nor {CLIENT_CERTIFICATE}"
    )
