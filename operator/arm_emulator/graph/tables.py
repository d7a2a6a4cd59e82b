"""Resource Graph's tables: their names and columns, which of them shows a resource type, and tables of results."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from arm_emulator.graph.values import Row

COLUMNS: Mapping[str, str] = {
    "id": "string", "name": "string", "type": "string", "tenantId": "string", "kind": "string", "location": "string",
    "resourceGroup": "string", "subscriptionId": "string", "managedBy": "string", "sku": "dynamic", "plan": "dynamic",
    "properties": "dynamic", "tags": "dynamic", "identity": "dynamic", "zones": "dynamic", "extendedLocation": "dynamic",
}  # fmt: skip
HIDDEN_COLUMNS: Mapping[str, str] = {"apiVersion": "string"}
"""Columns that are answered only where a query names them."""
RESOURCES, CONTAINERS, CHANGES, CONTAINER_CHANGES = (
    "resources", "resourcecontainers", "resourcechanges", "resourcecontainerchanges",
)  # fmt: skip
DEFAULT_TABLES = (RESOURCES, CONTAINERS)
"""The two that may be joined with each other as often as a query may join."""
TABLES = frozenset({
    RESOURCES, CONTAINERS, CHANGES, CONTAINER_CHANGES, "advisorresources", "aksresources", "alertsmanagementresources",
    "appserviceresources", "authorizationresources", "awsresources", "azurebusinesscontinuityresources", "batchresources",
    "chaosresources", "communitygalleryresources", "computeresources", "desktopvirtualizationresources", "dnsresources",
    "edgeorderresources", "elasticsanresources", "extendedlocationresources", "featureresources",
    "guestconfigurationresources", "healthresourcechanges", "healthresources", "insightsresources",
    "iotsecurityresources", "kubernetesconfigurationresources", "kustoresources", "maintenanceresources",
    "managedservicesresources", "migrateresources", "networkresources", "orbitalresources", "patchassessmentresources",
    "patchinstallationresources", "policyresources", "quotaresources", "recoveryservicesresources", "securityresources",
    "servicefabricresources", "servicehealthresources", "spotresources", "supportresources", "tagsresources",
    "workloadmonitorresources",
})  # fmt: skip
"""https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language#resource-graph-tables"""

TABLE_OF_TYPE: Mapping[str, str | None] = {
    # Inside the rows of their parents, or in no table that is documented: such as these are read from ARM.
    "microsoft.authorization/locks": None,
    "microsoft.insights/diagnosticsettings": None,
    "microsoft.network/networksecuritygroups/securityrules": None,
    "microsoft.network/routetables/routes": None,
    "microsoft.network/virtualhubs/hubroutetables": None,
    "microsoft.network/virtualhubs/hubvirtualnetworkconnections": None,
    "microsoft.network/virtualhubs/routingintent": None,
    "microsoft.network/virtualnetworks/subnets": None,
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": None,
    "microsoft.resources/deployments": None,
    "microsoft.resources/tags": None,
    # Elsewhere than their neighbours.
    "microsoft.compute/virtualmachinescalesets": RESOURCES,
    "microsoft.network/networkmanagers": RESOURCES,
    "microsoft.network/privatednszones": RESOURCES,
    "microsoft.network/privatednszones/virtualnetworklinks": RESOURCES,
    "microsoft.network/dnszones": RESOURCES,
}
"""Types, in lower case, that none of the prefixes below puts where they belong."""
TABLE_OF_PREFIX: tuple[tuple[str, str], ...] = (
    ("microsoft.authorization/classicadministrators", "authorizationresources"),
    ("microsoft.authorization/denyassignments", "authorizationresources"),
    ("microsoft.authorization/policy", "policyresources"),
    ("microsoft.authorization/role", "authorizationresources"),
    ("microsoft.compute/virtualmachinescalesets/", "computeresources"),
    ("microsoft.management/managementgroups", CONTAINERS),
    ("microsoft.network/dnszones/", "dnsresources"),
    ("microsoft.network/networkmanagers/", "networkresources"),
    ("microsoft.network/privatednszones/", "dnsresources"),
    ("microsoft.policyinsights/", "policyresources"),
    ("microsoft.resources/resourcegroups", CONTAINERS),
    ("microsoft.resources/subscriptions", CONTAINERS),
)
_NETWORK_EXTENSIONS = frozenset({
    "effectiveconnectivityconfigurations", "effectiveroutingrules", "effectivesecurityadminrules",
    "effectivesecurityuserrules", "networkgroupmemberships", "networkmanagerconnections",
})  # fmt: skip
"""What network managers say of a network, subnet, subscription or management group: rows of networkresources."""
TABLE_OF_CHANGES = {RESOURCES: CHANGES, CONTAINERS: CONTAINER_CHANGES}


def table_of(kind: str) -> str | None:
    """The table that shows a type (lower-case); None for types that no table shows."""
    if kind in TABLE_OF_TYPE:
        return TABLE_OF_TYPE[kind]
    if _is_network_extension(kind):
        return "networkresources"
    return next((table for prefix, table in TABLE_OF_PREFIX if kind.startswith(prefix)), RESOURCES)


def _is_network_extension(kind: str) -> bool:
    """Whether a type (lower-case) is what network managers say of something else."""
    return kind.startswith("microsoft.network/") and kind.rpartition("/")[2] in _NETWORK_EXTENSIONS


@dataclass(slots=True)
class Table:
    """Rows and their columns: names in order, with Kusto's types. A row may have more members than there are columns:
    leaving columns out makes no new rows.

    `limited` once a take or limit has been applied; `hidden` are columns that can be named but are not answered.
    """

    columns: dict[str, str]
    rows: list[Row]
    limited: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)

    def with_rows(self, rows: list[Row], *, limited: bool | None = None) -> "Table":
        """The same columns with other rows."""
        return Table(self.columns, rows, self.limited if limited is None else limited, self.hidden)
