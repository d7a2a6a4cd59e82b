"""Microsoft.Network/loadBalancers: kept with the parts that bodies of scale sets and interfaces refer to; nothing is balanced."""

from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import Json, bad_request
from arm_emulator.operations import Timing
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.allocation import Allocation
from arm_emulator.resource_types.base import Put
from arm_emulator.resource_types.bodies import answered_parts, default, refuse_double_names, with_guid
from arm_emulator.resource_types.network_interfaces import (
    ADDRESS_JOIN,
    SUBNET_JOIN,
    address_is_allocated,
    subnet_is_full,
)
from arm_emulator.resource_types.pointers import Pointer, Pointing, named
from arm_emulator.resource_types.public_ip_addresses import PUBLIC_IPS, refuse_other_user
from arm_emulator.resource_types.virtual_networks import SUBNETS
from arm_emulator.store import Resource

FRONTENDS = "frontendIPConfigurations"
PARTS = (FRONTENDS, "backendAddressPools", "loadBalancingRules", "probes", "inboundNatRules", "inboundNatPools",
         "outboundRules")  # fmt: skip
_ADDRESS = Pointer(f"{FRONTENDS}.publicIPAddress", "publicIPAddress", PUBLIC_IPS, ADDRESS_JOIN)


class LoadBalancers(Pointing):
    """Its parts are answered with ids and etags and read one by one; a frontend in a subnet takes an address there."""

    name = "Microsoft.Network/loadBalancers"
    envelope = frozenset({"location", "tags", "properties", "sku", "extendedLocation"})
    create = Timing(3, (3,))
    delete = Timing(10, (10,))
    parts = {name.lower(): name for name in PARTS}  # noqa: RUF012  (declared ClassVar by the base)
    pointers = (Pointer(f"{FRONTENDS}.subnet", "subnet", SUBNETS, SUBNET_JOIN), _ADDRESS)

    def prepare(self, put: Put) -> None:
        sku = put.body.get("sku") or {}
        put.body["sku"] = {"tier": "Regional", **sku, "name": sku.get("name") or "Basic"}
        default(put.properties, **{name: [] for name in PARTS})
        for name in PARTS:
            parts = items(put.properties, name)
            names = [str(part.get("name") or "") for part in parts]
            if not all(names):
                raise bad_request("InvalidRequestFormat", f"The {name} of {put.id} need names.")
            refuse_double_names(put.id, names)
            for part in parts:
                part["properties"] = {**(part.get("properties") or {})}
        super().prepare(put)
        for found in named(put.id, put.properties, _ADDRESS):
            address = put.cloud.find(found.target)
            if address is not None:
                refuse_other_user(put, address)
        allocation = Allocation(put, FRONTENDS, FRONTENDS)
        for part in items(put.properties, FRONTENDS):
            default(part["properties"], privateIPAllocationMethod="Dynamic")
            place_frontend(put, part, allocation)
        with_guid(put)

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        return {name: answered_parts(cloud, item, name, name) for name in PARTS}


def place_frontend(put: Put, part: Json, allocation: Allocation) -> None:
    """Gives a configuration in a subnet a private address: the one it has, the one it asks for, or the next that is free."""
    properties, name = part["properties"], str(part.get("name"))
    subnet = put.cloud.find(id_of(properties.get("subnet")))
    if subnet is None:
        return
    if properties.get("privateIPAllocationMethod") != "Static":
        properties["privateIPAddress"] = allocation.next(subnet, name, addresses.version_of(properties))
        if properties["privateIPAddress"] is None:
            raise subnet_is_full(subnet, 1)
        return
    wanted = addresses.canonical(str(properties.get("privateIPAddress") or ""))
    holder = allocation.holder(subnet, wanted) if wanted else None
    if holder is not None:
        raise address_is_allocated(str(allocation.element(name)), wanted, holder)
    allocation.give(name, wanted)
