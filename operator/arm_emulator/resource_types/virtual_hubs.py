"""Microsoft.Network/virtualHubs: a router of Azure's own in a region, with an address prefix and two route tables at first.

Rules: https://learn.microsoft.com/azure/virtual-wan/about-virtual-hub-routing
"""

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bodies import choice, default, missing, refuse_used
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.resource_types.virtual_wans import WANS
from arm_emulator.store import Resource, resource

HUBS = "Microsoft.Network/virtualHubs"
ROUTE_TABLES = f"{HUBS}/hubRouteTables"
CONNECTIONS = f"{HUBS}/hubVirtualNetworkConnections"
DEFAULT_TABLE, NONE_TABLE = "defaultRouteTable", "noneRouteTable"
AZURE_ASN = 65515
SMALLEST = 24
"""The longest prefix of a hub (doc: at least /24)."""
_ROUTERS = (68, 69)
"""Where in its prefix a hub's two routers are."""
GATEWAY_RELATIONS = {
    "azureFirewall": "/azurefirewalls/",
    "expressRouteGateway": "/expressroutegateways/",
    "vpnGateway": "/vpngateways/",
}


class VirtualHubs(Pointing):
    """Ten minutes in the making, then Provisioned; its two route tables come along, and its prefix never changes."""

    name = HUBS
    envelope = frozenset({"location", "tags", "properties", "kind"})
    create = Timing(600, (10,))
    update = Timing(60, (10,))
    delete = Timing(300, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "routingState", "bgpConnections", "ipConfigurations",
                           "routeMaps", "azureFirewall", "expressRouteGateway", "vpnGateway", "p2SVpnGateway",
                           "securityPartnerProvider"})  # fmt: skip
    pointers = (Pointer("virtualWan", "virtualWan", WANS, f"{WANS}/join/action"),)

    def prepare(self, put: Put) -> None:
        properties = put.properties
        default(properties, sku="Standard", allowBranchToBranchTraffic=False, virtualRouterAsn=AZURE_ASN, virtualHubRouteTableV2s=[])  # fmt: skip
        default(properties, virtualRouterAutoScaleConfiguration={"minCapacity": 2}, routeTable={"routes": []})
        choice(properties, "hubRoutingPreference", ("ExpressRoute", "VpnGateway", "ASPath"), "ExpressRoute")
        super().prepare(put)
        prefix = properties.get("addressPrefix")
        if not prefix:
            raise missing("addressPrefix", put.id)
        network = addresses.parsed_prefix(str(prefix), f"virtual hub {put.id.name}")
        if network.prefixlen > SMALLEST:
            raise bad_request(
                "VirtualHubAddressPrefixTooSmall", f"Address prefix {prefix} of {put.id} must be /{SMALLEST} or larger."
            )
        if put.before.get("addressPrefix", prefix) != prefix:
            raise bad_request(
                "VirtualHubAddressPrefixCannotBeChanged", f"The address prefix of {put.id} cannot be changed."
            )
        properties["virtualRouterIps"] = [addresses.nth(str(prefix), position) for position in _ROUTERS]
        properties["routingState"] = put.before.get("routingState", "Provisioning")

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        if put.old is None:
            add_default_tables(cloud, item)

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        item.properties["routingState"] = "Provisioned"

    def adopted(self, item: Resource) -> None:
        default(item.properties, routingState="Provisioned")

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        users = cloud.store.referrers(item.key, "virtualHub")
        return {
            name: {"id": user.element}
            for name, segment in GATEWAY_RELATIONS.items()
            for user in users
            if segment in user.source
        }

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, ("virtualHub",), "InUseVirtualHubCannotBeDeleted")
        for connection in cloud.store.children(item.key, CONNECTIONS):
            raise bad_request(
                "InUseVirtualHubCannotBeDeleted",
                f"Virtual hub {item.id} cannot be deleted because it is connected to a virtual network by {connection.id}.",
            )


def add_default_tables(cloud: Cloud, hub: Resource) -> None:
    """The two route tables that every hub has."""
    for name, label in ((DEFAULT_TABLE, "default"), (NONE_TABLE, "none")):
        table = hub.id.child("hubRouteTables", name)
        if cloud.store.get(table.key) is None:
            properties = {"routes": [], "labels": [label], "provisioningState": "Succeeded"}
            cloud.store.put(resource(table, {"properties": properties}))
