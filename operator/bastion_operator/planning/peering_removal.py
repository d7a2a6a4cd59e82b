"""Taking down links that a VNetPeering made: on its deletion, and for pairs that left its spec."""

from collections.abc import Iterable
from dataclasses import replace

from bastion_operator.api.common import Claim, ClaimOrigin, DeletionPolicy
from bastion_operator.planning.body import child, provisioning_state
from bastion_operator.planning.model import Change, Observed, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import Owner, without_claim
from bastion_operator.planning.peering_link import PEERINGS, Link, find_link


def plan_link_removal(
    owner: Owner, policy: DeletionPolicy | None, claims: Iterable[Claim], observed: Observed, plan: Plan
) -> Plan:
    """The plan with the deletion of these claimed links added.

    A link is deleted only if the claim says that it was made, and its name is the one that this owner would choose.
    What is kept is released: its claim goes, and the plan says why it remains.
    """
    for claim in claims:
        plan = _remove(owner, policy, claim, observed, plan)
    return plan


def _remove(owner: Owner, policy: DeletionPolicy | None, claim: Claim, observed: Observed, plan: Plan) -> Plan:
    network_id, name = claim.id.rsplit(f"/{PEERINGS}/", 1)
    network = observed.get(network_id)
    body = child(network, PEERINGS, name) if network is not None else None
    released = replace(plan, claims=without_claim(plan.claims, claim.id))
    if body is None:
        return released
    link = Link(claim.id, body)
    kept = _reason_to_keep(owner, policy, claim, link, observed)
    if kept is not None:
        code, why = kept
        return replace(released, remains=(*plan.remains, obstacle(code, f"{claim.id} is kept: {why}", claim.id)))
    if link.changing:
        return replace(plan, waits=(*plan.waits, Wait(claim.id, network_id, provisioning_state(body))))
    change = Change(Verb.DELETE, claim.id, network_id, "the link is no longer asked for")
    return replace(plan, changes=(*plan.changes, change))


def _reason_to_keep(
    owner: Owner, policy: DeletionPolicy | None, claim: Claim, link: Link, observed: Observed
) -> tuple[ObstacleCode, str] | None:
    if claim.origin is ClaimOrigin.ADOPTED:
        return ObstacleCode.KEPT_NOT_OWNED, "it was adopted, not made by the operator"
    name = link.id.rsplit("/", 1)[-1]
    if name.lower() != owner.peering_name(link.remote_id).lower():
        return ObstacleCode.KEPT_NOT_OWNED, "it leads elsewhere than the operator's link of that name would"
    if policy is DeletionPolicy.RETAIN:
        return ObstacleCode.KEPT_NOT_OWNED, "deletionPolicy is Retain"
    if policy is None and _carries_remote_gateways(link, observed):
        return ObstacleCode.KEPT_REMOTE_GATEWAYS, (
            "a spoke's way on-premises leads over it; deletionPolicy: Delete removes such links as well"
        )
    return None


def _carries_remote_gateways(link: Link, observed: Observed) -> bool:
    if link.uses_remote_gateways:
        return True
    remote = observed.get(link.remote_id)
    local_id = link.id.rsplit(f"/{PEERINGS}/", 1)[0]
    other = find_link(remote, link.remote_id, local_id) if remote is not None else None
    return other is not None and other.uses_remote_gateways
