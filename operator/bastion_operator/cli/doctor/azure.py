"""Checks of Azure: what a login may do of all that the operator does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError
from bastion_operator.arm.permissions import own_permissions
from bastion_operator.arm.subscriptions import Subscription
from bastion_operator.cli.doctor.check import Check, failed, ok, unknown, warning
from bastion_operator.cli.progress import Progress, progress
from bastion_operator.network.access.actions import Action
from bastion_operator.network.access.operator_role import OPERATOR_ACTIONS

_ROLE: Final = "it may be all that you need; the operator's identity needs the role of deploy/azure/role.json"


async def check_login_rights(client: ArmClient, subscriptions: Sequence[Subscription]) -> AsyncIterator[Check]:
    """What the login may do in each subscription of all that the operator does."""
    with progress("asking Azure for your rights", len(subscriptions)) as shown:
        for check in await asyncio.gather(*(_rights(client, each, shown) for each in subscriptions)):
            yield check


async def _rights(client: ArmClient, subscription: Subscription, shown: Progress) -> Check:
    name = f"rights in subscription {subscription.name or subscription.id}"
    try:
        permissions = await own_permissions(client, f"/subscriptions/{subscription.id}")
    except AzureError as error:
        told = f"Azure does not say: {error.message or error.code}"
        return unknown(name, told, "ask for Reader on the subscription")
    finally:
        shown.advance()
    lacking = [one for one in OPERATOR_ACTIONS if not any(entry.grants(Action(one)) for entry in permissions)]
    reads = [one for one in lacking if one.endswith("/read")]
    if reads:
        told = f"your login may not {reads[0]}" + (f" and {len(reads) - 1} more" if len(reads) > 1 else "")
        return failed(name, f"{told}: what is not seen is taken as not there", "ask for Reader on the subscription")
    if lacking:
        told = f"your login reads all, and lacks {len(lacking)} of the operator's actions, such as {lacking[0]}"
        return warning(name, told, _ROLE)
    return ok(name, "your login may do all that the operator does")
