"""Taking down what a BastionHost made, in the order that Azure demands: the host, then its public IP and subnet."""

from dataclasses import replace

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.network.arm_id import same_id
from bastion_operator.planning.bastion_host import BastionHostInput
from bastion_operator.planning.bastion_subnet import SUBNET, SUBNET_NAME, subnet_prefixes
from bastion_operator.planning.body import (
    child,
    children,
    etag,
    in_transition,
    properties,
    provisioning_state,
    referenced_id,
)
from bastion_operator.planning.model import Body, Change, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import Ownership, ownership_by_tags, without_claim


def plan_bastion_removal(asked: BastionHostInput) -> Plan:
    """What to delete now. An empty plan without claims means that nothing of the operator's is left."""
    plan = Plan(claims=asked.claims)
    plan = _remove_tagged(asked, plan, asked.ids.host)
    if not plan.settled:
        return plan
    plan = _remove_tagged(asked, plan, asked.ids.public_ip)
    for claim in [claim for claim in plan.claims if claim.purpose == SUBNET]:
        plan = _remove_subnet(asked, plan, claim)
    # What is left of the claims was never made, or lies under ids that a later spec no longer means.
    for claim in plan.claims:
        if (
            claim.purpose != SUBNET
            and not same_id(claim.id, asked.ids.host)
            and not same_id(claim.id, asked.ids.public_ip)
        ):
            plan = _remove_tagged(asked, plan, claim.id)
    return plan


def _remove_tagged(asked: BastionHostInput, plan: Plan, resource_id: str) -> Plan:
    """A host or public IP: deleted if it carries the mark, released if it was adopted or is somebody else's."""
    body = asked.observed.get(resource_id)
    released = replace(plan, claims=without_claim(plan.claims, resource_id))
    if body is None:
        return released
    claimed = len(released.claims) != len(plan.claims)
    if ownership_by_tags(asked.owner, body, plan.claims, resource_id) is not Ownership.CREATED:
        return (
            _keeping(released, resource_id, ObstacleCode.KEPT_NOT_OWNED, "it does not carry the operator's mark")
            if claimed
            else plan
        )
    user = _user_of_address(body)
    if user and not same_id(user, asked.ids.host):
        return _keeping(released, resource_id, ObstacleCode.KEPT_IN_USE, f"{user} uses it")
    if in_transition(body):
        return replace(plan, waits=(*plan.waits, Wait(resource_id, resource_id, provisioning_state(body))))
    change = Change(Verb.DELETE, resource_id, resource_id, "the BastionHost is being deleted", if_match=etag(body))
    return replace(plan, changes=(*plan.changes, change))


def _remove_subnet(asked: BastionHostInput, plan: Plan, claim: Claim) -> Plan:
    network_id = claim.id.rsplit("/subnets/", 1)[0]
    network = asked.observed.get(network_id)
    body = child(network, "subnets", SUBNET_NAME) if network is not None else None
    released = replace(plan, claims=without_claim(plan.claims, claim.id))
    if body is None:
        return released
    if claim.origin is not ClaimOrigin.CREATED or claim.detail not in subnet_prefixes(body):
        return _keeping(released, claim.id, ObstacleCode.KEPT_NOT_OWNED, "it is not the subnet that the operator made")
    users = [referenced_id(each) for each in children(body, "ipConfigurations")]
    others = [user for user in users if f"/{asked.ids.host.rsplit('/', 1)[-1].lower()}/" not in user]
    if others:
        return _keeping(released, claim.id, ObstacleCode.KEPT_IN_USE, f"{others[0]} is in it")
    if users or in_transition(body):
        return replace(plan, waits=(*plan.waits, Wait(claim.id, network_id, provisioning_state(body))))
    change = Change(Verb.DELETE, claim.id, network_id, "the BastionHost is being deleted", if_match=etag(body))
    return replace(plan, changes=(*plan.changes, change))


def _keeping(plan: Plan, resource_id: str, code: ObstacleCode, why: str) -> Plan:
    return replace(plan, remains=(*plan.remains, obstacle(code, f"{resource_id} is kept: {why}", resource_id)))


def _user_of_address(body: Body) -> str:
    """The id of what a public IP is attached to; empty for anything else. The reference leads to an IP configuration."""
    reference = referenced_id(properties(body).get("ipConfiguration"))
    if not reference:
        return ""
    return "/".join(reference.split("/")[:-2])
