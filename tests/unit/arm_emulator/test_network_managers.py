"""Azure Virtual Network Manager: configurations without effect until they are committed, and what they then do."""

from typing import Any

import pytest

from tests.support.arm import NET, OTHER_SUB, RG, SUB, Arm, Reply, link_body, network_body, subnet_body

Json = dict[str, Any]
MANAGER = f"{NET}/networkManagers/avnm"
GROUP = f"{MANAGER}/networkGroups/spokes"
SECURITY = f"{MANAGER}/securityAdminConfigurations/baseline"
COLLECTION = f"{SECURITY}/ruleCollections/all"
RULE = f"{COLLECTION}/rules/no-ssh"
CONNECTIVITY = f"{MANAGER}/connectivityConfigurations/net"
MACHINE = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm"
NIC = f"{NET}/networkInterfaces/nic"
RULES, CONFIGURATIONS = (
    "listNetworkManagerEffectiveSecurityAdminRules",
    "listNetworkManagerEffectiveConnectivityConfigurations",
)


def rule_body(access: str = "Deny", priority: int = 10, **fields: Any) -> Json:
    held = {
        "access": access,
        "priority": priority,
        "direction": "Inbound",
        "protocol": "Tcp",
        "destinationPortRanges": ["22"],
    }
    return {"kind": "Custom", "properties": held | fields}


def group_item(**fields: str) -> Json:
    return {"networkGroupId": GROUP, **fields}


def managed(*spokes: str, subscriptions: tuple[str, ...] = (SUB,)) -> Arm:
    """A network manager with group `spokes`, a hub 10.0.0.0/16, and the spokes 10.1.0.0/16 and so on in the group."""
    arm = Arm()
    arm.network("hub", "10.0.0.0/16")
    scopes = {"subscriptions": [f"/subscriptions/{one}" for one in subscriptions]}
    body = {"location": "westeurope", "properties": {"networkManagerScopes": scopes}}
    assert arm.put(MANAGER, body).status == 201
    assert arm.put(GROUP, {"properties": {}}).status == 201
    for place, name in enumerate(spokes, start=1):
        join(arm, arm.network(name, f"10.{place}.0.0/16"))
    return arm


def join(arm: Arm, network: str) -> str:
    member = f"{GROUP}/staticMembers/{network.rpartition('/')[2]}"
    assert arm.put(member, {"properties": {"resourceId": network}}).status == 201
    return member


def secured(arm: Arm, *rules: tuple[str, Json], intent: list[str] | None = None) -> None:
    properties = {} if intent is None else {"applyOnNetworkIntentPolicyBasedServices": intent}
    assert arm.put(SECURITY, {"properties": properties}).status == 201
    assert arm.put(COLLECTION, {"properties": {"appliesToGroups": [group_item()]}}).status == 201
    for name, body in rules or (("no-ssh", rule_body()),):
        assert arm.put(f"{COLLECTION}/rules/{name}", body).status == 201


def commit(arm: Arm, *configurations: str, kind: str = "SecurityAdmin", regions: tuple[str, ...] = ("westeurope",)) -> Json:  # fmt: skip
    body = {"targetLocations": list(regions), "configurationIds": list(configurations), "commitType": kind}
    first = arm.call("POST", f"{MANAGER}/commit", body)
    assert (first.status, first.raw) == (202, b"null"), first.body
    arm.wait()
    done: Json = arm.get(first.headers["location"]).body
    return done


def listed(arm: Arm, path: str, body: object = None) -> list[Json]:
    answer = arm.call("POST", path, body or {})
    assert answer.status == 200, answer.body
    found: list[Json] = answer.body["value"]
    return found


def effective(arm: Arm, network: str, what: str = RULES) -> list[str]:
    return [one["id"].rpartition("/")[2] for one in listed(arm, f"{NET}/virtualNetworks/{network}/{what}")]


def links(arm: Arm, network: str) -> dict[str, Json]:
    found = arm.get(f"{NET}/virtualNetworks/{network}/virtualNetworkPeerings").body["value"]
    return {one["name"]: one["properties"] for one in found}


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


def with_machine(arm: Arm, network: str) -> None:
    subnet = f"{NET}/virtualNetworks/{network}/subnets/s"
    arm.made(subnet, subnet_body("10.1.0.0/24"))
    part = {"name": "c", "properties": {"subnet": {"id": subnet}}}
    arm.made(NIC, {"location": "westeurope", "properties": {"ipConfigurations": [part]}})
    profile = {"networkInterfaces": [{"id": NIC}]}
    arm.made(MACHINE, {"location": "westeurope", "properties": {"networkProfile": profile}})


def answer_of(arm: Arm, path: str, body: object = None) -> Json:
    first = arm.call("POST", path, body)
    assert first.status == 202, first.body
    arm.wait()
    found: Json = arm.get(first.headers["location"]).body
    return found


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


# -- connectivity ------------------------------------------------------------------------------------------------


def connectivity(arm: Arm, topology: str, **fields: Any) -> None:
    hub = {"resourceId": f"{NET}/virtualNetworks/hub", "resourceType": "Microsoft.Network/virtualNetworks"}
    hubs = [hub] if topology == "HubAndSpoke" else []
    item = group_item(**fields.pop("item", {}))
    properties = {"connectivityTopology": topology, "hubs": hubs, "appliesToGroups": [item], **fields}
    answer = arm.put(CONNECTIVITY, {"properties": properties})
    assert answer.status in (200, 201), answer.body
    commit(arm, CONNECTIVITY, kind="Connectivity")


def test_a_hub_and_its_spokes_are_peered_by_links_with_a_prefix_of_their_own() -> None:
    arm = managed("a", "b")
    connectivity(arm, "HubAndSpoke")
    from_hub, from_spoke = links(arm, "hub"), links(arm, "a")
    assert len(from_hub) == 2
    assert len(from_spoke) == 1
    assert all(name.startswith("ANM_") for name in (*from_hub, *from_spoke))
    (link,) = from_spoke.values()
    assert (link["peeringState"], link["peeringSyncLevel"]) == ("Connected", "FullyInSync")
    assert link["remoteAddressSpace"] == {"addressPrefixes": ["10.0.0.0/16"]}
    assert effective(arm, "hub", CONFIGURATIONS) == ["net"]
    assert effective(arm, "a", CONFIGURATIONS) == ["net"]


def test_links_go_when_the_deployment_or_the_membership_does() -> None:
    arm = managed("a", "b")
    connectivity(arm, "HubAndSpoke")
    arm.delete(f"{GROUP}/staticMembers/b")
    assert links(arm, "b") == {}
    assert len(links(arm, "hub")) == 1
    commit(arm, kind="Connectivity")
    assert links(arm, "hub") == links(arm, "a") == {}


def test_links_follow_a_network_that_goes_comes_back_or_grows() -> None:
    arm = managed("a")
    connectivity(arm, "HubAndSpoke")
    network = f"{NET}/virtualNetworks/a"
    arm.made(network, network_body("10.1.0.0/16", "10.2.0.0/16"))
    (link,) = links(arm, "hub").values()
    assert link["remoteAddressSpace"] == {"addressPrefixes": ["10.1.0.0/16", "10.2.0.0/16"]}
    arm.gone(network)
    assert links(arm, "hub") == {}
    arm.made(network, network_body("10.1.0.0/16"))
    assert [one["peeringState"] for one in links(arm, "hub").values()] == ["Connected"]
    assert effective(arm, "a", CONFIGURATIONS) == ["net"]


def test_what_an_estate_file_says_of_network_managers_stays() -> None:
    network = f"{NET}/virtualNetworks/a"
    far = {"remoteVirtualNetwork": {"id": f"{NET}/virtualNetworks/far"}, "peeringState": "Connected"}
    row = f"{network}/providers/Microsoft.Network/effectiveSecurityAdminRules/default"
    listed_there = {"effectiveSecurityAdminConfigurations": [{"id": f"{SECURITY}/snapshots/7"}]}
    properties = {
        "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
        "virtualNetworkPeerings": [{"name": "ANM_1_far", "properties": far}],
    }
    estate = [
        {"id": network, "location": "westeurope", "properties": properties},
        {"id": MANAGER, "location": "westeurope", "properties": {}},
        {"id": row, "properties": listed_there},
    ]
    arm = Arm(estate=estate)
    arm.made(network, network_body("10.1.0.0/16", "10.2.0.0/16"))
    assert list(links(arm, "a")) == ["ANM_1_far"]
    assert arm.get(row).properties["effectiveSecurityAdminConfigurations"]


def test_existing_peerings_stay_unless_the_configuration_deletes_them() -> None:
    arm = managed("a", "b")
    arm.made(f"{NET}/virtualNetworks/hub/virtualNetworkPeerings/mine", link_body(f"{NET}/virtualNetworks/a"))
    arm.made(f"{NET}/virtualNetworks/a/virtualNetworkPeerings/mine", link_body(f"{NET}/virtualNetworks/hub"))
    connectivity(arm, "HubAndSpoke")
    assert list(links(arm, "a")) == ["mine"]
    assert [name[:4] for name in links(arm, "b")] == ["ANM_"]
    connectivity(arm, "HubAndSpoke", deleteExistingPeering="True")
    assert [name[:4] for name in links(arm, "a")] == ["ANM_"]
    assert "mine" not in links(arm, "hub")


def test_spokes_use_the_hubs_gateway_where_there_is_one() -> None:
    arm = managed("a")
    connectivity(arm, "HubAndSpoke", item={"useHubGateway": "True"})
    (link,) = links(arm, "a").values()
    assert (link["useRemoteGateways"], link["allowGatewayTransit"]) == (False, False)
    (link,) = links(arm, "hub").values()
    assert link["allowGatewayTransit"] is True


def test_a_mesh_connects_without_peerings_those_of_one_region_unless_global() -> None:
    arm = managed("a", "b")
    far = f"{NET}/virtualNetworks/far"
    arm.made(far, {**network_body("10.8.0.0/16"), "location": "eastus"})
    join(arm, far)
    with_machine(arm, "a")

    def reached() -> set[str]:
        found = answer_of(arm, f"{NIC}/effectiveRouteTable")["value"]
        return {one["addressPrefix"][0] for one in found if one["nextHopType"] == "ConnectedGroup"}

    assert reached() == set()
    connectivity(arm, "Mesh")
    commit(arm, CONNECTIVITY, kind="Connectivity", regions=("westeurope", "eastus"))
    assert links(arm, "a") == {}
    assert reached() == {"10.2.0.0/16"}
    connectivity(arm, "Mesh", isGlobal="True")
    commit(arm, CONNECTIVITY, kind="Connectivity", regions=("westeurope", "eastus"))
    assert reached() == {"10.2.0.0/16", "10.8.0.0/16"}


def test_active_connectivity_is_listed_by_region() -> None:
    arm = managed("a")
    connectivity(arm, "HubAndSpoke")
    (active,) = listed(arm, f"{MANAGER}/listActiveConnectivityConfigurations", {"regions": ["westeurope"]})
    assert (active["id"], active["region"]) == (CONNECTIVITY, "westeurope")
    assert active["properties"]["connectivityTopology"] == "HubAndSpoke"
    assert [group["id"] for group in active["configurationGroups"]] == [GROUP]


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


# -- Resource Graph ----------------------------------------------------------------------------------------------


def rows(arm: Arm, kind: str) -> list[Json]:
    arm.now += 60
    found: list[Json] = arm.query(f"networkresources | where type == 'microsoft.network/{kind}' | order by id asc").body["data"]  # fmt: skip
    return found


def test_the_graph_leads_from_a_network_to_the_rules_in_force() -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    (effective_row,) = rows(arm, "effectivesecurityadminrules")
    assert effective_row["id"] == f"{NET}/virtualNetworks/a/providers/Microsoft.Network/effectiveSecurityAdminRules/default"  # fmt: skip
    properties = {name.lower(): value for name, value in effective_row["properties"].items()}
    (entry,) = properties["effectivesecurityadminconfigurations"]
    snapshot = entry.get("id") or entry.get("Id")
    assert snapshot == f"{SECURITY}/snapshots/1"
    (rule,) = rows(arm, "networkmanagers/securityadminconfigurations/rulecollections/rules/snapshots")
    assert rule["id"] == f"{RULE}/snapshots/1"
    assert rule["properties"]["access"] == "Deny"
    assert [one["id"] for one in rows(arm, "networkmanagers/securityadminconfigurations/snapshots")] == [snapshot]
    (goal,) = rows(arm, "networkmanagers/securityadminregionalgoalstates")
    assert goal["properties"]["securityAdminConfigurations"] == [{"id": snapshot}]
    assert goal["properties"]["securityAdminRules"] == [{"id": f"{RULE}/snapshots/1"}]
    assert (goal["location"], goal["properties"]["status"]) == ("westeurope", "Deployed")


def test_copies_that_nothing_uses_any_more_go() -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    commit(arm, SECURITY)
    kind = "networkmanagers/securityadminconfigurations/rulecollections/rules/snapshots"
    assert [one["name"] for one in rows(arm, kind)] == ["2"]


def test_memberships_are_rows_on_the_network_and_below_the_group() -> None:
    arm = managed("a")
    (row,) = rows(arm, "networkgroupmemberships")
    assert row["id"] == f"{NET}/virtualNetworks/a/providers/Microsoft.Network/networkGroupMemberships/default"
    (entry,) = row["properties"].get("groupMemberships") or row["properties"]["GroupMemberships"]
    assert (entry.get("networkGroupId") or entry.get("NetworkGroupId")) == GROUP
    (member,) = rows(arm, "networkmanagers/networkgroups/members")
    assert member["properties"] == {"memberId": f"{NET}/virtualNetworks/a"}


def test_rows_on_networks_come_in_both_casings() -> None:
    (row,) = rows(managed("a"), "networkgroupmemberships")
    assert row["properties"]["GroupMemberships"][0]["NetworkGroupId"] == GROUP
    assert row["properties"]["groupMemberships"][0]["networkGroupId"] == GROUP


def test_configurations_and_groups_are_rows() -> None:
    arm = managed("a")
    secured(arm)
    assert [row["name"] for row in rows(arm, "networkmanagers/networkgroups")] == ["spokes"]
    assert [row["name"] for row in rows(arm, "networkmanagers/securityadminconfigurations")] == ["baseline"]
    assert [row["name"] for row in rows(arm, "networkmanagers/networkgroups/staticmembers")] == ["a"]
    arm.now += 60
    managers = arm.query("resources | where type == 'microsoft.network/networkmanagers'").body["data"]
    assert [row["id"] for row in managers] == [MANAGER]
    assert "_deployments" not in managers[0]["properties"]


def test_microsofts_query_for_the_managers_of_a_network() -> None:
    """https://learn.microsoft.com/azure/virtual-network-manager/query-azure-resource-graph"""
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    arm.now += 60
    query = (
        "networkresources | where type == 'microsoft.network/effectivesecurityadminrules' "
        f"| where id == strcat('{NET}/virtualNetworks/a', '/providers/Microsoft.Network/effectiveSecurityAdminRules/default') "
        "| mv-expand properties.EffectiveSecurityAdminConfigurations "
        "| mv-expand properties.effectiveSecurityAdminConfigurations "
        "| extend configId = tolower(iff(properties_EffectiveSecurityAdminConfigurations.Id == '', "
        "properties_effectiveSecurityAdminConfigurations.id, properties_EffectiveSecurityAdminConfigurations.Id)) "
        "| extend networkManagerId = substring(configId, 0, indexof(configId, '/securityadminconfigurations/')) "
        "| distinct networkManagerId"
    )
    assert arm.query(query).body["data"] == [{"networkManagerId": MANAGER.lower()}]


def test_the_state_of_a_deployment_is_not_shown_and_survives_a_put() -> None:
    arm = managed("a")
    secured(arm)
    commit(arm, SECURITY)
    body = arm.get(MANAGER).body
    assert not [name for name in body if name.startswith("_")]
    arm.put(MANAGER, {"location": "westeurope", "tags": {"a": "b"}, "properties": body["properties"]})
    assert [one["deploymentStatus"] for one in listed(arm, f"{MANAGER}/listDeploymentStatus")] == ["Deployed"]
    assert arm.patch(MANAGER, {"tags": {"c": "d"}}).body["tags"] == {"c": "d"}
