"""Fixes of several reasons: of an administrator's two Denies, and of one group that stands in the way twice."""

import pytest

from bastion_operator.network.finding import Action
from bastion_operator.network.fixes import apply_fix, explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge
from tests.support.estates import (
    Estate,
    add,
    admin_rule,
    change,
    hub_and_spoke,
    nsg_id,
    ref,
    rule,
    security_admin,
    vm_id,
    with_nsg,
)
from tests.unit.network.asking import codes

LOWER, UPPER = "10.0.1.0/27", "10.0.1.32/27"


def explained(estate: Estate) -> Verdict:
    inventory = Inventory.from_rows(estate)
    return explain(judge(inventory, vm_id("web")), inventory)


@pytest.mark.parametrize(("first", "place"), [(50, 49), (1, 1)], ids=["free in front", "moved back"])
def test_the_administrators_allow_stands_in_front_of_all_that_deny(first: int, place: int) -> None:
    denies = admin_rule("d", 100, "Deny", source=LOWER), admin_rule("c", first, "Deny", source=UPPER)
    estate = add(hub_and_spoke(), *security_admin("spoke", *denies))
    [reason] = explained(estate).reasons
    assert reason.fix is not None
    assert reason.fix.changes[-1].to_value["properties"]["priority"] == place
    assert codes(apply_fix(estate, reason.fix)) == []


def test_the_administrators_allow_stands_in_front_of_the_one_that_denies_where_that_is_enough() -> None:
    denies = admin_rule("d", 100, "Deny"), admin_rule("c", 50, "Deny", source="10.9.0.0/16")
    [reason] = explained(add(hub_and_spoke(), *security_admin("spoke", *denies))).reasons
    assert reason.fix is not None
    assert reason.fix.changes[-1].to_value["properties"]["priority"] == 99


def on_both(*rules: dict[str, object]) -> Estate:
    """One group on the VM's subnet and on its NIC."""
    estate = with_nsg(hub_and_spoke(), "subnet", *rules)
    return change(estate, "web-nic", "properties.networkSecurityGroup", ref(nsg_id("guard").upper()))


def test_one_rule_is_enough_for_a_group_that_is_asked_twice() -> None:
    estate = on_both(rule("no", 4000, "Deny"))
    subnet, nic = explained(estate).reasons
    assert (subnet.code, nic.code) == ("SubnetNsgDenies", "NicNsgDenies")
    assert subnet.fix is not None
    assert subnet.fix == nic.fix
    assert [one.action for one in subnet.fix.changes] == [Action.ADD]
    assert codes(apply_fix(estate, subnet.fix)) == []


def test_two_groups_need_a_rule_each() -> None:
    estate = with_nsg(with_nsg(hub_and_spoke(), "subnet", rule("no", 4000, "Deny")), "nic", rule("no", 4000, "Deny"))
    own = next(row for row in reversed(estate) if row["id"] == nsg_id("guard")) | {"id": nsg_id("own"), "name": "own"}
    estate = add(change(estate, "web-nic", "properties.networkSecurityGroup", ref(nsg_id("own"))), own)
    subnet, nic = explained(estate).reasons
    assert subnet.fix is not None
    assert nic.fix is not None
    assert subnet.fix != nic.fix
