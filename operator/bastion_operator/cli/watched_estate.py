"""An estate that is read again and again, as files or Azure have it."""

import asyncio
from collections.abc import AsyncIterator

from bastion_operator.cli.errors import Refusal, warn
from bastion_operator.cli.sources import Azure, Files
from bastion_operator.cli.sources.files import read_files
from bastion_operator.network.inventory import Inventory


async def watched_inventories(source: Files | Azure, interval: float, *, access: bool) -> AsyncIterator[Inventory]:
    """The estate now, and again every so many seconds. What fails after the first time is told, and tried again."""
    if isinstance(source, Files):
        yield read_files(source.names)
        while True:
            await asyncio.sleep(interval)
            try:
                inventory = read_files(source.names)
            except Refusal as refusal:
                warn(refusal)
            else:
                yield inventory
    from bastion_operator.cli.sources.azure import live_azure  # noqa: PLC0415  Azure's libraries take half a second

    async with live_azure(source) as azure:
        yield await azure.inventory(access=access)
        while True:
            await asyncio.sleep(interval)
            try:
                inventory = await azure.inventory(access=access)
            except Refusal as refusal:
                warn(refusal)
            else:
                yield inventory
