"""How writes start, how their operations are polled, and how they end."""

import pytest

from tests.support.arm import NET, PUBLIC_IP, RG, Arm, link_body, network_body, rule_body, subnet_body


def test_put_that_creates_answers_201_updating_with_operation_url_and_no_location() -> None:
    answer = Arm().put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    assert answer.status == 201
    assert answer.properties["provisioningState"] == "Updating"
    assert answer.headers["azure-asyncnotification"] == "Enabled"
    assert "azure-asyncoperation" in answer.headers
    assert "location" not in answer.headers


def test_put_that_updates_answers_200() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    answer = arm.put(network, network_body("10.0.0.0/16", "10.1.0.0/16"))
    assert (answer.status, answer.properties["provisioningState"]) == (200, "Updating")


def test_nsg_put_that_changes_nothing_is_200_succeeded_without_retry_after() -> None:
    arm = Arm()
    body = {"location": "westeurope", "properties": {"securityRules": [{"name": "r", **rule_body(200)}]}}
    arm.made(f"{NET}/networkSecurityGroups/n", body)
    answer = arm.put(f"{NET}/networkSecurityGroups/n", body)
    assert (answer.status, answer.properties["provisioningState"]) == (200, "Succeeded")
    assert "retry-after" not in answer.headers
    assert "azure-asyncoperation" not in answer.headers


def test_delete_answers_202_empty_with_both_urls_and_ends_in_404() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    answer = arm.delete(network)
    assert (answer.status, answer.body) == (202, None)
    assert "/operations/" in answer.headers["azure-asyncoperation"]
    assert "/operationResults/" in answer.headers["location"]
    assert arm.get(network).properties["provisioningState"] == "Deleting"
    assert arm.get(answer.headers["location"]).status == 202
    arm.wait()
    assert arm.get(answer.headers["location"]).status == 204
    assert arm.get(answer.headers["azure-asyncoperation"]).body == {"status": "Succeeded"}
    assert arm.get(network).status == 404


def test_delete_of_what_is_gone_is_204_and_404_where_the_parent_is_gone() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assert arm.delete(f"{NET}/virtualNetworks/never").status == 204
    assert arm.delete(f"{network}/subnets/never").status == 204
    assert arm.delete(f"{NET}/virtualNetworks/never/subnets/s").status == 404


def test_operation_url_is_long_and_only_a_verbatim_replay_is_accepted() -> None:
    arm = Arm()
    url = arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16")).headers["azure-asyncoperation"]
    assert 3000 < len(url) < 3400
    assert arm.get(url).status == 200
    assert arm.get(url.replace("&t=", "&t=1")).status == 404
    assert arm.get(url.partition("&t=")[0]).status == 404


def test_poll_answers_in_progress_with_retry_after_then_succeeded_without() -> None:
    arm = Arm()
    url = arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16")).headers["azure-asyncoperation"]
    running = arm.get(url)
    assert (running.status, running.body) == (200, {"status": "InProgress"})
    assert "retry-after" in running.headers
    arm.wait()
    ended = arm.get(url)
    assert ended.body == {"status": "Succeeded"}
    assert "retry-after" not in ended.headers


def test_failed_operation_is_http_200_with_status_failed_and_leaves_the_resource_failed() -> None:
    arm = Arm()
    url = arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16")).headers["azure-asyncoperation"]
    operation = next(iter(arm.cloud.operations))
    operation.fails_with = {"code": "InternalServerError", "message": "m", "details": []}
    arm.wait()
    answer = arm.get(url)
    assert (answer.status, answer.body["status"], answer.code) == (200, "Failed", "InternalServerError")
    assert arm.get(f"{NET}/virtualNetworks/v").properties["provisioningState"] == "Failed"


def test_identical_put_mends_a_failed_resource() -> None:
    arm = Arm()
    arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))
    next(iter(arm.cloud.operations)).fails_with = {"code": "X", "message": "m", "details": []}
    arm.wait()
    arm.made(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16"))


@pytest.mark.parametrize(
    ("path", "body", "seconds"),
    [
        ("networkSecurityGroups/n", {"location": "westeurope"}, "1"),
        ("publicIPAddresses/p", PUBLIC_IP, "1"),
        ("routeTables/t", {"location": "westeurope"}, "2"),
        ("virtualNetworks/v", network_body("10.0.0.0/16"), "3"),
        ("virtualNetworks/hub/subnets/s", subnet_body("10.9.1.0/24"), "3"),
        ("virtualNetworks/hub/virtualNetworkPeerings/l", link_body(f"{NET}/virtualNetworks/spoke"), "10"),
    ],
)
def test_first_retry_after_of_a_put_is_the_recorded_one(path: str, body: object, seconds: str) -> None:
    arm = Arm()
    arm.network("hub", "10.9.0.0/16")
    arm.network("spoke", "10.8.0.0/16")
    assert arm.put(f"{NET}/{path}", body).headers["retry-after"] == seconds


def test_first_retry_after_of_deletes_is_the_recorded_one() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    arm.made(f"{NET}/networkSecurityGroups/n", {"location": "westeurope"})
    assert arm.delete(network).headers["retry-after"] == "10"
    assert arm.delete(f"{NET}/networkSecurityGroups/n").headers["retry-after"] == "1"
    arm.wait()
    assert arm.delete(RG).headers["retry-after"] == "15"


def test_bastion_polls_climb_the_recorded_ladder() -> None:
    arm = Arm()
    answer = arm.put(f"{NET}/bastionHosts/b", arm.bastion_ready())
    waits = [answer.headers["retry-after"]]
    url = answer.headers["azure-asyncoperation"]
    while "retry-after" in (poll := arm.get(url)).headers:
        waits.append(poll.headers["retry-after"])
        arm.wait(float(waits[-1]))
    assert waits == ["10", "10", "20", "20", "40", "40", "80", "160", "100", "100"][: len(waits)]
    assert len(waits) > 7


def test_speed_divides_waits_and_retry_after_stays_whole_seconds() -> None:
    arm = Arm(speed=100)
    assert arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16")).headers["retry-after"] == "0"
    arm.wait(0.05)
    assert arm.get(f"{NET}/virtualNetworks/v").properties["provisioningState"] == "Succeeded"


def test_bastion_takes_minutes_and_its_dns_name_appears_with_success() -> None:
    arm = Arm()
    assert "dnsName" not in arm.put(f"{NET}/bastionHosts/b", arm.bastion_ready()).properties
    arm.wait(359)
    waiting = arm.get(f"{NET}/bastionHosts/b").properties
    assert waiting["provisioningState"] == "Updating"
    assert "dnsName" not in waiting
    arm.wait(241)
    done = arm.get(f"{NET}/bastionHosts/b").properties
    assert done["provisioningState"] == "Succeeded"
    assert done["dnsName"].startswith("bst-")
    assert done["dnsName"].endswith(".bastion.azure.com")


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


def test_a_canceled_operation_says_what_superseded_it() -> None:
    arm = Arm()
    url = arm.put(f"{NET}/virtualNetworks/v", network_body("10.0.0.0/16")).headers["azure-asyncoperation"]
    details = [{"code": "CanceledAndSupersededDueToAnotherOperation", "message": "m"}]
    next(iter(arm.cloud.operations)).fails_with = {"code": "Canceled", "message": "m", "details": details}
    arm.wait()
    answer = arm.get(url)
    assert (answer.status, answer.body["status"], answer.body["error"]["details"]) == (200, "Canceled", details)
    assert arm.get(f"{NET}/virtualNetworks/v").properties["provisioningState"] == "Canceled"


def test_operations_of_a_deleted_group_do_not_meet_later_resources_of_the_same_name() -> None:
    arm = Arm()
    url = arm.put(f"{NET}/bastionHosts/b", arm.bastion_ready()).headers["azure-asyncoperation"]
    arm.delete(RG)
    arm.wait(20)
    assert arm.get(url).body["status"] == "Canceled"
    arm.put(RG, {"location": "westeurope"})
    arm.made(f"{NET}/bastionHosts/b", arm.bastion_ready())
