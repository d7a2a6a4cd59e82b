"""Which virtual network gateways a VNet uses: its own, and those of a peer that lets it (gateway transit).

Source: Microsoft Learn, "Configure VPN gateway transit for virtual network peering".
"""

from collections.abc import Iterator

from bastion_operator.network.gateways import LocalNetworkGateway
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PeeringLink, PeeringState, link_to
from bastion_operator.network.reachability.lost import lost_fact
from bastion_operator.network.service_tags import Doubt
from bastion_operator.network.virtual_network import VirtualNetwork


def gateways_of(inventory: Inventory, network: VirtualNetwork) -> Iterator[str]:
    """Lower-cased ids of the gateways that a VNet has, or uses through a peering with gateway transit."""
    networks = {network.key}
    for link in network.peerings:
        remote = inventory.virtual_network(link.remote_virtual_network_id)
        back = link_to(remote.links, network.id) if remote is not None else None
        if (
            link.use_remote_gateways
            and _works(link)
            and back is not None
            and _works(back)
            and back.allow_gateway_transit
        ):
            networks.add(link.remote_key)
    for key, gateway in inventory.gateways.items():
        if not networks.isdisjoint(gateway.network_keys):
            yield key


def sites_of(inventory: Inventory, network: VirtualNetwork) -> Iterator[LocalNetworkGateway]:
    """The sites that the gateways are connected to which a VNet uses."""
    for key in gateways_of(inventory, network):
        yield from inventory.gateway_sites.get(key, ())


def unread_end(inventory: Inventory, network: VirtualNetwork) -> Doubt | None:
    """What those gateways are connected to and nobody can tell the prefixes of."""
    for key in gateways_of(inventory, network):
        for end in inventory.lost_gateway_ends.get(key, ()):
            return lost_fact(inventory, end, f"what is behind {end}, which a gateway is connected to")
    unread = next((site for site in sites_of(inventory, network) if not site.is_read), None)
    if unread is None:
        return None
    return Doubt("EffectiveDataUnavailable", f"the prefixes of local network gateway {unread.name}", unread.id)


def _works(link: PeeringLink) -> bool:
    return link.state is PeeringState.CONNECTED
