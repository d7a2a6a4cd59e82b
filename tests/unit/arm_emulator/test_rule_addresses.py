"""The addresses of security rules: what Azure takes, what it refuses, and what an estate holds already."""

from typing import Any

import pytest

from tests.support.arm import NET, Arm, rule_body

GROUP = f"{NET}/networkSecurityGroups/n"
RULE = f"{GROUP}/securityRules/a"
RIGHT = ("*", "10.0.0.0/8", "10.1.2.4", "10.1.2.4/32", "0.0.0.0/0", "fd00::/8", "fd00::4", "Internet", "virtualnetwork",
         "Storage.WestEurope", "AzureFrontDoor.Backend", "AZURE_LOADBALANCER")  # fmt: skip
WRONG = ("10.0.0.300/24", "10.0.0.0/33", "10.0.0.5/8", "10.0.0.0/8,10.1.0.0/16", "10.0.0/0/16", "fd00::5/8", "::/129", "foo",
         "any", "Storage.West.Europe", " *", "\u06610.0.0.0/8")  # fmt: skip


def group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"securityRules": list(rules)}}


def in_the_plural(field: str, *values: str) -> dict[str, Any]:
    rule = rule_body(101)
    del rule["properties"][field]
    rule["properties"][f"{field}es"] = list(values)
    return rule


@pytest.mark.parametrize("field", ["sourceAddressPrefix", "destinationAddressPrefix"])
@pytest.mark.parametrize("value", RIGHT)
def test_an_address_or_tag_is_taken_in_either_form(field: str, value: str) -> None:
    arm = Arm()
    assert arm.put(GROUP, group({"name": "a", **rule_body(100, **{field: value})})).status == 201
    several = in_the_plural(field, value)
    assert arm.put(GROUP, group({"name": "b", **several})).status == 200


@pytest.mark.parametrize("field", ["sourceAddressPrefix", "destinationAddressPrefix"])
@pytest.mark.parametrize("value", WRONG)
def test_what_is_no_address_and_no_tag_is_refused(field: str, value: str) -> None:
    arm = Arm()
    told = f"Security rule {RULE} has invalid Address prefix. Value provided: {value}"
    several = in_the_plural(field, "10.0.0.0/8", value)
    for rule in (rule_body(100, **{field: value}), several):
        answer = arm.put(GROUP, group({"name": "a", **rule}))
        assert (answer.status, answer.code, answer.message) == (400, "SecurityRuleInvalidAddressPrefix", told)
    arm.made(GROUP, group())
    assert arm.put(RULE, rule_body(100, **{field: value})).code == "SecurityRuleInvalidAddressPrefix"


@pytest.mark.parametrize("value", WRONG)
def test_what_an_estate_holds_can_be_written_back(value: str) -> None:
    row = {"id": GROUP, **group({"name": "a", **rule_body(100, sourceAddressPrefix=value)})}
    arm = Arm(estate=[row])
    for path in (GROUP, RULE):
        assert arm.put(path, arm.get(path).body).status == 200
        arm.wait()
    changed = arm.get(RULE).body
    changed["properties"]["access"] = "Deny"
    assert arm.put(RULE, changed).status == 200
    arm.wait()
    changed["properties"]["sourceAddressPrefix"] = "10.0.0.9/8"
    assert arm.put(RULE, changed).code == "SecurityRuleInvalidAddressPrefix"
