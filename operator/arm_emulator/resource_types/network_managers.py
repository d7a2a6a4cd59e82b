"""Microsoft.Network/networkManagers and their network groups with static members.

Rules: https://learn.microsoft.com/azure/virtual-network-manager/overview
"""

from arm_emulator.cloud import Cloud, parsed
from arm_emulator.errors import ArmError, Json, bad_request, invalid_reference
from arm_emulator.guids import new_guid
from arm_emulator.network_manager import answers, deployments
from arm_emulator.network_manager.names import (
    CONFIGURATIONS,
    CONNECTIVITY_CONFIGURATIONS,
    GROUPS,
    MANAGERS,
    NETWORKS,
    RULE_COLLECTIONS,
    SECURITY,
    STATIC_MEMBERS,
)
from arm_emulator.network_manager.networks import applied_to
from arm_emulator.operations import Operation, Timing
from arm_emulator.resource_types.base import IMMEDIATE, Call, Put, Reply, ResourceType, Result
from arm_emulator.resource_types.bodies import default, missing
from arm_emulator.resource_types.managed_peerings import forget, refresh, refresh_all
from arm_emulator.resource_types.virtual_networks import VirtualNetworks
from arm_emulator.store import Resource, resource

ACCESSES = ("SecurityAdmin", "Connectivity", "Routing", "SecurityUser")
COMMIT = Timing(30, (10,))
REMOVAL = Timing(10, (10,))


class NetworkManagers(ResourceType):
    """Made at once, in force by the POST `commit` region by region; only `force=true` deletes one with deployments."""

    name = MANAGERS
    create = IMMEDIATE
    delete = REMOVAL
    force_skips_checks = True
    actions = {  # noqa: RUF012  (declared ClassVar by the base)
        "commit": "commit",
        "listdeploymentstatus": "listDeploymentStatus",
        "listactivesecurityadminrules": "listActiveSecurityAdminRules",
        "listactiveconnectivityconfigurations": "listActiveConnectivityConfigurations",
    }

    def prepare(self, put: Put) -> None:
        scopes = put.properties.get("networkManagerScopes") or {}
        listed = [*(scopes.get("subscriptions") or []), *(scopes.get("managementGroups") or [])]
        if not listed:
            raise missing("networkManagerScopes", put.id)
        for access in put.properties.get("networkManagerScopeAccesses") or []:
            if access not in ACCESSES:
                raise bad_request(
                    "InvalidNetworkManagerScopeAccess",
                    f"Scope access '{access}' of network manager {put.id} is none of {', '.join(ACCESSES)}.",
                )
        put.properties["resourceGuid"] = put.before.get("resourceGuid") or new_guid()
        if put.old is not None:
            kept = {name: value for name, value in put.old.body.items() if name.startswith("_")}
            put.body.update(kept)

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        if put.before.get("networkManagerScopes") not in (None, item.properties["networkManagerScopes"]):
            refresh_all(cloud)

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        refuse_deployed(item, [one.configurations for one in deployments.of_manager(item)])

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        item.body[deployments.DEPLOYMENTS] = []
        for group in cloud.store.children(item.key, GROUPS):
            empty(cloud, group)
        refresh_all(cloud)

    def act(self, cloud: Cloud, item: Resource, call: Call) -> Result | Reply:
        """Commits, or lists what was committed. Raises ArmError for a commit that names what is not there."""
        if call.action == "commit":
            commit = _commit(cloud, item, call.body)
            deployments.begin(cloud, item, commit)
            return Result("PostNetworkManagerCommitOperation", COMMIT, commit)
        regions = [_region(region) for region in _strings(call.body, "regions")]
        if call.action == "listdeploymentstatus":
            return Reply({"value": answers.deployment_status(item, regions, _strings(call.body, "deploymentTypes"))})
        rules = call.action == "listactivesecurityadminrules"
        return Reply({"value": (answers.active_rules if rules else answers.active_connectivity)(cloud, item, regions)})

    def answered(self, cloud: Cloud, item: Resource, operation: Operation) -> None:
        commit = operation.detail["body"]
        if deployments.finish(cloud, item, commit["commitId"]):
            refresh_all(cloud)


def _commit(cloud: Cloud, manager: Resource, body: Json) -> Json:
    kind = str(body.get("commitType"))
    accesses = manager.properties.get("networkManagerScopeAccesses") or ACCESSES
    if kind not in CONFIGURATIONS or kind not in accesses:
        raise bad_request(
            "InvalidCommitType", f"Commit type '{kind}' is not one that network manager {manager.id} can deploy."
        )
    regions = _strings(body, "targetLocations")
    if not regions:
        raise missing("targetLocations", manager.id)
    wanted = _strings(body, "configurationIds")
    if kind == SECURITY and len(wanted) > 1:
        raise bad_request(
            "TooManyConfigurations",
            f"Network manager {manager.id} can have one security admin configuration in a region, not {len(wanted)}.",
        )
    for configuration in wanted:
        found = parsed({"id": configuration})
        known = cloud.find(configuration)
        if found is None or known is None or known.id.type != CONFIGURATIONS[kind] or known.root_key != manager.key:
            raise invalid_reference(configuration, str(manager.id))
    return {
        "commitId": deployments.new_commit_id(),
        "targetLocations": [_region(region) for region in regions],
        "configurationIds": wanted,
        "commitType": kind,
    }


def _region(text: str) -> str:
    return text.lower().replace(" ", "")


def _strings(body: Json, name: str) -> list[str]:
    value = body.get(name)
    return [str(entry) for entry in value] if isinstance(value, list) else []


def refuse_deployed(item: Resource, deployed: list[tuple[str, ...]]) -> None:
    """Raises while configurations are deployed; `force=true` goes by it."""
    listed = sorted({key for configurations in deployed for key in configurations})
    if listed:
        raise in_use(item, listed)


def in_use(item: Resource, by: list[str]) -> ArmError:
    """400: others refer to what is to be deleted, or it is deployed."""
    return bad_request(
        "CannotDeleteObjectsBeingReferencedByOtherObjects",
        f"Cannot delete {item.id}: it is part of what is deployed or referred to, by {', '.join(by)}. Use force=true to "
        "take it out of the deployments first.",
    )


class NetworkGroups(ResourceType):
    """Of networks or subnets, made at once; kept while configurations apply to it, unless `force=true`."""

    name = GROUPS
    tracked = False
    envelope = frozenset({"properties"})
    create = IMMEDIATE
    delete = REMOVAL
    force_skips_checks = True

    def prepare(self, put: Put) -> None:
        default(put.properties, memberType="VirtualNetwork")
        if put.properties["memberType"] not in ("VirtualNetwork", "Subnet"):
            raise bad_request(
                "InvalidMemberType", f"Member type '{put.properties['memberType']}' of {put.id} is not known."
            )
        put.properties["resourceGuid"] = put.before.get("resourceGuid") or new_guid()

    def check_delete(self, cloud: Cloud, item: Resource) -> None:
        users = [
            row
            for kind in (RULE_COLLECTIONS, CONNECTIVITY_CONFIGURATIONS)
            for row in cloud.store.listed("/", kind)
            if item.key in applied_to(row)
        ]
        if users:
            raise in_use(item, [str(row.id) for row in users])

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        networks = empty(cloud, item)
        refresh(cloud, networks)


def empty(cloud: Cloud, group: Resource) -> list[Resource]:
    """Takes all members out of a group; returns those that are there."""
    found = []
    for row in [*cloud.store.children(group.key, STATIC_MEMBERS)]:
        network = cloud.find(str(row.properties.get("resourceId")))
        found += [] if network is None else [network]
        cloud.store.remove(row.key)
    return found


class StaticMembers(ResourceType):
    """A network in a group, at once in force; beside it a row below `members` tells the same, as the graph shows it."""

    name = STATIC_MEMBERS
    tracked = False
    envelope = frozenset({"properties"})
    create = IMMEDIATE
    delete = IMMEDIATE
    read_only = frozenset({"provisioningState", "region"})

    def prepare(self, put: Put) -> None:
        network = put.cloud.find(str(put.properties.get("resourceId")))
        if network is None or network.id.type != NETWORKS:
            raise invalid_reference(str(put.properties.get("resourceId")), str(put.id))
        put.properties["region"] = network.location

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        assert item.id.parent is not None
        member = item.id.parent.child("members", item.name)
        properties = {"memberId": item.properties["resourceId"]}
        cloud.store.put(resource(member, {"location": item.properties["region"], "properties": properties}))
        self._refresh(cloud, item.properties["resourceId"], put.before.get("resourceId"))

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        assert item.id.parent is not None
        cloud.store.remove(item.id.parent.child("members", item.name).key)
        network = str(item.properties["resourceId"])
        # The row is still there: what it names must not count any more.
        item.properties["resourceId"] = ""
        self._refresh(cloud, network)

    def _refresh(self, cloud: Cloud, *networks: str | None) -> None:
        found = [cloud.find(network) for network in networks if network]
        refresh(cloud, [network for network in found if network is not None])


class ManagedVirtualNetworks(VirtualNetworks):
    """Virtual networks that tell what network managers have put in force on them."""

    actions = {  # noqa: RUF012  (declared ClassVar by the base)
        "listnetworkmanagereffectivesecurityadminrules": "listNetworkManagerEffectiveSecurityAdminRules",
        "listnetworkmanagereffectiveconnectivityconfigurations": "listNetworkManagerEffectiveConnectivityConfigurations",
    }

    def committed(self, cloud: Cloud, item: Resource, put: Put) -> None:
        super().committed(cloud, item, put)
        if cloud.store.listed("/", MANAGERS):
            refresh(cloud, [item])

    def deleted(self, cloud: Cloud, item: Resource) -> None:
        forget(cloud, item)
        super().deleted(cloud, item)

    def act(self, cloud: Cloud, item: Resource, call: Call) -> Reply:
        """What is in force on the network."""
        rules = call.action == "listnetworkmanagereffectivesecurityadminrules"
        return Reply({"value": (answers.effective_rules if rules else answers.effective_connectivity)(cloud, item)})
