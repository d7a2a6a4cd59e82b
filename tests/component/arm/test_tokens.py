"""Tokens: cached for each identity, renewed before they end, had anew when they were revoked, told when that fails."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import time_machine

from bastion_operator.arm.errors import ErrorClass
from dev.local_azure import LocalAzure
from tests.support.arm_client import Caller, CallerFactory, failure
from tests.support.azure import AzureFactory, one_azure
from tests.support.estates import SUBSCRIPTION, vnet, vnet_id

HUB = vnet_id("hub")
ROWS = [
    {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "microsoft.resources/subscriptions", "name": "one"},
    vnet("hub", "10.0.0.0/16"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """One local Azure for all tests that do not need their own."""
    yield from one_azure(tmp_path_factory.mktemp("azure"), ROWS)


@pytest.fixture
async def cloud(running: LocalAzure) -> AsyncIterator[LocalAzure]:
    yield running
    async with running.control() as control:
        await control.remove_faults()


def asked_entra(azure: LocalAzure) -> int:
    return sum("/oauth2/v2.0/token" in entry["url"] for entry in azure.request_log())


def answers(azure: LocalAzure) -> list[int]:
    return [entry["status"] for entry in azure.request_log() if "/virtualNetworks/hub" in entry["url"]]


async def test_one_token_serves_all_calls_also_the_try_of_the_identity(caller: Caller, cloud: LocalAzure) -> None:
    before = asked_entra(cloud)
    await caller.client.authenticate()
    await asyncio.gather(*(caller.client.get(HUB) for _ in range(20)))
    await caller.client.authenticate()
    assert asked_entra(cloud) - before == 1


async def calls_for(seconds: float, caller: Caller) -> None:
    until = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until:
        assert await caller.client.get(HUB) is not None
        await asyncio.sleep(0.1)


async def test_tokens_that_end_all_the_time_fail_no_call(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    azure = azure_factory(ROWS, throttling=False, token_lifetime=2)
    await calls_for(4, await caller_factory(azure))
    assert asked_entra(azure) >= 2


# Tokens live for an hour here. The library renews them in their last five minutes, less up to one of jitter, and asks
# for another at most every 30 seconds: it reads the machine's clock, and the local Azure keeps its own.
IN_USE, SOON_OVER = 3000, 3400


async def test_a_token_is_renewed_before_it_ends(caller: Caller, cloud: LocalAzure) -> None:
    before, began = asked_entra(cloud), len(answers(cloud))
    assert await caller.client.get(HUB) is not None
    for passed, asked in ((IN_USE, 1), (SOON_OVER, 2)):
        with time_machine.travel(time.time() + passed):
            await asyncio.gather(*(caller.client.get(HUB) for _ in range(5)))
            assert asked_entra(cloud) - before == asked
    assert set(answers(cloud)[began:]) == {200}


async def test_a_wall_clock_that_jumps_by_hours_fails_no_call(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    azure = azure_factory(ROWS)
    caller = await caller_factory(azure)
    with time_machine.travel(time.time(), tick=True) as traveller:
        for hours in (0, 6, -12, 6):
            traveller.shift(hours * 3600.0)
            assert await caller.client.get(HUB) is not None
        # Set back, it takes a token for young that has ended by Azure's own clock.
        traveller.shift(-6 * 3600.0)
        async with azure.control() as control:
            await control.advance(7200.0)
        assert await caller.client.get(HUB) is not None
    assert [each for each in answers(azure) if each != 200] == [401]


async def test_where_no_new_token_is_to_be_had_the_old_one_serves_to_its_end(caller: Caller, cloud: LocalAzure) -> None:
    before, began = asked_entra(cloud), len(answers(cloud))
    assert await caller.client.get(HUB) is not None
    async with cloud.control() as control:
        ill = {"error": {"status": 503, "code": "AADSTS90033", "message": "A transient error has occurred."}}
        await control.add_fault(ill, url="/oauth2/v2.0/token", count=0)
    with time_machine.travel(time.time() + SOON_OVER):
        assert await caller.client.get(HUB) is not None
    assert asked_entra(cloud) - before == 2
    assert answers(cloud)[began:] == [200, 200]


async def test_a_claims_challenge_is_answered_and_nobody_hears_of_it(caller: Caller, cloud: LocalAzure) -> None:
    before, began = asked_entra(cloud), len(answers(cloud))
    assert await caller.client.get(HUB) is not None
    async with cloud.control() as control:
        await control.change_principal("operator", challenge=True)
    assert await caller.client.get(HUB) is not None
    assert answers(cloud)[began:] == [200, 401, 200]
    assert asked_entra(cloud) - before == 2


async def test_a_401_without_a_challenge_is_answered_with_one_new_token(caller: Caller, cloud: LocalAzure) -> None:
    before, began = asked_entra(cloud), len(answers(cloud))
    assert await caller.client.get(HUB) is not None
    async with cloud.control() as control:
        refused = {"error": {"status": 401, "code": "InvalidAuthenticationToken", "message": "It was revoked."}}
        await control.add_fault(refused, method="GET", url="/virtualNetworks/hub")
    assert await caller.client.get(HUB) is not None
    assert answers(cloud)[began:] == [200, 401, 200]
    assert asked_entra(cloud) - before == 2


async def test_a_second_401_is_told(caller: Caller, cloud: LocalAzure) -> None:
    before, began = asked_entra(cloud), len(answers(cloud))
    async with cloud.control() as control:
        refused = {"error": {"status": 401, "code": "InvalidAuthenticationToken", "message": "It was revoked."}}
        await control.add_fault(refused, method="GET", url="/virtualNetworks/hub", count=0)
        refusal = await failure(caller.client.get(HUB))
    assert (refusal.code, refusal.error_class) == ("InvalidAuthenticationToken", ErrorClass.CREDENTIAL)
    assert refusal.handling.reason == "CredentialUnavailable"
    assert answers(cloud)[began:] == [401, 401]
    assert asked_entra(cloud) - before == 2


async def test_many_calls_that_meet_a_revoked_token_at_once_all_go_on(caller: Caller, cloud: LocalAzure) -> None:
    assert await caller.client.get(HUB) is not None
    async with cloud.control() as control:
        await control.change_principal("operator", challenge=True)
    found = await asyncio.gather(*(caller.client.get(HUB) for _ in range(20)))
    assert all(each is not None for each in found)


async def test_a_credential_that_was_taken_away_is_told_by_entras_number_once_its_token_is_revoked(
    cloud: LocalAzure, caller_factory: CallerFactory
) -> None:
    caller = await caller_factory(cloud, "somebody")
    async with cloud.control() as control:
        for change, code, step in (
            ({"revoked": True}, "AADSTS7000112", "enable the app"),
            ({"revoked": False, "secret_expires_in": 60}, "AADSTS7000222", "has expired"),
            ({"client_secret": None}, "AADSTS7000215", "is wrong"),
        ):
            await control.change_principal("somebody", **change)
            await control.advance(61)
            await control.change_principal("somebody", challenge=True)
            refusal = await failure(caller.client.get(HUB))
            assert (refusal.code, refusal.error_class) == (code, ErrorClass.CREDENTIAL)
            assert step in refusal.next_step
