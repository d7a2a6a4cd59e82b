"""What the identity itself may do at a scope, as Azure tells it.

Source: the REST reference "Permissions - List For Resource": all that the caller's role assignments come to there,
inherited ones and those by groups included.
"""

from typing import Final

from bastion_operator.arm.client import ArmClient
from bastion_operator.network.access.role_definition import Permission, read_permission

READ: Final = "Microsoft.Authorization/permissions/read"
"""The right that asking needs; Reader has it."""
_API_VERSION: Final = "2022-04-01"


async def own_permissions(client: ArmClient, scope: str) -> tuple[Permission, ...]:
    """The entries at the scope; an action is allowed where one of them allows it.

    :raises AzureError: if Azure does not say
    """
    target = f"{scope}/providers/Microsoft.Authorization/permissions"
    return tuple(map(read_permission, await client.values(target, api_version=_API_VERSION)))
