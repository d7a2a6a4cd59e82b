"""Instances of uniform scale sets: their NICs are no rows of Resource Graph, and are read from the network profile."""

from bastion_operator.network.fields import Row, flag, mapping, objects, text
from bastion_operator.network.network_interface import NetworkInterface, read_network_interface


def profile_interface(instance: Row, scale_set: Row | None, instance_id: str) -> NetworkInterface | None:
    """The primary NIC as the instance's own network profile describes it, or its scale set's; without an address.

    None where neither does, or where several are described and not one alone is marked as primary.
    """
    own = list(objects(instance, "properties", "networkProfileConfiguration", "networkInterfaceConfigurations"))
    profile = mapping(scale_set, "properties", "virtualMachineProfile", "networkProfile")
    configurations = own or list(objects(profile, "networkInterfaceConfigurations"))
    if len(configurations) > 1:
        configurations = [one for one in configurations if flag(one, "properties", "primary")]
    if len(configurations) != 1:
        return None
    primary = configurations[0]
    return read_network_interface(primary, f"{instance_id}/networkInterfaces/{text(primary, 'name') or 'primary'}")
