"""The requests that bring the rules for a BastionHost's targets to where they are wanted, group by group."""

from collections import defaultdict
from dataclasses import replace

from bastion_operator.api.bastion_host import SecurityPolicy
from bastion_operator.api.common import MAX_CLAIMS, Claim
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.hidden import subscription_of
from bastion_operator.planning.model import Plan, root_of
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import id_key, without_claim
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
    # Looked up by group: a thousand groups with a rule each have a thousand claims.
    claims: dict[str, list[Claim]] = defaultdict(list)
    for claim in plan.claims:
        claims[normalise_id(root_of(claim.id))].append(claim)
    room = _MOST_RULES - sum(claim.purpose == TARGET_RULE for claim in plan.claims)
    parts = []
    for key, group_id in _groups(asked, rules).items():
        if subscription_of(group_id) in hidden:
            continue
        asked_for, own = wanted.get(key, ()), claims.get(key, [])
        claimed = {_name_of(claim.id) for claim in own if claim.purpose == TARGET_RULE}
        new = [rule for rule in asked_for if rule.name.lower() not in claimed]
        if len(new) > room:
            left_out.append(group_id)
            if not claimed:
                continue
            asked_for = tuple(rule for rule in asked_for if rule not in new)
        else:
            room -= len(new)
        before = Plan(claims=tuple(own))
        parts.append((before, _of_group(asked, group_id, asked_for, rules, before, write=write)))
    return _with_left_out(_joined(plan, parts), left_out)


def _name_of(rule_id: str) -> str:
    return rule_id.rpartition("/")[2].lower()


def _joined(plan: Plan, parts: list[tuple[Plan, Plan]]) -> Plan:
    """The plan with those of single groups, each beside what it began with: the claims on things of the group."""
    before = {id_key(claim.id) for began, _ in parts for claim in began.claims}
    after = {id_key(claim.id): claim for _, part in parts for claim in part.claims}
    kept = (claim for claim in plan.claims if id_key(claim.id) not in before or id_key(claim.id) in after)
    new = (claim for key, claim in after.items() if key not in before)
    return replace(
        plan,
        changes=(*plan.changes, *(each for _, part in parts for each in part.changes)),
        waits=(*plan.waits, *(each for _, part in parts for each in part.waits)),
        told=(*plan.told, *(each for _, part in parts for each in part.told)),
        audited=(*plan.audited, *(each for _, part in parts for each in part.audited)),
        going=(*plan.going, *(each for _, part in parts for each in part.going)),
        claims=(*kept, *new),
    )


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
    changes, audited = (evidence.on(each, body, write=write) for each in (planned.changes, planned.audited))
    going = () if evidence.held else planned.going
    return replace(planned, changes=tuple(changes), audited=tuple(audited), going=going)


def _with_left_out(plan: Plan, groups: list[str]) -> Plan:
    if not groups:
        return plan
    message = (
        f"{len(groups)} network security groups, such as {groups[0]}, get no new rule: one BastionHost keeps {_MOST_RULES}; narrow "
        "targets.selectors, or divide the VMs among several hosts"
    )
    return replace(plan, told=(*plan.told, obstacle(ObstacleCode.TOO_MANY_RULES, message, groups[0])))
