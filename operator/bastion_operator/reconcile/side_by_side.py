"""Requests of one pass that are under way at once."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final

AT_ONCE: Final = 16
"""So many requests of one kind a pass has under way."""


async def side_by_side(works: Iterable[Awaitable[None]]) -> None:
    """All of it to its end; then the first unforeseen error is raised, if there was one."""
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
