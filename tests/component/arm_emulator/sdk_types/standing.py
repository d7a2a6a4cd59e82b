"""What the types need to stand on: each is made when the first of them asks for it."""

from tests.component.arm_emulator.sdk_types.row import Standing, inner, ref, tracked
from tests.support.arm import PUBLIC_IP, link_body, network_body, rule_body, subnet_body

V_SUBNETS = [
    {"name": name, **subnet_body(f"10.{{n}}.{position}.0/26")}
    for position, name in enumerate(("s", "AzureBastionSubnet", "GatewaySubnet", "AzureFirewallSubnet"))
]
HUB = "{net}/virtualHubs/hub1"
SCOPES = {"subscriptions": ["{sub}"]}
NO_TABLES = {"if": {"field": "type", "equals": "Microsoft.Network/routeTables"}, "then": {"effect": "deny"}}

STANDING = {
    "v": Standing("network.virtual_networks", network_body("10.{n}.0.0/16", subnets=V_SUBNETS)),
    "far": Standing("network.virtual_networks", network_body("10.1{n}.0.0/16")),
    "spoke": Standing("network.virtual_networks", network_body("10.2{n}.0.0/16")),
    "site-network": Standing(
        "network.virtual_networks",
        network_body("10.3{n}.0.0/16", subnets=[{"name": "GatewaySubnet", **subnet_body("10.3{n}.0.0/26")}]),
    ),
    "address": Standing("network.public_ip_addresses", PUBLIC_IP),
    "gateway-address": Standing("network.public_ip_addresses", PUBLIC_IP),
    "nsg": Standing("network.network_security_groups", tracked(securityRules=[{"name": "ssh", **rule_body(200)}])),
    "table": Standing("network.route_tables", tracked()),
    "nic": Standing(
        "network.network_interfaces",
        tracked(ipConfigurations=[{"name": "c", **inner(subnet=ref("{net}/virtualNetworks/v1/subnets/s"))}]),
        needs=("v1",),
    ),
    "site": Standing("network.local_network_gateways", tracked(gatewayIpAddress="203.0.113.{n}")),
    "gateway": Standing(
        "network.virtual_network_gateways",
        tracked(
            gatewayType="Vpn",
            vpnType="RouteBased",
            ipConfigurations=[
                {
                    "name": "c",
                    **inner(
                        subnet=ref("{net}/virtualNetworks/site-network1/subnets/GatewaySubnet"),
                        publicIPAddress=ref("{net}/publicIPAddresses/gateway-address1"),
                    ),
                }
            ],
        ),
        needs=("site-network1", "gateway-address1"),
    ),
    "wan": Standing("network.virtual_wans", tracked(type="Standard")),
    "hub": Standing(
        "network.virtual_hubs",
        tracked(virtualWan=ref("{net}/virtualWans/wan1"), addressPrefix="10.10{n}.0.0/23"),
        needs=("wan1",),
    ),
    "joined": Standing(
        "network.hub_virtual_network_connections",
        link_body("{net}/virtualNetworks/spoke1"),
        path=("{rg}", "hub1", "{name}"),
        needs=("hub1", "spoke1"),
    ),
    "firewall": Standing("network.azure_firewalls", tracked(virtualHub=ref(HUB)), needs=("hub1",)),
    "manager": Standing(
        "network.network_managers",
        tracked(networkManagerScopes=SCOPES, networkManagerScopeAccesses=["SecurityAdmin", "Connectivity"]),
    ),
    "group": Standing("network.network_groups", inner(), path=("{rg}", "manager1", "{name}"), needs=("manager1",)),
    "configuration": Standing(
        "network.security_admin_configurations", inner(), path=("{rg}", "manager1", "{name}"), needs=("manager1",)
    ),
    "collection": Standing(
        "network.admin_rule_collections",
        inner(appliesToGroups=[{"networkGroupId": "{net}/networkManagers/manager1/networkGroups/group1"}]),
        path=("{rg}", "manager1", "configuration1", "{name}"),
        needs=("configuration1", "group1"),
    ),
    "zone": Standing("dns.private_zones", {"location": "global"}),
    "workspace": Standing("log_analytics.workspaces", tracked()),
    "definition": Standing("policy.policy_definitions", inner(mode="All", policyRule=NO_TABLES), path=("{rg}-{name}",)),
}
