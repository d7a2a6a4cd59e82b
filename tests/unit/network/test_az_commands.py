"""A fix as commands: each reason's fix has one, and they say what the changes say."""

import shlex
from typing import Any

import pytest

from bastion_operator.network.finding import Action, Actor, Change, Fix
from bastion_operator.network.fixes import az_commands, explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Evaluation, judge
from tests.support.estates import (
    Estate,
    bastion_id,
    change,
    hub_and_spoke,
    nsg_id,
    rule,
    same_vnet,
    subnet_id,
    vm_id,
    vnet_id,
    with_nsg,
)
from tests.unit.network.asking import link
from tests.unit.network.reason_cases import CASES, Case

NOTHING_IN_AZURE = {Action.ASK}


def commands(estate: Estate, **asked: Any) -> list[str]:
    inventory = Inventory.from_rows(estate)
    verdict = explain(judge(inventory, vm_id("web"), **asked), inventory)
    fix = verdict.reasons[0].fix
    assert fix is not None
    return list(az_commands(fix))


def options(command: str) -> dict[str, list[str]]:
    """The values of each option of a command."""
    found: dict[str, list[str]] = {}
    for word in shlex.split(command):
        if word.startswith("--"):
            found[word] = []
        elif found:
            found[[*found][-1]].append(word)
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_fix_that_changes_something_in_azure_is_a_command_of_the_azure_cli(case: Case) -> None:
    inventory = Inventory.from_rows(case.broken, refused=case.refused)
    evaluation = Evaluation(inventory, case.sessions)
    verdict = explain(
        judge(inventory, vm_id("web"), evaluation=evaluation, **case.asked), inventory, evaluation=evaluation
    )
    for finding in (*verdict.reasons, *verdict.warnings):
        if finding.fix is None:
            continue
        told = az_commands(finding.fix)
        assert bool(told) == any(one.action not in NOTHING_IN_AZURE for one in finding.fix.changes), finding
        for command in told:
            assert shlex.split(command)[0] == "az"
            assert "\n" not in command


def test_a_rule_is_created_in_its_group_with_what_the_fix_says() -> None:
    [command] = commands(with_nsg(hub_and_spoke(), "nic", rule("no", 200, "Deny")))
    assert command.startswith("az network nsg rule create --subscription ")
    told = options(command)
    assert told["--nsg-name"] == ["guard"]
    assert (told["--priority"], told["--direction"], told["--access"], told["--protocol"]) == (
        ["199"],
        ["Inbound"],
        ["Allow"],
        ["Tcp"],
    )
    assert told["--source-address-prefixes"] == ["10.0.1.0/26"]
    assert (told["--destination-address-prefixes"], told["--destination-port-ranges"]) == (["10.1.2.4"], ["22"])


def test_both_links_of_a_peering_are_created_with_their_flags() -> None:
    estate = change(hub_and_spoke(), "hub", "properties.virtualNetworkPeerings", [])
    estate = change(estate, "spoke", "properties.virtualNetworkPeerings", [])
    told = commands(estate)
    assert [command.split(" --")[0] for command in told] == ["az network vnet peering create"] * 2
    assert [options(command)["--remote-vnet"] for command in told] == [[vnet_id("spoke")], [vnet_id("hub")]]
    assert all("--allow-vnet-access" in options(command) for command in told)


def test_a_disconnected_peering_is_deleted_and_made_again() -> None:
    told = commands(
        link(link(hub_and_spoke(), "hub", peeringState="Disconnected"), "spoke", peeringState="Disconnected")
    )
    assert [command.split(" --")[0] for command in told] == [
        *["az network vnet peering delete"] * 2,
        *["az network vnet peering create"] * 2,
    ]


def test_a_link_is_synced_and_a_vm_started_by_their_own_commands() -> None:
    [start] = commands(
        change(hub_and_spoke(), "web", "properties.extended.instanceView.powerState.code", "PowerState/deallocated")
    )
    assert start == f"az vm start --ids {vm_id('web')}"
    narrow = {"addressPrefixes": ["10.9.0.0/16"]}
    [sync] = commands(link(hub_and_spoke(), "hub", remoteAddressSpace=narrow))
    assert sync.startswith("az network vnet peering sync --ids ")


def test_fields_of_one_resource_are_set_by_one_command() -> None:
    [command] = commands(same_vnet(sku="Basic"), protocol="RDP")
    assert command == f"az resource update --ids {bastion_id('bas')} --set sku.name=Standard"


def test_a_field_that_is_taken_away_is_removed_and_a_place_in_a_list_stands_in_brackets() -> None:
    changes = (
        Change(
            Action.SET,
            subnet_id("hub", "AzureBastionSubnet"),
            "properties.routeTable",
            {"id": "x"},
            None,
            Actor.NETWORK_OWNER,
        ),
        Change(Action.SET, nsg_id("n"), "properties.a.0.b", 1, {"it's": [1]}, Actor.NETWORK_OWNER),
    )
    removed, placed = az_commands(Fix("", changes))
    assert removed.endswith("--remove properties.routeTable")
    assert options(placed)["--set"] == ['properties.a[0].b={"it\'s":[1]}']


def test_who_may_not_read_is_granted_reader_and_the_name_is_left_to_the_person() -> None:
    denied = Change(Action.READ, nsg_id("n"), "", None, None, Actor.ADMINISTRATOR)
    grant, show = az_commands(Fix("", (denied,)))
    assert options(grant) == {"--role": ["Reader"], "--assignee": ["PRINCIPAL"], "--scope": [nsg_id("n")]}
    assert show == f"az resource show --ids {nsg_id('n')}"
