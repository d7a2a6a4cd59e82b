"""Taking links down: only what was made, only when certain, and never a spoke's way on-premises by accident."""

from typing import Any

from bastion_operator.api.common import Claim, DeletionPolicy
from bastion_operator.planning.model import Observed, Plan
from bastion_operator.planning.peering_removal import plan_all_links_removal, plan_link_removal
from bastion_operator.planning.vnet_peering import plan_vnet_peering
from tests.support.estates import Row, peering, vnet, vnet_id
from tests.support.plans import OWNER, link_claim, link_id, own_name, peering_input, spokes, told, world

HUB, SPOKE = ["10.0.0.0/16"], ["10.1.0.0/16"]
CLAIMS = (link_claim("hub", "spoke"), link_claim("spoke", "hub"))


def joined(hub: dict[str, Any] | None = None, spoke: dict[str, Any] | None = None) -> list[Row]:
    """Hub and spoke joined by the operator's links, with these properties."""
    return [
        vnet("hub", *HUB, peerings=[peering("spoke", space=SPOKE, **{"name": own_name("spoke"), **(hub or {})})]),
        vnet("spoke", *SPOKE, peerings=[peering("hub", space=HUB, **{"name": own_name("hub"), **(spoke or {})})]),
    ]


def removal(observed: Observed, claims: tuple[Claim, ...] = CLAIMS, policy: DeletionPolicy | None = None) -> Plan:
    return plan_link_removal(OWNER, policy, claims, observed, Plan(claims=claims))


def kept(plan: Plan) -> list[str]:
    return [str(finding.code) for finding in plan.remains]


GATEWAYS = joined({"allowGatewayTransit": True}, {"useRemoteGateways": True})


def test_both_halves_go_and_their_claims_stay_until_they_are_gone() -> None:
    plan = removal(world(*joined()))
    assert [verb for verb, _ in told(plan.changes)] == ["Delete", "Delete"]
    assert plan.claims == CLAIMS
    after = removal(world(vnet("hub", *HUB), vnet("spoke", *SPOKE)))
    assert after.settled
    assert after.claims == ()


def test_links_that_carry_remote_gateways_are_kept_and_told() -> None:
    plan = removal(world(*GATEWAYS))
    assert plan.settled
    assert kept(plan) == ["KeptRemoteGateways", "KeptRemoteGateways"]
    assert plan.claims == ()


def test_with_deletion_policy_delete_they_go_as_well() -> None:
    assert len(removal(world(*GATEWAYS), policy=DeletionPolicy.DELETE).changes) == 2


def test_a_hub_whose_spoke_is_somebody_elses_to_read_keeps_a_link_that_lends_a_gateway() -> None:
    only_hub = Observed({vnet_id("hub"): GATEWAYS[0]})
    plan = removal(only_hub, CLAIMS[:1])
    assert plan.settled
    assert kept(plan) == ["KeptRemoteGateways"]


def test_while_the_other_half_is_unread_nothing_is_decided() -> None:
    plan = removal(Observed({vnet_id("hub"): GATEWAYS[0]}))
    assert not plan.changes
    assert not plan.remains
    assert plan.claims == CLAIMS
    assert [wait.root_id for wait in plan.waits] == [vnet_id("spoke").lower(), vnet_id("spoke")]


def test_what_no_source_has_said_anything_of_is_not_gone() -> None:
    plan = removal(Observed({}))
    assert plan.claims == CLAIMS
    assert len(plan.waits) == 2


def test_an_adopted_link_is_released_and_stays() -> None:
    rows = joined(spoke={"name": "theirs"})
    claims = (CLAIMS[0], link_claim("spoke", "hub", name="theirs", adopted=True))
    plan = removal(world(*rows), claims)
    assert told(plan.changes) == [("Delete", f"virtualNetworkPeerings/{own_name('spoke')}")]
    assert kept(plan) == ["KeptNotOwned"]
    assert plan.claims == CLAIMS[:1]


def test_an_adopted_link_that_was_made_anew_under_our_name_is_still_never_deleted() -> None:
    claims = (link_claim("hub", "spoke", adopted=True), CLAIMS[1])
    plan = removal(world(*joined()), claims, DeletionPolicy.DELETE)
    assert [change.root_id for change in plan.changes] == [vnet_id("spoke")]


def test_a_claimed_name_that_leads_elsewhere_is_not_the_operators_link() -> None:
    rows = [vnet("hub", *HUB, peerings=[peering("third", space=["10.3.0.0/16"], name=own_name("spoke"))])]
    plan = removal(world(*rows), CLAIMS[:1])
    assert not plan.changes
    assert kept(plan) == ["KeptNotOwned"]


def test_a_claim_under_a_name_that_the_operator_would_not_choose_deletes_nothing() -> None:
    rows = [vnet("hub", *HUB, peerings=[peering("spoke", space=SPOKE, name="theirs")])]
    plan = removal(world(*rows), (link_claim("hub", "spoke", name="theirs"),), DeletionPolicy.DELETE)
    assert not plan.changes
    assert kept(plan) == ["KeptNotOwned"]


def test_what_is_being_deleted_is_waited_for() -> None:
    plan = removal(world(*joined(hub={"provisioningState": "Deleting"})))
    assert [wait.state for wait in plan.waits] == ["Deleting"]
    assert len(plan.changes) == 1


def test_a_pair_that_left_the_spec_is_taken_down_and_the_rest_left() -> None:
    rows = [*joined(), vnet("other", "10.2.0.0/16")]
    plan = plan_vnet_peering(peering_input(*rows, claims=CLAIMS, spokes=spokes("other")))
    assert sorted(verb for verb, _ in told(plan.changes)) == ["Create", "Create", "Delete"]
    (deleted,) = (change.resource_id for change in plan.changes if change.verb == "Delete")
    assert deleted == link_id("spoke", own_name("hub"))
    assert set(plan.going) == {link_id("hub", own_name("spoke")), link_id("spoke", own_name("hub"))}


def test_a_pair_that_left_the_spec_stays_with_retain() -> None:
    rows = [*joined(), vnet("other", "10.2.0.0/16")]
    plan = plan_vnet_peering(peering_input(*rows, claims=CLAIMS, spokes=spokes("other"), deletionPolicy="Retain"))
    assert {verb for verb, _ in told(plan.changes)} == {"Create"}
    assert kept(plan) == ["KeptNotOwned", "KeptNotOwned"]


def test_where_the_status_was_lost_links_of_the_owners_names_are_kept_and_told() -> None:
    asked = peering_input()
    plan = plan_all_links_removal(OWNER, asked.spec, (), world(*joined()))
    assert plan.settled
    assert kept(plan) == ["KeptNotCertain", "KeptNotCertain"]
    assert {finding.resource for finding in plan.remains} == {
        link_id("hub", own_name("spoke")),
        link_id("spoke", own_name("hub")),
    }


def test_links_of_other_names_are_nobodys_business() -> None:
    asked = peering_input()
    plan = plan_all_links_removal(OWNER, asked.spec, (), world(*joined({"name": "theirs"}, {"name": "theirs"})))
    assert plan == Plan()


def test_with_claims_nothing_is_told_twice() -> None:
    asked = peering_input()
    plan = plan_all_links_removal(OWNER, asked.spec, CLAIMS, world(*joined()))
    assert len(plan.changes) == 1
    assert not plan.remains


def test_the_hubs_half_waits_for_the_spokes_and_goes_when_that_is_gone_or_cannot_be_read() -> None:
    hub, spoke = joined()
    spec = peering_input().spec
    both = plan_all_links_removal(OWNER, spec, CLAIMS, world(hub, spoke))
    assert [change.resource_id for change in both.changes] == [link_id("spoke", own_name("hub"))]
    _, leaving = joined(spoke={"provisioningState": "Deleting"})
    assert not plan_all_links_removal(OWNER, spec, CLAIMS, world(hub, leaving)).changes
    for there in (world(hub, vnet("spoke", *SPOKE)), world(hub)):
        after = plan_all_links_removal(OWNER, spec, CLAIMS, there)
        assert link_id("hub", own_name("spoke")) in [change.resource_id for change in after.changes]
