"""The network security group on AzureBastionSubnet: made before the subnet, filled up where it lacks rules.

Microsoft's policies want a subnet to be born with its group, and Azure refuses a group on this subnet that lacks one of the
eight rules: so a new group has them all in its first PUT, and only then the subnet is made with it. A subnet that others
made never gets or loses a group. Source: Microsoft Learn, "Working with NSG access and Azure Bastion".
"""

from dataclasses import replace
from typing import Any

from bastion_operator.api.bastion_host import SecurityPolicy, Sku
from bastion_operator.api.common import ClaimOrigin
from bastion_operator.network.arm_id import same_id
from bastion_operator.planning.bastion_fields import is_developer
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.bastion_ownership import SECURITY_GROUP, claiming, own
from bastion_operator.planning.bastion_rules import bastion_rules, missing_rules, purpose_of, unmet_of
from bastion_operator.planning.bastion_subnet import SUBNET_NAME, subnet_prefixes
from bastion_operator.planning.body import (
    child,
    children,
    described,
    differing,
    etag,
    has_failed,
    in_transition,
    properties,
    provisioning_state,
    with_named,
)
from bastion_operator.planning.identical_request import identical_request
from bastion_operator.planning.model import NOT_READ, Body, Change, Difference, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import adopted, asked_tags, claim_on, tags_at_creation
from bastion_operator.planning.rule_changes import RuleSet, placed, plan_rules, read_group
from bastion_operator.planning.rule_mark import SUBNET_RULE, RuleMark
from bastion_operator.planning.wording import named


def has_subnet_of_its_own(asked: BastionHostInput) -> bool:
    """Whether there is, or is to be, an AzureBastionSubnet: a Developer host has none."""
    host = asked.observed.get(asked.ids.host)
    return not is_developer(host) if host is not None else asked.spec.sku != Sku.DEVELOPER


def with_group(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    """The plan for a subnet that is to be made, with the group that it is born with: the group first, then the subnet."""
    making = [change for change in plan.changes if same_id(change.resource_id, asked.ids.subnet)]
    if not making or asked.spec.network_security.subnet is not SecurityPolicy.ENFORCE:
        return plan
    group = asked.observed.get(asked.ids.security_group)
    waiting = replace(plan, changes=tuple(change for change in plan.changes if change not in making))
    if group is None:
        return _with_new_group(asked, network, waiting)
    owned = own(asked, plan, group, asked.ids.security_group, SECURITY_GROUP)
    if owned.obstacles:
        return owned
    filled = _filled(asked, network, group, _awaiting(asked, group, replace(waiting, claims=owned.claims)))
    if not filled.settled:
        return filled
    born = [_with_reference(asked, change) for change in making]
    return replace(filled, changes=(*filled.changes, *born))


def plan_subnet_rules(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    """The plan with what the group of a subnet that stands needs. Where the spec only audits, it is told."""
    subnet = child(network, "subnets", SUBNET_NAME)
    policy = asked.spec.network_security.subnet
    if subnet is None or policy is SecurityPolicy.OFF or not has_subnet_of_its_own(asked):
        return plan
    reference = properties(subnet).get("networkSecurityGroup")
    if not isinstance(reference, dict) or not reference.get("id"):
        return _without_group(asked, network, subnet, plan) if policy is SecurityPolicy.ENFORCE else plan
    group_id = str(reference["id"])
    group = asked.observed.get(group_id)
    if group is None:
        return _unread(asked, group_id, plan)
    group = {**group, "id": group_id}
    if not same_id(group_id, asked.ids.security_group) or not asked.owner.marked(group):
        return _filled(asked, network, group, plan)
    if _enforcing(asked):
        plan = claiming(asked, plan, group_id, SECURITY_GROUP)
    filled = _filled(asked, network, group, plan)
    return filled if filled.changes != plan.changes or filled.waits != plan.waits else _tagged(asked, group, filled)


# --- a subnet without a group ------------------------------------------------------------------------------------


def _without_group(asked: BastionHostInput, network: Body, subnet: Body, plan: Plan) -> Plan:
    if not _made_by_the_operator(asked, subnet):
        message = (
            f"{SUBNET_NAME} has no network security group, and others made the subnet: attach a group to it, and its rules are "
            'kept; or set networkSecurity.subnet to Audit or "Off"'
        )
        return _telling(plan, ObstacleCode.NO_SECURITY_GROUP, message, asked.ids.subnet)
    group = asked.observed.get(asked.ids.security_group)
    if group is None:
        return _with_new_group(asked, network, plan)
    owned = own(asked, plan, group, asked.ids.security_group, SECURITY_GROUP)
    if len(owned.obstacles) > len(plan.obstacles):
        return replace(plan, told=(*plan.told, *owned.obstacles[len(plan.obstacles) :]))
    filled = _filled(asked, network, group, _awaiting(asked, group, owned))
    if len(filled.changes) > len(owned.changes) or filled.waits != plan.waits or in_transition(subnet):
        return filled
    return _writing(asked, filled, _association(asked, subnet))


def _made_by_the_operator(asked: BastionHostInput, subnet: Body) -> bool:
    claim = claim_on(asked.claims, asked.ids.subnet)
    return claim is not None and claim.origin is ClaimOrigin.CREATED and claim.detail in subnet_prefixes(subnet)


def _association(asked: BastionHostInput, subnet: Body) -> Change:
    reference = {"id": asked.ids.security_group}
    difference = Difference("properties.networkSecurityGroup", None, asked.ids.security_group)
    body = with_named(subnet, {("properties", "networkSecurityGroup"): reference})
    reason = "the subnet has no network security group"
    return Change(Verb.UPDATE, asked.ids.subnet, asked.ids.virtual_network, reason, body, (difference,), etag(subnet))


def _awaiting(asked: BastionHostInput, group: Body, plan: Plan) -> Plan:
    """Azure refuses a reference to a group that it is still working on, or that has failed."""
    group_id = asked.ids.security_group
    if has_failed(group):
        return _writing(asked, plan, identical_request(group, group_id, group_id))
    if not in_transition(group):
        return plan
    return replace(plan, waits=(*plan.waits, Wait(group_id, group_id, provisioning_state(group))))


def _with_new_group(asked: BastionHostInput, network: Body, plan: Plan) -> Plan:
    group_id = asked.ids.security_group
    body: dict[str, Any] = {
        "location": network.get("location"),
        "tags": tags_at_creation(asked.owner, asked.claims, group_id, asked.spec.tags),
        "properties": {"securityRules": [rule.listed(rule.preferred) for rule in bastion_rules(asked)]},
    }
    reason = f"{SUBNET_NAME} is to have a network security group"
    change = Change(Verb.CREATE, group_id, group_id, reason, body)
    planned = _writing(asked, plan, change)
    return claiming(asked, planned, group_id, SECURITY_GROUP) if _enforcing(asked) else planned


def _with_reference(asked: BastionHostInput, change: Change) -> Change:
    reference = {"id": asked.ids.security_group}
    return replace(change, body=with_named(change.body or {}, {("properties", "networkSecurityGroup"): reference}))


# --- a group of the operator's own -------------------------------------------------------------------------------


def _tagged(asked: BastionHostInput, group: Body, plan: Plan) -> Plan:
    """The plan with the tags that the spec names, on a group that needs nothing else."""
    group_id = asked.ids.security_group
    found = differing(group, {("tags", name): value for name, value in asked_tags(asked.spec.tags).items()})
    if not found or in_transition(group) or adopted(plan.claims, group_id):
        return plan
    body, differences = with_named(group, found), described(group, found)
    reason = "the tags differ from the spec"
    return _writing(asked, plan, Change(Verb.UPDATE, group_id, group_id, reason, body, differences, etag(group)))


# --- a group that is there ---------------------------------------------------------------------------------------


def _filled(asked: BastionHostInput, network: Body, group: Body, plan: Plan) -> Plan:
    """The plan with the rules that the group lacks; those that would not help are told."""
    rules = _rule_set(asked, network, group, plan)
    standing = read_group(rules, group, plan.claims)
    if not rules.wanted and not standing.own:
        return plan
    found, _ = placed(rules, standing)
    after = _with_rules(group, [rule.listed(priority) for rule, priority in found], rules)
    unhelped = {name: told for name, told in unmet_of(asked, network, after) if told.code != "BastionNsgRowNotExplicit"}
    helping = [rule for rule in rules.wanted if rule.name.lower() in standing.own or purpose_of(rule) not in unhelped]
    planned = plan_rules(replace(rules, wanted=tuple(helping)), group, plan, write=_enforcing(asked))
    given_up = {purpose_of(rule) for rule in rules.wanted if rule not in helping}
    told = [told for name, told in unhelped.items() if name in given_up]
    _, why = placed(replace(rules, wanted=tuple(rule for rule in rules.wanted if rule not in helping)), standing)
    return replace(planned, told=(*planned.told, *(why or told)))


def _rule_set(asked: BastionHostInput, network: Body, group: Body, plan: Plan) -> RuleSet:
    mark = RuleMark(asked.owner, asked.ids.host)
    override = asked.spec.network_security.override_denies
    rules = RuleSet(str(group["id"]), mark, SUBNET_RULE, (), override, asked.now)
    standing = read_group(rules, group, plan.claims)
    if asked.owner.marked(group):
        return replace(rules, wanted=bastion_rules(asked))
    bare = _with_rules(group, [], rules)
    return replace(rules, wanted=missing_rules(asked, network, bare, standing.foreign, standing.own))


def _with_rules(group: Body, rules: list[dict[str, Any]], own: RuleSet) -> dict[str, Any]:
    """The group with these in place of the operator's rules."""
    others = [rule for rule in children(group, "securityRules") if not own.concerns(str(rule.get("name", "")))]
    return {**group, "properties": {**properties(group), "securityRules": [*others, *rules]}}


def _enforcing(asked: BastionHostInput) -> bool:
    return asked.spec.network_security.subnet is SecurityPolicy.ENFORCE and not asked.watching


def _writing(asked: BastionHostInput, plan: Plan, change: Change) -> Plan:
    if not _enforcing(asked):
        return replace(plan, audited=(*plan.audited, change))
    return replace(plan, changes=(*plan.changes, change))


def _unread(asked: BastionHostInput, group_id: str, plan: Plan) -> Plan:
    if not asked.observed.looked_at(group_id):
        if not _enforcing(asked):
            return plan
        return replace(plan, waits=(*plan.waits, Wait(group_id, group_id, NOT_READ)))
    message = f"{named(group_id)} is on {SUBNET_NAME} and cannot be read: grant the identity Reader on it ({group_id})"
    return _telling(plan, ObstacleCode.GROUP_NOT_FOUND, message, group_id)


def _telling(plan: Plan, code: ObstacleCode, message: str, resource_id: str) -> Plan:
    return replace(plan, told=(*plan.told, obstacle(code, message, resource_id)))
