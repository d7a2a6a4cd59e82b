"""Which VMs a BastionHost is meant to reach."""

from bastion_operator.api.bastion_host import BastionHostSpec, TargetScope, TargetSelectors
from bastion_operator.network.arm_id import normalise_id, parse_arm_id
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.network_interface import NetworkInterface
from bastion_operator.network.reachability.target import find_target
from bastion_operator.network.virtual_machine import VirtualMachine


def target_networks(inventory: Inventory, virtual_network_id: str) -> frozenset[str]:
    """The normalised ids of the host's virtual network and of those that a link to or from it, in any state, joins.

    A link in any state: a VM behind a broken peering is one that was meant to be reached.
    """
    own = normalise_id(virtual_network_id)
    return inventory.neighbours.get(own, frozenset()) | {own}


def target_machines(inventory: Inventory, spec: BastionHostSpec) -> list[VirtualMachine]:
    """The VMs in scope that match every selector, ordered by id."""
    networks = target_networks(inventory, spec.virtual_network_id)
    if spec.targets.scope is TargetScope.VIRTUAL_NETWORK:
        networks = frozenset({normalise_id(spec.virtual_network_id)})
    everywhere = spec.targets.scope is TargetScope.ALL
    selectors = spec.targets.selectors
    found = []
    for key, machine in sorted(inventory.virtual_machines.items()):
        subnets = machine_subnets(inventory, machine)
        within = everywhere or any(network_of(subnet) in networks for subnet in subnets)
        if within and (selectors is None or _selected(machine, subnets, selectors)):
            found.append((key, machine))
    return [machine for _, machine in found]


def machine_subnets(inventory: Inventory, machine: VirtualMachine) -> list[str]:
    """The normalised ids of the subnets in which the VM has a NIC, the primary NIC's first.

    NICs of scale set instances may be no rows; the network profile then tells where they are.
    """
    references = sorted(machine.interfaces or (), key=lambda reference: not reference.primary)
    found: list[str] = []
    for reference in references:
        interface = inventory.network_interface(reference.id)
        found += _subnets_of(interface)
    if not found and machine.scale_set_id is not None:
        found += _subnets_of(find_target(inventory, machine).interface)
    return list(dict.fromkeys(found))


def _subnets_of(interface: NetworkInterface | None) -> list[str]:
    configurations = (interface.ip_configurations or ()) if interface else ()
    return [normalise_id(each.subnet_id) for each in configurations if each.subnet_id]


def network_of(subnet_id: str) -> str:
    """The id of the virtual network that a subnet is part of."""
    return subnet_id.rpartition("/subnets/")[0]


def _selected(machine: VirtualMachine, subnets: list[str], selectors: TargetSelectors) -> bool:
    if selectors.tags is not None:
        # Azure finds names of tags in any case and values in their own.
        tags = {str(name).lower(): value for name, value in machine.tags.items()}
        if any(tags.get(name.lower()) != value for name, value in selectors.tags.items()):
            return False
    if selectors.resource_groups is not None:
        group = (parse_arm_id(machine.id).resource_group or "").lower()
        if group not in {name.lower() for name in selectors.resource_groups}:
            return False
    return selectors.subnet_ids is None or bool(set(subnets) & {normalise_id(each) for each in selectors.subnet_ids})
