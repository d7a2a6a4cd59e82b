"""The security admin rules of network managers that are in force on a virtual network.

Rules: https://learn.microsoft.com/azure/virtual-network-manager/concept-security-admins
"""

from dataclasses import replace

from arm_emulator.errors import Json
from arm_emulator.evaluation import managed
from arm_emulator.evaluation.rows import Rows, field, parts, same, space
from arm_emulator.evaluation.security_rules import Rule

INTENT_SERVICES = ("microsoft.sql/managedinstances", "microsoft.databricks/workspaces")
"""Services whose subnets carry a network intent policy: by default admin rules leave their networks alone."""
RULES = "Microsoft.Network/networkManagers/securityAdminConfigurations/ruleCollections/rules/snapshots"
MEMBERS = "Microsoft.Network/networkManagers/networkGroups/staticMembers"


def in_force(rows: Rows, network_id: str) -> list[Rule]:
    """The rules by priority. What Azure's effective rules name is in force.

    Only where the network holds services with an intent policy does AllowRulesOnly leave the Denys out.
    """
    found: list[Rule] = []
    groups = managed.groups_of(rows, network_id)
    spared = holds_intent_policy(rows.find(network_id) or {})
    for configuration in effective_configurations(rows, network_id):
        base, _, number = configuration.rpartition("/snapshots/")
        allowed_only = spared and "AllowRulesOnly" in _intent(rows.find(configuration))
        for row in rows.of_type(RULES):
            key = str(row["id"]).lower()
            if not key.startswith(f"{base.lower()}/rulecollections/") or not key.endswith(f"/snapshots/{number}"):
                continue
            rule = rule_of(rows, row)
            collection = rows.find(f"{key.partition('/rules/')[0]}/snapshots/{number}")
            if _concerns(collection, groups) and not (allowed_only and rule.access == "Deny"):
                found.append(replace(rule, place=len(found)))
    return sorted(found, key=lambda rule: rule.priority)


def _concerns(collection: Json | None, groups: set[str] | None) -> bool:
    """Whether a rule collection applies to one of the network's groups; what no row tells counts as applying."""
    if collection is None or groups is None:
        return True
    return any(str(item.get("networkGroupId")).lower() in groups for item in managed.applied_to(collection))


def effective_configurations(rows: Rows, network_id: str) -> list[str]:
    """Ids of the configurations' snapshots on a network."""
    entries = managed.listed(rows, network_id, "effectiveSecurityAdminRules", "effectiveSecurityAdminConfigurations")
    return [str(entry["id"]) for entry in entries]


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
