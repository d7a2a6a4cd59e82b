"""Built-in roles by their id, for estates and identities that show assignments but not the definitions.

Ids and permissions: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bastion_operator.network.access.role_definition import Permission, RoleDefinition

READER: Final = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
VM_ADMINISTRATOR_LOGIN: Final = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
VM_USER_LOGIN: Final = "fb879df8-f326-4884-b1cf-06f3ad86be52"
_OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_CONTRIBUTOR: Final = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_NETWORK_CONTRIBUTOR: Final = "4d97b98b-1d4f-4787-a291-c67834d212e7"

_LOGIN_READS: Final = (
    "Microsoft.Network/publicIPAddresses/read",
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/loadBalancers/read",
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.Compute/virtualMachines/*/read",
)
_LOGIN: Final = "Microsoft.Compute/virtualMachines/login/action"
_LOGIN_AS_ADMIN: Final = "Microsoft.Compute/virtualMachines/loginAsAdmin/action"

_ROLES: Final = (
    RoleDefinition(_OWNER, "Owner", (Permission(("*",)),)),
    RoleDefinition(
        _CONTRIBUTOR,
        "Contributor",
        (
            Permission(
                ("*",),
                (
                    "Microsoft.Authorization/*/Delete",
                    "Microsoft.Authorization/*/Write",
                    "Microsoft.Authorization/elevateAccess/Action",
                    "Microsoft.Blueprint/blueprintAssignments/write",
                    "Microsoft.Blueprint/blueprintAssignments/delete",
                    "Microsoft.Compute/galleries/share/action",
                ),
            ),
        ),
    ),
    RoleDefinition(READER, "Reader", (Permission(("*/read",)),)),
    RoleDefinition(
        _NETWORK_CONTRIBUTOR,
        "Network Contributor",
        (
            Permission(
                (
                    "Microsoft.Authorization/*/read",
                    "Microsoft.Insights/alertRules/*",
                    "Microsoft.Network/*",
                    "Microsoft.ResourceHealth/availabilityStatuses/read",
                    "Microsoft.Resources/deployments/*",
                    "Microsoft.Resources/subscriptions/resourceGroups/read",
                    "Microsoft.Support/*",
                )
            ),
        ),
    ),
    RoleDefinition(
        VM_ADMINISTRATOR_LOGIN,
        "Virtual Machine Administrator Login",
        (Permission(_LOGIN_READS, data_actions=(_LOGIN, _LOGIN_AS_ADMIN)),),
    ),
    RoleDefinition(VM_USER_LOGIN, "Virtual Machine User Login", (Permission(_LOGIN_READS, data_actions=(_LOGIN,)),)),
)

BUILTIN_ROLES: Final[Mapping[str, RoleDefinition]] = MappingProxyType({role.key: role for role in _ROLES})
"""Built-in roles by key. A row of the same id goes before: it is what Azure says now."""
