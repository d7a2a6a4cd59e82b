"""A large estate: a hub with a Bastion for every forty spokes, rules on every subnet."""

import json
from typing import Any

Row = dict[str, Any]

VMS_A_SPOKE = 25
RULES_A_GROUP = 43


def estate(machines: int) -> bytes:
    """Resource Graph's answer for so many VMs, as JSON bytes."""
    rows: list[Row] = []
    spokes = max(machines // VMS_A_SPOKE, 1)
    for number in range(spokes):
        if number % 40 == 0:
            _add_hub(rows, number // 40, range(number, min(number + 40, spokes)))
        _add_spoke(rows, number, min(VMS_A_SPOKE, machines - number * VMS_A_SPOKE))
    return json.dumps({"data": rows}).encode()


def _id(kind: str, name: str, number: int) -> str:
    return f"/subscriptions/00000000-0000-0000-0000-{number // 40:012d}/resourceGroups/net/providers/{kind}/{name}"


def _network(name: str, number: int) -> str:
    return _id("Microsoft.Network/virtualNetworks", name, number)


def _row(resource_id: str, properties: Row, **columns: Any) -> Row:
    parts = resource_id.rpartition("/providers/")[2].split("/")
    return {
        "id": resource_id,
        "name": parts[-1],
        "type": f"{parts[0]}/{parts[1]}".lower(),
        "location": "westeurope",
        "subscriptionId": resource_id.split("/")[2],
        "properties": {"provisioningState": "Succeeded"} | properties,
    } | columns


def _prefix(number: int) -> str:
    return f"10.{number // 250 % 200 + 1}.{number % 250}.0/24"


def _link(owner: str, remote: str, prefix: str, name: str) -> Row:
    space = {"addressPrefixes": [prefix]}
    return {
        "id": f"{owner}/virtualNetworkPeerings/{name}",
        "name": name,
        "properties": {
            "peeringState": "Connected",
            "peeringSyncLevel": "FullyInSync",
            "provisioningState": "Succeeded",
            "allowVirtualNetworkAccess": True,
            "remoteVirtualNetwork": {"id": remote},
            "remoteAddressSpace": space,
            "remoteVirtualNetworkAddressSpace": space,
        },
    }


def _add_hub(rows: list[Row], hub: int, spokes: range) -> None:
    network, first = _network(f"hub-{hub}", hub * 40), hub * 40
    prefix = f"172.16.{hub % 250}.0/24"
    bastion_prefix = f"172.16.{hub % 250}.0/26"
    subnet = f"{network}/subnets/AzureBastionSubnet"
    links = [_link(network, _network(f"spoke-{n}", n), _prefix(n), f"to-{n}") for n in spokes]
    properties = {
        "addressSpace": {"addressPrefixes": [prefix]},
        "subnets": [{"id": subnet, "name": "AzureBastionSubnet", "properties": {"addressPrefix": bastion_prefix}}],
        "virtualNetworkPeerings": links,
    }
    rows.append(_row(network, properties))
    address = _id("Microsoft.Network/publicIPAddresses", f"ip-{hub}", first)
    static = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"}
    rows.append(_row(address, static, sku={"name": "Standard"}))
    configuration = {"name": "ip", "properties": {"subnet": {"id": subnet}, "publicIPAddress": {"id": address}}}
    host = {"dnsName": f"bst-{hub}.bastion.azure.com", "ipConfigurations": [configuration], "enableTunneling": True}
    rows.append(_row(_id("Microsoft.Network/bastionHosts", f"b-{hub}", first), host, sku={"name": "Standard"}))


def _add_spoke(rows: list[Row], number: int, machines: int) -> None:
    network = _network(f"spoke-{number}", number)
    group = _id("Microsoft.Network/networkSecurityGroups", f"nsg-{number}", number)
    rows.append(_row(group, {"securityRules": [_rule(group, number, each) for each in range(RULES_A_GROUP)]}))
    hub = number // 40
    subnet = {
        "id": f"{network}/subnets/default",
        "name": "default",
        "properties": {"addressPrefix": _prefix(number), "networkSecurityGroup": {"id": group}},
    }
    link = _link(network, _network(f"hub-{hub}", hub * 40), f"172.16.{hub % 250}.0/24", "to-hub")
    space = {"addressPrefixes": [_prefix(number)]}
    rows.append(_row(network, {"addressSpace": space, "subnets": [subnet], "virtualNetworkPeerings": [link]}))
    for machine in range(machines):
        _add_machine(rows, number, machine, str(subnet["id"]))


def _rule(group: str, number: int, place: int) -> Row:
    name = f"rule-{place}"
    return {
        "id": f"{group}/securityRules/{name}",
        "name": name,
        "properties": {
            "priority": 200 + place,
            "direction": "Inbound",
            # Every eleventh group denies SSH in its last rule.
            "access": "Deny" if place == RULES_A_GROUP - 1 and number % 11 == 0 else "Allow",
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "sourceAddressPrefix": "*" if place == RULES_A_GROUP - 1 else f"192.168.{place}.0/24",
            "destinationAddressPrefix": "*",
            "destinationPortRanges": ["22", "443"],
        },
    }


def _add_machine(rows: list[Row], number: int, machine: int, subnet: str) -> None:
    name = f"vm-{number}-{machine}"
    nic = _id("Microsoft.Network/networkInterfaces", f"{name}-nic", number)
    vm = _id("Microsoft.Compute/virtualMachines", name, number)
    address = _prefix(number).replace("0/24", str(machine + 4))
    configuration = {
        "name": "ip",
        "properties": {"primary": True, "privateIPAddress": address, "subnet": {"id": subnet}},
    }
    rows.append(_row(nic, {"primary": True, "ipConfigurations": [configuration], "virtualMachine": {"id": vm}}))
    state = {"code": "PowerState/running"}
    properties = {
        "storageProfile": {"osDisk": {"osType": "Windows" if machine % 3 == 0 else "Linux"}},
        "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"primary": True}}]},
        "extended": {"instanceView": {"powerState": state}},
    }
    rows.append(_row(vm, properties))
