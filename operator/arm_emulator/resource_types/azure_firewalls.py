"""Microsoft.Network/azureFirewalls: in a virtual network or a virtual hub, as the next hop that routes name; it filters nothing."""

import uuid

from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import Json, bad_request
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.allocation import Allocation
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bodies import answered_parts, default, missing, refuse_double_names, refuse_used
from arm_emulator.resource_types.load_balancers import place_frontend
from arm_emulator.resource_types.network_interfaces import ADDRESS_JOIN, SUBNET_JOIN
from arm_emulator.resource_types.pointers import Pointer, Pointing, named
from arm_emulator.resource_types.public_ip_addresses import PUBLIC_IPS, public_address, refuse_other_user
from arm_emulator.resource_types.virtual_hubs import HUBS
from arm_emulator.resource_types.virtual_networks import SUBNETS
from arm_emulator.store import Resource

FIREWALLS = "Microsoft.Network/azureFirewalls"
SEGMENT = "azureFirewallIpConfigurations"
SUBNET_NAME = "AzureFirewallSubnet"
_SUBNET = Pointer("ipConfigurations.subnet", "subnet", SUBNETS, SUBNET_JOIN, segment=SEGMENT)
_ADDRESS = Pointer("ipConfigurations.publicIPAddress", "publicIPAddress", PUBLIC_IPS, ADDRESS_JOIN, segment=SEGMENT)
MOST_PUBLIC_IPS = 250
_FIREWALLS_OWN_PLACE_IN_A_HUB = 132


class AzureFirewalls(Pointing):
    """Seven minutes in the making; one of AZFW_Hub gets its addresses from its hub, others have an AzureFirewallSubnet."""

    name = FIREWALLS
    envelope = frozenset({"location", "tags", "properties", "zones", "extendedLocation"})
    create = Timing(420, (10,))
    delete = Timing(300, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "ipGroups"})
    pointers = (_SUBNET, _ADDRESS, Pointer("virtualHub", "virtualHub", HUBS))

    def prepare(self, put: Put) -> None:
        properties = put.properties
        in_hub = id_of(properties.get("virtualHub")) is not None
        default(properties, sku={})
        default(properties["sku"], name="AZFW_Hub" if in_hub else "AZFW_VNet", tier="Standard")
        default(
            properties,
            threatIntelMode="Alert",
            additionalProperties={},
            networkRuleCollections=[],
            applicationRuleCollections=[],
            natRuleCollections=[],
        )
        super().prepare(put)
        if in_hub != (properties["sku"]["name"] == "AZFW_Hub"):
            raise bad_request("AzureFirewallSkuMismatch", f"Firewall {put.id} of SKU AZFW_Hub needs a virtualHub, and no other does.")  # fmt: skip
        if in_hub:
            if properties.get("hubIPAddresses") is None and "hubIPAddresses" in put.before:
                properties["hubIPAddresses"] = put.before["hubIPAddresses"]
            return
        if not items(properties, "ipConfigurations"):
            raise missing("ipConfigurations", put.id)
        refuse_double_names(put.id, (str(part.get("name") or "") for part in items(properties, "ipConfigurations")))
        allocation = Allocation(put, "ipConfigurations", SEGMENT)
        for part in items(properties, "ipConfigurations"):
            self._check_part(put, part, allocation)

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        hub = cloud.find(id_of(item.properties.get("virtualHub")))
        if hub is None:
            return
        asked = item.properties.get("hubIPAddresses") or {}
        public = (asked.get("publicIPs") or {}) if isinstance(asked, dict) else {}
        wanted = public.get("count")
        count = min(wanted, MOST_PUBLIC_IPS) if isinstance(wanted, int) else 1
        listed = [public_address(_guid(item.key, number)) for number in range(count)]
        item.properties["hubIPAddresses"] = {
            "privateIPAddress": addresses.nth(str(hub.properties["addressPrefix"]), _FIREWALLS_OWN_PLACE_IN_A_HUB),
            "publicIPs": {"count": count, "addresses": [{"address": address} for address in listed]},
        }

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        if not items(item.properties, "ipConfigurations"):
            return {}
        return {"ipConfigurations": answered_parts(cloud, item, SEGMENT)}

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, ("nextHop",), "AzureFirewallCannotBeDeletedWhileInUse")

    def _check_part(self, put: Put, part: Json, allocation: Allocation) -> None:
        part["name"] = part.get("name") or "AzureFirewallIpConfiguration"
        properties = part["properties"] = {**(part.get("properties") or {})}
        if id_of(properties.get("subnet")) is None and id_of(properties.get("publicIPAddress")) is None:
            raise missing("subnet.id", put.id)
        subnet = put.cloud.find(id_of(properties.get("subnet")))
        if subnet is not None and subnet.name != SUBNET_NAME:
            raise bad_request(
                "SubnetNameMustBeAzureFirewallSubnet", f"Subnet {subnet.id} of {put.id} must be named {SUBNET_NAME}."
            )
        for found in named(put.id, {"ipConfigurations": [part]}, _ADDRESS):
            address = put.cloud.find(found.target)
            if address is not None:
                refuse_other_user(put, address)
        place_frontend(put, part, allocation)


def _guid(key: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}/{number}"))
