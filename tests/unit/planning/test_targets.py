"""Which VMs a BastionHost is meant to reach, and how their verdicts are shown."""

from typing import Any

import pytest

from bastion_operator.api.bastion_host import BastionHostSpec
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.planning.targets import target_machines
from bastion_operator.planning.verdict_rows import reason_counts, report_row, rows_by_network, worst_first
from tests.support.estates import (
    Estate,
    bastion,
    bastion_id,
    nic,
    nsg,
    peering,
    public_ip,
    row,
    rule,
    scale_set,
    subnet,
    subnet_id,
    vm,
    vm_id,
    vnet,
    vnet_id,
)

HUB_SPACE, SPOKE_SPACE = ["10.0.0.0/16"], ["10.1.0.0/16"]


@pytest.fixture
def estate() -> Estate:
    """A hub with a VM, a peered spoke, one behind a broken link, and an island; one VM in each."""
    links = [peering("spoke", space=SPOKE_SPACE), peering("broken", space=["10.2.0.0/16"], state="Disconnected")]
    hub = [subnet("AzureBastionSubnet", "10.0.0.0/26"), subnet("work", "10.0.1.0/24")]
    networks = [
        vnet("hub", *HUB_SPACE, subnets=hub, peerings=links),
        vnet(
            "spoke", *SPOKE_SPACE, subnets=[subnet("work", "10.1.1.0/24")], peerings=[peering("hub", space=HUB_SPACE)]
        ),
        vnet("broken", "10.2.0.0/16", subnets=[subnet("work", "10.2.1.0/24")]),
        vnet("island", "10.3.0.0/16", subnets=[subnet("work", "10.3.1.0/24")]),
    ]
    names = ["hub", "spoke", "broken", "island"]
    machines = [
        each
        for number, name in enumerate(names)
        for each in (nic(f"{name}-nic", name, "work", f"10.{number}.1.4"), vm(f"{name}-vm", nics=[f"{name}-nic"]))
    ]
    machines[3]["tags"] = {"Team": "shop"}
    return [*networks, *machines, bastion("b", "hub"), public_ip("b-ip")]


def chosen(estate: Estate, **targets: Any) -> list[str]:
    spec = BastionHostSpec.model_validate(
        {"virtualNetworkID": vnet_id("hub").upper(), "sku": "Basic", "targets": targets}
    )
    return [machine.name.removesuffix("-vm") for machine in target_machines(Inventory.from_rows(estate), spec)]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({}, ["broken", "hub", "spoke"]),
        ({"scope": "VirtualNetwork"}, ["hub"]),
        ({"scope": "All"}, ["broken", "hub", "island", "spoke"]),
        ({"selectors": {"tags": {"team": "shop"}}}, ["spoke"]),
        ({"selectors": {"tags": {"team": "SHOP"}}}, []),
        ({"selectors": {"resourceGroups": ["NET"]}}, ["broken", "hub", "spoke"]),
        ({"selectors": {"resourceGroups": ["elsewhere"]}}, []),
        ({"selectors": {"subnetIDs": [subnet_id("spoke", "WORK")]}}, ["spoke"]),
        ({"selectors": {"tags": {"team": "shop"}, "subnetIDs": [subnet_id("hub", "work")]}}, []),
    ],
)
def test_scope_and_selectors(estate: Estate, targets: dict[str, Any], expected: list[str]) -> None:
    assert chosen(estate, **targets) == expected


def test_a_vm_without_a_nic_that_can_be_read_is_in_scope_of_everything_only(estate: Estate) -> None:
    estate = [each for each in estate if each["name"] != "spoke-nic"]
    assert "spoke" not in chosen(estate)
    assert "spoke" in chosen(estate, scope="All")


def test_rows_stand_under_the_network_of_the_primary_nic(estate: Estate) -> None:
    inventory = Inventory.from_rows([each for each in estate if each["name"] != "island-nic"])
    verdicts = judge_all(inventory, bastion_ids=[bastion_id("b")])
    grouped = rows_by_network(inventory, verdicts, vnet_id("hub"))
    assert {network.rsplit("/", 1)[-1]: [row.vm for row in rows] for network, rows in grouped.items()} == {
        "broken": [vm_id("broken-vm")],
        "hub": [vm_id("hub-vm"), vm_id("island-vm")],
        "spoke": [vm_id("spoke-vm")],
    }


def test_a_row_carries_the_rule_that_decides() -> None:
    deny = nsg("guard", rule("NoSsh", 100, "Deny", destinationPortRange="22"))
    hub = [subnet("AzureBastionSubnet", "10.0.0.0/26"), subnet("work", "10.0.1.0/24", nsg="guard")]
    rows = [vnet("hub", *HUB_SPACE, subnets=hub), nic("n", "hub", "work", "10.0.1.4"), vm("m", nics=["n"]), deny]
    (verdict,) = judge_all(Inventory.from_rows([*rows, bastion("b", "hub"), public_ip("b-ip")]))
    shown = report_row(verdict)
    (reason,) = shown.reasons
    assert (shown.verdict, reason.code, reason.rule, reason.priority, reason.direction) == (
        "Unreachable",
        "SubnetNsgDenies",
        "NoSsh",
        100,
        "Inbound",
    )


def test_what_only_needs_to_be_started_comes_last_and_each_vm_counts_once(estate: Estate) -> None:
    for each in estate:
        if each["name"] == "hub-vm":
            each["properties"]["extended"]["instanceView"]["powerState"]["code"] = "PowerState/deallocated"
    verdicts = judge_all(Inventory.from_rows(estate), protocols=["SSH", "RDP"], bastion_ids=[bastion_id("b")])
    worst = [(each.vm.rsplit("/", 1)[-1], each.reason) for each in worst_first(verdicts)]
    assert worst[-1] == ("hub-vm", "VMNotRunning")
    assert ("spoke-vm", "VMNotRunning") not in worst
    counted = {each.code: each.count for each in reason_counts(verdicts)}
    assert counted["VMNotRunning"] == 1
    assert counted["PeeringDisconnected"] == 1


def test_a_row_that_says_nothing_of_a_network_raises_nothing() -> None:
    lonely = row(vm_id("lonely"), {})
    assert chosen([lonely]) == []
    assert chosen([lonely], scope="All") == ["lonely"]


def test_instances_of_scale_sets_are_targets_as_vms_are(estate: Estate) -> None:
    estate += [*scale_set("near", "hub", "work", instances=2), *scale_set("away", "island", "work")]
    inventory = Inventory.from_rows(estate)
    spec = BastionHostSpec.model_validate({"virtualNetworkID": vnet_id("hub"), "sku": "Basic"})
    found = [machine.id for machine in target_machines(inventory, spec) if machine.scale_set_id]
    assert [each.rsplit("/", 3)[1] + each.rsplit("/", 1)[1] for each in found] == ["near0", "near1"]
    selected = {"selectors": {"subnetIDs": [subnet_id("hub", "work")]}}
    narrow = BastionHostSpec.model_validate({"virtualNetworkID": vnet_id("hub"), "sku": "Basic", "targets": selected})
    assert [machine.id for machine in target_machines(inventory, narrow) if machine.scale_set_id] == found
    verdicts = judge_all(inventory, vm_ids=found, bastion_ids=[bastion_id("b")])
    assert {verdict.verdict for verdict in verdicts} == {"Reachable"}
    grouped = rows_by_network(inventory, verdicts, vnet_id("island"))
    assert {network: len(rows) for network, rows in grouped.items()} == {vnet_id("hub"): 2}
