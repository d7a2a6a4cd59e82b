"""The requests that bring the rules for a BastionHost's targets to where they are wanted, group by group."""

from dataclasses import replace

from bastion_operator.api.bastion_host import SecurityPolicy
from bastion_operator.api.common import MAX_CLAIMS
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.hidden import subscription_of
from bastion_operator.planning.model import Plan, root_of
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import without_claim
from bastion_operator.planning.rule_changes import RuleSet, plan_rules
from bastion_operator.planning.rule_mark import TARGET_RULE, RuleMark
from bastion_operator.planning.target_rules import TargetRules
from bastion_operator.planning.wanted_rule import WantedRule

# A status holds 1,024 claims, and the host, its parts and their rules need some.
_MOST_RULES = MAX_CLAIMS - 24


def plan_target_rules(
    asked: BastionHostInput, rules: TargetRules | None, plan: Plan, hidden: frozenset[str] = frozenset()
) -> Plan:
    """The plan with the rules for targets; where the spec only audits they are told.

    ``rules`` is None where nothing is known of the targets: then all stays as it is. So do groups in subscriptions that
    Azure does not show (``hidden``, in lower case): there VMs may be that nobody sees.
    """
    policy = asked.spec.network_security.targets
    if rules is None or policy is SecurityPolicy.OFF:
        return plan
    write = policy is SecurityPolicy.ENFORCE and not asked.watching
    plan = replace(plan, told=(*plan.told, *rules.told))
    wanted = {normalise_id(group_id): found for group_id, found in rules.wanted.items()}
    left_out = []
    claimed = {normalise_id(root_of(claim.id)) for claim in plan.claims if claim.purpose == TARGET_RULE}
    room = _MOST_RULES - sum(claim.purpose == TARGET_RULE for claim in plan.claims)
    for key, group_id in _groups(asked, rules).items():
        if subscription_of(group_id) in hidden:
            continue
        asked_for = wanted.get(key, ())
        if key not in claimed:
            if len(asked_for) > room:
                left_out.append(group_id)
                continue
            room -= len(asked_for)
        plan = _of_group(asked, group_id, asked_for, rules, plan, write=write)
    return _with_left_out(plan, left_out)


def _groups(asked: BastionHostInput, rules: TargetRules) -> dict[str, str]:
    claimed = [root_of(claim.id) for claim in asked.claims if claim.purpose == TARGET_RULE]
    return {normalise_id(each): each for each in (*claimed, *rules.standing, *rules.wanted)}


def _of_group(
    asked: BastionHostInput,
    group_id: str,
    wanted: tuple[WantedRule, ...],
    found: TargetRules,
    plan: Plan,
    *,
    write: bool,
) -> Plan:
    body = asked.observed.get(group_id)
    if body is None:
        # Gone with its rules, as soon as a GET confirms it.
        prefix = f"{normalise_id(group_id)}/"
        lost = [claim.id for claim in plan.claims if normalise_id(claim.id).startswith(prefix)]
        claims = plan.claims
        for claim_id in lost if write else ():
            claims = without_claim(claims, claim_id)
        return replace(plan, claims=claims)
    mark = RuleMark(asked.owner, asked.ids.host)
    override = asked.spec.network_security.override_denies
    rules = RuleSet(group_id, mark, TARGET_RULE, wanted, override, asked.now)
    planned = plan_rules(rules, body, plan, write=write)
    evidence = found.evidence(group_id, body, asked.observed)
    changes = evidence.on(planned.changes[len(plan.changes) :], body, write=write)
    audited = evidence.on(planned.audited[len(plan.audited) :], body, write=write)
    return replace(planned, changes=(*plan.changes, *changes), audited=(*plan.audited, *audited))


def _with_left_out(plan: Plan, groups: list[str]) -> Plan:
    if not groups:
        return plan
    message = (
        f"{len(groups)} network security groups, such as {groups[0]}, get no rule: one BastionHost keeps {_MOST_RULES}; narrow "
        "targets.selectors, or divide the VMs among several hosts"
    )
    return replace(plan, told=(*plan.told, obstacle(ObstacleCode.TOO_MANY_RULES, message, groups[0])))
