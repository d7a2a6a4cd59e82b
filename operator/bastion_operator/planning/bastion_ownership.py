"""Whose the host, its public IP and its security group are: claimed by their mark, adopted when the spec asks for it, else left alone."""

from dataclasses import replace

from bastion_operator.api.common import AdoptionPolicy, Claim, ClaimOrigin
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.model import Body, Plan
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import (
    Ownership,
    cluster_of,
    owner_of,
    ownership_by_tags,
    with_claim,
    with_claim_in_place,
)
from bastion_operator.planning.wording import named

HOST = "Host"
PUBLIC_IP = "PublicIP"
SECURITY_GROUP = "SecurityGroup"


def own(asked: BastionHostInput, plan: Plan, body: Body, resource_id: str, purpose: str) -> Plan:
    """The plan with the resource claimed, or with the obstacle that it is not ours to touch."""
    if asked.watching:
        return plan
    match ownership_by_tags(asked.owner, body, plan.claims, resource_id):
        case Ownership.CREATED:
            return claiming(asked, plan, resource_id, purpose)
        case Ownership.ADOPTED:
            return plan
        case Ownership.ADOPTABLE if asked.spec.adoption_policy is AdoptionPolicy.IF_UNMANAGED:
            # A claim written ahead of a creation that somebody else came before is no evidence: the mark is missing.
            claim = Claim(id=resource_id, purpose=purpose, origin=ClaimOrigin.ADOPTED, claimed_at=asked.now)
            return replace(plan, claims=with_claim_in_place(plan.claims, claim))
        case _:
            return hindered(plan, ObstacleCode.NOT_OWNED, _not_owned(body, resource_id), resource_id)


def claiming(asked: BastionHostInput, plan: Plan, resource_id: str, purpose: str) -> Plan:
    """The plan with a claim on what the operator made or is about to make; a claim that is there stays."""
    claim = Claim(id=resource_id, purpose=purpose, origin=ClaimOrigin.CREATED, claimed_at=asked.now)
    return replace(plan, claims=with_claim(plan.claims, claim))


def hindered(plan: Plan, code: ObstacleCode, message: str, resource_id: str) -> Plan:
    """The plan with an obstacle added."""
    return replace(plan, obstacles=(*plan.obstacles, obstacle(code, message, resource_id)))


def _not_owned(body: Body, resource_id: str) -> str:
    owner, cluster = owner_of(body), cluster_of(body)
    if owner is None and cluster is not None:
        return (
            f"{named(resource_id)} exists already and Cluster API (cluster {cluster}) keeps it, which would set it back: "
            "choose another name, or managementPolicy: Observe"
        )
    if owner is None:
        return (
            f"{named(resource_id)} exists already and carries nobody's mark: adoptionPolicy: IfUnmanaged takes it over, "
            "another name makes a new one"
        )
    return (
        f"{named(resource_id)} exists already and carries the mark of {owner}: delete it there, or choose another name"
    )
