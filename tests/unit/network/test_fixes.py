"""Fixes: the smallest change, tried before it is told, by whoever may make it, and never around just-in-time access."""

from typing import Any

import pytest

from bastion_operator.network.finding import Action, Actor, Change, Finding, Fix
from bastion_operator.network.fixes import FixNotApplicableError, apply_fix, explain
from bastion_operator.network.fixes.neighbourhood import rows_around
from bastion_operator.network.held_row import hold
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Evaluation, Verdict, judge, judge_all
from bastion_operator.network.reachability.judge import UnknownVirtualMachineError
from tests.support.estates import (
    DELETE,
    Estate,
    Row,
    add,
    admin_rule,
    bastion,
    bastion_id,
    change,
    drop,
    gateway,
    hub_and_spoke,
    jit_policy,
    nsg,
    nsg_id,
    ref,
    route,
    route_table,
    rule,
    same_vnet,
    security_admin,
    site,
    subnet,
    vm_id,
    vnet,
    vnet_id,
    with_nsg,
    with_routes,
)
from tests.unit.network.asking import LINK, ask, codes
from tests.unit.network.random_estates import random_estate

SMALL: dict[str, Any] = {"addressPrefix": "10.0.1.0/27", "addressPrefixes": ["10.0.1.0/27"]}
NOT_PEERED: tuple[str, list[Row]] = ("properties.virtualNetworkPeerings", [])


def explained(estate: Estate, **asked: Any) -> Verdict:
    inventory = Inventory.from_rows(estate)
    return explain(judge(inventory, vm_id("web"), **asked), inventory)


def first(estate: Estate, **asked: Any) -> Finding:
    return explained(estate, **asked).reasons[0]


def fix_of(estate: Estate, **asked: Any) -> Fix:
    fix = first(estate, **asked).fix
    assert fix is not None
    return fix


def fixes_of(verdict: Verdict) -> list[Fix]:
    """The fixes in the order of the reasons; one that mends several is made once."""
    found: list[Fix] = []
    for reason in verdict.reasons:
        assert reason.fix is not None, reason
        if reason.fix not in found:
            found.append(reason.fix)
    return found


def added_rule(fix: Fix) -> dict[str, Any]:
    held: dict[str, Any] = fix.changes[-1].to_value["properties"]
    return held


def test_a_verdict_carries_no_fix_until_it_is_asked_for() -> None:
    assert ask(with_nsg(hub_and_spoke(), "nic", rule("no", 100, "Deny"))).reasons[0].fix is None


def test_the_rule_is_for_the_port_asked_for_from_the_bastion_prefix_to_the_vm_just_in_front_of_what_blocks() -> None:
    fix = fix_of(with_nsg(hub_and_spoke(), "subnet", rule("no", 200, "Deny")), port=2222)
    assert added_rule(fix) == {
        "priority": 199,
        "access": "Allow",
        "direction": "Inbound",
        "protocol": "Tcp",
        "sourceAddressPrefix": "10.0.1.0/26",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "10.1.2.4",
        "destinationPortRange": "2222",
    }
    assert [(one.action, one.resource, one.actor) for one in fix.changes] == [
        (Action.ADD, nsg_id("guard"), Actor.NETWORK_OWNER)
    ]


def test_developers_rule_is_from_the_address_of_the_host() -> None:
    estate = add(drop(same_vnet(), "bas", "bas-ip"), bastion("bas", "hub", sku="Developer"))
    fix = fix_of(with_nsg(estate, "nic", rule("no", 200, "Deny")))
    assert added_rule(fix)["sourceAddressPrefix"] == "168.63.129.16"


def test_the_next_free_priority_is_taken_where_the_one_in_front_is_not_free() -> None:
    held = [rule("web", 199, "Allow", ports="443"), rule("api", 198, "Allow", ports="8443"), rule("no", 200, "Deny")]
    assert added_rule(fix_of(with_nsg(hub_and_spoke(), "nic", *held)))["priority"] == 197


def test_where_no_priority_is_free_the_rules_are_moved_back_in_their_order() -> None:
    held = [rule("no", 100, "Deny"), rule("web", 101, "Allow", ports="443"), rule("api", 103, "Allow", ports="8443")]
    estate = with_nsg(hub_and_spoke(), "nic", *held)
    fix = fix_of(estate)
    moved = [(one.resource.rsplit("/", 1)[-1], one.from_value, one.to_value) for one in fix.changes[:-1]]
    assert moved == [("web", 101, 102), ("no", 100, 101)]
    assert added_rule(fix)["priority"] == 100
    assert codes(apply_fix(estate, fix)) == []


@pytest.mark.parametrize("name", ["NRMS-Rule-100", "nrms-anything"])
def test_rules_that_policy_put_there_are_never_moved(name: str) -> None:
    assert first(with_nsg(hub_and_spoke(), "nic", rule(name, 100, "Deny"))).fix is None


@pytest.mark.parametrize(("others", "told"), [(998, True), (999, False)])
def test_a_group_that_is_full_takes_no_rule_more(others: int, told: bool) -> None:
    held = [rule(f"web-{place}", 300 + place, "Allow", ports="443") for place in range(others)]
    estate = with_nsg(hub_and_spoke(), "nic", rule("no", 200, "Deny"), *held)
    assert (first(estate).fix is not None) == told


def test_in_front_of_a_policys_rule_there_is_room() -> None:
    fix = fix_of(with_nsg(hub_and_spoke(), "nic", rule("NRMS-Rule-106", 106, "Deny", ports=["22", "3389"])))
    assert added_rule(fix)["priority"] == 105


def test_nothing_is_put_in_front_of_just_in_time_rules_but_access_is_requested() -> None:
    held = rule("MicrosoftDefenderForCloud-JITRule_1", 4096, "Deny", ports=["22", "3389"])
    estate = with_nsg(hub_and_spoke(), "nic", held)
    reason = first(estate)
    assert "request access" in reason.message
    assert reason.fix is not None
    assert {one.action for one in reason.fix.changes} == {Action.REQUEST_ACCESS}
    assert {one.actor for one in reason.fix.changes} == {Actor.USER}
    assert ask(apply_fix(estate, reason.fix)).verdict == "Reachable"


def test_a_policy_that_covers_the_vm_makes_it_a_request_even_where_another_rule_blocks() -> None:
    estate = add(with_nsg(hub_and_spoke(), "nic", rule("no", 300, "Deny")), jit_policy("web"))
    fix = fix_of(estate)
    assert [one.action for one in fix.changes] == [Action.REQUEST_ACCESS] * 2
    after = ask(apply_fix(estate, fix))
    assert after.verdict == "Reachable"
    assert "JitMayBlock" not in {warning.code for warning in after.warnings}


def test_just_in_time_rules_in_one_group_do_not_guard_the_other() -> None:
    held = rule("MicrosoftDefenderForCloud-JITRule_1", 4096, "Deny", ports=["22", "3389"])
    estate = with_nsg(hub_and_spoke(), "nic", held)
    group = nsg("other", rule("no", 200, "Deny"))
    place = "properties.subnets.0.properties.networkSecurityGroup"
    estate = add(change(estate, "spoke", place, ref(group["id"])), group)
    actions = {
        reason.code: {one.action for one in reason.fix.changes} for reason in explained(estate).reasons if reason.fix
    }
    assert actions == {"SubnetNsgDenies": {Action.ADD}, "NicNsgDenies": {Action.REQUEST_ACCESS}}


def test_access_that_was_granted_is_asked_for_again_where_a_rule_blocks_it() -> None:
    granted = rule("MicrosoftDefenderForCloud-JITRule_2", 300, "Allow", source="10.0.1.0/26", ports="22")
    deny = rule("MicrosoftDefenderForCloud-JITRule_1", 4096, "Deny", ports=["22", "3389"])
    estate = with_nsg(hub_and_spoke(), "nic", rule("no", 200, "Deny"), granted, deny)
    assert {one.action for one in fix_of(estate).changes} == {Action.REQUEST_ACCESS}


def test_a_policy_guards_the_ports_that_it_lists_and_no_other() -> None:
    estate = add(hub_and_spoke(), jit_policy("web"))
    assert "JitMayBlock" in {warning.code for warning in ask(estate).warnings}
    assert "JitMayBlock" not in {warning.code for warning in ask(estate, port=2222).warnings}


@pytest.mark.parametrize(
    ("status", "source", "blocks"),
    [
        ("Initiated", "10.0.1.0/26", False),
        ("Initiated", "*", False),
        ("Initiated", "203.0.113.9", True),
        ("Revoked", "10.0.1.0/26", True),
    ],
)
def test_access_that_was_granted_to_the_bastion_prefix_blocks_no_more(status: str, source: str, blocks: bool) -> None:
    port = {"number": 22, "status": status, "allowedSourceAddressPrefix": source}
    policy = jit_policy("web")
    policy["properties"]["requests"] = [{"virtualMachines": [{"id": vm_id("web"), "ports": [port]}]}]
    told = {warning.code for warning in ask(add(hub_and_spoke(), policy)).warnings}
    assert ("JitMayBlock" in told) == blocks


def test_two_fixes_in_one_group_take_two_priorities() -> None:
    unmet = [rule("no", 100, "Deny", ports="443")]
    verdict = explained(with_nsg(same_vnet(), "bastion", *unmet))
    estate = with_nsg(same_vnet(), "bastion", *unmet)
    for fix in fixes_of(verdict):
        estate = apply_fix(estate, fix)
    group = next(row for row in estate if row["name"] == "guard")
    inbound = [one["properties"] for one in group["properties"]["securityRules"]]
    taken = [one["priority"] for one in inbound if one["direction"] == "Inbound"]
    assert len(taken) == len(set(taken))
    assert codes(estate) == []


def test_the_administrators_fix_is_an_allow_and_not_an_always_allow() -> None:
    estate = add(hub_and_spoke(), *security_admin("spoke", admin_rule("no", 1, "Deny")))
    fix = fix_of(estate)
    assert [one.action for one in fix.changes] == [Action.SET, Action.CREATE]
    assert {one.actor for one in fix.changes} == {Actor.ADMINISTRATOR}
    held = fix.changes[-1].to_value["properties"]
    assert (held["access"], held["priority"], held["destinationPortRanges"]) == ("Allow", 1, ["22"])
    assert held["sources"] == [{"addressPrefix": "10.0.1.0/26", "addressPrefixType": "IPPrefix"}]
    assert codes(apply_fix(estate, fix)) == []


def overlapping() -> Estate:
    estate = change(change(hub_and_spoke(), "hub", *NOT_PEERED), "spoke", *NOT_PEERED)
    return change(estate, "hub", "properties.addressSpace.addressPrefixes", ["10.0.0.0/16", "10.1.0.0/16"])


def test_vnets_that_overlap_are_not_to_be_peered_the_vms_own_gets_a_bastion() -> None:
    estate = overlapping()
    fix = fix_of(estate, bastion_ids=[bastion_id("bas")])
    assert [one.action for one in fix.changes] == [Action.ADD, Action.CREATE, Action.CREATE]
    assert ask(apply_fix(estate, fix)).via == "SameVNet"


def test_where_the_vms_vnet_has_no_room_for_a_bastion_nothing_is_told() -> None:
    estate = change(overlapping(), "spoke", "properties.addressSpace.addressPrefixes", ["10.1.2.0/24"])
    assert first(estate, bastion_ids=[bastion_id("bas")]).fix is None


def test_peering_takes_two_links_one_in_each_vnet() -> None:
    estate = change(change(hub_and_spoke(), "hub", *NOT_PEERED), "spoke", *NOT_PEERED)
    fix = fix_of(estate)
    assert [(one.action, one.resource) for one in fix.changes] == [
        (Action.ADD, vnet_id("hub")),
        (Action.ADD, vnet_id("spoke")),
    ]
    assert {one.actor for one in fix.changes} == {Actor.OPERATOR}


def test_links_that_are_made_anew_keep_their_flags() -> None:
    link = "properties.virtualNetworkPeerings.0.properties"
    estate = change(hub_and_spoke(), "hub", f"{link}.peeringState", "Disconnected")
    estate = change(estate, "spoke", f"{link}.allowForwardedTraffic", value=True)
    fix = fix_of(estate)
    assert [one.action for one in fix.changes] == [Action.DELETE, Action.DELETE, Action.ADD, Action.ADD]
    made = {one.resource: one.to_value["properties"] for one in fix.changes[2:]}
    assert made[vnet_id("spoke")]["allowForwardedTraffic"] is True
    assert made[vnet_id("hub")]["allowForwardedTraffic"] is False


@pytest.mark.parametrize(
    ("waits", "kept"),
    [
        ({}, []),
        ({"allowVirtualNetworkAccess": False}, ["allowVirtualNetworkAccess"]),
        ({"peerCompleteVnets": False}, ["localSubnetNames", "remoteSubnetNames"]),
    ],
    ids=["open", "closed", "no subnets named"],
)
def test_a_half_that_waits_is_kept_where_the_other_is_made_anew(waits: Row, kept: list[str]) -> None:
    estate = change(hub_and_spoke(), "spoke", f"{LINK}.peeringState", "Disconnected")
    for field, value in ({"peeringState": "Initiated"} | waits).items():
        estate = change(estate, "hub", f"{LINK}.{field}", value)
    fix = fix_of(estate)
    gone = f"{vnet_id('spoke')}/virtualNetworkPeerings/to-hub"
    own = [one for one in fix.changes if one.action is Action.SET]
    assert [one.field.rpartition(".")[2] for one in own] == kept
    assert [(one.action, one.resource) for one in fix.changes if one not in own] == [
        (Action.DELETE, gone),
        (Action.ADD, vnet_id("spoke")),
    ]
    assert codes(apply_fix(estate, fix)) == []


def test_a_link_alone_waits_and_one_to_a_cut_off_half_too() -> None:
    estate = change(change(hub_and_spoke(), "hub", *NOT_PEERED), "spoke", *NOT_PEERED)
    both = fix_of(estate)
    alone = apply_fix(estate, Fix("", both.changes[:1]))
    assert codes(alone) == ["PeeringOneSided"]
    cut = change(hub_and_spoke(), "spoke", f"{LINK}.peeringState", "Disconnected")
    assert codes(apply_fix(change(cut, "hub", *NOT_PEERED), Fix("", both.changes[:1]))) == ["PeeringDisconnected"]
    again = Change(Action.REPEAT, f"{vnet_id('spoke')}/virtualNetworkPeerings/to-hub", "", None, None, Actor.OPERATOR)
    with pytest.raises(FixNotApplicableError, match="Disconnected"):
        apply_fix(cut, Fix("", (again,)))


@pytest.mark.parametrize("field", ["addressPrefix", "addressPrefixes"])
def test_a_subnet_gets_its_wider_prefix_in_the_field_that_it_has(field: str) -> None:
    place = "properties.subnets.0.properties"
    estate = change(
        change(same_vnet(), "hub", f"{place}.addressPrefix", DELETE), "hub", f"{place}.{field}", SMALL[field]
    )
    [warning] = [one for one in explained(estate).warnings if one.code == "SubnetTooSmall"]
    assert warning.fix is not None
    [widened] = [one for one in warning.fix.changes if one.action is Action.SET]
    assert (widened.field, widened.from_value) == (f"properties.{field}", SMALL[field])
    assert type(widened.to_value) is type(SMALL[field])


def test_nothing_that_is_there_is_written_over() -> None:
    table = route_table("bastion-hub", route("x", "10.0.0.0/8", "None"))
    estate = add(same_vnet(), table, gateway("vpn", "hub"), *site("hq", "vpn", "0.0.0.0/0"))
    created = [one.resource.rsplit("/", 1)[-1] for one in fix_of(estate).changes if one.action is Action.CREATE]
    assert created == ["bastion-hub-2"]


def test_a_route_away_for_part_of_the_prefix_and_one_for_all_of_it_are_mended_together() -> None:
    routes = [route("part", "10.0.1.32/28", "None"), route("hub", "10.0.0.0/16", "VirtualAppliance", "10.1.9.4")]
    estate = with_routes(hub_and_spoke(), "subnet", *routes)
    fix = fix_of(estate)
    assert [one.action for one in fix.changes] == [Action.DELETE, Action.ADD]
    assert codes(apply_fix(estate, fix)) == []


def test_a_stopped_vm_is_started_by_its_owner() -> None:
    estate = change(hub_and_spoke(), "web", "properties.extended.instanceView.powerState.code", "PowerState/stopped")
    [started] = fix_of(estate).changes
    assert (started.action, started.resource, started.actor) == (Action.START, vm_id("web"), Actor.MACHINE_OWNER)


def test_a_missing_resource_is_to_be_read_and_nothing_is_guessed() -> None:
    [read] = fix_of(drop(hub_and_spoke(), "web-nic")).changes
    assert (read.action, read.to_value) == (Action.READ, None)


def test_what_the_asker_can_do_changes_nothing_in_azure() -> None:
    estate = hub_and_spoke()
    fix = fix_of(estate, address="10.1.2.9")
    assert apply_fix(estate, fix) == estate


def test_a_fix_of_something_that_is_not_there_is_refused() -> None:
    gone = Change(Action.SET, nsg_id("none"), "properties.x", None, 1, Actor.OPERATOR)
    with pytest.raises(FixNotApplicableError, match="none"):
        apply_fix(hub_and_spoke(), Fix("", (gone,)))
    lost = Change(Action.DELETE, f"{vnet_id('hub')}/subnets/none", "", None, None, Actor.OPERATOR)
    with pytest.raises(FixNotApplicableError, match="none"):
        apply_fix(hub_and_spoke(), Fix("", (lost,)))


def test_a_verdict_of_another_estate_is_refused() -> None:
    with pytest.raises(UnknownVirtualMachineError):
        explain(ask(hub_and_spoke()), Inventory.from_rows([]))


def test_children_that_are_rows_of_their_own_are_mended_there() -> None:
    estate = hub_and_spoke()
    hub = next(row for row in estate if row["name"] == "hub")
    own: list[Row] = [*hub["properties"].pop("subnets"), *hub["properties"].pop("virtualNetworkPeerings")]
    estate = with_routes(add(estate, *own), "subnet")
    closed = change(estate, "to-spoke", "properties.peeringState", "Disconnected")
    fix = fix_of(closed)
    assert ask(apply_fix(closed, fix)).verdict == "Reachable"


def test_the_best_candidate_carries_the_same_fixes_as_the_verdict() -> None:
    verdict = explained(with_nsg(hub_and_spoke(), "nic", rule("no", 100, "Deny")))
    assert verdict.candidates[0].reasons == verdict.reasons
    assert verdict.reasons[0].fix is not None


def test_a_bastion_far_away_is_peered_with_the_nearest_first() -> None:
    far = [
        vnet("away", "10.9.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.9.1.0/26")], location="northeurope"),
        bastion("a-bas", "away", location="northeurope"),
    ]
    estate = change(change(hub_and_spoke(), "hub", *NOT_PEERED), "spoke", *NOT_PEERED)
    fix = fix_of(add(estate, *far))
    assert [one.resource for one in fix.changes] == [vnet_id("hub"), vnet_id("spoke")]


@pytest.mark.parametrize("seed", range(700, 720))
def test_the_rows_around_a_vm_say_the_same_of_it_as_the_whole_estate(seed: int) -> None:
    inventory = Inventory.from_rows(random_estate(seed))
    evaluation = Evaluation(inventory)
    for verdict in judge_all(inventory, evaluation=evaluation):
        rows = list(rows_around(evaluation, verdict))
        around = judge(Inventory.from_rows(rows), verdict.vm, protocol=verdict.protocol)
        assert around == verdict


@pytest.mark.parametrize("seed", range(720, 740))
def test_every_fix_told_in_a_random_estate_takes_its_reason_away_there(seed: int) -> None:
    rows = random_estate(seed)
    inventory = Inventory.from_rows(rows)
    untried = {Action.READ, Action.ASK}
    for verdict in judge_all(inventory):
        told = explain(verdict, inventory)
        assert [reason.code for reason in told.reasons] == [reason.code for reason in verdict.reasons]
        for reason in told.reasons:
            if reason.fix is None or untried & {one.action for one in reason.fix.changes}:
                continue
            after = Inventory.from_rows(apply_fix(rows, reason.fix))
            asked: dict[str, Any] = {"protocol": verdict.protocol, "port": verdict.port}
            judged = [judge(after, verdict.vm, **asked)]
            if verdict.bastion is not None:
                judged.append(judge(after, verdict.vm, bastion_ids=[verdict.bastion], **asked))
            before = sum(one.code == reason.code for one in verdict.reasons)
            assert any(sum(one.code == reason.code for one in each.reasons) < before for each in judged), reason


def test_rows_that_are_held_packed_are_mended_like_any_other() -> None:
    estate = with_nsg(hub_and_spoke(), "nic", rule("no", 100, "Deny"))
    inventory = Inventory.from_rows(hold(estate))
    [reason] = explain(judge(inventory, vm_id("web")), inventory).reasons
    assert reason.fix == first(estate).fix
    assert reason.fix is not None
    assert "no" in {one["name"] for row in estate for one in row["properties"].get("securityRules", [])}
    assert codes(apply_fix(list(inventory), reason.fix)) == []
