"""Long operations that are lost, refused, never answered or never end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bastion_operator.arm.answers import Operation
from bastion_operator.arm.errors import AzureError, OperationFailedError, OperationLostError
from bastion_operator.arm.operations import OperationFollower
from dev.local_azure import LocalAzure
from tests.support.access_rows import subscription
from tests.support.arm_client import Caller, CallerFactory
from tests.support.azure import AzureFactory, one_azure
from tests.support.estates import public_ip_id, vnet

ADDRESS = public_ip_id("address")
BODY = {
    "location": "westeurope",
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
}
End = AzureError | None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    """One local Azure for all tests here."""
    yield from one_azure(tmp_path_factory.mktemp("azure"), [subscription(), vnet("hub", "10.0.0.0/16")])


@pytest.fixture
async def cloud(running: LocalAzure) -> AsyncIterator[LocalAzure]:
    yield running
    async with running.control() as control:
        await control.remove_faults()


async def followed(caller: Caller, cloud: LocalAzure, action: dict[str, Any], **rule: Any) -> tuple[End, int]:
    """How an operation whose questions meet this fault ends, and how often it was asked for."""
    ends: list[End] = []
    follower = OperationFollower(caller.client.clock)
    async with cloud.control() as control:
        await control.add_fault(action, url="/operations/", **rule)
        made = await caller.client.put(ADDRESS, BODY)
        assert made.operation is not None
        over = asyncio.Event()

        def ended(_: Operation, end: End) -> None:
            ends.append(end)
            over.set()

        follower.follow(caller.client, made.operation, ended)
        await asyncio.wait_for(over.wait(), 30)
        (fault,) = await control.faults()
    await follower.close()
    return ends[0], fault["seen"]


def refused(status: int, code: str, **headers: str) -> dict[str, Any]:
    return {"error": {"status": status, "code": code, "message": "Struck.", "headers": headers}}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "OperationNotFound"),
        (404, "ResourceNotFound"),
        (410, "Gone"),
        (403, "AuthorizationFailed"),
        (400, "Strange"),
    ],
)
async def test_an_operation_that_is_not_known_any_more_is_lost_not_failed(
    caller: Caller, cloud: LocalAzure, status: int, code: str
) -> None:
    end, asked = await followed(caller, cloud, refused(status, code), count=0)
    assert isinstance(end, OperationLostError)
    assert not isinstance(end, OperationFailedError)
    assert code in end.message
    assert asked == 1


@pytest.mark.parametrize(
    "action",
    [
        refused(500, "InternalServerError"),
        refused(503, "ServiceUnavailable"),
        refused(429, "TooManyRequests", **{"Retry-After": "0"}),
        refused(409, "AnotherOperationInProgress"),
        {"reset": "before"},
        {"reset": "after"},
    ],
)
async def test_a_question_that_is_not_answered_is_asked_again(
    caller: Caller, cloud: LocalAzure, action: dict[str, Any]
) -> None:
    end, asked = await followed(caller, cloud, action, count=3)
    assert end is None
    assert asked > 3


async def test_an_operation_whose_credential_is_refused_is_left_to_the_next_session(
    caller: Caller, cloud: LocalAzure
) -> None:
    end, asked = await followed(caller, cloud, refused(401, "ExpiredAuthenticationToken"), count=0)
    assert isinstance(end, OperationLostError)
    assert asked <= 2, "once more with a new token"


async def test_an_operation_is_not_followed_for_ever_without_an_answer(
    cloud: LocalAzure, caller_factory: CallerFactory
) -> None:
    # So fast that an hour is a few seconds.
    caller = await caller_factory(cloud, speed=1000)
    began = caller.client.clock.monotonic()
    end, asked = await followed(caller, cloud, refused(500, "InternalServerError"), count=0)
    assert isinstance(end, OperationLostError)
    assert asked > 3
    assert caller.client.clock.monotonic() - began > 3600


async def test_whoever_waits_for_an_operation_is_told_when_another_one_takes_its_place(
    caller: Caller, cloud: LocalAzure
) -> None:
    ends: dict[str, End] = {}
    over = asyncio.Event()
    follower = OperationFollower(caller.client.clock)
    made = await caller.client.put(ADDRESS, BODY)
    assert made.operation is not None
    follower.follow(caller.client, made.operation, lambda _, end: ends.update(first=end))

    def ended(_: Operation, end: End) -> None:
        ends["second"] = end
        over.set()

    follower.follow(caller.client, made.operation, ended)
    assert isinstance(ends["first"], OperationLostError)
    await asyncio.wait_for(over.wait(), 30)
    assert ends["second"] is None
    assert not follower.running(ADDRESS)


async def test_what_others_took_at_least_is_not_asked_about_all_the_time(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    # So fast that Azure's second comes to 0 in its Retry-After, and so slow that there is time for many questions.
    azure = azure_factory([subscription(), vnet("hub", "10.0.0.0/16")], speed=4)
    caller = await caller_factory(azure, speed=4)
    follower = OperationFollower(caller.client.clock)
    asked: list[int] = []
    for address in (public_ip_id("first"), public_ip_id("second")):
        made = await caller.client.put(address, BODY)
        assert made.operation is not None
        over = asyncio.Event()
        follower.follow(caller.client, made.operation, lambda *_, over=over: over.set())
        await asyncio.wait_for(over.wait(), 30)
        path = made.operation.url.partition("?")[0]
        asked.append(sum(each["url"].startswith(path) for each in azure.request_log()))
    await follower.close()
    assert asked[0] > 8
    assert asked[1] <= 4
