"""The types of Azure Virtual Network Manager and of the rows that it leaves on virtual networks."""

MANAGERS = "Microsoft.Network/networkManagers"
GROUPS = f"{MANAGERS}/networkGroups"
STATIC_MEMBERS = f"{GROUPS}/staticMembers"
ADMIN_CONFIGURATIONS = f"{MANAGERS}/securityAdminConfigurations"
RULE_COLLECTIONS = f"{ADMIN_CONFIGURATIONS}/ruleCollections"
ADMIN_RULES = f"{RULE_COLLECTIONS}/rules"
CONNECTIVITY_CONFIGURATIONS = f"{MANAGERS}/connectivityConfigurations"
NETWORKS = "Microsoft.Network/virtualNetworks"

SECURITY, CONNECTIVITY = "SecurityAdmin", "Connectivity"
CONFIGURATIONS = {SECURITY: ADMIN_CONFIGURATIONS, CONNECTIVITY: CONNECTIVITY_CONFIGURATIONS}
EFFECTIVE = {SECURITY: "effectiveSecurityAdminRules", CONNECTIVITY: "effectiveConnectivityConfigurations"}
LISTED = {SECURITY: "effectiveSecurityAdminConfigurations", CONNECTIVITY: "effectiveConnectivityConfigurations"}
GOAL_STATES = {SECURITY: "securityAdminRegionalGoalStates", CONNECTIVITY: "connectivityRegionalGoalStates"}
MEMBERSHIPS = "networkGroupMemberships"
PEERING_PREFIX = "ANM_"
MANAGED = "_managed"
"""Marks what deployments have made, so that they take back nothing that an estate file brought along."""
