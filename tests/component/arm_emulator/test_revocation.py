"""What an administrator takes away: secrets that expire, rotate or go, principals that are disabled, tokens revoked."""

import base64
import json
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.network.aio import NetworkManagementClient

from arm_emulator.client import ControlError
from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB, subscription
from tests.support.azure import AzureFactory, Wire, claims_of

SCOPE = "https://management.azure.com/.default"
CAPABLE = json.dumps({"access_token": {"xms_cc": {"values": ["CP1"]}}})


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    return azure_factory([subscription()])


async def change(azure: LocalAzure, **changed: Any) -> dict[str, Any]:
    async with azure.control() as control:
        return await control.change_principal("somebody", **changed)


async def refusal(azure: LocalAzure) -> tuple[int, str, int]:
    async with Wire(azure) as wire:
        status, answer = await wire.grant()
        return status, answer["error"], answer["error_codes"][0]


async def test_an_expired_secret_is_AADSTS7000222(azure: LocalAzure) -> None:  # noqa: N802
    await change(azure, secret_expires_in=3600)
    async with Wire(azure) as wire:
        assert (await wire.grant())[0] == 200
    async with azure.control() as control:
        await control.advance(3601)
    assert await refusal(azure) == (401, "invalid_client", 7000222)


async def test_a_removed_secret_is_AADSTS7000215(azure: LocalAzure) -> None:  # noqa: N802
    assert (await change(azure, client_secret=None))["client_secret"] is None
    assert await refusal(azure) == (401, "invalid_client", 7000215)


async def test_a_rotated_secret_takes_the_place_of_the_old_one(azure: LocalAzure) -> None:
    new = (await change(azure, rotate=True))["client_secret"]
    assert await refusal(azure) == (401, "invalid_client", 7000215)
    async with Wire(azure) as wire:
        assert (await wire.grant(client_secret=new))[0] == 200


async def test_a_rotated_secret_outlives_a_restart(azure_factory: AzureFactory) -> None:
    azure = azure_factory([subscription()], state=True)
    new = (await change(azure, rotate=True))["client_secret"]
    azure.kill()
    azure.start()
    assert azure.clients["somebody"].client_secret == new
    async with Wire(azure) as wire:
        assert (await wire.grant())[0] == 200


async def test_a_disabled_principal_is_AADSTS7000112_until_it_is_enabled(azure: LocalAzure) -> None:  # noqa: N802
    assert (await change(azure, revoked=True))["revoked"] is True
    assert await refusal(azure) == (400, "unauthorized_client", 7000112)
    await change(azure, revoked=False)
    async with Wire(azure) as wire:
        assert (await wire.grant())[0] == 200


async def test_a_revoked_token_is_answered_with_a_claims_challenge(azure: LocalAzure) -> None:
    async with Wire(azure) as wire:
        _, answer = await wire.grant(claims=CAPABLE)
        wire.token = answer["access_token"]
        assert claims_of(wire.token)["xms_cc"] == ["CP1"]
        assert (await wire.call("GET", "/subscriptions"))[0] == 200
        await change(azure, challenge=True)
        status, body, headers = await wire.call("GET", "/subscriptions")
        assert (status, body["error"]["code"]) == (401, "InvalidAuthenticationToken")
        told = headers["WWW-Authenticate"]
        assert 'error="insufficient_claims"' in told
        asked = json.loads(base64.b64decode(told.partition('claims="')[2].partition('"')[0]))
        assert asked["access_token"]["nbf"]["essential"] is True
        both = {"access_token": {**asked["access_token"], **json.loads(CAPABLE)["access_token"]}}
        _, answer = await wire.grant(claims=json.dumps(both))
        wire.token = answer["access_token"]
        assert (await wire.call("GET", "/subscriptions"))[0] == 200


async def test_a_token_of_a_client_that_cannot_answer_challenges_lives_until_it_expires(azure: LocalAzure) -> None:
    async with Wire(azure) as wire:
        assert (await wire.call("GET", "/subscriptions"))[0] == 200
        await change(azure, revoked=True)
        assert (await wire.call("GET", "/subscriptions"))[0] == 200


async def test_the_sdk_answers_a_challenge_by_itself_once_it_declares_that_it_can(azure: LocalAzure) -> None:
    client = azure.clients["somebody"]
    credential = ClientSecretCredential(
        azure.tenant_id,
        client.client_id,
        client.client_secret,
        authority=azure.authority,
        disable_instance_discovery=True,
        connection_verify=azure.ca_file,
    )
    network = NetworkManagementClient(
        credential,
        SUB,
        base_url=azure.endpoint,
        authentication_policy=AsyncARMChallengeAuthenticationPolicy(credential, SCOPE, enable_cae=True),
        connection_verify=azure.ca_file,
    )
    async with credential, network:
        assert [one async for one in network.virtual_networks.list_all()] == []
        await change(azure, challenge=True)
        assert [one async for one in network.virtual_networks.list_all()] == []
        listed = [entry["status"] for entry in azure.request_log() if "virtualNetworks" in entry["url"]]
        assert listed == [200, 401, 200]
        await change(azure, revoked=True)
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000112"):
            _ = [one async for one in network.virtual_networks.list_all()]


@pytest.mark.parametrize("claims", ["{", "[]", '{"access_token": 5}', '{"access_token": {"xms_cc": {"values": 5}}}'])
async def test_claims_that_are_no_claims_request_are_AADSTS90100(azure: LocalAzure, claims: str) -> None:  # noqa: N802
    async with Wire(azure) as wire:
        status, answer = await wire.grant(claims=claims)
    assert (status, answer["error_codes"]) == (400, [90100])


@pytest.mark.parametrize(
    "wrong", [{"revoked": 1}, {"client_secret": ""}, {"unknown": True}, {"secret_expires_in": "x"}]
)
async def test_a_change_that_is_none_is_refused_whole(azure: LocalAzure, wrong: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="InvalidPrincipalChange"):
        await change(azure, rotate=True, **wrong)
    async with Wire(azure) as wire:
        assert (await wire.grant())[0] == 200


async def test_a_principal_that_is_not_there_cannot_be_changed(azure: LocalAzure) -> None:
    async with azure.control() as control:
        with pytest.raises(ControlError, match="UnknownPrincipal"):
            await control.change_principal("nobody", revoked=True)
        assert [one["name"] for one in await control.principals()] == ["operator", "somebody", "reader"]
