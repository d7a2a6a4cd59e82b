"""Given this Azure and this VNetPeering, then these requests: links made, changed, repaired, synced, left alone."""

import itertools
from dataclasses import replace

import pytest

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.planning.model import Observed, Plan
from tests.support.estates import Row, peering, vnet, vnet_id
from tests.support.plans import claim, codes, link_id, own_name, peering_input, spokes, told
from tests.unit.planning.peering_rows import CLAIMS, HUB, OTHER, SPOKE, body_of, networks, plan_of, to_hub, to_spoke

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


def test_a_half_beside_one_that_joins_single_subnets_is_made_to_fit_it() -> None:
    by_subnets = {"peerCompleteVnets": False, "localSubnetNames": ["a"], "remoteSubnetNames": ["b", "c"]}
    plan = plan_of(peering_input(*networks(hub=[to_spoke(state="Initiated", **by_subnets)]), claims=CLAIMS))
    made = body_of(plan)["properties"]
    assert (made["peerCompleteVnets"], made["localSubnetNames"], made["remoteSubnetNames"]) == (
        False,
        ["b", "c"],
        ["a"],
    )
    whole = plan_of(peering_input(*networks(hub=[to_spoke(state="Initiated")]), claims=CLAIMS))
    assert "peerCompleteVnets" not in body_of(whole)["properties"]


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


def test_a_prefix_that_cannot_be_read_keeps_no_pair_from_being_planned() -> None:
    odd = peering("unseen", space=["10.400.0.0/16"], name="theirs")
    plan = plan_of(peering_input(vnet("hub", *HUB, peerings=[odd]), vnet("spoke", "10.1.0.0/16", "nowhere")))
    assert codes(plan) == []
    assert len(plan.changes) == 2


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
    assert str(change.differences[0]) == "properties.allowForwardedTraffic: true → false"


def test_flags_that_the_spec_leaves_out_are_neither_compared_nor_changed() -> None:
    rows = networks(hub=[to_spoke(allowGatewayTransit=True)], spoke=[to_hub(useRemoteGateways=True)])
    assert plan_of(peering_input(*rows, claims=CLAIMS)).settled


def test_an_absent_flag_is_false() -> None:
    link = to_spoke()
    del link["properties"]["allowForwardedTraffic"]
    rows = networks(hub=[link], spoke=[to_hub()])
    assert plan_of(peering_input(*rows, claims=CLAIMS, hubToSpoke={"allowForwardedTraffic": False})).settled


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


# --- observing ---------------------------------------------------------------------------------------------------


def observing(*rows: Row, claims: tuple[Claim, ...] = (), **spec: object) -> Plan:
    return plan_of(peering_input(*rows, claims=claims, managementPolicy="Observe", **spec))


def test_an_observer_tells_differences_and_changes_no_ownership() -> None:
    rows = networks(hub=[peering("spoke", space=SPOKE, name="theirs", allowForwardedTraffic=True)], spoke=[to_hub()])
    plan = observing(*rows, hubToSpoke={"allowForwardedTraffic": False}, adoptionPolicy="IfUnmanaged")
    assert [str(each) for change in plan.changes for each in change.differences] == [
        "properties.allowForwardedTraffic: true → false"
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
