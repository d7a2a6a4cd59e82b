"""Management groups: the tree, what is inherited along it, and where it shows."""

from arm_emulator.principals import Principal
from tests.support.arm import OTHER_SUB, RG, SUB, Arm
from tests.support.governance import GROUPS, MANAGEMENT, Json, assign, guid

NOBODY = guid(77)


def make(arm: Arm, name: str, parent: str | None = None) -> Json:
    details: Json = {} if parent is None else {"details": {"parent": {"id": f"{MANAGEMENT}/{parent}"}}}
    answer = arm.put(f"{MANAGEMENT}/{name}", {"properties": {"displayName": name.title(), **details}}, version=GROUPS)
    assert answer.status == 200, answer.body
    body: Json = answer.body
    return body


def move(arm: Arm, subscription: str, group: str) -> int:
    return arm.put(f"{MANAGEMENT}/{group}/subscriptions/{subscription}", None, version=GROUPS).status


def chain(arm: Arm, subscription: str = SUB) -> list[str]:
    arm.wait(2)
    query = (
        f"resourcecontainers | where type =~ 'microsoft.resources/subscriptions' and subscriptionId == '{subscription}'"
    )
    (row,) = arm.query(query).body["data"]
    return [one["name"] for one in row["properties"]["managementGroupAncestorsChain"]]


def test_every_subscription_is_below_the_tenant_root_group() -> None:
    arm = Arm()
    assert chain(arm) == ["tenant"]
    root = arm.get(f"{MANAGEMENT}/tenant", version=GROUPS)
    assert root.properties["displayName"] == "Tenant Root Group"
    assert root.properties["tenantId"] == "tenant"
    assert "parent" not in root.properties["details"]


def test_a_group_is_made_below_the_root_unless_its_parent_is_named() -> None:
    arm = Arm()
    assert make(arm, "landing")["properties"]["details"]["parent"]["id"] == f"{MANAGEMENT}/tenant"
    made = make(arm, "corp", "landing")
    assert made["properties"]["details"]["parent"] == {
        "id": f"{MANAGEMENT}/landing",
        "name": "landing",
        "displayName": "Landing",
    }
    assert made["type"] == "Microsoft.Management/managementGroups"


def test_the_chain_of_a_subscription_is_nearest_first_and_follows_moves() -> None:
    arm = Arm()
    make(arm, "landing")
    make(arm, "corp", "landing")
    assert move(arm, SUB, "corp") == 200
    assert chain(arm) == ["corp", "landing", "tenant"]
    assert chain(arm, OTHER_SUB) == ["tenant"]
    patched = arm.patch(f"{MANAGEMENT}/corp", {"parentId": f"{MANAGEMENT}/tenant"}, version=GROUPS)
    assert patched.status == 200
    assert chain(arm) == ["corp", "tenant"]
    assert arm.delete(f"{MANAGEMENT}/corp/subscriptions/{SUB}", version=GROUPS).status == 200
    assert chain(arm) == ["tenant"]


def test_an_assignment_at_a_management_group_reaches_all_that_is_below() -> None:
    arm = Arm()
    arm.add(Principal("p", guid(70), "x", NOBODY))
    make(arm, "landing")
    make(arm, "corp", "landing")
    move(arm, SUB, "corp")
    assert assign(arm, f"{MANAGEMENT}/landing", NOBODY).status == 201
    assert arm.get(RG, by="p").status == 200
    assert arm.get(f"{MANAGEMENT}/corp", by="p", version=GROUPS).status == 200
    assert arm.get(RG.replace(SUB, OTHER_SUB), by="p").code == "AuthorizationFailed"
    assert arm.get(f"{MANAGEMENT}/tenant", by="p", version=GROUPS).code == "AuthorizationFailed"
    move(arm, SUB, "tenant")
    assert arm.get(RG, by="p").code == "AuthorizationFailed", "what is inherited goes with the place"


def test_children_descendants_and_entities() -> None:
    arm = Arm()
    make(arm, "landing")
    make(arm, "corp", "landing")
    move(arm, SUB, "corp")
    shown = arm.get(f"{MANAGEMENT}/landing", version=GROUPS, **{"$expand": "children"}).properties["children"]
    assert [(one["name"], one["displayName"]) for one in shown] == [("corp", "Corp")]
    below = arm.get(f"{MANAGEMENT}/landing/descendants", version=GROUPS).body["value"]
    assert [one["name"] for one in below] == ["corp", SUB]
    assert below[1]["type"] == "Microsoft.Management/managementGroups/subscriptions"
    assert below[1]["properties"]["parent"]["id"] == f"{MANAGEMENT}/corp"
    inside = arm.get(f"{MANAGEMENT}/corp/subscriptions", version=GROUPS).body["value"]
    assert [one["name"] for one in inside] == [SUB]
    entities = arm.call("POST", "/providers/Microsoft.Management/getEntities", version=GROUPS).body
    found = {one["name"]: one["properties"] for one in entities["value"]}
    assert entities["count"] == 5
    assert found[SUB]["parentNameChain"] == ["tenant", "landing", "corp"]
    assert found["tenant"]["numberOfDescendants"] == 4
    listed = arm.get(MANAGEMENT, version=GROUPS).body["value"]
    assert [one["name"] for one in listed] == ["tenant", "landing", "corp"]


def test_a_group_with_children_and_the_root_stay() -> None:
    arm = Arm()
    make(arm, "landing")
    make(arm, "corp", "landing")
    assert arm.delete(f"{MANAGEMENT}/landing", version=GROUPS).status == 400
    assert arm.delete(f"{MANAGEMENT}/tenant", version=GROUPS).status == 400
    assert arm.delete(f"{MANAGEMENT}/corp", version=GROUPS).status == 204
    assert arm.get(f"{MANAGEMENT}/corp", version=GROUPS).status == 404
    assert arm.delete(f"{MANAGEMENT}/corp", version=GROUPS).status == 204


def test_a_group_cannot_be_moved_below_itself_or_deeper_than_six_levels() -> None:
    arm = Arm()
    make(arm, "g1")
    for number in range(2, 7):
        make(arm, f"g{number}", f"g{number - 1}")
    deeper = {"properties": {"details": {"parent": {"id": f"{MANAGEMENT}/g6"}}}}
    assert arm.put(f"{MANAGEMENT}/g7", deeper, version=GROUPS).status == 400
    assert arm.patch(f"{MANAGEMENT}/g1", {"parentId": f"{MANAGEMENT}/g3"}, version=GROUPS).status == 400
    gone = {"properties": {"details": {"parent": {"id": f"{MANAGEMENT}/no"}}}}
    assert arm.put(f"{MANAGEMENT}/g7", gone, version=GROUPS).status == 404


def test_groups_and_ancestry_of_an_estate_stand() -> None:
    root = {
        "id": f"{MANAGEMENT}/top",
        "type": "microsoft.management/managementgroups",
        "properties": {"displayName": "Top"},
    }
    corp = {
        "id": f"{MANAGEMENT}/corp",
        "type": "microsoft.management/managementgroups",
        "properties": {"displayName": "Corp", "details": {"parent": {"name": "top"}}},
    }
    subscription = {
        "id": f"/subscriptions/{SUB}",
        "type": "microsoft.resources/subscriptions",
        "name": "hub",
        "properties": {"managementGroupAncestorsChain": [{"name": "corp"}, {"name": "top"}]},
    }
    arm = Arm(estate=[root, corp, subscription])
    assert chain(arm) == ["corp", "top"]
    assert arm.get(f"{MANAGEMENT}/corp", version=GROUPS).properties["details"]["parent"]["id"] == f"{MANAGEMENT}/top"
