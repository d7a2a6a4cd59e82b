"""What a scale set consists of: instances with interfaces of their own below it (Uniform), or plain machines (Flexible)."""

import copy
import string
import uuid
from collections import Counter

from arm_emulator.clock import iso
from arm_emulator.cloud import Cloud, id_of, items
from arm_emulator.errors import Json
from arm_emulator.guids import new_guid
from arm_emulator.ids import ResourceId
from arm_emulator.resource_types import addresses
from arm_emulator.resource_types.address_use import subnet_prefixes, taken_addresses
from arm_emulator.resource_types.network_interfaces import INTERFACES, subnet_is_full
from arm_emulator.resource_types.virtual_machines import MACHINES
from arm_emulator.store import Resource, resource

SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"
INSTANCES = f"{SCALE_SETS}/virtualMachines"
INSTANCE_INTERFACES = f"{INSTANCES}/networkInterfaces"
MODEL = "_model"
"""Counts the changes of a scale set's model; an instance keeps the number that it was made with."""
_NEXT = "_next"
_DIGITS = string.digits + string.ascii_uppercase


def is_flexible(item: Resource) -> bool:
    """Whether the set's instances are machines of their own."""
    return bool(item.properties.get("orchestrationMode") == "Flexible")


def capacity_of(body: Json) -> int:
    """How many instances a body asks for."""
    sku = body.get("sku")
    value = sku.get("capacity") if isinstance(sku, dict) else None
    return value if isinstance(value, int) else 0


def interface_configurations(properties: Json) -> list[Json]:
    """The interfaces that each instance of a model has."""
    profile = properties.get("virtualMachineProfile")
    network = profile.get("networkProfile") if isinstance(profile, dict) else None
    return items(network, "networkInterfaceConfigurations") if isinstance(network, dict) else []


def members(cloud: Cloud, item: Resource) -> list[Resource]:
    """The set's instances or machines, oldest first."""
    if not is_flexible(item):
        return cloud.store.children(item.key, INSTANCES)
    found = [cloud.store.get(user.source) for user in cloud.store.referrers(item.key, "virtualMachineScaleSet")]
    return [machine for machine in found if machine is not None]


def interfaces(cloud: Cloud, member: Resource) -> list[Resource]:
    """The interfaces of an instance or a machine."""
    profile = member.properties.get("networkProfile") or {}
    found = [cloud.find(id_of(entry)) for entry in items(profile, "networkInterfaces")]
    return [one for one in found if one is not None]


def check_room(cloud: Cloud, properties: Json, more: int) -> None:
    """Raises SubnetIsFull where a subnet of the model has not enough addresses for `more` instances."""
    wanted: Counter[tuple[str, str]] = Counter()
    for configuration in interface_configurations(properties):
        for part in items(configuration.get("properties") or {}, "ipConfigurations"):
            inner = part.get("properties") or {}
            subnet = cloud.find(id_of(inner.get("subnet")))
            if subnet is not None and subnet_prefixes(subnet.properties):
                wanted[subnet.key, addresses.version_of(inner)] += more
    for (key, version), count in wanted.items():
        subnet = cloud.find(key)
        assert subnet is not None, "it was found above"
        prefixes = addresses.of_version(subnet_prefixes(subnet.properties), version)
        taken = sum((":" in address) is (version == addresses.IPV6) for address in taken_addresses(cloud, subnet))
        if sum(map(addresses.room, prefixes)) - taken < count:
            raise subnet_is_full(subnet, count)


def grow(cloud: Cloud, item: Resource, count: int) -> None:
    """Adds instances that are still being created."""
    for _ in range(count):
        if is_flexible(item):
            _add_machine(cloud, item)
        else:
            _add_instance(cloud, item)


def shrink(cloud: Cloud, item: Resource, count: int) -> None:
    """Marks the newest instances as leaving: Azure's default scale-in takes the highest instance ids."""
    staying = [member for member in members(cloud, item) if member.state != "Deleting"]
    for member in staying[len(staying) - count :]:
        member.properties["provisioningState"] = "Deleting"
        cloud.store.put(member)


def leave(cloud: Cloud, member: Resource) -> None:
    """Removes an instance or machine together with its interfaces."""
    for interface in interfaces(cloud, member):
        cloud.drop(interface)
    if cloud.store.get(member.key) is not None:
        cloud.drop(member)


def _add_instance(cloud: Cloud, item: Resource) -> None:
    taken = [int(one.name) for one in cloud.store.children(item.key, INSTANCES) if one.name.isdecimal()]
    number = max([int(item.body.get(_NEXT, 0)), *(one + 1 for one in taken)])
    item.body[_NEXT] = number + 1
    instance_id = item.id.child("virtualMachines", str(number))
    properties = _machine_properties(cloud, item, number)
    configurations = interface_configurations(item.properties)
    properties |= {
        "modelDefinitionApplied": "VirtualMachineScaleSet",
        "networkProfileConfiguration": {"networkInterfaceConfigurations": copy.deepcopy(configurations)},
    }
    sku = {name: value for name, value in item.body["sku"].items() if name != "capacity"}
    body = _placed(item, {"sku": sku, "instanceId": str(number), "name": f"{item.name}_{number}"}, properties)
    body[MODEL] = item.body.get(MODEL, 0)
    cloud.store.put(resource(instance_id, body))
    for configuration in configurations:
        interface_id = instance_id.child("networkInterfaces", str(configuration.get("name", "")))
        _add_interface(cloud, instance_id, interface_id, configuration, {})
        _link(properties, interface_id, configuration, {})
    cloud.store.put(resource(instance_id, body))


def _add_machine(cloud: Cloud, item: Resource) -> None:
    suffix = uuid.uuid4().hex[:8]
    machine_id = ResourceId(item.id.subscription, item.id.group, MACHINES, (f"{item.name}_{suffix}",))
    properties = _machine_properties(cloud, item, int(suffix, 16) % 36**6)
    properties |= {
        "virtualMachineScaleSet": {"id": str(item.id)},
        "hardwareProfile": {"vmSize": item.body["sku"].get("name")},
    }
    for configuration in interface_configurations(item.properties):
        interface_id = ResourceId(
            item.id.subscription, item.id.group, INTERFACES, (f"{configuration.get('name', 'nic')}-{suffix}",)
        )
        _add_interface(cloud, machine_id, interface_id, configuration, {"location": item.location})
        _link(properties, interface_id, configuration, {"deleteOption": "Delete"})
    cloud.store.put(resource(machine_id, _placed(item, {}, properties)))


def _placed(item: Resource, body: Json, properties: Json) -> Json:
    """A member's body: where its set is, with the set's tags."""
    placed = {name: copy.deepcopy(item.body[name]) for name in ("tags", "zones") if item.body.get(name)}
    return {"location": item.location, **placed, **body, "properties": properties}


def _machine_properties(cloud: Cloud, item: Resource, number: int) -> Json:
    """What an instance takes over from the model."""
    profile = copy.deepcopy(item.properties.get("virtualMachineProfile") or {})
    guest = profile.get("osProfile") or {}
    prefix = guest.pop("computerNamePrefix", None) or item.name
    taken_over = ("storageProfile", "securityProfile", "diagnosticsProfile", "hardwareProfile", "licenseType")
    return {
        **{name: profile[name] for name in taken_over if profile.get(name)},
        "osProfile": {**guest, "computerName": f"{prefix}{_in_base_36(number)}"},
        "networkProfile": {"networkInterfaces": []},
        "vmId": new_guid(),
        "timeCreated": iso(cloud.clock.now()),
        "provisioningState": "Creating",
    }


def _in_base_36(number: int) -> str:
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def _link(properties: Json, interface: ResourceId, configuration: Json, extra: Json) -> None:
    primary = (configuration.get("properties") or {}).get("primary", True)
    properties["networkProfile"]["networkInterfaces"].append(
        {"id": str(interface), "properties": {"primary": primary, **extra}}
    )


def _add_interface(
    cloud: Cloud, machine: ResourceId, interface: ResourceId, configuration: Json, envelope: Json
) -> None:
    """An interface as the model has it, with addresses of its own."""
    wanted = copy.deepcopy(configuration.get("properties") or {})
    wanted.pop("deleteOption", None)
    parts = items(wanted, "ipConfigurations")
    given: set[str] = set()
    properties = {
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
        "enableAcceleratedNetworking": False,
        "enableIPForwarding": False,
        **wanted,
        "primary": wanted.get("primary", True),
        "virtualMachine": {"id": str(machine)},
        "resourceGuid": new_guid(),
        "provisioningState": "Succeeded",
        "ipConfigurations": [_part(cloud, part, given, first=position == 0) for position, part in enumerate(parts)],
    }
    cloud.store.put(resource(interface, {**envelope, "properties": properties}))


def _part(cloud: Cloud, part: Json, given: set[str], *, first: bool) -> Json:
    """A configuration with an address that is none of those `given` to its interface, and is noted there."""
    properties = dict(part.get("properties") or {})
    properties.pop("publicIPAddressConfiguration", None)
    subnet = cloud.find(id_of(properties.get("subnet")))
    if subnet is not None and subnet_prefixes(subnet.properties):
        prefixes = addresses.of_version(subnet_prefixes(subnet.properties), addresses.version_of(properties))
        free = addresses.next_free(prefixes, given.union(taken_addresses(cloud, subnet)))
        properties["privateIPAddress"] = free
        given.update(() if free is None else (free,))
    return {
        "name": part.get("name"),
        "properties": {
            "privateIPAllocationMethod": "Dynamic",
            "privateIPAddressVersion": "IPv4",
            "primary": first,
            **properties,
        },
    }
