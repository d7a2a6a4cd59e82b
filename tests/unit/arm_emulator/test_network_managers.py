"""Azure Virtual Network Manager: configurations without effect until they are committed, and what they then do."""

from typing import Any

import pytest

from tests.support.arm import NET, OTHER_SUB, SUB, Arm, Reply, subnet_body
from tests.support.network_managers import (
    COLLECTION,
    CONNECTIVITY,
    GROUP,
    MACHINE,
    MANAGER,
    NIC,
    RULE,
    RULES,
    SECURITY,
    answer_of,
    commit,
    connectivity,
    effective,
    group_item,
    join,
    links,
    listed,
    managed,
    rule_body,
    secured,
    with_machine,
)

Json = dict[str, Any]


# -- commits -----------------------------------------------------------------------------------------------------


def test_what_is_not_committed_has_no_effect() -> None:
    arm = managed("a")
    secured(arm)
    assert effective(arm, "a") == []
    commit(arm, SECURITY)
    assert effective(arm, "a") == ["no-ssh"]
    arm.put(f"{COLLECTION}/rules/later", rule_body(priority=20))
    assert effective(arm, "a") == ["no-ssh"]
    commit(arm, SECURITY)
    assert sorted(effective(arm, "a")) == ["later", "no-ssh"]


def test_a_commit_answers_itself_with_an_id_and_is_deploying_until_it_is_done() -> None:
    arm = managed("a")
    secured(arm)
    body = {"targetLocations": ["West Europe"], "configurationIds": [SECURITY], "commitType": "SecurityAdmin"}
    first = arm.call("POST", f"{MANAGER}/commit", body)
    (status,) = listed(arm, f"{MANAGER}/listDeploymentStatus")
    assert (status["deploymentStatus"], status["region"]) == ("Deploying", "westeurope")
    assert effective(arm, "a") == []
    arm.wait()
    done = arm.get(first.headers["location"]).body
    assert done["commitId"]
    assert {**done, "commitId": ""} == {**body, "targetLocations": ["westeurope"], "commitId": ""}
    (status,) = listed(arm, f"{MANAGER}/listDeploymentStatus", {"regions": ["westeurope"], "deploymentTypes": ["SecurityAdmin"]})  # fmt: skip
    assert status["deploymentStatus"] == "Deployed"
    assert status["configurationIds"] == [SECURITY]
    assert listed(arm, f"{MANAGER}/listDeploymentStatus", {"regions": ["eastus"]}) == []


def test_a_deployment_is_of_its_regions_only() -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY, regions=("eastus",))
    assert effective(arm, "a") == []
    assert [one["region"] for one in listed(arm, f"{MANAGER}/listActiveSecurityAdminRules")] == ["eastus"]
    assert listed(arm, f"{MANAGER}/listActiveSecurityAdminRules", {"regions": ["westeurope"]}) == []


def test_a_commit_of_nothing_takes_everything_back() -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    commit(arm)
    assert effective(arm, "a") == []


def test_an_operation_that_fails_deploys_nothing() -> None:
    arm = managed("a")
    secured(arm)
    body = {"targetLocations": ["westeurope"], "configurationIds": [SECURITY], "commitType": "SecurityAdmin"}
    arm.call("POST", f"{MANAGER}/commit", body)
    (operation,) = arm.cloud.operations.running_on(f"{MANAGER.lower()}#result")
    arm.cloud.operations.end(operation, {"code": "InternalServerError", "message": "no", "details": []})
    assert effective(arm, "a") == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"targetLocations": ["westeurope"], "configurationIds": [], "commitType": "Nothing"}, "InvalidCommitType"),
        ({"targetLocations": [], "configurationIds": [], "commitType": "SecurityAdmin"}, "InvalidRequestFormat"),
        ({"targetLocations": ["westeurope"], "configurationIds": [CONNECTIVITY], "commitType": "SecurityAdmin"}, "InvalidResourceReference"),
        ({"targetLocations": ["westeurope"], "configurationIds": [SECURITY, SECURITY + "2"], "commitType": "SecurityAdmin"}, "TooManyConfigurations"),
    ],
)  # fmt: skip
def test_commits_that_cannot_be_are_refused(body: Json, code: str) -> None:
    answer = managed().call("POST", f"{MANAGER}/commit", body)
    assert (answer.status, answer.code) == (400, code)


def test_only_networks_in_scope_are_governed() -> None:
    arm = managed("a", subscriptions=(OTHER_SUB,))
    secured(arm)
    commit(arm, SECURITY)
    assert effective(arm, "a") == []
    scopes = {"managementGroups": ["/providers/Microsoft.Management/managementGroups/tenant"]}
    arm.put(MANAGER, {"location": "westeurope", "properties": {"networkManagerScopes": scopes}})
    assert effective(arm, "a") == ["no-ssh"]


def test_members_come_and_go_without_a_commit() -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    member = join(arm, arm.network("b", "10.9.0.0/16"))
    assert effective(arm, "b") == ["no-ssh"]
    assert arm.get(member).properties["region"] == "westeurope"
    assert arm.delete(member).status == 200
    assert effective(arm, "b") == []


# -- security admin rules ----------------------------------------------------------------------------------------


def test_effective_rules_are_told_with_their_configuration_and_groups() -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    (rule,) = listed(arm, f"{NET}/virtualNetworks/a/{RULES}")
    assert rule["id"] == RULE
    assert rule["ruleCollectionAppliesToGroups"] == [{"networkGroupId": GROUP}]
    assert [group["id"] for group in rule["ruleGroups"]] == [GROUP]
    assert rule["kind"] == "Custom"
    assert rule["properties"]["priority"] == 10
    assert rule["properties"]["sources"] == [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}]


@pytest.mark.parametrize(
    ("intent", "expected"),
    [(None, []), (["None"], []), (["All"], ["no-ssh", "open"]), (["AllowRulesOnly"], ["open"])],
)
def test_networks_with_managed_instances_are_left_out_unless_asked(
    intent: list[str] | None, expected: list[str]
) -> None:
    arm = managed("a")
    delegation = {"name": "d", "properties": {"serviceName": "Microsoft.Sql/managedInstances"}}
    arm.made(f"{NET}/virtualNetworks/a/subnets/mi", subnet_body("10.1.1.0/24", delegations=[delegation]))
    secured(arm, ("no-ssh", rule_body()), ("open", rule_body("Allow", 20)), intent=intent)
    commit(arm, SECURITY)
    assert sorted(effective(arm, "a")) == expected


def test_networks_without_managed_instances_have_denys_whatever_the_configuration_says_of_those() -> None:
    arm = managed("a")
    secured(arm, ("no-ssh", rule_body()), ("open", rule_body("Allow", 20)), intent=["AllowRulesOnly"])
    commit(arm, SECURITY)
    assert sorted(effective(arm, "a")) == ["no-ssh", "open"]


def test_the_evaluators_see_what_is_deployed() -> None:
    arm = managed("a")
    with_machine(arm, "a")
    packet = {"targetResourceId": MACHINE, "direction": "Inbound", "protocol": "TCP", "localPort": "22",
              "remotePort": "50000", "localIPAddress": "10.1.0.4", "remoteIPAddress": "10.0.1.5"}  # fmt: skip
    watcher = f"/subscriptions/{SUB}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope"  # fmt: skip
    assert answer_of(arm, f"{watcher}/ipFlowVerify", packet)["access"] == "Allow"
    secured(arm)
    commit(arm, SECURITY)
    assert answer_of(arm, f"{watcher}/ipFlowVerify", packet) == {"access": "Deny", "ruleName": "no-ssh"}
    (group,) = answer_of(arm, f"{NIC}/effectiveNetworkSecurityGroups")["value"]
    assert group["association"] == {"networkManager": {"id": MANAGER}}
    assert group["effectiveSecurityRules"][0]["access"] == "Deny"


def test_a_rule_collection_applies_to_its_own_groups() -> None:
    arm = managed("a")
    with_machine(arm, "a")
    other = f"{MANAGER}/networkGroups/other"
    arm.put(other, {"properties": {}})
    secured(arm)
    arm.put(f"{SECURITY}/ruleCollections/others", {"properties": {"appliesToGroups": [{"networkGroupId": other}]}})
    arm.put(f"{SECURITY}/ruleCollections/others/rules/no-rdp", rule_body(priority=5))
    commit(arm, SECURITY)
    assert effective(arm, "a") == ["no-ssh"]
    (group,) = answer_of(arm, f"{NIC}/effectiveNetworkSecurityGroups")["value"]
    assert [rule["name"] for rule in group["effectiveSecurityRules"]] == ["no-ssh"]


def test_a_network_group_as_a_source_is_the_space_of_its_members() -> None:
    arm = managed("a")
    with_machine(arm, "a")
    hub = join(arm, f"{NET}/virtualNetworks/hub")
    source = [{"addressPrefix": GROUP, "addressPrefixType": "NetworkGroup"}]
    secured(arm, ("no-members", rule_body(sources=source)))
    commit(arm, SECURITY)

    def shown() -> list[str]:
        (group,) = answer_of(arm, f"{NIC}/effectiveNetworkSecurityGroups")["value"]
        prefixes: list[str] = group["effectiveSecurityRules"][0]["sourceAddressPrefixes"]
        return sorted(prefixes)

    assert shown() == ["10.0.0.0/16", "10.1.0.0/16"]
    arm.delete(hub)
    assert shown() == ["10.1.0.0/16"]


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (MANAGER, {"location": "westeurope", "properties": {}}, "InvalidRequestFormat"),
        (f"{GROUP}/staticMembers/x", {"properties": {"resourceId": f"{NET}/virtualNetworks/nothing"}}, "InvalidResourceReference"),
        (f"{SECURITY}/ruleCollections/x", {"properties": {"appliesToGroups": []}}, "InvalidRequestFormat"),
        (f"{SECURITY}/ruleCollections/x", {"properties": {"appliesToGroups": [{"networkGroupId": SECURITY}]}}, "InvalidResourceReference"),
        (f"{COLLECTION}/rules/x", rule_body("Maybe"), "InvalidParameter"),
        (f"{COLLECTION}/rules/x", rule_body(priority=0), "InvalidParameter"),
        (f"{COLLECTION}/rules/x", rule_body(priority=4097), "InvalidParameter"),
        (f"{COLLECTION}/rules/x", rule_body() | {"kind": "Odd"}, "InvalidParameter"),
        (f"{COLLECTION}/rules/x", rule_body(sourcePortRanges=["70000"]), "InvalidParameter"),
        (f"{COLLECTION}/rules/x", rule_body(destinationPortRanges=["ssh"]), "InvalidParameter"),
        (f"{COLLECTION}/rules/x", rule_body(sources=[{"addressPrefix": "here"}]), "InvalidParameter"),
        (f"{COLLECTION}/rules/x", rule_body(sources=[{"addressPrefix": GROUP + "x", "addressPrefixType": "NetworkGroup"}]), "InvalidResourceReference"),
        (CONNECTIVITY, {"properties": {"connectivityTopology": "Star", "appliesToGroups": [group_item()]}}, "InvalidParameter"),
        (CONNECTIVITY, {"properties": {"connectivityTopology": "HubAndSpoke", "appliesToGroups": [group_item()]}}, "InvalidParameter"),
        (SECURITY, {"properties": {"applyOnNetworkIntentPolicyBasedServices": ["Some"]}}, "InvalidParameter"),
        (f"{MANAGER}/networkGroups/g", {"properties": {"memberType": "Cat"}}, "InvalidMemberType"),
    ],
)  # fmt: skip
def test_bodies_that_cannot_be_are_refused(path: str, body: Json, code: str) -> None:
    arm = managed("a")
    secured(arm)
    answer = arm.put(path, body)
    assert (answer.status, answer.code) == (400, code)


def test_what_is_deployed_is_deleted_by_force_only() -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    for path in (SECURITY, RULE, GROUP, MANAGER):
        assert refused(arm, path).code == "CannotDeleteObjectsBeingReferencedByOtherObjects"
    assert arm.delete(SECURITY, force="true").status == 202
    arm.wait()
    assert arm.get(SECURITY).status == 404
    assert effective(arm, "a") == []


def refused(arm: Arm, path: str) -> Reply:
    answer = arm.delete(path)
    assert answer.status == 400, answer.body
    return answer


@pytest.mark.parametrize("path", [GROUP, MANAGER])
def test_with_a_group_or_a_manager_goes_what_it_did(path: str) -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    connectivity(arm, "HubAndSpoke")
    assert arm.delete(path, force="true").status == 202
    arm.wait()
    assert effective(arm, "a") == []
    assert links(arm, "a") == links(arm, "hub") == {}
    arm.now += 60
    found = arm.query("networkresources | where id startswith '/subscriptions' and id contains '/virtualNetworks/a/' | project id").body  # fmt: skip
    assert found["data"] == []
