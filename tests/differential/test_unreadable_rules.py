"""Rules of which not all can be read, or that nothing tells apart: none is lost, and none becomes smaller than it may be."""

from typing import Any

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import Estate, Row, add, change, hub_and_spoke, nsg_id, ref, row, rule

OPEN = ["EffectiveDataUnavailable"]
DENIED = ["NicNsgDenies"]
SSH = Question("SSH", 22)


def guarded(*listed: Any) -> Estate:
    """The machine's NIC has a group with these for its rules."""
    group = row(nsg_id("guard"), {"securityRules": list(listed)})
    return add(change(hub_and_spoke(), "web-nic", "properties.networkSecurityGroup", ref(group["id"])), group)


def nameless(one: Row, **columns: Any) -> Row:
    return {key: held for key, held in one.items() if key != "name"} | columns


def deny(**fields: Any) -> Row:
    held = rule("no", 100, "Deny")
    return {"name": "no", "properties": held["properties"] | fields}


def said(estate: Estate) -> list[str]:
    """The reasons, on which both opinions come to the same."""
    one = Asked(estate, questions=(SSH,))
    compare(one)
    (candidate,) = engine(one)(WEB, SSH, BAS).candidates
    return [reason.code for reason in candidate.reasons]


ALLOW = rule("yes", 200, "Allow")


@pytest.mark.parametrize(
    "listed",
    [
        (nameless(rule("a", 100, "Deny")), nameless(ALLOW)),
        (nameless(rule("a", 100, "Deny"), name=None), nameless(ALLOW, name="")),
        (
            nameless(rule("a", 100, "Deny"), id=f"{nsg_id('guard')}/securityRules/a"),
            nameless(ALLOW, id=f"{nsg_id('guard')}/securityRules/b"),
        ),
        (rule("Same", 100, "Deny"), rule("same", 200, "Allow")),
    ],
    ids=["without a name", "with an empty name", "named by the id", "of one name"],
)
def test_rules_that_no_name_tells_apart_are_several(listed: tuple[Row, ...]) -> None:
    assert said(guarded(*listed)) == DENIED


SILENT: dict[str, Any] = {
    f"{side}{field}": value
    for side in ("source", "destination")
    for field, value in (("AddressPrefix", ""), ("AddressPrefixes", []))
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"destinationPortRange": "", "destinationPortRanges": [22, "80"]}, DENIED),
        ({"destinationPortRange": 22, "destinationPortRanges": ["80"]}, DENIED),
        ({"destinationPortRange": "80", "destinationPortRanges": [22]}, DENIED),
        ({"destinationPortRange": "80", "destinationPortRanges": "22"}, DENIED),
        ({"destinationPortRange": "80", "destinationPortRanges": [None]}, OPEN),
        ({"destinationPortRange": "80", "destinationPortRanges": [True]}, OPEN),
        ({"destinationPortRange": "80", "destinationPortRanges": {"from": 22}}, OPEN),
        ({"destinationPortRange": "30-20"}, OPEN),
        ({"destinationPortRange": "22-"}, OPEN),
        ({"destinationPortRange": None, "destinationPortRanges": None}, OPEN),
        ({"destinationPortRange": 80, "destinationPortRanges": []}, []),
        ({"sourceAddressPrefix": "", "sourceAddressPrefixes": [None, "10.9.0.0/16"]}, OPEN),
        ({"sourceAddressPrefix": "", "sourceAddressPrefixes": ["", "10.9.0.0/16"]}, OPEN),
        ({"sourceAddressPrefix": "10.9.0.0/16", "sourceAddressPrefixes": {"x": 1}}, OPEN),
        ({"sourceAddressPrefix": "10.9.0.0/16", "sourceAddressPrefixes": "10.0.1.0/26"}, DENIED),
        ({"sourceAddressPrefix": ["10.9.0.0/16"], "sourceAddressPrefixes": []}, OPEN),
        ({"sourceAddressPrefix": "10.9.0.0/16", "sourceAddressPrefixes": []}, []),
        (SILENT | {"sourceAddressPrefix": "*", "destinationApplicationSecurityGroups": ["web"]}, OPEN),
        (SILENT | {"sourceAddressPrefix": "*", "destinationApplicationSecurityGroups": "web"}, OPEN),
        (SILENT | {"sourceAddressPrefix": "*", "destinationApplicationSecurityGroups": [{"id": 5}]}, OPEN),
        (SILENT | {"destinationAddressPrefix": "*", "sourceApplicationSecurityGroups": {"id": "web"}}, OPEN),
        (SILENT | {"sourceAddressPrefix": "*"}, OPEN),
        ({"sourcePortRange": "x"}, OPEN),
        ({"sourcePortRange": None}, OPEN),
        ({"sourcePortRange": "", "sourcePortRanges": ["*", "x"]}, DENIED),
        ({"access": None, "sourcePortRange": "443"}, OPEN),
        ({"access": "?"}, OPEN),
        ({"direction": None}, OPEN),
        ({"protocol": None}, OPEN),
        ({"priority": "x"}, OPEN),
        ({"priority": "100"}, DENIED),
    ],
    ids=str,
)
def test_what_a_rule_states_in_another_form_counts_or_is_in_doubt(fields: Row, expected: list[str]) -> None:
    assert said(guarded(deny(**fields))) == expected


@pytest.mark.parametrize("strange", ["foo", None, 7, ["a"], {}], ids=str)
def test_what_is_no_rule_may_be_any(strange: Any) -> None:
    assert set(said(guarded(strange, rule("no", 4000, "Deny")))) == set(OPEN)
    assert set(said(guarded(strange))) == set(OPEN)


def test_a_rule_that_cannot_be_read_is_in_doubt_only_where_it_matters() -> None:
    assert (
        said(guarded(deny(destinationPortRange="", destinationPortRanges=[None]), rule("all", 110, "Deny"))) == DENIED
    )


def test_two_rules_of_one_name_are_in_doubt_each_for_itself() -> None:
    # The one may be what its prefix says and the other not: then the Allow comes through, else the Deny decides.
    prefix = {"sourceAddressPrefix": "10.0.0.0/33"}
    rules = deny(**prefix), {"name": "no", "properties": ALLOW["properties"] | prefix}
    assert set(said(guarded(*rules, rule("all", 4000, "Deny")))) == set(OPEN)
