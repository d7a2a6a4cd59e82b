"""Who may connect: roles of principals against what Azure asks of them, as docs/reachability.md tells it."""

from collections.abc import Iterable

import pytest

from bastion_operator.network.access import Access, AccessEvaluation, AccessVerdict, Principal, with_access
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge
from tests.support.access_rows import entra_extension, role_assignment, role_definition, subscription
from tests.support.estates import (
    GROUP,
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    Estate,
    Row,
    add,
    bastion_id,
    hub_and_spoke,
    nic_id,
    same_vnet,
    vm_id,
    vnet_id,
)

ANN, TEAM = "a0000000-0000-0000-0000-000000000001", "a0000000-0000-0000-0000-00000000000f"
READER, CONTRIBUTOR = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
ADMIN_LOGIN, USER_LOGIN = "1c0163c0-47e6-4577-8991-ea5c82e286e4", "fb879df8-f326-4884-b1cf-06f3ad86be52"
IN_SUBSCRIPTION, IN_GROUP = f"/subscriptions/{SUBSCRIPTION}", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
ROOT = "/providers/Microsoft.Management/managementGroups/root"
SOMEBODY = role_assignment("a0000000-0000-0000-0000-0000000000ff", READER, IN_SUBSCRIPTION)
LISTED_ON_NETWORKS = (
    "Microsoft.Network/virtualNetworks/read",
    "Microsoft.Network/virtualNetworks/BastionHosts/action",
    "Microsoft.Network/virtualNetworks/bastionHosts/default/action",
    "Microsoft.Network/virtualNetworks/virtualMachines/read",
    "Microsoft.Network/virtualNetworks/subnets/virtualMachines/read",
)
LISTED = (
    *LISTED_ON_NETWORKS,
    "Microsoft.Network/bastionHosts/read",
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.Network/networkInterfaces/ipconfigurations/read",
    "Microsoft.Compute/virtualMachines/read",
)


def access(estate: Estate, principal: str = ANN) -> AccessVerdict:
    """What the principal may do with the VM named web."""
    inventory = Inventory.from_rows(estate)
    [judged] = AccessEvaluation(inventory, [Principal(principal)]).judge(judge(inventory, vm_id("web")))
    return judged


def lacking(estate: Estate) -> dict[str, tuple[str, ...]]:
    """Missing actions without their namespaces, by the resource on which they are missing."""
    return {
        lack.need.scope: tuple(action.partition("/")[2] for action in lack.missing) for lack in access(estate).lacks
    }


@pytest.mark.parametrize("estate", [same_vnet(), hub_and_spoke()], ids=["same VNet", "peered"])
@pytest.mark.parametrize(
    "granted",
    [
        [role_assignment(ANN, READER, IN_SUBSCRIPTION)],
        [role_assignment(ANN.upper(), READER, IN_GROUP.upper())],
        [role_assignment(ANN, CONTRIBUTOR, IN_GROUP)],
        [role_assignment(ANN, "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "/")],
        [role_assignment(ANN, READER, ROOT)],
        [role_assignment(ANN, NETWORK_CONTRIBUTOR, IN_GROUP), role_assignment(ANN, USER_LOGIN, IN_GROUP), role_assignment(ANN, READER, vm_id("web"))],
        [role_assignment(ANN, "listed", IN_GROUP), role_definition("listed", *LISTED)],
        [role_assignment(ANN, "wide", IN_GROUP), role_definition("wide", "Microsoft.*/*/READ")],
        [role_assignment(TEAM, READER, IN_GROUP, principal_type="Group"), role_assignment(ANN, READER, IN_GROUP)],
    ],
    ids=["subscription", "any case", "Contributor", "Owner at the root", "management group", "several", "listed", "wildcard", "own and group"],
)  # fmt: skip
def test_what_is_assigned_above_or_piecewise_suffices(estate: Estate, granted: list[Row]) -> None:
    above = subscription(management_groups=["networks", "Root"])
    if granted[-1]["name"] == "wide":
        # A wildcard inside a namespace reads everything there, but is not Reader: the actions are asked for as well.
        granted = [*granted, role_assignment(ANN, "rest", IN_GROUP), role_definition("rest", *LISTED_ON_NETWORKS)]
    judged = access([*estate, above, *granted])
    assert (judged.access, judged.findings) == (Access.GRANTED, ())


def test_reader_on_each_resource_itself_suffices() -> None:
    places = [vm_id("web"), nic_id("web-nic"), bastion_id("bas"), vnet_id("hub"), vnet_id("spoke")]
    everywhere = [role_assignment(ANN, READER, place) for place in places]
    assert access([*hub_and_spoke(), subscription(), *everywhere]).access is Access.GRANTED
    for place, without in zip(places, _each_left_out(everywhere), strict=True):
        assert set(lacking([*hub_and_spoke(), subscription(), *without])) == {place}


def _each_left_out(rows: list[Row]) -> Iterable[list[Row]]:
    return [rows[:place] + rows[place + 1 :] for place in range(len(rows))]


def test_in_one_vnet_nothing_is_asked_of_the_vnet() -> None:
    places = [vm_id("web"), nic_id("web-nic"), bastion_id("bas")]
    granted = [role_assignment(ANN, READER, place) for place in places]
    assert access([*same_vnet(), subscription(), *granted]).access is Access.GRANTED


def test_without_any_role_everything_is_missing_and_named_with_its_scope() -> None:
    assert lacking([*hub_and_spoke(), subscription(), SOMEBODY]) == {
        vm_id("web"): ("virtualMachines/read",),
        nic_id("web-nic"): ("networkInterfaces/read", "networkInterfaces/ipconfigurations/read"),
        bastion_id("bas"): ("bastionHosts/read",),
        vnet_id("spoke"): tuple(action.partition("/")[2] for action in LISTED_ON_NETWORKS),
        vnet_id("hub"): tuple(action.partition("/")[2] for action in LISTED_ON_NETWORKS),
    }


def test_not_actions_take_away_in_their_own_role_only() -> None:
    narrowed = role_definition("narrowed", "*/read", notActions=["Microsoft.Compute/virtualMachines/*"])
    rows = [*same_vnet(), subscription(), narrowed, role_assignment(ANN, "narrowed", IN_SUBSCRIPTION)]
    assert lacking(rows) == {vm_id("web"): ("virtualMachines/read",)}
    assert access([*rows, role_assignment(ANN, READER, vm_id("web"))]).access is Access.GRANTED


def test_what_lies_beside_or_below_does_not_count() -> None:
    beside = [
        role_assignment(ANN, READER, f"/subscriptions/{OTHER_SUBSCRIPTION}"),
        role_assignment(ANN, READER, f"{IN_GROUP}-2"),
        role_assignment(ANN, READER, f"{vm_id('web')}/extensions/one"),
        role_assignment(ANN, READER, "/providers/Microsoft.Management/managementGroups/elsewhere"),
    ]
    judged = access([*same_vnet(), subscription(management_groups=["root"]), SOMEBODY, *beside])
    assert judged.access is Access.MISSING


def test_a_list_of_actions_without_those_that_custom_roles_need_is_not_reader() -> None:
    reads = role_definition("reads", *(action for action in LISTED if action.endswith("/read")))
    rows = [*hub_and_spoke(), subscription(), reads, role_assignment(ANN, "reads", IN_GROUP)]
    wanted = ("virtualNetworks/BastionHosts/action", "virtualNetworks/bastionHosts/default/action")
    assert lacking(rows) == {vnet_id("spoke"): wanted, vnet_id("hub"): wanted}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([role_assignment(TEAM, READER, IN_GROUP, principal_type="Group")], f"Reader is assigned to group {TEAM}"),
        ([role_assignment(ANN, "unheard-of", IN_GROUP)], "role definition unheard-of"),
        ([role_assignment(ANN, READER, IN_GROUP, condition="@Request[a:b] StringEquals 'c'")], "has a condition"),
        ([role_assignment(ANN, READER, IN_GROUP, condition="((((")], "has a condition"),
        ([subscription(management_groups=None), role_assignment(ANN, READER, ROOT)], "lies below"),
        ([], "lacks Microsoft.Authorization/roleAssignments/read"),
        ([role_assignment(ANN, READER, f"/subscriptions/{OTHER_SUBSCRIPTION}")], "no role assignment of subscription"),
    ],
    ids=[
        "group",
        "unknown role",
        "condition",
        "malformed condition",
        "unknown ancestry",
        "no assignments",
        "none here",
    ],
)
def test_what_cannot_be_told_is_told_so_and_why(rows: list[Row], words: str) -> None:
    judged = access([*same_vnet(), subscription(), *rows])
    assert judged.access is Access.UNKNOWN
    assert {item.code for item in judged.findings} == {"RbacNotEvaluated"}
    assert all(words in item.message and item.resource for item in judged.findings)


def test_what_no_doubtful_assignment_could_grant_is_missing_all_the_same() -> None:
    login = role_assignment(TEAM, NETWORK_CONTRIBUTOR, IN_GROUP, principal_type="Group")
    judged = access([*same_vnet(), subscription(), login])
    assert [(item.code, item.resource) for item in judged.findings] == [
        ("RoleMissing", vm_id("web")),
        ("RbacNotEvaluated", nic_id("web-nic")),
        ("RbacNotEvaluated", bastion_id("bas")),
    ]


DELEGATION = """
(
 (
  !(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})
 )
 OR
 (
  @Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {b24988ac-6180-42a0-ab88-20f7382dd24c}
 )
)
AND
(
 (
  !(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})
 )
 OR
 (
  @Resource[Microsoft.Authorization/roleAssignments:PrincipalType] StringEqualsIgnoreCase 'A OR (B'
 )
)
"""


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (DELEGATION, Access.GRANTED),
        ("!(ActionMatches{'*/read'}) OR @Request[a:b] StringEquals 'c'", Access.UNKNOWN),
        ("NOT ActionMatches{'*/read'} && Exists @Request[a:b]", Access.MISSING),
        ("ActionMatches{'MICROSOFT.*'}", Access.GRANTED),
        ("ActionMatches{'Microsoft.*'} AND", Access.UNKNOWN),
        ("ActionMatches{'Microsoft.*'} )", Access.UNKNOWN),
    ],
)
def test_a_condition_is_judged_as_far_as_it_speaks_of_actions(condition: str, expected: Access) -> None:
    conditional = role_assignment(ANN, READER, IN_GROUP, condition=condition)
    assert access([*same_vnet(), subscription(), conditional]).access is expected


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (ADMIN_LOGIN, Access.GRANTED),
        (USER_LOGIN, Access.GRANTED),
        (CONTRIBUTOR, Access.MISSING),
        ("admins", Access.GRANTED),
        ("nobody", Access.MISSING),
    ],
)
def test_a_machine_with_the_entra_extension_asks_for_a_sign_in_role(role: str, expected: Access) -> None:
    admins = role_definition("admins", dataActions=["Microsoft.Compute/*/loginAsAdmin/action"])
    nobody = role_definition("nobody", "*", dataActions=["*"], notDataActions=["*/login/*", "*/loginAsAdmin/*"])
    granted = [role_assignment(ANN, READER, IN_GROUP), role_assignment(ANN, role, vm_id("web"))]
    rows = [*same_vnet(), subscription(), admins, nobody, *granted]
    assert access(rows).access is Access.GRANTED
    judged = access([*rows, entra_extension("WEB")])
    assert judged.access is expected
    assert [item.code for item in judged.findings] == ["RoleMissing"] * (expected is Access.MISSING)
    assert access([*rows, entra_extension("web", "CustomScript")]).access is Access.GRANTED


@pytest.mark.parametrize(
    ("code", "broken", "mended"),
    [
        ("RoleMissing", [SOMEBODY], [role_assignment(ANN, READER, IN_SUBSCRIPTION)]),
        (
            "RbacNotEvaluated",
            [role_assignment(TEAM, READER, IN_SUBSCRIPTION, principal_type="Group")],
            [role_assignment(ANN, READER, IN_SUBSCRIPTION)],
        ),
    ],
)
def test_each_code_of_access_goes_with_its_fix(code: str, broken: list[Row], mended: list[Row]) -> None:
    def codes(rows: list[Row]) -> set[str]:
        inventory = Inventory.from_rows(add([*hub_and_spoke(), subscription()], *rows))
        verdict = judge(inventory, vm_id("web"))
        judged = AccessEvaluation(inventory, [Principal(ANN)]).judge(verdict)
        changed = with_access(verdict, judged)
        assert (changed.verdict, changed.reasons) == (verdict.verdict, verdict.reasons)
        return {item.code for item in changed.warnings}

    assert code in codes(broken)
    assert not codes(mended) & {"RoleMissing", "RbacNotEvaluated"}


def test_a_message_names_who_lacks_what_and_where() -> None:
    inventory = Inventory.from_rows([*same_vnet(), subscription(), SOMEBODY])
    [judged] = AccessEvaluation(inventory, [Principal(ANN, "Ann of networks")]).judge(judge(inventory, vm_id("web")))
    first = judged.findings[0]
    assert first.resource == vm_id("web")
    assert first.message.startswith("Ann of networks lacks Reader on VM web (Microsoft.Compute/virtualMachines/read)")


@pytest.mark.parametrize(
    "broken", [{}, {"principalId": 5}, {"principalId": ANN}, {"principalId": ANN, "roleDefinitionId": []}]
)
def test_rows_that_say_nothing_raise_nothing(broken: Row) -> None:
    odd = [{**SOMEBODY, "properties": broken}, {**role_definition("odd"), "properties": {"permissions": [5, {}]}}]
    ancestry = subscription() | {"properties": {"managementGroupAncestorsChain": [None, {"name": 3}]}}
    assert access([*same_vnet(), ancestry, *odd]).access is Access.UNKNOWN
