"""Input that Azure would not give: each kind has its defined answer, and nothing raises out of the engine."""

import copy
from random import Random
from typing import Any

import pytest

from bastion_operator.network.fixes import explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from tests.support.estates import (
    DELETE,
    Estate,
    Row,
    add,
    bastion,
    bastion_id,
    change,
    drop,
    hub_and_spoke,
    public_ip,
    ref,
    resource_id,
    route,
    rule,
    same_vnet,
    subnet,
    vm,
    vnet,
    with_nsg,
    with_routes,
)
from tests.unit.network.asking import LINK, ask, codes
from tests.unit.network.random_estates import random_estate

UNKNOWN = ["EffectiveDataUnavailable"]
SPACE = "properties.addressSpace.addressPrefixes"
BASTION_PREFIX = "properties.subnets.0.properties.addressPrefix"
WORKLOAD = "properties.subnets.1.properties"
GARBAGE: list[Any] = [
    None,
    "",
    "x",
    "10.0.0.0/99",
    "::1",
    "*",
    -1,
    10**12,
    2.5,
    True,
    [],
    [None],
    {},
    {"id": 7},
    ["10.0.0.1"],
]


def closed_by(held: Row, *behind: Row) -> Estate:
    return with_nsg(hub_and_spoke(), "nic", held, *behind)


@pytest.mark.parametrize(
    ("estate", "expected"),
    [
        (closed_by(rule("o", 100, "Allow", source=["10.0.0.0/8", "10.0.1.0/26", "10.0.1.0/27"])), []),
        (closed_by(rule("o", 100, "Deny", source=["10.0.0.0/8", "10.0.1.0/26"])), ["NicNsgDenies"]),
        (change(hub_and_spoke(), "hub", SPACE, ["10.0.0.0/16", "10.0.0.0/8"]), []),
        (change(same_vnet(), "hub", f"{WORKLOAD}.addressPrefix", "10.0.0.0/16"), []),
        (change(hub_and_spoke(), "spoke", SPACE, ["10.1.0.0/16", "10.0.0.0/16"]), []),
    ],
    ids=["in an Allow", "in a Deny", "in an address space", "of two subnets", "of two VNets"],
)
def test_overlapping_prefixes_are_their_union(estate: Estate, expected: list[str]) -> None:
    assert codes(estate) == expected


@pytest.mark.parametrize(
    "text", ["10.0.0.0/33", "10.0.0", "300.0.0.1", "10.0.0.0/-1", "10.0.0.0/x", "-", "10.0.0.0/8/9", "%"]
)
def test_a_malformed_prefix_leaves_open_what_hangs_on_it_and_nothing_else(text: str) -> None:
    deny = rule("bad", 100, "Deny", source=text)
    verdict = ask(closed_by(deny))
    assert [reason.code for reason in verdict.reasons] == UNKNOWN
    assert text in verdict.reasons[0].message
    assert codes(closed_by(rule("first", 99, "Allow"), deny)) == []
    assert codes(closed_by(deny, rule("then", 101, "Deny"))) == ["NicNsgDenies"]


@pytest.mark.parametrize(
    "estate",
    [
        change(hub_and_spoke(), "hub", BASTION_PREFIX, "10.0.1.0/99"),
        change(hub_and_spoke(), "hub", LINK + ".remoteAddressSpace.addressPrefixes", ["10.1.0.0"[:6]]),
        with_routes(hub_and_spoke(), "subnet", route("bad", "10.0.1", "VirtualAppliance")),
        with_routes(hub_and_spoke(), "bastion", route("bad", "10.0.1", "VirtualAppliance"), route("i", "0.0.0.0/0", "Internet")),
        change(hub_and_spoke(), "web-nic", "properties.ipConfigurations.0.properties.privateIPAddress", "10.1.2"),
    ],
    ids=["subnet", "link", "route back", "route out", "address"],
)  # fmt: skip
def test_a_malformed_prefix_elsewhere_is_a_fact_that_is_missing(estate: Estate) -> None:
    assert codes(estate) == UNKNOWN


@pytest.mark.parametrize(
    "field", ["protocol", "access", "direction", "priority", "destinationPortRange", "sourcePortRange"]
)
def test_a_word_that_nobody_knows_in_a_rule_leaves_open_what_hangs_on_it(field: str) -> None:
    strange = rule("strange", 100, "Deny")
    strange["properties"][field] = "Sctp"
    verdict = ask(closed_by(strange))
    assert [reason.code for reason in verdict.reasons] == UNKNOWN
    assert "strange" in verdict.reasons[0].message


@pytest.mark.parametrize("side", ["source", "destination"])
def test_an_unknown_service_tag_is_named_where_a_verdict_hangs_on_it(side: str) -> None:
    verdict = ask(closed_by(rule("x", 100, "Deny", **{side: "AzureTomorrow.WestEurope"})))
    assert ([reason.code for reason in verdict.reasons], verdict.verdict) == (["UnknownServiceTag"], "Unknown")
    assert "azuretomorrow.westeurope" in verdict.reasons[0].message.lower()
    assert codes(closed_by(rule("in", 99, "Allow"), rule("x", 100, "Deny", **{side: "AzureTomorrow"}))) == []


@pytest.mark.parametrize(
    ("configurations", "expected"),
    [
        ([], ["NoIPv4Address"]),
        (DELETE, UNKNOWN),
        # What a configuration without properties has is not known: only one that is read can lack an address.
        ([{"name": "a"}], UNKNOWN),
        ([None], UNKNOWN),
        ([{"name": "a", "properties": {"privateIPAddress": ""}}], ["NoIPv4Address"]),
        ("none", UNKNOWN),
    ],
    ids=["empty", "not stated", "without properties", "null", "empty address", "not a list"],
)
def test_nics_without_addresses(configurations: Any, expected: list[str]) -> None:
    assert codes(change(hub_and_spoke(), "web-nic", "properties.ipConfigurations", configurations)) == expected


def test_a_vm_without_nics_and_one_that_does_not_say() -> None:
    field = "properties.networkProfile.networkInterfaces"
    assert codes(change(hub_and_spoke(), "web", field, [])) == ["NoIPv4Address"]
    assert codes(change(hub_and_spoke(), "web", field, DELETE)) == UNKNOWN
    # A NIC that is listed and cannot be read is one all the same.
    assert codes(change(hub_and_spoke(), "web", field, [{"id": ""}, None, "x"])) == UNKNOWN
    assert codes(change(hub_and_spoke(), "web", "properties", {})) == UNKNOWN * 2


@pytest.mark.parametrize(
    "estate",
    [
        drop(hub_and_spoke(), "web-nic"),
        drop(hub_and_spoke(), "bas-ip"),
        drop(with_nsg(hub_and_spoke(), "nic"), "guard"),
        drop(with_nsg(hub_and_spoke(), "bastion"), "guard"),
        drop(with_routes(hub_and_spoke(), "subnet"), "routes"),
        drop(with_routes(hub_and_spoke(), "bastion"), "routes"),
        change(hub_and_spoke(), "web-nic", "properties.ipConfigurations.0.properties.subnet", ref(resource_id("Microsoft.Network/virtualNetworks", "spoke/subnets/lost"))),
    ],
    ids=["NIC", "public IP", "NIC's group", "Bastion's group", "VM's table", "Bastion's table", "subnet"],
)  # fmt: skip
def test_a_reference_to_what_is_not_in_the_estate_names_it(estate: Estate) -> None:
    reasons = ask(estate).reasons
    assert {reason.code for reason in reasons} == set(UNKNOWN)
    assert all(reason.resource for reason in reasons)


def test_two_bastions_with_one_name_are_two_bastions() -> None:
    other = bastion("bas", "hub")
    other["id"] = resource_id("Microsoft.Network/bastionHosts", "bas", group="other")
    verdict = ask(add(hub_and_spoke(), other))
    assert [candidate.bastion for candidate in verdict.candidates] == [bastion_id("bas"), other["id"]]
    assert verdict.reached_by == 2


def test_of_two_rows_with_one_id_the_later_counts() -> None:
    again = bastion("bas", "hub", provisioningState="Updating")
    assert codes(add(hub_and_spoke(), again | {"id": again["id"].upper()})) == ["BastionUpdating"]


def test_ipv6_only_subnets() -> None:
    bastions = change(hub_and_spoke(), "hub", BASTION_PREFIX, "fd00:1::/64")
    assert codes(bastions) == UNKNOWN
    targets = change(hub_and_spoke(), "spoke", "properties.subnets.0.properties.addressPrefix", "fd00:2::/64")
    configuration = "properties.ipConfigurations.0.properties"
    targets = change(targets, "web-nic", f"{configuration}.privateIPAddressVersion", "IPv6")
    assert codes(change(targets, "web-nic", f"{configuration}.privateIPAddress", "fd00:2::4")) == ["NoIPv4Address"]
    both = change(hub_and_spoke(), "hub", SPACE, ["10.0.0.0/16", "fd00:1::/48"])
    assert codes(both) == []


@pytest.mark.parametrize(
    "rows", [[], [{}], [None, 7, "x"], [{"id": None}], [{"id": "x"}], drop(hub_and_spoke(), "web")]
)
def test_an_estate_of_no_vms_has_no_verdicts(rows: list[Any]) -> None:
    assert judge_all(Inventory.from_rows(rows)) == []


def test_a_vm_alone_in_the_world() -> None:
    assert codes([vm("web")]) == ["BastionNotFound", "EffectiveDataUnavailable"]
    assert codes(drop(same_vnet(), "bas")) == ["BastionNotFound"]


@pytest.mark.parametrize("wrong", [None, "x", {"a": 1}, [None, 3]], ids=str)
@pytest.mark.parametrize(
    ("field", "expected"), [("subnets", UNKNOWN), ("virtualNetworkPeerings", UNKNOWN), ("addressSpace", [])]
)
def test_a_vnet_whose_subnets_and_links_are_no_lists(field: str, wrong: Any, expected: list[str]) -> None:
    assert codes(change(hub_and_spoke(), "hub", f"properties.{field}", wrong)) == expected


def test_a_bastion_in_two_subnets_is_judged_by_the_first() -> None:
    estate = add(
        same_vnet(), vnet("far", "10.9.0.0/16", subnets=[subnet("AzureBastionSubnet", "10.9.1.0/26")]), public_ip("x")
    )
    configurations = [
        *next(row for row in estate if row["name"] == "bas")["properties"]["ipConfigurations"],
        bastion("b", "far")["properties"]["ipConfigurations"][0],
    ]
    assert codes(change(estate, "bas", "properties.ipConfigurations", configurations)) == []


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in the JSON that can be overwritten."""
    found: list[tuple[Any, Any]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in pairs:
        found.append((value, key))
        found += places(held)
    return found


def damaged(rows: Estate, random: Random) -> Estate:
    changed = copy.deepcopy(rows)
    for _ in range(random.randrange(1, 25)):
        holder, key = random.choice(places(changed))
        holder[key] = copy.deepcopy(random.choice(GARBAGE))
    return changed


def judge_damaged(seed: int) -> None:
    random = Random(seed)
    rows = damaged(random_estate(seed % 50), random)
    inventory = Inventory.from_rows(rows)
    for verdict in judge_all(inventory, protocols=("RDP", "SSH")):
        assert verdict.verdict == "Reachable" or verdict.reasons
        told = explain(verdict, inventory)
        assert [one.code for one in told.reasons] == [one.code for one in verdict.reasons]


def test_nothing_raises_whatever_is_written_over_an_estate() -> None:
    for seed in range(40):
        judge_damaged(seed)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_nothing_raises_whatever_is_written_over_many_estates() -> None:
    for seed in range(1_000, 2_000):
        judge_damaged(seed)
