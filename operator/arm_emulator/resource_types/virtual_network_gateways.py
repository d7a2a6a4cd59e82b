"""Gateways of virtual networks, the other ends that they reach, and the connections between both.

Rules: https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings
"""

from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import Json, bad_request
from arm_emulator.operations import Timing
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bodies import (
    answered_parts,
    choice,
    default,
    missing,
    refuse_double_names,
    refuse_used,
    with_guid,
)
from arm_emulator.resource_types.network_interfaces import ADDRESS_JOIN, SUBNET_JOIN
from arm_emulator.resource_types.pointers import Pointer, Pointing, named
from arm_emulator.resource_types.public_ip_addresses import PUBLIC_IPS, refuse_other_user
from arm_emulator.resource_types.virtual_networks import LINK, SUBNETS, gateways_in, links_with_remote_gateways
from arm_emulator.store import Resource

GATEWAYS = "Microsoft.Network/virtualNetworkGateways"
LOCAL_GATEWAYS = "Microsoft.Network/localNetworkGateways"
CONNECTIONS = "Microsoft.Network/connections"
SUBNET_NAME = "GatewaySubnet"
AZURE_ASN = 65515
SUBNET = Pointer("ipConfigurations.subnet", "subnet", SUBNETS, SUBNET_JOIN)
ADDRESS = Pointer("ipConfigurations.publicIPAddress", "publicIPAddress", PUBLIC_IPS, ADDRESS_JOIN)


class VirtualNetworkGateways(Pointing):
    """25 minutes in the making, in a GatewaySubnet; kept while connections or peers use it."""

    name = GATEWAYS
    envelope = frozenset({"location", "tags", "properties", "identity", "extendedLocation"})
    create = Timing(1500, (10,))
    update = Timing(300, (10,))
    delete = Timing(600, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "inboundDnsForwardingEndpoint", "natRules"})
    pointers = (SUBNET, ADDRESS)
    users = {"connections": "virtualNetworkGateway"}  # noqa: RUF012  (declared ClassVar by the base)

    def prepare(self, put: Put) -> None:
        properties = put.properties
        kind = choice(properties, "gatewayType", ("Vpn", "ExpressRoute", "LocalGateway"))
        default(properties, vpnType="RouteBased", enableBgp=False, activeActive=False, enablePrivateIpAddress=False)
        sku = properties.get("sku") or {}
        size = sku.get("name") or ("Standard" if kind == "ExpressRoute" else "VpnGw1")
        properties["sku"] = {"capacity": 2, **sku, "name": size, "tier": sku.get("tier") or size}
        if kind == "Vpn":
            default(properties, vpnGatewayGeneration="Generation1", bgpSettings={"asn": AZURE_ASN, "peerWeight": 0})
        with_guid(put)
        parts = items(properties, "ipConfigurations")
        if not parts:
            raise missing("ipConfigurations", put.id)
        for position, part in enumerate(parts):
            part["name"] = part.get("name") or f"default{position or ''}"
            part["properties"] = {**(part.get("properties") or {})}
            default(part["properties"], privateIPAllocationMethod="Dynamic")
        refuse_double_names(put.id, (str(part["name"]) for part in parts))
        super().prepare(put)
        for found in named(put.id, properties, ADDRESS):
            address = put.cloud.find(found.target)
            if address is not None:
                refuse_other_user(put, address)
        subnets = named(put.id, properties, SUBNET)
        if len(subnets) != len(parts):
            raise missing("subnet.id", put.id)
        for found in subnets:
            subnet = put.cloud.find(found.target)
            if subnet is not None:
                _check_subnet(put, subnet, kind)
        if put.old is not None and put.before.get("gatewayType") != kind:
            raise bad_request(
                "VirtualNetworkGatewayTypeCannotBeChanged", f"The gatewayType of {put.id} cannot be changed to {kind}."
            )

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        return {"ipConfigurations": answered_parts(cloud, item, "ipConfigurations")}

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, ("virtualNetworkGateway",), "VirtualNetworkGatewayCannotBeDeleted")
        for found in named(item.id, item.properties, SUBNET):
            subnet = cloud.find(found.target)
            network = None if subnet is None else cloud.store.get(subnet.root_key)
            if network is not None and len(gateways_in(cloud, network)) == 1:
                _refuse_used_by_peers(cloud, item, network)


class LocalNetworkGateways(Pointing):
    """The other end of a VPN: an address or a name, and prefixes that are answered as they were given."""

    name = LOCAL_GATEWAYS
    create = Timing(10, (10,))
    delete = Timing(10, (10,))

    def prepare(self, put: Put) -> None:
        space = put.properties.get("localNetworkAddressSpace") or {}
        prefixes = [str(one) for one in space.get("addressPrefixes") or []] if isinstance(space, dict) else []
        addresses.parsed_prefixes(prefixes, f"local network gateway {put.id.name}")
        if not put.properties.get("gatewayIpAddress") and not put.properties.get("fqdn"):
            raise missing("gatewayIpAddress", put.id)
        put.properties["localNetworkAddressSpace"] = {"addressPrefixes": prefixes}
        with_guid(put)

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, ("localNetworkGateway",), "LocalNetworkGatewayCannotBeDeleted")


class Connections(Pointing):
    """Of the two gateways ids alone are kept, of the keys nothing; no traffic goes, so its status is Unknown."""

    name = CONNECTIONS
    create = Timing(60, (10,))
    delete = Timing(60, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "connectionStatus", "tunnelConnectionStatus",
                           "egressBytesTransferred", "ingressBytesTransferred"})  # fmt: skip
    pointers = (
        Pointer("virtualNetworkGateway1", "virtualNetworkGateway", GATEWAYS, f"{GATEWAYS}/join/action", required=True),
        Pointer("virtualNetworkGateway2", "virtualNetworkGateway", GATEWAYS, f"{GATEWAYS}/join/action"),
        Pointer("localNetworkGateway2", "localNetworkGateway", LOCAL_GATEWAYS, f"{LOCAL_GATEWAYS}/join/action"),
    )

    def prepare(self, put: Put) -> None:
        properties = put.properties
        kind = choice(properties, "connectionType", ("IPsec", "Vnet2Vnet", "ExpressRoute", "VPNClient"))
        super().prepare(put)
        for pointer in self.pointers:
            if id_of(properties.get(pointer.path)) is not None:
                # Clients send the gateway's whole body; what counts and what is answered is its id.
                properties[pointer.path] = {"id": properties[pointer.path]["id"]}
        other_end = {
            "IPsec": "localNetworkGateway2",
            "Vnet2Vnet": "virtualNetworkGateway2",
            "ExpressRoute": "peer",
        }.get(kind)
        if other_end is not None and id_of(properties.get(other_end)) is None:
            raise missing(f"{other_end}.id", put.id)
        properties.pop("sharedKey", None)
        properties.pop("authorizationKey", None)
        default(
            properties,
            connectionMode="Default",
            connectionProtocol="IKEv2",
            enableBgp=False,
            ipsecPolicies=[],
            routingWeight=0,
            trafficSelectorPolicies=[],
            usePolicyBasedTrafficSelectors=False,
        )
        with_guid(put)
        properties |= {"connectionStatus": "Unknown", "egressBytesTransferred": 0, "ingressBytesTransferred": 0}


def _check_subnet(put: Put, subnet: Resource, kind: str) -> None:
    """The gateway's subnet has a name of its own; a network has one gateway of each type, and none where it uses another's."""
    if subnet.name.lower() != SUBNET_NAME.lower():
        raise bad_request(
            "SubnetNameMustBeGatewaySubnet", f"Subnet {subnet.id} of {put.id} must be named {SUBNET_NAME}."
        )
    network = put.cloud.store.get(subnet.root_key)
    if network is None:
        return
    for other in gateways_in(put.cloud, network):
        if other.key != put.id.key and other.properties.get("gatewayType") == kind:
            raise bad_request(
                "VirtualNetworkAlreadyHasGatewayOfThisType",
                f"Virtual network {network.id} has the {kind} gateway {other.id} already.",
            )
    for link in links_with_remote_gateways(put.cloud, network):
        raise bad_request(
            "VnetHasGatewaysAndUsesRemoteGateways",
            f"Gateway {put.id} cannot be created because peering {link.id} of virtual network {network.id} has "
            "UseRemoteGateways flag set to true.",
        )


def _refuse_used_by_peers(cloud: Cloud, gateway: Resource, network: Resource) -> None:
    for reference in cloud.store.referrers(network.key, LINK):
        link = cloud.store.get(reference.source)
        if link is not None and link.properties.get("useRemoteGateways"):
            raise bad_request(
                "VirtualNetworkGatewayCannotBeDeleted",
                f"Gateway {gateway.id} cannot be deleted because peering {link.id} has UseRemoteGateways flag set to true.",
            )
