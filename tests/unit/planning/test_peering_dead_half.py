"""Halves whose other network was deleted: removed by who made them, on two words of Azure's, and by nobody else."""

from bastion_operator.planning.model import Plan, Verb
from bastion_operator.planning.vnet_peering import plan_vnet_peering
from tests.support.estates import Row, peering, vnet, vnet_id
from tests.support.plans import codes, link_claim, link_id, own_name, peering_input, spokes, told
from tests.unit.planning.peering_rows import CLAIMS, HUB, SPOKE, networks, plan_of, to_hub, to_spoke
from tests.unit.planning.test_peering_selector import FOUND, selecting

DEAD = to_spoke(state="Disconnected", allowForwardedTraffic=True)


def hub_with(*links: Row) -> Row:
    return vnet("hub", *HUB, peerings=list(links))


def test_the_dead_half_of_a_listed_spoke_goes_after_a_look_at_its_network_and_the_spoke_is_told() -> None:
    plan = plan_of(peering_input(hub_with(DEAD), claims=CLAIMS))
    assert codes(plan) == ["VirtualNetworkNotFound"]
    (change,) = plan.changes
    assert (change.verb, change.resource_id) == (Verb.DELETE, link_id("hub", own_name("spoke")))
    assert change.reads == (vnet_id("hub"), vnet_id("spoke")), "whether it is gone is for a GET to say"


def test_what_the_dead_half_had_set_is_made_again_when_the_network_is_there_again() -> None:
    gone = plan_of(peering_input(hub_with(DEAD), claims=CLAIMS))
    plan = plan_of(peering_input(*networks(), claims=gone.claims))
    made = next(change for change in plan.changes if change.root_id == vnet_id("hub"))
    assert (made.body or {})["properties"]["allowForwardedTraffic"] is True


def test_taken_off_the_list_the_gone_network_leaves_no_claim_behind() -> None:
    gone = plan_of(peering_input(hub_with(DEAD), claims=CLAIMS))
    other = vnet("other", "10.2.0.0/16", peerings=[peering("hub", space=HUB, name=own_name("hub"))])
    to_other = peering("other", space=["10.2.0.0/16"], name=own_name("other"))
    claims = (*gone.claims, link_claim("hub", "other"), link_claim("other", "hub"))
    plan = plan_of(peering_input(hub_with(to_other), other, claims=claims, spokes=spokes("other")))
    assert plan.settled
    assert {claim.id for claim in plan.claims} == {claim.id for claim in claims[2:]}


def test_a_half_that_does_not_read_disconnected_stays_whatever_is_shown_of_its_network() -> None:
    for state in ("Connected", "Initiated"):
        plan = plan_of(peering_input(hub_with(to_spoke(state=state)), claims=CLAIMS))
        assert not plan.changes
        assert plan.claims == CLAIMS


def test_a_dead_half_that_was_adopted_or_is_somebody_elses_stays() -> None:
    theirs = peering("spoke", space=SPOKE, state="Disconnected", name="theirs")
    adopted = (link_claim("hub", "spoke", name="theirs", adopted=True),)
    for claims in (adopted, (), CLAIMS):
        assert not plan_of(peering_input(hub_with(theirs), claims=claims)).changes
    assert not plan_of(peering_input(hub_with(DEAD))).changes, "without a claim nothing is certain"
    watching = peering_input(hub_with(DEAD), claims=CLAIMS, managementPolicy="Observe")
    assert not plan_of(watching).changes


def test_a_dead_half_that_azure_works_on_is_left_to_it() -> None:
    busy = to_spoke(state="Disconnected", provisioningState="Deleting")
    assert not plan_of(peering_input(hub_with(busy), claims=CLAIMS)).changes


def test_with_a_network_that_is_there_after_all_the_pair_is_repaired() -> None:
    plan = plan_of(peering_input(*networks(hub=[DEAD], spoke=[to_hub()]), claims=CLAIMS))
    assert [change.verb for change in plan.changes] == [Verb.DELETE]
    assert "Azure joins it again only after it was deleted" in plan.changes[0].reason


def test_the_half_of_a_spoke_that_was_found_and_deleted_goes_and_then_both_claims() -> None:
    first = found_and_gone(hub_with(DEAD))
    (change,) = first.changes
    assert told(first.changes) == [("Delete", f"virtualNetworkPeerings/{own_name('spoke')}")]
    assert change.reads == (vnet_id("hub"), vnet_id("spoke"))
    assert first.claims == FOUND
    then = found_and_gone(hub_with())
    assert then.settled
    assert then.claims == ()


def test_the_half_of_a_spoke_that_was_found_stays_while_it_lives_or_with_retain() -> None:
    assert found_and_gone(hub_with(to_spoke())).claims == FOUND
    kept = plan_vnet_peering(selecting(hub_with(DEAD), claims=FOUND, deletionPolicy="Retain"))
    assert kept.settled
    assert kept.claims == FOUND


def found_and_gone(hub: Row) -> Plan:
    plan = plan_vnet_peering(selecting(hub, claims=FOUND))
    assert [each.code for each in plan.told] == ["NetworkNotShown"]
    return plan
