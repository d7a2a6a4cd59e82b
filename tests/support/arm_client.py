"""The operator's own client against a local Azure: real azure-identity and SDK, over TLS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from bastion_operator.arm.answers import Operation
from bastion_operator.arm.budgets import CallKind
from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.connection import REQUEST_TIMEOUT, ArmConnection
from bastion_operator.arm.credentials import ServicePrincipal
from bastion_operator.arm.errors import AzureError
from bastion_operator.clock import SystemClock
from dev.local_azure import LocalAzure

SPEED = 1000


@dataclass
class Calls:
    """What the observer of metrics was told."""

    seen: list[tuple[CallKind, str, str]] = field(default_factory=list)

    def __call__(self, kind: CallKind, resource_type: str, result: str) -> None:
        self.seen.append((kind, resource_type, result))


@dataclass
class Caller:
    """A client of the local Azure, its credentials and what it was seen to call."""

    client: ArmClient
    connection: ArmConnection
    calls: Calls


CallerFactory = Callable[..., Awaitable[Caller]]


def cloud_of(azure: LocalAzure) -> Cloud:
    return Cloud(authority=azure.authority, resource_manager=azure.endpoint, ca_file=azure.ca_file)


@pytest.fixture
async def caller_factory() -> AsyncIterator[CallerFactory]:
    """`await caller_factory(azure, principal="operator", secret=…, speed=…, timeout=…)`; closed at the end."""
    made: list[Caller] = []

    async def make(
        azure: LocalAzure,
        principal: str = "operator",
        *,
        secret: str | None = None,
        speed: float = SPEED,
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - the client's own, for each request
    ) -> Caller:
        who = azure.clients[principal]
        calls = Calls()
        connection = ArmConnection(cloud_of(azure), SystemClock(speed), calls, request_timeout=timeout)
        identity = ServicePrincipal(azure.tenant_id, who.client_id, client_secret=secret or who.client_secret)
        caller = Caller(connection.client(identity), connection, calls)
        made.append(caller)
        return caller

    yield make
    for caller in made:
        await caller.client.close()
        await caller.connection.close()


async def finish(client: ArmClient, operation: Operation | None) -> None:
    """Poll an operation to its end. Raises what poll raises."""
    while operation is not None:
        await asyncio.sleep(0.01)
        operation = await client.poll(operation)


async def failure(call: Awaitable[object]) -> AzureError:
    """The error of a call that must fail."""
    with pytest.raises(AzureError) as caught:
        await call
    return caught.value
