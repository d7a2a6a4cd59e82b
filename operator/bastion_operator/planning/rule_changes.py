"""From the rules that the operator wants in a group to the requests that bring them there, one rule at a time.

Nothing but the operator's own rules is ever written or deleted, and of those only what differs. New rules come first and
deletions last, so that what is let through stays so while rules change places.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.network.finding import Finding
from bastion_operator.network.security_group import SecurityRule, read_security_rule
from bastion_operator.planning.body import children, etag, has_failed, in_transition, properties, provisioning_state
from bastion_operator.planning.identical_request import identical_request
from bastion_operator.planning.model import Body, Change, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import claim_on, with_claim
from bastion_operator.planning.rule_mark import SUBNET_RULE, TARGET_RULE, RuleMark, is_target_rule
from bastion_operator.planning.rule_places import Window, is_just_in_time, place, shadow_of
from bastion_operator.planning.wanted_rule import WantedRule
from bastion_operator.planning.wording import named

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that one custom resource wants in one group, for one purpose (SubnetRule or TargetRule).

    ``override``: they may go in front of what others deny.
    """

    group_id: str
    mark: RuleMark
    purpose: str
    wanted: tuple[WantedRule, ...]
    override: bool
    now: datetime

    def rule_id(self, name: str) -> str:
        """The id of a rule in the group."""
        return f"{self.group_id}/securityRules/{name}"

    def concerns(self, name: str) -> bool:
        """Whether a rule has a name that this set of rules could give."""
        return self.mark.names(name) and is_target_rule(name) is (self.purpose == TARGET_RULE)


@dataclass(frozen=True, slots=True)
class GroupRules:
    """The rules of a group as they are: the operator's own, by lower-cased name, and those of others."""

    own: Mapping[str, Body]
    foreign: tuple[SecurityRule, ...]
    taken_names: frozenset[str]

    @property
    def current(self) -> dict[str, int]:
        """The priorities of the own rules, by lower-cased name."""
        found = {name: properties(rule).get("priority") for name, rule in self.own.items()}
        return {name: place for name, place in found.items() if isinstance(place, int)}


def read_group(rules: RuleSet, body: Body, claims: tuple[Claim, ...]) -> GroupRules:
    """Sort the rules of a group's body."""
    own: dict[str, Body] = {}
    foreign, taken = [], set()
    for rule in children(body, "securityRules"):
        name = str(rule.get("name", ""))
        if rules.concerns(name) and rules.mark.owns(rule, rules.rule_id(name), claims):
            own[name.lower()] = rule
        else:
            foreign.append(read_security_rule(rule))
            taken.add(name.lower())
    return GroupRules(own, tuple(foreign), frozenset(taken))


def placed(rules: RuleSet, group: GroupRules) -> tuple[list[tuple[WantedRule, int]], list[Finding]]:
    """The rules that can be had, with their priorities, and what is in the way of the others."""
    told: list[Finding] = []
    wanted: list[WantedRule] = []
    for rule in rules.wanted:
        in_the_way = _in_the_way(rules, group, rule)
        told += [in_the_way] if in_the_way is not None else []
        if in_the_way is None or rule.name.lower() in group.own:
            wanted.append(rule)
    places = place(
        wanted,
        {rule.name: group.current[key] for rule in wanted if (key := rule.name.lower()) in group.current},
        _all_others(group, wanted),
        override=rules.override,
    )
    found = []
    for rule in wanted:
        priority = places[rule.name]
        if priority is None:
            told.append(_no_place(rules, rule))
        else:
            found.append((rule, priority))
    return found, told


def _all_others(group: GroupRules, wanted: Sequence[WantedRule]) -> list[SecurityRule]:
    """Rules of others, and the own ones that are to go: they hold their places until they are gone."""
    names = {rule.name.lower() for rule in wanted}
    return [*group.foreign, *(read_security_rule(rule) for name, rule in group.own.items() if name not in names)]


def _in_the_way(rules: RuleSet, group: GroupRules, rule: WantedRule) -> Finding | None:
    if rule.name.lower() in group.taken_names:
        message = f"{named(rules.rule_id(rule.name))} has the operator's name and not its mark: delete it or rename it"
        return obstacle(ObstacleCode.NOT_OWNED, message, rules.rule_id(rule.name))
    binding = [one for one in group.foreign if not rules.override or is_just_in_time(one.name)]
    deny = shadow_of(rule, binding)
    if deny is None:
        return None
    what = f"{named(rules.group_id)} denies {_traffic(rule)} by rule {deny.name} (priority {deny.priority})"
    if is_just_in_time(deny.name):
        cure = "just-in-time access guards it, and nothing is put in front of that: request access"
        return obstacle(ObstacleCode.JUST_IN_TIME, f"{what}: {cure}", rules.group_id)
    cure = "change that rule, or set networkSecurity.overrideDenies: true to have an Allow in front of it"
    return _with_rule(obstacle(ObstacleCode.DENY_IN_THE_WAY, f"{what}: {cure}", rules.group_id), deny)


def _with_rule(told: Finding, rule: SecurityRule) -> Finding:
    direction = rule.direction.value if rule.direction is not None else None
    return replace(told, rule=rule.name, priority=rule.priority, direction=direction)


def _no_place(rules: RuleSet, rule: WantedRule) -> Finding:
    message = (
        f"{named(rules.group_id)} has no free priority at which {_traffic(rule)} could be allowed"
        f"{' in front of what denies it' if rules.override else ' behind the Deny rules of others'}: free one"
    )
    return obstacle(ObstacleCode.NO_FREE_PRIORITY, message, rules.group_id)


def _traffic(rule: WantedRule) -> str:
    ports = ", ".join(map(str, rule.ports))
    return f"{rule.direction.value.lower()} TCP {ports} from {_few(rule.source)} to {_few(rule.destination)}"


def _few(prefixes: Sequence[str]) -> str:
    shown = ", ".join(prefixes[:3])
    return shown if len(prefixes) <= 3 else f"{shown} and {len(prefixes) - 3} more"  # noqa: PLR2004 - as many are shown


# --- requests ----------------------------------------------------------------------------------------------------


def plan_rules(rules: RuleSet, body: Body, plan: Plan, *, write: bool = True) -> Plan:
    """The plan with what brings the group's rules to where they are wanted; without ``write`` it is only told."""
    group = read_group(rules, body, plan.claims)
    found, told = placed(rules, group)
    deletions = _deletions(rules, group, found)
    # A group of the operator's own that has failed is sent again as a whole, and its rules with it.
    whole = has_failed(body) and claim_on(plan.claims, rules.group_id) is not None
    moves = _moves(rules, group, found, mending=not whole)
    plan = replace(plan, told=(*plan.told, *told))
    if not write:
        return replace(plan, audited=(*plan.audited, *moves, *deletions))
    going = (*plan.going, *(change.resource_id for change in deletions))
    plan = replace(plan, claims=_claims(rules, group, found, plan.claims), going=going)
    # A subnet's rule goes once its successor is there, and stays if that one is refused: clients would be cut off.
    changes = moves if moves and rules.purpose == SUBNET_RULE else [*moves, *deletions]
    if changes and in_transition(body):
        wait = Wait(rules.group_id, rules.group_id, provisioning_state(body))
        return replace(plan, waits=(*plan.waits, wait))
    return replace(plan, changes=(*plan.changes, *changes))


def _moves(
    rules: RuleSet, group: GroupRules, found: Sequence[tuple[WantedRule, int]], *, mending: bool
) -> list[Change]:
    """New rules, then those that differ or have failed; one whose place another rule still holds comes later."""
    holders = {
        (properties(rule).get("direction"), properties(rule).get("priority")): name for name, rule in group.own.items()
    }
    created, updated, blocked = [], [], []
    for rule, priority in found:
        there = group.own.get(rule.name.lower())
        holder = holders.get((rule.direction.value, priority))
        if holder is not None and holder != rule.name.lower():
            blocked.append(holder)
        elif there is None:
            created.append(_create(rules, rule, priority))
        elif rule.differences(there, priority):
            updated.append(_update(rules, rule, there, priority))
        elif mending and has_failed(there):
            updated.append(identical_request(there, rules.rule_id(str(there["name"])), rules.group_id))
    leaving = {name for name in group.own if name not in {rule.name.lower() for rule, _ in found}}
    if blocked and not created and not updated and not leaving:
        return [_step_aside(rules, group, found, blocked[0])]
    return [*created, *updated]


def _create(rules: RuleSet, rule: WantedRule, priority: int) -> Change:
    rule_id = rules.rule_id(rule.name)
    reason = f"{_traffic(rule)} is to be allowed, at priority {priority}"
    return Change(Verb.CREATE, rule_id, rules.group_id, reason, rule.body(priority))


def _update(rules: RuleSet, rule: WantedRule, there: Body, priority: int) -> Change:
    rule_id = rules.rule_id(str(there["name"]))
    body, differences = rule.updated(there, priority), rule.differences(there, priority)
    return Change(Verb.UPDATE, rule_id, rules.group_id, "the rule is not as wanted", body, differences, etag(there))


def _step_aside(rules: RuleSet, group: GroupRules, found: Sequence[tuple[WantedRule, int]], holder: str) -> Change:
    """Of two rules that change places, one goes to a spare priority first."""
    there = group.own[holder]
    rule = next(rule for rule, _ in found if rule.name.lower() == holder)
    taken = {
        one.priority for one in group.foreign if one.direction in {rule.direction, None} and one.priority is not None
    }
    spare = Window().nearest(rule.preferred, taken | set(group.current.values()))
    body = rule.updated(there, rule.preferred if spare is None else spare)
    differences = rule.differences(there, body["properties"]["priority"])
    reason = "it changes places with another rule and goes out of the way first"
    return Change(Verb.UPDATE, rules.rule_id(rule.name), rules.group_id, reason, body, differences, etag(there))


def _deletions(rules: RuleSet, group: GroupRules, found: Sequence[tuple[WantedRule, int]]) -> list[Change]:
    wanted = {rule.name.lower() for rule, _ in found}
    return [
        Change(
            Verb.DELETE,
            rules.rule_id(str(rule["name"])),
            rules.group_id,
            "nothing needs the rule any more",
            if_match=etag(rule),
        )
        for name, rule in sorted(group.own.items())
        if name not in wanted and rules.mark.marks(rule)
    ]


def _claims(
    rules: RuleSet, group: GroupRules, found: Sequence[tuple[WantedRule, int]], claims: tuple[Claim, ...]
) -> tuple[Claim, ...]:
    """A claim on every rule that is wanted or there; one on a rule that is gone is given up."""
    names = {rule.name.lower(): rule.name for rule, _ in found}
    names |= {name: str(rule["name"]) for name, rule in group.own.items() if name not in names}
    for name in names.values():
        rule_id = rules.rule_id(name)
        claim = Claim(id=rule_id, purpose=rules.purpose, origin=ClaimOrigin.CREATED, claimed_at=rules.now)
        claims = with_claim(claims, claim)
    prefix = f"{rules.group_id}/securityRules/".lower()

    def void(claim: Claim) -> bool:
        key = claim.id.lower()
        return claim.purpose == rules.purpose and key.startswith(prefix) and key.removeprefix(prefix) not in names

    kept = tuple(claim for claim in claims if not void(claim))
    return claims if len(kept) == len(claims) else kept
