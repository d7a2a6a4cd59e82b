"""Diagnostic settings: where the logs of a resource are sent."""

import pytest

from tests.support.arm import NET, RG, Arm
from tests.support.governance import Json, assign

SETTINGS = "2021-05-01-preview"
WORKSPACE = f"{RG}/providers/Microsoft.OperationalInsights/workspaces/logs"


def setting(**properties: object) -> Json:
    logs = [{"category": "BastionAuditLogs", "enabled": True}]
    return {"properties": {"workspaceId": WORKSPACE, "logs": logs, **properties}}


def host(arm: Arm) -> str:
    """A Bastion host, and a workspace beside it."""
    body = arm.bastion_ready()
    arm.made(f"{NET}/bastionHosts/b", body)
    assert arm.put(WORKSPACE, {"location": "westeurope"}, version="2025-07-01").status == 201
    arm.wait()
    return f"{NET}/bastionHosts/b"


def path(owner: str, name: str = "d") -> str:
    return f"{owner}/providers/Microsoft.Insights/diagnosticSettings/{name}"


def test_a_setting_sends_a_hosts_audit_logs_to_a_workspace() -> None:
    arm = Arm()
    owner = host(arm)
    made = arm.put(path(owner), setting(metrics=[{"category": "AllMetrics", "enabled": True}]), version=SETTINGS)
    assert (made.status, made.body["id"], made.body["type"]) == (
        200,
        path(owner),
        "Microsoft.Insights/diagnosticSettings",
    )
    assert made.properties["workspaceId"] == WORKSPACE
    assert made.properties["logs"] == [
        {
            "category": "BastionAuditLogs",
            "categoryGroup": None,
            "enabled": True,
            "retentionPolicy": {"enabled": False, "days": 0},
        }
    ]
    listed = arm.get(path(owner, "").rstrip("/"), version=SETTINGS).body["value"]
    assert [one["name"] for one in listed] == ["d"]
    assert arm.delete(path(owner), version=SETTINGS).status == 200
    assert arm.delete(path(owner), version=SETTINGS).status == 204
    assert arm.get(path(owner), version=SETTINGS).status == 404


def test_a_resource_has_at_most_five_settings() -> None:
    arm = Arm()
    owner = host(arm)
    for number in range(5):
        storage = f"{RG}/providers/Microsoft.Storage/storageAccounts/s{number}"
        body = setting(workspaceId=None, storageAccountId=storage)
        assert arm.put(path(owner, f"d{number}"), body, version=SETTINGS).status == 200
    refused = arm.put(path(owner, "d5"), setting(), version=SETTINGS)
    assert (refused.status, refused.code) == (409, "Conflict")
    assert "limit of 5" in refused.message


def test_a_category_goes_to_a_workspace_once() -> None:
    arm = Arm()
    owner = host(arm)
    assert arm.put(path(owner), setting(), version=SETTINGS).status == 200
    assert arm.put(path(owner), setting(), version=SETTINGS).status == 200
    refused = arm.put(path(owner, "e"), setting(), version=SETTINGS)
    assert (refused.status, refused.code) == (409, "Conflict")
    assert "'BastionAuditLogs'" in refused.message


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"workspaceId": None}, 400),
        ({"workspaceId": RG}, 400),
        ({"workspaceId": f"{WORKSPACE}2"}, 404),
        ({"logs": [{"category": "Nothing", "enabled": True}]}, 400),
        ({"logs": [{"enabled": True}]}, 400),
        ({"logs": [{"category": "BastionAuditLogs", "categoryGroup": "audit", "enabled": True}]}, 400),
        ({"logs": [{"category": "BastionAuditLogs", "enabled": "yes"}]}, 400),
        ({"metrics": [{"category": "Latency", "enabled": True}]}, 400),
    ],
)
def test_settings_that_cannot_be_are_refused(change: Json, status: int) -> None:
    arm = Arm()
    owner = host(arm)
    assert arm.put(path(owner), setting(**change), version=SETTINGS).status == status


def test_sending_to_a_workspace_needs_the_right_to_its_keys() -> None:
    arm = Arm()
    owner = host(arm)
    assign(arm, owner, arm.principals["operator"].object_id, "b24988ac-6180-42a0-ab88-20f7382dd24c")
    refused = arm.put(path(owner), setting(), by="operator", version=SETTINGS)
    assert (refused.status, refused.code) == (403, "LinkedAuthorizationFailed")
    assert "'Microsoft.OperationalInsights/workspaces/sharedKeys/action'" in refused.message


def test_categories_tell_what_a_host_can_send() -> None:
    arm = Arm()
    owner = host(arm)
    listed = arm.get(f"{owner}/providers/Microsoft.Insights/diagnosticSettingsCategories", version=SETTINGS).body[
        "value"
    ]
    assert [(one["name"], one["properties"]["categoryType"]) for one in listed] == [
        ("BastionAuditLogs", "Logs"),
        ("AllMetrics", "Metrics"),
    ]
    one = arm.get(
        f"{owner}/providers/Microsoft.Insights/diagnosticSettingsCategories/bastionauditlogs", version=SETTINGS
    )
    assert one.body["properties"]["categoryGroups"] == ["audit", "allLogs"]
    gone = arm.get(f"{NET}/bastionHosts/no/providers/Microsoft.Insights/diagnosticSettingsCategories", version=SETTINGS)
    assert gone.code == "ResourceNotFound"
