"""Microsoft.Network/virtualNetworks/subnets."""

from arm_emulator.cloud import Cloud, id_of, items, parsed, upper_cased
from arm_emulator.errors import Json, bad_request, invalid_reference
from arm_emulator.ids import parse
from arm_emulator.operations import Timing
from arm_emulator.resource_types import addresses, bastion_rules
from arm_emulator.resource_types.address_use import subnet_prefixes
from arm_emulator.resource_types.base import Link, Put, ResourceType
from arm_emulator.resource_types.bodies import default, joined, missing, refuse_other_region
from arm_emulator.resource_types.virtual_networks import SUBNETS, refuse_used_subnet
from arm_emulator.store import Reference, Resource

JOINS = {
    "networkSecurityGroup": "Microsoft.Network/networkSecurityGroups/join/action",
    "routeTable": "Microsoft.Network/routeTables/join/action",
    "natGateway": "Microsoft.Network/natGateways/join/action",
}


class Subnets(ResourceType):
    """Written alone or with its network; tells who has an address in it, and keeps a prefix that is in use."""

    name = SUBNETS
    tracked = False
    envelope = frozenset({"properties"})
    members = ("name", "id", "etag", "properties", "type")
    order = (
        "provisioningState", "addressPrefix", "addressPrefixes", "ipamPoolPrefixAllocations", "networkSecurityGroup",
        "routeTable", "natGateway", "ipConfigurations", "serviceEndpoints", "delegations",
        "privateEndpointNetworkPolicies", "privateLinkServiceNetworkPolicies", "defaultOutboundAccess",
    )  # fmt: skip
    create = Timing(3, (3,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "ipConfigurations", "ipConfigurationProfiles", "purpose",
                           "resourceNavigationLinks", "serviceAssociationLinks", "privateEndpoints"})  # fmt: skip

    def prepare(self, put: Put) -> None:
        if not subnet_prefixes(put.properties):
            raise missing("addressPrefix", put.id)
        addresses.parsed_prefixes(subnet_prefixes(put.properties), f"subnet {put.id.name}")
        default(
            put.properties,
            ipamPoolPrefixAllocations=[],
            delegations=[],
            privateEndpointNetworkPolicies="Disabled",
            privateLinkServiceNetworkPolicies="Enabled",
        )
        for name in JOINS:
            self._reference(put, name)
        self._keep_used_prefix(put)
        if put.id.name == bastion_rules.SUBNET_NAME:
            bastion_rules.check_subnet(put)
            bastion_rules.check_associated_group(put)

    def links(self, put: Put) -> list[Link]:
        changed = {name: put.properties.get(name) for name in JOINS if put.properties.get(name) != put.before.get(name)}
        return joined(changed, **JOINS)

    def references(self, item: Resource) -> list[Reference]:
        found = []
        for name in JOINS:
            target = id_of(item.properties.get(name))
            if target is not None:
                found.append(Reference(name, target, str(item.id)))
        return found

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used_subnet(cloud, item)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        used = cloud.store.referrers(item.key, "subnet")
        if not used:
            return {}
        ids = [parse(reference.element) for reference in used]
        shown: Json = {"ipConfigurations": [{"id": upper_cased(one)} for one in ids if one is not None]}
        endpoints = cloud.store.referrers(item.key, "privateEndpointSubnet")
        if endpoints:
            shown |= {"privateEndpoints": [{"id": one.element} for one in endpoints], "purpose": "PrivateEndpoints"}
        return shown

    def _reference(self, put: Put, name: str) -> None:
        value = put.properties.get(name)
        if value is None:
            put.properties.pop(name, None)
            return
        target = parsed(value)
        if target is None:
            raise missing(f"{name}.id", put.id)
        standing = put.cloud.find(str(target))
        if standing is None:
            raise invalid_reference(str(target), str(put.id))
        if value != put.before.get(name):
            refuse_other_region(put, standing, str((put.parent or {}).get("location", "")))
        put.properties[name] = {"id": value["id"]}

    def _keep_used_prefix(self, put: Put) -> None:
        if put.old is None or subnet_prefixes(put.before) == subnet_prefixes(put.properties):
            return
        if put.cloud.store.referrers(put.old.key, "subnet"):
            raise bad_request(
                "InUsePrefixCannotBeDeleted",
                f"IpPrefix {', '.join(subnet_prefixes(put.before))} on Subnet {put.id.name} has active allocations and "
                "cannot be deleted.",
            )


def delegated(properties: Json) -> bool:
    """Whether a subnet is delegated to a service."""
    return bool(items(properties, "delegations"))
