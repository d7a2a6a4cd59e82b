"""Route tables of which something cannot be read: what hangs on it is Unknown, and nothing else is."""

from collections.abc import Callable

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import (
    DELETE,
    Estate,
    change,
    hub_and_spoke,
    route,
    same_vnet,
    with_nsg,
    with_routes,
)

SSH = Question("SSH", 22)
OPEN = "EffectiveDataUnavailable"
APPLIANCE = ("VirtualAppliance", "10.1.9.9")
ROUTES = "properties.routes"
BASTION = "10.0.1.0/26"


def closed() -> Estate:
    """The spoke's link keeps the hub out of the tag VirtualNetwork, and a NIC's group has nothing but the default rules."""
    path = "properties.virtualNetworkPeerings.0.properties.allowVirtualNetworkAccess"
    return with_nsg(change(hub_and_spoke(), "spoke", path, value=False), "nic")


def machines_table_that_states_no_routes() -> Estate:
    return change(with_routes(hub_and_spoke(), "subnet"), "routes", ROUTES, DELETE)


def machines_table_whose_routes_are_null() -> Estate:
    return change(with_routes(same_vnet(), "subnet"), "routes", ROUTES, None)


def machines_table_without_properties() -> Estate:
    return change(with_routes(hub_and_spoke(), "subnet"), "routes", "properties", None)


def bastions_table_that_states_no_routes() -> Estate:
    return change(with_routes(hub_and_spoke(), "bastion"), "routes", ROUTES, DELETE)


def bastions_table_without_properties() -> Estate:
    return change(with_routes(same_vnet(), "bastion"), "routes", "properties", None)


def machines_table_with_an_entry_that_is_no_object() -> Estate:
    return change(with_routes(hub_and_spoke(), "subnet"), "routes", ROUTES, ["foo"])


def bastions_table_with_an_entry_that_is_null() -> Estate:
    return change(with_routes(hub_and_spoke(), "bastion"), "routes", ROUTES, [None])


def machines_table_without_routes() -> Estate:
    return with_routes(hub_and_spoke(), "subnet")


def bastions_table_without_routes() -> Estate:
    return with_routes(hub_and_spoke(), "bastion")


def tag_that_a_table_without_stated_routes_may_widen() -> Estate:
    return change(with_routes(closed(), "subnet"), "routes", ROUTES, None)


def away(prefix: str, hop: str, *address: str) -> Estate:
    return with_routes(hub_and_spoke(), "subnet", route("away", prefix, hop, *address))


def hop_that_is_no_word_of_azures() -> Estate:
    return away(BASTION, "Hyper")


def hop_in_other_letters() -> Estate:
    return away(BASTION, "VIRTUALAPPLIANCE")


def default_route_with_such_a_hop() -> Estate:
    # The peering's route is longer, whatever the hop means.
    return away("0.0.0.0/0", "Hyper")


def default_route_of_bastion_with_such_a_hop() -> Estate:
    return with_routes(hub_and_spoke(), "bastion", route("out", "0.0.0.0/0", "Hyper"))


def route_without_a_hop_for_other_addresses() -> Estate:
    return away("192.168.0.0/16", "")


def route_without_a_hop_behind_a_longer_one() -> Estate:
    inside = route("inside", BASTION, "VnetLocal")
    return with_routes(hub_and_spoke(), "subnet", route("wide", "10.0.0.0/16", ""), inside)


def route_without_a_hop_that_takes_a_part() -> Estate:
    inside = route("inside", BASTION, "VnetLocal")
    return with_routes(hub_and_spoke(), "subnet", route("part", "10.0.1.32/27", ""), inside)


def route_without_a_hop_before_one_that_leads_away() -> Estate:
    # The longer one takes the replies, and may lead them inside.
    return with_routes(hub_and_spoke(), "subnet", route("what", BASTION, ""), route("away", "10.0.0.0/16", *APPLIANCE))


def route_without_a_hop_beside_one_that_leads_away() -> Estate:
    # What the one takes is lost for certain; what the other takes, nobody can tell.
    return with_routes(
        hub_and_spoke(),
        "subnet",
        route("what", "10.0.1.32/27", ""),
        route("away", "10.0.1.0/27", *APPLIANCE),
    )


def route_to_somewhere_inside_before_one_that_leads_away() -> Estate:
    # It may be for Bastion's addresses, and then it wins.
    return with_routes(
        hub_and_spoke(), "subnet", route("what", "10.0.1.0/99", "VnetLocal"), route("away", "10.0.0.0/16", *APPLIANCE)
    )


def route_to_somewhere_away_before_one_that_leads_away() -> Estate:
    return with_routes(
        hub_and_spoke(), "subnet", route("what", "10.0.1.0/99", "None"), route("away", "10.0.0.0/16", *APPLIANCE)
    )


def route_of_bastion_without_a_hop_for_private_addresses() -> Estate:
    return with_routes(
        hub_and_spoke(), "bastion", route("out", "0.0.0.0/0", "Internet"), route("what", "10.0.0.0/8", "")
    )


def route_of_bastion_without_a_hop_for_a_service() -> Estate:
    return with_routes(
        hub_and_spoke(), "bastion", route("out", "0.0.0.0/0", "Internet"), route("what", "AzureCloud", "")
    )


def route_of_bastion_without_a_hop_behind_longer_ones() -> Estate:
    halves = (route("low", "0.0.0.0/1", "Internet"), route("high", "128.0.0.0/1", "Internet"))
    return with_routes(hub_and_spoke(), "bastion", route("out", "0.0.0.0/0", ""), *halves)


def tag_and_a_route_without_a_hop_for_other_addresses() -> Estate:
    # The prefix belongs to the tag whatever the hop.
    return with_routes(closed(), "subnet", route("what", "192.168.0.0/16", ""))


def tag_and_a_route_without_a_hop_for_bastion() -> Estate:
    return with_routes(closed(), "subnet", route("what", "10.0.0.0/15", ""))


def route_of_bastion_for_azures_own_address() -> Estate:
    # Facts, section 4: no user route applies to 168.63.129.16.
    host = route("host", "168.63.129.16/32", *APPLIANCE)
    return with_routes(hub_and_spoke(), "bastion", route("out", "0.0.0.0/0", "Internet"), host)


def route_of_bastion_for_more_than_azures_own_address() -> Estate:
    around = route("around", "168.63.129.0/24", *APPLIANCE)
    return with_routes(hub_and_spoke(), "bastion", route("out", "0.0.0.0/0", "Internet"), around)


CASES: list[tuple[Callable[[], Estate], list[str]]] = [
    (machines_table_that_states_no_routes, [OPEN]),
    (machines_table_whose_routes_are_null, [OPEN]),
    (machines_table_without_properties, [OPEN]),
    (bastions_table_that_states_no_routes, [OPEN]),
    (bastions_table_without_properties, [OPEN]),
    (machines_table_with_an_entry_that_is_no_object, [OPEN]),
    (bastions_table_with_an_entry_that_is_null, [OPEN]),
    (machines_table_without_routes, []),
    (bastions_table_without_routes, []),
    (tag_that_a_table_without_stated_routes_may_widen, [OPEN, OPEN]),
    (hop_that_is_no_word_of_azures, [OPEN]),
    (hop_in_other_letters, ["ReturnRouteDiverted"]),
    (default_route_with_such_a_hop, []),
    (default_route_of_bastion_with_such_a_hop, [OPEN]),
    (route_without_a_hop_for_other_addresses, []),
    (route_without_a_hop_behind_a_longer_one, []),
    (route_without_a_hop_that_takes_a_part, [OPEN]),
    (route_without_a_hop_before_one_that_leads_away, [OPEN]),
    (route_without_a_hop_beside_one_that_leads_away, ["ReturnRouteDiverted", OPEN]),
    (route_to_somewhere_inside_before_one_that_leads_away, [OPEN]),
    (route_to_somewhere_away_before_one_that_leads_away, ["ReturnRouteDiverted", OPEN]),
    (route_of_bastion_without_a_hop_for_private_addresses, []),
    (route_of_bastion_without_a_hop_for_a_service, [OPEN]),
    (route_of_bastion_without_a_hop_behind_longer_ones, []),
    (tag_and_a_route_without_a_hop_for_other_addresses, ["NicNsgDenies"]),
    (tag_and_a_route_without_a_hop_for_bastion, []),
    (route_of_bastion_for_azures_own_address, []),
    (route_of_bastion_for_more_than_azures_own_address, ["SubnetDefaultRouteDiverted"]),
]


@pytest.mark.parametrize(("made", "expected"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_both_say_what_can_be_told(made: Callable[[], Estate], expected: list[str]) -> None:
    one = Asked(made(), questions=(SSH,))
    (candidate,) = engine(one)(WEB, SSH, BAS).candidates
    assert [reason.code for reason in candidate.reasons] == expected
    compare(one)
