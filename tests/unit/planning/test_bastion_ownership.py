"""Whose a host is: made, adopted or somebody's; and what is told of one that is only watched."""

from dataclasses import replace

from bastion_operator.api.common import ClaimOrigin
from bastion_operator.planning.bastion_host import plan_bastion_host
from bastion_operator.planning.model import Plan
from tests.support.estates import bastion, public_ip
from tests.support.plans import ADDRESS, HOST, bastion_input, claim, codes, marked
from tests.unit.planning.bastion_rows import BASTION_SUBNET, OTHER_TIME, SUBNET, body_of, hub, plan_of, standing

# --- whose it is -------------------------------------------------------------------------------------------------


def test_a_host_is_adopted_when_asked_and_gets_no_mark() -> None:
    rows = [hub(BASTION_SUBNET), bastion("bas", "hub")]
    plan = plan_of(*rows, adoptionPolicy="IfUnmanaged", tags={"team": "net"})
    assert [(each.id, each.origin) for each in plan.claims] == [(HOST, ClaimOrigin.ADOPTED)]
    assert body_of(plan)["tags"] == {"team": "net"}


def test_a_host_that_cluster_api_keeps_is_told_with_its_cluster_and_never_adopted() -> None:
    kept = bastion("bas", "hub") | {"tags": {"sigs.k8s.io_cluster-api-provider-azure_cluster_prod-1": "owned"}}
    plan = plan_of(hub(BASTION_SUBNET), kept, adoptionPolicy="IfUnmanaged", tags={"team": "net"})
    assert (plan.changes, plan.claims, codes(plan)) == ((), (), ["NotOwned"])
    assert "Cluster API (cluster prod-1) keeps it" in plan.obstacles[0].message


def test_what_was_adopted_is_made_anew_without_a_mark_and_stays_adopted() -> None:
    claims = (claim(HOST, adopted=True), claim(ADDRESS, purpose="PublicIP", adopted=True))
    plan = plan_of(hub(BASTION_SUBNET), public_ip("bas-ip"), claims=claims)
    assert body_of(plan)["tags"] == {}
    assert {(each.id, each.origin) for each in plan.claims} == {(each.id, each.origin) for each in claims}


def test_a_claim_written_ahead_is_no_evidence_where_the_mark_is_missing() -> None:
    rows = [hub(BASTION_SUBNET), bastion("bas", "hub")]
    plan = plan_of(*rows, claims=(claim(HOST),), adoptionPolicy="IfUnmanaged")
    assert [each.origin for each in plan.claims] == [ClaimOrigin.ADOPTED]


def test_a_host_with_the_mark_is_the_operators_also_after_the_status_was_lost() -> None:
    plan = plan_of(*standing())
    assert {(each.id, each.origin) for each in plan.claims} == {
        (HOST, ClaimOrigin.CREATED),
        (ADDRESS, ClaimOrigin.CREATED),
    }


def test_a_claim_on_a_subnet_that_somebody_else_made_meanwhile_is_given_up() -> None:
    claims = (claim(SUBNET, purpose="Subnet", detail="10.0.9.0/26"),)
    plan = plan_of(hub(BASTION_SUBNET), marked(public_ip("bas-ip")), claims=claims, subnetPrefix="Auto")
    assert SUBNET not in {each.id for each in plan.claims}


def test_a_claim_on_the_subnet_keeps_its_time_while_the_subnet_is_being_made() -> None:
    first = plan_of(hub(), subnetPrefix="Auto")
    later = replace(bastion_input(hub(), claims=first.claims, subnetPrefix="Auto"), now=OTHER_TIME)
    assert plan_bastion_host(later).claims == first.claims


# --- observing ---------------------------------------------------------------------------------------------------


def test_an_observer_tells_what_differs_also_what_azure_fixes_and_owns_nothing() -> None:
    rows = [hub(BASTION_SUBNET), bastion("bas", "hub", sku="Premium", enableFileCopy=True)]
    plan = plan_of(
        *rows,
        managementPolicy="Observe",
        sku="Standard",
        zones=["1"],
        features={"fileCopy": False, "privateOnly": True},
    )
    (change,) = plan.changes
    assert [str(each) for each in change.differences] == [
        "sku.name: Premium → Standard",
        "properties.enableFileCopy: true → false",
        "features.privateOnly: false → true",
        "zones: none → 1",
    ]
    assert plan.claims == ()
    assert not plan.obstacles


def test_an_observer_makes_nothing_and_cures_nothing() -> None:
    assert plan_of(hub(), managementPolicy="Observe") == Plan()
    plan = plan_of(*standing(provisioningState="Failed"), managementPolicy="Observe")
    assert not plan.changes
    assert codes(plan) == ["ProvisioningFailed"]
