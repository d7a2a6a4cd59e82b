"""Virtual WANs, their hubs, and what stands in hubs."""

from typing import Any

from tests.component.arm_emulator.sdk_types.row import Row, inner, ref, tracked
from tests.support.arm import link_body

N = "Microsoft.Network/"
HUBS = N + "virtualHubs"
HUB = "{net}/virtualHubs/hub{n}"
BY_GROUP = {"list_by_resource_group": ("{rg}",), "list": ()}
IN_HUB: dict[str, Any] = {"path": ("{rg}", "hub1", "{name}"), "missing": "NotFound"}

WIDE_AREA = (
    Row(
        N + "virtualWans",
        "network.virtual_wans",
        tracked(type="Standard"),
        {"properties.type": "Standard"},
        inner(allowBranchToBranchTraffic=False),
        {"properties.allow_branch_to_branch_traffic": False},
        (inner(type="Huge"), "InvalidRequestFormat"),
        lists=BY_GROUP,
        patch="update_tags",
    ),
    Row(
        HUBS,
        "network.virtual_hubs",
        tracked(virtualWan=ref("{net}/virtualWans/wan1"), addressPrefix="10.20{n}.0.0/23"),
        {"properties.routing_state": "Provisioned", "properties.address_prefix": "10.20{n}.0.0/23"},
        inner(hubRoutingPreference="ASPath"),
        {"properties.hub_routing_preference": "ASPath"},
        (inner(addressPrefix="10.8.0.0/23"), "VirtualHubAddressPrefixCannotBeChanged"),
        lists=BY_GROUP,
        needs=("wan1",),
        patch="update_tags",
    ),
    Row(
        HUBS + "/hubVirtualNetworkConnections",
        "network.hub_virtual_network_connections",
        link_body("{net}/virtualNetworks/far{n}"),
        {"properties.remote_virtual_network.id": "{net}/virtualNetworks/far{n}"},
        inner(enableInternetSecurity=True),
        {"properties.enable_internet_security": True},
        (link_body("{net}/virtualNetworks/spoke1"), "RemoteVirtualNetworkCannotBeChanged"),
        lists={"list": ("{rg}", "hub1")},
        needs=("hub1", "far1", "far2", "spoke1"),
        **IN_HUB,
    ),
    Row(
        HUBS + "/hubRouteTables",
        "network.hub_route_tables",
        inner(labels=["l{n}"]),
        {"properties.labels": ["l{n}"]},
        inner(labels=["other"]),
        {"properties.labels": ["other"]},
        (inner(routes=[{"destinationType": "Moon"}]), "InvalidRequestFormat"),
        lists={"list": ("{rg}", "hub1")},
        needs=("hub1",),
        **IN_HUB,
    ),
    Row(
        HUBS + "/routingIntent",
        "network.routing_intent",
        inner(
            routingPolicies=[{"name": "i", "destinations": ["Internet"], "nextHop": "{net}/azureFirewalls/firewall1"}]
        ),
        {"properties.routing_policies.0.destinations": ["Internet"]},
        inner(routingPolicies=[]),
        {"properties.routing_policies": []},
        (
            inner(
                routingPolicies=[{"name": "i", "destinations": ["Moon"], "nextHop": "{net}/azureFirewalls/firewall1"}]
            ),
            "RoutingIntentInvalidDestination",
        ),
        lists={"list": ("{rg}", "hub1")},
        needs=("hub1", "firewall1"),
        names=("intent",),
        **IN_HUB,
    ),
    Row(
        HUBS + "/bgpConnections",
        "network.virtual_hub_bgp_connection",
        inner(
            peerAsn=65010,
            peerIp="10.21.0.{n}",
            hubVirtualNetworkConnection=ref("{net}/virtualHubs/hub1/hubVirtualNetworkConnections/joined1"),
        ),
        {"properties.peer_ip": "10.21.0.{n}", "properties.connection_state": "Connected"},
        inner(peerAsn=65011),
        {"properties.peer_asn": 65011},
        (inner(peerIp=""), "InvalidRequestFormat"),
        lists={"network.virtual_hub_bgp_connections.list": ("{rg}", "hub1")},
        needs=("joined1",),
        **IN_HUB,
    ),
    Row(
        N + "expressRouteGateways",
        "network.express_route_gateways",
        tracked(virtualHub=ref(HUB)),
        {"properties.virtual_hub.id": HUB, "properties.auto_scale_configuration.bounds.min": 1},
        inner(allowNonVirtualWanTraffic=True),
        {"properties.allow_non_virtual_wan_traffic": True},
        (inner(virtualHub=ref("{net}/virtualHubs/none")), "InvalidResourceReference"),
        lists={"list_by_resource_group": ("{rg}",), "list_by_subscription": ()},
        needs=("hub1", "hub2"),
        patch="begin_update_tags",
    ),
    Row(
        N + "vpnGateways",
        "network.vpn_gateways",
        tracked(virtualHub=ref(HUB)),
        {"properties.virtual_hub.id": HUB, "properties.vpn_gateway_scale_unit": 1},
        inner(vpnGatewayScaleUnit=2),
        {"properties.vpn_gateway_scale_unit": 2},
        (inner(virtualHub=ref("{net}/virtualHubs/none")), "InvalidResourceReference"),
        lists=BY_GROUP,
        needs=("hub1", "hub2"),
        patch="begin_update_tags",
    ),
)
