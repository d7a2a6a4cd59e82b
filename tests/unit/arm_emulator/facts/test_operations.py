"""Long operations: their signed URLs, what their polls answer, how they end, and the recorded Retry-After ladders."""

import re
from typing import Any

import pytest

from tests.support.arm import (
    NET,
    OTHER_SUB,
    PUBLIC_IP,
    RG,
    SUB,
    Arm,
    Json,
    link_body,
    network_body,
    rule_body,
    subnet_body,
)

NETWORK = f"{NET}/virtualNetworks/v"
GROUP = f"{NET}/networkSecurityGroups/n"
HOST = f"{NET}/bastionHosts/b"
INTERFACE = f"{NET}/networkInterfaces/i"
VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm"
PARTS = ("api-version", "t", "c", "s", "h")
NSG: Json = {"location": "westeurope"}


def started(arm: Arm) -> str:
    return arm.put(NETWORK, network_body("10.0.0.0/16")).headers["azure-asyncoperation"]


def failing(error: Json) -> tuple[Arm, str]:
    """An operation that will end with this error."""
    arm = Arm()
    url = started(arm)
    next(iter(arm.cloud.operations)).fails_with = error
    arm.wait()
    return arm, url


# -- the URL -----------------------------------------------------------------------------------------------------


def test_an_operation_url_has_the_recorded_path_and_parameters() -> None:
    address, _, query = started(Arm()).partition("?")
    assert re.search(
        r"/subscriptions/[0-9a-f-]{36}/providers/Microsoft\.Network/locations/westeurope/operations/[0-9a-f-]{36}$",
        address,
    )
    assert tuple(part.partition("=")[0] for part in query.split("&")) == PARTS


def test_an_operation_url_is_about_3200_characters_long() -> None:
    assert 3100 < len(started(Arm())) < 3300


def test_an_operation_url_is_replayed_verbatim() -> None:
    arm = Arm()
    url = started(arm)
    assert [arm.get(url).status for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("name", PARTS)
def test_an_operation_url_is_refused_when_a_parameter_was_tampered_with(name: str) -> None:
    arm = Arm()
    url = started(arm)
    changed = re.sub(rf"([?&]{name}=)([^&]+)", lambda found: f"{found[1]}1{found[2][1:-1]}0", url)
    assert changed != url
    assert arm.get(changed).status == 404


@pytest.mark.parametrize("name", PARTS[1:])
def test_an_operation_url_is_refused_when_a_parameter_was_cut(name: str) -> None:
    arm = Arm()
    assert arm.get(re.sub(rf"&{name}=[^&]+", "", started(arm))).status == 404


def test_the_signature_of_one_operation_does_not_open_another() -> None:
    arm = Arm()
    first = started(arm)
    second = arm.put(GROUP, NSG).headers["azure-asyncoperation"]
    assert arm.get(f"{second.partition('?')[0]}?{first.partition('?')[2]}").status == 404


# -- polls -------------------------------------------------------------------------------------------------------


def test_a_poll_of_what_runs_is_200_in_progress_with_retry_after() -> None:
    arm = Arm()
    answer = arm.get(started(arm))
    assert (answer.status, answer.body) == (200, {"status": "InProgress"})
    assert answer.headers["retry-after"] == "3"


def test_a_poll_of_what_is_done_is_200_succeeded_without_retry_after() -> None:
    arm = Arm()
    url = started(arm)
    arm.wait()
    answer = arm.get(url)
    assert (answer.status, answer.body) == (200, {"status": "Succeeded"})
    assert "retry-after" not in answer.headers


def test_a_failed_operation_is_http_200_with_status_failed() -> None:
    arm, url = failing({"code": "InternalServerError", "message": "m", "details": []})
    answer = arm.get(url)
    assert (answer.status, answer.body["status"]) == (200, "Failed")
    assert "retry-after" not in answer.headers


def test_the_error_of_a_failed_operation_has_code_message_and_details() -> None:
    error = {"code": "InternalServerError", "message": "m", "details": [{"code": "AllocationFailed", "message": "n"}]}
    arm, url = failing(error)
    assert arm.get(url).body["error"] == error


def test_a_failed_operation_leaves_the_resource_failed() -> None:
    arm, _ = failing({"code": "InternalServerError", "message": "m", "details": []})
    assert arm.get(NETWORK).properties["provisioningState"] == "Failed"


def test_an_identical_put_mends_a_failed_resource() -> None:
    arm, _ = failing({"code": "X", "message": "m", "details": []})
    arm.made(NETWORK, network_body("10.0.0.0/16"))


def test_a_canceled_operation_is_http_200_and_says_in_its_details_what_superseded_it() -> None:
    arm = Arm()
    first = started(arm)
    second = arm.put(NETWORK, network_body("10.0.0.0/16", "10.1.0.0/16")).headers["azure-asyncoperation"]
    answer = arm.get(first)
    assert (answer.status, answer.body["status"]) == (200, "Canceled")
    (detail,) = answer.body["error"]["details"]
    assert detail["code"] == "CanceledAndSupersededDueToAnotherOperation"
    assert second.partition("?")[0].rpartition("/")[2] in detail["message"]


def test_an_operation_that_is_canceled_without_another_leaves_the_resource_canceled() -> None:
    details = [{"code": "CanceledAndSupersededDueToAnotherOperation", "message": "m"}]
    arm, url = failing({"code": "Canceled", "message": "m", "details": details})
    assert (arm.get(url).body["status"], arm.get(url).body["error"]["details"]) == ("Canceled", details)
    assert arm.get(NETWORK).properties["provisioningState"] == "Canceled"


# -- Retry-After -------------------------------------------------------------------------------------------------


def with_networks() -> Arm:
    arm = Arm()
    arm.network("hub", "10.9.0.0/16", subnets=[{"name": "s", **subnet_body("10.9.0.0/24")}])
    arm.network("spoke", "10.8.0.0/16")
    return arm


def interface_body() -> Json:
    part = {"name": "c", "properties": {"subnet": {"id": f"{NET}/virtualNetworks/hub/subnets/s"}}}
    return {"location": "westeurope", "properties": {"ipConfigurations": [part]}}


def machine_body() -> Json:
    return {"location": "westeurope", "properties": {"networkProfile": {"networkInterfaces": [{"id": INTERFACE}]}}}


@pytest.mark.parametrize(
    ("path", "body", "seconds"),
    [
        ("networkSecurityGroups/n", NSG, "1"),
        ("networkSecurityGroups/there/securityRules/r", rule_body(200), "1"),
        ("publicIPAddresses/p", PUBLIC_IP, "1"),
        ("routeTables/t", {"location": "westeurope"}, "2"),
        ("virtualNetworks/v", network_body("10.0.0.0/16"), "3"),
        ("virtualNetworks/hub/subnets/another", subnet_body("10.9.1.0/24"), "3"),
        ("virtualNetworks/hub/virtualNetworkPeerings/l", link_body(f"{NET}/virtualNetworks/spoke"), "10"),
    ],
)
def test_the_first_retry_after_of_a_put_is_the_recorded_one(path: str, body: Json, seconds: str) -> None:
    arm = with_networks()
    arm.made(f"{NET}/networkSecurityGroups/there", NSG)
    assert arm.put(f"{NET}/{path}", body).headers["retry-after"] == seconds


def test_the_first_retry_after_of_a_bastion_put_is_10() -> None:
    arm = Arm()
    assert arm.put(HOST, arm.bastion_ready()).headers["retry-after"] == "10"


def test_the_first_retry_after_of_a_machine_put_is_10() -> None:
    arm = with_networks()
    arm.made(INTERFACE, interface_body())
    assert arm.put(VM, machine_body()).headers["retry-after"] == "10"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("virtualNetworks/v", network_body("10.0.0.0/16")),
        ("virtualNetworks/hub/subnets/another", subnet_body("10.9.1.0/24")),
        ("virtualNetworks/hub/virtualNetworkPeerings/l", link_body(f"{NET}/virtualNetworks/spoke")),
        ("publicIPAddresses/p", PUBLIC_IP),
        ("routeTables/t", {"location": "westeurope"}),
        ("networkSecurityGroups/there/securityRules/r", rule_body(200)),
    ],
)
def test_the_first_retry_after_of_most_deletes_is_10(path: str, body: Json) -> None:
    arm = with_networks()
    arm.made(f"{NET}/networkSecurityGroups/there", NSG)
    arm.made(f"{NET}/{path}", body)
    assert arm.delete(f"{NET}/{path}").headers["retry-after"] == "10"


def test_the_first_retry_after_of_a_bastion_delete_is_10() -> None:
    arm = Arm()
    arm.made(HOST, arm.bastion_ready())
    assert arm.delete(HOST).headers["retry-after"] == "10"


def test_the_first_retry_after_of_an_interface_delete_is_4() -> None:
    arm = with_networks()
    arm.made(INTERFACE, interface_body())
    assert arm.delete(INTERFACE).headers["retry-after"] == "4"


def test_the_first_retry_after_of_a_security_group_delete_is_1() -> None:
    arm = Arm()
    arm.made(GROUP, NSG)
    assert arm.delete(GROUP).headers["retry-after"] == "1"


def test_the_first_retry_after_of_a_resource_group_delete_is_15() -> None:
    assert Arm().delete(RG).headers["retry-after"] == "15"


def test_polls_of_a_bastion_climb_the_recorded_ladder() -> None:
    arm = Arm()
    answer = arm.put(HOST, arm.bastion_ready())
    waits = [answer.headers["retry-after"]]
    url = answer.headers["azure-asyncoperation"]
    while "retry-after" in (poll := arm.get(url)).headers:
        waits.append(poll.headers["retry-after"])
        arm.wait(float(waits[-1]))
    assert waits == ["10", "10", "20", "20", "40", "40", "80", "160", "100", "100"][: len(waits)]
    assert len(waits) > 7


@pytest.mark.parametrize(("speed", "seconds"), [(1, "10"), (2, "5"), (3, "3"), (10, "1"), (100, "0")])
def test_retry_after_is_divided_by_the_speed_in_whole_seconds(speed: float, seconds: str) -> None:
    arm = Arm(speed=speed)
    assert arm.put(HOST, arm.bastion_ready()).headers["retry-after"] == seconds


def test_the_speed_divides_how_long_azure_takes() -> None:
    arm = Arm(speed=100)
    arm.put(NETWORK, network_body("10.0.0.0/16"))
    arm.wait(0.05)
    assert arm.get(NETWORK).properties["provisioningState"] == "Succeeded"


# -- groups ------------------------------------------------------------------------------------------------------


def test_resource_group_deletion_is_polled_by_location_and_takes_its_contents() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    answer = arm.delete(RG)
    assert (answer.status, "azure-asyncoperation" in answer.headers) == (202, False)
    assert arm.get(answer.headers["location"]).status == 202
    assert arm.put(f"{NET}/virtualNetworks/late", network_body("10.0.0.0/16")).code == "ResourceGroupBeingDeleted"
    arm.wait()
    assert arm.get(answer.headers["location"]).status == 200
    assert arm.get(network).code == "ResourceGroupNotFound"
    assert arm.get(RG).code == "ResourceGroupNotFound"


def test_resource_group_deletion_fails_where_another_group_needs_its_contents() -> None:
    arm = Arm()
    other = RG.replace("/rg", "/other")
    arm.put(other, {"location": "westeurope"})
    arm.made(f"{other}/providers/Microsoft.Network/networkSecurityGroups/n", {"location": "westeurope"})
    network = arm.network("v", "10.0.0.0/16")
    group = {"id": f"{other}/providers/Microsoft.Network/networkSecurityGroups/n"}
    arm.made(f"{network}/subnets/s", subnet_body("10.0.0.0/24", networkSecurityGroup=group))
    answer = arm.delete(other)
    arm.wait()
    assert arm.get(answer.headers["location"]).code == "ResourceGroupDeletionBlocked"
    assert arm.get(f"{other}/providers/Microsoft.Network/networkSecurityGroups/n").status == 200


def test_operations_of_a_deleted_group_do_not_meet_later_resources_of_the_same_name() -> None:
    arm = Arm()
    url = arm.put(HOST, arm.bastion_ready()).headers["azure-asyncoperation"]
    arm.delete(RG)
    arm.wait(20)
    assert arm.get(url).body["status"] == "Canceled"
    arm.put(RG, {"location": "westeurope"})
    arm.made(HOST, arm.bastion_ready())


@pytest.mark.parametrize("late", [
    ("PUT", f"{NET}/virtualNetworks/late", network_body("10.9.0.0/16")),
    ("PUT", f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16")),
    ("PATCH", f"{NET}/virtualNetworks/v", {"tags": {"a": "b"}}),
    ("DELETE", f"{NET}/virtualNetworks/v", None),
    ("PUT", f"{NET}/virtualNetworks/v/providers/Microsoft.Resources/tags/default", {"properties": {"tags": {"a": "b"}}}),
    ("PATCH", f"{RG}/providers/Microsoft.Resources/tags/default", {"operation": "Merge", "properties": {"tags": {}}}),
    ("POST", f"{RG}/providers/Microsoft.Compute/virtualMachines/m/start", None),
    ("PUT", RG, {"location": "westeurope"}),
    ("PATCH", RG, {"tags": {"a": "b"}}),
])  # fmt: skip
def test_a_group_that_is_being_deleted_takes_no_write_but_its_deletion(late: tuple[str, str, Any]) -> None:
    machine = {"id": f"{RG}/providers/Microsoft.Compute/virtualMachines/m", "location": "westeurope", "properties": {}}
    arm = Arm(estate=[machine])
    arm.network("v", "10.0.0.0/16")
    assert arm.delete(RG).status == 202
    answer = arm.call(*late, version="2024-11-01" if "/tags/" in late[1] else None)
    told = "The resource group 'rg' is in deprovisioning state and cannot perform this operation."
    assert (answer.status, answer.code, answer.message) == (409, "ResourceGroupBeingDeleted", told)
    assert arm.get(f"{NET}/virtualNetworks/v").body.get("tags") is None
    assert arm.delete(RG).status == 202
    arm.wait()
    assert arm.get(RG).status == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
def test_an_operation_is_read_and_nothing_else(method: str) -> None:
    arm = Arm()
    urls = [started(arm)]
    arm.wait()
    urls += [arm.delete(path).headers["location"] for path in (NETWORK, RG)]
    for url in urls:
        answer = arm.call(method, url)
        assert (answer.status, answer.code) == (405, "UnsupportedHttpVerb")
    assert arm.get(urls[0]).status == 200


def test_the_result_of_a_group_s_deletion_is_at_its_own_place() -> None:
    arm = Arm()
    other = started(arm).partition("?")[0].rpartition("/")[2]
    url = arm.delete(RG).headers["location"]
    operation = url.partition("?")[0].rpartition("/")[2]
    for wrong in (url.replace(SUB, OTHER_SUB), url.replace(operation, other)):
        answer = arm.get(wrong)
        assert (answer.status, answer.code) == (404, "OperationNotFound")
    assert arm.get(url).status == 202
