"""What Resource Graph shows of network managers: rows in force, memberships, configurations, and their casing."""

from typing import Any

import pytest

from arm_emulator.network_manager.networks import has_pascal_rows
from tests.support.arm import NET, Arm
from tests.support.network_managers import (
    GROUP,
    MANAGER,
    RULE,
    SECURITY,
    commit,
    listed,
    managed,
    secured,
)

Json = dict[str, Any]


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


def test_rows_come_in_both_casings_a_network_in_one_of_them() -> None:
    names = [f"n{one}" for one in range(8)]
    shown = rows(managed(*names), "networkgroupmemberships")
    found = {row["id"].split("/")[8]: "GroupMemberships" in row["properties"] for row in shown}
    assert set(found.values()) == {True, False}
    assert found == {name: has_pascal_rows(f"{NET}/virtualNetworks/{name}".lower()) for name in names}


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


@pytest.mark.parametrize("pascal", [True, False])
def test_microsofts_query_for_the_managers_of_a_network(pascal: bool) -> None:
    """https://learn.microsoft.com/azure/virtual-network-manager/query-azure-resource-graph"""
    names = [f"n{one}" for one in range(64)]
    name = next(one for one in names if has_pascal_rows(f"{NET}/virtualNetworks/{one}".lower()) == pascal)
    arm = managed(name)
    secured(arm)
    commit(arm, SECURITY)
    arm.now += 60
    query = (
        "networkresources | where type == 'microsoft.network/effectivesecurityadminrules' "
        f"| where id == strcat('{NET}/virtualNetworks/{name}', '/providers/Microsoft.Network/effectiveSecurityAdminRules/default') "
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
