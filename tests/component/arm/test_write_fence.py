"""No write reaches Azure from a process that may not write, wherever on its way it loses that right."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.connection import ArmConnection
from bastion_operator.arm.credentials import ServicePrincipal
from bastion_operator.arm.write_fence import is_write
from bastion_operator.clock import SystemClock
from bastion_operator.leadership import Leadership, NotLeadingError
from dev.local_azure import LocalAzure
from tests.support.arm_client import SPEED, cloud_of
from tests.support.estates import SUBSCRIPTION, public_ip_id, vnet_id

HUB = vnet_id("hub")
ADDRESS = public_ip_id("address")
BODY = {
    "location": "westeurope",
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
}


class Looks:
    """A clock that jumps past the end of every right to write at one of the looks at it; ``left`` looks come before."""

    def __init__(self) -> None:
        self.left = 1_000_000

    def __call__(self) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else 1_000.0


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def leadership(looks: Looks) -> Leadership:
    leadership = Leadership(looks)
    leadership.extend(10.0)
    return leadership


@pytest.fixture
async def client(cloud: LocalAzure, leadership: Leadership) -> AsyncIterator[ArmClient]:
    who = cloud.clients["operator"]
    connection = ArmConnection(cloud_of(cloud), SystemClock(SPEED), leadership=leadership)
    client = connection.client(ServicePrincipal(cloud.tenant_id, who.client_id, client_secret=who.client_secret))
    yield client
    await client.close()
    await connection.close()


def writes(cloud: LocalAzure) -> list[tuple[str, int]]:
    return [
        (each["method"], each["status"]) for each in cloud.request_log() if each["method"] in {"PUT", "PATCH", "DELETE"}
    ]


async def test_without_the_right_reads_and_queries_are_sent_and_no_write(
    client: ArmClient, cloud: LocalAzure, leadership: Leadership
) -> None:
    leadership.give_up()
    for write in (client.put(ADDRESS, BODY), client.delete(ADDRESS), client.delete(HUB)):
        with pytest.raises(NotLeadingError):
            await write
    assert await client.get(HUB) is not None
    assert (await client.graph_page("resources | project id | order by id asc", [SUBSCRIPTION], top=10)).rows
    assert writes(cloud) == []


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_the_right_is_asked_for_after_the_token_and_with_the_connection_and_before_the_first_byte(
    client: ArmClient, cloud: LocalAzure, looks: Looks, before: int
) -> None:
    looks.left = before
    with pytest.raises(NotLeadingError):
        await client.put(ADDRESS, BODY)
    assert any("/oauth2/" in each["url"] for each in cloud.request_log()), "the token came first"
    assert writes(cloud) == []
    looks.left = 3
    await client.put(ADDRESS, BODY)
    assert writes(cloud) == [("PUT", 201)]


async def test_a_token_that_comes_too_late_lets_no_write_through(
    client: ArmClient, cloud: LocalAzure, leadership: Leadership
) -> None:
    async with cloud.control() as control:
        await control.add_fault({"delay": 0.5}, url="/oauth2/", count=0)
        write = asyncio.create_task(client.put(ADDRESS, BODY))
        await asyncio.sleep(0.1)
        leadership.give_up()
        with pytest.raises(NotLeadingError):
            await write
    assert writes(cloud) == []


async def test_a_write_that_is_sent_again_with_a_new_token_asks_again(
    client: ArmClient, cloud: LocalAzure, looks: Looks
) -> None:
    await client.get(HUB)
    async with cloud.control() as control:
        refusal = {"error": {"status": 401, "code": "InvalidAuthenticationToken"}}
        await control.add_fault(refusal, method="PUT", count=1)
        # The looks of the first sending find the right in force, the first look of the second does not.
        looks.left = 3
        with pytest.raises(NotLeadingError):
            await client.put(ADDRESS, BODY)
    assert writes(cloud) == [("PUT", 401)]


@pytest.mark.parametrize(
    ("method", "url", "write"),
    [
        ("GET", "https://azure/subscriptions/s", False),
        ("HEAD", "https://azure/subscriptions/s", False),
        ("POST", "https://azure/providers/Microsoft.ResourceGraph/resources?api-version=1", False),
        ("POST", "https://azure/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/x/y/reset", True),
        ("put", "https://azure/subscriptions/s", True),
        ("PATCH", "https://azure/subscriptions/s", True),
        ("DELETE", "https://azure/subscriptions/s", True),
    ],
)
def test_what_counts_as_a_write(method: str, url: str, write: bool) -> None:
    assert is_write(method, url) is write
