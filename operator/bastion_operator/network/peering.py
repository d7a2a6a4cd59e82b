"""The two links of a virtual network peering, read side by side.

A peering is one link in each of two VNets. Azure works on it only while both exist and read Connected.
Source: Microsoft Learn, "Create, change, or delete a virtual network peering" and "Subnet peering".
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, flag, mapping, text, texts
from bastion_operator.network.prefixes import PrefixList

HUB_CONNECTION_LINK: Final = re.compile(r"RemoteVnetToHubPeering_", re.IGNORECASE)
HUB_CONNECTION_NETWORK: Final = re.compile(r"/virtualnetworks/hv_[^/]*$")


class PeeringState(StrEnum):
    """What one link says of itself."""

    INITIATED = "Initiated"
    CONNECTED = "Connected"
    DISCONNECTED = "Disconnected"


class PairState(StrEnum):
    """What the two links come to."""

    NOT_PEERED = "NotPeered"
    ONE_SIDED = "OneSided"
    DISCONNECTED = "Disconnected"
    CONNECTED = "Connected"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class PeeringLink:
    """One VNet's half of a peering. Ids as the input spells them; ``remote_key`` lower-cased.

    ``remote_address_space`` is what the link knows of the other VNet, ``remote_virtual_network_address_space`` what the
    other VNet has now. ``state`` is None where Azure's word is missing or unknown. ``is_hub_connection``: it is a virtual WAN
    hub's hold on the VNet, no peering, and nobody's to change.
    """

    id: str
    name: str
    virtual_network_id: str
    remote_virtual_network_id: str | None
    remote_key: str
    state: PeeringState | None
    sync_level: str | None
    provisioning_state: str | None
    allow_virtual_network_access: bool
    allow_forwarded_traffic: bool
    allow_gateway_transit: bool
    use_remote_gateways: bool
    peer_complete_vnets: bool
    only_ipv6: bool
    local_subnet_names: tuple[str, ...]
    remote_subnet_names: tuple[str, ...]
    remote_address_space: PrefixList | None
    remote_virtual_network_address_space: PrefixList | None
    is_hub_connection: bool

    @property
    def out_of_sync(self) -> bool:
        """Whether the link knows another address space than the one the other VNet has now: this is the link to sync."""
        known, live = self.remote_address_space, self.remote_virtual_network_address_space
        return known is not None and live is not None and set(known.texts) != set(live.texts)

    def lists_subnets(self, local: str, remote: str) -> bool:
        """Whether both subnets take part: all do, unless the link names the ones that do."""
        if self.peer_complete_vnets:
            return True
        names_here = {name.lower() for name in self.local_subnet_names}
        names_there = {name.lower() for name in self.remote_subnet_names}
        return local.lower() in names_here and remote.lower() in names_there


@dataclass(frozen=True, slots=True)
class PeeringPair:
    """The links between two VNets, seen from the first: ``near`` is its own link, ``far`` the other VNet's."""

    near: PeeringLink | None
    far: PeeringLink | None

    @property
    def links(self) -> tuple[PeeringLink, ...]:
        """The links that exist, the near one first."""
        return tuple(link for link in (self.near, self.far) if link is not None)

    @property
    def state(self) -> PairState:
        """What the two come to: any Disconnected link decides, then a missing or waiting half, then an unreadable one."""
        if not self.links:
            return PairState.NOT_PEERED
        states = {link.state for link in self.links}
        if PeeringState.DISCONNECTED in states:
            return PairState.DISCONNECTED
        if PeeringState.INITIATED in states or self.near is None or self.far is None:
            return PairState.ONE_SIDED
        return PairState.UNKNOWN if None in states else PairState.CONNECTED


def pair_links(
    one_id: str, one_links: tuple[PeeringLink, ...], other_id: str, other_links: tuple[PeeringLink, ...]
) -> PeeringPair:
    """The peering between two VNets out of the links of each. Hub connections are not peerings."""
    return PeeringPair(link_to(one_links, other_id), link_to(other_links, one_id))


def link_to(links: tuple[PeeringLink, ...], virtual_network_id: str) -> PeeringLink | None:
    """The link that leads to the VNet; Azure allows one."""
    key = normalise_id(virtual_network_id)
    return next((link for link in links if link.remote_key == key and not link.is_hub_connection), None)


def read_link(row: Row, virtual_network_id: str) -> PeeringLink:
    """A link out of its ARM JSON. Absent booleans are Azure's defaults: access and complete VNets true, the rest false."""
    properties = mapping(row, "properties")
    name = text(row, "name") or (text(row, "id") or "").rsplit("/", 1)[-1]
    remote = text(properties, "remoteVirtualNetwork", "id")
    remote_key = normalise_id(remote) if remote else ""
    return PeeringLink(
        id=text(row, "id") or f"{virtual_network_id}/virtualNetworkPeerings/{name}",
        name=name,
        virtual_network_id=virtual_network_id,
        remote_virtual_network_id=remote,
        remote_key=remote_key,
        state=_state(text(properties, "peeringState")),
        sync_level=text(properties, "peeringSyncLevel"),
        provisioning_state=text(properties, "provisioningState"),
        allow_virtual_network_access=flag(properties, "allowVirtualNetworkAccess", default=True),
        allow_forwarded_traffic=flag(properties, "allowForwardedTraffic"),
        allow_gateway_transit=flag(properties, "allowGatewayTransit"),
        use_remote_gateways=flag(properties, "useRemoteGateways"),
        peer_complete_vnets=flag(properties, "peerCompleteVnets", default=True),
        only_ipv6=flag(properties, "enableOnlyIPv6Peering"),
        local_subnet_names=texts(properties, "localSubnetNames") or (),
        remote_subnet_names=texts(properties, "remoteSubnetNames") or (),
        remote_address_space=_space(properties, "remoteAddressSpace"),
        remote_virtual_network_address_space=_space(properties, "remoteVirtualNetworkAddressSpace"),
        is_hub_connection=_is_hub_connection(name, remote_key),
    )


def _is_hub_connection(name: str, remote_key: str) -> bool:
    return HUB_CONNECTION_LINK.match(name) is not None and HUB_CONNECTION_NETWORK.search(remote_key) is not None


def _state(word: str | None) -> PeeringState | None:
    return next((state for state in PeeringState if word is not None and state.value.lower() == word.lower()), None)


def _space(properties: Row, field: str) -> PrefixList | None:
    prefixes = texts(properties, field, "addressPrefixes")
    return None if prefixes is None else PrefixList.of(prefixes)
