"""Which virtual network gateways a VNet uses: its own, and those of a peer that lets it (gateway transit).

Source: Microsoft Learn, "Configure VPN gateway transit for virtual network peering".
"""

from collections.abc import Iterator

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.peering import PeeringLink, PeeringState, link_to
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


def _works(link: PeeringLink) -> bool:
    return link.state is PeeringState.CONNECTED
