"""Which virtual networks are in which network groups, and in the scope of which network manager."""

from arm_emulator import ancestry
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import ResourceId
from arm_emulator.network_manager.names import NETWORKS, STATIC_MEMBERS
from arm_emulator.store import Resource


def members(cloud: Cloud, group_key: str) -> list[Resource]:
    """The virtual networks of a group that are there."""
    found = [cloud.find(member_id(row)) for row in cloud.store.children(group_key, STATIC_MEMBERS)]
    return [network for network in found if network is not None and network.id.type == NETWORKS]


def member_id(row: Resource) -> str:
    """The id of what a static member names."""
    return str(row.properties.get("resourceId", ""))


def groups_of(cloud: Cloud, network_key: str) -> list[ResourceId]:
    """The groups that a virtual network is a static member of."""
    rows = cloud.store.listed("/", STATIC_MEMBERS)
    parents = [row.id.parent for row in rows if member_id(row).lower() == network_key]
    return [parent for parent in parents if parent is not None]


def in_scope(cloud: Cloud, manager: Resource, network: Resource) -> bool:
    """Whether the network's subscription, or a management group above it, is a scope of the manager."""
    scopes: Json = manager.properties.get("networkManagerScopes") or {}
    listed = [*(scopes.get("subscriptions") or []), *(scopes.get("managementGroups") or [])]
    wanted = {str(scope).lower().rstrip("/") for scope in listed}
    return any(
        level in wanted for level in ancestry.levels(cloud.store, f"/subscriptions/{network.id.subscription.lower()}")
    )
