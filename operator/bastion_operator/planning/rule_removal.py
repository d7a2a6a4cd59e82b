"""Taking the operator's security rules and its group back out: by claim, name and mark, and nothing that is in use.

Azure refuses to take a rule that AzureBastionSubnet needs out of the group that is on it, and to delete a group that is on
anything. Source: Microsoft Learn, "Working with NSG access and Azure Bastion".
"""

from dataclasses import replace

from bastion_operator.api.common import Claim
from bastion_operator.network.arm_id import same_id
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.bastion_ownership import SECURITY_GROUP
from bastion_operator.planning.body import child, children, etag, in_transition, provisioning_state, referenced_id
from bastion_operator.planning.model import NOT_READ, Body, Change, Plan, Verb, Wait, root_of
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import Ownership, ownership_by_tags, without_claim
from bastion_operator.planning.rule_mark import SUBNET_RULE, RuleMark
from bastion_operator.planning.wording import named

_DELETED = "the BastionHost is being deleted"
_BASTION_SUBNET = "/subnets/azurebastionsubnet"


def remove_rules(asked: BastionHostInput, plan: Plan, purpose: str) -> Plan:
    """The plan with the claimed rules of a purpose deleted."""
    for claim in [claim for claim in plan.claims if claim.purpose == purpose]:
        plan = _remove_rule(asked, plan, claim)
    return plan


def _remove_rule(asked: BastionHostInput, plan: Plan, claim: Claim) -> Plan:
    group_id = root_of(claim.id)
    if not asked.observed.looked_at(group_id):
        return replace(plan, waits=(*plan.waits, Wait(claim.id, group_id, NOT_READ)))
    group = asked.observed.get(group_id)
    released = replace(plan, claims=without_claim(plan.claims, claim.id))
    rule = child(group, "securityRules", claim.id.rpartition("/")[2]) if group is not None else None
    if group is None or rule is None:
        return released
    mark = RuleMark(asked.owner, asked.ids.host)
    if not mark.may_delete(rule, claim.id, plan.claims):
        return _keeping(
            released, claim.id, ObstacleCode.KEPT_NOT_OWNED, "it does not carry the operator's mark any more"
        )
    if claim.purpose == SUBNET_RULE and _goes_with_its_group(asked, group, group_id):
        return released
    if claim.purpose == SUBNET_RULE and _on_bastion_subnet(group):
        why = "its group is on AzureBastionSubnet, and Azure lets go of none of the rules that the subnet needs"
        return _keeping(released, claim.id, ObstacleCode.KEPT_IN_USE, why)
    if in_transition(group):
        return replace(plan, waits=(*plan.waits, Wait(claim.id, group_id, provisioning_state(group))))
    change = Change(Verb.DELETE, claim.id, group_id, _DELETED, if_match=etag(rule))
    return replace(plan, changes=(*plan.changes, change))


def _goes_with_its_group(asked: BastionHostInput, group: Body, group_id: str) -> bool:
    return same_id(group_id, asked.ids.security_group) and asked.owner.marked(group)


def _on_bastion_subnet(group: Body) -> bool:
    return any(referenced_id(each).endswith(_BASTION_SUBNET) for each in children(group, "subnets"))


def remove_group(asked: BastionHostInput, plan: Plan) -> Plan:
    """The plan with the group that was made for AzureBastionSubnet deleted, once it is on nothing any more."""
    own = asked.ids.security_group
    body = asked.observed.get(own)
    # Its tags tell whose it is also where the status was lost with its claim.
    groups = [claim.id for claim in plan.claims if claim.purpose == SECURITY_GROUP]
    if body is not None and asked.owner.marked(body) and not any(same_id(own, each) for each in groups):
        groups.append(own)
    for group_id in groups:
        plan = _remove_one_group(asked, plan, group_id)
    return plan


def _remove_one_group(asked: BastionHostInput, plan: Plan, group_id: str) -> Plan:
    if not asked.observed.looked_at(group_id):
        return replace(plan, waits=(*plan.waits, Wait(group_id, group_id, NOT_READ)))
    group = asked.observed.get(group_id)
    released = replace(plan, claims=without_claim(plan.claims, group_id))
    if group is None:
        return released
    if ownership_by_tags(asked.owner, group, plan.claims, group_id) is not Ownership.CREATED:
        return _keeping(released, group_id, ObstacleCode.KEPT_NOT_OWNED, "the operator did not make it")
    users = [referenced_id(each) for part in ("subnets", "networkInterfaces") for each in children(group, part)]
    others = [user for user in users if not _goes_soon(asked, user)]
    if others:
        return _keeping(released, group_id, ObstacleCode.KEPT_IN_USE, f"{others[0]} uses it")
    if users or in_transition(group):
        state = "still attached" if users else provisioning_state(group)
        return replace(plan, waits=(*plan.waits, Wait(group_id, group_id, state)))
    change = Change(Verb.DELETE, group_id, group_id, _DELETED, if_match=etag(group))
    return replace(plan, changes=(*plan.changes, change))


def _goes_soon(asked: BastionHostInput, user: str) -> bool:
    """The subnet is gone by its network's word, and Azure has not taken it off the group yet."""
    if not same_id(user, asked.ids.subnet):
        return False
    network = asked.observed.get(asked.ids.virtual_network)
    return network is None or child(network, "subnets", asked.ids.subnet.rpartition("/")[2]) is None


def _keeping(plan: Plan, resource_id: str, code: ObstacleCode, why: str) -> Plan:
    message = f"{named(resource_id)} is kept: {why} ({resource_id})"
    return replace(plan, remains=(*plan.remains, obstacle(code, message, resource_id)))
