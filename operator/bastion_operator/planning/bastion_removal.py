"""Taking down what a BastionHost made, in the order that Azure demands.

Its diagnostic setting and the host, then its public IP and subnet, then the network security group that was on it. Rules in the groups of VMs hang on
nothing and go at once.
"""

from collections.abc import Iterable
from dataclasses import replace

from bastion_operator.api.bastion_host import BastionHostSpec, SecurityPolicy
from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.api.identifiers import AUTO
from bastion_operator.network.arm_id import normalise_id, same_id
from bastion_operator.planning.bastion_diagnostics import DIAGNOSTICS, remove_diagnostics
from bastion_operator.planning.bastion_input import BastionHostIds, BastionHostInput
from bastion_operator.planning.bastion_ownership import SECURITY_GROUP
from bastion_operator.planning.bastion_public_ip import user_of_address
from bastion_operator.planning.bastion_subnet import SUBNET, SUBNET_NAME, subnet_prefixes
from bastion_operator.planning.body import child, children, etag, in_transition, provisioning_state, referenced_id
from bastion_operator.planning.model import NOT_READ, Change, Plan, Verb, Wait, root_of
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import Ownership, adopted, claim_on, ownership_by_tags, without_claim
from bastion_operator.planning.rule_mark import RULE_PURPOSES, SUBNET_RULE, TARGET_RULE
from bastion_operator.planning.rule_removal import remove_group, remove_rules
from bastion_operator.planning.wording import named

_WITH_RULES_OF_THEIR_OWN = frozenset({SUBNET, SECURITY_GROUP, DIAGNOSTICS, *RULE_PURPOSES})
_DELETED = "the BastionHost is being deleted"


def plan_bastion_removal(asked: BastionHostInput) -> Plan:
    """What to delete now. A settled plan means that nothing of the operator's is left; ``remains`` says what stays."""
    plan = remove_rules(asked, Plan(claims=asked.claims), TARGET_RULE)
    unread = [root for root in ordered_roots(asked.ids, asked.spec, asked.claims) if not asked.observed.looked_at(root)]
    if unread:
        # What was not read may still be there and use what would go before its time.
        return replace(plan, waits=(*plan.waits, *(Wait(root, root, NOT_READ) for root in unread)))
    plan = _remove_host_and_parts(asked, plan)
    if plan.settled:
        plan = remove_rules(asked, plan, SUBNET_RULE)
        plan = remove_group(asked, plan)
    return plan


def ordered_roots(ids: BastionHostIds, spec: BastionHostSpec, claims: Iterable[Claim]) -> list[str]:
    """The ids of what goes in an order, which takes all of it to be read: everything but the rules in the groups of VMs."""
    named = [ids.host, ids.public_ip, ids.virtual_network]
    if spec.network_security.subnet is SecurityPolicy.ENFORCE:
        # Its tags tell whose it is also where the status was lost with its claim.
        named.append(ids.security_group)
    claimed = (root_of(claim.id) for claim in claims if claim.purpose != TARGET_RULE)
    return list({normalise_id(root): root for root in (*named, *claimed)}.values())


def _remove_host_and_parts(asked: BastionHostInput, plan: Plan) -> Plan:
    rules_only = plan
    plan = remove_diagnostics(asked, plan)
    if plan.changes == rules_only.changes and plan.waits == rules_only.waits:
        plan = _remove_tagged(asked, plan, asked.ids.host)
    if len(plan.changes) > len(rules_only.changes) or len(plan.waits) > len(rules_only.waits):
        return plan
    if not asked.public_ip_given or claim_on(plan.claims, asked.ids.public_ip) is not None:
        plan = _remove_tagged(asked, plan, asked.ids.public_ip)
    for claim in [claim for claim in plan.claims if claim.purpose == SUBNET]:
        plan = _remove_subnet(asked, plan, claim)
    # What is left of the claims was never made, or lies under ids that a later spec no longer means.
    own = {normalise_id(asked.ids.host), normalise_id(asked.ids.public_ip)}
    for claim in plan.claims:
        if claim.purpose not in _WITH_RULES_OF_THEIR_OWN and normalise_id(claim.id) not in own:
            plan = _remove_tagged(asked, plan, claim.id)
    return _tell_unclaimed_subnet(asked, plan) if plan.settled else plan


def _remove_tagged(asked: BastionHostInput, plan: Plan, resource_id: str) -> Plan:
    """A host or public IP: deleted if it carries the mark, released if it was adopted or is somebody else's."""
    if not asked.observed.looked_at(resource_id):
        # What no source has said anything of is not gone.
        return _waiting(plan, resource_id, resource_id, NOT_READ)
    body = asked.observed.get(resource_id)
    released = replace(plan, claims=without_claim(plan.claims, resource_id))
    if body is None:
        return released
    if ownership_by_tags(asked.owner, body, plan.claims, resource_id) is not Ownership.CREATED:
        if adopted(plan.claims, resource_id):
            return _keeping(
                released, resource_id, ObstacleCode.KEPT_NOT_OWNED, "it was adopted, not made by the operator"
            )
        claimed = len(released.claims) != len(plan.claims)
        why = "it does not carry the operator's mark"
        return _keeping(released, resource_id, ObstacleCode.KEPT_NOT_OWNED, why) if claimed else plan
    user = user_of_address(body)
    if user and (asked.observed.get(user) is not None or not same_id(user, asked.ids.host)):
        return _keeping(released, resource_id, ObstacleCode.KEPT_IN_USE, f"{user} uses it")
    if user:
        # The host is gone, and Azure has not taken it off the address yet.
        return _waiting(plan, resource_id, resource_id, "still attached")
    if in_transition(body):
        return _waiting(plan, resource_id, resource_id, provisioning_state(body))
    change = Change(Verb.DELETE, resource_id, resource_id, _DELETED, if_match=etag(body))
    return replace(plan, changes=(*plan.changes, change))


def _remove_subnet(asked: BastionHostInput, plan: Plan, claim: Claim) -> Plan:
    network_id = claim.id.rsplit("/subnets/", 1)[0]
    if not asked.observed.looked_at(network_id):
        return _waiting(plan, claim.id, network_id, NOT_READ)
    network = asked.observed.get(network_id)
    body = child(network, "subnets", SUBNET_NAME) if network is not None else None
    released = replace(plan, claims=without_claim(plan.claims, claim.id))
    if body is None:
        return released
    if claim.origin is not ClaimOrigin.CREATED or claim.detail not in subnet_prefixes(body):
        return _keeping(released, claim.id, ObstacleCode.KEPT_NOT_OWNED, "it is not the subnet that the operator made")
    users = [referenced_id(each) for each in children(body, "ipConfigurations")]
    host = f"{normalise_id(asked.ids.host)}/"
    host_stays = asked.observed.get(asked.ids.host) is not None
    others = [user for user in users if host_stays or not user.startswith(host)]
    if others:
        return _keeping(released, claim.id, ObstacleCode.KEPT_IN_USE, f"{others[0]} is in it")
    if users or in_transition(body):
        return _waiting(plan, claim.id, network_id, "still in use" if users else provisioning_state(body))
    change = Change(Verb.DELETE, claim.id, network_id, _DELETED, if_match=etag(body))
    return replace(plan, changes=(*plan.changes, change))


def _tell_unclaimed_subnet(asked: BastionHostInput, plan: Plan) -> Plan:
    """A subnet carries no mark: where the status was lost with its claim, it may be the operator's, and is kept."""
    wanted, subnet_id = asked.spec.subnet_prefix, asked.ids.subnet
    network = asked.observed.get(asked.ids.virtual_network)
    body = child(network, "subnets", SUBNET_NAME) if network is not None else None
    # With a claim it was dealt with above, and without a prefix in the spec the operator never made one.
    if body is None or wanted is None or claim_on(asked.claims, subnet_id) is not None:
        return plan
    if wanted != AUTO and wanted not in subnet_prefixes(body):
        return plan
    why = "no claim in the status tells whether the operator made it; if nobody else needs it, delete it"
    return _keeping(plan, subnet_id, ObstacleCode.KEPT_NOT_CERTAIN, why)


def _waiting(plan: Plan, resource_id: str, root_id: str, state: str) -> Plan:
    return replace(plan, waits=(*plan.waits, Wait(resource_id, root_id, state)))


def _keeping(plan: Plan, resource_id: str, code: ObstacleCode, why: str) -> Plan:
    message = f"{named(resource_id)} is kept: {why} ({resource_id})"
    return replace(plan, remains=(*plan.remains, obstacle(code, message, resource_id)))
