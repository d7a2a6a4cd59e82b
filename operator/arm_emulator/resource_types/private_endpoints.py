"""Microsoft.Network/privateEndpoints: an interface in a subnet that leads to a service.

Rules: https://learn.microsoft.com/azure/private-link/private-endpoint-overview
"""

from dataclasses import replace

from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import Json, bad_request, invalid_format
from arm_emulator.guids import new_guid
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types import bastion_rules
from arm_emulator.resource_types.allocation import next_free_in
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bodies import default, missing
from arm_emulator.resource_types.network_interfaces import INTERFACES, SUBNET_JOIN, subnet_is_full
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.resource_types.virtual_networks import SUBNETS
from arm_emulator.store import Resource, resource

ENDPOINTS = "Microsoft.Network/privateEndpoints"
CONNECTIONS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")


class PrivateEndpoints(Pointing):
    """Makes an interface in its subnet and takes it along; automatic connections are approved at once, manual ones wait."""

    name = ENDPOINTS
    envelope = frozenset({"location", "tags", "properties", "extendedLocation"})
    create = Timing(30, (10,))
    delete = Timing(20, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "networkInterfaces", "customDnsConfigs"})
    pointers = (Pointer("subnet", "privateEndpointSubnet", SUBNETS, SUBNET_JOIN, required=True),)

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        put.properties["subnet"] = {"id": put.properties["subnet"]["id"]}
        subnet = put.cloud.find(id_of(put.properties["subnet"]))
        assert subnet is not None, "its pointer is required"
        if put.old is not None and str(id_of(put.before.get("subnet"))).lower() != subnet.key:
            raise bad_request("PrivateEndpointSubnetCannotBeChanged", f"The subnet of {put.id} cannot be changed.")
        bastion_rules.refuse_other_user(subnet, str(put.id))
        if put.old is None and next_free_in(put.cloud, subnet) is None:
            raise subnet_is_full(subnet, 1)
        self._check_interface(put)
        for name in CONNECTIONS:
            put.properties[name] = [_connection(put, name, part) for part in items(put.properties, name)]
        if not any(put.properties[name] for name in CONNECTIONS):
            raise missing(CONNECTIONS[0], put.id)
        default(put.properties, customNetworkInterfaceName="", ipConfigurations=[])

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        if interface_of(cloud, item) is not None:
            return
        subnet = cloud.find(id_of(item.properties["subnet"]))
        assert subnet is not None, "prepare has looked"
        guid = new_guid()
        part = {
            "name": f"privateEndpointIpConfig.{guid}",
            "properties": {
                "privateIPAddress": next_free_in(cloud, subnet),
                "privateIPAllocationMethod": "Dynamic",
                "privateIPAddressVersion": "IPv4",
                "primary": True,
                "subnet": {"id": str(subnet.id)},
            },
        }
        properties = {
            "ipConfigurations": [part],
            "privateEndpoint": {"id": str(item.id)},
            "resourceGuid": new_guid(),
            "nicType": "Standard",
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": False,
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "provisioningState": "Succeeded",
        }
        name = item.properties["customNetworkInterfaceName"] or f"{item.name}.nic.{guid}"
        interface = replace(item.id, type=INTERFACES, names=(name,))
        cloud.store.put(resource(interface, {"location": item.location, "properties": properties}))
        cloud.touch(interface.key)

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        for name in CONNECTIONS:
            for part in items(item.properties, name):
                part["properties"]["provisioningState"] = "Succeeded"

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        interface = interface_of(cloud, item)
        if interface is not None:
            cloud.drop(interface)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        interface = interface_of(cloud, item)
        shown: Json = {"networkInterfaces": [] if interface is None else [{"id": str(interface.id)}]}
        for name in CONNECTIONS:
            shown[name] = [
                {
                    **part,
                    "id": str(item.id.child(name, str(part["name"]))),
                    "etag": cloud.etag(item),
                    "type": f"{ENDPOINTS}/{name}",
                }
                for part in items(item.properties, name)
            ]
        return {**shown, "customDnsConfigs": item.properties.get("customDnsConfigs", [])}

    def _check_interface(self, put: Put) -> None:
        """The name that is asked for its interface is free, or is that of its own."""
        name = put.properties.get("customNetworkInterfaceName")
        standing = put.cloud.store.get(replace(put.id, type=INTERFACES, names=(str(name),)).key) if name else None
        if standing is not None and str(id_of(standing.properties.get("privateEndpoint"))).lower() != put.id.key:
            raise bad_request(
                "PrivateEndpointNetworkInterfaceNameInUse",
                f"Network interface {standing.id} exists already and cannot be made for private endpoint {put.id}.",
            )


def interface_of(cloud: Cloud, item: Resource) -> Resource | None:
    """The interface that Azure made for the endpoint."""
    for user in cloud.store.referrers(item.key, "privateEndpoint"):
        return cloud.store.get(user.source)
    return None


def _connection(put: Put, name: str, part: Json) -> Json:
    properties = part.get("properties")
    if not isinstance(properties, dict) or not part.get("name"):
        raise invalid_format("A connection needs a name and properties.", f"properties.{name}")
    if not properties.get("privateLinkServiceId"):
        raise missing("privateLinkServiceId", put.id)
    automatic = name == CONNECTIONS[0]
    state = {
        "status": "Approved" if automatic else "Pending",
        "description": "Auto-Approved" if automatic else "Awaiting Approval",
        "actionsRequired": "None",
    }
    return {"name": part["name"], "properties": {**properties, "privateLinkServiceConnectionState": state}}
