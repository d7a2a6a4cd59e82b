"""api-versions that each type takes: every stable one since November 2023, and the older ones that clients still send.

A row is of a type and of what is below it, or of a namespace. Its comment says where the versions were found: the folders
below `stable` and `preview` of Azure/azure-rest-api-specs (specification/…), what azure-mgmt-* packages and `az` 2.91 send, and
ARM's own messages in public reports, which list what a type takes.
"""

from collections.abc import Mapping, Sequence

_NETWORK = (
    "2026-03-01", "2026-01-01", "2025-09-01", "2025-07-01", "2025-05-01", "2025-03-01", "2025-01-01", "2024-10-01",
    "2024-07-01", "2024-05-01", "2024-03-01", "2024-01-01", "2023-11-01", "2023-09-01", "2023-06-01", "2023-05-01",
    "2023-04-01", "2023-02-01", "2022-11-01", "2022-09-01", "2022-07-01", "2022-05-01", "2022-01-01", "2021-12-01",
    "2021-08-01", "2021-06-01", "2021-05-01", "2021-03-01", "2021-02-01", "2021-01-01", "2020-11-01",
)  # fmt: skip
_ROLE_DEFINITIONS = (
    "2022-05-01-preview", "2022-04-01", "2018-07-01", "2018-01-01-preview", "2015-07-01",
)  # fmt: skip
_POLICY_DEFINITIONS = (
    "2026-06-01", "2025-11-01", "2025-03-01", "2025-01-01", "2024-05-01", "2023-04-01", "2021-06-01", "2020-09-01",
    "2020-03-01", "2019-09-01", "2019-06-01", "2019-01-01", "2018-05-01", "2018-03-01",
)  # fmt: skip
_MANAGEMENT_GROUPS = (
    "2023-04-01", "2021-04-01", "2020-10-01", "2020-05-01", "2020-02-01", "2019-11-01", "2018-03-01-preview",
)  # fmt: skip
_DIAGNOSTIC_SETTINGS = ("2021-05-01-preview", "2017-05-01-preview")
_RESOURCE_GRAPH = (
    "2024-04-01", "2022-10-01", "2021-06-01-preview", "2021-03-01", "2020-04-01-preview", "2019-04-01",
)  # fmt: skip

API_VERSIONS: Mapping[str, Sequence[str]] = {
    # specification/network; azure-mgmt-network 33.1; the message in Azure/azure-cli#28496.
    "Microsoft.Network": _NETWORK,
    # specification/network: networkManager.json is there from 2022-01-01 on.
    "Microsoft.Network/networkManagers": tuple(one for one in _NETWORK if one >= "2022-01-01"),
    # specification/privatedns; `az network private-dns` sends 2018-09-01 for zones and record sets.
    "Microsoft.Network/privateDnsZones": ("2024-06-01", "2020-06-01", "2020-01-01", "2018-09-01"),
    # specification/compute (ComputeRP); azure-mgmt-compute 39.0.
    "Microsoft.Compute": (
        "2026-04-01", "2026-03-01", "2025-11-01", "2025-04-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-09-01",
        "2023-07-01", "2023-03-01", "2022-11-01", "2022-08-01", "2022-03-01", "2021-11-01", "2021-07-01", "2021-03-01",
    ),
    # Microsoft.Network's resources below Microsoft.Compute's path: azure-mgmt-network asks for them with 2018-10-01.
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces": (*_NETWORK, "2018-10-01"),
    # specification/authorization (authorization-RoleAssignmentsCalls.json).
    "Microsoft.Authorization/roleAssignments": (
        "2026-08-01", "2022-04-01", "2020-10-01-preview", "2020-08-01-preview", "2020-04-01-preview",
        "2020-03-01-preview", "2018-09-01-preview", "2018-07-01", "2018-01-01-preview", "2017-10-01-preview",
        "2015-07-01",
    ),
    # specification/authorization (authorization-RoleDefinitionsCalls.json); no stable one since 2022.
    "Microsoft.Authorization/roleDefinitions": _ROLE_DEFINITIONS,
    # The same files.
    "Microsoft.Authorization/permissions": _ROLE_DEFINITIONS,
    # specification/resources (locks.json); no stable one since 2020; `az lock` sends 2016-09-01.
    "Microsoft.Authorization/locks": ("2020-05-01", "2017-04-01", "2016-09-01", "2015-01-01"),
    # specification/resources (policyDefinitions.json, then openapi.json); azure-mgmt-resource-policy 1.0.
    "Microsoft.Authorization/policyDefinitions": _POLICY_DEFINITIONS,
    # specification/resources (policySetDefinitions.json, then openapi.json).
    "Microsoft.Authorization/policySetDefinitions": _POLICY_DEFINITIONS,
    # specification/resources (policyAssignments.json, then openapi.json); the message in Azure/bicep#17089.
    "Microsoft.Authorization/policyAssignments": (
        "2026-06-01", "2025-11-01", "2025-03-01", "2025-01-01", "2024-05-01", "2024-04-01", "2023-04-01", "2022-06-01",
        "2021-06-01", "2020-09-01", "2020-08-01", "2020-03-01", "2019-09-01", "2019-06-01", "2019-01-01", "2018-05-01",
        "2018-03-01",
    ),
    # specification/management; the list in Azure/bicep-registry-modules#4251; no stable one since April 2023.
    "Microsoft.Management/managementGroups": _MANAGEMENT_GROUPS,
    # The same file.
    "Microsoft.Management/getEntities": _MANAGEMENT_GROUPS,
    # specification/monitor (DiagnosticsSettings), previews alone: the stable 2016-09-01 has another shape, and nobody sends it.
    "Microsoft.Insights/diagnosticSettings": _DIAGNOSTIC_SETTINGS,
    # The same; `az monitor diagnostic-settings categories` sends the older one.
    "Microsoft.Insights/diagnosticSettingsCategories": _DIAGNOSTIC_SETTINGS,
    # specification/monitor (ActivityLogsApi); the message in Azure/azure-xplat-cli#1976.
    "Microsoft.Insights/eventtypes": ("2015-04-01", "2014-11-01", "2014-04-01"),
    # specification/monitor (eventCategories_API.json).
    "Microsoft.Insights/eventCategories": ("2015-04-01",),
    # specification/operationalinsights (Workspaces.json); `az monitor log-analytics` sends 2025-02-01.
    "Microsoft.OperationalInsights": (
        "2026-03-01", "2025-07-01", "2025-02-01", "2023-09-01", "2022-10-01", "2021-12-01-preview", "2021-06-01",
        "2020-10-01", "2020-08-01",
    ),
    # specification/resourcegraph (resourcegraph.json); the message in microsoft/ARI#306; no stable one since April 2024.
    "Microsoft.ResourceGraph/resources": _RESOURCE_GRAPH,
    # The same file.
    "Microsoft.ResourceGraph/operations": _RESOURCE_GRAPH,
    # specification/resources (resources.json, from 2019-10-01 on).
    "Microsoft.Resources/tags": (
        "2025-04-01", "2025-03-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-07-01", "2022-09-01", "2021-04-01",
        "2021-01-01", "2020-10-01", "2020-08-01", "2020-06-01", "2019-10-01",
    ),
    # What ARM answers itself (subscriptions, tenants, locations, resource groups, lists of resources, providers) takes one list
    # of versions: a message of September 2026.
    "Microsoft.Resources": (
        "2026-06-01", "2025-04-01", "2025-03-01", "2024-11-01", "2024-10-01-preview", "2024-08-01", "2024-07-01",
        "2024-06-01-preview", "2024-03-01", "2023-07-01", "2023-07-01-preview", "2023-03-01-preview", "2022-12-01",
        "2022-11-01-preview", "2022-09-01", "2022-06-01", "2022-05-01", "2022-03-01-preview", "2022-01-01", "2021-04-01",
        "2021-01-01", "2020-10-01", "2020-09-01", "2020-08-01", "2020-07-01", "2020-06-01", "2020-05-01", "2020-01-01",
        "2019-11-01", "2019-10-01", "2019-09-01", "2019-08-01", "2019-07-01", "2019-06-01", "2019-05-10", "2019-05-01",
        "2019-03-01", "2018-11-01", "2018-09-01", "2018-08-01", "2018-07-01", "2018-06-01", "2018-05-01", "2018-02-01",
        "2018-01-01", "2017-12-01", "2017-08-01", "2017-06-01", "2017-05-10", "2017-05-01", "2017-03-01", "2016-09-01",
        "2016-07-01", "2016-06-01", "2016-02-01", "2015-11-01", "2015-01-01", "2014-04-01-preview", "2014-04-01",
    ),
}  # fmt: skip
"""Newest first."""

_BY_KEY = {name.lower(): versions for name, versions in API_VERSIONS.items()}

SUBNETS_SURVIVE_A_PUT_WITHOUT_THEM = "2023-09-01"


def versions_of(kind: str) -> Sequence[str]:
    """What a type in any casing takes, newest first: its own row's or the closest one's above; empty where there is none."""
    key = kind.lower()
    while key:
        found = _BY_KEY.get(key)
        if found is not None:
            return found
        key = key.rpartition("/")[0]
    return ()
