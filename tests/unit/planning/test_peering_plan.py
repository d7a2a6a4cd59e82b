"""Given this Azure and this VNetPeering, then these requests: links made, changed, repaired, synced, left alone."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.planning.model import Observed, Plan
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from tests.support.estates import Row, peering, resource_id, subnet, vnet, vnet_id
from tests.support.plans import claim, codes, link_claim, link_id, own_name, peering_input, spokes, told

HUB, SPOKE, OTHER = ["10.0.0.0/16"], ["10.1.0.0/16"], ["10.2.0.0/16"]


def networks(*, hub: list[Row] | None = None, spoke: list[Row] | None = None) -> list[Row]:
    """Hub, with a place for gateways, and spoke, with these links."""
    return [
        vnet("hub", *HUB, peerings=hub or [], subnets=[subnet("GatewaySubnet", "10.0.255.0/27")]),
        vnet("spoke", *SPOKE, peerings=spoke or []),
    ]


def to_spoke(**properties: object) -> Row:
    """The operator's link in the hub."""
    return peering("spoke", space=SPOKE, **{"name": own_name("spoke"), **properties})  # type: ignore[arg-type]


def to_hub(**properties: object) -> Row:
    """The operator's link in the spoke."""
    return peering("hub", space=HUB, **{"name": own_name("hub"), **properties})  # type: ignore[arg-type]


CLAIMS = (link_claim("hub", "spoke"), link_claim("spoke", "hub"))


def plan_of(asked: VNetPeeringInput) -> Plan:
    return plan_vnet_peering(asked)


def body_of(plan: Plan, place: int = 0) -> Row:
    body = plan.changes[place].body
    assert body is not None
    return dict(body)


# --- making ------------------------------------------------------------------------------------------------------


def test_both_halves_are_made_under_names_of_their_own_and_claimed_ahead() -> None:
    plan = plan_of(peering_input(*networks()))
    assert told(plan.changes) == [
        ("Create", f"virtualNetworkPeerings/{own_name('spoke')}"),
        ("Create", f"virtualNetworkPeerings/{own_name('hub')}"),
    ]
    assert {each.id for each in plan.claims} == {change.resource_id for change in plan.changes}
    assert {each.origin for each in plan.claims} == {ClaimOrigin.CREATED}
    assert [change.reads for change in plan.changes] == [
        (vnet_id("hub"), vnet_id("spoke")),
        (vnet_id("spoke"), vnet_id("hub")),
    ]


def test_a_new_half_carries_azures_defaults_and_what_the_spec_names() -> None:
    plan = plan_of(peering_input(*networks(), hubToSpoke={"allowForwardedTraffic": True}))
    assert body_of(plan)["properties"] == {
        "remoteVirtualNetwork": {"id": vnet_id("spoke")},
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        "allowGatewayTransit": False,
        "useRemoteGateways": False,
    }


def test_spokes_that_differ_only_in_case_are_one() -> None:
    twice = [
        *spokes("spoke"),
        {"virtualNetworkID": vnet_id("spoke").upper().replace("/SUBSCRIPTIONS", "/subscriptions")},
    ]
    plan = plan_of(peering_input(*networks(), spokes=twice))
    assert len(plan.changes) == 2


def test_what_is_there_in_another_case_is_found() -> None:
    rows = networks(hub=[to_spoke(remoteVirtualNetwork={"id": vnet_id("spoke").upper()})], spoke=[to_hub()])
    plan = plan_of(peering_input(*rows, claims=CLAIMS))
    assert plan.settled
    assert not plan.obstacles


def test_a_half_that_reads_initiated_beside_the_other_is_looked_at_again() -> None:
    """Azure joins the two by itself, so that this was read before: nothing is sent, and nothing is settled yet."""
    plan = plan_of(peering_input(*networks(hub=[to_spoke()], spoke=[to_hub(state="Initiated")]), claims=CLAIMS))
    assert not plan.changes
    assert [(wait.resource_id, wait.root_id) for wait in plan.waits] == [
        (link_id("spoke", own_name("hub")), vnet_id("spoke"))
    ]
    assert not plan.settled


def test_an_initiated_half_is_kept_and_only_the_other_made() -> None:
    plan = plan_of(peering_input(*networks(hub=[to_spoke(state="Initiated")]), claims=CLAIMS))
    assert told(plan.changes) == [("Create", f"virtualNetworkPeerings/{own_name('hub')}")]


def test_with_hub_only_the_spokes_half_is_nobodys_business() -> None:
    plan = plan_of(peering_input(*networks(), sides="HubOnly"))
    assert told(plan.changes) == [("Create", f"virtualNetworkPeerings/{own_name('spoke')}")]
    assert [each.id for each in plan.claims] == [link_id("hub", own_name("spoke"))]


def test_a_full_mesh_joins_every_pair_once() -> None:
    rows = [vnet("aa", "10.0.0.0/16"), vnet("bb", "10.1.0.0/16"), vnet("cc", "10.2.0.0/16")]
    plan = plan_of(peering_input(*rows, topology="FullMesh", spokes=spokes("aa", "bb", "cc")))
    assert sorted(change.root_id.rsplit("/", 1)[1] for change in plan.changes) == ["aa", "aa", "bb", "bb", "cc", "cc"]
    assert not plan.obstacles


def test_a_network_that_is_not_there_hinders_its_own_pair_alone() -> None:
    plan = plan_of(peering_input(*networks(), spokes=spokes("spoke", "gone")))
    assert codes(plan) == ["VirtualNetworkNotFound"]
    assert plan.obstacles[0].resource == vnet_id("gone")
    assert len(plan.changes) == 2


# --- rights ------------------------------------------------------------------------------------------------------

WRITE = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write"
PEER = "Microsoft.Network/virtualNetworks/peer/action"


@pytest.mark.parametrize(("network", "action"), [("hub", WRITE), ("hub", PEER), ("spoke", WRITE), ("spoke", PEER)])
def test_a_right_that_is_missing_on_either_side_is_told_before_half_a_link_is_made(network: str, action: str) -> None:
    asked = replace(peering_input(*networks()), lacking={vnet_id(network).lower(): frozenset({action})})
    plan = plan_of(asked)
    assert codes(plan) == ["PermissionDenied"]
    assert f"{action} on virtual network {network}" in plan.obstacles[0].message
    assert plan.settled
    assert plan.claims == ()


def test_with_hub_only_nothing_but_the_peer_action_is_needed_on_the_spoke() -> None:
    asked = peering_input(*networks(), sides="HubOnly")
    assert [half.local_id for half in asked.unclaimed] == [vnet_id("hub")]
    assert not codes(plan_of(replace(asked, lacking={vnet_id("spoke").lower(): frozenset({WRITE})})))
    assert codes(plan_of(replace(asked, lacking={vnet_id("spoke").lower(): frozenset({PEER})}))) == ["PermissionDenied"]


def test_links_that_stand_need_no_right_to_be_made() -> None:
    asked = peering_input(*networks(hub=[to_spoke()], spoke=[to_hub()]), claims=CLAIMS)
    assert asked.unclaimed == []
    assert plan_of(replace(asked, lacking={vnet_id("hub").lower(): frozenset({WRITE, PEER})})).settled


# --- overlap -----------------------------------------------------------------------------------------------------


def test_overlapping_networks_are_told_before_anything_is_sent() -> None:
    plan = plan_of(peering_input(vnet("hub", "10.0.0.0/16"), vnet("spoke", "10.0.128.0/17")))
    assert codes(plan) == ["VnetAddressSpacesOverlap"]
    assert plan.settled
    assert plan.claims == ()


def test_of_two_spokes_that_overlap_each_other_the_first_is_peered_and_the_second_told() -> None:
    rows = [vnet("hub", *HUB), vnet("spoke", *SPOKE), vnet("twin", "10.1.8.0/24")]
    plan = plan_of(peering_input(*rows, spokes=spokes("spoke", "twin")))
    assert codes(plan) == ["VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"]
    assert "spoke" in plan.obstacles[0].message
    assert {change.reads for change in plan.changes} == {
        (vnet_id("hub"), vnet_id("spoke")),
        (vnet_id("spoke"), vnet_id("hub")),
    }


def test_a_network_that_the_hub_is_already_peered_with_counts_by_what_the_link_knows() -> None:
    hub = vnet("hub", *HUB, peerings=[peering("unseen", space=["10.1.0.0/24"], name="theirs")])
    plan = plan_of(peering_input(hub, vnet("spoke", *SPOKE)))
    assert codes(plan) == ["VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"]
    assert plan.settled


@pytest.mark.parametrize(
    ("peer", "new", "met"),
    [
        (["10.2.0.0/16", "fd00:2::/48"], ["10.1.0.0/16", "fd00:2:0:1::/64"], True),
        (["10.2.0.0/16", "fd00:2::/48"], ["10.2.9.0/24"], True),
        (["10.2.0.0/16", "fd00:2::/48"], ["10.1.0.0/16"], False),
        (["10.2.0.0/16"], ["10.1.0.0/16", "fd00:1::/48"], False),
    ],
)
def test_a_peer_is_met_in_either_family(peer: list[str], new: list[str], *, met: bool) -> None:
    rows = [vnet("hub", *HUB, peerings=[peering("other", space=peer)]), vnet("other", *peer), vnet("spoke", *new)]
    told_of = ["VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"] if met else []
    assert codes(plan_of(peering_input(*rows))) == told_of


def test_a_hub_of_many_spokes_is_planned_without_looking_at_each_spoke_for_each_other() -> None:
    def looks(number: int) -> int:
        rows = [vnet("hub", *HUB), *(vnet(f"s{each}", f"10.1.{each}.0/24") for each in range(number))]
        found, count = {row["id"].lower(): row for row in rows}, itertools.count()

        def look(key: str) -> Row | None:
            next(count)
            return found.get(key)

        asked = peering_input(*rows, spokes=spokes(*(f"s{each}" for each in range(number))))
        plan = plan_of(replace(asked, observed=Observed({}, source=look)))
        assert len(plan.changes) == 2 * number
        return next(count)

    assert looks(80) <= 2 * looks(40)


def test_ipv6_spaces_overlap_as_well() -> None:
    rows = [vnet("hub", *HUB, "fd00:1::/48"), vnet("spoke", *SPOKE, "fd00:1:0:1::/64")]
    assert codes(plan_of(peering_input(*rows))) == ["VnetAddressSpacesOverlap"]


def test_a_pair_that_is_joined_is_not_judged_again() -> None:
    rows = [vnet("hub", *HUB, peerings=[to_spoke()]), vnet("spoke", "10.0.0.0/24", peerings=[to_hub()])]
    assert codes(plan_of(peering_input(*rows, claims=CLAIMS))) == []


# --- flags -------------------------------------------------------------------------------------------------------


def test_a_changed_flag_is_put_with_the_whole_body_that_was_read_and_its_etag() -> None:
    link = {**to_spoke(somethingNew={"of": "Azure"}, allowForwardedTraffic=True), "etag": 'W/"7"'}
    rows = networks(hub=[link], spoke=[to_hub()])
    plan = plan_of(peering_input(*rows, claims=CLAIMS, hubToSpoke={"allowForwardedTraffic": False}))
    (change,) = plan.changes
    before = rows[0]["properties"]["virtualNetworkPeerings"][0]
    assert change.body == {**before, "properties": {**before["properties"], "allowForwardedTraffic": False}}
    assert change.if_match == 'W/"7"'
    assert str(change.differences[0]) == "properties.allowForwardedTraffic: True → False"


def test_flags_that_the_spec_leaves_out_are_neither_compared_nor_changed() -> None:
    rows = networks(hub=[to_spoke(allowGatewayTransit=True)], spoke=[to_hub(useRemoteGateways=True)])
    assert plan_of(peering_input(*rows, claims=CLAIMS)).settled


def test_an_absent_flag_is_false() -> None:
    link = to_spoke()
    del link["properties"]["allowForwardedTraffic"]
    rows = networks(hub=[link], spoke=[to_hub()])
    assert plan_of(peering_input(*rows, claims=CLAIMS, hubToSpoke={"allowForwardedTraffic": False})).settled


# --- gateways ----------------------------------------------------------------------------------------------------

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


# --- repair ------------------------------------------------------------------------------------------------------


def test_a_half_that_reads_disconnected_is_deleted_and_the_missing_one_waits_for_that() -> None:
    plan = plan_of(peering_input(*networks(spoke=[to_hub(state="Disconnected")]), claims=CLAIMS))
    assert told(plan.changes) == [("Delete", f"virtualNetworkPeerings/{own_name('hub')}")]


def test_a_half_is_made_anew_with_the_settings_that_it_had() -> None:
    lost = to_hub(state="Disconnected", useRemoteGateways=True, localSubnetNames=["a"], peerCompleteVnets=False)
    first = plan_of(peering_input(*networks(spoke=[lost]), claims=CLAIMS))
    lent = networks(hub=[to_spoke(state="Initiated", allowGatewayTransit=True)])
    again = plan_of(peering_input(*lent, claims=first.claims))
    (change,) = again.changes
    assert change.body is not None
    properties = change.body["properties"]
    assert properties["useRemoteGateways"] is True
    assert properties["peerCompleteVnets"] is False
    assert properties["localSubnetNames"] == ["a"]


def test_a_hub_whose_half_was_deleted_lends_its_gateway_again_if_the_spoke_used_it() -> None:
    first = plan_of(
        peering_input(*networks(spoke=[to_hub(state="Disconnected", useRemoteGateways=True)]), claims=CLAIMS)
    )
    second = plan_of(peering_input(*networks(), claims=first.claims))
    assert told(second.changes) == [("Create", f"virtualNetworkPeerings/{own_name('spoke')}")]
    assert body_of(second)["properties"]["allowGatewayTransit"] is True


def test_settings_are_kept_no_longer_than_they_are_needed() -> None:
    first = plan_of(
        peering_input(*networks(spoke=[to_hub(state="Disconnected", allowForwardedTraffic=True)]), claims=CLAIMS)
    )
    whole = networks(hub=[to_spoke()], spoke=[to_hub(allowForwardedTraffic=True)])
    after = plan_of(peering_input(*whole, claims=first.claims))
    assert {each.detail for each in after.claims} == {vnet_id("hub"), vnet_id("spoke")}


def test_a_half_with_more_subnets_than_a_claim_holds_is_left_for_a_person() -> None:
    names = [f"subnet-{number:03}" for number in range(200)]
    lost = to_hub(state="Disconnected", peerCompleteVnets=False, localSubnetNames=names)
    plan = plan_of(peering_input(*networks(spoke=[lost]), claims=CLAIMS))
    assert codes(plan) == ["PeeringSettingsNotKept"]
    assert not [change for change in plan.changes if change.verb == "Delete"]


def test_with_hub_only_a_disconnected_half_of_the_spoke_is_told_and_the_hubs_left() -> None:
    rows = networks(hub=[to_spoke(state="Disconnected")], spoke=[peering("hub", space=HUB, state="Disconnected")])
    plan = plan_of(peering_input(*rows, claims=CLAIMS[:1], sides="HubOnly"))
    assert codes(plan) == ["RemotePeeringIsDisconnected"]
    assert plan.settled


def test_a_half_that_azure_gave_up_on_is_put_once_more_as_it_is() -> None:
    for state in ("Failed", "Canceled"):
        plan = plan_of(
            peering_input(*networks(hub=[to_spoke(provisioningState=state)], spoke=[to_hub()]), claims=CLAIMS)
        )
        (change,) = plan.changes
        assert (change.verb, change.differences) == ("Update", ())
        assert state in change.reason
        assert change.body is not None
        assert change.body["properties"]["remoteVirtualNetwork"] == {"id": vnet_id("spoke")}


def test_a_half_that_azure_works_on_is_waited_for() -> None:
    rows = networks(hub=[to_spoke(provisioningState="Updating", allowForwardedTraffic=True)], spoke=[to_hub()])
    plan = plan_of(peering_input(*rows, claims=CLAIMS, hubToSpoke={"allowForwardedTraffic": False}))
    assert not plan.changes
    assert [wait.state for wait in plan.waits] == ["Updating"]


# --- address space -----------------------------------------------------------------------------------------------


def test_the_half_that_does_not_know_the_grown_space_is_synced_and_the_other_left() -> None:
    grown = {"addressPrefixes": [*HUB, "10.9.0.0/16"]}
    rows = networks(hub=[to_spoke()], spoke=[to_hub(remoteVirtualNetworkAddressSpace=grown)])
    (change,) = plan_of(peering_input(*rows, claims=CLAIMS)).changes
    assert (change.verb, change.root_id, dict(change.query)) == (
        "Sync",
        vnet_id("spoke"),
        {"syncRemoteAddressSpace": "true"},
    )


def test_the_sync_level_alone_is_no_reason_to_write() -> None:
    rows = networks(hub=[to_spoke(peeringSyncLevel="LocalNotInSync")], spoke=[to_hub()])
    assert plan_of(peering_input(*rows, claims=CLAIMS)).settled


def test_prefixes_in_another_order_are_the_same_space() -> None:
    known, live = ["10.0.0.0/16", "10.9.0.0/16"], ["10.9.0.0/16", "10.0.0.0/16"]
    link = to_hub(
        remoteAddressSpace={"addressPrefixes": known}, remoteVirtualNetworkAddressSpace={"addressPrefixes": live}
    )
    assert plan_of(peering_input(*networks(hub=[to_spoke()], spoke=[link]), claims=CLAIMS)).settled


# --- whose it is -------------------------------------------------------------------------------------------------


def test_a_link_of_somebody_else_is_told_and_its_pair_left_alone() -> None:
    plan = plan_of(peering_input(*networks(spoke=[peering("hub", space=HUB, state="Initiated", name="theirs")])))
    assert codes(plan) == ["NotOwned"]
    assert "adoptionPolicy" in plan.obstacles[0].message
    assert plan.settled
    assert plan.claims == ()


def test_a_link_is_adopted_when_asked_under_its_own_name() -> None:
    rows = networks(hub=[to_spoke()], spoke=[peering("hub", space=HUB, name="theirs", useRemoteGateways=True)])
    plan = plan_of(peering_input(*rows, claims=CLAIMS, adoptionPolicy="IfUnmanaged"))
    assert plan.settled
    origins = {each.id.rsplit("/", 1)[1]: each.origin for each in plan.claims}
    assert origins == {own_name("spoke"): ClaimOrigin.CREATED, "theirs": ClaimOrigin.ADOPTED}


def test_what_a_network_manager_keeps_is_told_with_its_name_and_never_adopted() -> None:
    kept: dict[str, Any] = {"name": "ANM_0123456789ABCDEF_hub", "allowForwardedTraffic": True}
    rows = networks(hub=[to_spoke()], spoke=[peering("hub", space=HUB, **kept)])
    flags = {"spokeToHub": {"allowForwardedTraffic": False}, "adoptionPolicy": "IfUnmanaged"}
    plan = plan_of(peering_input(*rows, claims=CLAIMS[:1], **flags))
    assert codes(plan) == ["NotOwned"]
    assert "Azure Virtual Network Manager keeps it" in plan.obstacles[0].message
    assert plan.settled
    assert plan.claims == CLAIMS[:1]


def test_what_cluster_api_keeps_is_told_with_its_cluster_and_never_adopted() -> None:
    rows = networks(spoke=[peering("hub", space=HUB, name="Spoke-To-Hub", state="Initiated")])
    rows[1]["tags"] = {"sigs.k8s.io_cluster-api-provider-azure_cluster_prod-1": "owned"}
    plan = plan_of(peering_input(*rows, adoptionPolicy="IfUnmanaged"))
    assert codes(plan) == ["NotOwned"]
    assert "Cluster API (cluster prod-1) keeps it" in plan.obstacles[0].message
    rows[1]["tags"] = {}
    assert not codes(plan_of(peering_input(*rows, adoptionPolicy="IfUnmanaged"))), (
        "a person may use such a name as well"
    )


def test_a_link_of_another_installation_is_never_adopted() -> None:
    foreign = "azurebastion-hub-0123456789abcdef"
    rows = networks(spoke=[peering("hub", space=HUB, state="Initiated", name=foreign)])
    assert codes(plan_of(peering_input(*rows, adoptionPolicy="IfUnmanaged"))) == ["NotOwned"]


def test_an_adopted_link_that_was_deleted_is_made_anew_under_its_name_and_stays_adopted() -> None:
    claims = (CLAIMS[0], link_claim("spoke", "hub", name="theirs", adopted=True))
    plan = plan_of(peering_input(*networks(hub=[to_spoke(state="Initiated")]), claims=claims))
    assert told(plan.changes) == [("Create", "virtualNetworkPeerings/theirs")]
    assert plan.claims == claims


def test_an_adopted_link_that_gave_way_to_another_is_given_up_for_it() -> None:
    claims = (CLAIMS[0], link_claim("spoke", "hub", name="theirs", adopted=True))
    rows = networks(hub=[to_spoke()], spoke=[peering("hub", space=HUB, name="newer")])
    plan = plan_of(peering_input(*rows, claims=claims, adoptionPolicy="IfUnmanaged"))
    assert plan.settled
    assert not plan.remains
    assert {each.id.rsplit("/", 1)[1] for each in plan.claims} == {own_name("spoke"), "newer"}
    again = plan_of(peering_input(*rows, claims=plan.claims, adoptionPolicy="IfUnmanaged"))
    assert again.claims == plan.claims


def test_an_adopted_name_that_somebody_took_for_another_link_is_not_written_to() -> None:
    rows = [
        vnet("hub", *HUB, peerings=[to_spoke(state="Initiated")]),
        vnet("spoke", *SPOKE, peerings=[peering("third", space=OTHER, name="theirs")]),
        vnet("third", *OTHER),
    ]
    claims = (CLAIMS[0], link_claim("spoke", "hub", name="theirs", adopted=True))
    plan = plan_of(peering_input(*rows, claims=claims, adoptionPolicy="IfUnmanaged"))
    assert codes(plan) == ["NotOwned"]
    assert plan.settled


def test_an_own_link_without_a_claim_is_claimed_again() -> None:
    plan = plan_of(peering_input(*networks(hub=[to_spoke()], spoke=[to_hub()])))
    assert plan.settled
    assert {(each.id, each.origin) for each in plan.claims} == {(each.id, each.origin) for each in CLAIMS}


def test_an_own_link_is_claimed_also_where_the_other_half_is_somebody_elses() -> None:
    rows = networks(hub=[to_spoke()], spoke=[peering("hub", space=HUB, name="theirs")])
    plan = plan_of(peering_input(*rows))
    assert codes(plan) == ["NotOwned"]
    assert [each.id for each in plan.claims] == [CLAIMS[0].id]


def test_a_hold_of_a_virtual_wan_hub_is_no_link() -> None:
    hold = peering("hub", space=HUB, name="RemoteVnetToHubPeering_00000000-0000-0000-0000-000000000001")
    plan = plan_of(peering_input(*networks(spoke=[hold]), adoptionPolicy="IfUnmanaged"))
    assert not any("RemoteVnetToHubPeering" in each.id for each in plan.claims)
    assert len(plan.changes) == 2


# --- observing ---------------------------------------------------------------------------------------------------


def observing(*rows: Row, claims: tuple[Claim, ...] = (), **spec: object) -> Plan:
    return plan_of(peering_input(*rows, claims=claims, managementPolicy="Observe", **spec))


def test_an_observer_tells_differences_and_changes_no_ownership() -> None:
    rows = networks(hub=[peering("spoke", space=SPOKE, name="theirs", allowForwardedTraffic=True)], spoke=[to_hub()])
    plan = observing(*rows, hubToSpoke={"allowForwardedTraffic": False}, adoptionPolicy="IfUnmanaged")
    assert [str(each) for change in plan.changes for each in change.differences] == [
        "properties.allowForwardedTraffic: True → False"
    ]
    assert plan.claims == ()


def test_an_observer_neither_removes_nor_releases_what_left_the_spec() -> None:
    rows = [*networks(hub=[to_spoke()], spoke=[to_hub()]), vnet("other", *OTHER)]
    plan = observing(*rows, claims=CLAIMS, spokes=spokes("other"))
    assert plan.claims == CLAIMS
    assert not plan.remains
    assert not [change for change in plan.changes if change.verb == "Delete"]


def test_claims_keep_their_time_when_a_pass_finds_nothing_new() -> None:
    asked = peering_input(*networks(hub=[to_spoke()], spoke=[to_hub()]), claims=CLAIMS)
    later = replace(asked, now=asked.now.replace(year=2027))
    assert plan_of(later).claims == CLAIMS


def test_a_claim_on_something_else_is_not_mistaken_for_a_half() -> None:
    odd = claim(link_id("hub", "undated"), purpose="HubToSpoke")
    plan = plan_of(peering_input(*networks(hub=[to_spoke()], spoke=[to_hub()]), claims=(*CLAIMS, odd)))
    assert plan.claims == CLAIMS
