"""Step 12 and what AzureBastionSubnet's own table makes of it: routes to the VM, and learned routes that are kept away."""

from collections.abc import Callable

import pytest

from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import (
    DELETE,
    Estate,
    change,
    drop,
    gateway,
    hub,
    hub_and_spoke,
    hub_connection,
    route,
    same_vnet,
    site,
    with_routes,
)

SSH = Question("SSH", 22)
OPEN = "EffectiveDataUnavailable"
OUT = route("out", "0.0.0.0/0", "Internet")
FLAG = "properties.disableBgpRoutePropagation"
NO_WAY = ["NotPeered", "NoRouteToTarget"]


def apart() -> Estate:
    estate = hub_and_spoke(enableIpConnect=True)
    for network in ("hub", "spoke"):
        estate = change(estate, network, "properties.virtualNetworkPeerings", [])
    return estate


def behind_a_hub() -> Estate:
    return [*apart(), hub("east"), hub_connection("east", "hub"), hub_connection("east", "spoke")]


def towards(hop: str) -> Estate:
    return with_routes(behind_a_hub(), "bastion", OUT, route("on", "10.1.0.0/16", hop))


def own_route_to_nowhere() -> Estate:
    return towards("None")


def own_route_to_the_internet() -> Estate:
    return towards("Internet")


def own_route_inside() -> Estate:
    return towards("VnetLocal")


def own_route_elsewhere() -> Estate:
    return with_routes(behind_a_hub(), "bastion", OUT, route("on", "10.9.0.0/16", "None"))


def own_table_that_states_no_routes() -> Estate:
    return change(with_routes(apart(), "bastion"), "routes", "properties.routes", DELETE)


def own_table_without_a_row() -> Estate:
    return drop(with_routes(apart(), "bastion"), "routes")


def learned_routes_kept_away() -> Estate:
    return with_routes(behind_a_hub(), "bastion", OUT, propagates_bgp=False)


def a_sites_routes_kept_away() -> Estate:
    estate = [*apart(), gateway("vpn", "hub"), *site("far", "vpn", "10.1.0.0/16")]
    return with_routes(estate, "bastion", OUT, propagates_bgp=False)


def learned_routes_kept_away_from_the_machine_alone() -> Estate:
    return with_routes(behind_a_hub(), "subnet", propagates_bgp=False)


def flag_that_is_no_boolean() -> Estate:
    return change(with_routes(behind_a_hub(), "bastion", OUT), "routes", FLAG, "maybe")


def flag_that_is_no_boolean_where_nothing_is_learned() -> Estate:
    return change(with_routes(apart(), "bastion", OUT), "routes", FLAG, "maybe")


def flag_in_letters() -> Estate:
    return change(with_routes(behind_a_hub(), "bastion", OUT), "routes", FLAG, "False")


def flag_that_is_absent() -> Estate:
    return change(with_routes(behind_a_hub(), "bastion", OUT), "routes", FLAG, DELETE)


def flag_of_the_machines_table_that_is_no_boolean() -> Estate:
    away = route("away", "0.0.0.0/0", "VirtualAppliance", "10.1.9.9")
    return change(with_routes(behind_a_hub(), "subnet", away), "routes", FLAG, 7)


def flag_of_the_machines_table_on_which_nothing_hangs() -> Estate:
    away = route("away", "10.0.1.0/26", "VirtualAppliance", "10.1.9.9")
    return change(with_routes(behind_a_hub(), "subnet", away), "routes", FLAG, 7)


def learned_default() -> Estate:
    return [*same_vnet(), gateway("vpn", "hub"), *site("all", "vpn", "0.0.0.0/0")]


def learned_default_and_a_table_that_states_no_routes() -> Estate:
    return change(with_routes(learned_default(), "bastion"), "routes", "properties.routes", DELETE)


def learned_default_and_a_table_without_a_row() -> Estate:
    return drop(with_routes(learned_default(), "bastion"), "routes")


def learned_default_and_a_flag_that_is_no_boolean() -> Estate:
    return change(with_routes(learned_default(), "bastion"), "routes", FLAG, "maybe")


def learned_default_and_a_default_route_without_a_hop() -> Estate:
    return with_routes(learned_default(), "bastion", route("out", "0.0.0.0/0", ""))


def learned_default_and_a_private_route_without_a_hop() -> Estate:
    return with_routes(learned_default(), "bastion", route("what", "10.0.0.0/8", ""))


CASES: list[tuple[Callable[[], Estate], list[str]]] = [
    (own_route_to_nowhere, [OPEN]),
    (own_route_to_the_internet, [OPEN]),
    (own_route_inside, [OPEN]),
    (own_route_elsewhere, []),
    (own_table_that_states_no_routes, [OPEN, OPEN]),
    (own_table_without_a_row, [OPEN, OPEN]),
    (learned_routes_kept_away, NO_WAY),
    (a_sites_routes_kept_away, NO_WAY),
    (learned_routes_kept_away_from_the_machine_alone, []),
    (flag_that_is_no_boolean, [OPEN]),
    (flag_that_is_no_boolean_where_nothing_is_learned, NO_WAY),
    (flag_in_letters, []),
    (flag_that_is_absent, []),
    (flag_of_the_machines_table_that_is_no_boolean, [OPEN]),
    (flag_of_the_machines_table_on_which_nothing_hangs, ["ReturnRouteDiverted"]),
    (learned_default, ["DefaultRouteAdvertised"]),
    (learned_default_and_a_table_that_states_no_routes, [OPEN, OPEN]),
    (learned_default_and_a_table_without_a_row, [OPEN, OPEN]),
    (learned_default_and_a_flag_that_is_no_boolean, [OPEN]),
    (learned_default_and_a_default_route_without_a_hop, [OPEN, OPEN]),
    (learned_default_and_a_private_route_without_a_hop, ["DefaultRouteAdvertised"]),
]


@pytest.mark.parametrize(("made", "expected"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_both_say_what_is_known_of_the_way(made: Callable[[], Estate], expected: list[str]) -> None:
    one = Asked(made(), questions=(SSH,))
    (candidate,) = engine(one)(WEB, SSH, BAS).candidates
    assert [reason.code for reason in candidate.reasons] == expected
    compare(one)
