"""Asks Azure what the identity may do: before the first request for a link on its two networks, and in its subscriptions."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError
from bastion_operator.arm.permissions import own_permissions
from bastion_operator.clock import Clock
from bastion_operator.network.access.actions import Action
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.peering_rights import Lacking

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 16
# Seconds for which an answer is kept: a right that is there mostly stays, one that is missing is being waited for.
_KEPT: Final = 600.0
_KEPT_LACKING: Final = 60.0


@dataclass(slots=True)
class OwnRights:
    """What each identity was found to lack of some actions at each scope, and until when that holds.

    :ivar actions: those that are asked about
    """

    clock: Clock
    actions: tuple[str, ...]
    _known: dict[tuple[str, str], tuple[float, frozenset[str]]] = field(default_factory=dict)

    async def lacking(self, client: ArmClient, scopes: Iterable[str]) -> Lacking:
        """The actions that the client's identity lacks. A scope of which Azure does not say is not among them."""
        wanted = {normalise_id(scope): scope for scope in scopes}
        now = self.clock.monotonic()
        limit = asyncio.Semaphore(_AT_ONCE)

        async def ask(key: str, scope: str) -> None:
            known = self._known.get((client.principal, key))
            if known is not None and now < known[0]:
                return
            async with limit:
                try:
                    found = await own_permissions(client, scope)
                except AzureError as error:
                    # Azure says no to the first request then, and tells why.
                    _log.info("what may be done on %s is not known: %s", scope, error.code)
                    self._known.pop((client.principal, key), None)
                    return
            lacks = frozenset(each for each in self.actions if not any(one.grants(Action(each)) for one in found))
            self._known[client.principal, key] = (now + (_KEPT_LACKING if lacks else _KEPT), lacks)

        await asyncio.gather(*(ask(key, scope) for key, scope in wanted.items()))
        answers = {key: self._known.get((client.principal, key)) for key in wanted}
        return {key: answer[1] for key, answer in answers.items() if answer is not None}
