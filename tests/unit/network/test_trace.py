"""The way of a connection: every reason is told at a hop, and the rule that decides is the one that the verdict blames."""

import pytest

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Evaluation, Verdict, judge, judge_all
from bastion_operator.network.reachability.judge import UnknownVirtualMachineError
from bastion_operator.network.trace import Leg, Mark, Outcome, Trace, trace
from tests.support.estates import (
    Estate,
    admin_rule,
    drop,
    hub_and_spoke,
    nsg_id,
    route,
    rule,
    same_vnet,
    security_admin,
    vm_id,
    with_nsg,
    with_routes,
)
from tests.unit.network.random_estates import random_estate
from tests.unit.network.reason_cases import CASES, Case

_DECIDING = {Mark.DECIDES, Mark.DECIDES_SOME}


def traced(estate: Estate) -> tuple[Verdict, Trace]:
    inventory = Inventory.from_rows(estate)
    evaluation = Evaluation(inventory)
    verdict = judge(inventory, vm_id("web"), evaluation=evaluation)
    return verdict, trace(evaluation, verdict)


def names(way: Trace) -> list[str]:
    return [hop.name for hop in way.hops]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_reason_of_a_verdict_is_told_at_one_hop_and_stops_it(case: Case) -> None:
    inventory = Inventory.from_rows(case.broken, refused=case.refused)
    evaluation = Evaluation(inventory, case.sessions)
    verdict = judge(inventory, vm_id("web"), evaluation=evaluation, **case.asked)
    way = trace(evaluation, verdict, named="protocol" in case.asked)
    told = {finding for hop in way.hops for finding in hop.findings}
    asked_elsewhere = {"NotPrimaryNic"}
    assert {one for one in verdict.reasons if one.code not in asked_elsewhere} <= told
    worst = [hop.outcome for hop in way.hops if hop.outcome in {Outcome.STOPS, Outcome.OPEN}]
    assert bool(worst) == bool({one.code for one in verdict.reasons} - asked_elsewhere)


@pytest.mark.parametrize("seed", range(30))
def test_the_rule_that_a_verdict_blames_is_marked_as_deciding(seed: int) -> None:
    inventory = Inventory.from_rows(random_estate(seed))
    evaluation = Evaluation(inventory)
    for verdict in judge_all(inventory, evaluation=evaluation):
        for hop in trace(evaluation, verdict).hops:
            blamed = (
                {one.rule for one in hop.findings if one.rule and one.resource == hop.resource} if hop.rules else set()
            )
            marked = {row.name for row in hop.rules if row.mark is not Mark.NO_MATCH and row.mark is not Mark.NOT_ASKED}
            assert blamed <= marked, (verdict.vm, hop)


def test_the_way_leads_from_the_bastion_over_the_peering_to_the_nic_and_back() -> None:
    verdict, way = traced(hub_and_spoke())
    assert verdict.reasons == ()
    assert names(way) == [
        "Bastion bas",
        "subnet AzureBastionSubnet",
        "out of AzureBastionSubnet: no security group",
        "from VNet hub to VNet spoke",
        "into subnet workload: no security group",
        "into NIC web-nic: no security group",
        "VM web",
        "from 10.1.2.4 to 10.0.1.0/26",
    ]
    assert {hop.outcome for hop in way.hops} == {Outcome.PASSES}
    assert [hop.leg for hop in way.hops] == [Leg.THERE] * 7 + [Leg.BACK]


def test_in_one_vnet_there_is_nothing_between() -> None:
    assert "inside VNet hub" in names(traced(same_vnet())[1])


def test_rows_are_in_the_order_in_which_they_are_asked_and_each_says_what_it_does() -> None:
    estate = with_nsg(
        hub_and_spoke(),
        "nic",
        rule("late", 300, "Deny"),
        rule("half", 200, "Deny", source="10.0.1.0/27"),
        rule("web", 100, "Allow", ports="443"),
    )
    [hop] = [hop for hop in traced(estate)[1].hops if hop.resource == nsg_id("guard")]
    assert [(row.mark, row.name) for row in hop.rules] == [
        (Mark.NO_MATCH, "web"),
        (Mark.DECIDES_SOME, "half"),
        (Mark.DECIDES_SOME, "late"),
        (Mark.NOT_ASKED, "AllowVnetInBound"),
        (Mark.NOT_ASKED, "AllowAzureLoadBalancerInBound"),
        (Mark.NOT_ASKED, "DenyAllInBound"),
    ]
    assert hop.rules[1].sources.startswith("10.0.1.4/30")
    assert (hop.rules[0].ports, hop.rules[1].source, hop.rules[3].source) == ("443", "10.0.1.0/27", "VirtualNetwork")


def test_a_default_rule_may_be_the_one_that_lets_in() -> None:
    [hop] = [hop for hop in traced(with_nsg(hub_and_spoke(), "subnet"))[1].hops if hop.resource == nsg_id("guard")]
    assert [row.name for row in hop.rules if row.mark in _DECIDING] == ["AllowVnetInBound"]
    assert hop.outcome is Outcome.PASSES


def test_a_tag_that_nobody_knows_may_match() -> None:
    [hop] = [
        hop
        for hop in traced(with_nsg(hub_and_spoke(), "nic", rule("odd", 100, "Deny", source="NoSuchTag")))[1].hops
        if hop.resource == nsg_id("guard")
    ]
    assert [(row.mark, row.source) for row in hop.rules][:2] == [
        (Mark.MAY_MATCH, "nosuchtag"),
        (Mark.DECIDES, "VirtualNetwork"),
    ]
    assert hop.outcome is Outcome.OPEN


def test_the_administrators_rules_are_a_hop_of_their_own_with_their_own_words() -> None:
    estate = [
        *hub_and_spoke(),
        *security_admin("spoke", admin_rule("no", 10, "Deny"), admin_rule("always", 5, "AlwaysAllow", ports=["443"])),
    ]
    [hop] = [hop for hop in traced(estate)[1].hops if "security admin rules" in hop.name]
    assert [(row.mark, row.name, row.access) for row in hop.rules] == [
        (Mark.NO_MATCH, "always", "AlwaysAllow"),
        (Mark.DECIDES, "no", "Deny"),
    ]


def test_the_longest_route_takes_the_replies_and_on_a_tie_the_users() -> None:
    plain = traced(hub_and_spoke())[1].hops[-1]
    assert [(row.mark, row.name, row.next_hop) for row in plain.routes if row.mark is Mark.DECIDES] == [
        (Mark.DECIDES, None, "VNetPeering")
    ]
    diverted = traced(with_routes(hub_and_spoke(), "subnet", route("away", "10.0.0.0/16", "VirtualAppliance")))[1].hops[
        -1
    ]
    assert (diverted.outcome, diverted.leg) == (Outcome.STOPS, Leg.BACK)
    assert [(row.name, row.next_hop) for row in diverted.routes if row.mark is Mark.DECIDES] == [
        ("away", "VirtualAppliance")
    ]


def test_without_a_bastion_the_vm_is_all_there_is() -> None:
    verdict, way = traced(drop(hub_and_spoke(), "bas"))
    assert names(way) == ["VM web"]
    assert way.hops[0].findings == verdict.reasons


def test_a_vm_that_is_not_in_the_data_has_no_way() -> None:
    verdict, _ = traced(hub_and_spoke())
    with pytest.raises(UnknownVirtualMachineError):
        trace(Evaluation(Inventory.from_rows([])), verdict)
