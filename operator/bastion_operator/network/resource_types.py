"""The resource types that verdicts are made of, lower-cased as Resource Graph has them, and where each is read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BASTION_HOSTS: Final = "microsoft.network/bastionhosts"
GATEWAYS: Final = "microsoft.network/virtualnetworkgateways"
GATEWAY_CONNECTIONS: Final = "microsoft.network/connections"
HUB_CONNECTIONS: Final = "microsoft.network/virtualhubs/hubvirtualnetworkconnections"
HUB_ROUTE_TABLES: Final = "microsoft.network/virtualhubs/hubroutetables"
JIT_POLICIES: Final = "microsoft.security/locations/jitnetworkaccesspolicies"
LOCAL_GATEWAYS: Final = "microsoft.network/localnetworkgateways"
NETWORK_INTERFACES: Final = "microsoft.network/networkinterfaces"
PEERINGS: Final = "microsoft.network/virtualnetworks/virtualnetworkpeerings"
PRIVATE_ZONE_LINKS: Final = "microsoft.network/privatednszones/virtualnetworklinks"
PUBLIC_IPS: Final = "microsoft.network/publicipaddresses"
RESOURCE_GROUPS: Final = "microsoft.resources/subscriptions/resourcegroups"
ROUTES: Final = "microsoft.network/routetables/routes"
ROUTE_TABLES: Final = "microsoft.network/routetables"
ROUTING_INTENTS: Final = "microsoft.network/virtualhubs/routingintent"
ROLE_ASSIGNMENTS: Final = "microsoft.authorization/roleassignments"
ROLE_DEFINITIONS: Final = "microsoft.authorization/roledefinitions"
SCALE_SETS: Final = "microsoft.compute/virtualmachinescalesets"
SCALE_SET_INTERFACES: Final = "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces"
SCALE_SET_MACHINES: Final = "microsoft.compute/virtualmachinescalesets/virtualmachines"
SECURITY_GROUPS: Final = "microsoft.network/networksecuritygroups"
SECURITY_RULES: Final = "microsoft.network/networksecuritygroups/securityrules"
SESSION_HOSTS: Final = "microsoft.desktopvirtualization/hostpools/sessionhosts"
SUBNETS: Final = "microsoft.network/virtualnetworks/subnets"
SUBSCRIPTIONS: Final = "microsoft.resources/subscriptions"
VIRTUAL_HUBS: Final = "microsoft.network/virtualhubs"
VIRTUAL_MACHINES: Final = "microsoft.compute/virtualmachines"
VM_EXTENSIONS: Final = "microsoft.compute/virtualmachines/extensions"
VIRTUAL_NETWORKS: Final = "microsoft.network/virtualnetworks"
EFFECTIVE_RULES: Final = "microsoft.network/effectivesecurityadminrules"
EFFECTIVE_CONNECTIVITY: Final = "microsoft.network/effectiveconnectivityconfigurations"
ADMIN_RULE_SNAPSHOTS: Final = (
    "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules/snapshots"
)
ADMIN_COLLECTION_SNAPSHOTS: Final = (
    "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/snapshots"
)
ADMIN_SNAPSHOTS: Final = "microsoft.network/networkmanagers/securityadminconfigurations/snapshots"
CONNECTIVITY_SNAPSHOTS: Final = "microsoft.network/networkmanagers/connectivityconfigurations/snapshots"
GROUP_MEMBERSHIPS: Final = "microsoft.network/networkgroupmemberships"

GRAPH_TABLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "resources": (
            BASTION_HOSTS,
            VIRTUAL_NETWORKS,
            NETWORK_INTERFACES,
            SECURITY_GROUPS,
            ROUTE_TABLES,
            PUBLIC_IPS,
            VIRTUAL_MACHINES,
            SCALE_SETS,
            VIRTUAL_HUBS,
            GATEWAYS,
            LOCAL_GATEWAYS,
            GATEWAY_CONNECTIONS,
            PRIVATE_ZONE_LINKS,
            SESSION_HOSTS,
        ),
        "networkresources": (
            EFFECTIVE_RULES,
            EFFECTIVE_CONNECTIVITY,
            ADMIN_RULE_SNAPSHOTS,
            ADMIN_COLLECTION_SNAPSHOTS,
            ADMIN_SNAPSHOTS,
            CONNECTIVITY_SNAPSHOTS,
            GROUP_MEMBERSHIPS,
        ),
        "computeresources": (SCALE_SET_MACHINES, SCALE_SET_INTERFACES),
    }
)
"""The types that Resource Graph holds, by table. Subnets, peerings and rules lie in their parents' rows."""
