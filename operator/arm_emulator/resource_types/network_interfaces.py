"""Microsoft.Network/networkInterfaces: addresses in subnets, and who holds them."""

import base64
import uuid

from arm_emulator.cloud import Cloud, id_of, items, parsed
from arm_emulator.errors import ArmError, Json, bad_request, invalid_reference
from arm_emulator.evaluation.effective import effective_groups, effective_route_table
from arm_emulator.evaluation.live import CloudRows
from arm_emulator.guids import new_guid
from arm_emulator.operations import Timing
from arm_emulator.resource_types import addresses, bastion_rules
from arm_emulator.resource_types.address_use import configured, subnet_prefixes
from arm_emulator.resource_types.allocation import Allocation
from arm_emulator.resource_types.base import Call, Link, Put, ResourceType, Result, Superseding
from arm_emulator.resource_types.bodies import (
    answered_parts,
    choice,
    default,
    element_ids,
    in_order,
    keep,
    missing,
    refuse_double_names,
    refuse_other_region,
)
from arm_emulator.resource_types.public_ip_addresses import refuse_other_user
from arm_emulator.resource_types.running_machine import refuse_unless_running
from arm_emulator.store import Reference, Resource

INTERFACES = "Microsoft.Network/networkInterfaces"
SEGMENT = "ipConfigurations"
MOST_ASGS = 20
GROUP_JOIN = "Microsoft.Network/networkSecurityGroups/join/action"
SUBNET_JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"
ADDRESS_JOIN = "Microsoft.Network/publicIPAddresses/join/action"
EFFECTIVE = Timing(4, (10,))
ASG_JOIN = "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action"
_PART_ORDER = ("privateIPAddress", "privateIPAllocationMethod", "publicIPAddress", "subnet", "applicationSecurityGroups",
               "primary", "privateIPAddressVersion")  # fmt: skip


class NetworkInterfaces(ResourceType):
    """Takes its address in the PUT; `virtualMachine`, `macAddress` and what is in effect are there once a machine holds it."""

    name = INTERFACES
    superseding = Superseding.FAMILY
    retryable_references = True
    envelope = frozenset({"location", "tags", "properties", "extendedLocation"})
    parts = {"ipconfigurations": "ipConfigurations"}  # noqa: RUF012  (declared ClassVar by the base)
    actions = {  # noqa: RUF012  (declared ClassVar by the base)
        "effectivenetworksecuritygroups": "effectiveNetworkSecurityGroups",
        "effectiveroutetable": "effectiveRouteTable",
    }
    members = ("name", "id", "etag", "tags", "extendedLocation", "properties", "type", "location", "kind")
    kind = "Regular"
    order = (
        "provisioningState", "resourceGuid", "ipConfigurations", "dnsSettings", "macAddress",
        "enableAcceleratedNetworking", "vnetEncryptionSupported", "enableIPForwarding", "disableTcpStateTracking",
        "networkSecurityGroup", "primary", "virtualMachine", "hostedWorkloads", "tapConfigurations", "nicType",
        "allowPort25Out", "defaultOutboundConnectivityEnabled", "auxiliaryMode", "auxiliarySku",
    )  # fmt: skip
    create = Timing(1, (1,))
    delete = Timing(4, (4,))
    read_only = frozenset({"provisioningState", "resourceGuid", "virtualMachine", "macAddress", "primary", "hostedWorkloads",
                           "tapConfigurations", "vnetEncryptionSupported", "allowPort25Out",
                           "defaultOutboundConnectivityEnabled", "privateEndpoint"})  # fmt: skip

    unpublished = frozenset({"allowPort25Out"})

    def prepare(self, put: Put) -> None:
        parts = items(put.properties, "ipConfigurations")
        if not parts:
            raise bad_request("NetworkInterfaceMustHaveAtLeastOneIpConfig", f"Network interface {put.id} must have at least one IP configuration.")  # fmt: skip
        default(
            put.properties,
            enableAcceleratedNetworking=False,
            enableIPForwarding=False,
            disableTcpStateTracking=False,
            nicType="Standard",
            auxiliaryMode="None",
            auxiliarySku="None",
        )
        put.properties.update(
            dnsSettings=self._dns_settings(put, parts),
            vnetEncryptionSupported=False,
            hostedWorkloads=[],
            tapConfigurations=[],
            allowPort25Out=False,
            defaultOutboundConnectivityEnabled=False,
        )
        keep(put, "privateEndpoint")
        put.properties["resourceGuid"] = put.before.get("resourceGuid") or new_guid()
        refuse_double_names(put.id, (str(part.get("name") or "") for part in parts))
        allocation = Allocation(put, SEGMENT, SEGMENT)
        put.properties["ipConfigurations"] = [
            self._part(put, part, allocation, first=n == 0) for n, part in enumerate(parts)
        ]
        group = put.properties.get("networkSecurityGroup")
        if group is None:
            put.properties.pop("networkSecurityGroup", None)
        else:
            standing = put.cloud.find(id_of(group))
            if standing is None:
                raise invalid_reference(str(id_of(group)), str(put.id))
            refuse_other_region(put, standing, put.location)

    def links(self, put: Put) -> list[Link]:
        found = []
        for part in configured(put.properties):
            for relation, action in (("subnet", SUBNET_JOIN), ("publicIPAddress", ADDRESS_JOIN)):
                target = id_of(part.get(relation))
                found += [Link(action, target)] if target else []
            for group in items(part, "applicationSecurityGroups"):
                found.append(Link(ASG_JOIN, str(id_of(group))))
        group_id = id_of(put.properties.get("networkSecurityGroup"))
        return [*found, Link(GROUP_JOIN, group_id)] if group_id else found

    def references(self, item: Resource) -> list[Reference]:
        return interface_references(item)

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        endpoint = cloud.find(id_of(item.properties.get("privateEndpoint")))
        if endpoint is not None:
            raise bad_request(
                "NicInUseWithPrivateEndpoint",
                f"Network interface {item.id} cannot be deleted because it is currently in use with an private endpoint "
                f"({endpoint.id}).",
            )
        for user in cloud.store.referrers(item.key, "networkInterface"):
            raise bad_request(
                "NicInUse",
                f"Network Interface {item.id} is used by existing resource {user.element}. In order to delete the network "
                "interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
            )

    def computed(self, cloud: Cloud, item: Resource) -> Json:
        parts = {"ipConfigurations": answered_parts(cloud, item, SEGMENT)}
        for user in cloud.store.referrers(item.key, "networkInterface"):
            return {
                **parts,
                "virtualMachine": {"id": user.element},
                "macAddress": mac_address(item.key),
                "primary": item.properties.get("primary", True),
            }
        return parts

    def act(self, cloud: Cloud, item: Resource, call: Call) -> Result:
        """The rules or routes in effect. Raises where no running machine holds the interface."""
        refuse_unless_running(cloud, item)
        rows = CloudRows(cloud)
        body = rows.find(str(item.id))
        assert body is not None
        find = effective_groups if call.action == "effectivenetworksecuritygroups" else effective_route_table
        return Result(f"{self.actions[call.action]}NetworkInterface", EFFECTIVE, find(rows, body))

    def _dns_settings(self, put: Put, parts: list[Json]) -> Json:
        """Recorded: the lists are there when empty, and interfaces of a virtual network share a suffix."""
        wanted = put.properties.get("dnsSettings") or {}
        subnet = parsed((parts[0].get("properties") or {}).get("subnet"))
        network = None if subnet is None else put.cloud.store.get(subnet.root.key)
        kept = {name: wanted[name] for name in ("internalDnsNameLabel",) if wanted.get(name)}
        settings: Json = {"dnsServers": wanted.get("dnsServers") or [], "appliedDnsServers": [], **kept}
        guid = None if network is None else network.properties.get("resourceGuid")
        if guid:
            settings["internalDomainNameSuffix"] = f"{_suffix(str(guid))}.ax.internal.cloudapp.net"
        return settings

    def _part(self, put: Put, part: Json, allocation: Allocation, *, first: bool) -> Json:
        name = part.get("name")
        if not name:
            raise missing("ipConfigurations.name", put.id)
        properties = dict(part.get("properties") or {})
        subnet_id = parsed(properties.get("subnet"))
        if subnet_id is None:
            raise missing("subnet.id", put.id)
        subnet = put.cloud.find(str(subnet_id))
        if subnet is None:
            raise invalid_reference(str(subnet_id), str(put.id))
        refuse_other_region(put, subnet, put.location)
        bastion_rules.refuse_other_user(subnet, str(put.id))
        default(properties, privateIPAllocationMethod="Dynamic", primary=first)
        choice(properties, "privateIPAddressVersion", (addresses.IPV4, addresses.IPV6), addresses.IPV4)
        properties.pop("provisioningState", None)
        self._check_public_address(put, properties)
        _check_asgs(put, properties, subnet)
        properties["privateIPAddress"] = self._address(allocation, str(name), subnet, properties)
        return {"name": name, "type": f"{INTERFACES}/{SEGMENT}", "properties": in_order(_PART_ORDER, properties)}

    def _check_public_address(self, put: Put, properties: Json) -> None:
        if properties.get("publicIPAddress") is None:
            properties.pop("publicIPAddress", None)
            return
        target = id_of(properties["publicIPAddress"])
        address = put.cloud.find(target)
        if address is None:
            raise invalid_reference(str(target), str(put.id))
        refuse_other_region(put, address, put.location)
        refuse_other_user(put, address)

    def _address(self, allocation: Allocation, name: str, subnet: Resource, properties: Json) -> str:
        version = properties["privateIPAddressVersion"]
        if properties["privateIPAllocationMethod"] == "Static":
            wanted = addresses.canonical(str(properties.get("privateIPAddress", "")))
            prefixes = addresses.of_version(subnet_prefixes(subnet.properties), version)
            if not addresses.assignable(wanted, prefixes):
                raise bad_request(
                    "PrivateIPAddressNotInSubnet",
                    f"Private static IP address {wanted} does not belong to the range of subnet prefix "
                    f"{', '.join(prefixes)}.",
                )
            holder = allocation.holder(subnet, wanted)
            if holder is not None:
                raise address_is_allocated(str(allocation.element(name)), wanted, holder)
            return allocation.give(name, wanted)
        found = allocation.next(subnet, name, version)
        if found is None:
            raise subnet_is_full(subnet, 1)
        return found


def _check_asgs(put: Put, properties: Json, subnet: Resource) -> None:
    """At most 20 application security groups, all there, and their other members in the same virtual network."""
    groups = items(properties, "applicationSecurityGroups")
    if len(groups) > MOST_ASGS:
        raise bad_request(
            "TooManyApplicationSecurityGroups",
            f"An ipConfiguration of {put.id} has {len(groups)} application security groups; at most {MOST_ASGS} are allowed.",
        )
    for group in groups:
        standing = put.cloud.find(id_of(group))
        if standing is None or standing.id.type.lower() != "microsoft.network/applicationsecuritygroups":
            raise invalid_reference(str(id_of(group)), str(put.id))
        for network in _networks_of_members(put, standing):
            if network != subnet.root_key:
                raise bad_request(
                    "ApplicationSecurityGroupMembersMustBeInSameVirtualNetwork",
                    f"Application security group {standing.id} of {put.id} has members in another virtual network.",
                )


def _networks_of_members(put: Put, group: Resource) -> set[str]:
    """The keys of the virtual networks in which a group's other members lie."""
    found = set()
    for user in put.cloud.store.referrers(group.key, "applicationSecurityGroup"):
        holder = put.cloud.store.get(user.source)
        if holder is None or holder.key == put.id.key:
            continue
        for part in configured(holder.properties):
            subnet = put.cloud.find(id_of(part.get("subnet")))
            if subnet is not None:
                found.add(subnet.root_key)
    return found


def interface_references(item: Resource) -> list[Reference]:
    """What an interface refers to, be it one of its own or an instance's."""
    found = []
    for element, part in element_ids(item.id, item.properties, "ipConfigurations", SEGMENT):
        for relation in ("subnet", "publicIPAddress"):
            target = id_of(part.get(relation))
            found += [Reference(relation, target, element)] if target else []
        for group in items(part, "applicationSecurityGroups"):
            target = id_of(group)
            found += [Reference("applicationSecurityGroup", target, element)] if target else []
    for relation in ("networkSecurityGroup", "privateEndpoint"):
        target = id_of(item.properties.get(relation))
        found += [Reference(relation, target, str(item.id))] if target else []
    return found


def address_is_allocated(element: str, address: str, holder: str) -> ArmError:
    """A configuration asks for an address that something else has."""
    return bad_request(
        "PrivateIPAddressIsAllocated",
        f"IP configuration {element} is using the private IP address {address} which is already allocated to resource "
        f"{holder}.",
    )


def subnet_is_full(subnet: Resource, wanted: int) -> ArmError:
    """A subnet has fewer free addresses than are wanted."""
    return bad_request(
        "SubnetIsFull",
        f"Subnet {subnet.name} with address prefix {', '.join(subnet_prefixes(subnet.properties))} does not have enough "
        f"capacity for {wanted} IP addresses.",
    )


def mac_address(key: str) -> str:
    """The hardware address of an interface, always the same for one id."""
    guid = uuid.uuid5(uuid.NAMESPACE_URL, key).hex.upper()
    return f"00-0D-3A-{guid[0:2]}-{guid[2:4]}-{guid[4:6]}"


def _suffix(guid: str) -> str:
    """Twenty-six letters and digits, the same for all of a virtual network."""
    return base64.b32encode(uuid.uuid5(uuid.NAMESPACE_URL, guid).bytes).decode().rstrip("=").lower()
