"""Step 11: what each combination of two links comes to, and what is known where a VNet's row is missing."""

import copy
from typing import Any

import pytest

from tests.support.estates import (
    DELETE,
    Estate,
    Row,
    add,
    change,
    drop,
    hub_and_spoke,
    nsg,
    nsg_id,
    ref,
    rule,
    with_nsg,
)
from tests.support.network_groups import network_groups
from tests.unit.network.asking import ask, codes, link, space

GOOD = hub_and_spoke()
ELSEWHERE = space("192.168.0.0/24")
APART = change(
    change(GOOD, "hub", "properties.virtualNetworkPeerings", []), "spoke", "properties.virtualNetworkPeerings", []
)


def links(hub: dict[str, Any], spoke: dict[str, Any], base: Estate = GOOD) -> Estate:
    return link(link(base, "hub", **hub), "spoke", **spoke)


@pytest.mark.parametrize(
    ("hub", "spoke", "expected"),
    [
        ({"peeringState": "Initiated"}, {"peeringState": "Initiated"}, ["PeeringOneSided"]),
        ({"peeringState": "Disconnected"}, {"peeringState": "Disconnected"}, ["PeeringDisconnected"]),
        ({"peeringState": "Disconnected", "remoteAddressSpace": ELSEWHERE}, {"peeringState": "Initiated"}, ["PeeringDisconnected"]),
        ({"peeringState": "Initiated", "remoteAddressSpace": ELSEWHERE}, {}, ["PeeringOneSided", "AddressSpaceNotSynced"]),
        ({"remoteAddressSpace": ELSEWHERE}, {"remoteAddressSpace": ELSEWHERE}, ["AddressSpaceNotSynced"] * 2),
        ({"remoteAddressSpace": space("10.1.2.0/24"), "peeringSyncLevel": "LocalNotInSync"}, {}, []),
        ({"allowVirtualNetworkAccess": False}, {"allowVirtualNetworkAccess": False}, ["PeeringAccessDisabled"] * 2),
        ({"allowVirtualNetworkAccess": DELETE, "peerCompleteVnets": DELETE}, {"allowVirtualNetworkAccess": DELETE}, []),
        ({"allowGatewayTransit": True, "allowForwardedTraffic": False}, {"useRemoteGateways": True}, []),
        ({"peerCompleteVnets": False}, {"peerCompleteVnets": False}, ["SubnetNotPeered"]),
    ],
    ids=[
        "both wait", "both cut", "cut stands alone", "waits and is stale", "both stale", "stale beside the VM", "no access",
        "absent flags", "gateway flags", "no subnets listed",
    ],
)  # fmt: skip
def test_two_links(hub: dict[str, Any], spoke: dict[str, Any], expected: list[str]) -> None:
    assert codes(links(hub, spoke)) == expected


def far_group(estate: Estate, *rules: Row) -> Estate:
    return add(change(estate, "web-nic", "properties.networkSecurityGroup", ref(nsg_id("far"))), nsg("far", *rules))


def test_without_access_the_groups_of_each_side_decide() -> None:
    closed = links({"allowVirtualNetworkAccess": False}, {"allowVirtualNetworkAccess": False})
    both = far_group(with_nsg(closed, "bastion"))
    assert codes(both) == ["BastionNsgDenies", "NicNsgDenies"]
    out = rule("out", 105, "Allow", direction="Outbound", destination="10.1.0.0/16", ports="22")
    named = rule("named", 100, "Allow", source="10.0.1.0/26", ports="22")
    assert codes(far_group(with_nsg(closed, "bastion", out), named)) == []
    assert codes(far_group(closed)) == ["PeeringAccessDisabled", "NicNsgDenies"]


@pytest.mark.parametrize(
    "hub",
    [
        {"peeringState": "Disconnected"},
        {"peeringState": "Initiated"},
        {"remoteAddressSpace": ELSEWHERE},
    ],
    ids=["cut", "waiting", "stale"],
)
def test_behind_a_fault_groups_are_judged_as_if_it_were_mended(hub: dict[str, Any]) -> None:
    faulty = link(links(hub, {"allowVirtualNetworkAccess": False}), "hub", allowVirtualNetworkAccess=False)
    alone = codes(faulty)
    assert len(alone) == 1
    assert codes(far_group(with_nsg(faulty, "bastion"))) == alone
    assert codes(far_group(faulty, rule("deny", 100, "Deny"))) == [*alone, "NicNsgDenies"]


@pytest.mark.parametrize(
    ("missing", "seen", "fields", "expected", "verdict"),
    [
        ("hub", "spoke", {}, [], "Unknown"),
        ("spoke", "hub", {}, [], "Unknown"),
        ("hub", "spoke", {"peeringState": "Disconnected"}, ["PeeringDisconnected"], "Unreachable"),
        ("hub", "spoke", {"peeringState": "Initiated"}, ["PeeringOneSided"], "Unreachable"),
        ("spoke", "hub", {"remoteAddressSpace": ELSEWHERE}, ["AddressSpaceNotSynced"], "Unreachable"),
    ],
)
def test_of_a_vnet_without_a_row_nothing_is_guessed_and_what_the_other_says_counts(
    missing: str, seen: str, fields: dict[str, Any], expected: list[str], verdict: str
) -> None:
    answer = ask(drop(link(GOOD, seen, **fields), missing))
    assert [reason.code for reason in answer.reasons] == ["EffectiveDataUnavailable", *expected]
    assert (answer.verdict, answer.via) == (verdict, "Peering")


def test_a_vm_in_a_vnet_without_a_row_is_not_said_to_be_unpeered() -> None:
    assert codes(APART) == ["NotPeered"]
    answer = ask(drop(APART, "spoke"))
    assert ([reason.code for reason in answer.reasons], answer.verdict) == (["EffectiveDataUnavailable"], "Unknown")


def test_tenants_are_told_by_the_rows_of_subscriptions_where_resources_do_not_say() -> None:
    estate = copy.deepcopy(GOOD)
    for row in estate:
        del row["tenantId"]
    other = "00000000-0000-0000-0000-0000000000c3"
    moved = [
        row if row["name"] != "spoke" else row | {"id": row["id"].replace(row["subscriptionId"], other)}
        for row in estate
    ]
    for holder, place in ((next(row for row in moved if row["name"] == "web-nic"), 0),):
        configuration = holder["properties"]["ipConfigurations"][place]["properties"]
        configuration["subnet"]["id"] = configuration["subnet"]["id"].replace(holder["subscriptionId"], other)
    spoke = next(row for row in moved if row["name"] == "spoke")
    for subnet in spoke["properties"]["subnets"]:
        subnet["id"] = subnet["id"].replace(spoke["subscriptionId"], other)
    moved = link(moved, "hub", remoteVirtualNetwork={"id": spoke["id"]})
    kind = "microsoft.resources/subscriptions"
    here, there = (
        {"id": f"/subscriptions/{name}", "name": name, "type": kind, "tenantId": tenant}
        for name, tenant in ((spoke["subscriptionId"], "one"), (other, "two"))
    )
    assert codes(moved) == []
    assert codes([*moved, here, there]) == ["CrossTenantPeering"]
    assert codes([*moved, here, there | {"tenantId": "ONE"}]) == []


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (("a", "a"), ["ConnectedGroupNoPeering"]),
        (("a", "b"), ["NotPeered"]),
        (("a", None), ["ConnectedGroupNoPeering"]),
    ],
    ids=["one group", "two groups", "not told"],
)
def test_direct_connectivity_is_that_of_one_network_group(groups: tuple[str | None, ...], expected: list[str]) -> None:
    direct = dict.fromkeys("ab", "DirectlyConnected")
    members = dict(zip(("hub", "spoke"), groups, strict=True))
    assert codes(add(APART, *network_groups(members, direct))) == expected
