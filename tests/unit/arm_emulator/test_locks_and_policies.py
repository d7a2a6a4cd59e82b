"""What stands before writes that are permitted: locks, policies, registration, the state of the subscription."""

from typing import Any

import pytest

from arm_emulator import registration
from tests.support.arm import NET, OTHER_SUB, PUBLIC_IP, RG, SUB, Arm, network_body, subnet_body
from tests.support.governance import AUTHORIZATION, LOCKS, POLICIES, TAGS, assign, guid, lock, policy

HERE = f"/subscriptions/{SUB}"
BODY = network_body("10.0.0.0/16")


@pytest.mark.parametrize("scope", [HERE, RG, f"{NET}/virtualNetworks/v"])
def test_cannot_delete_is_inherited_and_lets_writes_through(scope: str) -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assert lock(arm, scope, "CanNotDelete").status == 201
    refused = arm.delete(network)
    assert (refused.status, refused.code) == (409, "ScopeLocked")
    assert refused.message == (
        f"The scope '{network}' cannot perform delete operation because following scope(s) are locked: '{scope}'. Please "
        "remove the lock and try again."
    )
    assert arm.put(network, BODY).status == 200
    arm.wait()
    assert arm.delete(f"{scope}{AUTHORIZATION}/locks/l", version=LOCKS).status == 200
    arm.gone(network)


def test_a_parent_of_something_locked_cannot_be_deleted() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    lock(arm, network, "CanNotDelete")
    refused = arm.delete(RG)
    assert refused.code == "ScopeLocked"
    assert f"are locked: '{network}'" in refused.message


def test_read_only_refuses_every_write_and_post_but_no_read() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    lock(arm, RG, "readonly")
    for answer in (
        arm.put(network, BODY),
        arm.put(f"{network}/subnets/s", subnet_body("10.0.0.0/24")),
        arm.put(f"{NET}/virtualNetworks/new", BODY),
        arm.patch(network, {"tags": {}}),
        arm.patch(f"{network}/providers/Microsoft.Resources/tags/default", {"operation": "Merge", "properties": {}}, version=TAGS),
        arm.call("POST", f"{RG}/providers/Microsoft.Compute/virtualMachines/vm/start"),
        arm.delete(network),
    ):  # fmt: skip
        assert (answer.status, answer.code) == (409, "ScopeLocked"), answer.body
    assert arm.get(network).status == 200
    assert arm.put(f"{NET}/virtualNetworks/v".replace(SUB, OTHER_SUB), BODY).status == 201


def test_locks_keep_role_assignments_too_but_not_themselves() -> None:
    arm = Arm()
    assign(arm, RG, arm.principals["reader"].object_id)
    lock(arm, RG, "CanNotDelete")
    assert arm.delete(f"{RG}{AUTHORIZATION}/roleAssignments/{guid(1)}", version="2022-04-01").code == "ScopeLocked"
    lock(arm, RG, "ReadOnly", "other")
    assert lock(arm, RG, "CanNotDelete", "other").status == 200


def test_locks_are_listed_at_a_scope_and_below_or_above() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    for number, scope in enumerate((HERE, RG, network)):
        lock(arm, scope, "CanNotDelete", f"l{number}")

    def names(scope: str, **query: str) -> list[str]:
        return [one["name"] for one in arm.get(f"{scope}{AUTHORIZATION}/locks", version=LOCKS, **query).body["value"]]

    assert names(HERE) == ["l0", "l1", "l2"]
    assert names(RG) == ["l1", "l2"]
    assert names(RG, **{"$filter": "atScope()"}) == ["l0", "l1"]
    assert names(network) == ["l2"]


def test_a_lock_has_one_of_two_levels_and_its_own_404() -> None:
    arm = Arm()
    assert lock(arm, RG, "Forever").status == 400
    assert arm.get(f"{RG}{AUTHORIZATION}/locks/no", version=LOCKS).code == "LockNotFound"
    assert arm.delete(f"{RG}{AUTHORIZATION}/locks/no", version=LOCKS).status == 204


def test_a_lock_of_an_estate_holds() -> None:
    row = {
        "id": f"{RG}{AUTHORIZATION}/locks/l",
        "type": "microsoft.authorization/locks",
        "properties": {"level": "CanNotDelete"},
    }
    assert Arm(estate=[row]).delete(RG).code == "ScopeLocked"


# -- policies ------------------------------------------------------------------------------------------------------------

IS_NETWORK = {"field": "type", "equals": "Microsoft.Network/virtualNetworks"}


def test_a_denied_write_tells_policy_assignment_and_what_was_looked_at() -> None:
    arm = Arm()
    elsewhere = {"field": "location", "notIn": ["northeurope"]}
    definition = policy(arm, HERE, {"allOf": [IS_NETWORK, elsewhere]}, displayName="Where networks are")
    refused = arm.put(f"{NET}/virtualNetworks/v", BODY)
    assert (refused.status, refused.code) == (403, "RequestDisallowedByPolicy")
    error = refused.body["error"]
    assert error["target"] == "v"
    assert error["message"].startswith("Resource 'v' was disallowed by policy. Policy identifiers: '[{")
    (told,) = error["additionalInfo"]
    assert told["type"] == "PolicyViolation"
    assert told["info"]["policyDefinitionId"] == definition
    assert told["info"]["policyDefinitionDisplayName"] == "Where networks are"
    assert told["info"]["policyAssignmentScope"] == HERE
    assert told["info"]["policyDefinitionEffect"] == "deny"
    assert told["info"]["evaluationDetails"]["evaluatedExpressions"][1] == {
        "result": "True",
        "expressionKind": "Field",
        "expression": "location",
        "path": "location",
        "expressionValue": "westeurope",
        "targetValue": ["northeurope"],
        "operator": "NotIn",
    }
    assert arm.put(f"{NET}/virtualNetworks/v", {**BODY, "location": "North Europe"}).status == 201
    assert arm.put(f"{NET}/publicIPAddresses/i", PUBLIC_IP).status == 201


@pytest.mark.parametrize(
    ("condition", "denied"),
    [
        ({"field": "tags['owner']", "exists": "false"}, True),
        ({"field": "tags.team", "equals": "NET"}, True),
        ({"field": "tags[team]", "notEquals": "net"}, False),
        ({"field": "name", "like": "hub-*"}, True),
        ({"field": "name", "notLike": "hub-*"}, False),
        ({"field": "name", "contains": "eu"}, True),
        ({"field": "tags", "containsKey": "Team"}, True),
        ({"not": {"field": "type", "in": ["Microsoft.Network/routeTables"]}}, True),
        ({"anyOf": [{"field": "name", "equals": "x"}, {"field": "location", "equals": "WESTEUROPE"}]}, True),
        ({"field": "Microsoft.Network/virtualNetworks/addressSpace.addressPrefixes[*]", "like": "10.*"}, True),
        ({"field": "Microsoft.Network/virtualNetworks/addressSpace.addressPrefixes[*]", "like": "10.0.*"}, False),
        ({"field": "Microsoft.Network/virtualNetworks/enableDdosProtection", "equals": "true"}, True),
        ({"field": "Microsoft.Network/virtualNetworks/subnets[*].networkSecurityGroup.id", "exists": "false"}, True),
        ({"field": "Microsoft.Network/routeTables/x", "exists": True}, False),
        ({"value": "[resourceGroup().location]", "equals": "westeurope"}, True),
        ({"value": "[concat(field('name'), '-', field('location'))]", "equals": "hub-eu-westeurope"}, True),
    ],
)
def test_conditions(condition: dict[str, Any], denied: bool) -> None:
    arm = Arm()
    policy(arm, RG, {"allOf": [IS_NETWORK, condition]})
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]
    body = {
        **network_body("10.0.0.0/16", "10.1.0.0/16", enableDdosProtection=True, subnets=subnets),
        "tags": {"team": "net"},
    }
    answer = arm.put(f"{NET}/virtualNetworks/hub-eu", body)
    assert answer.status == (403 if denied else 201), answer.body


def test_a_patch_is_judged_by_what_it_leads_to() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    policy(arm, HERE, {"field": "tags['secret']", "exists": "true"})
    assert arm.patch(network, {"tags": {"secret": "x"}}).code == "RequestDisallowedByPolicy"
    tags = f"{network}/providers/Microsoft.Resources/tags/default"
    merged = {"operation": "Merge", "properties": {"tags": {"secret": "x"}}}
    assert arm.patch(tags, merged, version=TAGS).code == "RequestDisallowedByPolicy"
    assert arm.patch(network, {"tags": {"open": "x"}}).status == 200


def test_parameters_come_from_the_assignment_and_else_from_the_definition() -> None:
    arm = Arm()
    rule = {
        "if": {"field": "[concat('tags[', parameters('tag'), ']')]", "exists": "false"},
        "then": {"effect": "[parameters('effect')]"},
    }
    declared = {"tag": {"type": "String"}, "effect": {"type": "String", "defaultValue": "deny"}}
    definition = f"{HERE}{AUTHORIZATION}/policyDefinitions/d"
    body = {"properties": {"mode": "Indexed", "policyRule": rule, "parameters": declared}}
    assert arm.put(definition, body, version=POLICIES).status == 201
    path = f"{RG}{AUTHORIZATION}/policyAssignments/a"
    given: dict[str, Any] = {"policyDefinitionId": definition}
    assert arm.put(path, {"properties": given}, version=POLICIES).code == "MissingPolicyParameter"
    given["parameters"] = {"tag": {"value": "owner"}}
    assert arm.put(path, {"properties": given}, version=POLICIES).status == 201
    assert arm.put(f"{NET}/virtualNetworks/v", BODY).code == "RequestDisallowedByPolicy"
    assert arm.put(f"{NET}/virtualNetworks/v", {**BODY, "tags": {"Owner": "me"}}).status == 201
    arm.wait()
    assert arm.put(f"{NET}/virtualNetworks/v/subnets/s", subnet_body("10.0.0.0/24")).status == 201, (
        "Indexed: has no tags"
    )
    given["parameters"]["effect"] = {"value": "audit"}
    assert arm.put(path, {"properties": given}, version=POLICIES).status == 201
    assert arm.put(f"{NET}/virtualNetworks/w", BODY).status == 201


@pytest.mark.parametrize(("mode", "status"), [("All", 403), ("Indexed", 200)])
def test_resource_groups_are_judged_in_mode_all_only(mode: str, status: int) -> None:
    arm = Arm()
    policy(arm, HERE, {"field": "tags['owner']", "exists": "false"}, mode=mode)
    assert arm.put(RG, {"location": "westeurope"}).status == status


def test_assignments_that_are_not_enforced_or_leave_a_scope_out_deny_nothing_there() -> None:
    arm = Arm()
    definition = policy(arm, HERE, IS_NETWORK)
    path = f"{HERE}{AUTHORIZATION}/policyAssignments/p"
    assert arm.put(f"{NET}/virtualNetworks/v", BODY).status == 403
    for change in ({"notScopes": [RG.upper()]}, {"enforcementMode": "DoNotEnforce"}):
        assert (
            arm.put(path, {"properties": {"policyDefinitionId": definition, **change}}, version=POLICIES).status == 201
        )
        assert arm.put(f"{NET}/virtualNetworks/v", BODY).status in (200, 201)
        arm.wait()


def test_the_message_of_an_assignment_is_told() -> None:
    arm = Arm()
    definition = policy(arm, HERE, IS_NETWORK)
    told = {"policyDefinitionId": definition, "nonComplianceMessages": [{"message": "ask the network team"}]}
    arm.put(f"{HERE}{AUTHORIZATION}/policyAssignments/p", {"properties": told}, version=POLICIES)
    assert "Reasons: 'ask the network team'" in arm.put(f"{NET}/virtualNetworks/v", BODY).message


def test_a_set_denies_what_one_of_its_definitions_denies() -> None:
    arm = Arm()
    definition = policy(arm, HERE, IS_NETWORK)
    arm.delete(f"{HERE}{AUTHORIZATION}/policyAssignments/p", version=POLICIES)
    together = f"{HERE}{AUTHORIZATION}/policySetDefinitions/s"
    members = [{"policyDefinitionId": definition, "parameters": {}}]
    assert arm.put(together, {"properties": {"policyDefinitions": members}}, version=POLICIES).status == 201
    assert arm.delete(definition, version=POLICIES).status == 409
    body = {"properties": {"policyDefinitionId": together}}
    assert arm.put(f"{RG}{AUTHORIZATION}/policyAssignments/s", body, version=POLICIES).status == 201
    assert arm.put(f"{NET}/virtualNetworks/v", BODY).code == "RequestDisallowedByPolicy"
    assert arm.delete(f"{RG}{AUTHORIZATION}/policyAssignments/s", version=POLICIES).status == 200
    assert arm.delete(together, version=POLICIES).status == 200
    assert arm.delete(definition, version=POLICIES).status == 200
    assert arm.get(definition, version=POLICIES).code == "PolicyDefinitionNotFound"


@pytest.mark.parametrize(
    "rule",
    [
        None, {}, {"if": {}, "then": {"effect": "deny"}}, {"if": IS_NETWORK, "then": {}}, {"if": IS_NETWORK, "then": {"effect": "explode"}},
        {"if": {"field": "name", "matches": "x"}, "then": {"effect": "deny"}}, {"if": {"allOf": []}, "then": {"effect": "deny"}},
        {"if": {"count": {}, "equals": 1}, "then": {"effect": "deny"}}, {"if": {"field": "name", "equals": "[utcNow()]"}, "then": {"effect": "deny"}},
        {"if": {"field": "name", "equals": "[parameters('no')]"}, "then": {"effect": "deny"}}, {"if": {"field": "name", "equals": "[concat('a'"}, "then": {"effect": "deny"}},
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_evaluated_is_refused_when_it_is_written(rule: object) -> None:
    path = f"{HERE}{AUTHORIZATION}/policyDefinitions/d"
    answer = Arm().put(path, {"properties": {"policyRule": rule}}, version=POLICIES)
    assert (answer.status, answer.code) == (400, "InvalidPolicyRule")


def test_an_assignment_of_an_unknown_definition_is_refused() -> None:
    body = {"properties": {"policyDefinitionId": f"{HERE}{AUTHORIZATION}/policyDefinitions/no"}}
    answer = Arm().put(f"{RG}{AUTHORIZATION}/policyAssignments/a", body, version=POLICIES)
    assert (answer.status, answer.code) == (404, "PolicyDefinitionNotFound")


# -- registration and subscription state ---------------------------------------------------------------------------------


def provider(arm: Arm, namespace: str = "Microsoft.Network") -> str:
    return str(arm.get(f"{HERE}/providers/{namespace}").body["registrationState"])


def test_a_namespace_that_is_not_registered_refuses_puts() -> None:
    row = {
        "id": f"{HERE}/providers/Microsoft.Network",
        "namespace": "Microsoft.Network",
        "registrationState": "NotRegistered",
    }
    arm = Arm(estate=[row])
    assert provider(arm) == "NotRegistered"
    refused = arm.put(f"{NET}/virtualNetworks/v", BODY)
    assert (refused.status, refused.code) == (409, "MissingSubscriptionRegistration")
    (detail,) = refused.body["error"]["details"]
    assert (detail["code"], detail["target"]) == ("MissingSubscriptionRegistration", "Microsoft.Network")
    assert arm.get(f"{NET}/virtualNetworks").status == 200
    assert arm.put(f"{NET}/virtualNetworks/v".replace(SUB, OTHER_SUB), BODY).status == 201


def test_registering_takes_a_while_and_can_be_built_on_at_once() -> None:
    arm = Arm()
    path = f"{HERE}/providers/Microsoft.Network"
    assert arm.call("POST", f"{path}/unregister").body["registrationState"] == "Unregistering"
    assert arm.put(f"{NET}/virtualNetworks/v", BODY).code == "MissingSubscriptionRegistration"
    arm.wait(registration.SECONDS)
    assert provider(arm) == "Unregistered"
    assert arm.call("POST", f"{path}/register", by="reader").code == "AuthorizationFailed"
    assert arm.call("POST", f"{path}/register", by="operator").body["registrationState"] == "Registering"
    assert arm.put(f"{NET}/virtualNetworks/v", BODY).status == 201
    arm.wait(registration.SECONDS)
    assert provider(arm) == "Registered"


def test_providers_of_the_tenant_tell_types_with_the_names_of_regions() -> None:
    arm = Arm()
    network = arm.get("/providers/Microsoft.Network").body
    hosts = next(one for one in network["resourceTypes"] if one["resourceType"] == "bastionHosts")
    assert "West Europe" in hosts["locations"]
    assert "registrationState" not in network
    listed = arm.get("/providers").body["value"]
    assert "Microsoft.Authorization" in [one["namespace"] for one in listed]
    assert arm.get("/providers/Microsoft.Nothing").code == "InvalidResourceNamespace"


@pytest.mark.parametrize("state", ["Disabled", "Warned"])
def test_a_disabled_subscription_is_read_and_deleted_from_only(state: str) -> None:
    row = {"id": HERE, "type": "microsoft.resources/subscriptions", "name": "s", "properties": {"state": state}}
    network = {"id": f"{NET}/virtualNetworks/v", "location": "westeurope", "properties": BODY["properties"]}
    arm = Arm(estate=[row, network])
    assert arm.get(HERE).body["state"] == state
    for answer in (arm.put(f"{NET}/virtualNetworks/w", BODY), arm.patch(f"{NET}/virtualNetworks/v", {"tags": {}})):
        assert (answer.status, answer.code) == (409, "ReadOnlyDisabledSubscription")
    assert arm.get(f"{NET}/virtualNetworks/v").status == 200
    arm.gone(f"{NET}/virtualNetworks/v")


def test_a_field_through_an_empty_list_has_no_value() -> None:
    arm = Arm()
    path = "[field('Microsoft.Network/virtualNetworks/subnets[*].name')]"
    policy(arm, HERE, {"value": path, "equals": "a"})
    assert arm.put(f"{NET}/virtualNetworks/v", BODY).status == 201
    inner = [{"name": "a", **subnet_body("10.0.0.0/24")}]
    assert (
        arm.put(f"{NET}/virtualNetworks/w", network_body("10.0.0.0/16", subnets=inner)).code
        == "RequestDisallowedByPolicy"
    )


@pytest.mark.parametrize("kind", ["policyDefinitions", "policySetDefinitions", "policyAssignments"])
def test_metadata_is_an_object_and_a_list_lives_with_what_stands(kind: str) -> None:
    path = f"{HERE}{AUTHORIZATION}/{kind}"
    arm = Arm(estate=[{"id": f"{path}/old", "properties": {"metadata": "s"}}])
    definition = policy(arm, HERE, {"field": "name", "equals": "never"})
    body = {
        "policyRule": {"if": {"field": "name", "equals": "x"}, "then": {"effect": "deny"}},
        "policyDefinitions": [{"policyDefinitionId": definition}],
        "policyDefinitionId": definition,
    }
    for metadata, status in (("s", 400), (["a"], 400), ({"category": "Net"}, 201)):
        answer = arm.put(f"{path}/new", {"properties": {**body, "metadata": metadata}}, version=POLICIES)
        assert answer.status == status, answer.body
    listed = arm.get(path, version=POLICIES, **{"$filter": "category eq 'Net'"})
    assert [one["name"] for one in listed.body["value"]] == ["new"]
