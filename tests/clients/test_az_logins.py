"""The ways in which az logs in, and azure-identity that takes its tokens from az."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.identity import AzureCliCredential

from dev.local_azure import LocalAzure
from tests.clients.conftest import SUBSCRIPTION, Az, az_for
from tests.support.azure import claims_of
from tests.support.issuer import Issuer

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
SUBJECT = "repo:owner/name:ref:refs/heads/main"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logins")


@pytest.fixture(scope="module")
def issuer(folder: Path) -> Iterator[Issuer]:
    with Issuer(folder) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def identities(folder: Path, issuer: Issuer) -> Iterator[LocalAzure]:
    """One principal for each way to log in."""
    key = trustme.CA().issue_cert("client.example", key_type=trustme.KeyType.RSA)
    certificate = b"".join(blob.bytes() for blob in key.cert_chain_pems).decode()
    (folder / "client.pem").write_text(key.private_key_pem.bytes().decode() + certificate)
    trusted = {"issuer": issuer.url, "subject": SUBJECT, "ca_file": str(issuer.ca_file)}
    rights = [{"actions": ["*/read"]}]
    principals: list[dict[str, Any]] = [
        {"name": "certificate", "assignments": rights, "certificates": [certificate]},
        {"name": "federated", "assignments": rights, "federated_credentials": [trusted]},
        {"name": "machine", "assignments": rights, "managed_identity": "SystemAssigned"},
    ]
    (folder / "principals.json").write_text(json.dumps(principals))
    estate = folder / "estate.json"
    subscription = {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "microsoft.resources/subscriptions", "name": "one"}
    estate.write_text(json.dumps([subscription]))
    options = [f"--principals={folder / 'principals.json'}", "--imds=127.0.0.1:0", "--min-retry-after=1"]
    azure = LocalAzure(folder, estates=[estate], speed=100, options=options)
    azure.start()
    yield azure
    azure.kill()


@pytest.fixture
def fresh_az(identities: LocalAzure, tmp_path: Path) -> Az:
    """Not logged in yet."""
    return az_for(identities, tmp_path)


def caller(az: Az) -> str:
    """The client id in the token that az now has."""
    return str(claims_of(az("account", "get-access-token")["accessToken"])["appid"])


def test_az_logs_in_with_a_certificate(fresh_az: Az, folder: Path) -> None:
    client_id = fresh_az.azure.clients["certificate"].client_id
    fresh_az.log_in("--service-principal", "--username", client_id, "--certificate", str(folder / "client.pem"))
    assert caller(fresh_az) == client_id
    assert fresh_az("group", "list") == []


def test_az_logs_in_with_a_federated_token(fresh_az: Az, issuer: Issuer) -> None:
    client_id = fresh_az.azure.clients["federated"].client_id
    fresh_az.log_in("--service-principal", "--username", client_id, "--federated-token", issuer.token(SUBJECT))
    assert caller(fresh_az) == client_id


def test_az_tells_why_a_federated_token_is_refused(fresh_az: Az, issuer: Issuer) -> None:
    client_id = fresh_az.azure.clients["federated"].client_id
    with pytest.raises(AssertionError, match="AADSTS700213"):
        fresh_az.log_in(
            "--service-principal", "--username", client_id, "--federated-token", issuer.token("repo:owner/other")
        )


def test_az_logs_in_with_a_managed_identity(fresh_az: Az) -> None:
    name = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
    machine = Az(fresh_az.azure, fresh_az.folder, {**fresh_az.environment, name: fresh_az.azure.managed_identity[name]})
    machine.register()
    machine("login", "--identity")
    assert caller(machine) == fresh_az.azure.clients["machine"].client_id


def test_azure_identity_takes_the_token_of_az(az: Az, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "AZURE_CONFIG_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, az.environment[name])
    token = AzureCliCredential(process_timeout=120).get_token("https://management.azure.com/.default").token
    assert claims_of(token)["appid"] == az.azure.clients["somebody"].client_id
