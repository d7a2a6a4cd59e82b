"""Just-in-time access of the VM that is asked about, and of its neighbours behind the same group."""

from typing import Any

import pytest

from bastion_operator.network.finding import Action
from bastion_operator.network.fixes import explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge, judge_all
from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import (
    Estate,
    Row,
    add,
    asg_id,
    change,
    find,
    hub_and_spoke,
    nic,
    resource_id,
    row,
    rule,
    same_vnet,
    vm,
    vm_id,
    with_nsg,
)

SSH = Question("SSH", 22)
JIT = "MicrosoftDefenderForCloud-JITRule_1"
ORDINARY = rule("corp", 2000, "Deny", ports="22")


def policy(name: str, *ports: int, **granted: Any) -> Row:
    """A policy on the machine's ports, with access to 22 granted where it says to whom."""
    machines = {"id": WEB.upper(), "ports": [{"number": port} for port in ports]}
    own = resource_id("Microsoft.Security/locations", f"westeurope/jitNetworkAccessPolicies/{name}")
    asked = {"id": WEB, "ports": [{"number": 22, "status": "Initiated"} | granted]}
    return row(own, {"virtualMachines": [machines], "requests": [{"virtualMachines": [asked]}] if granted else []})


def blocks(estate: Estate) -> bool:
    """Whether just-in-time access may keep the port closed, as both opinions have it."""
    one = Asked(estate, questions=(SSH,))
    compare(one)
    (candidate,) = engine(one)(WEB, SSH, BAS).candidates
    return "JitMayBlock" in {warning.code for warning in candidate.warnings}


def left(destination: str | list[str]) -> Estate:
    """What just-in-time access of some address left in the subnet's group, in front of an ordinary Deny."""
    return with_nsg(hub_and_spoke(), "subnet", rule(JIT, 1000, "Deny", ports="22", destination=destination), ORDINARY)


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("10.1.2.99", False),
        ("10.1.2.4", True),
        (["10.1.2.99", "10.1.2.4"], True),
        ("*", True),
        ("VirtualNetwork", True),
        ("10.1.2.0/33", True),
    ],
)
def test_a_rule_that_was_left_guards_whom_it_names(destination: str | list[str], expected: bool) -> None:
    assert blocks(left(destination)) == expected


@pytest.mark.parametrize(("group", "expected"), [("web", True), ("other", False)])
def test_a_rule_that_was_left_guards_the_application_security_group_that_it_names(group: str, expected: bool) -> None:
    held = rule(JIT, 1000, "Deny", ports="22", destinationApplicationSecurityGroups=[{"id": asg_id(group)}])
    del held["properties"]["destinationAddressPrefix"]
    estate = with_nsg(hub_and_spoke(), "subnet", held, ORDINARY)
    path = "properties.ipConfigurations.0.properties.applicationSecurityGroups"
    assert blocks(change(estate, "web-nic", path, [{"id": asg_id("web")}])) == expected


def test_access_granted_to_a_neighbour_opens_nothing_here() -> None:
    granted = rule(f"{JIT}_Allow", 900, "Allow", ports="22", source="10.0.1.0/26", destination="10.1.2.99")
    assert blocks(
        add(
            change(
                left("10.1.2.4"),
                "guard",
                "properties.securityRules",
                [
                    granted,
                    rule(JIT, 1000, "Deny", ports="22", destination="10.1.2.4"),
                ],
            )
        )
    )


def test_machines_behind_one_group_are_told_apart_by_the_addresses_of_its_rules() -> None:
    # Its sources are no Bastion's, so that only whom it guards tells the two apart; the one that it guards is judged last.
    estate = with_nsg(
        hub_and_spoke(), "subnet", rule(JIT, 1000, "Deny", source="203.0.113.0/24", destination="10.1.2.99")
    )
    estate = add(estate, nic("zed-nic", "spoke", "workload", "10.1.2.99"), vm("zed", nics=["zed-nic"]))
    warned = {
        verdict.vm.rsplit("/", 1)[-1]: "JitMayBlock" in {one.code for one in verdict.warnings}
        for verdict in judge_all(Inventory.from_rows(estate))
    }
    assert warned == {"web": False, "zed": True}


def fix(estate: Estate) -> tuple[set[Action], str]:
    inventory = Inventory.from_rows(estate)
    told = explain(judge(inventory, vm_id("web")), inventory).reasons[0].fix
    assert told is not None
    return {change.action for change in told.changes}, told.summary


def test_a_rule_left_for_a_neighbour_is_no_reason_to_request_access() -> None:
    assert fix(left("10.1.2.99"))[0] == {Action.ADD}
    assert fix(left("10.1.2.4"))[0] == {Action.REQUEST_ACCESS}


@pytest.mark.parametrize("ports", [(22, 3389), (3389, 22)])
def test_every_policy_on_a_machine_counts(ports: tuple[int, int]) -> None:
    estate = add(with_nsg(hub_and_spoke(), "subnet", ORDINARY), policy("a", ports[0]), policy("b", ports[1]))
    assert blocks(estate)
    inventory = Inventory.from_rows(estate)
    told = explain(judge(inventory, vm_id("web")), inventory).reasons[0].fix
    assert told is not None
    asked = next(one for one in told.changes if one.field == "properties.requests")
    assert asked.resource == find(estate, "a" if ports[0] == 22 else "b")["id"]


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ({"allowedSourceAddressPrefix": "10.0.1.0/26"}, False),
        ({"allowedSourceAddressPrefixes": ["10.0.1.0/27", "10.0.1.32/27"]}, False),
        ({"allowedSourceAddressPrefixes": ["*"]}, False),
        ({"allowedSourceAddressPrefixes": ["10.0.1.0/27"]}, True),
        ({"allowedSourceAddressPrefixes": "10.0.1.0/26"}, True),
        ({}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_access_granted_by_any_policy_counts(granted: Row, expected: bool, first: bool) -> None:
    policies = policy("a", 22, **granted), policy("b", 22)
    assert blocks(add(same_vnet(), *(policies if first else policies[::-1]))) == expected
