"""The condition ``SecurityRulesInSync``: what the rules between the host and its targets lack, or what is being done about it."""

from collections.abc import Iterable
from dataclasses import replace

from bastion_operator.api.bastion_host import SecurityPolicy
from bastion_operator.api.conditions import Reason, reason_of_code
from bastion_operator.network.finding import Finding
from bastion_operator.planning.bastion_input import BastionHostInput
from bastion_operator.planning.conditions import Failure, State, false, findings_text, progress, true, unknown
from bastion_operator.planning.deletion_guard import without_guard
from bastion_operator.planning.model import Change, Plan
from bastion_operator.planning.obstacles import ObstacleCode
from bastion_operator.planning.target_findings import SUBNET_RULE_CODES, TARGET_RULE_CODES, TargetFindings

# NICs and VMs are read for rules alone: before one of them loses an address.
_READ_FOR_RULES = ("/networksecuritygroups/", "/networkinterfaces/", "/virtualmachines/")
_TOLD_AS_VERDICTS = frozenset({ObstacleCode.DENY_IN_THE_WAY, ObstacleCode.JUST_IN_TIME})
_SHOWN = 3


def security_rules_state(
    asked: BastionHostInput, plan: Plan, failures: Iterable[Failure], found: TargetFindings
) -> State | None:
    """The condition; None where the spec asks that nobody looks."""
    codes = _codes(asked)
    if not codes:
        return None
    if found.verdicts is None:
        return unknown(found.blind.reason, found.blind.message)
    if asked.observed.get(asked.ids.host) is None:
        return unknown(Reason.NOT_FOUND, "there is no host yet whose traffic the rules could stop")
    refused = [each for each in failures if _of_rules(each.resource_id)]
    guard = _guard(plan)
    if guard is not None and not any(each.blocking for each in refused):
        return false(guard.code, guard.message)
    told = [*plan.told, *_of_verdicts(codes, plan, found)]
    if told and not any(each.blocking for each in refused):
        text = findings_text(told) + _and_then(plan)
        return false(reason_of_code(plan.told[0].code) if plan.told else Reason.OUT_OF_SYNC, text)
    work = _only_rules(plan)
    done = true(Reason.IN_SYNC, "no security rule stands between the host and its targets")
    if plan.audited:
        return false(Reason.OUT_OF_SYNC, _and_then(plan).removeprefix("; "))
    return progress(work, refused, done, observe_only=asked.watching)


def rules_count_for_ready(asked: BastionHostInput, plan: Plan, failures: Iterable[Failure]) -> bool:
    """Whether ``Ready`` asks for the condition: rules are enforced, and what is missing is not only told by an audit."""
    policies = {asked.spec.network_security.subnet, asked.spec.network_security.targets}
    if SecurityPolicy.ENFORCE not in policies:
        return False
    at_work = (
        not _only_rules(plan).settled or bool(plan.guarded) or any(_of_rules(each.resource_id) for each in failures)
    )
    return at_work or SecurityPolicy.AUDIT not in policies


def without_rules(asked: BastionHostInput, plan: Plan) -> Plan:
    """The plan as the host's own conditions speak of it: once it stands, rules are a matter of their own."""
    if asked.observed.get(asked.ids.host) is None:
        return plan
    # What is held back of a host that stands is of rules: the host itself goes with its resource only, or to be made anew.
    return replace(
        without_guard(plan),
        changes=tuple(change for change in plan.changes if not _of_rules(change.resource_id)),
        waits=tuple(wait for wait in plan.waits if not _of_rules(wait.resource_id)),
    )


def failures_without_rules(asked: BastionHostInput, failures: Iterable[Failure]) -> list[Failure]:
    """The failures that the host's own conditions speak of."""
    if asked.observed.get(asked.ids.host) is None:
        return list(failures)
    return [failure for failure in failures if not _of_rules(failure.resource_id)]


def _guard(plan: Plan) -> Finding | None:
    """What tells that deletions are held back."""
    return next((each for each in plan.obstacles if each.code == ObstacleCode.DELETION_GUARDED), None)


def _codes(asked: BastionHostInput) -> frozenset[str]:
    codes: frozenset[str] = frozenset()
    if asked.spec.network_security.subnet is not SecurityPolicy.OFF:
        codes |= SUBNET_RULE_CODES
    if asked.spec.network_security.targets is not SecurityPolicy.OFF:
        codes |= TARGET_RULE_CODES
    return codes


def _of_verdicts(codes: frozenset[str], plan: Plan, found: TargetFindings) -> list[Finding]:
    """What the verdicts tell of rules, each rule once; what is being written is not told as missing."""
    known = {(each.resource, each.rule) for each in plan.told if each.code in _TOLD_AS_VERDICTS}
    busy = {change.root_id.lower() for change in plan.changes}
    every = (each for code, listed in found.rule_findings.items() if code in codes for each in listed)
    return [
        each for each in every if (each.resource, each.rule) not in known and (each.resource or "").lower() not in busy
    ]


def _only_rules(plan: Plan) -> Plan:
    return Plan(
        changes=tuple(change for change in plan.changes if _concerns_rules(change)),
        waits=tuple(wait for wait in plan.waits if _of_rules(wait.resource_id)),
    )


def _concerns_rules(change: Change) -> bool:
    named = any("networkSecurityGroup" in difference.field for difference in change.differences)
    return named or _of_rules(change.resource_id)


def _of_rules(resource_id: str) -> bool:
    return any(part in resource_id.lower() for part in _READ_FOR_RULES)


def _and_then(plan: Plan) -> str:
    """What would be done if the spec asked for it."""
    if not plan.audited:
        return ""
    more = f"; and {len(plan.audited) - _SHOWN} more" if len(plan.audited) > _SHOWN else ""
    return "; with Enforce: " + "; ".join(change.summary for change in plan.audited[:_SHOWN]) + more
