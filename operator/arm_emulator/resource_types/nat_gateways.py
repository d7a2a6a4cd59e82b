"""Microsoft.Network/natGateways and publicIPPrefixes: how a subnet goes out, and the ranges that addresses come from."""

import uuid

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bodies import default, keep, refuse_used, with_guid
from arm_emulator.resource_types.network_interfaces import ADDRESS_JOIN
from arm_emulator.resource_types.pointers import Pointer, Pointing, named, users
from arm_emulator.resource_types.public_ip_addresses import PREFIXES, PUBLIC_IPS, public_address, refuse_other_user
from arm_emulator.store import Resource

NAT_GATEWAYS = "Microsoft.Network/natGateways"
SHORTEST_PREFIX, LONGEST_PREFIX = 28, 31
_ADDRESSES = Pointer("publicIpAddresses", "natPublicIPAddress", PUBLIC_IPS, ADDRESS_JOIN)


class NatGateways(Pointing):
    """How a subnet goes out; answers the `scope` and `flowlogs` that were recorded and that no published shape has."""

    name = NAT_GATEWAYS
    envelope = frozenset({"location", "tags", "properties", "sku", "zones"})
    order = ("provisioningState", "resourceGuid", "idleTimeoutInMinutes", "scope", "flowlogs", "nat64")
    create = Timing(10, (10,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "subnets"})
    unpublished = frozenset({"scope", "flowlogs", "sku.tier"})
    pointers = (_ADDRESSES, Pointer("publicIpPrefixes", "natPublicIPPrefix", PREFIXES, f"{PREFIXES}/join/action"))

    def prepare(self, put: Put) -> None:
        sku = put.body.get("sku") or {}
        put.body["sku"] = {"name": sku.get("name") or "Standard", "tier": "Regional"}
        default(put.properties, idleTimeoutInMinutes=4)
        super().prepare(put)
        for found in named(put.id, put.properties, _ADDRESSES):
            address = put.cloud.find(found.target)
            if address is not None:
                refuse_other_user(put, address)
        with_guid(put)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        subnets = users(cloud.store.referrers(item.key, "natGateway"))
        # Recorded since 2025-07-01, and in no published shape.
        always: Json = {"scope": "Public", "flowlogs": {"logsVersions": {}}}
        return {**always, "subnets": subnets} if subnets else always

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, ("natGateway",), "InUseNatGatewayCannotBeDeleted")


class PublicIPPrefixes(Pointing):
    """Gets its range with success; /28 to /31 for IPv4, and the length stays as it was created."""

    name = PREFIXES
    envelope = frozenset({"location", "tags", "properties", "sku", "zones", "extendedLocation"})
    create = Timing(5, (10,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "ipPrefix", "publicIPAddresses", "natGateway",
                           "loadBalancerFrontendIpConfiguration"})  # fmt: skip

    def prepare(self, put: Put) -> None:
        sku = put.body.get("sku") or {}
        put.body["sku"] = {"tier": "Regional", **sku, "name": sku.get("name") or "Standard"}
        default(put.properties, publicIPAddressVersion="IPv4", prefixLength=SHORTEST_PREFIX, ipTags=[])
        length = put.properties["prefixLength"]
        if put.properties["publicIPAddressVersion"] == "IPv4" and not SHORTEST_PREFIX <= length <= LONGEST_PREFIX:
            raise bad_request(
                "PublicIPPrefixInvalidPrefixLength",
                f"Prefix length {length} of {put.id} must be from {SHORTEST_PREFIX} to {LONGEST_PREFIX}.",
            )
        if put.before.get("prefixLength", length) != length:
            raise bad_request(
                "PublicIPPrefixLengthCannotBeChanged", f"The prefix length of {put.id} cannot be changed."
            )
        with_guid(put)
        keep(put, "ipPrefix")

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        if "ipPrefix" not in item.properties:
            first, second, third, _ = public_address(str(item.properties["resourceGuid"])).split(".")
            start = uuid.UUID(str(item.properties["resourceGuid"])).int % 16 * 16
            item.properties["ipPrefix"] = f"{first}.{second}.{third}.{start}/{item.properties['prefixLength']}"

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        shown: Json = {}
        addresses = users(cloud.store.referrers(item.key, "publicIPPrefix"))
        if addresses:
            shown["publicIPAddresses"] = addresses
        for gateway in cloud.store.referrers(item.key, "natPublicIPPrefix"):
            shown["natGateway"] = {"id": gateway.element}
        return shown

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_used(cloud, item, ("publicIPPrefix", "natPublicIPPrefix"), "InUsePublicIPPrefixCannotBeDeleted")
