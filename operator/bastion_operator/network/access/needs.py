"""What a person needs to connect through Bastion: which actions, on which resources.

Roles and actions: https://learn.microsoft.com/azure/bastion/bastion-faq (required roles, peered VNets) and
https://learn.microsoft.com/entra/identity/devices/howto-vm-sign-in-azure-ad-linux (sign-in roles).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bastion_operator.network.access.actions import Action
from bastion_operator.network.access.grants import Options
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import text
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.target import find_target
from bastion_operator.network.reachability.verdict import Verdict, Via
from bastion_operator.network.resource_types import VM_EXTENSIONS
from bastion_operator.network.sku import Sku

READER_ROLE: Final = "Reader"
SIGN_IN_ROLE: Final = "Virtual Machine User Login or Virtual Machine Administrator Login"

_VM: Final = ((Action("Microsoft.Compute/virtualMachines/read"),),)
_INSTANCE: Final = ((Action("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read"),),)
_NIC: Final = ((Action("Microsoft.Network/networkInterfaces/read"),),)
_NIC_ACROSS: Final = (
    (
        Action("Microsoft.Network/networkInterfaces/read"),
        Action("Microsoft.Network/networkInterfaces/ipconfigurations/read"),
    ),
)
_INSTANCE_NIC: Final = ((Action("Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/read"),),)
_BASTION: Final = ((Action("Microsoft.Network/bastionHosts/read"),),)
_NETWORK: Final = (
    (
        Action("Microsoft.Network/virtualNetworks/read"),
        Action("Microsoft.Network/virtualNetworks/BastionHosts/action", with_reader=True),
        Action("Microsoft.Network/virtualNetworks/bastionHosts/default/action", with_reader=True),
        Action("Microsoft.Network/virtualNetworks/virtualMachines/read"),
        Action("Microsoft.Network/virtualNetworks/subnets/virtualMachines/read"),
    ),
)
_SIGN_IN: Final = (
    (Action("Microsoft.Compute/virtualMachines/login/action", data=True),),
    (Action("Microsoft.Compute/virtualMachines/loginAsAdmin/action", data=True),),
)
_SIGN_IN_EXTENSIONS: Final = frozenset({"aadloginforwindows", "aadsshloginforlinux"})


@dataclass(frozen=True, slots=True)
class Need:
    """Actions that are needed on a resource: all of one of the ``options``. ``role`` is the built-in role that has them."""

    kind: str
    role: str
    scope: str
    options: Options


def sign_in_machines(inventory: Inventory) -> frozenset[str]:
    """Lower-cased ids of the VMs with the extension by which people sign in with Entra ID."""
    return frozenset(
        key.rpartition("/extensions/")[0]
        for key, row in inventory.rows(VM_EXTENSIONS).items()
        if (text(row, "properties", "type") or "").lower() in _SIGN_IN_EXTENSIONS
    )


def needs_of(inventory: Inventory, verdict: Verdict, sign_in: frozenset[str]) -> Iterator[Need]:
    """What a person needs to connect to the verdict's VM by the verdict's Bastion; without one, on the VM alone.

    ``sign_in`` are the VMs that people sign in to with Entra ID, as ``sign_in_machines`` has them.
    """
    machine, bastion = inventory.virtual_machine(verdict.vm), inventory.bastion(verdict.bastion)
    target = None if machine is None else find_target(inventory, machine)
    network = None if target is None else target.network_id
    hub = None if bastion is None else bastion.virtual_network_id
    across = network is not None and hub is not None and normalise_id(network) != normalise_id(hub)
    instance = machine is not None and machine.scale_set_id is not None
    yield Need("VM", READER_ROLE, verdict.vm, _INSTANCE if instance else _VM)
    if target is not None and target.interface is not None:
        nic = target.interface.id
        yield Need("NIC", READER_ROLE, nic, _INSTANCE_NIC if instance else _NIC_ACROSS if across else _NIC)
    if bastion is not None:
        yield Need("Bastion", READER_ROLE, bastion.id, _BASTION)
    if across and network is not None and hub is not None:
        yield Need("VNet", READER_ROLE, network, _NETWORK)
        yield Need("VNet", READER_ROLE, hub, _NETWORK)
    by_entra = verdict.via is not Via.IP_CONNECT and (bastion is None or bastion.sku is not Sku.DEVELOPER)
    if by_entra and normalise_id(verdict.vm) in sign_in:
        yield Need("VM", SIGN_IN_ROLE, verdict.vm, _SIGN_IN)
