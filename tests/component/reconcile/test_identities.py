"""Every way to prove who one is: taken, renewed without a restart, and where it fails told with the next step."""

import json
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bastion_operator.reconcile.keys import Key
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.azure import AzureFactory
from tests.support.identities import Identities, certificate_of, identities_of, key_and_certificate
from tests.support.operator_in_process import Manifest, passes_at_work

pytestmark = pytest.mark.usefixtures("crds_served")

RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one"
TODAY = datetime.now(UTC).replace(microsecond=0)
NOBODY = "99999999-1111-2222-3333-444444444444"


@dataclass(frozen=True)
class World:
    """A local Azure with an app of two certificates, and the operator at work as on a machine in Azure."""

    azure: LocalAzure
    identities: Identities
    first: bytes
    second: bytes

    @property
    def app(self) -> Manifest:
        return {"type": "ServicePrincipal", "clientID": self.azure.clients["app"].client_id}

    @property
    def secret(self) -> bytes:
        return self.azure.clients["app"].client_secret.encode()

    def asked_entra(self) -> list[int]:
        return [each["status"] for each in self.azure.request_log() if "/oauth2/v2.0/token" in each["url"]]


@pytest.fixture
async def world(
    control_plane: ControlPlane,
    azure_factory: AzureFactory,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    first, second = (key_and_certificate(ends=TODAY + timedelta(days=days)) for days in (30, 60))
    listed = [{"actions": ["*"]}]
    principals = [
        {"name": "app", "assignments": listed, "certificates": [certificate_of(first), certificate_of(second)]},
        {"name": "machine", "assignments": listed, "managed_identity": "SystemAssigned"},
        {"name": "assigned", "assignments": listed, "managed_identity": RESOURCE_ID},
    ]
    (tmp_path / "principals.json").write_text(json.dumps(principals))
    azure = azure_factory(principals=tmp_path / "principals.json", imds="127.0.0.1:0")
    name = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
    monkeypatch.setenv(name, azure.managed_identity[name])
    async with (
        passes_at_work(control_plane, azure, namespace, speed=200.0) as passes,
        identities_of(passes) as identities,
    ):
        yield World(azure, identities, first, second)


async def test_every_type_of_identity_gets_its_tokens(world: World) -> None:
    assigned = world.azure.clients["assigned"].client_id
    make = world.identities.make
    made = [
        await make("secret", world.app, {"clientSecret": world.secret + b"\n"}),
        await make("certificate", world.app, {"clientCertificate": world.first}),
        await make("machine", {"type": "ManagedIdentity"}),
        await make("assigned", {"type": "ManagedIdentity", "clientID": assigned}),
    ]
    for key in made:
        assert (await world.identities.ready(key, "Succeeded"))["status"] == "True"
    unknown = await make("unknown", {"type": "ManagedIdentity", "clientID": NOBODY})
    await world.identities.ready(unknown, "AuthenticationFailed", "the managed identity of the machine")


async def test_a_secret_and_a_certificate_are_rotated_without_a_restart(world: World) -> None:
    identities = world.identities
    by_secret = await identities.make("secret", world.app, {"clientSecret": world.secret})
    by_certificate = await identities.make("certificate", world.app, {"clientCertificate": world.first})
    await identities.ready(by_secret, "Succeeded")
    await identities.ready(by_certificate, "Succeeded", f"valid until {TODAY + timedelta(days=30):%Y-%m-%d %H:%M} UTC")
    asked = len(world.asked_entra())

    async with world.azure.control() as control:
        new = (await control.change_principal("app", rotate=True))["client_secret"]
    await identities.keep("secret", {"clientSecret": new.encode()}, replace=True)
    await identities.keep("certificate", {"clientCertificate": world.second}, replace=True)
    await identities.ready(by_certificate, "Succeeded", f"valid until {TODAY + timedelta(days=60):%Y-%m-%d %H:%M} UTC")
    await identities.passes.wait("new tokens are had", lambda: len(world.asked_entra()) == asked + 2)
    assert set(world.asked_entra()) == {200}

    # The old secret is worth nothing any more, and a Secret that is gone is told as such.
    await identities.keep("secret", {"clientSecret": world.secret}, replace=True)
    await identities.ready(by_secret, "AuthenticationFailed", "AADSTS7000215")
    await identities.keep("secret", {"clientSecret": new.encode()}, replace=True)
    await identities.ready(by_secret, "Succeeded")
    passes = identities.passes
    await passes.kube.request("DELETE", f"/api/v1/namespaces/{passes.namespace}/secrets/{by_secret.name}")
    await identities.ready(by_secret, "SecretNotFound", "create it with the key clientSecret or clientCertificate")


@dataclass(frozen=True)
class Bad:
    """An identity that cannot work: what is wrong with it, and what is said of it."""

    name: str
    reason: str
    says: str
    spec: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, bytes] | None = None


CERTIFICATE = key_and_certificate()
PAST = key_and_certificate(begins=TODAY - timedelta(days=9), ends=TODAY - timedelta(days=1))
FUTURE = key_and_certificate(begins=TODAY + timedelta(days=1), ends=TODAY + timedelta(days=9))
SECRET = b"nobody-may-read-this-anywhere"
BAD = [
    Bad("absent", "SecretNotFound", "does not exist: create it with the key clientSecret or clientCertificate"),
    Bad("empty", "SecretInvalid", "has neither the key clientSecret nor clientCertificate", data={"password": SECRET}),
    Bad("binary", "SecretInvalid", "the Secret's clientSecret is not text", data={"clientSecret": SECRET + b"\xff"}),
    Bad("no-pem", "SecretInvalid", "PEM of a certificate together with its", data={"clientCertificate": SECRET}),
    Bad(
        "no-key",
        "SecretInvalid",
        "PEM of a certificate together with its private key",
        data={"clientCertificate": certificate_of(CERTIFICATE).encode()},
    ),
    Bad("past", "CertificateExpired", "add a new one to the app and put it", data={"clientCertificate": PAST}),
    Bad(
        "future",
        "CertificateNotYetValid",
        "check the clock of the operator's machine",
        data={"clientCertificate": FUTURE},
    ),
    Bad(
        "unknown-certificate",
        "AuthenticationFailed",
        "AADSTS700027",
        data={"clientCertificate": CERTIFICATE},
    ),
    Bad("wrong-secret", "AuthenticationFailed", "the client secret is wrong", data={"clientSecret": SECRET}),
    Bad(
        "wrong-tenant",
        "AuthenticationFailed",
        "correct spec.tenantID of AzureIdentity",
        spec={"tenantID": NOBODY},
        data={"clientSecret": SECRET},
    ),
    Bad(
        "wrong-client",
        "AuthenticationFailed",
        "correct spec.clientID and spec.tenantID of AzureIdentity",
        spec={"clientID": NOBODY},
        data={"clientSecret": SECRET},
    ),
    Bad(
        "no-token-file",
        "TokenFileMissing",
        "AZURE_FEDERATED_TOKEN_FILE is not set: give the operator's pod the label azure.workload.identity/use",
        spec={"type": "WorkloadIdentity"},
    ),
]


async def test_what_is_wrong_with_an_identity_is_told_with_the_next_step_and_its_secret_nowhere(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made: dict[Key, Bad] = {}
    for bad in BAD:
        made[await world.identities.make(bad.name, {**world.app, **bad.spec}, bad.data)] = bad
    told = [await world.identities.ready(key, bad.reason, bad.says) for key, bad in made.items()]
    assert {each["status"] for each in told} == {"False"}

    # Azure's clock goes an hour ahead of this machine's: what is signed here has expired there.
    async with world.azure.control() as control:
        await control.advance(3600)
    late = await world.identities.make("late", world.app, {"clientCertificate": world.first})
    told.append(await world.identities.ready(late, "AuthenticationFailed", "check the clock of the operator's machine"))
    events = await world.identities.passes.kube.request("GET", "/apis/events.k8s.io/v1/events")
    everything = json.dumps([told, events]) + caplog.text
    for secret in (SECRET.decode(), "PRIVATE KEY", *_lines_of_keys(CERTIFICATE, PAST, FUTURE, world.first)):
        assert secret not in everything
    assert [each for each in caplog.records if each.exc_info and each.name.startswith("bastion_operator")] == []


def _lines_of_keys(*pems: bytes) -> list[str]:
    return [pem.decode().splitlines()[3] for pem in pems]
