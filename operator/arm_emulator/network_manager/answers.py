"""The lists of what is active in regions and effective on networks, in the bodies that Azure answers."""

from collections.abc import Iterator

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.network_manager import deployments
from arm_emulator.network_manager.deployments import Deployment
from arm_emulator.network_manager.membership import groups_of
from arm_emulator.network_manager.names import CONNECTIVITY, SECURITY
from arm_emulator.network_manager.networks import applied_to, holds_intent_policy, in_effect
from arm_emulator.store import Resource


def deployment_status(manager: Resource, regions: list[str], kinds: list[str]) -> list[Json]:
    """What was committed last for each region and type, and how far it is."""
    return [
        {
            "commitTime": one.commit_time,
            "region": one.region,
            "deploymentStatus": one.status,
            "configurationIds": list(one.configurations),
            "deploymentType": one.kind,
            "errorMessage": "",
        }
        for one in deployments.of_manager(manager)
        if (not regions or one.region in regions) and (not kinds or one.kind in kinds)
    ]


def active_rules(cloud: Cloud, manager: Resource, regions: list[str]) -> list[Json]:
    """The admin rules in force in the regions."""
    return [
        {"commitTime": one.commit_time, "region": one.region, **_rule(cloud, key, collection, rule)}
        for one in _of_kind(manager, SECURITY, regions)
        for key in one.snapshots
        for collection, rule in rules_of(cloud, key)
    ]


def active_connectivity(cloud: Cloud, manager: Resource, regions: list[str]) -> list[Json]:
    """The connectivity configurations in force in the regions."""
    return [
        {"commitTime": one.commit_time, "region": one.region, **_connectivity(cloud, copy)}
        for one in _of_kind(manager, CONNECTIVITY, regions)
        for copy in filter(None, map(cloud.store.get, one.snapshots))
    ]


def effective_rules(cloud: Cloud, network: Resource) -> list[Json]:
    """The admin rules in force on a network."""
    groups = {group.key for group in groups_of(cloud, network.key)}
    spared = holds_intent_policy(cloud, network)
    return [
        _rule(cloud, copy.key, collection, rule)
        for copy in in_effect(cloud, network, SECURITY)
        for collection, rule in rules_of(cloud, copy.key)
        if groups & applied_to(collection)
        and not (spared and _allows_only(copy) and rule.properties["access"] == "Deny")
    ]


def effective_connectivity(cloud: Cloud, network: Resource) -> list[Json]:
    """The connectivity configurations in force on a network."""
    return [_connectivity(cloud, copy) for copy in in_effect(cloud, network, CONNECTIVITY)]


def _allows_only(configuration: Resource) -> bool:
    return "AllowRulesOnly" in (configuration.properties.get("applyOnNetworkIntentPolicyBasedServices") or [])


def _of_kind(manager: Resource, kind: str, regions: list[str]) -> list[Deployment]:
    return [
        one for one in deployments.of_manager(manager) if one.kind == kind and (not regions or one.region in regions)
    ]


def rules_of(cloud: Cloud, configuration: str) -> Iterator[tuple[Resource, Resource]]:
    """The copies of the rules of a configuration's copy, each with that of its rule collection."""
    rows = deployments.below(cloud, configuration)
    collections = {row.key.rpartition("/snapshots/")[0]: row for row in rows if "/rules/" not in row.key}
    for row in rows:
        collection = collections.get(row.key.partition("/rules/")[0])
        if "/rules/" in row.key and collection is not None:
            yield collection, row


def _rule(cloud: Cloud, configuration: str, collection: Resource, rule: Resource) -> Json:
    owner = cloud.store.get(configuration)
    groups = collection.properties.get("appliesToGroups") or []
    return {
        "id": str(rule.id).rpartition("/snapshots/")[0],
        "configurationDescription": "" if owner is None else owner.properties.get("description", ""),
        "ruleCollectionDescription": collection.properties.get("description", ""),
        "ruleCollectionAppliesToGroups": groups,
        "ruleGroups": [_group(cloud, item) for item in groups],
        "kind": rule.body.get("kind", "Custom"),
        "properties": rule.properties,
    }


def _connectivity(cloud: Cloud, copy: Resource) -> Json:
    return {
        "id": str(copy.id).rpartition("/snapshots/")[0],
        "properties": copy.properties,
        "configurationGroups": [_group(cloud, item) for item in copy.properties.get("appliesToGroups") or []],
    }


def _group(cloud: Cloud, item: Json) -> Json:
    group = cloud.find(str(item.get("networkGroupId")))
    return {"id": item.get("networkGroupId"), "properties": {} if group is None else group.properties}
