"""Network managers, their groups and their configurations."""

from typing import Any

from tests.component.arm_emulator.sdk_types.row import Row, inner, tracked

MANAGERS = "Microsoft.Network/networkManagers"
ADMIN = MANAGERS + "/securityAdminConfigurations"
GROUP = "{net}/networkManagers/manager1/networkGroups/group1"
IN_MANAGER: dict[str, Any] = {
    "path": ("{rg}", "manager1", "{name}"),
    "lists": {"list": ("{rg}", "manager1")},
    "missing": "NotFound",
}
APPLIED = inner(appliesToGroups=[{"networkGroupId": GROUP}])
HUBS = [{"resourceId": "{net}/virtualNetworks/v1", "resourceType": "Microsoft.Network/virtualNetworks"}]

NETWORK_MANAGERS = (
    Row(
        MANAGERS,
        "network.network_managers",
        tracked(networkManagerScopes={"subscriptions": ["{sub}"]}, networkManagerScopeAccesses=["SecurityAdmin"]),
        {"properties.network_manager_scopes.subscriptions": ["{sub}"]},
        inner(description="mine"),
        {"properties.description": "mine"},
        (inner(networkManagerScopeAccesses=["Everything"]), "InvalidNetworkManagerScopeAccess"),
        lists={"list": ("{rg}",), "list_by_subscription": ()},
        patch="patch",
    ),
    Row(
        MANAGERS + "/networkGroups",
        "network.network_groups",
        inner(),
        {"properties.member_type": "VirtualNetwork"},
        inner(description="mine"),
        {"properties.description": "mine"},
        (inner(memberType="Machine"), "InvalidMemberType"),
        needs=("manager1",),
        **IN_MANAGER,
    ),
    Row(
        MANAGERS + "/networkGroups/staticMembers",
        "network.static_members",
        inner(resourceId="{net}/virtualNetworks/v{n}"),
        {"properties.resource_id": "{net}/virtualNetworks/v{n}", "properties.region": "westeurope"},
        refused=(inner(resourceId="{net}/virtualNetworks/none"), "InvalidResourceReference"),
        path=("{rg}", "manager1", "group1", "{name}"),
        lists={"list": ("{rg}", "manager1", "group1")},
        needs=("group1", "v1", "v2"),
        missing="NotFound",
    ),
    Row(
        ADMIN,
        "network.security_admin_configurations",
        inner(description="{name}"),
        {"properties.description": "{name}"},
        inner(applyOnNetworkIntentPolicyBasedServices=["All"]),
        {"properties.apply_on_network_intent_policy_based_services": ["All"]},
        (inner(applyOnNetworkIntentPolicyBasedServices=["Some"]), "InvalidParameter"),
        needs=("manager1",),
        **IN_MANAGER,
    ),
    Row(
        ADMIN + "/ruleCollections",
        "network.admin_rule_collections",
        APPLIED,
        {"properties.applies_to_groups.0.network_group_id": GROUP},
        inner(description="mine"),
        {"properties.description": "mine"},
        (inner(appliesToGroups=[{"networkGroupId": GROUP + "none"}]), "InvalidResourceReference"),
        path=("{rg}", "manager1", "configuration1", "{name}"),
        lists={"list": ("{rg}", "manager1", "configuration1")},
        needs=("configuration1", "group1"),
        missing="NotFound",
    ),
    Row(
        ADMIN + "/ruleCollections/rules",
        "network.admin_rules",
        {
            "kind": "Custom",
            **inner(access="Deny", direction="Inbound", protocol="Tcp", priority=10, destinationPortRanges=["3389"]),
        },
        {"kind": "Custom", "properties.access": "Deny", "properties.source_port_ranges": ["0-65535"]},
        inner(access="AlwaysAllow"),
        {"properties.access": "AlwaysAllow"},
        (inner(priority=0), "InvalidParameter"),
        path=("{rg}", "manager1", "configuration1", "collection1", "{name}"),
        lists={"list": ("{rg}", "manager1", "configuration1", "collection1")},
        needs=("collection1",),
        missing="NotFound",
    ),
    Row(
        MANAGERS + "/connectivityConfigurations",
        "network.connectivity_configurations",
        {**APPLIED, **inner(**APPLIED["properties"], connectivityTopology="HubAndSpoke", hubs=HUBS)},
        {"properties.connectivity_topology": "HubAndSpoke", "properties.applies_to_groups.0.use_hub_gateway": "False"},
        inner(deleteExistingPeering="True"),
        {"properties.delete_existing_peering": "True"},
        (inner(connectivityTopology="Star"), "InvalidParameter"),
        needs=("group1", "v1"),
        **IN_MANAGER,
    ),
)
