"""What is in effect on virtual networks, and the rows on them that say so."""

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import ResourceId
from arm_emulator.network_manager import deployments
from arm_emulator.network_manager.membership import groups_of, in_scope
from arm_emulator.network_manager.names import CONNECTIVITY, EFFECTIVE, LISTED, MANAGED, MEMBERSHIPS, NETWORKS, SECURITY
from arm_emulator.store import Resource, resource

INTENT_SERVICES = ("microsoft.sql/managedinstances", "microsoft.databricks/workspaces")


def write_rows(cloud: Cloud, network: Resource) -> None:
    """Brings the rows on a network to what is deployed."""
    groups = groups_of(cloud, network.key)
    listed = [{"networkGroupId": str(group), "sourceResourceId": ""} for group in groups]
    _write(cloud, network, MEMBERSHIPS, "groupMemberships", listed)
    for kind in (SECURITY, CONNECTIVITY):
        copies = [{"id": str(one.id)} for one in in_effect(cloud, network, kind)]
        _write(cloud, network, EFFECTIVE[kind], LISTED[kind], copies)


def in_effect(cloud: Cloud, network: Resource, kind: str) -> list[Resource]:
    """The copies of configurations of one type that are in effect on a network."""
    groups = {group.key for group in groups_of(cloud, network.key)}
    found = []
    for deployment in deployments.everywhere(cloud, kind):
        if deployment.region != network.location or not in_scope(cloud, deployment.manager, network):
            continue
        for key in deployment.snapshots:
            copy = cloud.store.get(key)
            if copy is not None and _concerns(cloud, copy, network, groups, kind):
                found.append(copy)
    return found


def _concerns(cloud: Cloud, copy: Resource, network: Resource, groups: set[str], kind: str) -> bool:
    if kind == CONNECTIVITY:
        is_hub = any(str(hub.get("resourceId", "")).lower() == network.key for hub in copy.properties.get("hubs") or [])
        return is_hub or bool(groups & applied_to(copy))
    if holds_intent_policy(cloud, network) and not exempts(copy):
        return False
    collections = [row for row in deployments.below(cloud, copy.key) if "/rules/" not in row.key]
    return any(groups & applied_to(collection) for collection in collections)


def applied_to(row: Resource) -> set[str]:
    """The keys of the groups that a configuration or a rule collection applies to."""
    return {str(item.get("networkGroupId", "")).lower() for item in row.properties.get("appliesToGroups") or []}


def holds_intent_policy(cloud: Cloud, network: Resource) -> bool:
    """Whether the network holds SQL Managed Instance or Databricks, which bring a network intent policy along."""
    return any(
        str((delegation.get("properties") or {}).get("serviceName", "")).lower() in INTENT_SERVICES
        for subnet in cloud.store.children(network.key, f"{NETWORKS}/subnets")
        for delegation in subnet.properties.get("delegations") or []
    )


def exempts(configuration: Resource) -> bool:
    """Whether a security admin configuration asks to be applied to such networks, in whole or with its Allow rules."""
    asked = configuration.properties.get("applyOnNetworkIntentPolicyBasedServices") or ["None"]
    return any(entry in ("All", "AllowRulesOnly") for entry in asked)


def _write(cloud: Cloud, network: Resource, segment: str, name: str, listed: list[Json]) -> None:
    """One row on a network, there while it has something to list. Resource Graph shows it in both casings."""
    row_id = ResourceId(
        network.id.subscription, network.id.group, f"Microsoft.Network/{segment}", ("default",), extends=str(network.id)
    )
    old = cloud.store.get(row_id.key)
    if not listed:
        if old is not None and old.body.get(MANAGED):
            cloud.store.remove(row_id.key)
        return
    properties: Json = {"resourceId": str(network.id), "provisioningState": "Succeeded", name: listed}
    body = {"location": network.location, "properties": properties, MANAGED: True}
    if old is None or old.body != body:
        cloud.store.put(resource(row_id, body))
