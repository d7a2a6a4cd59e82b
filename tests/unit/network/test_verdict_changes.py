"""What a VM gains or loses from one estate to another, and what that comes from."""

from typing import Any

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.network.verdict_changes import MOST_FIELDS, Kind, VerdictChange, field_changes, verdict_changes
from tests.support.estates import (
    Estate,
    add,
    bastion_id,
    change,
    drop,
    hub_and_spoke,
    nic,
    nsg_id,
    rule,
    vm,
    vm_id,
    vnet_id,
    with_nsg,
)
from tests.unit.network.asking import link

OPEN = with_nsg(hub_and_spoke(), "nic", rule("web", 300, "Allow", ports="443"))
CLOSED = with_nsg(hub_and_spoke(), "nic", rule("web", 300, "Allow", ports="443"), rule("no", 200, "Deny"))
POWER = "properties.extended.instanceView.powerState.code"


def changes(before: Estate, after: Estate) -> list[VerdictChange]:
    inventories = (Inventory.from_rows(before), Inventory.from_rows(after))
    return verdict_changes(judge_all(inventories[0]), judge_all(inventories[1]), inventories)


def only(before: Estate, after: Estate) -> VerdictChange:
    [found] = changes(before, after)
    return found


def told(found: VerdictChange) -> list[tuple[str, str, Any, Any]]:
    return [(each.resource, each.field, each.before, each.after) for each in found.because]


def test_a_new_deny_is_a_loss_and_the_rule_is_what_it_comes_from() -> None:
    lost = only(OPEN, CLOSED)
    assert (lost.kind, [each.code for each in lost.new], lost.gone) == (Kind.LOST, ["NicNsgDenies"], ())
    [(resource, field, before, after)] = told(lost)
    assert (resource, field, before, after["name"]) == (nsg_id("guard"), "properties.securityRules[no]", None, "no")


def test_the_other_way_round_it_is_a_gain() -> None:
    gained = only(CLOSED, OPEN)
    assert (gained.kind, gained.new, [each.code for each in gained.gone]) == (Kind.GAINED, (), ["NicNsgDenies"])
    assert [each.field for each in gained.because] == ["properties.securityRules[no]"]


def test_that_nobody_can_tell_any_more_is_a_loss_as_well() -> None:
    unknown = drop(hub_and_spoke(), "bas-ip")
    assert only(hub_and_spoke(), unknown).kind is Kind.LOST
    assert only(unknown, hub_and_spoke()).kind is Kind.GAINED


def test_a_half_of_a_peering_that_reads_otherwise_is_told_with_its_field() -> None:
    lost = only(hub_and_spoke(), link(hub_and_spoke(), "hub", peeringState="Disconnected"))
    assert [each.code for each in lost.new] == ["PeeringDisconnected"]
    [(resource, field, before, after)] = told(lost)
    assert resource.startswith(f"{vnet_id('hub')}/virtualNetworkPeerings/")
    assert (field, before, after) == ("properties.peeringState", "Connected", "Disconnected")


def test_another_reason_or_another_way_is_a_change_and_nothing_else_is() -> None:
    stopped = change(CLOSED, "web", POWER, "PowerState/deallocated")
    turned = only(CLOSED, stopped)
    assert (turned.kind, [each.code for each in turned.new], turned.gone) == (Kind.CHANGED, ["VMNotRunning"], ())
    tunnel = change(OPEN, "bas", "properties.enableTunneling", True)
    assert (only(OPEN, tunnel).kind, only(OPEN, tunnel).new) == (Kind.CHANGED, ())
    renamed = change(OPEN, "bas", "properties.dnsName", "other.bastion.azure.com")
    assert only(OPEN, renamed).kind is Kind.SAME


def test_a_vm_that_is_not_there_any_more_is_removed_and_no_loss() -> None:
    more = add(hub_and_spoke(), nic("new-nic", "spoke", "workload", "10.1.2.9"), vm("new"))
    assert [(one.kind, one.verdict.vm) for one in changes(hub_and_spoke(), more)] == [
        (Kind.ADDED, vm_id("new")),
        (Kind.SAME, vm_id("web")),
    ]
    assert changes(more, hub_and_spoke())[0].kind is Kind.REMOVED


def test_losses_come_first() -> None:
    more = add(OPEN, nic("a-nic", "spoke", "workload", "10.1.2.9"), vm("a", power="deallocated"))
    after = add(CLOSED, nic("a-nic", "spoke", "workload", "10.1.2.9"), vm("a"))
    assert [one.kind for one in changes(more, after)] == [Kind.LOST, Kind.GAINED]


def test_ids_compare_without_case() -> None:
    shouting = [row | {"id": row["id"].upper()} if row["name"] == "web" else row for row in OPEN]
    assert only(OPEN, shouting).kind is Kind.SAME


def test_of_a_resource_that_is_another_altogether_a_few_fields_are_told() -> None:
    before = change(hub_and_spoke(), "bas", "tags", {f"t{number}": "a" for number in range(100)})
    after = change(hub_and_spoke(), "bas", "tags", {f"t{number}": "b" for number in range(100)})
    found = field_changes(bastion_id("bas"), Inventory.from_rows(before), Inventory.from_rows(after))
    assert len(found) == MOST_FIELDS
    assert found[0].field == "tags.t0"
