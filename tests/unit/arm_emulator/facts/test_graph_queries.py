"""Resource Graph: the query language, rows, paging, lag, quota, rights and errors."""

from typing import Any

import pytest

from arm_emulator.principals import Assignment, Principal
from tests.support.arm import NET, OTHER_SUB, RG, SUB, Arm, subnet_body

COLUMNS = ["id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku", "plan",
           "properties", "tags", "identity", "zones", "extendedLocation"]  # fmt: skip


def machine(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "id": f"{RG}/providers/Microsoft.Compute/virtualMachines/vm{number:04}",
        "type": "microsoft.compute/virtualmachines",
        "location": ["westeurope", "eastus"][number % 2],
        "tags": {"env": "prod", "owner": "Ann Onym"} if number % 3 == 0 else None,
        "properties": {
            "vmId": str(number),
            "hardware": {"size": number, "disks": [{"lun": n} for n in range(number % 3)]},
            "networkProfile": {"networkInterfaces": [{"id": f"{NET}/networkInterfaces/nic{number}"}]},
            "extended": {"instanceView": {"powerState": {"code": "PowerState/running", "displayStatus": "VM running"}}},
            **properties,
        },
    }


@pytest.fixture(scope="module")
def arm() -> Arm:
    network = {
        "id": f"{NET}/virtualNetworks/Hub",
        "type": "microsoft.network/virtualnetworks",
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]},
    }  # fmt: skip
    return Arm(estate=[machine(n) for n in range(10)] + [network])


def rows(arm: Arm, text: str) -> list[dict[str, Any]]:
    arm.now += 5
    answer = arm.query(text)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["data"]
    return found


def column(arm: Arm, text: str) -> list[Any]:
    return [value for row in rows(arm, text) for value in row.values()]


VMS = "resources | where type =~ 'Microsoft.Compute/virtualMachines'"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resources | count", [11]),
        ("Resources | where type == 'Microsoft.Compute/virtualMachines' | count", [0]),
        (f"{VMS} | count", [10]),
        ("where type has 'VIRTUALNETWORKS' | project name", ["Hub"]),
        (f"{VMS} | where name in~ ('VM0001', 'vm0003') | project name | order by name asc", ["vm0001", "vm0003"]),
        (f"{VMS} | where name in ('VM0001', 'vm0003') | project name", ["vm0003"]),
        (f"{VMS} | where name !in~ ('VM0001') | count", [9]),
        (f"{VMS} | where properties.hardware.size between (2 .. 4) | count", [3]),
        (f"{VMS} | where properties.hardware.size >= 8 or (location == 'eastus' and not(name endswith '9')) | count", [6]),
        (f"{VMS} | where isnotempty(tags.env) | count", [4]),
        (f"{VMS} | where isnull(tags['env']) | count", [6]),
        (f"{VMS} | where tags.owner has 'onym' | count", [4]),
        (f"{VMS} | where tags.owner has 'ony' | count", [0]),
        (f"{VMS} | where tags.owner contains 'ONY' | count", [4]),
        (f"{VMS} | where tags.owner contains_cs 'ONY' | count", [0]),
        (f"{VMS} | where name matches regex @'^vm000[12]$' | count", [2]),
        (f"{VMS} | where name startswith 'VM' and name !startswith_cs 'VM' | count", [10]),
        (f"{VMS} | top 2 by name | project name", ["vm0009", "vm0008"]),
        (f"{VMS} | sort by toint(properties.hardware.size) | take 1 | project name", ["vm0009"]),
        (f"{VMS} | distinct location | order by location asc", ["eastus", "westeurope"]),
        (f"{VMS} | extend size = toint(properties.hardware.size) | summarize sum(size), max(size), avg(size)", [45, 9, 4.5]),
        (f"{VMS} | summarize n = dcount(location), k = countif(location == 'eastus')", [2, 5]),
        (f"{VMS} | project iff(location == 'eastus', 'E', 'W') | take 1", ["W"]),
        (f"{VMS} | where name == 'vm0002' | project strcat(name, '/', location, '/', tostring(properties.hardware.size))", ["vm0002/westeurope/2"]),
        (f"{VMS} | where name == 'vm0002' | project substring(name, 2, 2), indexof(name, '2'), array_length(properties.hardware.disks)", ["00", 5, 2]),
        (f"{VMS} | where name == 'vm0002' | project split(name, 'm')[1]", ["0002"]),
        (f"{VMS} | where name == 'vm0002' | mv-expand disk = properties.hardware.disks | project toint(disk.lun) | order by properties_x asc", None),
        (f"{VMS} | where name == 'vm0002' | mv-expand disk = properties.hardware.disks | project disk.lun", [0, 1]),
        (f"{VMS} | parse name with 'vm' number:int | where number > 7 | project number", [8, 9]),
        (f"{VMS} | where name == 'vm0001' | project a = 1 + 2 * 3 - 4 / 2, b = 7 % 4", [5, 3]),
        ("resources | where properties.addressSpace.addressPrefixes[0] == '10.0.0.0/16' | project name", ["Hub"]),
        (f"{VMS} | where todatetime('2020-01-01') < ago(1d) and now() > datetime(2021-05-01) | count", [10]),
        (f"{VMS} | where (hash(tolower(id)) % 3 + 3) % 3 in (0, 1, 2) | count", [10]),
        (f"{VMS} | union (resources | where type has 'virtualnetworks') | count", [11]),
        ("resourcecontainers | where type == 'microsoft.resources/subscriptions/resourcegroups' | project name", ["rg", "rg"]),
        ("resourcecontainers | where type == 'microsoft.resources/subscriptions' | count", [2]),
        ("networkresources | count", [0]),
        ("authorizationresources | where name == 'none' | count", [0]),
        ("computeresources | count", [0]),
        ("resources | where type has 'subnets' | count", [0]),
    ],
)  # fmt: skip
def test_the_query_language(arm: Arm, query: str, expected: list[Any] | None) -> None:
    if expected is None:
        arm.now += 5
        assert arm.query(query).status == 400, "a column that was not projected cannot be sorted by"
    else:
        assert column(arm, query) == expected


def test_paths_name_their_columns_with_underscores(arm: Arm) -> None:
    row = rows(arm, f"{VMS} | project properties.hardware.size, tostring(properties.vmId), x = location, 1 | take 1")[0]
    assert list(row) == ["properties_hardware_size", "properties_vmId", "x", "Column1"]
    assert list(rows(arm, f"{VMS} | summarize count() by location")[0]) == ["location", "count_"]
    assert list(rows(arm, f"{VMS} | summarize make_set(name), dcount(id) by location")[0]) == [
        "location",
        "set_name",
        "dcount_id",
    ]


def test_project_away_and_extend_keep_the_other_columns(arm: Arm) -> None:
    kept = list(rows(arm, f"{VMS} | extend size = properties.hardware.size | project-away prop*, t* | take 1")[0])
    assert kept == [name for name in COLUMNS if not name.startswith(("prop", "t"))] + ["size"]


def test_join_on_different_names(arm: Arm) -> None:
    right = "(resourcecontainers | where type endswith 'resourcegroups' | project sub = subscriptionId, group = name)"
    assert len(rows(arm, f"resources | join kind=leftouter {right} on $left.subscriptionId == $right.sub")) == 11


def test_machines_carry_their_power_state(arm: Arm) -> None:
    code = column(arm, f"{VMS} | project properties.extended.instanceView.powerState.code | take 1")
    assert code == ["PowerState/running"]


def test_pages_follow_each_other_by_skip_token(arm: Arm) -> None:
    text, names, token, pages = "resources | project id, name | order by id asc", [], None, 0
    while True:
        arm.now += 5
        body = arm.query(text, options={"$top": 4, **({"$skipToken": token} if token else {})}).body
        assert (body["totalRecords"], body["count"], body["resultTruncated"]) == (11, len(body["data"]), "false")
        names += [row["name"] for row in body["data"]]
        pages, token = pages + 1, body.get("$skipToken")
        if token is None:
            break
    assert (len(set(names)), pages) == (11, 3)


def test_the_table_format(arm: Arm) -> None:
    arm.now += 5
    data = arm.query(
        f"{VMS} | project name, size = properties.hardware.size | top 1 by name", options={"resultFormat": "table"}
    ).body["data"]
    assert data == {
        "columns": [{"name": "name", "type": "string"}, {"name": "size", "type": "object"}],
        "rows": [["vm0009", 9]],
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resources | project-rename a = name", "InvalidQueryLanguage"),
        ("resources | where nosuch == 1", "FailedToResolveEntity"),
        ("resources | extend a = nosuch(id)", "FailedToResolveEntity"),
        ("resources | evaluate bag_unpack(tags)", "InvalidQueryLanguage"),
        ("resources | where name = 'x'", "ParserFailure"),
        ("resources | project", "ParserFailure"),
        ("resources | where id == 'unterminated", "ParserFailure"),
        ("resources |", "ParserFailure"),
        ("", "ParserFailure"),
        ("resources | join kind=anti (resources) on id", "UnsupportedJoinFlavor"),
        (
            "resources | join (networkresources) on id | join (networkresources) on id",
            "DisallowedMaxNumberOfRemoteTables",
        ),
        ("resources" + " | join (resources) on id" * 4, "DisallowedMaxNumberOfJoins"),
        ("resources | union (resources), (resources), (resources)", "DisallowedMaxNumberOfUnionLegs"),
    ],
)
def test_queries_that_are_refused_name_the_reason(arm: Arm, query: str, code: str) -> None:
    arm.now += 5
    answer = arm.query(query)
    assert (answer.status, answer.code, answer.body["error"]["details"][1]["code"]) == (400, "BadRequest", code)


def test_rows_are_limited_to_what_the_principal_may_read_and_to_the_subscriptions_asked_for() -> None:
    other = {**machine(1), "id": machine(1)["id"].replace(SUB, OTHER_SUB)}
    arm = Arm(estate=[machine(0), other])
    arm.add(Principal("p", "p", "x", "p", (Assignment(f"/subscriptions/{SUB}", ("*/read",)),)))
    names = "resources | project name"
    assert [row["name"] for row in arm.query(names, by="p").body["data"]] == ["vm0000"]
    assert [row["name"] for row in arm.query(names, subscriptions=[OTHER_SUB.upper()]).body["data"]] == ["vm0001"]
    assert [row["name"] for row in arm.query(names, by="p", subscriptions=[SUB, OTHER_SUB]).body["data"]] == ["vm0000"]
    assert arm.query(names, by="p", subscriptions=[OTHER_SUB]).status == 403


def test_role_assignments_and_network_manager_rows_of_an_estate_are_served() -> None:
    assignment = {
        "id": f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleAssignments/a1",
        "type": "microsoft.authorization/roleassignments",
        "properties": {"roleDefinitionId": "/x/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7", "principalId": "p", "scope": f"/subscriptions/{SUB}"},
    }  # fmt: skip
    effective = {
        "id": f"{NET}/virtualNetworks/hub/providers/Microsoft.Network/effectiveSecurityAdminRules/default",
        "type": "microsoft.network/effectivesecurityadminrules",
        "properties": {"effectiveSecurityAdminConfigurations": []},
    }
    tenant_wide = {**assignment, "id": "/providers/Microsoft.Authorization/roleAssignments/a2"}
    arm = Arm(estate=[assignment, effective, tenant_wide])
    assert column(arm, "authorizationresources | where name in ('a1', 'a2') | summarize count() by type") == [
        "microsoft.authorization/roleassignments",
        2,
    ]
    assert column(arm, "networkresources | project type") == ["microsoft.network/effectivesecurityadminrules"]


def test_management_groups_and_the_authorization_scope_filter_bound_a_query() -> None:
    chain = [{"name": "Landing", "displayName": "Landing zones"}, {"name": "root", "displayName": "Tenant Root Group"}]
    subscription = {
        "id": f"/subscriptions/{OTHER_SUB}", "type": "microsoft.resources/subscriptions", "name": "landed",
        "properties": {"managementGroupAncestorsChain": chain},
    }  # fmt: skip
    above = {
        "id": "/providers/Microsoft.Authorization/roleAssignments/a",
        "type": "microsoft.authorization/roleassignments",
        "properties": {},
    }
    other = {**machine(1), "id": machine(1)["id"].replace(SUB, OTHER_SUB)}
    arm = Arm(estate=[subscription, above, machine(0), other])
    assert [row["name"] for row in arm.query("resources", managementGroups=["landing"]).body["data"]] == ["vm0001"]
    count = "authorizationresources | where name == 'a' | count"
    assert arm.query(count, subscriptions=[SUB]).body["data"] == [{"Count": 0}]
    wide = {"authorizationScopeFilter": "AtScopeAboveAndBelow"}
    assert arm.query(count, subscriptions=[SUB], options=wide).body["data"] == [{"Count": 1}]
    assert arm.query(count).body["data"] == [{"Count": 1}]
    row = arm.query("resourcecontainers | where name == 'landed'").body["data"][0]
    assert row["properties"]["managementGroupAncestorsChain"] == chain
    assert (row["location"], row["resourceGroup"], row["properties"]["state"]) == ("", "", "Enabled")


def test_a_row_shows_that_a_back_reference_has_gone() -> None:
    arm = Arm()
    network, group = arm.network("v", "10.0.0.0/16"), f"{NET}/networkSecurityGroups/n"
    arm.made(group, {"location": "westeurope"})
    shown = "resources | where name == 'n' | project array_length(properties.subnets)"
    for body, expected in (
        (subnet_body("10.0.0.0/24", networkSecurityGroup={"id": group}), 1),
        (subnet_body("10.0.0.0/24"), None),
    ):
        etag = arm.get(group).body["etag"]
        arm.made(f"{network}/subnets/s", body)
        arm.now += 5
        assert arm.query(shown).body["data"][0]["Column1"] == expected
        assert arm.get(group).body["etag"] != etag
