"""Faults of the local Azure that a lab's operator meets."""

import asyncio
from typing import Any

from tests.support.lab import Lab


def fault(lab: Lab, action: dict[str, Any], **match: Any) -> str:
    """Set a fault; returns its id."""

    async def add() -> str:
        async with lab.azure.control() as control:
            return await control.add_fault(action, principal="operator", **match)

    return asyncio.run(add())


def heal(lab: Lab) -> None:
    """Remove all faults."""

    async def remove() -> None:
        async with lab.azure.control() as control:
            await control.remove_faults()

    asyncio.run(remove())
