"""What an administrator's rules leave of what a security group decides."""

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, INSTANCE, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import (
    Estate,
    Row,
    add,
    admin_rule,
    hub_and_spoke,
    manager_id,
    row,
    rule,
    same_vnet,
    scale_set,
    security_admin,
    vnet_id,
    with_nsg,
)

SSH = Question("SSH", 22)
DENIED = [*hub_and_spoke(), *security_admin("spoke", admin_rule("no", 10, "Deny"))]


def collection(*groups: str) -> Row:
    """The rule collection of that rule, for these network groups."""
    own = manager_id("securityAdminConfigurations/baseline/ruleCollections/all/snapshots/3")
    return row(own, {"appliesToGroups": [{"networkGroupId": manager_id(f"networkGroups/{one}")} for one in groups]})


def memberships(*groups: str) -> Row:
    """The network groups that the VM's VNet is in, in the case that Resource Graph has them in."""
    listed = [{"NetworkGroupId": manager_id(f"networkGroups/{one}")} for one in groups]
    own = f"{vnet_id('spoke')}/providers/Microsoft.Network/networkGroupMemberships/default"
    return row(own, {"GroupMemberships": listed})


def codes(estate: Estate) -> list[str]:
    """The reasons' codes, on which both have to agree."""
    one = Asked(estate, questions=(SSH,))
    compare(one)
    return [reason.code for reason in engine(one)(WEB, SSH, BAS).reasons]


def test_the_rule_to_blame_is_one_that_decides_for_what_is_not_always_allowed() -> None:
    rules = rule("A", 100, "Deny", source="10.0.1.0/27"), rule("B", 110, "Deny", source="10.0.1.32/27")
    always = admin_rule("lower", 10, "AlwaysAllow", source="10.0.1.0/27")
    one = Asked([*with_nsg(hub_and_spoke(), "nic", *rules), *security_admin("spoke", always)], questions=(SSH,))
    compare(one)
    (reason,) = engine(one)(WEB, SSH, BAS).reasons
    assert (reason.code, reason.rule, reason.priority) == ("NsgPartiallyBlocksBastion", "B", 110)


@pytest.mark.parametrize(
    ("always", "expected"),
    [
        # Whether the instance is denied hangs on its address first, and an address is told before a tag is asked about.
        (admin_rule("tag", 10, "AlwaysAllow", source="NobodyKnows"), ["EffectiveDataUnavailable"]),
        # What the group would deny is just what never comes to it: whatever its address, the instance is let in.
        (admin_rule("half", 10, "AlwaysAllow", destination="10.0.2.0/25"), []),
        (admin_rule("quarter", 10, "AlwaysAllow", destination="10.0.2.0/26"), ["EffectiveDataUnavailable"]),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_of_an_instance_with_an_unknown_address_group_and_administrator_are_asked_together_for_each_address(
    always: Row, expected: list[str]
) -> None:
    denied = with_nsg(same_vnet(), "subnet", rule("low", 100, "Deny", destination="10.0.2.0/25"))
    estate = [*denied, *scale_set("fleet", "hub", "workload"), *security_admin("hub", always)]
    one = Asked(estate, questions=(SSH,), machines=(INSTANCE,))
    assert [reason.code for reason in engine(one)(INSTANCE, SSH, BAS).reasons] == expected
    compare(one)


def test_a_rule_collection_applies_to_the_vnets_of_its_network_groups_alone() -> None:
    assert codes(add(DENIED, collection("prod"), memberships("dev"))) == []
    assert codes(add(DENIED, collection("prod", "dev"), memberships("DEV", "test"))) == ["SecurityAdminDenies"]


def test_a_rule_collection_applies_where_groups_or_memberships_are_not_told() -> None:
    assert codes(add(DENIED, collection("prod"))) == ["SecurityAdminDenies"]
    assert codes(add(DENIED, memberships("dev"))) == ["SecurityAdminDenies"]
    assert codes(add(DENIED, collection("prod"), memberships())) == ["SecurityAdminDenies"]


def test_a_configuration_none_of_whose_rules_are_there_stays_open_whatever_its_collections_are_for() -> None:
    without = DENIED[:-1]
    assert codes(add(without, collection("prod"), memberships("dev"))) == ["EffectiveDataUnavailable"]
