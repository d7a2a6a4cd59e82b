"""Bodies of errors, and the shapes of 404."""

import pytest

from tests.support.arm import NET, RG, SUB, Arm, Reply, network_body, subnet_body
from tests.support.governance import assign

NETWORK = f"{NET}/virtualNetworks/v"


def error(reply: Reply) -> dict[str, object]:
    found: dict[str, object] = reply.body["error"]
    return found


# -- 404 ---------------------------------------------------------------------------------------------------------


def test_a_resource_that_is_missing_is_404_resource_not_found_from_the_gateway() -> None:
    answer = Arm().get(NETWORK)
    assert (answer.status, answer.code) == (404, "ResourceNotFound")
    assert answer.message.startswith(
        "The Resource 'Microsoft.Network/virtualNetworks/v' under resource group 'rg' was not found."
    )
    assert answer.headers["x-ms-failure-cause"] == "gateway"


def test_a_child_that_is_missing_below_a_parent_that_is_there_is_404_not_found_from_the_provider() -> None:
    arm = Arm()
    answer = arm.get(f"{arm.network('v', '10.0.0.0/16')}/subnets/no")
    assert (answer.status, answer.code) == (404, "NotFound")
    assert "x-ms-failure-cause" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_child_of_a_parent_that_is_missing_is_404_parent_resource_not_found(method: str) -> None:
    body = subnet_body("10.0.0.0/24") if method == "PUT" else None
    answer = Arm().call(method, f"{NETWORK}/subnets/s", body)
    assert (answer.status, answer.code) == (404, "ParentResourceNotFound")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_resource_in_a_group_that_is_missing_is_404_resource_group_not_found(method: str) -> None:
    path = f"{RG}x/providers/Microsoft.Network/virtualNetworks/v"
    answer = Arm().call(method, path, network_body("10.0.0.0/16") if method == "PUT" else None)
    assert (answer.status, answer.code) == (404, "ResourceGroupNotFound")


def test_a_group_that_is_missing_is_404_resource_group_not_found() -> None:
    answer = Arm().get(f"{RG}x")
    assert (answer.status, answer.code) == (404, "ResourceGroupNotFound")


def test_a_subscription_that_is_missing_is_404_subscription_not_found() -> None:
    answer = Arm().get(f"/subscriptions/{SUB[:-1]}9/resourceGroups/rg")
    assert (answer.status, answer.code) == (404, "SubscriptionNotFound")


# -- bodies ------------------------------------------------------------------------------------------------------


def test_an_error_of_the_gateway_has_code_and_message_and_no_details() -> None:
    assert list(error(Arm().get(NETWORK))) == ["code", "message"]


def test_an_error_of_microsoft_network_lists_details_even_when_there_are_none() -> None:
    arm = Arm()
    answer = arm.get(f"{arm.network('v', '10.0.0.0/16')}/subnets/no")
    assert list(error(answer)) == ["code", "message", "details"]
    assert error(answer)["details"] == []


def test_the_useful_code_may_be_in_the_details() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    arm.put(f"{network}/subnets/s", subnet_body("10.0.0.0/24"))
    answer = arm.put(network, network_body("10.0.0.0/16"))
    assert answer.code == "RetryableError"
    assert answer.body["error"]["details"][0]["code"] == "RetryableErrorDueToAnotherOperation"


def test_an_error_may_have_a_target() -> None:
    vm = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm"
    assert error(Arm().put(vm, {"location": "westeurope", "properties": {}}))["target"] == "networkProfile"


def test_a_policys_refusal_has_additional_info() -> None:
    arm = Arm()
    rule = {"if": {"field": "type", "equals": "Microsoft.Network/virtualNetworks"}, "then": {"effect": "deny"}}
    definition = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/policyDefinitions/d"
    arm.put(definition, {"properties": {"mode": "All", "policyRule": rule}}, version="2023-04-01")
    assignment = f"{RG}/providers/Microsoft.Authorization/policyAssignments/a"
    arm.put(assignment, {"properties": {"policyDefinitionId": definition}}, version="2023-04-01")
    answer = arm.put(NETWORK, network_body("10.0.0.0/16"))
    assert (answer.status, answer.code) == (403, "RequestDisallowedByPolicy")
    assert answer.body["error"]["additionalInfo"][0]["type"] == "PolicyViolation"


def test_a_role_assignment_that_would_change_is_400_role_assignment_update_not_permitted() -> None:
    arm = Arm()
    assert assign(arm, RG, arm.principals["reader"].object_id).status == 201
    answer = assign(arm, RG, arm.principals["operator"].object_id)
    assert (answer.status, answer.code) == (400, "RoleAssignmentUpdateNotPermitted")
