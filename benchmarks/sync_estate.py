"""A hub with a Bastion and spokes that no peering leads to yet, in two subscriptions by turns: five VMs in a spoke.

Each VM has a security group of its own on its NIC, which keeps out SSH from the network unless a rule lets the Bastion in.
"""

from collections.abc import Iterator
from typing import Any, Final

Row = dict[str, Any]

SUBSCRIPTIONS: Final = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b")
REGION: Final = "westeurope"
MACHINES_A_SPOKE: Final = 5
_BASTION_PREFIX: Final = "10.255.0.0/26"


def _id(kind: str, name: str, subscription: str = SUBSCRIPTIONS[0]) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/net/providers/{kind}/{name}"


HUB: Final = _id("Microsoft.Network/virtualNetworks", "hub")
_HOST: Final = _id("Microsoft.Network/bastionHosts", "hub")
_ADDRESS: Final = _id("Microsoft.Network/publicIPAddresses", "hub")


def spoke(number: int) -> str:
    """The ARM id of a spoke."""
    return _id("Microsoft.Network/virtualNetworks", f"spoke-{number}", SUBSCRIPTIONS[number % 2])


def rows(spokes: int) -> Iterator[Row]:
    """The whole estate."""
    for subscription in SUBSCRIPTIONS:
        of_it = {"subscriptionId": subscription}
        yield {
            "id": f"/subscriptions/{subscription}",
            "name": subscription,
            "type": "microsoft.resources/subscriptions",
            **of_it,
        }
        group = f"/subscriptions/{subscription}/resourceGroups/net"
        yield {
            "id": group,
            "name": "net",
            "type": "microsoft.resources/subscriptions/resourcegroups",
            "location": REGION,
        }
    yield _network(HUB, "10.255.0.0/24", "AzureBastionSubnet", _BASTION_PREFIX)
    static = {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4", "ipAddress": "20.1.2.3"}
    yield _row(_ADDRESS, static, sku={"name": "Standard", "tier": "Regional"})
    place = {"subnet": {"id": f"{HUB}/subnets/AzureBastionSubnet"}, "publicIPAddress": {"id": _ADDRESS}}
    host = {
        "dnsName": "bst-hub.bastion.azure.com",
        "scaleUnits": 2,
        "ipConfigurations": [{"name": "ip", "properties": place}],
    }
    yield _row(_HOST, host, sku={"name": "Standard"})
    for number in range(spokes):
        yield from _spoke(number)


def _spoke(number: int) -> Iterator[Row]:
    network, prefix = spoke(number), f"10.{number // 250}.{number % 250}.0/24"
    yield _network(network, prefix, "workload", prefix)
    for place in range(MACHINES_A_SPOKE):
        name, subscription = f"vm-{number}-{place}", SUBSCRIPTIONS[number % 2]
        group = _id("Microsoft.Network/networkSecurityGroups", name, subscription)
        nic = _id("Microsoft.Network/networkInterfaces", name, subscription)
        machine = _id("Microsoft.Compute/virtualMachines", name, subscription)
        yield _row(group, {"securityRules": [_closed(group)]})
        address = prefix.replace(".0/24", f".{place + 4}")
        yield _row(nic, _interface(nic, machine, group, address, f"{network}/subnets/workload"))
        yield _row(machine, _machine(name, nic))


def _row(row_id: str, properties: Row, **columns: Any) -> Row:
    parts = row_id.split("/")
    kind = f"{parts[6]}/{parts[7]}".lower()
    return {"id": row_id, "name": parts[-1], "type": kind, "location": REGION, "properties": properties, **columns}


def _network(network: str, prefix: str, subnet: str, subnet_prefix: str) -> Row:
    below = {"id": f"{network}/subnets/{subnet}", "name": subnet, "properties": {"addressPrefix": subnet_prefix}}
    return _row(network, {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [below]})


def _closed(group: str) -> Row:
    properties = {
        "protocol": "Tcp",
        "sourcePortRange": "*",
        "destinationPortRange": "22",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
        "access": "Deny",
        "priority": 4000,
        "direction": "Inbound",
    }
    return {"id": f"{group}/securityRules/closed", "name": "closed", "properties": properties}


def _interface(nic: str, machine: str, group: str, address: str, subnet: str) -> Row:
    configuration = {
        "primary": True,
        "privateIPAddress": address,
        "privateIPAddressVersion": "IPv4",
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": subnet},
    }
    return {
        "primary": True,
        "ipConfigurations": [{"name": "primary", "id": f"{nic}/ipConfigurations/primary", "properties": configuration}],
        "virtualMachine": {"id": machine},
        "networkSecurityGroup": {"id": group},
    }


def _machine(name: str, nic: str) -> Row:
    return {
        "hardwareProfile": {"vmSize": "Standard_B2s"},
        "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}},
        "osProfile": {"computerName": name},
        "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"primary": True}}]},
        "extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}},
    }
