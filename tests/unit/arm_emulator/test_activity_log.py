"""The activity log: what Azure Monitor tells of writes."""

from datetime import UTC, datetime

import pytest

from tests.support.arm import NET, RG, SUB, Arm, network_body
from tests.support.governance import Json, assign, lock

HERE = f"/subscriptions/{SUB}"
LOG = f"{HERE}/providers/Microsoft.Insights/eventtypes/management/values"


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def events(arm: Arm, more: str = "", **query: str) -> list[Json]:
    text = f"eventTimestamp ge '{at(arm.now - 86_400)}'{more}"
    answer = arm.get(LOG, version="2015-04-01", **{"$filter": text, **query})
    assert answer.status == 200, answer.body
    found: list[Json] = answer.body["value"]
    return found


def statuses(found: list[Json]) -> list[tuple[str, str]]:
    return [(one["operationName"]["value"], one["status"]["value"]) for one in found]


def test_a_write_is_told_as_started_accepted_and_succeeded_newest_first() -> None:
    arm = Arm()
    network = f"{NET}/virtualNetworks/v"
    arm.put(network, network_body("10.0.0.0/16"))
    write = "Microsoft.Network/virtualNetworks/write"
    assert set(statuses(events(arm))) == {(write, "Started"), (write, "Accepted")}
    arm.wait()
    found = events(arm)
    assert statuses(found)[0] == (write, "Succeeded")
    assert len({one["correlationId"] for one in found}) == 1
    assert len({one["eventDataId"] for one in found}) == 3
    last = found[0]
    assert last["caller"] == arm.principals["somebody"].client_id
    assert last["resourceId"] == network
    assert last["resourceGroupName"] == "rg"
    assert last["authorization"] == {"action": write, "scope": network}
    assert last["eventName"]["value"] == "EndRequest"
    assert last["httpRequest"]["method"] == "PUT"
    assert last["level"] == "Informational"


def test_a_refused_write_is_told_as_failed_with_its_code() -> None:
    arm = Arm()
    lock(arm, RG, "ReadOnly")
    arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    arm.delete(f"{NET}/virtualNetworks/v", by="reader")
    failed = [one for one in events(arm) if one["status"]["value"] == "Failed"]
    assert {one["properties"]["statusMessage"].partition(":")[0] for one in failed} == {
        "ScopeLocked",
        "AuthorizationFailed",
    }
    assert {one["level"] for one in failed} == {"Error"}
    assert {one["subStatus"]["value"] for one in failed} == {"Conflict", "Forbidden"}


def test_an_operation_that_fails_is_told_so() -> None:
    arm = Arm()
    arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    (operation,) = arm.cloud.operations
    operation.fails_with = {"code": "AllocationFailed", "message": "none left", "details": []}
    arm.wait()
    assert events(arm)[0]["status"]["value"] == "Failed"
    assert events(arm)[0]["properties"]["statusMessage"] == "AllocationFailed: none left"


def test_reads_are_not_told() -> None:
    arm = Arm()
    arm.get(RG)
    arm.get(f"{NET}/virtualNetworks/no")
    assert events(arm) == []


def test_events_are_filtered_by_time_resource_group_status_and_caller() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assign(arm, network, arm.principals["reader"].object_id)
    arm.network("w", "10.1.0.0/16")
    assert {one["resourceId"] for one in events(arm, f" and resourceUri eq '{network.upper()}'")} == {network}
    assert {one["resourceId"] for one in events(arm, f" and resourceId eq '{network}'")} == {network}
    assert len(events(arm, " and resourceGroupName eq 'RG' and status eq 'Succeeded'")) == 3
    assert events(arm, " and resourceProvider eq 'Microsoft.Compute'") == []
    correlation = events(arm)[0]["correlationId"]
    assert len(events(arm, f" and correlationId eq '{correlation}'")) == 3
    assert events(arm, " and caller eq 'nobody'") == []
    assert (
        arm.get(LOG, version="2015-04-01", **{"$filter": f"eventTimestamp ge '{at(arm.now + 9)}'"}).body["value"] == []
    )
    old = f"eventTimestamp ge '{at(0)}' and eventTimestamp le '{at(9)}'"
    assert arm.get(LOG, version="2015-04-01", **{"$filter": old}).body["value"] == []
    assert set(events(arm, **{"$select": "caller, status"})[0]) == {"caller", "status"}


def test_the_log_comes_in_pages() -> None:
    arm = Arm()
    for number in range(110):
        arm.put(f"{RG}{number}", {"location": "westeurope"})
    text = f"eventTimestamp ge '{at(0)}'"
    first = arm.get(LOG, version="2015-04-01", **{"$filter": text}).body
    second = arm.get(first["nextLink"]).body
    assert (len(first["value"]), len(second["value"])) == (200, 20)
    assert not {one["eventDataId"] for one in first["value"]} & {one["eventDataId"] for one in second["value"]}


def test_the_correlation_id_of_the_client_is_kept() -> None:
    arm = Arm()
    wanted = "11111111-2222-3333-4444-555555555555"
    answer = arm.put(f"{RG}2", {"location": "westeurope"}, headers={"x-ms-correlation-request-id": wanted})
    assert answer.headers["x-ms-correlation-request-id"] == wanted
    assert {one["correlationId"] for one in events(arm)} == {wanted}


@pytest.mark.parametrize(
    "since", ["2020-01-01", "2020-01-01T00:00:00.1234567Z", "2020-01-01T00:00:00 00:00", "2020-01-01 00:00"]
)
def test_times_are_read_as_clients_write_them(since: str) -> None:
    arm = Arm()
    arm.put(f"{RG}2", {"location": "westeurope"})
    assert len(arm.get(LOG, version="2015-04-01", **{"$filter": f"eventTimestamp ge '{since}'"}).body["value"]) == 2


@pytest.mark.parametrize("text", ["", "caller eq 'x'", "eventTimestamp ge 'yesterday'"])
def test_the_log_wants_a_time_to_start_from(text: str) -> None:
    assert Arm().get(LOG, version="2015-04-01", **({"$filter": text} if text else {})).status == 400


def test_the_tenants_log_tells_what_is_in_no_subscription() -> None:
    arm = Arm()
    arm.put("/providers/Microsoft.Management/managementGroups/g", {}, version="2023-04-01")
    path = "/providers/Microsoft.Insights/eventtypes/management/values"
    found = arm.get(path, version="2015-04-01", **{"$filter": f"eventTimestamp ge '{at(0)}'"}).body["value"]
    assert statuses(found)[0] == ("Microsoft.Management/managementGroups/write", "Succeeded")
    assert events(arm) == []
