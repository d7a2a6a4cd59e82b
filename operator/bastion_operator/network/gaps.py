"""What an inventory refers to and has no row of: Resource Graph hides rows without an error, and is late."""

from collections.abc import Container, Iterator

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import unreadable_reference
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
    found = (
        (_interfaces(inventory), inventory.network_interfaces),
        (_groups(inventory), inventory.security_groups),
        ((subnet.route_table_id for subnet in inventory.subnets.values()), inventory.route_tables),
        ((bastion.public_ip_id for bastion in inventory.bastions.values()), inventory.public_ips),
        (_networks(inventory), inventory.virtual_networks),
    )
    for references, rows in found:
        readable = (each for each in references if each is not None and unreadable_reference(each) is None)
        yield from ((each, rows) for each in readable)


def _interfaces(inventory: Inventory) -> Iterator[str]:
    for machine in inventory.virtual_machines.values():
        # A uniform scale set's network profile says of an instance's NIC what verdicts need, but for its address; a set may have
        # a thousand of them.
        if machine.scale_set_id is None:
            yield from (reference.id for reference in machine.interfaces or ())


def _groups(inventory: Inventory) -> Iterator[str | None]:
    yield from (subnet.network_security_group_id for subnet in inventory.subnets.values())
    yield from (interface.network_security_group_id for interface in inventory.network_interfaces.values())


def _networks(inventory: Inventory) -> Iterator[str | None]:
    yield from (bastion.virtual_network_id for bastion in inventory.bastions.values())
    for interface in inventory.network_interfaces.values():
        for configuration in interface.ip_configurations or ():
            if configuration.subnet_id is not None:
                yield configuration.subnet_id.rstrip("/").rsplit("/", 2)[0]
