"""Which of ARM's resource types a plan is read for: those that verdicts are made of, those that no verdict hangs on, the rest."""

import re
from typing import Final

from bastion_operator.network.resource_types import (
    BASTION_HOSTS,
    GATEWAY_CONNECTIONS,
    GATEWAYS,
    HUB_CONNECTIONS,
    HUB_ROUTE_TABLES,
    LOCAL_GATEWAYS,
    NETWORK_INTERFACES,
    PEERINGS,
    PRIVATE_ZONE_LINKS,
    PUBLIC_IPS,
    ROUTE_TABLES,
    ROUTES,
    ROUTING_INTENTS,
    SECURITY_GROUPS,
    SECURITY_RULES,
    SUBNETS,
    VIRTUAL_HUBS,
    VIRTUAL_MACHINES,
    VIRTUAL_NETWORKS,
)

UNDERSTOOD: Final = frozenset(
    {
        BASTION_HOSTS,
        GATEWAYS,
        GATEWAY_CONNECTIONS,
        HUB_CONNECTIONS,
        HUB_ROUTE_TABLES,
        LOCAL_GATEWAYS,
        NETWORK_INTERFACES,
        PEERINGS,
        PRIVATE_ZONE_LINKS,
        PUBLIC_IPS,
        ROUTES,
        ROUTE_TABLES,
        ROUTING_INTENTS,
        SECURITY_GROUPS,
        SECURITY_RULES,
        SUBNETS,
        VIRTUAL_HUBS,
        VIRTUAL_MACHINES,
        VIRTUAL_NETWORKS,
    }
)
_REACHING: Final = re.compile(
    "microsoft.(network|compute|desktopvirtualization)/.*|microsoft.authorization/policy(assignments|exemptions)"
    "|microsoft.resources/deployment(s|stacks|scripts)|microsoft.security/.*"
)
_IDLE: Final = re.compile(
    "microsoft.network/(applicationsecuritygroups|natgateways|loadbalancers(/.*)?|publicipprefixes|ddosprotectionplans"
    "|networkwatchers(/.*)?|dnszones(/.*)?|privatednszones(/(a|aaaa|cname|mx|ptr|srv|txt))?|privateendpoints(/.*)?"
    "|applicationgateways|frontdoors(/.*)?|trafficmanagerprofiles|ipgroups)"
    "|microsoft.compute/(disks|snapshots|images|galleries(/.*)?|availabilitysets|proximityplacementgroups|sshpublickeys"
    "|virtualmachines/extensions|diskencryptionsets)"
)


def harmless(resource_type: str) -> bool:
    """Whether no verdict hangs on resources of this type."""
    kind = resource_type.lower()
    return _IDLE.fullmatch(kind) is not None or _REACHING.fullmatch(kind) is None
