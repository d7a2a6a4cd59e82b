"""Who may connect, as the status of a BastionHost shows it."""

from typing import Any

import pytest

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.api.conditions import ConditionStatus, ConditionType
from bastion_operator.network.access import AccessVerdict
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all
from bastion_operator.planning.access import judge_access, principal_accesses
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.bastion_status import bastion_states
from bastion_operator.planning.conditions import Refusal, State
from bastion_operator.planning.target_findings import TargetFindings
from bastion_operator.planning.verdict_rows import report_row
from tests.support.access_rows import role_assignment, subscription
from tests.support.estates import (
    GROUP,
    SUBSCRIPTION,
    Estate,
    Row,
    bastion,
    bastion_id,
    nic,
    nic_id,
    peering,
    public_ip,
    subnet,
    vm,
    vm_id,
    vnet,
    vnet_id,
)
from tests.support.plans import bastion_input

ANN, OPS = "a0000000-0000-0000-0000-000000000001", "a0000000-0000-0000-0000-00000000000f"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
IN_SUBSCRIPTION, IN_GROUP = f"/subscriptions/{SUBSCRIPTION}", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
ACCESS = {"principals": [{"objectID": ANN, "name": "Ann"}, {"objectID": OPS, "type": "Group"}]}


def estate(*roles: Row) -> Estate:
    """A hub with a Bastion and a VM, a spoke with two."""
    links = [peering("spoke", space=["10.1.0.0/16"])], [peering("hub", space=["10.0.0.0/16"])]
    hub = [subnet("AzureBastionSubnet", "10.0.0.0/26"), subnet("work", "10.0.1.0/24")]
    networks = [
        vnet("hub", "10.0.0.0/16", subnets=hub, peerings=links[0]),
        vnet("spoke", "10.1.0.0/16", subnets=[subnet("work", "10.1.1.0/24")], peerings=links[1]),
    ]
    places = {"near": ("hub", "10.0.1.4"), "far-1": ("spoke", "10.1.1.4"), "far-2": ("spoke", "10.1.1.5")}
    machines = [
        each
        for name, (network, address) in places.items()
        for each in (nic(f"{name}-nic", network, "work", address), vm(name, nics=[f"{name}-nic"]))
    ]
    return [subscription(), *networks, *machines, bastion("bas", "hub"), public_ip("bas-ip"), *roles]


def spec(**fields: Any) -> BastionHostSpec:
    return BastionHostSpec.model_validate(
        {"virtualNetworkID": vnet_id("hub"), "sku": "Standard", "access": ACCESS} | fields
    )


def _look(inventory: Inventory, asked: BastionHostSpec) -> tuple[list[Verdict], tuple[AccessVerdict, ...]]:
    verdicts = judge_all(inventory, protocols=asked.targets.protocols or (None,), bastion_ids=[bastion_id("bas")])
    return judge_access(inventory, asked.access, verdicts)


def judged(*roles: Row, **fields: Any) -> tuple[AccessVerdict, ...]:
    _, access = _look(Inventory.from_rows(estate(*roles)), spec(**fields))
    return access


def condition(
    *rows: Row, access: tuple[AccessVerdict, ...] = (), known: bool = True, spec: Row | None = None
) -> State | None:
    asked = bastion_input(*rows, **({"access": ACCESS} if spec is None else spec))
    found = TargetFindings([] if known else None, blind=Refusal("VerdictsUnknown", "not read"), access=access)
    states = bastion_states(asked, plan_bastion_host(asked), (), found)
    return states.get(ConditionType.ACCESS_GRANTED)


HOST = (vnet("hub", "10.0.0.0/16"), bastion("bas", "hub"))
TEAM = role_assignment(OPS, READER, IN_SUBSCRIPTION, principal_type="Group")


@pytest.mark.parametrize(
    ("roles", "status", "reason", "words"),
    [
        ((role_assignment(ANN, READER, IN_GROUP), TEAM), "True", "AllGranted", "every VM"),
        ((role_assignment(ANN, READER, IN_GROUP),), "False", "RoleMissing", f"for 3 VMs roles are missing; group {OPS} lacks Reader on"),
        ((TEAM,), "Unknown", "RbacNotEvaluated", "whether user Ann has Reader on VM"),
        ((), "Unknown", "RbacNotEvaluated", "Microsoft.Authorization/roleAssignments/read"),
    ],
)  # fmt: skip
def test_the_condition_tells_the_first_of_what_is_missing(
    roles: tuple[Row, ...], status: str, reason: str, words: str
) -> None:
    state = condition(*HOST, access=judged(*roles))
    assert state is not None
    assert (state.status, state.reason) == (status, reason)
    assert words in state.message


def test_the_condition_is_there_only_where_somebody_asks_and_never_guesses() -> None:
    assert condition(*HOST, spec={}) is None
    unread = condition(*HOST, known=False)
    without_host = condition(HOST[0])
    assert unread is not None
    assert without_host is not None
    assert (unread.status, unread.message) == (ConditionStatus.UNKNOWN, "not read")
    assert (without_host.status, without_host.reason) == (ConditionStatus.UNKNOWN, "NotFound")


def test_what_is_missing_is_gathered_where_it_can_be_assigned_once() -> None:
    pieces = [vm_id("near"), nic_id("near-nic"), bastion_id("bas"), vnet_id("hub")]
    roles = [TEAM, *(role_assignment(ANN, READER, place, name=f"r{number}") for number, place in enumerate(pieces))]
    own = [role_assignment("a0000000-0000-0000-0000-0000000000aa", READER, vm_id("near"))]
    without_group = [each for each in (*roles, *own) if each is not TEAM]
    access = spec().access
    assert access is not None
    ann, ops = principal_accesses(access, judged(*without_group, targets={"protocols": ["SSH", "RDP"]}))
    assert (ann.granted, ann.missing, ann.unknown, ann.name) == (1, 2, 0, "Ann")
    assert (ops.granted, ops.missing, ops.unknown) == (0, 3, 0)
    rows = {(row.scope, row.resources, row.vms) for row in ann.missing_roles}
    # VMs and NICs of both; the one VNet by its own id.
    assert rows == {(IN_GROUP, 2, 2), (vnet_id("spoke"), 1, 2)}
    assert [row.vms for row in ops.missing_roles] == sorted((row.vms for row in ops.missing_roles), reverse=True)
    assert {row.role for row in (*ann.missing_roles, *ops.missing_roles)} == {"Reader"}


def test_a_row_says_that_a_role_is_missing_and_keeps_its_verdict() -> None:
    inventory = Inventory.from_rows(estate(role_assignment(ANN, READER, vm_id("near"))))
    unasked, _ = _look(inventory, spec(access=None))
    asked, _ = _look(inventory, spec())
    assert [each.verdict for each in asked] == [each.verdict for each in unasked] == ["Reachable"] * 3
    for before, after in zip(map(report_row, unasked), map(report_row, asked), strict=True):
        assert "RbacNotEvaluated" in before.warnings
        assert "RoleMissing" in after.warnings
        assert "RbacNotEvaluated" not in after.warnings
