"""The gateways of a link: lent before they are used, given up before they are taken back, told where there are none."""

from tests.support.estates import peering, resource_id, subnet, vnet, vnet_id
from tests.support.plans import codes, own_name, peering_input, told
from tests.unit.planning.peering_rows import CLAIMS, HUB, OTHER, SPOKE, body_of, networks, plan_of, to_hub, to_spoke

LEND, USE = {"allowGatewayTransit": True}, {"useRemoteGateways": True}


def test_a_gateway_is_lent_before_it_is_used() -> None:
    asked = peering_input(*networks(), hubToSpoke=LEND, spokeToHub=USE)
    assert told(plan_of(asked).changes) == [("Create", f"virtualNetworkPeerings/{own_name('spoke')}")]
    rows = networks(hub=[to_spoke(state="Initiated", allowGatewayTransit=True)])
    then = plan_of(peering_input(*rows, claims=CLAIMS, hubToSpoke=LEND, spokeToHub=USE))
    assert told(then.changes) == [("Create", f"virtualNetworkPeerings/{own_name('hub')}")]
    assert body_of(then)["properties"]["useRemoteGateways"] is True


def test_on_links_that_stand_the_flag_that_lends_goes_first_and_the_one_that_uses_waits() -> None:
    rows = networks(hub=[to_spoke()], spoke=[to_hub()])
    plan = plan_of(peering_input(*rows, claims=CLAIMS, hubToSpoke=LEND, spokeToHub=USE))
    assert [str(each.root_id) for each in plan.changes] == [vnet_id("hub")]
    assert not plan.obstacles


def test_a_gateway_is_given_up_before_it_is_taken_back() -> None:
    rows = networks(hub=[to_spoke(allowGatewayTransit=True)], spoke=[to_hub(useRemoteGateways=True)])
    flags = {"hubToSpoke": {"allowGatewayTransit": False}, "spokeToHub": {"useRemoteGateways": False}}
    plan = plan_of(peering_input(*rows, claims=CLAIMS, **flags))
    assert [str(each.root_id) for each in plan.changes] == [vnet_id("spoke")]


def test_a_gateway_that_nobody_is_going_to_lend_is_told() -> None:
    plan = plan_of(peering_input(*networks(), spokeToHub=USE))
    assert codes(plan) == ["GatewayTransitNotAllowed"]
    assert "allowGatewayTransit" in plan.obstacles[0].message


def test_a_gateway_of_a_network_that_has_no_place_for_one_is_told_before_anything_is_sent() -> None:
    rows = [vnet("hub", *HUB), vnet("spoke", *SPOKE)]
    plan = plan_of(peering_input(*rows, hubToSpoke=LEND, spokeToHub=USE))
    assert codes(plan) == ["RemoteVnetHasNoGateways"]
    assert "virtual network hub has no gateway" in plan.obstacles[0].message
    assert plan.settled
    assert plan.claims == ()


def test_a_route_server_is_a_gateway_as_well() -> None:
    rows = [vnet("hub", *HUB, subnets=[subnet("routeserversubnet", "10.0.255.0/27")]), vnet("spoke", *SPOKE)]
    assert not plan_of(peering_input(*rows, hubToSpoke=LEND, spokeToHub=USE)).obstacles


def test_a_network_with_a_gateway_of_its_own_is_told() -> None:
    gateway = f"{resource_id('Microsoft.Network/virtualNetworkGateways', 'vpn')}/ipConfigurations/default"
    own = subnet("GatewaySubnet", "10.1.255.0/27", ipConfigurations=[{"id": gateway}])
    rows = [networks()[0], vnet("spoke", *SPOKE, subnets=[own])]
    assert codes(plan_of(peering_input(*rows, hubToSpoke=LEND, spokeToHub=USE))) == [
        "VnetHasGatewaysAndUsesRemoteGateways"
    ]


def test_a_network_that_uses_another_gateway_already_is_told() -> None:
    for other in ("to-other", "RemoteVnetToHubPeering_0f0e"):
        used = peering("other", space=OTHER, name=other, useRemoteGateways=True)
        plan = plan_of(peering_input(*networks(spoke=[used]), hubToSpoke=LEND, spokeToHub=USE))
        assert codes(plan) == ["AnotherPeeringUsesRemoteGateways"]
        assert other in plan.obstacles[0].message


def test_on_links_that_stand_only_the_flag_that_cannot_be_is_left_out() -> None:
    link = to_hub(allowForwardedTraffic=True)
    rows = [vnet("hub", *HUB, peerings=[to_spoke(allowGatewayTransit=True)]), vnet("spoke", *SPOKE, peerings=[link])]
    flags = {"hubToSpoke": LEND, "spokeToHub": {**USE, "allowForwardedTraffic": False}}
    plan = plan_of(peering_input(*rows, claims=CLAIMS, **flags))
    assert codes(plan) == ["RemoteVnetHasNoGateways"]
    (change,) = plan.changes
    assert [each.field for each in change.differences] == ["properties.allowForwardedTraffic"]


def test_a_half_that_uses_a_gateway_already_or_is_not_to_be_verified_is_not_judged() -> None:
    plain = vnet("hub", *HUB, peerings=[to_spoke(allowGatewayTransit=True)])
    for flags in ({"useRemoteGateways": True}, {"doNotVerifyRemoteGateways": True}):
        rows = [plain, vnet("spoke", *SPOKE, peerings=[to_hub(**flags)])]
        assert not codes(plan_of(peering_input(*rows, claims=CLAIMS, hubToSpoke=LEND, spokeToHub=USE)))
