"""Rows of the table resources and of those beside it: columns, empties, casing, and what of a resource they hold."""

from typing import Any

import pytest

from tests.support.arm import NET, RG, SUB, Arm, link_body, rule_body, subnet_body
from tests.unit.arm_emulator.facts.test_graph_queries import COLUMNS, machine

TEXTS, NULLS = ("kind", "managedBy"), ("sku", "plan", "identity", "zones", "extendedLocation")


@pytest.fixture(scope="module")
def arm() -> Arm:
    arm = Arm(estate=[machine(1)])
    group = f"{NET}/networkSecurityGroups/Guard"
    arm.made(group, {"location": "westeurope"})
    arm.made(f"{group}/securityRules/r", rule_body(200))
    inner = {"name": "s", **subnet_body("10.0.0.0/24", networkSecurityGroup={"id": group})}
    hub, spoke = arm.network("Hub", "10.0.0.0/16", subnets=[inner]), arm.network("spoke", "10.1.0.0/16")
    arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(spoke))
    arm.put(RG.replace("/rg", "/Mixed"), {"location": "westeurope"})
    mixed = NET.replace("/rg/", "/Mixed/")
    arm.made(f"{mixed}/routeTables/t", {"location": "westeurope", "tags": {}})
    arm.wait()
    return arm


def row(arm: Arm, name: str, table: str = "resources") -> dict[str, Any]:
    arm.now += 5
    (found,) = arm.query(f"{table} | where name == '{name}'").body["data"]
    answer: dict[str, Any] = found
    return answer


def test_a_row_has_the_sixteen_columns_in_their_order(arm: Arm) -> None:
    assert list(row(arm, "Hub")) == COLUMNS


@pytest.mark.parametrize("column", TEXTS)
def test_kind_and_managed_by_are_empty_texts_where_there_is_nothing(arm: Arm, column: str) -> None:
    assert row(arm, "Hub")[column] == ""


@pytest.mark.parametrize("column", NULLS)
def test_other_columns_are_null_where_there_is_nothing(arm: Arm, column: str) -> None:
    assert row(arm, "Hub")[column] is None


def test_tags_are_null_or_an_empty_object(arm: Arm) -> None:
    assert [row(arm, name)["tags"] for name in ("Hub", "t")] == [None, {}]


def test_a_row_has_no_etag_of_its_own(arm: Arm) -> None:
    assert not {"etag", "_etag"} & {*row(arm, "Hub"), *row(arm, "Hub")["properties"]}


def test_the_etags_inside_of_a_row_stay(arm: Arm) -> None:
    etag = arm.get(f"{NET}/virtualNetworks/Hub").body["etag"]
    inner = row(arm, "Hub")["properties"]
    assert [inner["subnets"][0]["etag"], inner["virtualNetworkPeerings"][0]["etag"]] == [etag, etag]


def test_the_etag_of_a_default_rule_in_a_row_is_its_groups(arm: Arm) -> None:
    rules = row(arm, "Guard")["properties"]["defaultSecurityRules"]
    assert {rule["etag"] for rule in rules} == {arm.get(f"{NET}/networkSecurityGroups/Guard").body["etag"]}


def test_the_type_is_in_lower_case(arm: Arm) -> None:
    assert row(arm, "Hub")["type"] == "microsoft.network/virtualnetworks"


def test_the_type_of_a_child_inside_of_a_row_is_as_azure_spells_it(arm: Arm) -> None:
    (subnet,) = row(arm, "Hub")["properties"]["subnets"]
    assert subnet["type"] == "Microsoft.Network/virtualNetworks/subnets"


def test_the_resource_group_is_in_lower_case_in_resources(arm: Arm) -> None:
    assert row(arm, "t")["resourceGroup"] == "mixed"


def test_the_resource_group_is_as_it_was_made_in_resourcecontainers(arm: Arm) -> None:
    assert row(arm, "Mixed", "resourcecontainers")["resourceGroup"] == "Mixed"


def test_the_id_keeps_the_casing_of_resource_manager(arm: Arm) -> None:
    assert row(arm, "Hub")["id"] == f"{NET}/virtualNetworks/Hub"


def test_a_row_tells_subscription_and_tenant(arm: Arm) -> None:
    assert [row(arm, "Hub")[name] for name in ("subscriptionId", "tenantId")] == [SUB, "tenant"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Hub", f"{NET}/virtualNetworks/Hub"),
        ("Guard", f"{NET}/networkSecurityGroups/Guard"),
        ("t", f"{NET.replace('/rg/', '/Mixed/')}/routeTables/t"),
    ],
)
def test_the_properties_of_a_row_are_those_of_a_get(arm: Arm, name: str, path: str) -> None:
    assert row(arm, name)["properties"] == arm.get(path).properties


def test_subnets_and_peerings_are_inside_of_their_networks_row(arm: Arm) -> None:
    inner = row(arm, "Hub")["properties"]
    assert [one["name"] for one in (*inner["subnets"], *inner["virtualNetworkPeerings"])] == ["s", "l"]
    assert inner["virtualNetworkPeerings"][0]["properties"]["peeringState"] == "Initiated"


def test_a_network_without_peerings_has_an_empty_list_of_them(arm: Arm) -> None:
    assert row(arm, "spoke")["properties"]["virtualNetworkPeerings"] == []


@pytest.mark.parametrize("name", ["s", "l", "r"])
def test_subnets_peerings_and_rules_have_no_rows_of_their_own(arm: Arm, name: str) -> None:
    arm.now += 5
    assert arm.query(f"resources | where name == '{name}' | count").body["data"] == [{"Count": 0}]


def test_the_power_state_of_a_machine_is_in_its_row(arm: Arm) -> None:
    view = row(arm, "vm0001")["properties"]["extended"]["instanceView"]
    assert view["powerState"]["code"] == "PowerState/running"


def test_the_power_state_of_a_machine_is_not_in_a_get(arm: Arm) -> None:
    assert "extended" not in arm.get(f"{RG}/providers/Microsoft.Compute/virtualMachines/vm0001").properties


def test_a_subscriptions_row_has_an_empty_location_and_group_and_no_tags(arm: Arm) -> None:
    arm.now += 5
    (found,) = arm.query(f"resourcecontainers | where id == '/subscriptions/{SUB}'").body["data"]
    assert [found[name] for name in ("location", "resourceGroup", "tags")] == ["", "", None]
    assert found["type"] == "microsoft.resources/subscriptions"
    assert found["properties"]["state"] == "Enabled"


def test_a_groups_row_is_in_resourcecontainers_with_its_type(arm: Arm) -> None:
    assert row(arm, "Mixed", "resourcecontainers")["type"] == "microsoft.resources/subscriptions/resourcegroups"
