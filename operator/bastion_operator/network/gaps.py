"""What an inventory refers to and has no row of: Resource Graph hides rows without an error, and is late."""

from collections.abc import Container, Iterator

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.inventory import Inventory


def gaps(inventory: Inventory) -> list[str]:
    """Ids, as they are referred to, that verdicts need and that have no row; each once, sorted by the normalised id.

    Networks at the other end of a peering are none of them: verdicts say what is known of those, and some, such as those
    of virtual hubs, nobody may read.
    """
    found = {key: each for each, rows in _references(inventory) if (key := normalise_id(each)) not in rows}
    return [found[key] for key in sorted(found)]


def _references(inventory: Inventory) -> Iterator[tuple[str, Container[str]]]:
    """Ids that are referred to, each with the keys among which it should be."""
    groups, networks = inventory.security_groups, inventory.virtual_networks
    for machine in inventory.virtual_machines.values():
        # NICs of scale set instances are no resources that can be asked for.
        if machine.scale_set_id is None:
            yield from ((reference.id, inventory.network_interfaces) for reference in machine.interfaces or ())
    for interface in inventory.network_interfaces.values():
        if interface.network_security_group_id is not None:
            yield interface.network_security_group_id, groups
        for configuration in interface.ip_configurations or ():
            if configuration.subnet_id is not None:
                yield configuration.subnet_id.rstrip("/").rsplit("/", 2)[0], networks
    for subnet in inventory.subnets.values():
        if subnet.network_security_group_id is not None:
            yield subnet.network_security_group_id, groups
        if subnet.route_table_id is not None:
            yield subnet.route_table_id, inventory.route_tables
    for bastion in inventory.bastions.values():
        if bastion.public_ip_id is not None:
            yield bastion.public_ip_id, inventory.public_ips
        if bastion.virtual_network_id is not None:
            yield bastion.virtual_network_id, networks
