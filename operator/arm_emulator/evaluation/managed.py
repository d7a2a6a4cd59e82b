"""What network managers have put in force on a virtual network, as rows say it, in either casing of their members."""

from ipaddress import IPv4Network

from arm_emulator.errors import Json
from arm_emulator.evaluation.rows import Rows, field, parts, same, space

NETWORKS = "Microsoft.Network/virtualNetworks"
PROVIDER = "providers/Microsoft.Network"


def listed(rows: Rows, network_id: str, segment: str, name: str) -> list[Json]:
    """The entries of one row on a network, such as effectiveSecurityAdminRules, with member names in camel case."""
    row = rows.find(f"{network_id}/{PROVIDER}/{segment}/default") or {}
    found = parts(row, name) or parts(row, name[0].upper() + name[1:])
    return [{key[0].lower() + key[1:]: value for key, value in entry.items()} for entry in found]


def groups_of(rows: Rows, network_id: str) -> set[str] | None:
    """The network groups that a network is in, by lower-cased id; None where no row says so."""
    entries = listed(rows, network_id, "networkGroupMemberships", "groupMemberships")
    return {str(entry["networkGroupId"]).lower() for entry in entries} or None


def applied_to(row: Json) -> list[Json]:
    """The groups that a configuration or a rule collection applies to."""
    return parts(row, "appliesToGroups")


def connected(rows: Rows, network: Json) -> list[IPv4Network]:
    """The spaces of the networks in connected groups with this one: meshes, and spokes that are connected directly."""
    own = str(network.get("id", ""))
    found: list[IPv4Network] = []
    for snapshot in _connectivity(rows, own):
        configuration = rows.find(snapshot) or {}
        for other in rows.of_type(NETWORKS):
            other_id = str(other["id"])
            if same(other_id, own) or snapshot not in _connectivity(rows, other_id):
                continue
            if _joins(rows, configuration, network, other):
                found += space(other)
    return found


def _connectivity(rows: Rows, network_id: str) -> list[str]:
    entries = listed(rows, network_id, "effectiveConnectivityConfigurations", "effectiveConnectivityConfigurations")
    return [str(entry["id"]).lower() for entry in entries]


def _joins(rows: Rows, configuration: Json, one: Json, other: Json) -> bool:
    """Whether a configuration puts two networks into one connected group."""
    mesh = field(configuration, "connectivityTopology") == "Mesh"
    here, there = groups_of(rows, str(one["id"])), groups_of(rows, str(other["id"]))
    same_region = one.get("location") == other.get("location")
    if mesh and here is None and there is None:
        return same_region or field(configuration, "isGlobal") == "True"
    for item in applied_to(configuration):
        group = str(item.get("networkGroupId")).lower()
        if group in (here or ()) and group in (there or ()):
            is_global = "True" in (field(configuration, "isGlobal"), item.get("isGlobal"))
            if (mesh or item.get("groupConnectivity") == "DirectlyConnected") and (same_region or is_global):
                return True
    return False
