"""Microsoft.Network/publicIPAddresses."""

import ipaddress
import uuid

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types.base import Put, Superseding
from arm_emulator.resource_types.bodies import choice, default, keep, sku_of, with_guid
from arm_emulator.resource_types.pointers import Pointer, Pointing
from arm_emulator.store import Resource

PUBLIC_IPS = "Microsoft.Network/publicIPAddresses"
PREFIXES = "Microsoft.Network/publicIPPrefixes"
HOLDERS = ("publicIPAddress", "natPublicIPAddress")
"""How an address is held: by an ipConfiguration, or by a NAT gateway."""


class PublicIPAddresses(Pointing):
    """A static one gets its address with success; SKU and zones stay as they were created."""

    name = PUBLIC_IPS
    superseding = Superseding.FAMILY
    envelope = frozenset({"location", "tags", "properties", "sku", "zones", "extendedLocation"})
    members = ("name", "id", "etag", "location", "tags", "zones", "extendedLocation", "properties", "type", "sku")
    order = (
        "provisioningState", "resourceGuid", "ipAddress", "publicIPAddressVersion", "publicIPAllocationMethod",
        "idleTimeoutInMinutes", "dnsSettings", "ipTags", "ipConfiguration", "ddosSettings",
    )  # fmt: skip
    create = Timing(2, (1,))
    delete = Timing(10, (10,))
    read_only = frozenset({"provisioningState", "resourceGuid", "ipConfiguration", "ipAddress", "natGateway"})
    pointers = (Pointer("publicIPPrefix", "publicIPPrefix", PREFIXES, f"{PREFIXES}/join/action"),)

    def prepare(self, put: Put) -> None:
        sku = put.body.get("sku") or {}
        put.body["sku"] = {"name": sku.get("name") or "Basic", "tier": sku.get("tier") or "Regional"}
        name = put.body["sku"]["name"]
        default(
            put.properties,
            publicIPAllocationMethod="Dynamic",
            idleTimeoutInMinutes=4,
            ipTags=[],
            ddosSettings={"protectionMode": "VirtualNetworkInherited"},
        )
        choice(put.properties, "publicIPAddressVersion", ("IPv4", "IPv6"), "IPv4")
        if name not in ("Basic", "Standard", "StandardV2"):
            raise bad_request(
                "InvalidPublicIPAddressSku", f"SKU {name} of public IP address {put.id} is not supported."
            )
        if name != "Basic" and put.properties["publicIPAllocationMethod"] != "Static":
            raise bad_request(
                "StandardSkuPublicIPAddressesMustBeStatic",
                f"Standard sku publicIp {put.id} must have AllocationMethod set to Static.",
            )
        super().prepare(put)
        with_guid(put)
        keep(put, "ipAddress")
        self._name(put)
        self._refuse_change(put, name)

    def succeeded(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        if item.properties.get("publicIPAllocationMethod") == "Static" and "ipAddress" not in item.properties:
            address = public_address if is_ipv4(item) else _public_ipv6_address
            item.properties["ipAddress"] = address(str(item.properties["resourceGuid"]))

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        for reference in (user for relation in HOLDERS for user in cloud.store.referrers(item.key, relation)):
            raise bad_request(
                "PublicIPAddressCannotBeDeleted",
                f"Public IP address {item.id} can not be deleted since it is still allocated to resource "
                f"{reference.element}. In order to delete the public IP, disassociate/detach the Public IP address from "
                "the resource. To learn how to do this, see aka.ms/deletepublicip.",
            )

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        for relation, shown in zip(HOLDERS, ("ipConfiguration", "natGateway"), strict=True):
            for reference in cloud.store.referrers(item.key, relation):
                return {shown: {"id": reference.element}}
        return {}

    def _name(self, put: Put) -> None:
        """A label makes a name in the region's zone."""
        settings = put.properties.get("dnsSettings")
        if not settings:
            put.properties.pop("dnsSettings", None)
        elif settings.get("domainNameLabel"):
            settings["fqdn"] = f"{settings['domainNameLabel']}.{put.location}.cloudapp.azure.com"

    def _refuse_change(self, put: Put, sku: str) -> None:
        if put.old is None:
            return
        if sku_of(put.old) != sku:
            raise bad_request(
                "PublicIPAddressSkuCannotBeChanged", f"Sku of public IP address {put.id} cannot be changed to {sku}."
            )
        if (put.old.body.get("zones") or None) != (put.body.get("zones") or None):
            raise bad_request(
                "ResourceAvailabilityZonesCannotBeModified",
                f"Resource {put.id} has an existing availability zone constraint "
                f"{', '.join(put.old.body.get('zones') or ['NoZone'])} and the request has availability zone constraint "
                f"{', '.join(put.body.get('zones') or ['NoZone'])}, which do not match. Zones cannot be "
                "added/updated/removed once the resource is created. The resource cannot be updated from regional to "
                "zonal or vice-versa.",
            )


def is_ipv4(address: Resource) -> bool:
    """Whether it is of version IPv4, as one is that does not say."""
    return str(address.properties.get("publicIPAddressVersion") or "IPv4").lower() == "ipv4"


def refuse_other_user(put: Put, address: Resource) -> None:
    """Raises PublicIPAddressInUse where another resource has the address."""
    for user in (one for relation in HOLDERS for one in put.cloud.store.referrers(address.key, relation)):
        if user.source != put.id.key:
            raise bad_request(
                "PublicIPAddressInUse",
                f"Resource {put.id} is referencing public IP address {address.id} that is already allocated to resource "
                f"{user.element}.",
            )


def public_address(guid: str) -> str:
    """An address of the documentation and benchmarking ranges would overlap between resources: 20/8 looks like Azure's."""
    number = uuid.UUID(guid).int
    return f"20.{number % 254 + 1}.{(number >> 8) % 256}.{(number >> 16) % 254 + 1}"


def _public_ipv6_address(guid: str) -> str:
    """One of 2603:1020::/32, which looks like Azure's."""
    low = uuid.UUID(guid).int % 2**96
    return str(ipaddress.IPv6Address((0x26031020 << 96) | low))
