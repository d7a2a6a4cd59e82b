"""Writes that meet on one family of resources: refused for now, retryable, or canceled and superseded."""

from typing import Any

from tests.support.arm import (
    NET,
    PUBLIC_IP,
    Arm,
    bastion_body,
    link_body,
    network_body,
    rule_body,
    subnet_body,
)

HOST = f"{NET}/bastionHosts/b"
GROUP = f"{NET}/networkSecurityGroups/n"
INTERFACE = f"{NET}/networkInterfaces/i"


def interface_body(subnet: str) -> dict[str, Any]:
    part = {"name": "c", "properties": {"subnet": {"id": subnet}}}
    return {"location": "westeurope", "properties": {"ipConfigurations": [part]}}


def test_a_second_write_below_one_network_is_another_operation_in_progress() -> None:
    arm = Arm()
    network, spoke = arm.network("v", "10.0.0.0/16"), arm.network("s", "10.1.0.0/16")
    url = arm.put(f"{network}/subnets/a", subnet_body("10.0.0.0/24")).headers["azure-asyncoperation"]
    for answer in (
        arm.put(f"{network}/subnets/b", subnet_body("10.0.1.0/24")),
        arm.put(f"{network}/virtualNetworkPeerings/l", link_body(spoke)),
        arm.delete(f"{network}/subnets/a"),
        arm.delete(network),
    ):
        assert (answer.status, answer.code) == (409, "AnotherOperationInProgress")
        assert url.partition("?")[0] in answer.message
        assert "retry-after" not in answer.headers
    assert arm.get(network).properties["provisioningState"] == "Succeeded"
    arm.wait()
    assert arm.put(f"{network}/subnets/b", subnet_body("10.0.1.0/24")).status == 201


def test_a_host_on_a_subnet_or_address_that_is_updating_gets_referenced_resource_not_provisioned() -> None:
    arm = Arm()
    network = arm.network("hub", "10.0.0.0/16")
    address, subnet = f"{NET}/publicIPAddresses/p", f"{network}/subnets/AzureBastionSubnet"
    arm.made(address, PUBLIC_IP)
    arm.put(subnet, subnet_body("10.0.1.0/26"))
    answer = arm.put(HOST, bastion_body(subnet, address))
    assert (answer.status, answer.code) == (400, "ReferencedResourceNotProvisioned")
    assert "retry-after" not in answer.headers
    arm.wait()
    arm.put(f"{network}/subnets/another", subnet_body("10.0.2.0/24"))
    assert arm.get(network).properties["provisioningState"] == "Succeeded"
    assert arm.put(HOST, bastion_body(subnet, address)).code == "ReferencedResourceNotProvisioned"
    arm.wait()
    arm.put(address, PUBLIC_IP)
    assert arm.put(HOST, bastion_body(subnet, address)).code == "ReferencedResourceNotProvisioned"
    arm.wait()
    arm.made(HOST, bastion_body(subnet, address))


def test_a_host_cannot_be_deleted_while_it_is_made() -> None:
    arm = Arm()
    arm.put(HOST, arm.bastion_ready())
    assert arm.delete(HOST).code == "AnotherOperationInProgress"


def test_a_network_put_while_a_subnet_is_written_is_retryable_due_to_another_operation() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    arm.put(f"{network}/subnets/a", subnet_body("10.0.0.0/24"))
    answer = arm.put(network, network_body("10.0.0.0/16"))
    assert (answer.status, answer.code) == (429, "RetryableError")
    assert answer.body["error"]["details"][0]["code"] == "RetryableErrorDueToAnotherOperation"
    assert "PutSubnetOperation" in answer.body["error"]["details"][0]["message"]
    assert answer.headers["retry-after"] == "11"
    arm.wait()
    assert arm.put(network, network_body("10.0.0.0/16")).status == 200


def test_an_interface_on_a_subnet_that_is_updating_is_a_retryable_error_without_retry_after() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    arm.put(f"{network}/subnets/a", subnet_body("10.0.0.0/24"))
    answer = arm.put(INTERFACE, interface_body(f"{network}/subnets/a"))
    assert (answer.status, answer.code) == (429, "RetryableError")
    assert answer.body["error"]["details"][0]["code"] == "ReferencedResourceNotProvisioned"
    assert "retry-after" not in answer.headers
    arm.wait()
    assert arm.put(INTERFACE, interface_body(f"{network}/subnets/a")).status == 201


def test_a_rule_put_while_another_is_written_cancels_and_supersedes_it_and_both_rules_stay() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    first = arm.put(f"{GROUP}/securityRules/a", rule_body(200)).headers["azure-asyncoperation"]
    second = arm.put(f"{GROUP}/securityRules/b", rule_body(201)).headers["azure-asyncoperation"]
    ended = arm.get(first)
    assert ended.status == 200
    assert (ended.body["status"], ended.body["error"]["code"]) == ("Canceled", "Canceled")
    detail = ended.body["error"]["details"][0]
    assert detail["code"] == "CanceledAndSupersededDueToAnotherOperation"
    identity = [url.partition("?")[0].rpartition("/")[2] for url in (first, second)]
    assert detail["message"] == (
        f"Operation PutSecurityRuleOperation ({identity[0]}) was canceled and superseded by operation "
        f"PutSecurityRuleOperation ({identity[1]})."
    )
    assert arm.get(second).body["status"] == "InProgress"
    arm.wait()
    assert arm.get(second).body["status"] == "Succeeded"
    rules = arm.get(GROUP).properties["securityRules"]
    assert {rule["name"]: rule["properties"]["provisioningState"] for rule in rules} == {
        "a": "Succeeded",
        "b": "Succeeded",
    }


def test_three_writes_in_a_row_come_to_rest_with_the_last() -> None:
    arm = Arm()
    arm.put(GROUP, {"location": "westeurope"})
    arm.put(f"{GROUP}/securityRules/a", rule_body(200))
    arm.put(f"{GROUP}/securityRules/b", rule_body(201))
    arm.wait()
    group = arm.get(GROUP).properties
    assert group["provisioningState"] == "Succeeded"
    assert {rule["properties"]["provisioningState"] for rule in group["securityRules"]} == {"Succeeded"}


def test_a_network_put_supersedes_a_put_of_the_same_network() -> None:
    arm = Arm()
    path = f"{NET}/virtualNetworks/v"
    first = arm.put(path, network_body("10.0.0.0/16")).headers["azure-asyncoperation"]
    assert arm.put(path, network_body("10.0.0.0/16", "10.1.0.0/16")).status == 200
    assert arm.get(first).body["error"]["details"][0]["code"] == "CanceledAndSupersededDueToAnotherOperation"
    arm.wait()
    network = arm.get(path).properties
    assert (network["provisioningState"], network["addressSpace"]["addressPrefixes"]) == (
        "Succeeded",
        ["10.0.0.0/16", "10.1.0.0/16"],
    )


def test_nothing_supersedes_a_deletion() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    arm.delete(GROUP)
    assert arm.put(GROUP, {"location": "westeurope"}).code == "AnotherOperationInProgress"
    assert arm.put(f"{GROUP}/securityRules/a", rule_body(200)).code == "AnotherOperationInProgress"


def test_a_refused_write_cancels_nothing() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    first = arm.put(f"{GROUP}/securityRules/a", rule_body(200)).headers["azure-asyncoperation"]
    assert arm.put(f"{GROUP}/securityRules/b", rule_body(200)).code == "SecurityRuleConflict"
    assert arm.get(first).body["status"] == "InProgress"
