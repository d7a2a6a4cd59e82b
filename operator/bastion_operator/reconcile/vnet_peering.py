"""A pass of a VNetPeering: observe, plan, apply, publish."""

from dataclasses import replace

from bastion_operator.api.common import Claim, DeletionPolicy, ManagementPolicy
from bastion_operator.api.meta import FINALIZER
from bastion_operator.api.vnet_peering import VNetPeering, VNetPeeringStatus
from bastion_operator.kube.errors import NotFoundError
from bastion_operator.kube.resources import add_finalizer, get_object
from bastion_operator.planning.conditions import Refusal, deletion_states
from bastion_operator.planning.model import Observed, Plan, root_of
from bastion_operator.planning.ownership import Owner
from bastion_operator.planning.peering_pairs import asked_pairs
from bastion_operator.planning.peering_removal import plan_link_removal
from bastion_operator.planning.peering_status import report_peering
from bastion_operator.planning.vnet_peering import VNetPeeringInput, plan_vnet_peering
from bastion_operator.reconcile.access import refuse_conflict
from bastion_operator.reconcile.change_run import ChangeRun
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.object_store import Raw
from bastion_operator.reconcile.outcome import GONE, SLOW_RECHECK, Outcome
from bastion_operator.reconcile.preconditions import open_session
from bastion_operator.reconcile.publication import (
    publish,
    refused_states,
    suspended_states,
    tell_changes,
    tell_remains,
)
from bastion_operator.reconcile.release import forget_gone, hold, release
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session
from bastion_operator.reconcile.snapshot_age import refresh_fleet


async def vnet_peering_pass(services: Services, key: Key) -> Outcome:
    """Bring Azure and the status of one VNetPeering to where its spec wants them.

    :raises KubeError: the API server does not answer
    """
    try:
        raw = await get_object(services.kube, VNetPeering, key.namespace, key.name)
    except NotFoundError:
        return forget_gone(services, key)
    peering = VNetPeering.model_validate(raw)
    status = peering.status or VNetPeeringStatus()
    if peering.metadata.deleting:
        return await _delete(services, key, raw, peering, status)
    if peering.spec.suspend:
        await publish(services, VNetPeering, raw, status, status, suspended_states(status))
        return Outcome(SLOW_RECHECK, "suspended")
    session = await _accept(services, key, raw, peering)
    if isinstance(session, Refusal):
        await publish(services, VNetPeering, raw, status, status, refused_states(session))
        return Outcome(SLOW_RECHECK, "refused")
    if peering.spec.management_policy is ManagementPolicy.MANAGE:
        raw = await add_finalizer(services.kube, VNetPeering, raw)
    return await _synchronise(services, key, raw, peering, session)


async def _accept(services: Services, key: Key, raw: Raw, peering: VNetPeering) -> Session | Refusal:
    ids = [half.local_id for pair in asked_pairs(peering.spec) for half in pair.halves]
    session = await open_session(services, key, peering.spec.identity_ref.name, dict.fromkeys(ids))
    if isinstance(session, Refusal) or peering.spec.management_policy is ManagementPolicy.OBSERVE:
        return session
    others = services.objects.asked_for(Kind.VNET_PEERING, lambda other: _things(VNetPeering.model_validate(other)))
    return refuse_conflict(key, raw, _things(peering), others) or session


def _things(peering: VNetPeering) -> list[str]:
    """What a VNetPeering asks for itself alone: each pair of networks, whichever way round. Observing asks for none."""
    if peering.spec.management_policy is ManagementPolicy.OBSERVE:
        return []
    return [" and ".join(sorted(half.local_id.lower() for half in pair.halves)) for pair in asked_pairs(peering.spec)]


async def _synchronise(services: Services, key: Key, raw: Raw, peering: VNetPeering, session: Session) -> Outcome:
    status = peering.status or VNetPeeringStatus()
    handled = status.last_handled_reconcile_at == peering.metadata.reconcile_requested_at
    if not handled:
        # Somebody has mended something and asks for it to be tried now.
        services.attempts.forget(key)
    trouble = await refresh_fleet(services, session, key, peering.spec.interval, at_once=not handled)
    asked = VNetPeeringInput(
        owner=_owner(services, peering),
        spec=peering.spec,
        claims=status.claims,
        observed=services.fleet.observed(session.identity),
        now=services.clock.now(),
    )

    def make_plan(observed: Observed) -> Plan:
        return plan_vnet_peering(replace(asked, observed=observed))

    async def write_claims(claims: tuple[Claim, ...]) -> None:
        await services.statuses.publish(VNetPeering, raw, status.replace(claims=claims).to_json())

    manage = peering.spec.management_policy is ManagementPolicy.MANAGE
    run = ChangeRun(services, session, key, status.claims, write_claims, may_write=manage)
    result = await run.carry_out(asked.observed, make_plan)
    failures = [*result.failures, *trouble]
    report = report_peering(replace(asked, observed=result.observed, claims=result.plan.claims), result.plan, failures)
    new = status.replace(
        claims=result.plan.claims if manage else status.claims,
        connected=report.connected,
        counts=report.counts,
        spokes=report.rows,
    )
    await publish(services, VNetPeering, raw, status, new, report.states)
    await tell_changes(services, VNetPeering, raw, result.sent)
    await tell_remains(services, VNetPeering, raw, result.plan.remains)
    return Outcome(result.next_look(peering.spec.interval))


async def _delete(services: Services, key: Key, raw: Raw, peering: VNetPeering, status: VNetPeeringStatus) -> Outcome:
    if FINALIZER not in peering.metadata.finalizers:
        return GONE
    spec = peering.spec
    if spec.suspend:
        return await hold(services, VNetPeering, raw, status, suspended_states(status))
    if spec.deletion_policy is DeletionPolicy.RETAIN or spec.management_policy is ManagementPolicy.OBSERVE:
        return await release(services, VNetPeering, raw, key)
    if status.last_handled_reconcile_at != peering.metadata.reconcile_requested_at:
        services.attempts.forget(key)
    session = await open_session(services, key, spec.identity_ref.name, [claim.id for claim in status.claims])
    if isinstance(session, Refusal):
        return await hold(services, VNetPeering, raw, status, deletion_states(Plan(), [session.as_failure()]))
    owner = _owner(services, peering)

    async def write_claims(claims: tuple[Claim, ...]) -> None:
        await services.statuses.publish(VNetPeering, raw, status.replace(claims=claims).to_json())

    def make_plan(observed: Observed) -> Plan:
        # What could not be read keeps its claim, and what could be is taken down all the same.
        read = [claim for claim in status.claims if observed.looked_at(root_of(claim.id))]
        return plan_link_removal(owner, spec.deletion_policy, read, observed, Plan(claims=status.claims))

    run = ChangeRun(services, session, key, status.claims, write_claims)
    result = await run.take_down((root_of(claim.id) for claim in status.claims), make_plan)
    await tell_changes(services, VNetPeering, raw, result.sent)
    await tell_remains(services, VNetPeering, raw, result.plan.remains)
    if result.plan.settled and not result.failures:
        return await release(services, VNetPeering, raw, key)
    states = deletion_states(result.plan, result.failures)
    new = status.replace(claims=result.plan.claims)
    await publish(services, VNetPeering, raw, status, new, states)
    return Outcome(result.next_look(spec.interval), "deleting")


def _owner(services: Services, peering: VNetPeering) -> Owner:
    metadata = peering.metadata
    return Owner(services.installation_id, metadata.namespace or "", metadata.name, metadata.uid)
