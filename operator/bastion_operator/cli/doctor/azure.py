"""Checks of Azure: what a login may do of all that the operator does."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError
from bastion_operator.arm.permissions import own_permissions
from bastion_operator.arm.subscriptions import Subscription
from bastion_operator.cli.doctor.check import Check, failed, ok, unknown, warning
from bastion_operator.network.access.actions import Action
from bastion_operator.network.access.operator_role import OPERATOR_ACTIONS

_ROLE: Final = "it may be all that you need; the operator's identity needs the role of deploy/azure/role.json"


async def check_login_rights(client: ArmClient, subscriptions: Iterable[Subscription]) -> AsyncIterator[Check]:
    """What the login may do in each subscription of all that the operator does."""
    for each in subscriptions:
        name = f"rights in subscription {each.name or each.id}"
        try:
            permissions = await own_permissions(client, f"/subscriptions/{each.id}")
        except AzureError as error:
            yield unknown(
                name, f"Azure does not say: {error.message or error.code}", "ask for Reader on the subscription"
            )
            continue
        lacking = [one for one in OPERATOR_ACTIONS if not any(entry.grants(Action(one)) for entry in permissions)]
        reads = [one for one in lacking if one.endswith("/read")]
        if reads:
            told = f"your login may not {reads[0]}" + (f" and {len(reads) - 1} more" if len(reads) > 1 else "")
            yield failed(name, f"{told}: what is not seen is taken as not there", "ask for Reader on the subscription")
        elif lacking:
            yield warning(
                name,
                f"your login reads all, and lacks {len(lacking)} of the operator's actions, such as {lacking[0]}",
                _ROLE,
            )
        else:
            yield ok(name, "your login may do all that the operator does")
