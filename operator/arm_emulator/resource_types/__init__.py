"""The resource types: one file a subject, the life cycle of all in `arm_emulator.life_cycle`."""

from arm_emulator.resource_types.application_security_groups import ApplicationSecurityGroups
from arm_emulator.resource_types.azure_firewalls import AzureFirewalls
from arm_emulator.resource_types.base import ResourceType
from arm_emulator.resource_types.bastion_hosts import BastionHosts
from arm_emulator.resource_types.ddos_protection_plans import DdosProtectionPlans
from arm_emulator.resource_types.diagnostic_settings import DiagnosticSettings
from arm_emulator.resource_types.generic import GENERIC
from arm_emulator.resource_types.hub_connections import HubConnections
from arm_emulator.resource_types.hub_gateways import ExpressRouteGateways, VpnGateways
from arm_emulator.resource_types.hub_routing import BgpConnections, HubRouteTables, RoutingIntents
from arm_emulator.resource_types.ip_groups import IPGroups
from arm_emulator.resource_types.load_balancers import LoadBalancers
from arm_emulator.resource_types.locks import Locks
from arm_emulator.resource_types.management_groups import ManagementGroups
from arm_emulator.resource_types.manager_configurations import (
    AdminRules,
    ConnectivityConfigurations,
    RuleCollections,
    SecurityAdminConfigurations,
)
from arm_emulator.resource_types.nat_gateways import NatGateways, PublicIPPrefixes
from arm_emulator.resource_types.network_interfaces import NetworkInterfaces
from arm_emulator.resource_types.network_managers import (
    ManagedVirtualNetworks,
    NetworkGroups,
    NetworkManagers,
    StaticMembers,
)
from arm_emulator.resource_types.network_security_groups import NetworkSecurityGroups, SecurityRules
from arm_emulator.resource_types.network_watchers import NetworkWatchers
from arm_emulator.resource_types.peerings import Peerings
from arm_emulator.resource_types.policies import PolicyAssignments, PolicyDefinitions, PolicySetDefinitions
from arm_emulator.resource_types.private_dns import RECORD_SETS, PrivateDnsZones, VirtualNetworkLinks
from arm_emulator.resource_types.private_endpoints import PrivateEndpoints
from arm_emulator.resource_types.public_ip_addresses import PublicIPAddresses
from arm_emulator.resource_types.resource_groups import ResourceGroups
from arm_emulator.resource_types.role_assignments import RoleAssignments
from arm_emulator.resource_types.role_definitions import RoleDefinitions
from arm_emulator.resource_types.route_tables import Routes, RouteTables
from arm_emulator.resource_types.scale_set_instances import ScaleSetInstances, ScaleSetInterfaces
from arm_emulator.resource_types.scale_sets import ScaleSets
from arm_emulator.resource_types.subnets import Subnets
from arm_emulator.resource_types.subscriptions import Subscriptions
from arm_emulator.resource_types.virtual_hubs import VirtualHubs
from arm_emulator.resource_types.virtual_machines import VirtualMachines
from arm_emulator.resource_types.virtual_network_gateways import (
    Connections,
    LocalNetworkGateways,
    VirtualNetworkGateways,
)
from arm_emulator.resource_types.virtual_wans import VirtualWans
from arm_emulator.resource_types.workspaces import Workspaces

TYPES: dict[str, ResourceType] = {
    declared.name.lower(): declared
    for declared in (
        AdminRules(),
        ApplicationSecurityGroups(),
        AzureFirewalls(),
        BastionHosts(),
        BgpConnections(),
        Connections(),
        ConnectivityConfigurations(),
        DdosProtectionPlans(),
        DiagnosticSettings(),
        ExpressRouteGateways(),
        HubConnections(),
        HubRouteTables(),
        IPGroups(),
        LoadBalancers(),
        LocalNetworkGateways(),
        Locks(),
        ManagedVirtualNetworks(),
        ManagementGroups(),
        NatGateways(),
        NetworkGroups(),
        NetworkInterfaces(),
        NetworkManagers(),
        NetworkSecurityGroups(),
        NetworkWatchers(),
        Peerings(),
        PolicyAssignments(),
        PolicyDefinitions(),
        PolicySetDefinitions(),
        PrivateDnsZones(),
        PrivateEndpoints(),
        PublicIPAddresses(),
        PublicIPPrefixes(),
        ResourceGroups(),
        RoleAssignments(),
        RoleDefinitions(),
        RouteTables(),
        Routes(),
        RoutingIntents(),
        RuleCollections(),
        ScaleSetInstances(),
        ScaleSetInterfaces(),
        ScaleSets(),
        SecurityAdminConfigurations(),
        SecurityRules(),
        StaticMembers(),
        Subnets(),
        Subscriptions(),
        VirtualHubs(),
        VirtualMachines(),
        VirtualNetworkGateways(),
        VirtualNetworkLinks(),
        VirtualWans(),
        VpnGateways(),
        Workspaces(),
        *RECORD_SETS,
    )
}


def type_of(name: str) -> ResourceType:
    """The declaration of a type, by its name in any casing; the generic one for those that are not known."""
    return TYPES.get(name.lower(), GENERIC)


def spelt(name: str) -> str:
    """The type's name as Azure spells it."""
    declared = TYPES.get(name.lower())
    return name if declared is None else declared.name
