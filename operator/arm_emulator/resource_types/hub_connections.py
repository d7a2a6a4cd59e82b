"""Microsoft.Network/virtualHubs/hubVirtualNetworkConnections: a peering that Azure makes between a network and a hub of its own.

Rules: https://learn.microsoft.com/azure/virtual-wan/howto-connect-vnet-hub; what the network shows of it is a link named
`RemoteVnetToHubPeering_<guid>` to a network `HV_…` in a subscription of Microsoft's, which uses the hub's gateways.
"""

import uuid

from arm_emulator.cloud import Cloud, id_of
from arm_emulator.errors import Json, bad_request
from arm_emulator.guids import new_guid
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bodies import default
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.resource_types.virtual_hubs import CONNECTIONS, DEFAULT_TABLE, ROUTE_TABLES
from arm_emulator.resource_types.virtual_networks import (
    CONNECTED,
    HUB_LINK,
    LINK,
    PEERINGS,
    gateways_in,
    links_with_remote_gateways,
    prefixes_of,
)
from arm_emulator.store import Resource, resource

NETWORKS = "Microsoft.Network/virtualNetworks"
PEER = f"{NETWORKS}/peer/action"


class HubConnections(Pointing):
    """A minute in the making; with success the network gets Azure's own link to the hub, which goes with the connection."""

    name = CONNECTIONS
    tracked = False
    envelope = frozenset({"properties"})
    create = Timing(60, (10,))
    delete = Timing(60, (10,))
    pointers = (
        Pointer("remoteVirtualNetwork", CONNECTED, NETWORKS, PEER, required=True),
        Pointer("routingConfiguration.associatedRouteTable", "associatedRouteTable", ROUTE_TABLES),
        Pointer("routingConfiguration.propagatedRouteTables.ids", "propagatedRouteTable", ROUTE_TABLES),
    )

    def prepare(self, put: Put) -> None:
        default(
            put.properties,
            allowHubToRemoteVnetTransit=True,
            allowRemoteVnetToUseHubVnetGateways=True,
            enableInternetSecurity=False,
        )
        _route(put)
        super().prepare(put)
        put.properties["remoteVirtualNetwork"] = {"id": put.properties["remoteVirtualNetwork"]["id"]}
        network = put.cloud.find(id_of(put.properties["remoteVirtualNetwork"]))
        assert network is not None, "its pointer is required"
        if put.old is not None and str(id_of(put.before["remoteVirtualNetwork"])).lower() != network.key:
            raise bad_request(
                "RemoteVirtualNetworkCannotBeChanged", f"The remote virtual network of {put.id} cannot be changed."
            )
        if put.old is None:
            _refuse_connected(put, network)
            _refuse_overlap(put, network)

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        network = cloud.find(id_of(item.properties["remoteVirtualNetwork"]))
        hub = None if item.parent_key is None else cloud.store.get(item.parent_key)
        if network is not None and hub is not None:
            _add_link(cloud, item, network, hub)

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        network = cloud.find(id_of(item.properties.get("remoteVirtualNetwork")))
        if network is None:
            return
        for link in cloud.store.children(network.key, PEERINGS):
            if link.name.startswith(HUB_LINK):
                cloud.drop(link)
                cloud.touch(network.key)


def _route(put: Put) -> None:
    """Associated with, and propagating to, the default table unless the body says otherwise."""
    assert put.id.parent is not None
    table = {"id": str(put.id.parent.child("hubRouteTables", DEFAULT_TABLE))}
    default(put.properties, routingConfiguration={})
    routing = put.properties["routingConfiguration"]
    default(
        routing,
        associatedRouteTable=table,
        propagatedRouteTables={"labels": ["default"], "ids": [table]},
        vnetRoutes={},
    )
    default(routing["propagatedRouteTables"], labels=[], ids=[])
    default(
        routing["vnetRoutes"],
        staticRoutes=[],
        staticRoutesConfig={"propagateStaticRoutes": True, "vnetLocalRouteOverrideCriteria": "Contains"},
    )


def _refuse_connected(put: Put, network: Resource) -> None:
    """One hub a network, no gateway of its own there, and its one useRemoteGateways still free."""
    for other in put.cloud.store.referrers(network.key, CONNECTED):
        if other.source != put.id.key:
            raise bad_request(
                "VirtualNetworkAlreadyConnectedToVirtualHub",
                f"Virtual network {network.id} of {put.id} is connected to a virtual hub already by {other.element}.",
            )
    for gateway in gateways_in(put.cloud, network):
        raise bad_request(
            "VnetHasGatewaysAndUsesRemoteGateways",
            f"Virtual network {network.id} of {put.id} has the gateway {gateway.id}: it cannot be connected to a virtual hub.",
        )
    for link in links_with_remote_gateways(put.cloud, network):
        raise bad_request(
            "AnotherPeeringUsesRemoteGateways",
            f"Virtual network {network.id} of {put.id} uses remote gateways by peering {link.id}: it cannot be connected to a "
            "virtual hub.",
        )


def _refuse_overlap(put: Put, network: Resource) -> None:
    hub = put.cloud.store.get(put.id.root.key)
    assert hub is not None, "the life cycle has looked for the parent"
    own = prefixes_of(network.properties)
    shared = addresses.overlap(own, [str(hub.properties.get("addressPrefix"))])
    if shared:
        raise bad_request(
            "VnetAddressSpacesOverlap",
            f"Cannot connect virtual network {network.id} to virtual hub {hub.id} because their address spaces overlap. "
            f"Overlapping address prefixes: {', '.join(shared)}.",
        )
    for sibling in put.cloud.store.children(hub.key, CONNECTIONS):
        other = put.cloud.find(id_of(sibling.properties.get("remoteVirtualNetwork")))
        shared = (
            [] if other is None or other.key == network.key else addresses.overlap(own, prefixes_of(other.properties))
        )
        if shared and other is not None:
            raise bad_request(
                "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                f"Cannot connect virtual network {network.id} to virtual hub {hub.id} because its address space overlaps with "
                f"address space of virtual network {other.id} that is connected already. Overlapping address prefixes: "
                f"{', '.join(shared)}.",
            )


def _add_link(cloud: Cloud, item: Resource, network: Resource, hub: Resource) -> None:
    if any(link.name.startswith(HUB_LINK) for link in cloud.store.children(network.key, PEERINGS)):
        return
    link_id = network.id.child("virtualNetworkPeerings", f"{HUB_LINK}{new_guid()}")
    owner, guid = (uuid.uuid5(uuid.NAMESPACE_URL, f"{hub.key}{part}") for part in ("/subscription", ""))
    group = f"/subscriptions/{owner}/resourceGroups/RG_{hub.name}_{guid}"
    space = {"addressPrefixes": [hub.properties.get("addressPrefix")]}
    properties: Json = {
        "provisioningState": "Succeeded",
        "resourceGuid": new_guid(),
        "peeringState": "Connected",
        "peeringSyncLevel": "FullyInSync",
        LINK: {"id": f"{group}/providers/Microsoft.Network/virtualNetworks/HV_{hub.name}_{guid}"},
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        "allowGatewayTransit": False,
        "useRemoteGateways": bool(item.properties.get("allowRemoteVnetToUseHubVnetGateways", True)),
        "doNotVerifyRemoteGateways": True,
        "peerCompleteVnets": True,
        "remoteAddressSpace": space,
        "remoteVirtualNetworkAddressSpace": space,
    }
    cloud.store.put(resource(link_id, {"properties": properties}))
    cloud.touch(network.key)
