"""Managed identities: the endpoints of a machine and of an App Service, as azure-identity finds and asks them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AioManagedIdentityCredential

from dev.control_plane.errors import StartError
from dev.local_azure import LocalAzure
from tests.support.azure import Wire, claims_of, run_azure

SCOPE = "https://management.azure.com/.default"
RESOURCE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one"
PRINCIPALS: list[dict[str, Any]] = [
    {"name": "machine", "assignments": [{"actions": ["*"]}], "managed_identity": "SystemAssigned"},
    {"name": "one", "assignments": [], "managed_identity": RESOURCE_ID},
    {"name": "two", "assignments": [], "managed_identity": RESOURCE_ID.replace("one", "two")},
    {"name": "none", "assignments": []},
]


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    yield from run_azure(tmp_path_factory.mktemp("azure"), PRINCIPALS, "--imds=127.0.0.1:0")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """A machine with two user-assigned identities and none of its own."""
    yield from run_azure(tmp_path_factory.mktemp("azure"), PRINCIPALS[1:], "--imds=127.0.0.1:0")


@pytest.fixture
def machine(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> LocalAzure:
    """This process runs on a machine in Azure."""
    name = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
    monkeypatch.setenv(name, azure.managed_identity[name])
    return azure


@pytest.fixture
def app_service(azure: LocalAzure, monkeypatch: pytest.MonkeyPatch) -> LocalAzure:
    """This process runs in an App Service."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.setenv(name, azure.managed_identity[name])
    return azure


def token(**named: Any) -> str:
    with ManagedIdentityCredential(**named) as credential:
        return str(credential.get_token(SCOPE).token)


async def aio_token(**named: Any) -> str:
    async with AioManagedIdentityCredential(**named) as credential:
        return str((await credential.get_token(SCOPE)).token)


async def ask(azure: LocalAzure, query: str, headers: dict[str, str], path: str | None = None) -> tuple[int, Any]:
    base = azure.managed_identity["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
    url = f"{base}{path or '/metadata/identity/oauth2/token'}?{query}"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.json()


async def test_a_machine_gets_its_system_assigned_identity(machine: LocalAzure) -> None:
    claims = claims_of(await asyncio.to_thread(token))
    assert claims["appid"] == machine.clients["machine"].client_id
    assert "xms_mirid" not in claims


async def test_a_machine_gets_its_system_assigned_identity_asynchronously(machine: LocalAzure) -> None:
    assert claims_of(await aio_token())["appid"] == machine.clients["machine"].client_id


async def test_such_a_token_opens_arms_door(machine: LocalAzure) -> None:
    async with Wire(machine, "machine") as wire:
        wire.token = await aio_token()
        assert (await wire.call("GET", "/tenants"))[0] == 200
    assert machine.request_log()[-1]["principal"] == "machine"


async def test_a_user_assigned_identity_is_found_by_client_id(machine: LocalAzure) -> None:
    claims = claims_of(await asyncio.to_thread(token, client_id=machine.clients["two"].client_id))
    assert claims["xms_mirid"] == RESOURCE_ID.replace("one", "two")


async def test_a_user_assigned_identity_is_found_by_resource_id(machine: LocalAzure) -> None:
    claims = claims_of(await asyncio.to_thread(token, identity_config={"resource_id": RESOURCE_ID}))
    assert claims["appid"] == machine.clients["one"].client_id


async def test_a_user_assigned_identity_is_found_by_client_id_asynchronously(machine: LocalAzure) -> None:
    claims = claims_of(await aio_token(client_id=machine.clients["one"].client_id))
    assert claims["appid"] == machine.clients["one"].client_id


async def test_a_principal_that_is_no_managed_identity_is_not_found(machine: LocalAzure) -> None:
    with pytest.raises(CredentialUnavailableError, match="Identity not found"):
        await aio_token(client_id=machine.clients["none"].client_id)
    with pytest.raises(ClientAuthenticationError, match="Identity not found"):
        await asyncio.to_thread(token, client_id=machine.clients["none"].client_id)


async def test_an_app_service_gets_its_system_assigned_identity(app_service: LocalAzure) -> None:
    for found in (await asyncio.to_thread(token), await aio_token()):
        assert claims_of(found)["appid"] == app_service.clients["machine"].client_id


async def test_an_app_service_finds_user_assigned_identities(app_service: LocalAzure) -> None:
    client_id = app_service.clients["one"].client_id
    for found in (await asyncio.to_thread(token, client_id=client_id), await aio_token(client_id=client_id)):
        assert claims_of(found)["appid"] == client_id


async def test_an_app_service_needs_its_header(app_service: LocalAzure) -> None:
    query = "api-version=2019-08-01&resource=https://management.azure.com"
    status, answer = await ask(app_service, query, {"X-IDENTITY-HEADER": "wrong"}, "/msi/token")
    assert (status, answer["statusCode"]) == (401, 401)


async def test_the_metadata_header_is_demanded(azure: LocalAzure) -> None:
    status, answer = await ask(azure, "api-version=2018-02-01&resource=x", {})
    assert (status, answer["error"]) == (400, "bad_request_102")


@pytest.mark.parametrize("query", ["api-version=2018-02-01", "resource=x"])
async def test_api_version_and_resource_are_demanded(azure: LocalAzure, query: str) -> None:
    status, answer = await ask(azure, query, {"Metadata": "true"})
    assert (status, answer["error"]) == (400, "invalid_request")


async def test_several_user_assigned_identities_have_to_be_told_apart(crowded: LocalAzure) -> None:
    query = "api-version=2018-02-01&resource=https://management.azure.com"
    status, answer = await ask(crowded, query, {"Metadata": "true"})
    assert (status, answer["error"]) == (400, "invalid_request")
    assert answer["error_description"].startswith("Multiple user assigned identities exist")


async def test_all_values_of_a_metadata_answer_are_texts(azure: LocalAzure) -> None:
    query = "api-version=2018-02-01&resource=https://management.azure.com"
    status, answer = await ask(azure, query, {"Metadata": "true"})
    assert status == 200
    assert {type(value) for value in answer.values()} == {str}
    assert int(answer["expires_on"]) - int(answer["not_before"]) == int(answer["expires_in"])


async def test_the_machines_endpoints_serve_nothing_else(azure: LocalAzure) -> None:
    for path in ("/subscriptions", "/_emulator/resources", f"/{azure.tenant_id}/oauth2/v2.0/token"):
        assert (await ask(azure, "api-version=2022-12-01", {"Metadata": "true"}, path))[0] == 404


def test_a_machine_has_one_system_assigned_identity(tmp_path: Path) -> None:
    twice = [{"name": name, "assignments": [], "managed_identity": "SystemAssigned"} for name in "ab"]
    with pytest.raises(StartError, match="field managed_identity: two principals are SystemAssigned"):
        next(run_azure(tmp_path, twice))
