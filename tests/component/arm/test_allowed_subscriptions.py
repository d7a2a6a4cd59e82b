"""The last fence: a client that is for some subscriptions sends nothing to others, whoever forgot to ask before."""

from collections.abc import AsyncIterator

import pytest

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.connection import ArmConnection
from bastion_operator.arm.credentials import ServicePrincipal
from bastion_operator.arm.errors import CredentialHolder, ErrorClass
from bastion_operator.clock import SystemClock
from dev.local_azure import LocalAzure
from tests.support.arm_client import cloud_of, failure
from tests.support.estates import OTHER_SUBSCRIPTION, SUBSCRIPTION, vnet_id

HUB = vnet_id("hub")
FOREIGN = vnet_id("hub", subscription=OTHER_SUBSCRIPTION)


@pytest.fixture
async def client(cloud: LocalAzure) -> AsyncIterator[ArmClient]:
    """May do everything in Azure, and is for one subscription."""
    who = cloud.clients["operator"]
    connection = ArmConnection(cloud_of(cloud), SystemClock(1000))
    made = connection.client(
        ServicePrincipal(cloud.tenant_id, who.client_id, client_secret=who.client_secret),
        CredentialHolder("AzureIdentity team"),
        subscriptions=frozenset({SUBSCRIPTION}),
    )
    yield made
    await made.close()
    await connection.close()


async def test_inside_it_does_as_it_is_told(client: ArmClient) -> None:
    assert await client.get(HUB.upper().replace("SUBSCRIPTIONS", "subscriptions")) is not None
    page = await client.graph_page("resources | project id", [SUBSCRIPTION], top=10)
    assert page.rows


async def test_outside_nothing_is_sent_and_the_error_says_what_would_let_it(
    client: ArmClient, cloud: LocalAzure
) -> None:
    for call in (
        client.get(FOREIGN),
        client.put(FOREIGN, {"location": "westeurope"}),
        client.delete(FOREIGN),
        client.list_children(FOREIGN, "subnets"),
        client.values(f"{FOREIGN}/providers/Microsoft.Authorization/permissions", api_version="2022-04-01"),
        client.graph_page("resources | project id", [SUBSCRIPTION, OTHER_SUBSCRIPTION], top=10),
        client.get("/providers/Microsoft.Management/managementGroups/all"),
        client.list_children("", "subscriptions"),
    ):
        refusal = await failure(call)
        assert (refusal.code, refusal.error_class) == ("SubscriptionNotAllowed", ErrorClass.DENIED)
        assert "spec.allowedSubscriptions of AzureIdentity team" in refusal.next_step
        assert "lies outside the subscriptions of AzureIdentity team" in refusal.message
    assert cloud.request_log() == []
