"""Conditions from plans: what both kinds have in common. Pure; times are put on when the status is published.

A condition of something that was not asked for is absent. ``Reconciling`` and ``Stalled`` are there only while True,
and never both, as kstatus reads them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bastion_operator.api.conditions import ConditionStatus, ConditionType, Reason, reason_of_code
from bastion_operator.network.finding import Finding
from bastion_operator.planning.model import Plan
from bastion_operator.planning.wording import named

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class State:
    """A condition before it has a time."""

    status: ConditionStatus
    reason: str
    message: str

    @property
    def true(self) -> bool:
        """The condition holds."""
        return self.status is ConditionStatus.TRUE


States = Mapping[ConditionType, State]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a custom resource is not acted on."""

    reason: str
    message: str

    def as_failure(self) -> "Failure":
        """The refusal as what keeps a deletion from going on."""
        return Failure(self.reason, self.message, "", blocking=True)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of Azure as the user reads it.

    :ivar blocking: only a person's act helps; otherwise the operator tries again by itself
    :ivar reason: of the condition that tells it; empty: the code
    :ivar next_step: what a person can do, empty where there is nothing
    """

    code: str
    message: str
    resource_id: str
    blocking: bool
    reason: str = ""
    next_step: str = ""

    @property
    def condition_reason(self) -> str:
        """The reason of the condition that tells it."""
        if self.reason:
            return self.reason
        return reason_of_code(self.code) if self.blocking else Reason.RETRYING

    @property
    def text(self) -> str:
        """What happened and what can be done about it."""
        return f"{self.message}; {self.next_step}" if self.next_step else self.message


def true(reason: str, message: str) -> State:
    """The condition holds."""
    return State(ConditionStatus.TRUE, reason, message)


def false(reason: str, message: str) -> State:
    """The condition does not hold."""
    return State(ConditionStatus.FALSE, reason, message)


def unknown(reason: str, message: str) -> State:
    """It cannot be told."""
    return State(ConditionStatus.UNKNOWN, reason, message)


def accepted(refusal: Refusal | None) -> State:
    """``Accepted``: whether the operator acts on the resource at all."""
    if refusal is not None:
        return false(refusal.reason, refusal.message)
    return true(Reason.ACCEPTED, "the resource is acted on")


def progress(plan: Plan, failures: Iterable[Failure], done: State, *, observe_only: bool) -> State:
    """What the plan says of Azure being as asked: ``done`` if nothing is left, else the first thing that is.

    With ``observe_only`` a plan with changes means that Azure differs from the spec and stays so.
    """
    failures = list(failures)
    blocking = [failure for failure in failures if failure.blocking]
    if blocking:
        return false(blocking[0].condition_reason, _listed(_failure_text(each) for each in blocking))
    if plan.obstacles:
        return false(plan.obstacles[0].code, _listed(finding.message for finding in plan.obstacles))
    if plan.changes and observe_only:
        return false(
            Reason.OUT_OF_SYNC,
            "managementPolicy is Observe; not done: " + _listed(change.summary for change in plan.changes),
        )
    if failures:
        reason = failures[0].condition_reason
        again = "tried again soon: " if reason == Reason.RETRYING else ""
        held = f"; {plan.held}" if plan.held else ""
        return false(reason, again + _listed(_failure_text(each) for each in failures) + held)
    if plan.held:
        return false(Reason.PROGRESSING, plan.held)
    if plan.changes:
        return false(Reason.PROGRESSING, _listed(change.summary for change in plan.changes))
    if plan.waits:
        return false(Reason.PROGRESSING, _listed(wait.summary for wait in plan.waits))
    return done


def stalled_or_reconciling(plan: Plan, failures: Iterable[Failure], *, observe_only: bool) -> States:
    """``Stalled`` where only a person helps, ``Reconciling`` while the operator or Azure works, or neither."""
    failures = list(failures)
    blocking = next((failure for failure in failures if failure.blocking), None)
    if blocking is not None:
        return {ConditionType.STALLED: true(blocking.condition_reason, _failure_text(blocking))}
    if plan.obstacles:
        return {ConditionType.STALLED: true(plan.obstacles[0].code, plan.obstacles[0].message)}
    working = failures or plan.waits or (plan.changes and not observe_only)
    if not working:
        return {}
    now = progress(plan, failures, true(Reason.SUCCEEDED, ""), observe_only=observe_only)
    return {ConditionType.RECONCILING: true(Reason.PROGRESSING, now.message)}


def ready(states: States, needed: Iterable[ConditionType], message: str) -> State:
    """``Ready``: every needed condition that is there holds; otherwise the first that does not says why."""
    for condition_type in needed:
        state = states.get(condition_type)
        if state is not None and not state.true:
            return State(state.status, state.reason, state.message)
    return true(Reason.SUCCEEDED, message)


def deletion_states(plan: Plan, failures: Iterable[Failure]) -> States:
    """The conditions of a resource that is being deleted and still has something in Azure."""
    failures = list(failures)
    done = true(Reason.SUCCEEDED, "nothing of the operator's is left in Azure")
    state = progress(plan, failures, done, observe_only=False)
    blocked = any(failure.blocking for failure in failures)
    reason = Reason.DELETION_BLOCKED if blocked else Reason.DELETING
    message = state.message
    if failures:
        # In front, where no list of errors can push it out of what a condition has room for.
        message = f"deletionPolicy: Retain lets the resource go and leaves Azure as it is; it is held by {message}"
    which = ConditionType.STALLED if blocked else ConditionType.RECONCILING
    return {ConditionType.READY: false(reason, message), which: true(reason, message)}


def findings_text(findings: Iterable[Finding]) -> str:
    """Findings in one sentence each, the first few."""
    return _listed(finding.message for finding in findings)


def _failure_text(failure: Failure) -> str:
    if not failure.resource_id:
        return failure.text
    step = f"; {failure.next_step}" if failure.next_step else ""
    return f"{named(failure.resource_id)}: {failure.message} ({failure.code}){step}"


def _listed(texts: Iterable[str]) -> str:
    every = list(dict.fromkeys(texts))
    more = f"; and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return "; ".join(every[:_SHOWN]) + more
