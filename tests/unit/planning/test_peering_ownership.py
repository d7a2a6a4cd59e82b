"""Whose a link is: the operator's by its name, adopted by its claim, and what others keep left alone."""

from typing import Any

from bastion_operator.api.common import ClaimOrigin
from tests.support.estates import peering, vnet
from tests.support.plans import codes, link_claim, own_name, peering_input, told
from tests.unit.planning.peering_rows import CLAIMS, HUB, OTHER, SPOKE, networks, plan_of, to_hub, to_spoke


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
