"""The verdicts of one BastionHost, worked out off the event loop, and the reports that show them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bastion_operator.api.bastion_access import PrincipalAccess
from bastion_operator.api.bastion_host import MAX_REPORTS, BastionHost, BastionHostSpec, BastionHostStatus
from bastion_operator.api.conditions import Reason
from bastion_operator.api.reachability_report import ReachabilityReport, ReportRow
from bastion_operator.kube.sharding import build_reports, count_rows
from bastion_operator.network.inventory import Inventory
from bastion_operator.planning.access import judge_access, principal_accesses
from bastion_operator.planning.bastion_host import BastionHostIds
from bastion_operator.planning.conditions import Refusal
from bastion_operator.planning.hidden import hidden_from, hidden_subscriptions, hidden_verdicts, subscription_of
from bastion_operator.planning.target_findings import TargetFindings
from bastion_operator.planning.turns import Asked, Standing, Turn, standings, turns
from bastion_operator.planning.verdict_rows import rows_by_network
from bastion_operator.reconcile.kept_verdicts import KeptVerdicts
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.object_store import Raw
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session


@dataclass(frozen=True, slots=True)
class TargetsSeen:
    """A look at the targets: what it found, the names of the reports on it, and what turned since the last one.

    :ivar standings: how each VM stands, to be noted once the turns are told and compared with at the next look
    :ivar access: what each principal of the spec may do, in numbers
    """

    found: TargetFindings
    reports: tuple[str, ...] = ()
    standings: Mapping[Asked, Standing] = field(default_factory=dict)
    turns: Sequence[Turn] = ()
    access: tuple[PrincipalAccess, ...] = ()

    def into(self, status: BastionHostStatus, spec: BastionHostSpec) -> BastionHostStatus:
        """The status with these findings; without an inventory it keeps those of before."""
        counts = self.found.counts
        if self.found.verdicts is None:
            return status
        return status.replace(
            counts=counts,
            reachable=f"{counts.reachable}/{counts.total - counts.stopped}",
            reason_counts=self.found.reason_counts,
            unreachable=self.found.worst,
            reports=self.reports[:MAX_REPORTS],
            access=() if spec.access is None else self.access,
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """All that the verdicts and reports of one BastionHost are made of, so that a thread can work on it alone."""

    key: Key
    host: BastionHost
    ids: BastionHostIds
    identity: str
    inventory: Inventory
    hidden: frozenset[str]
    stored: Sequence[tuple[str, ReportRow]]
    before: Mapping[Asked, Standing] | None
    shard_counts: Mapping[str, int]


async def look_at_targets(
    services: Services, key: Key, raw: Raw, host: BastionHost, session: Session, ids: BastionHostIds
) -> TargetsSeen:
    """Judge the targets and bring the reports up to date."""
    inventory = await services.fleet.inventory(session.identity)
    if inventory is None:
        return TargetsSeen(TargetFindings())
    hidden = hidden_subscriptions(inventory)
    if subscription_of(ids.host) in hidden:
        # The graph leaves out what it may not show: without this, a lost role would look like a host that is gone.
        blind = _hidden(session.identity, hidden, "reports and counts are those of before")
        return TargetsSeen(TargetFindings(blind=blind))
    hidden = await asyncio.to_thread(hidden_from, inventory, host.spec, hidden)
    before = services.standings.of(key, host.metadata.uid)
    stored = await services.reports.rows(raw) if hidden or before is None else []
    look = _Look(
        key=key,
        host=host,
        ids=ids,
        identity=session.identity,
        inventory=inventory,
        hidden=hidden,
        stored=stored,
        before=before,
        shard_counts=await services.reports.shard_counts(raw),
    )
    seen, reports = await asyncio.to_thread(_see, look, services.verdicts)
    await services.reports.sync(raw, reports)
    await asyncio.to_thread(_let_go, reports)
    return seen


def _let_go(reports: list[ReachabilityReport]) -> None:
    """One by one: freeing the rows of a large fleet at once keeps the event loop out meanwhile."""
    while reports:
        reports.pop()


def _see(look: _Look, kept: KeptVerdicts) -> tuple[TargetsSeen, list[ReachabilityReport]]:
    """What there is to tell, and the reports as they are to be."""
    before = standings(row for _, row in look.stored) if look.before is None else look.before
    verdicts = kept.judge(look.key, look.inventory, look.host.spec, look.ids.host)
    judged, access = judge_access(look.inventory, look.host.spec.access, verdicts)
    unseen = hidden_verdicts(look.stored, look.hidden, look.identity)
    by_network = rows_by_network(look.inventory, judged, look.ids.virtual_network, unseen)
    rows = [row for network_rows in by_network.values() for row in network_rows]
    reports = build_reports(
        namespace=look.host.metadata.namespace or "",
        bastion_host=look.host.metadata.name,
        rows_by_network=by_network,
        shard_counts=look.shard_counts,
    )
    told = "their VMs are those that the reports knew"
    found = TargetFindings(
        verdicts=[*judged, *(each for listed in unseen.values() for each in listed)],
        counts=count_rows(rows),
        hidden=_hidden(look.identity, look.hidden, told) if look.hidden else None,
        access=access,
    )
    found.work_out()
    asked = look.host.spec.access
    principals = () if asked is None else principal_accesses(asked, access)
    names = tuple(report.metadata.name for report in reports)
    return TargetsSeen(found, names, standings(rows, before), turns(before, rows), principals), [*reports]


def _hidden(identity: str, subscriptions: frozenset[str], told: str) -> Refusal:
    return Refusal(
        Reason.PERMISSION_DENIED,
        f"Resource Graph shows AzureIdentity {identity} nothing of the subscriptions "
        f"{', '.join(sorted(subscriptions)[:5])}: grant it Reader there, or take them off spec.allowedSubscriptions; {told}",
    )
