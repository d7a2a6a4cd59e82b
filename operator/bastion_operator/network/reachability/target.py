"""The VM's side of a connection: the address that Bastion connects to, and where it lies. Steps 8 and 9."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.network_interface import IpConfiguration, NetworkInterface
from bastion_operator.network.prefixes import EMPTY, AddressSet, PrefixError, format_address, parse_address
from bastion_operator.network.reachability.lost import lost
from bastion_operator.network.scale_set import profile_interface
from bastion_operator.network.subnet_range import usable_addresses
from bastion_operator.network.virtual_machine import VirtualMachine
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork


@dataclass(frozen=True, slots=True)
class Target:
    """A VM with what was found of its primary IPv4 address; None for each fact that is missing.

    ``addresses`` is the address, or for an instance of a scale set, whose NIC is no resource, the range that it lies in.
    ``network_id`` is known as soon as the address's subnet is named, even where the VNet's row is missing.
    ``missing`` says what could not be found or read.
    """

    vm: VirtualMachine
    interface: NetworkInterface | None = None
    addresses: AddressSet = EMPTY
    application_security_groups: frozenset[str] = frozenset()
    network_id: str | None = None
    network: VirtualNetwork | None = None
    subnet: Subnet | None = None
    missing: tuple[Finding, ...] = ()

    @property
    def security_group_ids(self) -> tuple[str, ...]:
        """The groups on the subnet and on the NIC, as far as there are any."""
        holders = (self.subnet, self.interface)
        return tuple(
            one.network_security_group_id for one in holders if one is not None and one.network_security_group_id
        )

    @property
    def address_text(self) -> str:
        """The address, or the range that it lies in, as a person writes it."""
        if len(self.addresses) == 1:
            return format_address(self.addresses.lowest)
        return f"an address of {', '.join(self.addresses.prefixes())}"

    @property
    def network_name(self) -> str:
        """What people call the VNet; findings carry its whole id as their resource."""
        return "?" if self.network_id is None else self.network_id.rstrip("/").rpartition("/")[2]

    @property
    def network_key(self) -> str | None:
        """The VNet's id, lower-cased."""
        return None if self.network_id is None else normalise_id(self.network_id)


def find_target(inventory: Inventory, vm: VirtualMachine) -> Target:
    """Follows a VM to its primary NIC, its primary IPv4 address, its subnet and its VNet, as far as the facts go."""
    if vm.scale_set_id is not None and not _has_own_interface(inventory, vm):
        return _instance(inventory, vm, vm.scale_set_id)
    if vm.interfaces is None:
        return Target(
            vm, missing=(_unavailable(f"{vm.name} states no network profile: its NICs are not known", vm.id),)
        )
    if not vm.interfaces:
        return Target(vm, missing=(_no_address(vm, "it has no NIC"),))
    nic_id = _primary_interface_id(inventory, vm)
    if nic_id is None:
        return Target(
            vm, missing=(_unavailable(f"not one of the NICs of {vm.name} alone is marked as primary", vm.id),)
        )
    nic = inventory.network_interface(nic_id)
    if nic is None:
        return Target(vm, missing=(lost(inventory, nic_id, f"NIC {nic_id} of {vm.name} is not in the data"),))
    return _place(inventory, vm, nic)


def _has_own_interface(inventory: Inventory, vm: VirtualMachine) -> bool:
    return any(inventory.network_interface(reference.id) is not None for reference in vm.interfaces or ())


def _instance(inventory: Inventory, vm: VirtualMachine, scale_set_id: str) -> Target:
    """An instance of a uniform scale set, judged from the network profile: any address of its subnet may be its own."""
    scale_set = inventory.row(scale_set_id)
    nic = profile_interface(inventory.row(vm.id) or {}, scale_set, vm.id)
    if nic is None:
        message = (
            f"neither a NIC of {vm.name} is in the data nor one that its scale set {scale_set_id} describes as primary"
        )
        return Target(vm, missing=(lost(inventory, scale_set_id, message),))
    placed = _place(inventory, vm, nic)
    if placed.addresses or placed.subnet is None or placed.subnet.prefixes is None:
        return placed
    configuration = nic.primary_ipv4
    if configuration is None or configuration.address is not None:
        return placed
    missing = tuple(item for item in placed.missing if item.code != "NoIPv4Address")
    if placed.subnet.prefixes.malformed:
        message = f"which address {vm.name} has: subnet {placed.subnet.id} has a prefix that cannot be read"
        return replace(placed, missing=(*missing, _unavailable(message, placed.subnet.id)))
    range_of = usable_addresses(placed.subnet.prefixes)
    return replace(placed, addresses=range_of, missing=missing)


def _primary_interface_id(inventory: Inventory, vm: VirtualMachine) -> str | None:
    references = vm.interfaces or ()
    if len(references) == 1:
        return references[0].id
    marked = {normalise_id(reference.id): reference.id for reference in references if reference.primary}
    if not marked:
        found = (inventory.network_interface(reference.id) for reference in references)
        marked = {nic.key: nic.id for nic in found if nic is not None and nic.primary}
    return next(iter(marked.values())) if len(marked) == 1 else None


def _place(inventory: Inventory, vm: VirtualMachine, nic: NetworkInterface) -> Target:
    if nic.ip_configurations is None:
        return Target(vm, nic, missing=(_unavailable(f"NIC {nic.id} states no ipConfigurations", nic.id),))
    configuration = nic.primary_ipv4
    addresses, missing = _addresses(vm, nic, configuration)
    lying = nic.ipv4 or nic.ip_configurations
    subnet_id = lying[0].subnet_id if len({each.subnet_id for each in lying}) == 1 else None
    if subnet_id is None:
        if not missing:
            missing = (_unavailable(f"NIC {nic.id} of {vm.name} names no subnet", nic.id),)
        return Target(vm, nic, addresses, missing=missing)
    place = subnet_id.lower().rfind("/subnets/")
    network_id = subnet_id[:place] if place > 0 else None
    network, subnet = inventory.virtual_network(network_id), inventory.subnet(subnet_id)
    if subnet is None:
        holder = network_id if network is None and network_id is not None else subnet_id
        missing = (*missing, lost(inventory, holder, f"the subnet {subnet_id} of {vm.name} is not in the data"))
    groups = frozenset(configuration.application_security_group_ids) if configuration is not None else frozenset()
    return Target(vm, nic, addresses, groups, network_id, network, subnet, missing)


def _addresses(
    vm: VirtualMachine, nic: NetworkInterface, configuration: IpConfiguration | None
) -> tuple[AddressSet, tuple[Finding, ...]]:
    if nic.primary_is_untold:
        message = f"not one of the IPv4 configurations of NIC {nic.id} alone is marked as primary"
        return EMPTY, (_unavailable(message, nic.id),)
    if configuration is None:
        return EMPTY, (_no_address(vm, f"NIC {nic.id} has no IPv4 configuration"),)
    if configuration.address is None:
        return EMPTY, (_no_address(vm, f"NIC {nic.id} has no private IPv4 address"),)
    try:
        return AddressSet.of_one(parse_address(configuration.address)), ()
    except PrefixError as error:
        return EMPTY, (_unavailable(f"the address of NIC {nic.id} cannot be read: {error}", nic.id),)


def power_findings(target: Target) -> Iterator[Finding]:
    """Step 8: a VM that does not run answers nobody."""
    vm = target.vm
    if vm.power_state is None:
        yield _unavailable(
            f"nothing says whether {vm.name} runs: read its instance view (az vm get-instance-view), or ask the graph",
            vm.id,
        )
    elif not vm.running:
        yield finding("VMNotRunning", f"{vm.name} is {vm.power_state}, not running: start it", resource=vm.id)


def address_findings(target: Target, asked: int | None) -> Iterator[Finding]:
    """Step 8: Bastion connects to the primary IPv4 address of the primary NIC and to no other."""
    if asked is not None and target.addresses and asked not in target.addresses:
        message = (
            f"{format_address(asked)} is not the primary address of {target.vm.name}, which is {target.address_text}"
        )
        yield finding("NotPrimaryNic", f"{message}: Bastion connects to that one", resource=target.vm.id)


def session_host_findings(inventory: Inventory, target: Target) -> Iterator[Finding]:
    """Step 8: session hosts are reached through their own service; a Bastion session to them is a matter of luck."""
    if target.vm.session_host or target.vm.key in inventory.session_hosts:
        yield finding(
            "RdsOrAvdTarget",
            f"{target.vm.name} is a session host of Azure Virtual Desktop or Remote Desktop Services, which Bastion does not"
            " support: connect through that service",
            resource=target.vm.id,
        )


def _no_address(vm: VirtualMachine, why: str) -> Finding:
    return finding(
        "NoIPv4Address",
        f"{vm.name} has no private IPv4 address to connect to: {why}; give its primary NIC one",
        resource=vm.id,
    )


def _unavailable(message: str, resource: str) -> Finding:
    return finding("EffectiveDataUnavailable", message, resource=resource)
