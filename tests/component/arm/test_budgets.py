"""The budgets against a local Azure: learned from what its answers say, closed as it asks, and no call sent in vain."""

import asyncio
from collections.abc import Awaitable

import pytest

from bastion_operator.arm.budgets import BudgetSpentError, CallKind, call_of
from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.credentials import ServicePrincipal
from dev.local_azure import LocalAzure
from tests.component.arm.conftest import SUBSCRIPTION_ROW
from tests.support.arm_client import CallerFactory, failure
from tests.support.azure import AzureFactory
from tests.support.estates import SUBSCRIPTION, nsg_id, vnet, vnet_id

HUB = vnet_id("hub")
BODY = {"location": "westeurope", "properties": {}}
EXHAUSTED = 200
MANY = 60


@pytest.fixture
def azure(azure_factory: AzureFactory) -> LocalAzure:
    """At Azure's own pace: what is refilled during a test is next to nothing."""
    return azure_factory([SUBSCRIPTION_ROW, vnet("hub", "10.0.0.0/16")], speed=1)


def group(number: int) -> str:
    return nsg_id(f"group-{number}")


def room(client: ArmClient, kind: CallKind, region: str = "westeurope") -> int:
    return client.budgets.room(call_of(client.principal, kind, HUB, region))


async def spent(call: Awaitable[object]) -> BudgetSpentError:
    refusal = await failure(call)
    assert isinstance(refusal, BudgetSpentError)
    return refusal


def sent(azure: LocalAzure, method: str, part: str = "") -> list[int]:
    return [each["status"] for each in azure.request_log() if each["method"] == method and part in each["url"]]


async def test_what_another_client_of_the_identity_takes_is_learned_from_the_answers(
    azure: LocalAzure, caller_factory: CallerFactory
) -> None:
    other, ours = (await caller_factory(azure, speed=1), await caller_factory(azure, speed=1))
    await ours.client.delete(group(0))
    for _ in range(150):
        await other.client.delete(group(0))
    before = room(ours.client, CallKind.DELETE)
    assert before >= EXHAUSTED - 2, "nothing has told of it yet"
    await ours.client.delete(group(0))
    assert room(ours.client, CallKind.DELETE) < before - 10


async def test_a_used_up_budget_refuses_here_and_azure_never_has_to(
    azure: LocalAzure, caller_factory: CallerFactory
) -> None:
    caller = await caller_factory(azure, speed=1)
    waits: list[float] = []
    for _ in range(EXHAUSTED + 100):
        try:
            await caller.client.delete(group(0))
        except BudgetSpentError as error:
            waits.append(error.retry_after or 0)
    assert 429 not in sent(azure, "DELETE")
    assert len(sent(azure, "DELETE")) + len(waits) == EXHAUSTED + 100
    assert all(0 < wait <= 1 for wait in waits)
    await caller.client.get(HUB)


async def test_a_refusal_of_the_network_provider_closes_the_region_for_writes_until_its_time(
    azure: LocalAzure, caller_factory: CallerFactory
) -> None:
    caller = await caller_factory(azure, speed=1)
    client = caller.client
    async with azure.control() as control:
        await control.add_fault(
            {"error": {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "187"}}}, method="PUT"
        )
        refusal = await failure(client.put(group(1), BODY, region="westeurope"))
    assert (refusal.code, refusal.retry_after) == ("TooManyRequests", 187)
    for closed in (client.put(group(1), BODY, region="West Europe"), client.delete(HUB, region="westeurope")):
        error = await spent(closed)
        assert 180 < (error.retry_after or 0) <= 187
        assert "in westeurope" in error.message
    assert sent(azure, "PUT") == [429]
    await client.put(group(2), {**BODY, "location": "northeurope"}, region="northeurope")
    await client.get(HUB, region="westeurope")


async def test_a_refusal_of_arm_closes_its_kind_in_the_subscription_and_opens_to_the_second(
    azure: LocalAzure, caller_factory: CallerFactory
) -> None:
    client = (await caller_factory(azure, speed=20)).client
    async with azure.control() as control:
        await control.add_fault(
            {"error": {"status": 429, "code": "SubscriptionRequestsThrottled", "headers": {"Retry-After": "1"}}},
            method="PUT",
        )
        await failure(client.put(group(1), BODY, region="westeurope"))
    # The operator's clock runs twenty times as fast here; the second is Azure's.
    assert 0 < ((await spent(client.put(group(1), BODY, region="northeurope"))).retry_after or 0) <= 20
    await client.delete(group(1), region="westeurope")
    wait = (await spent(client.put(group(1), BODY))).retry_after or 0
    await client.clock.sleep(wait - 1)
    await spent(client.put(group(1), BODY))
    await client.clock.sleep(1.1)
    await client.put(group(1), BODY)
    assert sent(azure, "PUT") == [429, 201]


async def test_a_sixteenth_query_of_the_graph_is_not_sent(azure: LocalAzure, caller_factory: CallerFactory) -> None:
    client = (await caller_factory(azure, speed=1)).client
    for _ in range(15):
        page = await client.graph_page("resources | project id | order by id asc", [SUBSCRIPTION], top=1)
        if page.wait:
            break
    refusal = await spent(client.graph_page("resources | project id | order by id asc", [SUBSCRIPTION], top=1))
    assert 0 < (refusal.retry_after or 0) <= 5
    assert 429 not in sent(azure, "POST", "ResourceGraph")


async def test_two_identities_of_one_client_id_share_what_arm_counts_for_it(
    azure: LocalAzure, caller_factory: CallerFactory
) -> None:
    caller = await caller_factory(azure, speed=1)
    who = azure.clients["operator"]
    twin = caller.connection.client(
        ServicePrincipal(azure.tenant_id, who.client_id.upper(), client_secret=who.client_secret)
    )
    for _ in range(20):
        await caller.client.delete(group(0))
    assert room(twin, CallKind.DELETE) == room(caller.client, CallKind.DELETE) < EXHAUSTED - 10
    await twin.close()


async def test_one_subscriptions_many_calls_do_not_keep_anothers_from_beginning(
    azure: LocalAzure, caller_factory: CallerFactory
) -> None:
    caller = await caller_factory(azure, speed=1)
    await caller.client.get(HUB)
    of_another = HUB.replace(SUBSCRIPTION, "00000000-0000-0000-0000-0000000000aa")
    many = (caller.client.get(group(number)) for number in range(MANY))
    await asyncio.gather(*many, caller.client.get(of_another), return_exceptions=True)
    _, *order = (each["url"] for each in azure.request_log() if each["method"] == "GET")
    assert len(order) == MANY + 1
    assert next(place for place, url in enumerate(order) if of_another in url) < MANY / 2


async def test_what_waits_for_its_turn_when_its_budget_closes_is_not_sent(
    azure: LocalAzure, caller_factory: CallerFactory
) -> None:
    client = (await caller_factory(azure, speed=1)).client
    await client.get(HUB)
    calls = [asyncio.create_task(client.get(group(number))) for number in range(MANY)]
    await asyncio.sleep(0)
    client.budgets.refused(call_of(client.principal, CallKind.READ, HUB), "TooManyRequests", 30)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, BudgetSpentError) for one in outcomes) >= MANY - 1
    assert len(sent(azure, "GET", "/group-")) <= 1


async def test_what_was_set_aside_for_a_call_that_is_broken_off_before_its_turn_is_free_again(
    azure: LocalAzure, caller_factory: CallerFactory
) -> None:
    client = (await caller_factory(azure, speed=1)).client
    call = call_of(client.principal, CallKind.WRITE, group(0), "westeurope")
    before = client.budgets.room(call)
    client.budgets.hold(call)
    put = asyncio.create_task(client.put(group(0), BODY, region="westeurope", held=True))
    await asyncio.sleep(0)
    put.cancel()
    await asyncio.gather(put, return_exceptions=True)
    assert client.budgets.room(call) == before
    assert not sent(azure, "PUT")
