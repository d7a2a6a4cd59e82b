"""Resource Graph's scopes, what a principal may read there, and which table a type is in."""

from typing import Any

import pytest

from arm_emulator.principals import Assignment, Principal
from tests.support.arm import NET, OTHER_SUB, RG, SUB, Arm
from tests.unit.arm_emulator.facts.test_graph_queries import machine
from tests.unit.arm_emulator.facts.test_graph_requests import ADVICE, asked, details

# -- scopes and rights -------------------------------------------------------------------------------------------


def group(name: str, parent: str | None = None) -> dict[str, Any]:
    above = (
        {}
        if parent is None
        else {"parent": {"id": f"/providers/Microsoft.Management/managementGroups/{parent}", "name": parent}}
    )
    return {
        "id": f"/providers/Microsoft.Management/managementGroups/{name}", "type": "microsoft.management/managementgroups",
        "name": name, "properties": {"displayName": name.title(), "details": above},
    }  # fmt: skip


def subscription(guid: str, *chain: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{guid}", "type": "microsoft.resources/subscriptions", "name": f"sub {guid[-1]}",
        "properties": {"managementGroupAncestorsChain": [{"name": name, "displayName": name} for name in chain]},
    }  # fmt: skip


def assignment(scope: str, name: str) -> dict[str, Any]:
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "type": "microsoft.authorization/roleassignments",
        "properties": {"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/x", "principalId": "someone", "scope": scope or "/"},
    }  # fmt: skip


@pytest.fixture(scope="module")
def governed() -> Arm:
    mg = "/providers/Microsoft.Management/managementGroups"
    return Arm(
        estate=[
            group("root"), group("land", "root"), group("corp", "land"), group("sand", "root"),
            subscription(SUB, "corp", "land", "root"), subscription(OTHER_SUB, "sand", "root"),
            assignment("", "tenant"), assignment(f"{mg}/land", "land"), assignment(f"{mg}/sand", "sand"),
            assignment(f"/subscriptions/{SUB}", "sub"), assignment(RG, "group"), assignment(f"{mg}/corp", "corp"),
            machine(1), {**machine(2), "id": machine(2)["id"].replace(SUB, OTHER_SUB)},
        ]
    )  # fmt: skip


ASSIGNED = "authorizationresources | where type =~ 'microsoft.authorization/roleassignments' and properties.principalId == 'someone' | project name | order by name asc"


@pytest.mark.parametrize(
    ("scope", "filter_name", "names"),
    [
        ({"subscriptions": [SUB]}, None, "group sub"),
        ({"subscriptions": [SUB]}, "AtScopeAndBelow", "group sub"),
        ({"subscriptions": [SUB]}, "AtScopeAndAbove", "corp land sub tenant"),
        ({"subscriptions": [SUB]}, "AtScopeAboveAndBelow", "corp group land sub tenant"),
        ({"subscriptions": [SUB]}, "AtScopeExact", "sub"),
        ({"managementGroups": ["land"]}, None, "corp group land sub"),
        ({"managementGroups": ["land"]}, "AtScopeAndAbove", "land tenant"),
        ({"managementGroups": ["LAND"]}, "AtScopeExact", "land"),
        ({"managementGroups": ["land"]}, "atscopeaboveandbelow", "corp group land sub tenant"),
        ({}, None, "corp group land sand sub tenant"),
    ],
)
def test_the_authorization_scope_filter_tells_what_is_assigned_above_and_below(
    governed: Arm, scope: dict[str, Any], filter_name: str | None, names: str
) -> None:
    options = {} if filter_name is None else {"authorizationScopeFilter": filter_name}
    assert " ".join(row["name"] for row in asked(governed, ASSIGNED, options=options, **scope).body["data"]) == names
    older = asked(governed, ASSIGNED, version="2021-03-01", options=options, **scope).body["data"]
    default = asked(governed, ASSIGNED, **scope).body["data"]
    assert older == default, "the filter came with 2021-06-01-preview"


def test_management_groups_hold_the_groups_and_subscriptions_below_them(governed: Arm) -> None:
    kinds = "resourcecontainers | where type !endswith 'resourcegroups' | project name | order by name asc"
    found = {
        one: [row["name"] for row in asked(governed, kinds, managementGroups=[one]).body["data"]]
        for one in ("root", "land", "sand")
    }
    assert found["land"] == ["corp", "land", "sub 1"]
    assert found["sand"] == ["sand", "sub 2"]
    assert found["root"] == ["corp", "land", "root", "sand", "sub 1", "sub 2"]
    assert [
        row["name"] for row in asked(governed, "resources | project name", managementGroups=["land"]).body["data"]
    ] == ["vm0001"]
    assert asked(governed, "resources | count", managementGroups=["nowhere"]).body["data"] == [{"Count": 0}]


def test_subscription_rows_tell_the_groups_above_nearest_first(governed: Arm) -> None:
    text = "resourcecontainers | where type == 'microsoft.resources/subscriptions' and name == 'sub 1'"
    (row,) = asked(governed, text).body["data"]
    assert [one["name"] for one in row["properties"]["managementGroupAncestorsChain"]][:3] == ["corp", "land", "root"]
    assert (row["location"], row["resourceGroup"], row["tags"]) == ("", "", None)
    expanded = (
        text
        + " | mv-expand with_itemindex=depth mg = properties.managementGroupAncestorsChain | project depth, mg.name | take 2"
    )
    assert asked(governed, expanded).body["data"] == [{"depth": 0, "mg_name": "corp"}, {"depth": 1, "mg_name": "land"}]


def test_a_group_that_moves_shows_in_the_rows_of_what_is_below() -> None:
    arm = Arm(estate=[group("root"), group("a", "root"), group("b", "root"), subscription(SUB, "a", "root")])
    parent = {"id": "/providers/Microsoft.Management/managementGroups/b"}
    path = "/providers/Microsoft.Management/managementGroups/a"
    moved = arm.put(path, {"properties": {"details": {"parent": parent}}}, version="2023-04-01")
    assert moved.status in (200, 202), moved.body
    arm.wait()
    arm.now += 5
    text = f"resourcecontainers | where id == '/subscriptions/{SUB}' | mv-expand mg = properties.managementGroupAncestorsChain"
    assert [row["n"] for row in arm.query(f"{text} | project n = mg.name").body["data"]][:3] == ["a", "b", "root"]


def test_nothing_readable_is_403_and_a_part_is_answered_in_silence(governed: Arm) -> None:
    mine = Assignment(f"/subscriptions/{SUB}/resourceGroups/rg", ("Microsoft.Compute/*/read",))
    for name, rights in (("nobody", ()), ("part", (mine,))):
        governed.add(Principal(name, name, "x", name, rights))
    names = "resources | project name"
    for scope in ({}, {"subscriptions": [SUB]}, {"managementGroups": ["land"]}):
        governed.now += 5
        refused = governed.query(names, by="nobody", **scope)
        assert (refused.status, refused.code, refused.message.startswith(ADVICE)) == (403, "AccessDenied", True)
        assert details(refused) == [
            {"code": "AccessDenied", "message": "Access is denied to the requested resource. The user might not have enough permission."}
        ]  # fmt: skip
        governed.now += 5
        assert governed.query(names, by="part", **scope).body["data"] == [{"name": "vm0001"}]
    assert governed.query(names, by="part", subscriptions=[OTHER_SUB]).status == 403
    assert governed.query(names, by="part", subscriptions=[SUB, OTHER_SUB]).body["data"] == [{"name": "vm0001"}]


def test_a_right_that_was_given_counts_at_once_although_the_graph_has_learnt_nothing() -> None:
    arm = Arm(estate=[machine(1)])
    arm.add(Principal("late", "late", "x", "late-object", ()))
    assert arm.query("resources | project name", by="late").status == 403
    arm.add(Principal("late", "late", "x", "late-object", (Assignment("/", role="Reader"),)))
    assert arm.query("resources | project name", by="late").body["data"] == [{"name": "vm0001"}]


def test_ten_thousand_subscriptions_are_searched_and_more_only_in_part() -> None:
    many = [subscription(f"00000000-0000-0000-0000-{n:012}", "mg") for n in range(10_001)]
    arm = Arm(estate=many)
    reply = arm.query("resourcecontainers | count")
    assert (reply.status, details(reply)[0]["code"]) == (400, "TooManySubscriptionsUnderScope")
    assert "has exceeded the allowed limit 10000" in details(reply)[0]["message"]
    partial = arm.query(
        "resourcecontainers | where type endswith 'subscriptions' | count", options={"allowPartialScopes": True}
    )
    assert partial.body["data"] == [{"Count": 10_000}]
    assert partial.headers["x-ms-tenant-subscription-limit-hit"] == "true"
    assert "x-ms-tenant-subscription-limit-hit" not in arm.query("count", subscriptions=[SUB]).headers


def test_the_filter_of_scopes_came_with_2021_06_01_preview(governed: Arm) -> None:
    options = {"authorizationScopeFilter": "AtScopeExact"}
    found = {
        version: [row["name"] for row in asked(governed, ASSIGNED, version=version, options=options, subscriptions=[SUB]).body["data"]]
        for version in ("2021-03-01", "2021-06-01-preview")
    }  # fmt: skip
    assert found == {"2021-03-01": ["group", "sub"], "2021-06-01-preview": ["sub"]}


def test_inherited_assignments_are_told_with_at_scope_above_and_below_only(governed: Arm) -> None:
    def names(**options: str) -> list[str]:
        return [row["name"] for row in asked(governed, ASSIGNED, subscriptions=[SUB], options=options).body["data"]]

    assert "tenant" not in names()
    assert "tenant" in names(authorizationScopeFilter="AtScopeAboveAndBelow")


# -- tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("Microsoft.Compute/virtualMachineScaleSets/s", "resources"),
        ("Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0", "computeresources"),
        ("Microsoft.Compute/virtualMachineScaleSets/s/virtualMachines/0/networkInterfaces/n", "computeresources"),
        ("Microsoft.Network/networkManagers/m", "resources"),
        ("Microsoft.Network/networkManagers/m/networkGroups/g", "networkresources"),
        ("Microsoft.Network/networkManagers/m/networkGroups/g/staticMembers/x", "networkresources"),
        (
            "Microsoft.Network/networkManagers/m/securityAdminConfigurations/c/ruleCollections/k/rules/r",
            "networkresources",
        ),
        (
            "Microsoft.Network/virtualNetworks/v/providers/Microsoft.Network/networkGroupMemberships/default",
            "networkresources",
        ),
        (
            "Microsoft.Network/virtualNetworks/v/subnets/s/providers/Microsoft.Network/effectiveRoutingRules/default",
            "networkresources",
        ),
        ("Microsoft.Network/virtualHubs/h", "resources"),
        ("Microsoft.Network/virtualHubs/h/bgpConnections/b", "resources"),
        ("Microsoft.Network/virtualHubs/h/ipConfigurations/i", "resources"),
        ("Microsoft.Network/virtualHubs/h/hubVirtualNetworkConnections/c", None),
        ("Microsoft.Network/virtualHubs/h/hubRouteTables/t", None),
        ("Microsoft.Network/virtualNetworks/v/subnets/s", None),
        ("Microsoft.Network/virtualNetworks/v/virtualNetworkPeerings/p", None),
        ("Microsoft.Network/networkSecurityGroups/n/securityRules/r", None),
        ("Microsoft.Network/routeTables/t/routes/r", None),
        ("Microsoft.Network/privateDnsZones/z", "resources"),
        ("Microsoft.Network/privateDnsZones/z/virtualNetworkLinks/l", "resources"),
        ("Microsoft.Network/privateDnsZones/z/A/www", "dnsresources"),
        ("Microsoft.Authorization/policyAssignments/p", "policyresources"),
        ("Microsoft.Authorization/roleAssignments/r", "authorizationresources"),
        ("Microsoft.Authorization/locks/l", None),
        ("Microsoft.PolicyInsights/policyStates/p", "policyresources"),
        ("Microsoft.Storage/storageAccounts/s", "resources"),
    ],
)
def test_each_type_is_in_the_table_that_documentation_puts_it_in(kind: str, table: str | None) -> None:
    identifier = f"{RG}/providers/{kind}"
    _, _, own = identifier.rpartition("/providers/")
    segments = own.split("/")
    row = {"id": identifier, "type": "/".join([segments[0], *segments[1::2]]), "properties": {}}
    arm = Arm(estate=[row])
    every = (
        "resources",
        "computeresources",
        "networkresources",
        "authorizationresources",
        "policyresources",
        "dnsresources",
    )
    found = []
    for name in every:
        arm.now += 5
        if arm.query(f"{name} | where id =~ '{identifier}' | count").body["data"] == [{"Count": 1}]:
            found.append(name)
    assert found == ([] if table is None else [table])


def test_what_network_managers_say_of_a_network_keeps_the_casing_of_an_estate_file() -> None:
    vnet = f"{NET}/virtualNetworks/v"
    member = {
        "id": f"{vnet}/providers/Microsoft.Network/networkGroupMemberships/default",
        "type": "microsoft.network/networkgroupmemberships",
        "properties": {"GroupMemberships": [{"NetworkGroupId": "/g"}]},
    }
    effective = {
        "id": f"{vnet}/providers/Microsoft.Network/effectiveSecurityAdminRules/default",
        "type": "microsoft.network/effectivesecurityadminrules",
        "properties": {"effectiveSecurityAdminConfigurations": [{"id": "/c/snapshots/1"}]},
    }
    arm = Arm(estate=[member, effective])
    found = {
        row["type"]: row["properties"] for row in arm.query("networkresources | project type, properties").body["data"]
    }
    assert found == {row["type"]: row["properties"] for row in (member, effective)}
