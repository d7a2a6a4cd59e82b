"""Microsoft.Network/virtualNetworks: address space and its children, subnets and peerings."""

from collections.abc import Mapping

from arm_emulator.cloud import Cloud, id_of
from arm_emulator.errors import Json, bad_request
from arm_emulator.guids import new_guid
from arm_emulator.operations import Timing
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.address_use import availability, subnet_prefixes, usages
from arm_emulator.resource_types.base import Put, Superseding
from arm_emulator.resource_types.bodies import default, keep
from arm_emulator.resource_types.ddos_protection_plans import PLANS, PROTECTED
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.store import Resource

SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
PEERINGS = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings"
LINK = "remoteVirtualNetwork"
DNS_LINKED = "linkedVirtualNetwork"
"""How a private DNS zone's link refers to the network."""
CONNECTED = "connectedVirtualNetwork"
"""How a virtual hub's connection refers to the network."""
HUB_LINK = "RemoteVnetToHubPeering_"
"""How the link is named that Azure makes for such a connection, before the connection's GUID."""


class VirtualNetworks(Pointing):
    """A PUT that lists subnets or peerings replaces them, one without leaves them; deleted, it leaves its peers Disconnected."""

    name = "Microsoft.Network/virtualNetworks"
    superseding = Superseding.ITSELF
    nested = {"subnets": SUBNETS, "virtualNetworkPeerings": PEERINGS}  # noqa: RUF012  (declared ClassVar by the base)
    envelope = frozenset({"location", "tags", "properties", "extendedLocation"})
    pointers = (Pointer(PROTECTED, PROTECTED, PLANS, f"{PLANS}/join/action"),)
    order = (
        "provisioningState", "resourceGuid", "addressSpace", "encryption", "flowTimeoutInMinutes", "dhcpOptions",
        "privateEndpointVNetPolicies", "subnets", "virtualNetworkPeerings", "enableDdosProtection",
    )  # fmt: skip
    create = Timing(4, (3,))
    delete = Timing(10, (10,))

    def prepare(self, put: Put) -> None:
        prefixes = prefixes_of(put.properties)
        networks = addresses.parsed_prefixes(prefixes, f"address space of virtual network {put.id.name}")
        if not networks:
            raise bad_request(
                "InvalidRequestFormat",
                f"Virtual network {put.id} must have at least one address prefix in its address space.",
            )
        clash = addresses.first_overlap(networks)
        if clash is not None:
            raise bad_request(
                "NetcfgInvalidAddressSpace" if clash[0] != clash[1] else "NetcfgDuplicateAddressPrefix",
                f"Address prefixes {clash[0]} and {clash[1]} of virtual network {put.id.name} overlap.",
            )
        default(put.properties, enableDdosProtection=False)
        self._as_azure_keeps_it(put.properties)
        put.properties["resourceGuid"] = put.before.get("resourceGuid") or new_guid()
        keep(put, "defaultPublicNatGateway")
        super().prepare(put)
        self._still_distinct_from_peers(put)

    def check_children(self, put: Put, child_type: str, children: list[Json]) -> None:
        if child_type != SUBNETS:
            return
        space = addresses.parsed_prefixes(prefixes_of(put.properties), str(put.id))
        seen: list[tuple[str, addresses.Network]] = []
        for child in children:
            for prefix in subnet_prefixes(child["properties"]):
                network = addresses.parsed_prefix(prefix, f"subnet {child['name']}")
                if not addresses.covered(network, space):
                    raise bad_request(
                        "NetcfgInvalidSubnet",
                        f"Subnet '{child['name']}' is not valid in virtual network '{put.id.name}'.",
                    )
                for other, taken in seen:
                    if taken.overlaps(network):
                        raise bad_request(
                            "NetcfgSubnetRangesOverlap",
                            f"Subnet '{child['name']}' is not valid because its IP address range overlaps with that of "
                            f"an existing subnet '{other}' in virtual network '{put.id.name}'.",
                        )
                seen.append((child["name"], network))

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        # A link shows the other network's live address space: what its owner reads has changed with this write.
        for reference in cloud.store.referrers(item.key, LINK):
            link = cloud.store.get(reference.source)
            if link is not None:
                cloud.touch(link.root_key)

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        for subnet in cloud.store.children(item.key, SUBNETS):
            refuse_used_subnet(cloud, subnet)
        users = [
            user for relation in ("virtualNetwork", CONNECTED) for user in cloud.store.referrers(item.key, relation)
        ]
        for reference in users:
            raise bad_request(
                "InUseVirtualNetworkCannotBeDeleted",
                f"Virtual network {item.id} is in use by {reference.element} and cannot be deleted.",
            )

    def view(self, cloud: Cloud, item: Resource, segment: str, query: Mapping[str, str]) -> Json | None:
        subnets = cloud.store.children(item.key, SUBNETS)
        if segment == "usages":
            return usages(cloud, subnets)
        if segment == "checkipaddressavailability":
            return availability(cloud, subnets, query.get("ipAddress", ""))
        return None

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        disconnect_links_to(cloud, item)
        # A network that goes takes its DNS links along (doc: private DNS FAQ).
        for reference in cloud.store.referrers(item.key, DNS_LINKED):
            cloud.store.remove(reference.source)

    def _as_azure_keeps_it(self, properties: Json) -> None:
        """Recorded: `enableVmProtection` false is not kept, and DHCP options always list their servers."""
        if not properties.get("enableVmProtection"):
            properties.pop("enableVmProtection", None)
        options = properties.get("dhcpOptions")
        if options is None:
            properties.pop("dhcpOptions", None)
        else:
            default(options, dnsServers=[])

    def _still_distinct_from_peers(self, put: Put) -> None:
        if put.old is None or prefixes_of(put.before) == prefixes_of(put.properties):
            return
        for link in put.cloud.store.children(put.old.key, PEERINGS):
            remote = put.cloud.find(id_of(link.properties.get(LINK)))
            if remote is None:
                continue
            shared = addresses.overlap(prefixes_of(put.properties), prefixes_of(remote.properties))
            if shared:
                raise bad_request(
                    "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
                    f"Cannot update virtual network {put.id}. Its address space overlaps with address space of virtual "
                    f"network {remote.id} that it is peered with. Overlapping address prefixes: {', '.join(shared)}.",
                )


def prefixes_of(properties: Json) -> list[str]:
    """The address space of a virtual network."""
    space = properties.get("addressSpace")
    prefixes = space.get("addressPrefixes") if isinstance(space, dict) else None
    return [str(prefix) for prefix in prefixes] if isinstance(prefixes, list) else []


def refuse_used_subnet(cloud: Cloud, subnet: Resource) -> None:
    """Raises InUseSubnetCannotBeDeleted while anything has an address in the subnet."""
    for reference in cloud.store.referrers(subnet.key, "subnet"):
        raise bad_request(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.name} is in use by {reference.element} and cannot be deleted. In order to delete the subnet, "
            "delete all the resources within the subnet. See aka.ms/deletesubnet.",
        )


def disconnect_links_to(cloud: Cloud, network: Resource) -> None:
    """The links of others to a virtual network that is going away."""
    for reference in cloud.store.referrers(network.key, LINK):
        link = cloud.store.get(reference.source)
        if link is not None and link.root_key != network.key:
            link.properties["peeringState"] = "Disconnected"
            cloud.store.put(link)
            cloud.touch(link.root_key)


def links_with_remote_gateways(cloud: Cloud, network: Resource) -> list[Resource]:
    """Its peerings that use the gateway of the other side."""
    return [link for link in cloud.store.children(network.key, PEERINGS) if link.properties.get("useRemoteGateways")]


def gateways_in(cloud: Cloud, network: Resource) -> list[Resource]:
    """The virtual network gateways that stand in it."""
    keys = {
        reference.source: None
        for subnet in cloud.store.children(network.key, SUBNETS)
        for reference in cloud.store.referrers(subnet.key, "subnet")
        if "/virtualnetworkgateways/" in reference.source
    }
    found = [cloud.store.get(key) for key in keys]
    return [one for one in found if one is not None]
