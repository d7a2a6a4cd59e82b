"""Verdicts that are kept while the inventory changes are those that a look at everything gives."""

import copy
import zlib
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import StandingVerdicts, judge_all
from tests.support.estates import (
    Row,
    bastion,
    bastion_rules,
    nic,
    nsg,
    peering,
    public_ip,
    route,
    route_table,
    rule,
    subnet,
    vm,
    vnet,
)
from tests.unit.network.random_estates import random_estate

PROTOCOLS = ("RDP", "SSH")


def a_change(random: Random, inventory: Inventory, spare: list[Row]) -> Inventory:
    """Some rows gone, some others in their places: of another estate, in which things have the same names.

    Mostly of one type, as changes come: else there is nearly always one on which everything hangs.
    """
    present = list(inventory)
    if random.random() < 0.8:
        kind = random.choice(sorted({row["type"].lower() for row in spare}))
        present = [row for row in present if row["type"].lower() == kind]
        spare = [row for row in spare if row["type"].lower() == kind]
    gone = random.sample(present, min(len(present), random.choice([0, 0, 1, 2])))
    arriving = random.sample(spare, min(len(spare), random.choice([1, 1, 2, 3])))
    return inventory.patched(arriving, [row["id"] for row in gone])


ENTANGLING = ("hubvirtualnetworkconnections", "effectiveconnectivityconfigurations")


def estate(seed: int, *, entangled: bool) -> list[Row]:
    """A random estate, with or without hubs and managers that connect VNets; some NICs lie in AzureBastionSubnet."""
    rows = [copy.deepcopy(row) for row in random_estate(seed)]
    for row in rows:
        if "/networkInterfaces/" in row["id"] and zlib.crc32(f"{seed}{row['id']}".encode()) % 10 == 0:
            place = row["properties"]["ipConfigurations"][0]["properties"]["subnet"]
            place["id"] = place["id"].rpartition("/")[0] + "/AzureBastionSubnet"
        if not entangled and "virtualNetworkPeerings" in row["properties"]:
            links = row["properties"]["virtualNetworkPeerings"]
            row["properties"]["virtualNetworkPeerings"] = [one for one in links if "RemoteVnetToHub" not in one["name"]]
    return [row for row in rows if entangled or not row["type"].lower().endswith(ENTANGLING)]


def whole(inventory: Inventory, **asked: Any) -> list[Any]:
    """The verdicts of a look at everything, made of nothing but the rows."""
    return judge_all(Inventory.from_rows(list(inventory)), protocols=PROTOCOLS, **asked)


def check(seed: int, changes: int, *, by_one_bastion: bool = False) -> int:
    random = Random(seed)
    entangled = random.random() < 0.3
    inventory = Inventory.from_rows(estate(seed, entangled=entangled))
    asked: dict[str, Any] = {"bastion_ids": list(inventory.bastions)[:1]} if by_one_bastion else {}
    standing = StandingVerdicts(inventory, protocols=PROTOCOLS, **asked)
    spared = 0
    for number in range(changes):
        before = {(verdict.vm, verdict.protocol): verdict for verdict in standing}
        inventory = a_change(random, inventory, estate(random.randrange(10_000), entangled=entangled))
        turn = standing.update(inventory)
        expected = whole(inventory, **asked)
        assert list(standing) == expected, f"seed {seed}, change {number}"
        turned = [verdict for verdict in expected if before.get((verdict.vm, verdict.protocol)) != verdict]
        assert list(turn.turned) == turned
        assert {vm.lower() for vm, _ in before} - {one.vm.lower() for one in expected} == turn.gone
        spared += len(inventory.virtual_machines) - turn.judged
    return spared


@given(st.integers(0, 1_000_000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_after_changes_the_verdicts_are_those_of_a_look_at_everything(seed: int, by_one_bastion: bool) -> None:
    check(seed, changes=4, by_one_bastion=by_one_bastion)


def test_changes_spare_vms_the_judging() -> None:
    assert sum(check(seed, changes=4) for seed in range(20)) > 150


@pytest.mark.long
@pytest.mark.timeout(1800)
@given(st.integers(0, 1_000_000_000), st.booleans())
@settings(max_examples=3_000, deadline=None)
def test_after_changes_the_verdicts_are_those_of_a_look_at_everything_in_many_estates(
    seed: int,
    by_one_bastion: bool,
) -> None:
    check(seed, changes=6, by_one_bastion=by_one_bastion)


def two_spokes() -> Inventory:
    """A hub with a Bastion, and two spokes of two VMs each; the first VM of each has a group of its own."""
    rows: list[Row] = [public_ip("b1-ip"), bastion("b1", "v1"), nsg("gb", *bastion_rules())]
    rows.append(
        vnet(
            "v1",
            "10.1.0.0/16",
            subnets=[subnet("AzureBastionSubnet", "10.1.1.0/26", nsg="gb")],
            peerings=[peering("v2", space=["10.2.0.0/16"]), peering("v3", space=["10.3.0.0/16"])],
        )
    )
    for own in (2, 3):
        held = [subnet("w", f"10.{own}.2.0/24", nsg=f"g{own}", route_table=f"t{own}")]
        rows += [
            vnet(f"v{own}", f"10.{own}.0.0/16", subnets=held, peerings=[peering("v1", space=["10.1.0.0/16"])]),
            nsg(f"g{own}"),
            nsg(f"own{own}"),
            route_table(f"t{own}"),
        ]
        for place in range(2):
            group = None if place else f"own{own}"
            rows.append(nic(f"m{own}{place}-nic", f"v{own}", "w", f"10.{own}.2.{4 + place}", nsg=group))
            rows.append(vm(f"m{own}{place}"))
    return Inventory.from_rows(rows)


DENY = rule("no", 100, "Deny", ports="22")
CHANGES = {
    "a group on a subnet": (nsg("g2", DENY), {"m20", "m21"}, {"m20", "m21"}),
    "a group on a NIC": (nsg("own2", DENY), {"m20"}, {"m20"}),
    "a rule that changes nothing": (nsg("g2", rule("no", 100, "Deny", ports="443")), {"m20", "m21"}, set()),
    "a VM": (vm("m31", power="stopped"), {"m31"}, {"m31"}),
    "a NIC": (nic("m31-nic", "v3", "w", "10.3.2.9", nsg="own3"), {"m31"}, set()),
    "a route table": (
        route_table("t3", route("away", "10.1.0.0/16", "VirtualAppliance")),
        {"m30", "m31"},
        {"m30", "m31"},
    ),
    "the Bastion's group": (
        nsg("gb", *bastion_rules(), rule("no", 100, "Deny", ports="22", direction="Outbound")),
        {"m20", "m21", "m30", "m31"},
        {"m20", "m21", "m30", "m31"},
    ),
    "something that is no part of it": (nsg("elsewhere", DENY), set(), set()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_judged_where_it_touches_and_nowhere_else(change: str) -> None:
    row, judged, turned = CHANGES[change]
    inventory = two_spokes()
    standing = StandingVerdicts(inventory)
    assert {verdict.verdict for verdict in standing} == {"Reachable"}
    turn = standing.update(inventory.patched([row]))
    assert turn.judged == len(judged)
    assert {verdict.vm_name for verdict in turn.turned} == turned
    assert not turn.gone


def test_a_vm_that_goes_out_of_the_question_goes_and_comes_back() -> None:
    inventory = two_spokes()
    standing = StandingVerdicts(inventory)
    ids = [machine.id for machine in inventory.virtual_machines.values()]
    turn = standing.update(inventory, vm_ids=ids[:3])
    assert (turn.judged, len(turn.gone), len(standing)) == (0, 1, 3)
    turn = standing.update(inventory, vm_ids=ids)
    assert (turn.judged, len(turn.gone), len(standing)) == (1, 0, 4)
    turn = standing.update(inventory.patched(gone=[ids[0]]), vm_ids=ids)
    assert (turn.judged, len(turn.gone), len(standing)) == (0, 1, 3)


@pytest.mark.parametrize(("between", "code"), [((), "PeeringOneSided"), (("v2",), "PeeringNotTransitive")])
def test_a_link_reaches_vms_that_had_no_bastion_before(between: tuple[str, ...], code: str) -> None:
    """The Bastion's VNet gets a link to the VM's, or to one that is peered with it: the VM hung on neither."""
    host = subnet("AzureBastionSubnet", "10.1.1.0/26")
    near = between[0] if between else "v3"
    linked = [peering("v2", space=["10.2.0.0/16"])] if between else []
    rows = [
        vnet("v1", "10.1.0.0/16", subnets=[host]),
        public_ip("b1-ip"),
        bastion("b1", "v1"),
        vnet("v2", "10.2.0.0/16"),
        vnet("v3", "10.3.0.0/16", subnets=[subnet("w", "10.3.2.0/24")], peerings=linked),
        nic("m-nic", "v3", "w", "10.3.2.4"),
        vm("m"),
    ]
    inventory = Inventory.from_rows(rows)
    standing = StandingVerdicts(inventory)
    assert [reason.code for verdict in standing for reason in verdict.reasons] == ["NotPeered"]
    later = inventory.patched(
        [vnet("v1", "10.1.0.0/16", subnets=[host], peerings=[peering(near, space=["10.3.0.0/16"])])]
    )
    turn = standing.update(later)
    assert [reason.code for verdict in standing for reason in verdict.reasons] == [code]
    assert turn.judged == 1
