"""Gateways of networks and what peerings make of them; NAT gateways, address prefixes, private endpoints, balancers, firewalls."""

from typing import Any

import pytest

from tests.support.arm import NET, PUBLIC_IP, Arm, link_body, subnet_body

GATEWAY = f"{NET}/virtualNetworkGateways/gw"
ADDRESS = f"{NET}/publicIPAddresses/ip"
LOCAL = f"{NET}/localNetworkGateways/l"
LONDON = {"gatewayIpAddress": "203.0.113.7", "localNetworkAddressSpace": {"addressPrefixes": ["192.168.0.0/16"]}}


def gateway_body(network: str, subnet: str = "GatewaySubnet", kind: str = "Vpn", **properties: Any) -> dict[str, Any]:
    part = {"subnet": {"id": f"{network}/subnets/{subnet}"}, "publicIPAddress": {"id": ADDRESS}}
    return {
        "location": "westeurope",
        "properties": {
            "gatewayType": kind,
            "ipConfigurations": [{"name": "default", "properties": part}],
            **properties,
        },
    }


def prepared() -> tuple[Arm, str]:
    arm = Arm()
    subnets = [{"name": "GatewaySubnet", **subnet_body("10.0.255.0/27")}, {"name": "s", **subnet_body("10.0.0.0/24")}]
    hub = arm.network("hub", "10.0.0.0/16", subnets=subnets)
    arm.made(ADDRESS, PUBLIC_IP)
    return arm, hub


def local(**properties: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": properties}


def test_a_gateway_stands_in_gatewaysubnet_with_a_public_ip() -> None:
    arm, hub = prepared()
    found = arm.made(GATEWAY, gateway_body(hub)).properties
    assert (found["vpnType"], found["sku"]["name"], found["bgpSettings"]["asn"]) == ("RouteBased", "VpnGw1", 65515)
    assert found["ipConfigurations"][0]["id"] == f"{GATEWAY}/ipConfigurations/default"
    assert arm.get(ADDRESS).properties["ipConfiguration"]["id"] == f"{GATEWAY}/ipConfigurations/default"
    assert arm.delete(f"{hub}/subnets/GatewaySubnet").code == "InUseSubnetCannotBeDeleted"
    assert arm.delete(ADDRESS).code == "PublicIPAddressCannotBeDeleted"
    arm.gone(GATEWAY)
    arm.gone(ADDRESS)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda hub: gateway_body(hub, "s"), "SubnetNameMustBeGatewaySubnet"),
        (lambda hub: gateway_body(hub, "no"), "InvalidResourceReference"),
        (lambda hub: gateway_body(hub, kind="Magic"), "InvalidRequestFormat"),
        (lambda hub: gateway_body(hub, ipConfigurations=[]), "InvalidRequestFormat"),
    ],
)
def test_gateways_that_cannot_be_are_refused(body: Any, code: str) -> None:
    arm, hub = prepared()
    answer = arm.put(GATEWAY, body(hub))
    assert (answer.status, answer.code) == (400, code)


def test_a_network_has_one_gateway_of_a_type() -> None:
    arm, hub = prepared()
    arm.made(GATEWAY, gateway_body(hub))
    second = gateway_body(hub)
    del second["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"]
    assert arm.put(f"{GATEWAY}2", second).code == "VirtualNetworkAlreadyHasGatewayOfThisType"
    second["properties"]["gatewayType"] = "ExpressRoute"
    arm.made(f"{GATEWAY}2", second)


def test_a_link_uses_remote_gateways_only_where_there_is_one_that_is_lent() -> None:
    arm, hub = prepared()
    spoke = arm.network("spoke", "10.1.0.0/16")
    to_hub, to_spoke = f"{spoke}/virtualNetworkPeerings/to-hub", f"{hub}/virtualNetworkPeerings/to-spoke"
    wanted = link_body(hub, useRemoteGateways=True)
    assert arm.put(to_hub, wanted).code == "RemoteVnetHasNoGateways"
    arm.made(GATEWAY, gateway_body(hub))
    arm.made(to_spoke, link_body(spoke))
    refused = arm.put(to_hub, wanted)
    assert (refused.status, refused.code) == (400, "RemotePeeringDoesNotAllowGatewayTransit")
    arm.made(to_spoke, link_body(spoke, allowGatewayTransit=True))
    arm.made(to_hub, wanted)
    assert arm.put(to_spoke, link_body(spoke, allowGatewayTransit=False)).code == "RemotePeeringUsesRemoteGateways"
    assert arm.delete(GATEWAY).code == "VirtualNetworkGatewayCannotBeDeleted"


def test_a_network_with_a_gateway_does_not_use_anothers() -> None:
    arm, hub = prepared()
    spoke = arm.network("spoke", "10.1.0.0/16")
    arm.made(GATEWAY, gateway_body(hub))
    refused = arm.put(f"{hub}/virtualNetworkPeerings/p", link_body(spoke, useRemoteGateways=True, doNotVerifyRemoteGateways=True))  # fmt: skip
    assert refused.code == "VnetHasGatewaysAndUsesRemoteGateways"


def test_a_network_uses_the_gateways_of_one_peer_only() -> None:
    arm, hub = prepared()
    arm.made(GATEWAY, gateway_body(hub))
    other = arm.network("other", "10.2.0.0/16")
    spoke = arm.network("spoke", "10.1.0.0/16")
    arm.made(f"{spoke}/virtualNetworkPeerings/a", link_body(hub, useRemoteGateways=True))
    flags = {"useRemoteGateways": True, "doNotVerifyRemoteGateways": True}
    assert (
        arm.put(f"{spoke}/virtualNetworkPeerings/b", link_body(other, **flags)).code
        == "AnotherPeeringUsesRemoteGateways"
    )


def test_a_network_that_uses_remote_gateways_gets_none_of_its_own() -> None:
    arm, hub = prepared()
    other = arm.network("other", "10.2.0.0/16")
    flags = {"useRemoteGateways": True, "doNotVerifyRemoteGateways": True}
    arm.made(f"{hub}/virtualNetworkPeerings/b", link_body(other, **flags))
    assert arm.put(GATEWAY, gateway_body(hub)).code == "VnetHasGatewaysAndUsesRemoteGateways"


def test_a_connection_joins_two_gateways_keeps_them_and_never_answers_its_key() -> None:
    arm, hub = prepared()
    arm.made(GATEWAY, gateway_body(hub))
    arm.made(LOCAL, local(**LONDON))
    path = f"{NET}/connections/c"
    ends = {"virtualNetworkGateway1": {"id": GATEWAY, "properties": {}}, "localNetworkGateway2": {"id": LOCAL}}
    found = arm.made(path, local(connectionType="IPsec", sharedKey="hidden", **ends))
    assert "hidden" not in str(found.body)
    assert found.properties["virtualNetworkGateway1"] == {"id": GATEWAY}
    assert found.properties["connectionStatus"] == "Unknown"
    assert arm.delete(GATEWAY).code == "VirtualNetworkGatewayCannotBeDeleted"
    assert arm.delete(LOCAL).code == "LocalNetworkGatewayCannotBeDeleted"
    assert arm.put(f"{path}2", local(connectionType="IPsec", virtualNetworkGateway1={"id": GATEWAY})).status == 400
    for one in (path, GATEWAY, LOCAL):
        arm.gone(one)


def test_a_nat_gateway_shows_its_subnets_and_holds_its_addresses() -> None:
    arm, hub = prepared()
    gateway, prefix = f"{NET}/natGateways/n", f"{NET}/publicIPPrefixes/p"
    found = arm.made(prefix, {"location": "westeurope", "properties": {"prefixLength": 30}}).properties
    assert found["ipPrefix"].endswith("/30")
    body = {
        "location": "westeurope",
        "sku": {"name": "Standard"},
        "properties": {"publicIpAddresses": [{"id": ADDRESS}], "publicIpPrefixes": [{"id": prefix}]},
    }
    arm.made(gateway, body)
    arm.made(f"{hub}/subnets/s", subnet_body("10.0.0.0/24", natGateway={"id": gateway}))
    assert arm.get(gateway).properties["subnets"] == [{"id": f"{hub}/subnets/s"}]
    assert arm.get(ADDRESS).properties["natGateway"] == {"id": gateway}
    assert arm.get(prefix).properties["natGateway"] == {"id": gateway}
    assert arm.delete(gateway).code == "InUseNatGatewayCannotBeDeleted"
    assert arm.delete(ADDRESS).code == "PublicIPAddressCannotBeDeleted"
    assert arm.delete(prefix).code == "InUsePublicIPPrefixCannotBeDeleted"
    assert arm.put(GATEWAY, gateway_body(hub)).code == "PublicIPAddressInUse"


def test_a_subnet_names_a_nat_gateway_that_exists() -> None:
    arm, hub = prepared()
    body = subnet_body("10.0.0.0/24", natGateway={"id": f"{NET}/natGateways/no"})
    assert arm.put(f"{hub}/subnets/s", body).code == "InvalidResourceReference"


def test_addresses_come_from_a_prefix_and_hold_it() -> None:
    arm, _ = prepared()
    prefix = f"{NET}/publicIPPrefixes/p"
    arm.made(prefix, {"location": "westeurope", "properties": {"prefixLength": 28}})
    address = {**PUBLIC_IP, "properties": {**PUBLIC_IP["properties"], "publicIPPrefix": {"id": prefix}}}
    arm.made(f"{ADDRESS}2", address)
    assert arm.get(prefix).properties["publicIPAddresses"] == [{"id": f"{ADDRESS}2"}]
    assert arm.delete(prefix).code == "InUsePublicIPPrefixCannotBeDeleted"
    assert arm.put(f"{prefix}2", {"location": "westeurope", "properties": {"prefixLength": 20}}).status == 400


def test_a_private_endpoint_has_an_interface_in_its_subnet() -> None:
    arm, hub = prepared()
    path, subnet = f"{NET}/privateEndpoints/e", f"{hub}/subnets/s"
    connection = {"name": "c", "properties": {"privateLinkServiceId": f"{NET}/x/y", "groupIds": ["blob"]}}
    found = arm.made(path, local(subnet={"id": subnet}, privateLinkServiceConnections=[connection])).properties
    [shown] = found["privateLinkServiceConnections"]
    assert shown["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    nic = found["networkInterfaces"][0]["id"]
    interface = arm.get(nic).properties
    assert interface["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.0.4"
    assert interface["privateEndpoint"] == {"id": path}
    shown_subnet = arm.get(subnet).properties
    assert (shown_subnet["privateEndpoints"], shown_subnet["purpose"]) == ([{"id": path}], "PrivateEndpoints")
    assert arm.delete(nic).code == "NicInUseWithPrivateEndpoint"
    assert arm.delete(subnet).code == "InUseSubnetCannotBeDeleted"
    arm.gone(path)
    assert arm.get(nic).status == 404
    arm.gone(subnet)


def test_a_private_endpoint_takes_no_interface_that_stands() -> None:
    arm, hub = prepared()
    path, subnet, nic = f"{NET}/privateEndpoints/e", f"{hub}/subnets/s", f"{NET}/networkInterfaces/nic"
    part = {"name": "c", "properties": {"subnet": {"id": subnet}}}
    before = arm.made(nic, local(ipConfigurations=[part])).body
    connection = {"name": "c", "properties": {"privateLinkServiceId": f"{NET}/x/y", "groupIds": ["blob"]}}
    wanted = {"subnet": {"id": subnet}, "privateLinkServiceConnections": [connection]}
    answer = arm.put(path, local(customNetworkInterfaceName="NIC", **wanted))
    assert (answer.status, answer.code) == (400, "PrivateEndpointNetworkInterfaceNameInUse")
    assert arm.get(nic).body == before
    for _ in range(2):
        arm.made(path, local(customNetworkInterfaceName="own", **wanted))
    assert arm.get(path).properties["networkInterfaces"] == [{"id": f"{NET}/networkInterfaces/own"}]


def test_a_load_balancer_answers_its_parts_and_takes_an_address() -> None:
    arm, hub = prepared()
    path = f"{NET}/loadBalancers/lb"
    body = local(
        frontendIPConfigurations=[{"name": "f", "properties": {"subnet": {"id": f"{hub}/subnets/s"}}}],
        backendAddressPools=[{"name": "pool"}],
    )
    found = arm.made(path, {**body, "sku": {"name": "Standard"}}).properties
    assert found["frontendIPConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.0.4"
    pool = arm.get(f"{path}/backendAddressPools/pool").body
    assert pool["id"] == f"{path}/backendAddressPools/pool"
    part = {"name": "c", "properties": {"subnet": {"id": f"{hub}/subnets/s"}}}
    nic = arm.made(f"{NET}/networkInterfaces/nic", local(ipConfigurations=[part])).properties
    assert nic["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.0.5"
    again = arm.made(path, {**body, "sku": {"name": "Standard"}}).properties
    assert again["frontendIPConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.0.4"


def test_a_firewall_in_a_network_stands_in_a_subnet_of_its_name() -> None:
    arm, hub = prepared()
    arm.made(f"{hub}/subnets/AzureFirewallSubnet", subnet_body("10.0.1.0/26"))
    path = f"{NET}/azureFirewalls/fw"

    def body(subnet: str) -> dict[str, Any]:
        part = {"subnet": {"id": f"{hub}/subnets/{subnet}"}, "publicIPAddress": {"id": ADDRESS}}
        return local(ipConfigurations=[{"name": "c", "properties": part}])

    assert arm.put(path, body("s")).code == "SubnetNameMustBeAzureFirewallSubnet"
    found = arm.made(path, body("AzureFirewallSubnet")).properties
    assert found["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.0.1.4"
    assert found["sku"]["name"] == "AZFW_VNet"
