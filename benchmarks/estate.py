"""A large estate as Resource Graph answers it: hubs with a Bastion for every forty spokes, security groups of 43 rules.

Of 50,000 VMs: 2,000 VNets (one in forty a hub), 3,000 security groups, 100 subscriptions. The rows carry what Azure's own
rows carry, whether a verdict needs it or not: most of what a reader gets is of no use to it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson

Row = dict[str, Any]

VMS_A_NETWORK: Final = 25
NETWORKS_A_HUB: Final = 40
NETWORKS_A_SUBSCRIPTION: Final = 20
RULES_A_GROUP: Final = 43
ROWS_A_PAGE: Final = 1_000
TENANT: Final = "00000000-0000-0000-0000-00000000beef"


@dataclass(frozen=True, slots=True)
class Shape:
    """How large an estate is. A network in ``NETWORKS_A_HUB`` is a hub and holds a Bastion; the VMs lie in the others.

    Every VNet has a security group on its subnet; ``interface_groups`` more are spread over the NICs, one each.
    """

    machines: int
    networks: int
    interface_groups: int

    @property
    def groups(self) -> int:
        """The number of security groups."""
        return self.networks + self.interface_groups

    @classmethod
    def of(cls, machines: int) -> "Shape":
        """The shape that is 2,000 VNets and 3,000 security groups at 50,000 VMs."""
        networks = max(machines // VMS_A_NETWORK, 2)
        return cls(machines, networks, networks // 2)


def rows(shape: Shape) -> Iterator[Row]:
    """Every row of the estate, the subscriptions' own included."""
    for number in range(0, shape.networks, NETWORKS_A_SUBSCRIPTION):
        yield _subscription_row(number)
    spokes = [number for number in range(shape.networks) if number % NETWORKS_A_HUB]
    share, left = divmod(shape.machines, len(spokes))
    grouped = 0
    for place, number in enumerate(spokes):
        machines = share + (place < left)
        groups = (place + 1) * shape.interface_groups // len(spokes) - grouped
        grouped += groups
        yield from _spoke(number, machines, groups)
    for number in range(0, shape.networks, NETWORKS_A_HUB):
        yield from _hub(number, range(number + 1, min(number + NETWORKS_A_HUB, shape.networks)))


def pages(shape: Shape) -> Iterator[bytes]:
    """The answers of Resource Graph that hold the estate, page by page."""
    every = rows(shape)
    while page := list(islice(every, ROWS_A_PAGE)):
        yield orjson.dumps({"count": len(page), "data": page})


def document(shape: Shape) -> bytes:
    """The estate as one answer."""
    return orjson.dumps({"data": list(rows(shape))})


def subscription(number: int) -> str:
    """The subscription that a network with this number lies in."""
    return f"00000000-0000-0000-0000-{number // NETWORKS_A_SUBSCRIPTION:012d}"


def resource_id(kind: str, name: str, number: int) -> str:
    """The ARM id of a resource that belongs to a network with this number."""
    return f"/subscriptions/{subscription(number)}/resourceGroups/net-{number}/providers/{kind}/{name}"


def network_id(number: int) -> str:
    """The ARM id of a VNet."""
    kind = "spoke" if number % NETWORKS_A_HUB else "hub"
    return resource_id("Microsoft.Network/virtualNetworks", f"{kind}-{number}", number)


def subnet_group_id(number: int) -> str:
    """The ARM id of the security group on a VNet's subnet."""
    return resource_id("Microsoft.Network/networkSecurityGroups", f"nsg-{number}", number)


def network_prefix(number: int) -> str:
    """The address space of a VNet."""
    return f"10.{number // 250}.{number % 250}.0/24"


def bastion_prefix(number: int) -> str:
    """The prefix of AzureBastionSubnet in a hub."""
    return network_prefix(number).replace(".0/24", ".0/26")


def _subscription_row(number: int) -> Row:
    name = subscription(number)
    return {
        "id": f"/subscriptions/{name}",
        "name": f"landing-zone-{number // NETWORKS_A_SUBSCRIPTION}",
        "type": "microsoft.resources/subscriptions",
        "tenantId": TENANT,
        "subscriptionId": name,
        "properties": {"state": "Enabled", "managementGroupAncestorsChain": [{"name": TENANT}]},
    }


def _row(row_id: str, properties: Row, **columns: Any) -> Row:
    parts = row_id.split("/")
    return {
        "id": row_id,
        "name": parts[-1],
        "type": f"{parts[6]}/{parts[7]}".lower(),
        "tenantId": TENANT,
        "kind": "",
        "location": "westeurope",
        "resourceGroup": parts[4],
        "subscriptionId": parts[2],
        "sku": None,
        "zones": None,
        "tags": {"environment": "production", "costCenter": "4711"},
        "properties": {"provisioningState": "Succeeded", "resourceGuid": TENANT} | properties,
    } | columns


def _child(parent: str, kind: str, name: str, properties: Row) -> Row:
    return {
        "id": f"{parent}/{kind}/{name}",
        "name": name,
        "type": f"Microsoft.Network/{parent.split('/')[-2]}/{kind}",
        "etag": 'W/"6b7a2f0e-5c1d-4a58-9f0e-2f6f3f3d9c11"',
        "properties": {"provisioningState": "Succeeded"} | properties,
    }


def _link(owner: int, remote: int) -> Row:
    space = {"addressPrefixes": [network_prefix(remote)]}
    properties = {
        "peeringState": "Connected",
        "peeringSyncLevel": "FullyInSync",
        "resourceGuid": TENANT,
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        "allowGatewayTransit": False,
        "useRemoteGateways": False,
        "doNotVerifyRemoteGateways": False,
        "peerCompleteVnets": True,
        "remoteVirtualNetwork": {"id": network_id(remote)},
        "remoteAddressSpace": space,
        "remoteVirtualNetworkAddressSpace": space,
        "routeServiceVips": {},
    }
    return _child(network_id(owner), "virtualNetworkPeerings", f"to-{remote}", properties)


def _subnet(number: int, name: str, prefix: str, group: str) -> Row:
    properties = {
        "addressPrefix": prefix,
        "networkSecurityGroup": {"id": group},
        "serviceEndpoints": [],
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    }
    return _child(network_id(number), "subnets", name, properties)


def _network(number: int, subnets: list[Row], links: Iterable[int]) -> Row:
    properties = {
        "addressSpace": {"addressPrefixes": [network_prefix(number)]},
        "subnets": subnets,
        "virtualNetworkPeerings": [_link(number, remote) for remote in links],
        "enableDdosProtection": False,
    }
    return _row(network_id(number), properties)


def _hub(number: int, spokes: range) -> Iterator[Row]:
    group, subnet = subnet_group_id(number), bastion_prefix(number)
    yield _network(number, [_subnet(number, "AzureBastionSubnet", subnet, group)], spokes)
    yield _group(group, [_rule(group, *rule) for rule in _BASTION_RULES])
    address = resource_id("Microsoft.Network/publicIPAddresses", f"ip-{number}", number)
    static = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "ipAddress": "20.1.2.3"}
    yield _row(address, static, sku={"name": "Standard", "tier": "Regional"})
    place = {"subnet": {"id": f"{network_id(number)}/subnets/AzureBastionSubnet"}, "publicIPAddress": {"id": address}}
    host = {
        "dnsName": f"bst-{number}.bastion.azure.com",
        "ipConfigurations": [{"name": "ip", "properties": place}],
        "enableTunneling": True,
        "scaleUnits": 2,
    }
    yield _row(bastion_id(number), host, sku={"name": "Standard"})


def bastion_id(number: int) -> str:
    """The ARM id of the Bastion of a hub."""
    return resource_id("Microsoft.Network/bastionHosts", f"bastion-{number}", number)


_BASTION_RULES: Final = (
    ("clients", 120, "Inbound", "Allow", "Internet", "*", ["443"]),
    ("control", 130, "Inbound", "Allow", "GatewayManager", "*", ["443"]),
    ("probes", 140, "Inbound", "Allow", "AzureLoadBalancer", "*", ["443"]),
    ("data-in", 150, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork", ["8080", "5701"]),
    ("targets", 100, "Outbound", "Allow", "*", "VirtualNetwork", ["22", "3389"]),
    ("cloud", 110, "Outbound", "Allow", "*", "AzureCloud", ["443"]),
    ("data-out", 120, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork", ["8080", "5701"]),
    ("internet", 130, "Outbound", "Allow", "*", "Internet", ["80"]),
)


def _group(group: str, rules: list[Row]) -> Row:
    return _row(group, {"securityRules": rules, "subnets": [], "networkInterfaces": []})


def _rule(
    group: str, name: str, priority: int, direction: str, access: str, source: str, destination: str, ports: list[str]
) -> Row:
    properties = {
        "description": f"Change 4711: {name} as ordered by the owner of the network",
        "protocol": "Tcp",
        "sourcePortRange": "*",
        "sourcePortRanges": [],
        "destinationPortRanges": ports,
        "sourceAddressPrefix": source,
        "sourceAddressPrefixes": [],
        "destinationAddressPrefix": destination,
        "destinationAddressPrefixes": [],
        "access": access,
        "priority": priority,
        "direction": direction,
    }
    return _child(group, "securityRules", name, properties)


def _spoke_rules(group: str, number: int) -> Iterator[Row]:
    """Rules for other sources, other ports and other destinations; every eleventh group denies SSH in its last one."""
    for place in range(RULES_A_GROUP - 1):
        direction = "Outbound" if place % 6 == 5 else "Inbound"
        access = "Deny" if place % 4 == 3 else "Allow"
        source = ("Internet", f"192.168.{place}.0/24", f"172.16.{place}.0/24", f"10.{200 + place % 50}.0.0/16")[
            place % 4
        ]
        destination = "*" if place % 3 else network_prefix(number)
        ports = ["22", "443"] if place % 2 else ["3389", "1433", "8000-8100"]
        yield _rule(group, f"rule-{place}", 200 + 10 * place, direction, access, source, destination, ports)
    last = ("Deny", ["22"]) if number % 11 == 0 else ("Allow", ["22", "3389"])
    yield _rule(group, "last", 4000, "Inbound", last[0], "*", "*", last[1])


def _spoke(number: int, machines: int, interface_groups: int) -> Iterator[Row]:
    group, hub = subnet_group_id(number), number - number % NETWORKS_A_HUB
    subnet = _subnet(number, "workload", network_prefix(number), group)
    yield _network(number, [subnet], [hub])
    yield _group(group, list(_spoke_rules(group, number)))
    for place in range(machines):
        own_group = None
        if place < interface_groups:
            own_group = resource_id("Microsoft.Network/networkSecurityGroups", f"nsg-{number}-{place}", number)
            yield _group(own_group, list(_spoke_rules(own_group, number * 7 + place)))
        yield from _machine(number, place, str(subnet["id"]), own_group)


def machine_id(number: int, place: int) -> str:
    """The ARM id of the VM at a place in a spoke."""
    return resource_id("Microsoft.Compute/virtualMachines", f"vm-{number}-{place}", number)


def interface_id(number: int, place: int) -> str:
    """The ARM id of that VM's NIC."""
    return resource_id("Microsoft.Network/networkInterfaces", f"vm-{number}-{place}-nic", number)


def _machine(number: int, place: int, subnet: str, own_group: str | None) -> Iterator[Row]:
    vm, nic = machine_id(number, place), interface_id(number, place)
    yield _interface(nic, vm, network_prefix(number).replace(".0/24", f".{place + 4}"), subnet, own_group)
    windows = place % 3 == 0
    properties = {
        "vmId": TENANT,
        "timeCreated": "2026-03-01T08:15:30.1234567+00:00",
        "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
        "storageProfile": {
            "imageReference": {
                "publisher": "Canonical",
                "offer": "ubuntu-24_04-lts",
                "sku": "server",
                "version": "latest",
            },
            "osDisk": {
                "osType": "Windows" if windows else "Linux",
                "name": f"vm-{number}-{place}-os",
                "createOption": "FromImage",
                "caching": "ReadWrite",
                "managedDisk": {"id": f"{vm}-os", "storageAccountType": "Premium_LRS"},
                "deleteOption": "Delete",
            },
            "dataDisks": [],
        },
        "osProfile": {"computerName": f"vm-{number}-{place}", "adminUsername": "azureuser", "secrets": []},
        "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"primary": True}}]},
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        "extended": {
            "instanceView": {
                "computerName": f"vm-{number}-{place}",
                "osName": "ubuntu",
                "osVersion": "24.04",
                "hyperVGeneration": "V2",
                "powerState": {"code": _power(place), "displayStatus": "VM state", "level": "Info"},
            }
        },
    }
    yield _row(vm, properties, zones=["1"])


def _power(place: int) -> str:
    """One VM in ten is shut down."""
    return "PowerState/deallocated" if place % 10 == 9 else "PowerState/running"


def _interface(nic: str, vm: str, address: str, subnet: str, group: str | None) -> Row:
    configuration = {
        "privateIPAddress": address,
        "privateIPAllocationMethod": "Dynamic",
        "primary": True,
        "privateIPAddressVersion": "IPv4",
        "subnet": {"id": subnet},
    }
    properties = {
        "primary": True,
        "macAddress": "00-0D-3A-1B-C7-21",
        "enableAcceleratedNetworking": True,
        "enableIPForwarding": False,
        "nicType": "Standard",
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
        "ipConfigurations": [_child(nic, "ipConfigurations", "ipconfig1", configuration)],
        "virtualMachine": {"id": vm},
    }
    return _row(nic, properties | ({"networkSecurityGroup": {"id": group}} if group else {}))
