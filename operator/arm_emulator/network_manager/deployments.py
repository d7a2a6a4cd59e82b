"""Commits: which configurations are deployed in which region, as copies of what they were when they were committed."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.guids import new_guid
from arm_emulator.network_manager.names import (
    ADMIN_RULES,
    GOAL_STATES,
    MANAGERS,
    RULE_COLLECTIONS,
    SECURITY,
)
from arm_emulator.store import Resource, resource

DEPLOYMENTS = "_deployments"
"""Where a network manager's stored body keeps what was committed last for each region and type."""
COMMITS = "_commits"
"""How many there have been: the number of the next copies."""
DEPLOYING, DEPLOYED = "Deploying", "Deployed"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One region's deployment of one type; `snapshots` are the keys of the copies in force, empty until it is done."""

    manager: Resource
    region: str
    kind: str
    commit_id: str
    commit_time: str
    configurations: tuple[str, ...]
    status: str
    snapshots: tuple[str, ...]


def of_manager(manager: Resource) -> list[Deployment]:
    """What is deployed by one manager."""
    return [
        Deployment(
            manager,
            row["region"],
            row["deploymentType"],
            row["commitId"],
            row["commitTime"],
            tuple(row["configurationIds"]),
            row["status"],
            tuple(row["snapshots"]),
        )
        for row in manager.body.get(DEPLOYMENTS, [])
    ]


def everywhere(cloud: Cloud, kind: str) -> Iterator[Deployment]:
    """All deployments of one type, of all managers."""
    for manager in cloud.store.listed("/", MANAGERS):
        yield from (one for one in of_manager(manager) if one.kind == kind)


def begin(cloud: Cloud, manager: Resource, commit: Json) -> None:
    """Notes that the regions of a commit are being deployed to; what was in force stays so until it is done."""
    before = {(one["region"], one["deploymentType"]): one for one in manager.body.get(DEPLOYMENTS, [])}
    for region in commit["targetLocations"]:
        old = before.get((region, commit["commitType"]), {})
        before[region, commit["commitType"]] = {
            "region": region,
            "deploymentType": commit["commitType"],
            "commitId": commit["commitId"],
            "commitTime": cloud.clock.timestamp(),
            "configurationIds": commit["configurationIds"],
            "status": DEPLOYING,
            "snapshots": old.get("snapshots", []),
        }
    manager.body[DEPLOYMENTS] = list(before.values())
    cloud.store.put(manager)


def finish(cloud: Cloud, manager: Resource, commit_id: str) -> list[Deployment]:
    """Takes the copies that the commit puts in force, writes the regions' goal states, and returns what it deployed."""
    done = [one for one in manager.body.get(DEPLOYMENTS, []) if one["commitId"] == commit_id]
    number = manager.body[COMMITS] = manager.body.get(COMMITS, 0) + 1
    wanted = dict.fromkeys(key for one in done for key in one["configurationIds"])
    copies = {key: _copy(cloud, cloud.find(key), number) for key in wanted}
    for one in done:
        one |= {"status": DEPLOYED, "snapshots": [copies[key] for key in one["configurationIds"] if copies[key]]}
    cloud.store.put(manager)
    deployed = [one for one in of_manager(manager) if one.commit_id == commit_id]
    for deployment in deployed:
        _write_goal_state(cloud, deployment)
    _drop_unused_copies(cloud, manager)
    return deployed


def withdraw(cloud: Cloud, manager: Resource, configuration: str) -> None:
    """Takes a configuration out of every region, as a forced deletion does."""
    for one in manager.body.get(DEPLOYMENTS, []):
        one["configurationIds"] = [key for key in one["configurationIds"] if key.lower() != configuration]
        one["snapshots"] = [key for key in one["snapshots"] if not key.startswith(f"{configuration}/")]
    cloud.store.put(manager)
    for deployment in of_manager(manager):
        _write_goal_state(cloud, deployment)


def _copy(cloud: Cloud, configuration: Resource | None, number: int) -> str | None:
    """Copies a configuration with what is below it into rows of type …/snapshots; returns the key of its own copy."""
    if configuration is None:
        return None
    sources = [configuration]
    for collection in cloud.store.children(configuration.key, RULE_COLLECTIONS):
        sources += [collection, *cloud.store.children(collection.key, ADMIN_RULES)]
    for source in sources:
        made = resource(
            source.id.child("snapshots", str(number)),
            {name: copy.deepcopy(value) for name, value in source.body.items() if not name.startswith("_")},
        )
        cloud.store.put(made)
    return configuration.id.child("snapshots", str(number)).key


def _drop_unused_copies(cloud: Cloud, manager: Resource) -> None:
    used = {snapshot for deployment in of_manager(manager) for snapshot in deployment.snapshots}
    numbers = {key.rpartition("/snapshots/")[0] + " " + key.rpartition("/")[2] for key in used}
    prefix = f"{manager.key}/"
    for item in [one for one in cloud.store if one.key.startswith(prefix) and one.id.type.endswith("/snapshots")]:
        configuration = "/".join(item.key[len(prefix) :].split("/")[:2])
        if f"{prefix}{configuration} {item.id.name}" not in numbers:
            cloud.store.remove(item.key)


def _write_goal_state(cloud: Cloud, deployment: Deployment) -> None:
    """The row that Resource Graph has of what a region should be like."""
    row_id = deployment.manager.id.child(GOAL_STATES[deployment.kind], deployment.region)
    configurations = [cloud.store.get(key) for key in deployment.snapshots]
    listed = [{"id": str(one.id)} for one in configurations if one is not None]
    properties: Json = {
        "commitId": deployment.commit_id,
        "commitTimestamp": deployment.commit_time,
        "status": deployment.status,
        "errorMessage": "",
    }
    if deployment.kind == SECURITY:
        rows = [row for key in deployment.snapshots for row in below(cloud, key)]
        properties |= {
            "securityAdminConfigurations": listed,
            "securityAdminRuleCollections": [{"id": str(one.id)} for one in rows if "/rules/" not in one.key],
            "securityAdminRules": [{"id": str(one.id)} for one in rows if "/rules/" in one.key],
        }
    else:
        properties["connectivityConfigurations"] = listed
    cloud.store.put(resource(row_id, {"location": deployment.region, "properties": properties}))


def below(cloud: Cloud, snapshot: str) -> list[Resource]:
    """The copies of rule collections and rules that belong to a configuration's copy."""
    configuration, _, number = snapshot.rpartition("/snapshots/")
    found: list[Resource] = []
    for collection in cloud.store.children(configuration, RULE_COLLECTIONS):
        for owner in (collection, *cloud.store.children(collection.key, ADMIN_RULES)):
            made = cloud.store.get(f"{owner.key}/snapshots/{number}")
            found += [] if made is None else [made]
    return found


def new_commit_id() -> str:
    """A fresh guid."""
    return new_guid()
