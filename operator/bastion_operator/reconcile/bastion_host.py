"""A pass of a BastionHost: observe, plan, apply, publish; then the verdicts on its targets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bastion_operator.api.bastion_host import BastionHost, BastionHostStatus, VerdictCounts
from bastion_operator.api.common import Claim, DeletionPolicy, ManagementPolicy
from bastion_operator.api.conditions import Reason
from bastion_operator.api.meta import FINALIZER
from bastion_operator.kube.errors import NotFoundError
from bastion_operator.kube.resources import add_finalizer, get_object
from bastion_operator.kube.sharding import build_reports, count_rows
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.planning.bastion_host import BastionHostIds, BastionHostInput, bastion_host_ids, plan_bastion_host
from bastion_operator.planning.bastion_removal import plan_bastion_removal
from bastion_operator.planning.bastion_status import bastion_states, describe_host
from bastion_operator.planning.conditions import Refusal, deletion_states
from bastion_operator.planning.model import Observed, Plan, root_of
from bastion_operator.planning.ownership import Owner
from bastion_operator.planning.verdict_rows import reason_counts, rows_by_network, worst_first
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
from bastion_operator.reconcile.verdicts import judge_targets


async def bastion_host_pass(services: Services, key: Key) -> Outcome:
    """Bring Azure, the reports and the status of one BastionHost to where its spec wants them.

    :raises KubeError: the API server does not answer
    """
    try:
        raw = await get_object(services.kube, BastionHost, key.namespace, key.name)
    except NotFoundError:
        # One that was only observed had no finalizer, and not every cluster collects garbage by owner.
        await services.reports.delete_all({"metadata": {"namespace": key.namespace, "name": key.name}})
        return forget_gone(services, key)
    host = BastionHost.model_validate(raw)
    status = host.status or BastionHostStatus()
    if host.metadata.deleting:
        return await _delete(services, key, raw, host, status)
    if host.spec.suspend:
        await publish(services, BastionHost, raw, status, status, suspended_states(status))
        return Outcome(SLOW_RECHECK, "suspended")
    session = await _accept(services, key, raw, host)
    if isinstance(session, Refusal):
        await publish(services, BastionHost, raw, status, status, refused_states(session))
        return Outcome(SLOW_RECHECK, "refused")
    if host.spec.management_policy is ManagementPolicy.MANAGE:
        raw = await add_finalizer(services.kube, BastionHost, raw)
    return await _synchronise(services, key, raw, host, session)


async def _accept(services: Services, key: Key, raw: Raw, host: BastionHost) -> Session | Refusal:
    ids = _ids(host)
    session = await open_session(services, key, host.spec.identity_ref.name, (ids.host, ids.public_ip, ids.subnet))
    if isinstance(session, Refusal) or host.spec.management_policy is ManagementPolicy.OBSERVE:
        return session
    others = services.objects.asked_for(Kind.BASTION_HOST, lambda other: _things(BastionHost.model_validate(other)))
    return refuse_conflict(key, raw, _things(host), others) or session


def _things(host: BastionHost) -> list[str]:
    """What a BastionHost asks for itself alone: the host, and its network's one place for a Bastion."""
    if host.spec.management_policy is ManagementPolicy.OBSERVE:
        return []
    ids = _ids(host)
    return [ids.host, ids.virtual_network]


async def _synchronise(services: Services, key: Key, raw: Raw, host: BastionHost, session: Session) -> Outcome:
    status = host.status or BastionHostStatus()
    handled = status.last_handled_reconcile_at == host.metadata.reconcile_requested_at
    if not handled:
        # Somebody has mended something and asks for it to be tried now.
        services.attempts.forget(key)
    trouble = await refresh_fleet(services, session, key, host.spec.interval, at_once=not handled)
    asked = _input(services, host, status, services.fleet.observed(session.identity))

    def make_plan(observed: Observed) -> Plan:
        return plan_bastion_host(replace(asked, observed=observed))

    async def write_claims(claims: tuple[Claim, ...]) -> None:
        await services.statuses.publish(BastionHost, raw, status.replace(claims=claims).to_json())

    manage = host.spec.management_policy is ManagementPolicy.MANAGE
    run = ChangeRun(services, session, key, status.claims, write_claims, may_write=manage)
    result = await run.carry_out(asked.observed, make_plan)
    seen = await _look(services, raw, host, session, asked.ids)
    asked = replace(asked, observed=result.observed)
    states = bastion_states(asked, result.plan, [*result.failures, *trouble], seen.verdicts, seen.counts, seen.blind)
    new = seen.into(status).replace(**describe_host(asked), claims=result.plan.claims if manage else status.claims)
    await publish(services, BastionHost, raw, status, new, states)
    await tell_changes(services, BastionHost, raw, result.sent)
    return Outcome(result.next_look(host.spec.interval))


_NOTHING = VerdictCounts()
_NOT_READ = Refusal(Reason.VERDICTS_UNKNOWN, "the inventory could not be read yet")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at the targets found. ``verdicts`` is None where there is no inventory to go by; ``blind`` says why."""

    verdicts: list[Verdict] | None
    counts: VerdictCounts = _NOTHING
    reports: tuple[str, ...] = ()
    blind: Refusal = _NOT_READ

    def into(self, status: BastionHostStatus) -> BastionHostStatus:
        """The status with these findings; without an inventory it keeps those of before."""
        if self.verdicts is None:
            return status
        return status.replace(
            counts=self.counts,
            reachable=f"{self.counts.reachable}/{self.counts.total - self.counts.stopped}",
            reason_counts=reason_counts(self.verdicts),
            unreachable=worst_first(self.verdicts),
            reports=self.reports,
        )


async def _look(services: Services, raw: Raw, host: BastionHost, session: Session, ids: BastionHostIds) -> _Seen:
    """Judge the targets and bring the reports up to date."""
    inventory = await services.fleet.inventory(session.identity)
    if inventory is None:
        return _Seen(None)
    hidden = services.fleet.unreadable(session.identity)
    if hidden:
        # The graph leaves out what it may not show: without this, a lost role would look like VMs that are gone.
        return _Seen(None, blind=_hidden(session.identity, hidden))
    verdicts = await judge_targets(inventory, host.spec, ids.host)
    rows = rows_by_network(inventory, verdicts, ids.virtual_network)
    reports = build_reports(
        namespace=host.metadata.namespace or "",
        bastion_host=host.metadata.name,
        rows_by_network=rows,
        shard_counts=await services.reports.shard_counts(raw),
    )
    await services.reports.sync(raw, reports)
    counts = count_rows([row for network_rows in rows.values() for row in network_rows])
    return _Seen(verdicts, counts, tuple(report.metadata.name for report in reports))


def _hidden(identity: str, subscriptions: Sequence[str]) -> Refusal:
    return Refusal(
        Reason.PERMISSION_DENIED,
        f"Resource Graph shows AzureIdentity {identity} nothing of the subscriptions {', '.join(subscriptions[:5])}: grant it "
        "Reader there, or take them off spec.allowedSubscriptions; reports and counts are those of before",
    )


async def _delete(services: Services, key: Key, raw: Raw, host: BastionHost, status: BastionHostStatus) -> Outcome:
    if FINALIZER not in host.metadata.finalizers:
        return GONE
    spec = host.spec
    if spec.suspend:
        return await hold(services, BastionHost, raw, status, suspended_states(status))
    if spec.deletion_policy is DeletionPolicy.RETAIN or spec.management_policy is ManagementPolicy.OBSERVE:
        return await release(services, BastionHost, raw, key)
    if status.last_handled_reconcile_at != host.metadata.reconcile_requested_at:
        services.attempts.forget(key)
    ids = _ids(host)
    roots = [ids.host, ids.public_ip, ids.virtual_network, *(root_of(claim.id) for claim in status.claims)]
    session = await open_session(services, key, spec.identity_ref.name, roots)
    if isinstance(session, Refusal):
        return await hold(services, BastionHost, raw, status, deletion_states(Plan(), [session.as_failure()]))

    async def write_claims(claims: tuple[Claim, ...]) -> None:
        await services.statuses.publish(BastionHost, raw, status.replace(claims=claims).to_json())

    def make_plan(observed: Observed) -> Plan:
        # The order of deletion needs all of it: with a part unread nothing is taken down.
        if not all(observed.looked_at(root) for root in roots):
            return Plan(claims=status.claims)
        return plan_bastion_removal(_input(services, host, status, observed))

    run = ChangeRun(services, session, key, status.claims, write_claims)
    result = await run.take_down(roots, make_plan)
    await tell_changes(services, BastionHost, raw, result.sent)
    await tell_remains(services, BastionHost, raw, result.plan.remains)
    if result.plan.settled and not result.failures:
        return await release(services, BastionHost, raw, key)
    new = status.replace(claims=result.plan.claims)
    await publish(services, BastionHost, raw, status, new, deletion_states(result.plan, result.failures))
    return Outcome(result.next_look(spec.interval), "deleting")


def _ids(host: BastionHost) -> BastionHostIds:
    return bastion_host_ids(host.metadata.name, host.spec)


def _input(services: Services, host: BastionHost, status: BastionHostStatus, observed: Observed) -> BastionHostInput:
    metadata = host.metadata
    return BastionHostInput(
        owner=Owner(services.installation_id, metadata.namespace or "", metadata.name, metadata.uid),
        spec=host.spec,
        ids=_ids(host),
        claims=status.claims,
        observed=observed,
        now=services.clock.now(),
    )
