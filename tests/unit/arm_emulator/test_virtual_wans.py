"""Virtual WANs: hubs, their connections to networks and the links that networks show of them, route tables, next hops."""

import re
from typing import Any

import pytest

from arm_emulator.principals import Assignment, Principal
from tests.support.arm import NET, PUBLIC_IP, Arm, link_body, network_body, subnet_body

WAN = f"{NET}/virtualWans/wan"
HUB = f"{NET}/virtualHubs/hub"
CONNECTION = f"{HUB}/hubVirtualNetworkConnections/c"


def hub_body(prefix: str = "10.100.0.0/23", **properties: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"virtualWan": {"id": WAN}, "addressPrefix": prefix, **properties}}


def connection_body(network: str, **properties: Any) -> dict[str, Any]:
    return {"properties": {"remoteVirtualNetwork": {"id": network}, **properties}}


def prepared() -> tuple[Arm, str]:
    arm = Arm()
    arm.made(WAN, {"location": "westeurope", "properties": {}})
    arm.made(HUB, hub_body())
    return arm, arm.network("v", "10.0.0.0/16", subnets=[{"name": "GatewaySubnet", **subnet_body("10.0.255.0/27")}])


def hub_links(arm: Arm, network: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = arm.get(network).properties["virtualNetworkPeerings"]
    return found


def gateway_in(arm: Arm, network: str) -> str:
    path = f"{NET}/virtualNetworkGateways/gw"
    arm.made(f"{NET}/publicIPAddresses/gw", PUBLIC_IP)
    part = {
        "subnet": {"id": f"{network}/subnets/GatewaySubnet"},
        "publicIPAddress": {"id": f"{NET}/publicIPAddresses/gw"},
    }
    body = {"location": "westeurope", "properties": {"gatewayType": "Vpn", "ipConfigurations": [{"name": "default", "properties": part}]}}  # fmt: skip
    arm.made(path, body)
    return path


def test_a_hub_is_provisioned_with_two_route_tables_and_shows_in_its_wan() -> None:
    arm = Arm()
    arm.made(WAN, {"location": "westeurope", "properties": {}})
    answer = arm.put(HUB, hub_body())
    assert (answer.status, answer.properties["routingState"]) == (201, "Provisioning")
    arm.wait()
    hub = arm.get(HUB).properties
    assert (hub["routingState"], hub["sku"], hub["virtualRouterAsn"], hub["hubRoutingPreference"]) == (
        "Provisioned", "Standard", 65515, "ExpressRoute",
    )  # fmt: skip
    tables = arm.get(f"{HUB}/hubRouteTables").body["value"]
    assert [(table["name"], table["properties"]["labels"]) for table in tables] == [
        ("defaultRouteTable", ["default"]), ("noneRouteTable", ["none"]),
    ]  # fmt: skip
    assert arm.get(WAN).properties["virtualHubs"] == [{"id": HUB}]
    assert arm.get(WAN).properties["type"] == "Standard"
    assert arm.delete(WAN).code == "InUseVirtualWanCannotBeDeleted"
    assert arm.delete(f"{HUB}/hubRouteTables/defaultRouteTable").status == 400


def test_a_connection_makes_a_link_on_the_network_to_a_network_of_microsofts() -> None:
    arm, network = prepared()
    etag = arm.get(network).body["etag"]
    arm.made(CONNECTION, connection_body(network))
    [link] = hub_links(arm, network)
    assert re.fullmatch(r"RemoteVnetToHubPeering_[0-9a-f-]{36}", link["name"])
    shown = link["properties"]
    assert re.search(r"/resourceGroups/RG_hub_[^/]+/providers/Microsoft.Network/virtualNetworks/HV_hub_", shown["remoteVirtualNetwork"]["id"])  # fmt: skip
    assert (shown["peeringState"], shown["useRemoteGateways"]) == ("Connected", True)
    assert shown["remoteAddressSpace"] == {"addressPrefixes": ["10.100.0.0/23"]}
    assert arm.get(network).body["etag"] != etag
    refused = arm.delete(f"{network}/virtualNetworkPeerings/{link['name']}")
    assert (refused.status, refused.code) == (400, "PeeringBelongsToVirtualHubConnection")
    assert arm.delete(network).code == "InUseVirtualNetworkCannotBeDeleted"
    assert arm.delete(HUB).code == "InUseVirtualHubCannotBeDeleted"
    arm.gone(CONNECTION)
    assert hub_links(arm, network) == []
    arm.gone(network)
    arm.gone(HUB)
    arm.gone(WAN)


def test_a_connection_is_associated_with_and_propagates_to_the_default_route_table() -> None:
    arm, network = prepared()
    routing = arm.made(CONNECTION, connection_body(network)).properties["routingConfiguration"]
    table = f"{HUB}/hubRouteTables/defaultRouteTable"
    assert routing["associatedRouteTable"] == {"id": table}
    assert routing["propagatedRouteTables"] == {"labels": ["default"], "ids": [{"id": table}]}
    assert routing["vnetRoutes"]["staticRoutes"] == []
    shown = arm.get(table).properties
    assert (shown["associatedConnections"], shown["propagatingConnections"]) == ([CONNECTION], [CONNECTION])


def test_a_connection_of_its_own_tables_keeps_them_in_use() -> None:
    arm, network = prepared()
    table = f"{HUB}/hubRouteTables/spokes"
    arm.made(table, {"properties": {"labels": ["spokes"]}})
    routing = {"associatedRouteTable": {"id": table}, "propagatedRouteTables": {"ids": [{"id": table}]}}
    arm.made(CONNECTION, connection_body(network, routingConfiguration=routing))
    assert arm.get(f"{HUB}/hubRouteTables/defaultRouteTable").properties["associatedConnections"] == []
    assert arm.delete(table).code == "InUseHubRouteTableCannotBeDeleted"


def test_a_network_is_connected_to_one_hub_only() -> None:
    arm, network = prepared()
    arm.made(CONNECTION, connection_body(network))
    refused = arm.put(f"{HUB}/hubVirtualNetworkConnections/d", connection_body(network))
    assert refused.code == "VirtualNetworkAlreadyConnectedToVirtualHub"


def test_a_network_with_a_gateway_cannot_be_connected_to_a_hub() -> None:
    arm, network = prepared()
    gateway_in(arm, network)
    assert arm.put(CONNECTION, connection_body(network)).code == "VnetHasGatewaysAndUsesRemoteGateways"


def test_a_hub_holds_the_networks_one_use_of_remote_gateways() -> None:
    arm, network = prepared()
    other = arm.network("w", "10.1.0.0/16", subnets=[{"name": "GatewaySubnet", **subnet_body("10.1.255.0/27")}])
    gateway_in(arm, other)
    arm.made(CONNECTION, connection_body(network))
    link = f"{network}/virtualNetworkPeerings/to-w"
    assert arm.put(link, link_body(other, useRemoteGateways=True)).code == "AnotherPeeringUsesRemoteGateways"
    arm.gone(CONNECTION)
    arm.made(link, link_body(other, useRemoteGateways=True))
    assert arm.put(CONNECTION, connection_body(network)).code == "AnotherPeeringUsesRemoteGateways"


def test_connected_networks_overlap_neither_the_hub_nor_each_other() -> None:
    arm, network = prepared()
    arm.made(CONNECTION, connection_body(network))
    inside = arm.network("inside", "10.100.1.0/24")
    assert arm.put(f"{HUB}/hubVirtualNetworkConnections/d", connection_body(inside)).code == "VnetAddressSpacesOverlap"
    twin = arm.network("twin", "10.0.0.0/24")
    refused = arm.put(f"{HUB}/hubVirtualNetworkConnections/d", connection_body(twin))
    assert refused.code == "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"


def test_a_connection_needs_the_right_to_peer_on_the_network() -> None:
    arm, network = prepared()
    arm.add(Principal("hubs", "id", "secret", "object", (Assignment(HUB.lower(), ("*",)),)))
    refused = arm.put(CONNECTION, connection_body(network), by="hubs")
    assert (refused.status, refused.code) == (403, "LinkedAuthorizationFailed")
    assert "Microsoft.Network/virtualNetworks/peer/action" in refused.message


def test_routes_and_routing_intent_name_a_firewall_of_the_hub() -> None:
    arm, _ = prepared()
    firewall = f"{NET}/azureFirewalls/fw"
    found = arm.made(firewall, {"location": "westeurope", "properties": {"virtualHub": {"id": HUB}}}).properties
    assert found["sku"] == {"name": "AZFW_Hub", "tier": "Standard"}
    assert found["hubIPAddresses"]["privateIPAddress"] == "10.100.0.132"
    assert arm.get(HUB).properties["azureFirewall"] == {"id": firewall}
    policy = {"name": "Internet", "destinations": ["Internet"], "nextHop": firewall}
    arm.made(f"{HUB}/routingIntent/hubRoutingIntent", {"properties": {"routingPolicies": [policy]}})
    assert (
        arm.put(f"{HUB}/routingIntent/other", {"properties": {"routingPolicies": []}}).code
        == "RoutingIntentAlreadyExists"
    )
    route = {"name": "r", "destinationType": "CIDR", "destinations": ["0.0.0.0/0"], "nextHopType": "ResourceId", "nextHop": firewall}  # fmt: skip
    arm.made(f"{HUB}/hubRouteTables/t", {"properties": {"routes": [route]}})
    assert arm.delete(firewall).code == "AzureFirewallCannotBeDeletedWhileInUse"
    wrong = {**route, "nextHop": f"{NET}/azureFirewalls/no"}
    assert arm.put(f"{HUB}/hubRouteTables/t", {"properties": {"routes": [wrong]}}).code == "InvalidResourceReference"


def test_gateways_and_bgp_connections_of_a_hub() -> None:
    arm, network = prepared()
    gateway = f"{NET}/expressRouteGateways/er"
    arm.made(gateway, {"location": "westeurope", "properties": {"virtualHub": {"id": HUB}}})
    vpn = f"{NET}/vpnGateways/vpn"
    arm.made(vpn, {"location": "westeurope", "properties": {"virtualHub": {"id": HUB}}})
    hub = arm.get(HUB).properties
    assert (hub["expressRouteGateway"], hub["vpnGateway"]) == ({"id": gateway}, {"id": vpn})
    second = arm.put(f"{gateway}2", {"location": "westeurope", "properties": {"virtualHub": {"id": HUB}}})
    assert second.code == "VirtualHubAlreadyHasGatewayOfThisType"
    arm.made(CONNECTION, connection_body(network))
    peer = {"peerAsn": 65010, "peerIp": "10.0.0.4", "hubVirtualNetworkConnection": {"id": CONNECTION}}
    found = arm.made(f"{HUB}/bgpConnections/b", {"properties": peer}).properties
    assert found["connectionState"] == "Connected"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (hub_body("10.100.0.0/25"), "VirtualHubAddressPrefixTooSmall"),
        (hub_body("10.100.0.1/24"), "InvalidCIDRNotation"),
        (hub_body(virtualWan={"id": f"{NET}/virtualWans/no"}), "InvalidResourceReference"),
        (hub_body(hubRoutingPreference="Fastest"), "InvalidRequestFormat"),
        ({"location": "westeurope", "properties": {"virtualWan": {"id": WAN}}}, "InvalidRequestFormat"),
    ],
)
def test_hubs_that_cannot_be_are_refused(body: dict[str, Any], code: str) -> None:
    arm, _ = prepared()
    answer = arm.put(f"{NET}/virtualHubs/other", body)
    assert (answer.status, answer.code) == (400, code)


def test_a_hubs_prefix_is_fixed_and_a_wan_is_never_downgraded() -> None:
    arm, _ = prepared()
    assert arm.put(HUB, hub_body("10.101.0.0/23")).code == "VirtualHubAddressPrefixCannotBeChanged"
    basic = {"location": "westeurope", "properties": {"type": "Basic"}}
    assert arm.put(WAN, basic).code == "VirtualWanTypeCannotBeDowngraded"


def test_a_group_that_is_deleted_takes_its_hubs_links_off_networks_elsewhere() -> None:
    arm = Arm()
    group = f"{NET.partition('/providers')[0]}2"
    arm.put(group, {"location": "westeurope"})
    there = f"{group}/providers/Microsoft.Network"
    arm.made(f"{there}/virtualWans/wan", {"location": "westeurope", "properties": {}})
    body = {"location": "westeurope", "properties": {"virtualWan": {"id": f"{there}/virtualWans/wan"}, "addressPrefix": "10.9.0.0/24"}}  # fmt: skip
    arm.made(f"{there}/virtualHubs/h", body)
    network = arm.network("v", "10.0.0.0/16")
    arm.made(f"{there}/virtualHubs/h/hubVirtualNetworkConnections/c", connection_body(network))
    assert len(hub_links(arm, network)) == 1
    arm.gone(group)
    assert hub_links(arm, network) == []


def test_estate_rows_of_hubs_and_connections_are_live() -> None:
    network = f"{NET}/virtualNetworks/v"
    arm = Arm(
        estate=[
            {"id": CONNECTION, **connection_body(network)},
            {"id": HUB, **hub_body()},
            {"id": WAN, "location": "westeurope", "properties": {}},
            {"id": network, **network_body("10.0.0.0/16")},
        ]
    )
    assert arm.get(WAN).properties["virtualHubs"] == [{"id": HUB}]
    assert arm.get(HUB).properties["routingState"] == "Provisioned"
    assert [one["name"] for one in arm.get(f"{HUB}/hubVirtualNetworkConnections").body["value"]] == ["c"]
    assert arm.delete(network).code == "InUseVirtualNetworkCannotBeDeleted"
