"""What the tag VirtualNetwork means on each side of a connection.

It is the side's own address space, its peers' (unless that side's link keeps them out), the host address, and the prefixes
of the route table on the evaluated subnet. Source: Microsoft Learn, "Virtual network service tags"; that only the
subnet's own route table counts, and 0.0.0.0/0 with an appliance as next hop, is reported by users of Azure.
"""

from dataclasses import dataclass
from typing import Final

from bastion_operator.network.codes import finding
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PeeringLink, PeeringState, link_to
from bastion_operator.network.prefixes import EMPTY, EVERYTHING, LAST_ADDRESS, AddressSet, PrefixList
from bastion_operator.network.reachability.gateway_use import sites_of, unread_end
from bastion_operator.network.reachability.lost import lost, lost_fact
from bastion_operator.network.route_table import Route
from bastion_operator.network.security_group import SecurityGroup
from bastion_operator.network.service_tags import HOST, Doubt, TagMeaning
from bastion_operator.network.virtual_network import Subnet, VirtualNetwork

EVERYWHERE: Final = (0, LAST_ADDRESS)
_APPLIANCE: Final = "virtualappliance"


@dataclass(frozen=True, slots=True)
class Opposite:
    """The other VNet of a connection, which one side's tag has to hold though no sound peering brings it there.

    ``mended``: the peering is judged as if it were connected, in sync and with access allowed. ``learned``: its prefixes
    are learned from a gateway or a virtual hub.
    """

    network: VirtualNetwork | None
    mended: bool
    learned: bool


@dataclass(frozen=True, slots=True, eq=False)
class SideMeaning:
    """The tags' meaning on one side; ``otherwise`` the second meaning where a default route makes it doubtful."""

    meaning: TagMeaning
    otherwise: TagMeaning | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """Addresses that a VNet knows as its own or its peers'; ``doubt``: why there may be more, if there may."""

    addresses: AddressSet
    doubt: Doubt | None = None

    def __or__(self, other: "Space") -> "Space":
        return Space(self.addresses | other.addresses, self.doubt or other.doubt)


def side_meaning(
    inventory: Inventory,
    subnet: Subnet,
    space: Space,
    learned_default: Doubt | None,
) -> SideMeaning:
    """The tags as the rules on a subnet, and on the NICs in it, see them.

    ``space`` is the tag without what the subnet's route table adds; ``learned_default``: evidence that the side learns 0.0.0.0/0, if there is any.
    """
    routes, default, unread = _route_prefixes(inventory, subnet)
    addresses = space.addresses | AddressSet(route.interval for route in routes if route.interval is not None)
    doubt = space.doubt or unread
    if default is not None and default.next_hop == _APPLIANCE:
        return SideMeaning(TagMeaning(EVERYTHING, doubt))
    meaning = TagMeaning(addresses, doubt)
    if default is not None:
        what = f"whether route {default.name} (0.0.0.0/0 to {default.next_hop}) on {subnet.name} widens the tag VirtualNetwork"
        learned_default = Doubt("EffectiveDataUnavailable", what, subnet.route_table_id)
    if learned_default is None:
        return SideMeaning(meaning)
    return SideMeaning(meaning, TagMeaning(EVERYTHING, doubt), learned_default)


def known_space(inventory: Inventory, network: VirtualNetwork) -> Space:
    """The tag VirtualNetwork of a VNet without what a route table adds to it."""
    own = own_space(network) | Space(HOST)
    return own | _peers(inventory, network) | _sites(inventory, network)


def known_addresses(inventory: Inventory, network: VirtualNetwork) -> AddressSet:
    """What that tag holds for certain."""
    return known_space(inventory, network).addresses


def space_towards(inventory: Inventory, network: VirtualNetwork, opposite: Opposite) -> Space:
    """The same with the other VNet of a connection in it: its space as it is now, and as a link may know it."""
    space = known_space(inventory, network)
    if opposite.network is None:
        return space
    link = link_to(network.links, opposite.network.id)
    space |= own_space(opposite.network)
    return space if link is None else space | _linked(inventory, link)


def known_group(inventory: Inventory, group_id: str) -> tuple[SecurityGroup | None, Finding | None]:
    """The security group with its rules, or what is to be said where it cannot be read."""
    group = inventory.security_group(group_id)
    if group is not None and group.rules is not None:
        return group, None
    if group is None:
        return None, lost(inventory, group_id, f"network security group {group_id} is not in the data")
    message = f"network security group {group_id} states no securityRules"
    return None, finding("EffectiveDataUnavailable", message, resource=group_id)


def own_space(network: VirtualNetwork) -> Space:
    """A VNet's own address space."""
    return _stated(network.address_space, f"the address space of VNet {network.name}", network.id)


def linked_space(link: PeeringLink) -> Space:
    """What a peering link knows of the other VNet."""
    return _stated(link.remote_address_space, f"the remoteAddressSpace of peering {link.name}", link.id)


def _stated(prefixes: PrefixList | None, what: str, resource: str) -> Space:
    if prefixes is not None and not prefixes.malformed:
        return Space(prefixes.addresses)
    return Space(EMPTY if prefixes is None else prefixes.addresses, Doubt("EffectiveDataUnavailable", what, resource))


def _peers(inventory: Inventory, network: VirtualNetwork) -> Space:
    """The address spaces of the peers that the VNet's links are connected to with access."""
    working = (
        link for link in network.peerings if link.state is PeeringState.CONNECTED and link.allow_virtual_network_access
    )
    known = [_linked(inventory, link) for link in working]
    addresses = AddressSet(interval for space in known for interval in space.addresses.intervals)
    return Space(addresses, next((space.doubt for space in known if space.doubt is not None), None))


def _sites(inventory: Inventory, network: VirtualNetwork) -> Space:
    """The prefixes of the sites behind the gateways that the VNet uses; 0.0.0.0/0 is a matter of its own."""
    told = (site.routes for site in sites_of(inventory, network))
    addresses = AddressSet(interval for each in told for interval in each.intervals)
    return Space(addresses, unread_end(inventory, network))


def _linked(inventory: Inventory, link: PeeringLink) -> Space:
    """The other VNet's address space as the link knows it, or where the link does not say, as that VNet does."""
    remote_id = link.remote_virtual_network_id
    if link.remote_address_space is not None or remote_id is None:
        return linked_space(link)
    remote = inventory.virtual_network(remote_id)
    if remote is not None:
        return own_space(remote)
    return Space(EMPTY, lost_fact(inventory, remote_id, f"the address space of VNet {remote_id}"))


def _route_prefixes(inventory: Inventory, subnet: Subnet) -> tuple[list[Route], Route | None, Doubt | None]:
    """The routes of the subnet's own table without 0.0.0.0/0, that one, and what cannot be read."""
    if subnet.route_table_id is None:
        return [], None, None
    table = inventory.route_table(subnet.route_table_id)
    if table is None:
        what = (
            f"the route table {subnet.route_table_id} of {subnet.name}, whose prefixes belong to the tag VirtualNetwork"
        )
        return [], None, lost_fact(inventory, subnet.route_table_id, what)
    unread = table.unread()
    doubt = None if unread is None else Doubt("EffectiveDataUnavailable", unread.what, table.id)
    default = next((route for route in table.routes if route.interval == EVERYWHERE), None)
    return [route for route in table.routes if route.interval != EVERYWHERE], default, doubt
