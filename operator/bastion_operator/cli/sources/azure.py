"""Live Azure as a source: read with the user's own login, in the way in which the operator reads it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import click

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.cloud import Cloud, CloudSettingsError
from bastion_operator.arm.connection import ArmConnection
from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.arm.subscriptions import Subscription, list_subscriptions
from bastion_operator.arm.user_login import USER, USERS_LOGIN, user_login
from bastion_operator.cli.errors import Refusal
from bastion_operator.cli.progress import progress
from bastion_operator.cli.sources import Azure
from bastion_operator.clock import SystemClock
from bastion_operator.network.inventory import Inventory
from bastion_operator.reconcile.fleet import FleetSnapshot

_READER = "ask for the role Reader on the subscriptions, or sign in to another tenant with --tenant"
_MOST_NAMED = 5


def read_azure(source: Azure, *, access: bool = False) -> Inventory:
    """All that the login sees of the subscriptions, read once. Says on stderr which of them Azure shows nothing of.

    Raises Refusal.
    """

    async def read() -> Inventory:
        async with live_azure(source) as azure:
            return await azure.inventory(access=access)

    return asyncio.run(read())


@dataclass(slots=True)
class LiveAzure:
    """A login at work in some subscriptions; each reading is laid over the one before."""

    client: ArmClient
    subscriptions: Sequence[Subscription]
    _fleet: FleetSnapshot

    async def inventory(self, *, access: bool = False) -> Inventory:
        """What Azure says now. Raises Refusal."""
        wanted = [each.id for each in self.subscriptions]
        before = self._fleet.unreadable(USER)
        with progress(f"reading {_counted(self.subscriptions)} from Azure"), told_azure_error():
            await self._refresh(wanted, access=access)
            inventory = await self._fleet.inventory(USER)
        assert inventory is not None
        hidden = self._fleet.unreadable(USER)
        if hidden and hidden != before:
            named = ", ".join(hidden[:_MOST_NAMED]) + (
                f" and {len(hidden) - _MOST_NAMED} more" * (len(hidden) > _MOST_NAMED)
            )
            click.echo(f"warning: Azure shows your login nothing of {named}: {_READER}", err=True)
        return inventory

    async def _refresh(self, wanted: list[str], *, access: bool) -> None:
        while True:
            try:
                await self._fleet.refresh(USER, self.client, wanted, 0.0, access=access)
            except AzureError as error:
                # The reading goes on; only the operator's passes have something better to do meanwhile.
                if error.code != "InventoryLate":
                    raise
            else:
                return


@asynccontextmanager
async def live_azure(source: Azure) -> AsyncIterator[LiveAzure]:
    """The login, and the subscriptions that were asked for. Raises Refusal."""
    clock = SystemClock()
    with told_azure_error():
        connection = ArmConnection(Cloud.from_environment(os.environ), clock)
    client = connection.client_with(user_login(connection.cloud, source.tenant), USER, USERS_LOGIN)
    fleet = FleetSnapshot(clock)
    try:
        with progress("signing in to Azure"), told_azure_error():
            seen = await list_subscriptions(client)
        yield LiveAzure(client, _wanted(seen, source.subscriptions), fleet)
    finally:
        await fleet.close()
        await client.close()
        await connection.close()


@contextmanager
def told_azure_error() -> Iterator[None]:
    """Whatever Azure refuses is told with the next step."""
    try:
        yield
    except CloudSettingsError as error:
        what, _, remedy = str(error).partition(": ")
        raise Refusal(what, remedy) from error
    except AzureError as error:
        raise Refusal(f"Azure: {error.message or error.code}", _next_step(error)) from error


def _next_step(error: AzureError) -> str:
    if error.error_class is ErrorClass.CREDENTIAL:
        return USERS_LOGIN.secret
    if error.error_class is ErrorClass.DENIED:
        return error.next_step or _READER
    return (
        error.next_step
        or "try again in a moment; AZURE_RESOURCE_MANAGER_ENDPOINT and AZURE_AUTHORITY_HOST name the cloud"
    )


def _wanted(seen: list[Subscription], named: tuple[str, ...]) -> list[Subscription]:
    if not seen:
        raise Refusal("your login sees no subscription", _READER)
    return [_find(seen, text) for text in dict.fromkeys(named)] if named else seen


def _find(seen: list[Subscription], text: str) -> Subscription:
    found = [each for each in seen if text.lower() in {each.id.lower(), each.name.lower()}]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(each.id for each in found)
        raise Refusal(f"the name {text} fits {len(found)} subscriptions: {listed}", "give the id with --subscription")
    raise Refusal(
        f"your login sees no subscription {text}", "check it with az account list, or leave --subscription out"
    )


def _counted(subscriptions: Sequence[Subscription]) -> str:
    return f"{len(subscriptions)} subscription{'s' * (len(subscriptions) != 1)}"
