"""A status keeps account of so many parts and no more: what does not fit waits, and what goes makes room."""

from dataclasses import replace

import pytest

from bastion_operator.api.bastion_host import BastionHostStatus
from bastion_operator.api.common import MAX_CLAIMS, Claim
from bastion_operator.api.vnet_peering import VNetPeeringStatus
from bastion_operator.network.security_group import Direction
from bastion_operator.planning.model import Observed, Plan
from bastion_operator.planning.rule_mark import RuleMark
from bastion_operator.planning.target_rule_plan import plan_target_rules
from bastion_operator.planning.target_rules import TargetRules
from bastion_operator.planning.vnet_peering import plan_vnet_peering
from bastion_operator.planning.wanted_rule import WantedRule
from tests.support.azure_model import AzureModel
from tests.support.estates import Row, nsg, nsg_id, vnet, vnet_id
from tests.support.plans import HOST, OWNER, bastion_input, carry_out, peering_input, spokes

LARGEST_MESH = 32


def name(place: int) -> str:
    return f"net{place:02}"


@pytest.mark.parametrize("swapped", [1, 7])
def test_a_full_mesh_that_swaps_networks_lets_the_old_ones_go_first(swapped: int) -> None:
    azure = AzureModel([vnet(name(each), f"10.{each}.0.0/16") for each in range(LARGEST_MESH + swapped)])

    def mesh(first: int, claims: tuple[Claim, ...], allowed: str | None = None) -> tuple[Claim, ...]:
        names = [name(each) for each in range(first, first + LARGEST_MESH)]

        def make_plan(observed: Observed, claims: tuple[Claim, ...]) -> Plan:
            asked = peering_input(claims=claims, topology="FullMesh", spokes=spokes(*names))
            plan = plan_vnet_peering(replace(asked, observed=observed, allow_plan=allowed))
            VNetPeeringStatus().replace(claims=plan.claims)
            return plan

        done = carry_out(azure, make_plan, claims, most=200)
        guarded = {each.guarded_plan for each in done.plan.claims if each.guarded_plan}
        if guarded and allowed is None:
            return mesh(first, done.plan.claims, guarded.pop())
        assert done.plan.settled
        assert not done.plan.obstacles
        assert all(azure.joined(vnet_id(one), vnet_id(other)) for one in names for other in names if one != other)
        return done.plan.claims

    claims = mesh(0, ())
    assert len(mesh(swapped, claims)) == LARGEST_MESH * (LARGEST_MESH - 1)


GROUPS = [f"group{each}" for each in range(600)]
MARK = RuleMark(OWNER, HOST)


def wanted(port: int) -> WantedRule:
    description = MARK.description("a VM is behind it")
    return WantedRule(
        MARK.name(f"tcp-{port}"), Direction.INBOUND, ("10.0.0.0/26",), ("10.1.0.4",), (port,), description, 4000
    )


def rules(rows: list[Row], claims: tuple[Claim, ...], *ports: int) -> Plan:
    asked = bastion_input(*rows, claims=claims, networkSecurity={"targets": "Enforce"})
    found = TargetRules(wanted={nsg_id(each): tuple(map(wanted, ports)) for each in GROUPS})
    plan = plan_target_rules(asked, found, Plan(claims=claims))
    BastionHostStatus().replace(claims=plan.claims)
    return plan


def test_a_second_rule_for_each_group_is_told_where_a_status_has_no_room_for_all_and_the_first_ones_stay() -> None:
    rows = [nsg(each) for each in GROUPS]
    first = rules(rows, (), 22)
    assert len(first.claims) == len(GROUPS)
    second = rules(rows, first.claims, 22, 3389)
    assert set(first.claims) < set(second.claims)
    assert len(second.claims) < MAX_CLAIMS
    assert [each.code for each in second.told] == ["TooManySecurityRules"]
    assert len(second.changes) == len(second.claims)
