"""Address spaces that nobody can tell: what hangs on them is Unknown, never denied or diverted."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import (
    Estate,
    change,
    drop,
    hub,
    hub_and_spoke,
    hub_connection,
    peering,
    route,
    rule,
    same_vnet,
    with_nsg,
    with_routes,
)

SSH = Question("SSH", 22)
OPEN = "EffectiveDataUnavailable"
APPLIANCE = ("VirtualAppliance", "10.1.9.9")
LINK = "properties.virtualNetworkPeerings.0.properties"
SPACE = "properties.addressSpace"


def knows(estate: Estate, network: str, *prefixes: str) -> Estate:
    """What a network's link knows of the other one."""
    return change(estate, network, f"{LINK}.remoteAddressSpace", {"addressPrefixes": list(prefixes)})


def silent(estate: Estate, *networks: str) -> Estate:
    for network in networks:
        estate = change(estate, network, SPACE, None)
    return estate


def past_an_appliance(estate: Estate, prefix: str = "0.0.0.0/0") -> Estate:
    return with_routes(estate, "subnet", route("away", prefix, *APPLIANCE))


def guarded(estate: Estate, *rules: Any) -> Estate:
    return with_nsg(estate, "subnet", *rules)


def same_network() -> Estate:
    return past_an_appliance(silent(same_vnet(), "hub"))


def same_network_and_a_route_as_long_as_bastions_prefix() -> Estate:
    # No system route is longer than the subnet, so that this one wins whatever the network's space is.
    return past_an_appliance(silent(same_vnet(), "hub"), "10.0.1.0/26")


def same_network_and_a_route_one_shorter() -> Estate:
    return past_an_appliance(silent(same_vnet(), "hub"), "10.0.1.0/25")


def same_network_one_of_whose_prefixes_can_be_read() -> Estate:
    # It is the one that Bastion lies in: the other has no part in it.
    return past_an_appliance(change(same_vnet(), "hub", f"{SPACE}.addressPrefixes", ["10.0.0.0/16", "10.300.0.0/16"]))


def spokes_link_unread_and_a_group() -> Estate:
    return guarded(knows(hub_and_spoke(), "spoke", "10.0.0.0/33"))


def spokes_link_partly_unread_and_a_group() -> Estate:
    return guarded(knows(hub_and_spoke(), "spoke", "10.9.0.0/16", "10.0.0.0/33"))


def spokes_link_partly_unread_that_knows_bastion_and_a_group() -> Estate:
    return guarded(knows(hub_and_spoke(), "spoke", "10.0.0.0/16", "10.9.0.0/33"))


def spokes_link_unread_and_a_deny_of_bastion() -> Estate:
    return guarded(knows(hub_and_spoke(), "spoke", "10.0.0.0/33"), rule("no", 100, "Deny", source="10.0.1.0/26"))


def spokes_link_unread_and_a_default_route() -> Estate:
    return past_an_appliance(knows(hub_and_spoke(), "spoke", "10.0.0.0/33"))


def spokes_link_unread_and_a_route_as_long_as_bastions_prefix() -> Estate:
    return past_an_appliance(knows(hub_and_spoke(), "spoke", "10.0.0.0/33"), "10.0.1.0/26")


def hubs_link_unread_and_a_group_on_bastions_subnet() -> Estate:
    return with_nsg(knows(hub_and_spoke(), "hub", "10.1.0.0/33"), "bastion", rule("no", 4000, "Deny"))


def neither_told() -> Estate:
    return change(silent(hub_and_spoke(), "hub"), "spoke", f"{LINK}.remoteAddressSpace", None)


def neither_told_and_a_group() -> Estate:
    return guarded(neither_told())


def neither_told_and_a_default_route() -> Estate:
    return past_an_appliance(neither_told())


def one_sided_with_a_silent_network() -> Estate:
    return past_an_appliance(change(silent(hub_and_spoke(), "hub"), "spoke", f"{LINK}.peeringState", "Initiated"))


def one_sided_with_a_silent_network_and_a_group() -> Estate:
    stale = knows(silent(hub_and_spoke(), "hub"), "spoke", "10.0.0.0/16")
    lost = change(stale, "spoke", f"{LINK}.remoteAddressSpace", None)
    return guarded(change(lost, "spoke", f"{LINK}.peeringState", "Initiated"))


def peer_without_a_row() -> Estate:
    # A third network, of which nothing is known, may be what the tag holds; Bastion's own space is in it for certain.
    third = peering("third", space=())
    third["properties"]["remoteAddressSpace"] = None
    links = [peering("hub", space=["10.0.0.0/16"]), third]
    return guarded(change(hub_and_spoke(), "spoke", "properties.virtualNetworkPeerings", links))


def behind_a_hub() -> Estate:
    estate = hub_and_spoke(enableIpConnect=True)
    for network in ("hub", "spoke"):
        estate = change(estate, network, "properties.virtualNetworkPeerings", [])
    return [*estate, hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke")]


def behind_a_hub_with_a_group() -> Estate:
    return guarded(silent(behind_a_hub(), "hub"))


def behind_a_hub_with_a_default_route() -> Estate:
    return past_an_appliance(silent(behind_a_hub(), "hub"))


def behind_a_hub_from_a_silent_network() -> Estate:
    return with_nsg(silent(behind_a_hub(), "spoke"), "bastion")


CASES: list[tuple[Callable[[], Estate], list[str]]] = [
    (same_network, [OPEN]),
    (same_network_and_a_route_as_long_as_bastions_prefix, ["ReturnRouteDiverted"]),
    (same_network_and_a_route_one_shorter, [OPEN]),
    (same_network_one_of_whose_prefixes_can_be_read, []),
    (spokes_link_unread_and_a_group, [OPEN, OPEN]),
    (spokes_link_partly_unread_and_a_group, [OPEN, OPEN]),
    (spokes_link_partly_unread_that_knows_bastion_and_a_group, []),
    (spokes_link_unread_and_a_deny_of_bastion, [OPEN, "SubnetNsgDenies"]),
    (spokes_link_unread_and_a_default_route, [OPEN, OPEN]),
    (spokes_link_unread_and_a_route_as_long_as_bastions_prefix, [OPEN, "ReturnRouteDiverted"]),
    (hubs_link_unread_and_a_group_on_bastions_subnet, [OPEN, OPEN]),
    (neither_told_and_a_group, [OPEN, OPEN]),
    (neither_told_and_a_default_route, [OPEN, OPEN]),
    (one_sided_with_a_silent_network, ["PeeringOneSided", OPEN]),
    (one_sided_with_a_silent_network_and_a_group, ["PeeringOneSided", OPEN, OPEN]),
    (peer_without_a_row, []),
    (behind_a_hub_with_a_group, [OPEN]),
    (behind_a_hub_with_a_default_route, [OPEN]),
    (behind_a_hub_from_a_silent_network, [OPEN]),
]


@pytest.mark.parametrize(("made", "expected"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_both_guess_nothing(made: Callable[[], Estate], expected: list[str]) -> None:
    one = Asked(made(), questions=(SSH,))
    (candidate,) = engine(one)(WEB, SSH, BAS).candidates
    assert [reason.code for reason in candidate.reasons] == expected
    compare(one)


def test_a_peer_that_is_not_known_leaves_a_closed_side_open() -> None:
    estate = drop(peer_without_a_row(), "nobody")
    links = estate[1]["properties"]["virtualNetworkPeerings"]
    links[0]["properties"]["allowVirtualNetworkAccess"] = False
    one = Asked(estate, questions=(SSH,))
    assert [reason.code for reason in engine(one)(WEB, SSH, BAS).reasons] == [OPEN]
    compare(one)
