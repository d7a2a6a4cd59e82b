"""Publishing: one apply of the whole status, and Events for what turned and what was done."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bastion_operator.api.azure_identity import AzureIdentityStatus
from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.common import CommonStatus
from bastion_operator.api.conditions import Condition, ConditionStatus, ConditionType, Reason
from bastion_operator.api.meta import CustomResource, ObjectMeta
from bastion_operator.kube.events import EventType
from bastion_operator.kube.status import merge_conditions
from bastion_operator.network.finding import Finding
from bastion_operator.planning.conditions import Refusal, State, States, accepted, false, true
from bastion_operator.planning.model import Change, Verb
from bastion_operator.planning.turns import MAX_TOLD, Standing, Turn, rest_of
from bastion_operator.reconcile.services import Services

Raw = Mapping[str, Any]
Status = CommonStatus | AzureIdentityStatus

_DONE = {Verb.CREATE: "Created", Verb.UPDATE: "Updated", Verb.SYNC: "Synced", Verb.DELETE: "Deleted"}
# What every pass says of an object that it looked at, whatever else stands in its status.
_OF_EVERY_PASS = frozenset({"observedGeneration", "lastHandledReconcileAt", "conditions"})
# Conditions of which a turn is told by an Event. The others are told in their words.
_TOLD = (
    ConditionType.READY,
    ConditionType.TARGETS_REACHABLE,
    ConditionType.ACCESS_GRANTED,
    ConditionType.STALLED,
)


async def publish(
    services: Services, kind: type[CustomResource], raw: Raw, old: Status, new: Status, states: States
) -> None:
    """Write ``new`` with these conditions if anything in it differs from what is there, and tell what turned.

    :raises KubeError: the API server refuses, or does not answer
    """
    await _publish(services, kind, raw, old, _handled(raw, new), states)


async def publish_beside(services: Services, kind: type[CustomResource], raw: Raw, old: Status, states: States) -> None:
    """Write these conditions into a status that cannot be read; all else in it stays as it is.

    :param old: what can be read of it
    :raises KubeError: the API server refuses, or does not answer
    """
    unread = {name: value for name, value in (raw.get("status") or {}).items() if name not in _OF_EVERY_PASS}
    await _publish(services, kind, raw, old, _handled(raw, old), states, unread)


def _handled(raw: Raw, status: Status) -> Status:
    """The status as one of the object as it was read."""
    metadata = ObjectMeta.model_validate(raw["metadata"])
    status = status.replace(observed_generation=metadata.generation)
    if isinstance(status, CommonStatus):
        status = status.replace(last_handled_reconcile_at=metadata.reconcile_requested_at)
    return status


async def publish_of_before(
    services: Services, kind: type[CustomResource], raw: Raw, status: Status, states: States
) -> None:
    """Write the status that was read with other conditions: no look at the object has come to an end since, if any ever did.

    :raises KubeError: the API server refuses, or does not answer
    """
    generation = ObjectMeta.model_validate(raw["metadata"]).generation
    new = status if status.observed_generation >= 0 else status.replace(observed_generation=generation)
    await _publish(services, kind, raw, status, new, states)


async def _publish(
    services: Services,
    kind: type[CustomResource],
    raw: Raw,
    old: Status,
    new: Status,
    states: States,
    unread: dict[str, Any] | None = None,
) -> None:
    generation = new.observed_generation
    fresh = [_condition(condition_type, state, generation, services) for condition_type, state in states.items()]
    conditions = merge_conditions(old.conditions, fresh, services.clock.now())
    if await services.statuses.publish(kind, raw, new.replace(conditions=conditions).to_json() | (unread or {})):
        await _tell_conditions(services, kind, raw, old, conditions)


def _condition(condition_type: ConditionType, state: State, generation: int, services: Services) -> Condition:
    return Condition(
        type=condition_type.value,
        status=state.status,
        reason=state.reason,
        message=state.message,
        observed_generation=generation,
        last_transition_time=services.clock.now(),
    )


async def _tell_conditions(
    services: Services, kind: type[CustomResource], raw: Raw, old: Status, conditions: Iterable[Condition]
) -> None:
    for condition in conditions:
        before = old.condition(condition.type)
        if condition.type not in _TOLD or (before is not None and before.status == condition.status):
            continue
        bad = condition.status is ConditionStatus.FALSE or condition.type == ConditionType.STALLED
        waiting = condition.reason in {Reason.PROGRESSING, Reason.RETRYING, Reason.THROTTLED, Reason.DELETING}
        await services.events.record(
            kind,
            raw,
            event_type=EventType.WARNING if bad and not waiting else EventType.NORMAL,
            reason=condition.reason,
            action=condition.type,
            note=f"{condition.type} is {condition.status}: {condition.message}",
        )


async def tell_changes(services: Services, kind: type[CustomResource], raw: Raw, sent: Iterable[Change]) -> None:
    """An Event for each change that Azure took."""
    for change in sent:
        await services.events.record(
            kind,
            raw,
            event_type=EventType.NORMAL,
            reason=_DONE[change.verb],
            action=change.verb.value,
            note=str(change),
        )


async def tell_planned(services: Services, kind: type[CustomResource], raw: Raw, planned: Sequence[Change]) -> None:
    """An Event for each change that is asked for and not made, because the spec only watches; for a few of them."""
    for change in planned[:MAX_TOLD]:
        await services.events.record(
            kind,
            raw,
            event_type=EventType.NORMAL,
            reason=Reason.OUT_OF_SYNC,
            action=change.verb.value,
            note=f"not done, managementPolicy is Observe: {change}",
        )
    if rest := planned[MAX_TOLD:]:
        note = f"not done, managementPolicy is Observe: {len(rest)} more changes; the log has them all"
        await services.events.record(
            kind, raw, event_type=EventType.NORMAL, reason=Reason.OUT_OF_SYNC, action="Compare", note=note
        )


async def tell_turns(services: Services, raw: Raw, turned: Sequence[Turn]) -> None:
    """An Event for each VM whose verdict turned, for a few of them; how many more there were in one."""
    for turn in turned[:MAX_TOLD]:
        good = turn.standing is Standing.REACHABLE
        await services.events.record(
            BastionHost,
            raw,
            event_type=EventType.NORMAL if good else EventType.WARNING,
            reason=f"VM{turn.standing}",
            action="Judge",
            note=turn.note,
        )
    if rest := turned[MAX_TOLD:]:
        await services.events.record(
            BastionHost, raw, event_type=EventType.NORMAL, reason="VerdictsTurned", action="Judge", note=rest_of(rest)
        )


async def tell_remains(services: Services, kind: type[CustomResource], raw: Raw, remains: Iterable[Finding]) -> None:
    """An Event for each thing that is left in Azure on purpose."""
    for finding in remains:
        await services.events.record(
            kind, raw, event_type=EventType.WARNING, reason=finding.code, action="Release", note=finding.message
        )


def refused_states(refusal: Refusal) -> States:
    """The conditions of a resource that is not acted on, because a person must mend something first."""
    return {
        ConditionType.ACCEPTED: accepted(refusal),
        ConditionType.READY: false(refusal.reason, refusal.message),
        ConditionType.STALLED: true(refusal.reason, refusal.message),
    }


def kept_states(old: Status) -> States:
    """What was known, without what says whether somebody is at it: nobody goes on."""
    return {
        ConditionType(condition.type): State(condition.status, condition.reason, condition.message)
        for condition in old.conditions
        if condition.type in set(ConditionType) - {ConditionType.RECONCILING, ConditionType.STALLED}
    }


def forbidden_states(old: CommonStatus, message: str) -> States:
    """What was known stays; the operator's own account lacks a right to go on."""
    return {
        **kept_states(old),
        ConditionType.READY: false(Reason.KUBERNETES_FORBIDDEN, message),
        ConditionType.STALLED: true(Reason.KUBERNETES_FORBIDDEN, message),
    }


def suspended_states(old: CommonStatus) -> States:
    """What was known stays, with the word that nobody looks any more."""
    said = "spec.suspend is true: nothing is read, written or deleted, and the other conditions are those of before"
    # Without Ready an object that was suspended from its start would pass for one that is done: kstatus goes by it.
    unknown = {
        ConditionType.READY: State(ConditionStatus.UNKNOWN, Reason.SUSPENDED, "spec.suspend is true: nothing is known")
    }
    return {**unknown, **kept_states(old), ConditionType.ACCEPTED: false(Reason.SUSPENDED, said)}
