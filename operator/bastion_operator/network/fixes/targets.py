"""Fixes of the VM's own side. Step 8."""

from collections.abc import Iterator
from typing import Any

from bastion_operator.network.finding import Action, Actor, Change, Finding, Fix
from bastion_operator.network.fixes.situation import Situation, free_name
from bastion_operator.network.network_interface import NetworkInterface
from bastion_operator.network.reachability.host import SUBNET_NAME
from bastion_operator.network.resource_types import NETWORK_INTERFACES
from bastion_operator.network.virtual_network import Subnet

_POWER = "properties.extended.instanceView.powerState.code"
_CONFIGURATIONS = "properties.ipConfigurations"


def start(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The VM started."""
    vm = situation.target.vm
    running = Change(
        Action.START, vm.id, _POWER, f"PowerState/{vm.power_state}", "PowerState/running", Actor.MACHINE_OWNER
    )
    yield Fix(f"start {vm.name} (az vm start --ids {vm.id})", (running,))


def ask_primary_address(situation: Situation, _: Finding) -> Iterator[Fix]:
    """The address that Bastion connects to, asked for in place of another one."""
    target = situation.target
    asked = Change(Action.ASK, target.vm.id, "address", None, target.address_text, Actor.USER)
    yield Fix(f"connect to {target.address_text}, the primary address of {target.vm.name}", (asked,))


def give_address(situation: Situation, _: Finding) -> Iterator[Fix]:
    """An IPv4 address for the primary NIC; a NIC for a VM that has none."""
    target = situation.target
    nic = target.interface
    if nic is None:
        yield from _new_interface(situation)
        return
    subnet = target.subnet
    address = next(situation.free_addresses(subnet), None) if subnet is not None else None
    if subnet is None or address is None:
        return
    lacking = nic.primary_ipv4
    if lacking is None:
        change = Change(
            Action.ADD, nic.id, _CONFIGURATIONS, None, _configuration(nic, subnet, address), Actor.MACHINE_OWNER
        )
        yield Fix(f"add an IPv4 ipConfiguration in {subnet.name} to the NIC {_name(nic.id)}", (change,))
        return
    place = (nic.ip_configurations or ()).index(lacking)
    field = f"{_CONFIGURATIONS}.{place}.properties.privateIPAddress"
    change = Change(Action.SET, nic.id, field, None, address, Actor.MACHINE_OWNER)
    yield Fix(
        f"give {lacking.name or 'the ipConfiguration'} of the NIC {_name(nic.id)} the address {address}", (change,)
    )


def _configuration(nic: NetworkInterface | None, subnet: Subnet, address: str) -> dict[str, Any]:
    held = {
        "primary": nic is None,
        "privateIPAddressVersion": "IPv4",
        "privateIPAllocationMethod": "Static",
        "privateIPAddress": address,
        "subnet": {"id": subnet.id},
    }
    return {"name": "ipv4", "properties": held}


def _new_interface(situation: Situation) -> Iterator[Fix]:
    """A NIC in the VNet of the first Bastion, in a subnet other than Bastion's own."""
    vm, inventory = situation.target.vm, situation.inventory
    for bastion in sorted(inventory.bastions.values(), key=lambda one: one.key):
        network = inventory.virtual_network(bastion.virtual_network_id)
        for subnet in network.subnets if network is not None else ():
            address = next(situation.free_addresses(subnet), None)
            if network is None or address is None or subnet.name in {SUBNET_NAME, "GatewaySubnet"}:
                continue
            name = free_name(f"{vm.name}-nic", situation.names(NETWORK_INTERFACES))
            own = f"{vm.id.partition('/providers/')[0]}/providers/Microsoft.Network/networkInterfaces/{name}"
            held = {"primary": True, "ipConfigurations": [_configuration(None, subnet, address)]}
            body = {"location": network.location, "properties": held}
            reference = {"id": own, "properties": {"primary": True}}
            attached = Change(
                Action.ADD,
                vm.id,
                "properties.networkProfile.networkInterfaces",
                None,
                reference,
                Actor.MACHINE_OWNER,
            )
            created = Change(Action.CREATE, own, "", None, body, Actor.MACHINE_OWNER)
            yield Fix(f"create a NIC in {network.name}/{subnet.name} and attach it to {vm.name}", (created, attached))


def move_out(situation: Situation, _: Finding) -> Iterator[Fix]:
    """NICs moved out of AzureBastionSubnet into another subnet of the VNet."""
    question = situation.question
    host = question.host if question is not None else None
    if host is None or host.subnet is None or host.network is None:
        return
    inventory = situation.inventory
    others = [one for one in host.network.subnets if one.name not in {SUBNET_NAME, "GatewaySubnet"}]
    nics = [inventory.network_interface(one) for one in inventory.interfaces_by_subnet.get(host.subnet.key, ())]
    for subnet in others:
        addresses = situation.free_addresses(subnet)
        changes = [change for nic in nics if nic is not None for change in _moved(nic, host.subnet, subnet, addresses)]
        if changes:
            yield Fix(f"move the NICs in {SUBNET_NAME} to {subnet.name}", tuple(changes))


def _moved(nic: NetworkInterface, away: Subnet, to: Subnet, addresses: Iterator[str]) -> Iterator[Change]:
    for place, configuration in enumerate(nic.ip_configurations or ()):
        if (configuration.subnet_id or "").lower() != away.id.lower():
            continue
        held = f"{_CONFIGURATIONS}.{place}.properties"
        before, after = {"id": configuration.subnet_id}, {"id": to.id}
        yield Change(Action.SET, nic.id, f"{held}.subnet", before, after, Actor.MACHINE_OWNER)
        if (was := configuration.address) is not None and (address := next(addresses, None)) is not None:
            yield Change(Action.SET, nic.id, f"{held}.privateIPAddress", was, address, Actor.MACHINE_OWNER)


def _name(resource: str) -> str:
    return resource.rstrip("/").rsplit("/", 1)[-1]
