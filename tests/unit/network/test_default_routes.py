"""Steps 4 and 5: what takes the Bastion's own Internet traffic away, and what does not."""

import pytest

from bastion_operator.network.fixes import apply_fix, explain
from bastion_operator.network.gateways import read_local_gateway
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.prefixes import AddressSet
from tests.support.estates import (
    Estate,
    Row,
    add,
    gateway,
    hub_and_spoke,
    route,
    same_vnet,
    site,
    with_nsg,
    with_routes,
)
from tests.unit.network.asking import ask, codes, link, warned

APPLIANCE = ("VirtualAppliance", "10.0.9.4")
DIVERTED = ["SubnetDefaultRouteDiverted"]


def learning(*prefixes: str) -> Estate:
    return add(same_vnet(), gateway("vpn", "hub"), *site("hq", "vpn", *prefixes))


@pytest.mark.parametrize(
    ("routes", "expected", "unsupported"),
    [
        ([route("all", "0.0.0.0/0", "None")], DIVERTED, False),
        ([route("all", "0.0.0.0/0", "VnetLocal")], DIVERTED, False),
        ([route("all", "0.0.0.0/0", "VirtualNetworkGateway")], DIVERTED, False),
        ([route("low", "0.0.0.0/1", *APPLIANCE), route("high", "128.0.0.0/1", *APPLIANCE)], DIVERTED, False),
        ([route("all", "0.0.0.0/0", "Internet"), route("some", "20.0.0.0/8", *APPLIANCE)], DIVERTED, False),
        ([route("all", "0.0.0.0/0", "Internet"), route("inside", "192.168.0.0/16", *APPLIANCE)], [], False),
        (
            [
                route("all", "0.0.0.0/0", *APPLIANCE),
                route("low", "0.0.0.0/1", "Internet"),
                route("high", "128.0.0.0/1", "Internet"),
            ],
            [],
            True,
        ),
        ([route("inside", "10.0.0.0/8", *APPLIANCE)], [], True),
        ([route("v6", "::/0", "VirtualAppliance", "fd00::1")], [], True),
    ],
    ids=["nowhere", "local", "gateway", "halves", "public part", "private part", "halves win", "private", "IPv6"],
)
def test_a_table_on_the_bastion_subnet(routes: list[Row], expected: list[str], unsupported: bool) -> None:
    estate = with_routes(same_vnet(), "bastion", *routes)
    assert codes(estate) == expected
    assert ("UnsupportedSubnetRouteTable" in warned(estate)) is unsupported


def test_a_learned_default_route_in_halves_is_one() -> None:
    assert codes(learning("0.0.0.0/1", "128.0.0.0/1")) == ["DefaultRouteAdvertised"]


def test_a_route_elsewhere_does_not_hide_a_learned_one_that_would_take_its_place() -> None:
    estate = with_routes(learning("0.0.0.0/0"), "bastion", route("all", "0.0.0.0/0", *APPLIANCE))
    assert codes(estate) == ["SubnetDefaultRouteDiverted", "DefaultRouteAdvertised"]


def test_routes_to_the_internet_that_cover_it_together_leave_nothing_to_a_learned_one() -> None:
    low, high = route("low", "0.0.0.0/1", "Internet"), route("high", "128.0.0.0/1", "Internet")
    assert codes(with_routes(learning("0.0.0.0/0"), "bastion", low, high)) == []
    assert codes(with_routes(learning("0.0.0.0/0"), "bastion", low)) == ["DefaultRouteAdvertised"]


def test_a_table_that_keeps_gateway_routes_away_learns_none() -> None:
    assert codes(with_routes(learning("0.0.0.0/0"), "bastion", propagates_bgp=False)) == []


@pytest.mark.parametrize(
    ("listed", "left"),
    [
        (["0.0.0.0/0"], []),
        (["0.0.0.0/0", "10.1.0.0/16"], ["10.1.0.0/16"]),
        (["10.1.0.0/16", "128.0.0.0/1", "0.0.0.0/1"], ["10.1.0.0/16"]),
        (["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/2", "10.1.0.0/16"], ["10.1.0.0/16"]),
        (["0.0.0.0/0", "0.0.0.0/1"], ["0.0.0.0/1"]),
        (["0.0.0.0/0", "x", "::/0"], []),
        ([], []),
    ],
    ids=str,
)
def test_what_a_site_tells_beside_a_default_route(listed: list[str], left: list[str]) -> None:
    told, _ = site("hq", "vpn", *listed)
    assert read_local_gateway(told, told["id"]).routes == AddressSet.of(*left)


def test_the_way_out_is_judged_without_the_routes_that_are_at_fault() -> None:
    closed = link(hub_and_spoke(), "hub", allowVirtualNetworkAccess=False)
    table = with_routes(with_nsg(closed, "bastion"), "bastion", route("all", "0.0.0.0/0", *APPLIANCE))
    learned = add(with_nsg(closed, "bastion"), gateway("vpn", "hub"), *site("hq", "vpn", "0.0.0.0/0"))
    for estate, fault in ((table, "SubnetDefaultRouteDiverted"), (learned, "DefaultRouteAdvertised")):
        verdict = ask(estate)
        assert [reason.code for reason in verdict.reasons] == [fault, "BastionNsgDenies"]
        assert all(reason.fix is not None for reason in explain(verdict, Inventory.from_rows(estate)).reasons)


@pytest.mark.parametrize(
    ("closed", "guarded", "hop"),
    [("hub", "bastion", "Internet"), ("spoke", "subnet", "None"), ("spoke", "nic", "None")],
)
def test_a_rule_for_bastion_makes_certain_what_a_default_route_leaves_open(closed: str, guarded: str, hop: str) -> None:
    where = "bastion" if closed == "hub" else "subnet"
    estate = with_nsg(link(hub_and_spoke(), closed, allowVirtualNetworkAccess=False), guarded)
    estate = with_routes(estate, where, route("all", "0.0.0.0/0", hop))
    (reason,) = explain(ask(estate), Inventory.from_rows(estate)).reasons
    assert reason.code == "EffectiveDataUnavailable"
    assert reason.fix is not None
    assert "allow TCP 22 from 10.0.1.0/26" in reason.fix.summary
    assert codes(apply_fix(estate, reason.fix)) == []
