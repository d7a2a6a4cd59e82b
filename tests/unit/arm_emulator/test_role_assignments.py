"""Role assignments and definitions as resources: what is answered, what is refused, what they come to."""

import pytest

from arm_emulator.principals import Assignment, Principal
from tests.support.arm import NET, OTHER_SUB, RG, SUB, Arm, network_body
from tests.support.governance import (
    AUTHORIZATION,
    NETWORK_CONTRIBUTOR,
    OWNER,
    READER,
    ROLES,
    assign,
    assignment,
    assignment_path,
    custom_role,
    guid,
)

HERE = f"/subscriptions/{SUB}"
NOBODY = guid(77)


def with_principal(*assignments: Assignment) -> Arm:
    arm = Arm()
    arm.add(Principal("p", guid(70), "x", NOBODY, assignments))
    return arm


def roles(arm: Arm, scope: str, by: str = "somebody", **query: str) -> list[str]:
    raw = {"$filter": query["filter"]} if "filter" in query else {}
    answer = arm.get(f"{scope}{AUTHORIZATION}/roleAssignments", by=by, version=ROLES, **raw)
    assert answer.status == 200, answer.body
    return [one["name"] for one in answer.body["value"]]


def test_an_assignment_grants_at_once_and_its_deletion_takes_away_at_once() -> None:
    arm = with_principal()
    network = arm.network("v", "10.0.0.0/16")
    assert arm.get(network, by="p").code == "AuthorizationFailed"
    assert arm.query("resources | count", by="p").code == "AccessDenied"
    assert assign(arm, RG, NOBODY).status == 201
    assert arm.get(network, by="p").status == 200
    assert arm.query("resources | count", by="p").body["data"] == [{"Count": 1}]
    assert arm.put(network, network_body("10.0.0.0/16"), by="p").code == "AuthorizationFailed"
    assert assign(arm, network, NOBODY, NETWORK_CONTRIBUTOR, 2).status == 201
    assert arm.put(network, network_body("10.0.0.0/16"), by="p").status == 200
    assert arm.delete(assignment_path(RG), version=ROLES).status == 200
    assert arm.delete(assignment_path(network, 2), version=ROLES).status == 200
    assert arm.get(network, by="p").code == "AuthorizationFailed"
    assert arm.query("resources | count", by="p").code == "AccessDenied"


def test_an_assignment_is_answered_with_scope_times_and_who_made_it() -> None:
    arm = with_principal()
    made = assign(arm, RG, NOBODY)
    assert made.body["type"] == "Microsoft.Authorization/roleAssignments"
    assert made.body["id"] == assignment_path(RG)
    assert made.properties["scope"] == RG
    assert made.properties["roleDefinitionId"] == f"{HERE}{AUTHORIZATION}/roleDefinitions/{READER}"
    assert made.properties["principalType"] == "ServicePrincipal"
    assert made.properties["createdBy"] == arm.principals["somebody"].object_id
    assert made.properties["createdOn"].startswith("2027-01-15T08:00:00")
    assert "provisioningState" not in made.properties
    assert arm.get(assignment_path(RG), version=ROLES).body == made.body


def test_a_deletion_answers_what_was_deleted_and_then_no_content() -> None:
    arm = with_principal()
    assign(arm, RG, NOBODY)
    gone = arm.delete(assignment_path(RG), version=ROLES)
    assert (gone.status, gone.properties["principalId"]) == (200, NOBODY)
    again = arm.delete(assignment_path(RG), version=ROLES)
    assert (again.status, again.body) == (204, None)
    assert arm.get(assignment_path(RG), version=ROLES).code == "RoleAssignmentNotFound"


def test_principal_role_and_scope_of_an_assignment_cannot_be_changed() -> None:
    arm = with_principal()
    assign(arm, RG, NOBODY)
    other = assign(arm, RG, arm.principals["reader"].object_id)
    assert (other.status, other.code) == (400, "RoleAssignmentUpdateNotPermitted")
    assert assign(arm, RG, NOBODY, OWNER).code == "RoleAssignmentUpdateNotPermitted"
    assert assign(arm, RG, NOBODY, description="why").properties["description"] == "why"


def test_a_second_assignment_of_the_same_role_to_the_same_principal_at_the_same_scope_exists_already() -> None:
    arm = with_principal()
    assign(arm, RG, NOBODY)
    twin = assign(arm, RG, NOBODY, number=2)
    assert (twin.status, twin.code) == (409, "RoleAssignmentExists")
    assert guid(1).replace("-", "") in twin.message
    assert assign(arm, HERE, NOBODY, number=2).status == 201


def test_a_role_that_is_not_there_cannot_be_assigned() -> None:
    answer = assign(with_principal(), RG, NOBODY, guid(9))
    assert (answer.status, answer.code) == (404, "RoleDefinitionDoesNotExist")


def test_a_principal_that_the_directory_does_not_know_needs_its_type() -> None:
    arm = Arm()
    refused = assign(arm, RG, guid(5))
    assert (refused.status, refused.code) == (400, "PrincipalNotFound")
    assert guid(5).replace("-", "") in refused.message
    assert assign(arm, RG, guid(5), principalType="ServicePrincipal").status == 201
    group = assign(arm, RG, guid(6), number=2, principalType="Group")
    assert group.properties["principalType"] == "Group", "kept, though nobody is known to be in it"


@pytest.mark.parametrize(
    "body",
    [{}, {"properties": {}}, assignment("no-guid"), {"properties": {"principalId": NOBODY}}, assignment(NOBODY, principalType="Cat")],
)  # fmt: skip
def test_a_body_that_cannot_be_used_is_refused(body: dict[str, object]) -> None:
    answer = Arm().put(assignment_path(RG), body, version=ROLES)
    assert (answer.status, answer.code) == (400, "BadRequestFormat")


def test_the_name_of_an_assignment_is_a_guid() -> None:
    path = f"{RG}{AUTHORIZATION}/roleAssignments/reader"
    assert with_principal().put(path, assignment(NOBODY), version=ROLES).code == "InvalidRoleAssignmentId"


def test_an_assignment_on_something_that_is_not_there_is_refused() -> None:
    arm = with_principal()
    assert assign(arm, f"{NET}/virtualNetworks/no", NOBODY).code == "ResourceNotFound"
    assert assign(arm, f"{RG}x", NOBODY).code == "ResourceGroupNotFound"


def test_assignments_are_listed_at_above_and_below_a_scope_and_filtered() -> None:
    arm = with_principal()
    network = arm.network("v", "10.0.0.0/16")
    for number, scope in ((1, network), (2, RG), (3, HERE), (4, f"/subscriptions/{OTHER_SUB}")):
        assert assign(arm, scope, NOBODY, number=number).status == 201
    mine = {"filter": f"principalId eq '{NOBODY}'"}
    assert roles(arm, RG, **mine) == [guid(1), guid(2), guid(3)]
    assert roles(arm, RG, filter=f"atScope() and assignedTo('{NOBODY}')") == [guid(2), guid(3)]
    assert roles(arm, HERE, filter=f"atScope() and principalId eq '{NOBODY}'") == [guid(3)]
    assert roles(arm, "", **mine) == [guid(1), guid(2), guid(3), guid(4)]
    assert set(roles(arm, RG)) > {guid(1), guid(2), guid(3)}, (
        "what the principals started with is assigned at the tenant"
    )
    assert roles(arm, RG, filter="atScope()")[-2:] == [guid(2), guid(3)]


@pytest.mark.parametrize(
    "text", ["principalId", "principalId eq", "x eq 'y'", "atScope() or atScope()", "and", "atScope() and"]
)
def test_a_filter_that_cannot_be_read_is_refused(text: str) -> None:
    answer = Arm().get(f"{RG}{AUTHORIZATION}/roleAssignments", version=ROLES, **{"$filter": text})
    assert (answer.status, answer.code) == (400, "InvalidFilterInQueryString")


def test_assigning_needs_the_right_to_assign() -> None:
    arm = Arm()
    answer = arm.put(assignment_path(RG), assignment(NOBODY), by="operator", version=ROLES)
    assert answer.code == "AuthorizationFailed"
    assert "'Microsoft.Authorization/roleAssignments/write'" in answer.message
    assert f"'{assignment_path(RG)}'" in answer.message


def test_what_one_roles_not_actions_leave_out_another_role_can_grant() -> None:
    arm = with_principal()
    network = arm.network("v", "10.0.0.0/16")
    reading = custom_role("all but delete", ["*"], HERE, not_actions=["*/delete"])
    path = f"{HERE}{AUTHORIZATION}/roleDefinitions/{guid(31)}"
    assert arm.put(path, reading, version=ROLES).status == 201
    assert assign(arm, RG, NOBODY, guid(31)).status == 201
    assert arm.delete(network, by="p").code == "AuthorizationFailed"
    assert assign(arm, RG, NOBODY, NETWORK_CONTRIBUTOR, 2).status == 201
    assert arm.delete(network, by="p").status == 202


def test_permissions_tell_what_the_caller_may_do_at_a_scope() -> None:
    arm = with_principal()
    assign(arm, RG, NOBODY)
    path = "/providers/Microsoft.Authorization/permissions"
    found = arm.get(RG + path, by="p", version=ROLES).body["value"]
    assert found == [{"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}]
    assert arm.get(HERE + path, by="p", version=ROLES).body["value"] == []


def test_assignments_of_an_estate_count() -> None:
    row = {
        "id": assignment_path(RG),
        "type": "microsoft.authorization/roleassignments",
        "properties": {
            "roleDefinitionId": f"{HERE}{AUTHORIZATION}/roleDefinitions/{READER}",
            "principalId": NOBODY.upper(),
        },
    }
    arm = Arm(estate=[row])
    arm.add(Principal("p", guid(70), "x", NOBODY))
    assert arm.get(RG, by="p").status == 200
    assert arm.get(f"/subscriptions/{SUB}", by="p").code == "AuthorizationFailed"


# -- definitions ---------------------------------------------------------------------------------------------------------


def definition_path(number: int, scope: str = HERE) -> str:
    return f"{scope}{AUTHORIZATION}/roleDefinitions/{guid(number)}"


def test_built_in_roles_are_the_same_at_every_scope_with_the_id_of_the_subscription() -> None:
    arm = Arm()
    tenant = f"{AUTHORIZATION}/roleDefinitions/{READER}"
    for scope in (HERE, RG, f"{NET}/virtualNetworks/v"):
        found = arm.get(scope + tenant, version=ROLES)
        assert (found.status, found.body["id"]) == (200, HERE + tenant)
    found = arm.get(tenant, version=ROLES)
    assert found.body["id"] == tenant
    assert found.properties["roleName"] == "Reader"
    assert found.properties["type"] == "BuiltInRole"
    assert found.properties["permissions"][0]["actions"] == ["*/read"]


def test_definitions_are_found_by_name_and_by_type() -> None:
    arm = Arm()
    arm.put(definition_path(31), custom_role("mine", ["*/read"], HERE), version=ROLES)
    path = f"{HERE}{AUTHORIZATION}/roleDefinitions"
    login = arm.get(path, version=ROLES, **{"$filter": "roleName eq 'Virtual Machine User Login'"}).body["value"]
    assert [one["name"] for one in login] == ["fb879df8-f326-4884-b1cf-06f3ad86be52"]
    assert "Microsoft.Compute/virtualMachines/login/action" in login[0]["properties"]["permissions"][0]["dataActions"]
    custom = arm.get(path, version=ROLES, **{"$filter": "type eq 'CustomRole'"}).body["value"]
    assert [one["properties"]["roleName"] for one in custom] == ["mine"]
    elsewhere = arm.get(f"/subscriptions/{OTHER_SUB}{AUTHORIZATION}/roleDefinitions", version=ROLES).body["value"]
    assert "mine" not in [one["properties"]["roleName"] for one in elsewhere]


def test_a_custom_role_is_made_changed_and_deleted() -> None:
    arm = with_principal()
    made = arm.put(definition_path(31), custom_role("mine", ["*/read"], HERE), version=ROLES)
    assert (made.status, made.properties["type"], made.body["id"]) == (201, "CustomRole", definition_path(31))
    assign(arm, RG, NOBODY, guid(31))
    assert arm.call("POST", f"{NET}/virtualNetworks/v/start", by="p").status == 403
    changed = custom_role("mine", ["Microsoft.Resources/subscriptions/resourceGroups/write", "*/read"], HERE)
    assert arm.put(RG, {"location": "westeurope"}, by="p").code == "AuthorizationFailed"
    assert arm.put(definition_path(31), changed, version=ROLES).status == 201
    assert arm.put(RG, {"location": "westeurope"}, by="p").status == 200, "a definition that changes counts at once"
    used = arm.delete(definition_path(31), version=ROLES)
    assert (used.status, used.code) == (409, "RoleDefinitionHasAssignments")
    arm.delete(assignment_path(RG), version=ROLES)
    assert arm.delete(definition_path(31), version=ROLES).properties["roleName"] == "mine"
    assert arm.delete(definition_path(31), version=ROLES).status == 204
    assert arm.get(definition_path(31), version=ROLES).code == "RoleDefinitionDoesNotExist"


def test_the_name_of_a_role_is_the_tenants_once() -> None:
    arm = Arm()
    arm.put(definition_path(31), custom_role("mine", ["*/read"], HERE), version=ROLES)
    twin = arm.put(definition_path(32), custom_role("Mine", ["*/read"], HERE), version=ROLES)
    assert (twin.status, twin.code) == (409, "RoleDefinitionWithSameNameExists")


def test_a_custom_role_needs_the_right_on_all_its_assignable_scopes() -> None:
    arm = with_principal(Assignment(HERE, role="Owner"))
    body = custom_role("mine", ["*/read"], HERE, f"/subscriptions/{OTHER_SUB}")
    answer = arm.put(definition_path(31), body, by="p", version=ROLES)
    assert (answer.status, answer.code) == (403, "LinkedAuthorizationFailed")
    assert f"'/subscriptions/{OTHER_SUB}'" in answer.message


def test_built_in_roles_cannot_be_changed_or_deleted() -> None:
    arm = Arm()
    path = f"{HERE}{AUTHORIZATION}/roleDefinitions/{READER}"
    assert arm.put(path, custom_role("Reader", ["*"], HERE), version=ROLES).status == 400
    assert arm.delete(path, version=ROLES).status == 400
    assert arm.get(path, version=ROLES).properties["permissions"][0]["actions"] == ["*/read"]


@pytest.mark.parametrize(
    "body",
    [{}, custom_role("", ["*"], HERE), custom_role("x", ["*"]), {"properties": {"roleName": "x", "assignableScopes": [HERE], "permissions": "*"}}, {"properties": {"roleName": "x", "assignableScopes": [1]}}],
)  # fmt: skip
def test_a_definition_that_cannot_be_used_is_refused(body: dict[str, object]) -> None:
    answer = Arm().put(definition_path(31), body, version=ROLES)
    assert (answer.status, answer.code) == (400, "BadRequestFormat")
