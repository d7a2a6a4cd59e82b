"""resourcechanges: what became of the rows of resources and resourcecontainers."""

from typing import Any

from tests.support.arm import NET, RG, Arm, link_body, subnet_body
from tests.unit.arm_emulator.facts.test_graph_queries import machine

CHANGES = "resourcechanges | extend at = todatetime(properties.changeAttributes.timestamp) | order by at asc | project properties"


def changes(arm: Arm, name: str) -> list[dict[str, Any]]:
    arm.now += 5
    found = [row["properties"] for row in arm.query(CHANGES).body["data"]]
    return [one for one in found if one["targetResourceId"].endswith(f"/{name}")]


def test_what_was_there_from_the_start_has_not_changed() -> None:
    assert Arm(estate=[machine(1)]).query("resourcechanges | count").body["data"] == [{"Count": 0}]


def test_a_resource_is_created_updated_and_deleted() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    arm.patch(network, {"tags": {"env": "prod"}})
    arm.wait()
    arm.gone(network)
    found = changes(arm, "v")
    assert [one["changeType"] for one in found] == ["Create", "Update", "Update", "Update", "Delete"]
    created, completed, tagged, deleting, deleted = found
    assert created["targetResourceType"] == "microsoft.network/virtualnetworks"
    assert (created["changes"], created["changeAttributes"]["changesCount"]) == ({}, 0)
    assert completed["changes"] == {
        "properties.provisioningState": {"previousValue": "Updating", "newValue": "Succeeded", "isTruncated": "false"}
    }
    assert tagged["changes"]["tags"] == {"previousValue": "null", "newValue": '{"env":"prod"}', "isTruncated": "false"}
    assert deleting["changes"]["properties.provisioningState"]["newValue"] == "Deleting"
    assert (deleted["changes"], deleted["changeAttributes"]["operation"]) == (
        {},
        "microsoft.network/virtualnetworks/delete",
    )
    assert "newResourceSnapshotId" not in deleted["changeAttributes"], "there are none of what was deleted"


def test_a_change_names_the_client_that_wrote_and_the_system_where_none_did() -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16")
    created, completed = changes(arm, "v")
    attributes = created["changeAttributes"]
    assert (attributes["changedBy"], attributes["changedByType"]) == (
        arm.principals["somebody"].client_id,
        "Application",
    )
    assert attributes["operation"] == "microsoft.network/virtualnetworks/write"
    assert attributes["timestamp"].endswith("+00:00")
    assert completed["changeAttributes"]["changedBy"] == "System"


def test_a_change_of_a_peering_or_a_subnet_is_an_update_of_its_network() -> None:
    arm = Arm()
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", "10.1.0.0/16")
    arm.put(f"{hub}/virtualNetworkPeerings/l", link_body(spoke))
    arm.wait()
    arm.made(f"{spoke}/subnets/s", subnet_body("10.1.0.0/24"))
    updates = [one for one in changes(arm, "hub") if one["changeType"] == "Update"]
    assert any("properties.virtualNetworkPeerings[0]" in one["changes"] for one in updates)
    assert any("properties.subnets[0]" in one["changes"] for one in changes(arm, "spoke"))
    assert not [one for one in changes(arm, "s") + changes(arm, "l") if "/subnets/" in one["targetResourceId"]]


def test_an_etag_alone_is_no_change() -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16")
    before = len(changes(arm, "v"))
    arm.cloud.touch(f"{NET}/virtualNetworks/v".lower())
    assert len(changes(arm, "v")) == before


def test_rows_of_changes_have_the_sixteen_columns_and_the_place_of_what_has_changed() -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16")
    arm.now += 5
    row = arm.query("resourcechanges | take 1").body["data"][0]
    assert len(row) == 16
    assert row["id"].startswith(f"{NET}/virtualNetworks/v/providers/Microsoft.Resources/changes/{row['name']}")
    assert (row["type"], row["resourceGroup"], row["subscriptionId"]) == (
        "microsoft.resources/changes",
        "rg",
        RG.split("/")[2],
    )


def test_changes_are_shown_after_the_lag_and_kept_for_fourteen_days() -> None:
    arm = Arm()
    arm.put(
        f"{NET}/virtualNetworks/v",
        {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}},
    )
    count = "resourcechanges | count"
    assert arm.query(count).body["data"] == [{"Count": 0}]
    arm.now += 3
    assert arm.query(count).body["data"] == [{"Count": 1}]
    arm.now += 14 * 86_400 - 10
    assert arm.query(f"{count}").body["data"][0]["Count"] >= 1
    arm.now += 20
    assert arm.query("resourcechanges | where properties.changeType == 'Create' | count").body["data"] == [{"Count": 0}]


def test_groups_have_a_table_of_changes_of_their_own_and_readers_see_what_they_may_read() -> None:
    arm = Arm()
    arm.put(RG.replace("/rg", "/made"), {"location": "westeurope"})
    arm.now += 5
    made = arm.query(
        "resourcecontainerchanges | project t = tostring(properties.changeType), id = tostring(properties.targetResourceId)"
    )
    assert made.body["data"] == [{"t": "Create", "id": RG.replace("/rg", "/made")}]
    assert arm.query("resourcechanges | count", by="reader").body["data"] == [{"Count": 0}]
