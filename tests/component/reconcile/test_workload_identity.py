"""Workload identity from end to end: a token that the real API server issues for the operator's own service account,
checked by the local Entra against the keys that this API server publishes, and exchanged by the real azure-identity.
"""

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import time_machine

from bastion_operator.api.vnet_peering import VNetPeering
from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.connection import ArmConnection
from bastion_operator.arm.credentials import WorkloadIdentity
from bastion_operator.arm.errors import AzureError, CredentialHolder
from bastion_operator.clock import SystemClock
from bastion_operator.kube.resources import get_object
from bastion_operator.reconcile.keys import Kind
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from tests.support.arm_client import cloud_of, failure
from tests.support.azure import AzureFactory
from tests.support.identities import identities_of
from tests.support.lab import APPS_SUBSCRIPTION, EXAMPLE, HUB, HUB_SUBSCRIPTION, OPERATOR_NAMESPACE, SHOP
from tests.support.operator_in_process import passes_at_work

SUBJECT = f"system:serviceaccount:{OPERATOR_NAMESPACE}:bastion-operator"
AUDIENCE = "api://AzureADTokenExchange"
# azure-identity reads the token's file again after ten minutes; Azure takes a token for five minutes after its end.
READ_AGAIN = 601.0
OUTLIVED = 1000.0


@dataclass
class ServiceAccount:
    """The operator's account in the cluster, and the file that the kubelet would keep its token in."""

    control_plane: ControlPlane
    file: Path

    def project(self, *, name: str = "bastion-operator", audience: str = AUDIENCE, minutes: int = 10) -> None:
        """Put a new token of the API server's into the file."""
        options = ["-n", OPERATOR_NAMESPACE, f"--audience={audience}", f"--duration={minutes}m"]
        self.file.write_text(self.control_plane.kubectl("create", "token", name, *options).strip())


@pytest.fixture(scope="module")
def keys_published(control_plane: ControlPlane, operator_installed: Path) -> Iterator[None]:
    """Anybody may read the issuer's documents, as Entra reads those of a cluster in Azure."""
    del operator_installed
    name = "issuer-for-everybody"
    role = "--clusterrole=system:service-account-issuer-discovery"
    control_plane.kubectl("create", "clusterrolebinding", name, role, "--group=system:unauthenticated")
    control_plane.kubectl("create", "serviceaccount", "somebody-else", "-n", OPERATOR_NAMESPACE)
    yield
    control_plane.kubectl("delete", "clusterrolebinding", name)
    control_plane.kubectl("delete", "serviceaccount", "somebody-else", "-n", OPERATOR_NAMESPACE)


@pytest.fixture
def account(control_plane: ControlPlane, keys_published: None, tmp_path: Path) -> ServiceAccount:
    del keys_published
    account = ServiceAccount(control_plane, tmp_path / "azure-identity-token")
    account.project()
    return account


@pytest.fixture
def azure(azure_factory: AzureFactory, control_plane: ControlPlane, tmp_path: Path) -> LocalAzure:
    """An app that trusts the operator's service account, as ``az identity federated-credential create`` writes it."""
    trusted = {"issuer": control_plane.url, "subject": SUBJECT, "ca_file": str(control_plane.ca_file)}
    principals = [{"name": "workload", "assignments": [{"actions": ["*"]}], "federated_credentials": [trusted]}]
    (tmp_path / "principals.json").write_text(json.dumps(principals))
    rows = json.loads((EXAMPLE / "estate.json").read_text())
    return azure_factory(
        rows, principals=tmp_path / "principals.json", throttling=False, graph_lag=0, token_lifetime=900
    )


async def pass_time(azure: LocalAzure, traveller: time_machine.Traveller, seconds: float) -> None:
    """The same time goes by for this machine and for Azure."""
    traveller.shift(seconds)
    async with azure.control() as control:
        await control.advance(seconds)


@pytest.mark.usefixtures("crds_served")
async def test_a_token_of_the_operators_service_account_is_exchanged_and_had_anew_when_it_has_ended(
    control_plane: ControlPlane, azure: LocalAzure, account: ServiceAccount, namespace: str
) -> None:
    spec = {
        "type": "WorkloadIdentity",
        "clientID": azure.clients["workload"].client_id,
        "allowedSubscriptions": [HUB_SUBSCRIPTION, APPS_SUBSCRIPTION],
    }
    link = {"hub": {"virtualNetworkID": HUB}, "spokes": [{"virtualNetworkID": SHOP}]}
    with time_machine.travel(time.time(), tick=True) as traveller:
        async with (
            passes_at_work(control_plane, azure, namespace, speed=200.0, token_file=str(account.file)) as passes,
            identities_of(passes) as identities,
        ):
            identity = await identities.make("workload", spec)
            await identities.ready(identity, "Succeeded")
            key = await passes.create(Kind.VNET_PEERING, "hub", {**link, "identityRef": {"name": identity.name}})
            await passes.wait("the networks are joined", lambda: passes.reads(key, "Ready", "True"))
            writes = [entry for entry in azure.request_log() if entry["method"] == "PUT"]
            assert {entry["principal"] for entry in writes} == {"workload"}

            # Nobody has renewed the file: once Azure's token has ended, there is none to be had.
            await pass_time(azure, traveller, OUTLIVED)
            told = await identities.ready(identity, "AuthenticationFailed", "AADSTS700024")
            assert f"the token file {account.file}" in told["message"]
            account.project(minutes=60)
            await pass_time(azure, traveller, READ_AGAIN)
            await identities.ready(identity, "Succeeded")
            await passes.ask_now(key, "again")
            await passes.wait("the peering is looked at again", lambda: passes.reads(key, "Ready", "True"))
            raw = await get_object(passes.kube, VNetPeering, namespace, "hub")
            assert "Stalled" not in {each["type"] for each in raw["status"]["conditions"]}


@pytest.fixture
async def connection(azure: LocalAzure, account: ServiceAccount) -> AsyncIterator[ArmConnection]:
    whole = cloud_of(azure)
    cloud = Cloud(whole.authority, whole.resource_manager, whole.ca_file, token_file=str(account.file))
    made = ArmConnection(cloud, SystemClock(1000))
    yield made
    await made.close()


async def refusal(connection: ArmConnection, azure: LocalAzure) -> AzureError:
    """What a new client hears that asks for a token."""
    identity = WorkloadIdentity(azure.tenant_id, azure.clients["workload"].client_id)
    client = connection.client(identity, CredentialHolder("AzureIdentity default", "the token file"))
    try:
        return await failure(client.authenticate())
    finally:
        await client.close()


async def test_a_token_that_was_not_issued_for_this_is_told_by_what_does_not_fit(
    connection: ArmConnection, azure: LocalAzure, account: ServiceAccount, control_plane: ControlPlane
) -> None:
    federation = "add a federated credential to the app with the issuer, subject and audience"
    account.project(name="somebody-else")
    error = await refusal(connection, azure)
    assert (error.code, "somebody-else" in error.message) == ("AADSTS700213", True)
    assert federation in error.next_step
    account.project(audience="https://kubernetes.default.svc")
    error = await refusal(connection, azure)
    assert error.code == "AADSTS700212"
    assert federation in error.next_step

    # The issuer's documents cannot be had, as in a cluster that does not publish them.
    account.project()
    control_plane.kubectl("delete", "clusterrolebinding", "issuer-for-everybody")
    try:
        error = await refusal(connection, azure)
        assert error.code == "AADSTS90061"
        assert "/.well-known/openid-configuration" in error.next_step
    finally:
        role = "--clusterrole=system:service-account-issuer-discovery"
        control_plane.kubectl(
            "create", "clusterrolebinding", "issuer-for-everybody", role, "--group=system:unauthenticated"
        )


async def test_a_token_file_that_vanishes_later_is_an_error_with_its_name_and_no_traceback(
    connection: ArmConnection, azure: LocalAzure, account: ServiceAccount
) -> None:
    identity = WorkloadIdentity(azure.tenant_id, azure.clients["workload"].client_id)
    client = connection.client(identity, CredentialHolder("AzureIdentity default", "the token file"))
    account.file.unlink()
    for call in (client.authenticate(), client.get(HUB)):
        error = await failure(call)
        assert error.code == "CredentialUnavailable"
        assert f"{account.file}: No such file or directory" in error.message
        assert error.next_step == "check AzureIdentity default and the token file"
    await client.close()
