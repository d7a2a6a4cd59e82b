"""Which locks keep Azure from taking a change: its refusal names the scopes that are locked, not the locks.

Resource Graph has no rows of locks, so that none is known beforehand (Microsoft's page "Azure Resource Graph table and resource type
reference"). Source of the list: the REST reference "Management Locks - List By Scope"; ``atScope()`` answers those at the scope and
above it.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError
from bastion_operator.arm.next_steps import locked_scopes, next_step
from bastion_operator.network.arm_id import normalise_id

_log = logging.getLogger(__name__)

READ: Final = "Microsoft.Authorization/locks/read"
"""The right that asking needs; Reader has it."""
_API_VERSION: Final = "2020-05-01"
_COLLECTION: Final = "/providers/Microsoft.Authorization/locks"
# Scopes that are asked about: the message of a deletion may name many.
_MOST_SCOPES: Final = 3


async def with_names_of_locks(client: ArmClient, error: AzureError) -> AzureError:
    """The error with the locks by their names in its next step, where it tells of any; else the error itself.

    Where the list cannot be had, the scopes that the message names must do.
    """
    scopes = locked_scopes(error.message)[:_MOST_SCOPES]
    told: list[str] = []
    for scope in scopes:
        try:
            listed = await client.values(
                f"{scope}{_COLLECTION}", api_version=_API_VERSION, query={"$filter": "atScope()"}
            )
        except AzureError as refusal:
            _log.info("the locks at %s could not be listed (%s; it needs %s)", scope, refusal.code, READ)
            return error
        told += names_at(scope, listed)
    if not told:
        return error
    words = next_step(error.code, {"message": error.message}, client.holder, locks=", ".join(told))
    return replace(error, next_step=words)


def names_at(scope: str, locks: Iterable[Mapping[str, Any]]) -> list[str]:
    """The locks of exactly this scope, in words."""
    own = f"{normalise_id(scope)}{_COLLECTION}/".lower()
    return [
        f"lock {lock.get('name')} ({level_of(lock)}) at {scope}"
        for lock in locks
        if normalise_id(str(lock.get("id", ""))).startswith(own)
    ]


def level_of(lock: Mapping[str, Any]) -> str:
    """``ReadOnly`` or ``CanNotDelete``, with the notes that people left for others."""
    found = lock.get("properties")
    properties = found if isinstance(found, Mapping) else {}
    notes = properties.get("notes")
    return f"{properties.get('level')}: {notes}" if notes else str(properties.get("level"))
