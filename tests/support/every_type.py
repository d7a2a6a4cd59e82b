"""Something of each type of the virtual network family, in the order in which it can be made."""

from typing import Any

from arm_emulator.resource_types.versions import versions_of
from tests.support.arm import (
    NET,
    PUBLIC_IP,
    RG,
    Arm,
    bastion_body,
    link_body,
    network_body,
    rule_body,
    subnet_body,
)

COMPUTE_RG = f"{RG}/providers/Microsoft.Compute"
VNET = f"{NET}/virtualNetworks/v"
SUBNET = f"{VNET}/subnets/s"
HUB = f"{NET}/virtualHubs/h"
ZONE = f"{NET}/privateDnsZones/z.internal"
PLACED = {"location": "westeurope"}
GLOBAL = {"location": "global"}


def at(**properties: Any) -> dict[str, Any]:
    return {**PLACED, "properties": properties}


def part(subnet: str, **extra: Any) -> list[dict[str, Any]]:
    return [{"name": "c", "properties": {"subnet": {"id": subnet}, **extra}}]


PROFILE = {"networkProfile": {"networkInterfaceConfigurations": [{"name": "n", "properties": {"ipConfigurations": part(SUBNET)}}]}}  # fmt: skip
SUBNETS = [
    {"name": "s", **subnet_body("10.0.0.0/24")},
    {"name": "GatewaySubnet", **subnet_body("10.0.1.0/27")},
    {"name": "AzureBastionSubnet", **subnet_body("10.0.2.0/26")},
    {"name": "AzureFirewallSubnet", **subnet_body("10.0.3.0/26")},
]
GATEWAY_PART = part(f"{VNET}/subnets/GatewaySubnet", publicIPAddress={"id": f"{NET}/publicIPAddresses/gw"})
FIREWALL_PART = part(f"{VNET}/subnets/AzureFirewallSubnet", publicIPAddress={"id": f"{NET}/publicIPAddresses/fw"})
BODIES: dict[str, dict[str, Any]] = {
    VNET: network_body("10.0.0.0/16", subnets=SUBNETS),
    f"{NET}/virtualNetworks/w": network_body("10.1.0.0/16"),
    f"{VNET}/virtualNetworkPeerings/p": link_body(f"{NET}/virtualNetworks/w"),
    f"{NET}/publicIPAddresses/ip": PUBLIC_IP,
    f"{NET}/publicIPAddresses/gw": PUBLIC_IP,
    f"{NET}/publicIPAddresses/fw": PUBLIC_IP,
    f"{NET}/publicIPPrefixes/p": at(prefixLength=30),
    f"{NET}/networkSecurityGroups/n": PLACED,
    f"{NET}/networkSecurityGroups/n/securityRules/r": rule_body(200),
    f"{NET}/routeTables/t": PLACED,
    f"{NET}/routeTables/t/routes/r": {"properties": {"addressPrefix": "10.9.0.0/16", "nextHopType": "None"}},
    f"{NET}/applicationSecurityGroups/a": PLACED,
    f"{NET}/networkInterfaces/nic": at(ipConfigurations=part(SUBNET)),
    f"{NET}/bastionHosts/b": bastion_body(f"{VNET}/subnets/AzureBastionSubnet", f"{NET}/publicIPAddresses/ip"),
    f"{NET}/virtualNetworkGateways/gw": at(gatewayType="Vpn", ipConfigurations=GATEWAY_PART),
    f"{NET}/localNetworkGateways/l": at(gatewayIpAddress="203.0.113.7"),
    f"{NET}/connections/c": at(connectionType="IPsec", virtualNetworkGateway1={"id": f"{NET}/virtualNetworkGateways/gw"}, localNetworkGateway2={"id": f"{NET}/localNetworkGateways/l"}),
    f"{NET}/natGateways/n": at(publicIpPrefixes=[{"id": f"{NET}/publicIPPrefixes/p"}]),
    f"{NET}/privateEndpoints/e": at(subnet={"id": SUBNET}, privateLinkServiceConnections=[{"name": "c", "properties": {"privateLinkServiceId": "/x"}}]),
    f"{NET}/loadBalancers/lb": at(frontendIPConfigurations=part(SUBNET)),
    f"{NET}/ddosProtectionPlans/d": PLACED,
    f"{NET}/ipGroups/g": at(ipAddresses=["10.0.0.0/8"]),
    f"{NET}/azureFirewalls/f": at(ipConfigurations=FIREWALL_PART),
    f"{NET}/virtualWans/w": at(),
    HUB: at(virtualWan={"id": f"{NET}/virtualWans/w"}, addressPrefix="10.100.0.0/24"),
    f"{HUB}/hubRouteTables/t": {"properties": {"labels": ["t"]}},
    f"{HUB}/hubVirtualNetworkConnections/c": link_body(f"{NET}/virtualNetworks/w"),
    f"{HUB}/bgpConnections/b": {"properties": {"peerAsn": 65010, "peerIp": "10.1.0.4"}},
    f"{HUB}/routingIntent/i": {"properties": {"routingPolicies": []}},
    f"{NET}/expressRouteGateways/er": at(virtualHub={"id": HUB}),
    f"{NET}/vpnGateways/v": at(virtualHub={"id": HUB}),
    ZONE: GLOBAL,
    f"{ZONE}/virtualNetworkLinks/l": {**GLOBAL, "properties": {"virtualNetwork": {"id": VNET}}},
    f"{ZONE}/A/www": {"properties": {"aRecords": [{"ipv4Address": "10.0.0.4"}]}},
    f"{COMPUTE_RG}/virtualMachines/vm": at(networkProfile={"networkInterfaces": [{"id": f"{NET}/networkInterfaces/nic"}]}),
    f"{COMPUTE_RG}/virtualMachineScaleSets/s": {**at(virtualMachineProfile=PROFILE), "sku": {"name": "S", "capacity": 1}},
}  # fmt: skip
PATHS = [*BODIES, SUBNET, f"{COMPUTE_RG}/virtualMachineScaleSets/s/virtualMachines/0"]
TRACKED = [path for path in PATHS if "location" in BODIES.get(path, {}) or path.endswith("/virtualMachines/0")]
UNLISTED = ("/virtualNetworkLinks/", "/virtualMachineScaleSets/s/virtualMachines/")


def type_in(path: str) -> str:
    namespace, *segments = path.rpartition("/providers/")[2].split("/")
    return "/".join([namespace, *segments[::2]])


def version_of(path: str) -> str:
    return versions_of(type_in(path))[0]


def stocked() -> Arm:
    """An Azure with something of each type."""
    arm = Arm(quota=50)
    for path, body in BODIES.items():
        answer = arm.put(path, body, version=version_of(path))
        assert answer.status in (201, 202), (path, answer.body)
        arm.wait()
    return arm
