"""The security admin rules of network managers that are in force on a virtual network.

Rules: https://learn.microsoft.com/azure/virtual-network-manager/concept-security-admins
"""

from arm_emulator.errors import Json
from arm_emulator.evaluation.rows import Rows, field, parts, same, space
from arm_emulator.evaluation.security_rules import Rule

EFFECTIVE = "providers/Microsoft.Network/effectiveSecurityAdminRules/default"
RULES = "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules/snapshots"
MEMBERS = "Microsoft.Network/networkManagers/networkGroups/staticMembers"
INTENT_SERVICES = ("microsoft.sql/managedinstances", "microsoft.databricks/workspaces")
"""Services whose subnets carry a network intent policy: admin rules leave their networks alone."""


def in_force(rows: Rows, network_id: str) -> list[Rule]:
    """The rules by priority. What Azure's effective rules name is in force; without Denys where the configuration says so."""
    found: list[Rule] = []
    for configuration in effective_configurations(rows, network_id):
        base, _, number = configuration.rpartition("/snapshots/")
        allowed_only = "AllowRulesOnly" in _intent(rows.find(configuration))
        for row in rows.of_type(RULES):
            key = str(row["id"]).lower()
            if key.startswith(f"{base.lower()}/rulecollections/") and key.endswith(f"/snapshots/{number}"):
                rule = rule_of(rows, row)
                if not (allowed_only and rule.access == "Deny"):
                    found.append(rule)
    return sorted(found, key=lambda rule: rule.priority)


def effective_configurations(rows: Rows, network_id: str) -> list[str]:
    """Ids of the configurations' snapshots on a network; the graph has them in either casing."""
    row = rows.find(f"{network_id}/{EFFECTIVE}") or {}
    listed = parts(row, "effectiveSecurityAdminConfigurations") or parts(row, "EffectiveSecurityAdminConfigurations")
    return [str(entry.get("id") or entry.get("Id")) for entry in listed]


def holds_intent_policy(network: Json) -> bool:
    """Whether a subnet is delegated to SQL Managed Instance or Databricks."""
    return any(
        str((delegation.get("properties") or {}).get("serviceName", "")).lower() in INTENT_SERVICES
        for subnet in parts(network, "subnets")
        for delegation in parts(subnet, "delegations")
    )


def _intent(configuration: Json | None) -> list[str]:
    value = None if configuration is None else field(configuration, "applyOnNetworkIntentPolicyBasedServices")
    return [str(entry) for entry in value] if isinstance(value, list) else []


def rule_of(rows: Rows, row: Json) -> Rule:
    """A rule, or the snapshot of one; a network group stands for the spaces of its members."""
    properties = row["properties"]
    segments = str(row["id"]).split("/")
    return Rule(
        name=segments[segments.index("rules") + 1],
        direction=str(properties["direction"]),
        priority=int(properties["priority"]),
        access=str(properties["access"]),
        protocol=str(properties.get("protocol", "Any")),
        sources=_entries(rows, properties.get("sources")),
        destinations=_entries(rows, properties.get("destinations")),
        source_ports=tuple(map(str, properties.get("sourcePortRanges") or ["*"])),
        destination_ports=tuple(map(str, properties.get("destinationPortRanges") or ["*"])),
        resource=str(row["id"]),
    )


def _entries(rows: Rows, listed: list[Json] | None) -> tuple[str, ...]:
    found: list[str] = []
    for entry in listed or [{"addressPrefix": "*"}]:
        text = str(entry.get("addressPrefix"))
        if entry.get("addressPrefixType") == "NetworkGroup":
            found += [str(prefix) for network in members(rows, text) for prefix in space(network)]
        else:
            found.append(text)
    return tuple(found)


def members(rows: Rows, group_id: str) -> list[Json]:
    """The virtual networks of a network group."""
    found = [
        rows.find(str(field(row, "resourceId")))
        for row in rows.of_type(MEMBERS)
        if same(str(row["id"]).rpartition("/staticMembers/")[0], group_id)
    ]
    return [network for network in found if network is not None]
