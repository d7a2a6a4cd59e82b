"""Configurations of network managers: security admin configurations with rule collections and rules, and connectivity.

Rules: https://learn.microsoft.com/azure/virtual-network-manager/concept-security-admins and concept-connectivity-configuration
"""

from collections.abc import Mapping
from typing import ClassVar

from arm_emulator.cloud import Cloud, items
from arm_emulator.errors import ArmError, Json, bad_request, invalid_reference
from arm_emulator.evaluation.rows import prefix_of
from arm_emulator.evaluation.security_rules import LAST_PORT, port_range
from arm_emulator.guids import new_guid
from arm_emulator.network_manager import deployments
from arm_emulator.network_manager.names import (
    ADMIN_CONFIGURATIONS,
    ADMIN_RULES,
    CONNECTIVITY_CONFIGURATIONS,
    GROUPS,
    NETWORKS,
    RULE_COLLECTIONS,
)
from arm_emulator.resource_types.base import IMMEDIATE, Put, ResourceType
from arm_emulator.resource_types.bodies import default, missing
from arm_emulator.resource_types.managed_peerings import refresh_all
from arm_emulator.resource_types.network_managers import REMOVAL, in_use
from arm_emulator.store import Resource

LOWEST_PRIORITY, HIGHEST_PRIORITY = 1, 4096
INTENT = ("None", "All", "AllowRulesOnly")


class _Part(ResourceType):
    """What all parts of a configuration have in common: made at once, without effect until it is committed."""

    tracked = False
    envelope = frozenset({"properties"})
    create = IMMEDIATE
    delete = REMOVAL
    force_skips_checks = True
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Required properties and what they may be."""

    def prepare(self, put: Put) -> None:
        for name, choices in self.choices.items():
            given = put.properties.get(name)
            if given is None:
                raise missing(name, put.id)
            if given not in choices:
                raise invalid(put, name, given)
        put.properties["resourceGuid"] = put.before.get("resourceGuid") or new_guid()

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        manager = cloud.store.get(item.root_key)
        assert manager is not None
        for deployment in deployments.of_manager(manager):
            for key in deployment.configurations:
                if item.key == key.lower() or item.key.startswith(f"{key.lower()}/"):
                    raise in_use(item, [f"the deployment of {key} in {deployment.region}"])

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        manager = cloud.store.get(item.root_key)
        if manager is not None and len(item.id.names) == 2:  # noqa: PLR2004  (a configuration itself)
            deployments.withdraw(cloud, manager, item.key)
            refresh_all(cloud)


def invalid(put: Put, name: str, value: object) -> ArmError:
    """400 for a property that cannot be so."""
    return bad_request("InvalidParameter", f"The value '{value}' of {name} of {put.id} is not valid.", target=name)


def _check_groups(put: Put) -> None:
    """Each entry of appliesToGroups names a group of the same network manager."""
    listed = items(put.properties, "appliesToGroups")
    if not listed:
        raise missing("appliesToGroups", put.id)
    for item in listed:
        group = put.cloud.find(str(item.get("networkGroupId")))
        if group is None or group.id.type != GROUPS or group.root_key != put.id.root.key:
            raise invalid_reference(str(item.get("networkGroupId")), str(put.id))


class SecurityAdminConfigurations(_Part):
    """What rule collections hang in; without effect until a commit, and of a manager one in each region."""

    name = ADMIN_CONFIGURATIONS

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        default(put.properties, applyOnNetworkIntentPolicyBasedServices=["None"])
        for entry in put.properties["applyOnNetworkIntentPolicyBasedServices"]:
            if entry not in INTENT:
                raise invalid(put, "applyOnNetworkIntentPolicyBasedServices", entry)


class RuleCollections(_Part):
    """Rules for network groups of the same manager; one that names no such group is refused."""

    name = RULE_COLLECTIONS

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        _check_groups(put)


class AdminRules(_Part):
    """Kind Custom only, priority 1 to 4096 (two may have the same); sources and destinations are `*` where none are given."""

    name = ADMIN_RULES
    envelope = frozenset({"properties", "kind"})
    choices = {  # noqa: RUF012  (declared ClassVar by the base)
        "access": ("Allow", "Deny", "AlwaysAllow"),
        "direction": ("Inbound", "Outbound"),
        "protocol": ("Tcp", "Udp", "Icmp", "Esp", "Any", "Ah"),
    }

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        if put.body.setdefault("kind", "Custom") != "Custom":
            raise invalid(put, "kind", put.body["kind"])
        priority = put.properties.get("priority")
        if not isinstance(priority, int) or not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
            raise invalid(put, "priority", priority)
        every = [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}]
        default(put.properties, sources=every, destinations=every)
        default(put.properties, sourcePortRanges=["0-65535"], destinationPortRanges=["0-65535"])
        for name in ("sourcePortRanges", "destinationPortRanges"):
            for text in put.properties[name]:
                low, high = port_range(str(text))
                if not 0 <= low <= high <= LAST_PORT:
                    raise invalid(put, name, text)
        for name in ("sources", "destinations"):
            for entry in items(put.properties, name):
                self._check_address(put, name, entry)

    def _check_address(self, put: Put, name: str, entry: Json) -> None:
        text = str(entry.get("addressPrefix"))
        kind = entry.setdefault("addressPrefixType", "IPPrefix")
        if kind == "NetworkGroup":
            group = put.cloud.find(text)
            if group is None or group.id.type != GROUPS:
                raise invalid_reference(text, str(put.id))
        elif kind not in ("IPPrefix", "ServiceTag") or (kind == "IPPrefix" and text != "*" and prefix_of(text) is None):
            raise invalid(put, name, text)


class ConnectivityConfigurations(_Part):
    """HubAndSpoke with just one hub, or Mesh with none; what it makes of networks begins with a commit."""

    name = CONNECTIVITY_CONFIGURATIONS
    choices = {"connectivityTopology": ("HubAndSpoke", "Mesh")}  # noqa: RUF012  (declared ClassVar by the base)

    def prepare(self, put: Put) -> None:
        super().prepare(put)
        _check_groups(put)
        default(put.properties, hubs=[], isGlobal="False", deleteExistingPeering="False")
        for item in items(put.properties, "appliesToGroups"):
            for name, value in (("groupConnectivity", "None"), ("useHubGateway", "False"), ("isGlobal", "False")):
                item.setdefault(name, value)
        hubs = items(put.properties, "hubs")
        if put.properties["connectivityTopology"] == "Mesh":
            if hubs:
                raise invalid(put, "hubs", "a mesh has none")
            return
        if len(hubs) != 1:
            raise invalid(put, "hubs", f"{len(hubs)} hubs in place of one")
        hub = put.cloud.find(str(hubs[0].get("resourceId")))
        if hub is None or hub.id.type != NETWORKS:
            raise invalid_reference(str(hubs[0].get("resourceId")), str(put.id))
