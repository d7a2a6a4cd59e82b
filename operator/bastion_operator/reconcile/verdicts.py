"""The verdicts of one BastionHost, worked out off the event loop, and the reports that show them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bastion_operator.api.bastion_access import AccessPolicy
from bastion_operator.api.bastion_host import BastionHost, BastionHostSpec, BastionHostStatus, VerdictCounts
from bastion_operator.api.conditions import Reason
from bastion_operator.kube.sharding import build_reports, count_rows
from bastion_operator.network.access import AccessEvaluation, AccessVerdict, with_access
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import judge_all
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.planning.access import principal_accesses, principals_of
from bastion_operator.planning.bastion_host import BastionHostIds
from bastion_operator.planning.conditions import Refusal
from bastion_operator.planning.targets import target_machines
from bastion_operator.planning.verdict_rows import reason_counts, rows_by_network, worst_first
from bastion_operator.reconcile.object_store import Raw
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session

_NOTHING = VerdictCounts()
_NOT_READ = Refusal(Reason.VERDICTS_UNKNOWN, "the inventory could not be read yet")


@dataclass(frozen=True, slots=True)
class TargetsSeen:
    """What a look at the targets found. ``verdicts`` is None where there is no inventory to go by; ``blind`` says why."""

    verdicts: list[Verdict] | None
    counts: VerdictCounts = _NOTHING
    access: tuple[AccessVerdict, ...] = ()
    reports: tuple[str, ...] = ()
    blind: Refusal = _NOT_READ

    def into(self, status: BastionHostStatus, asked: AccessPolicy | None) -> BastionHostStatus:
        """The status with these findings; without an inventory it keeps those of before. ``asked`` is ``spec.access``."""
        if self.verdicts is None:
            return status
        return status.replace(
            counts=self.counts,
            reachable=f"{self.counts.reachable}/{self.counts.total - self.counts.stopped}",
            reason_counts=reason_counts(self.verdicts),
            unreachable=worst_first(self.verdicts),
            reports=self.reports,
            access=() if asked is None else principal_accesses(asked, self.access),
        )


async def look_at_targets(
    services: Services, raw: Raw, host: BastionHost, session: Session, ids: BastionHostIds
) -> TargetsSeen:
    """Judge the targets and bring the reports up to date."""
    inventory = await services.fleet.inventory(session.identity)
    if inventory is None:
        return TargetsSeen(None)
    hidden = services.fleet.unreadable(session.identity)
    if hidden:
        # The graph leaves out what it may not show: without this, a lost role would look like VMs that are gone.
        return TargetsSeen(None, blind=_hidden(session.identity, hidden))
    verdicts, access = await judge_targets(inventory, host.spec, ids.host)
    rows = rows_by_network(inventory, verdicts, ids.virtual_network)
    reports = build_reports(
        namespace=host.metadata.namespace or "",
        bastion_host=host.metadata.name,
        rows_by_network=rows,
        shard_counts=await services.reports.shard_counts(raw),
    )
    await services.reports.sync(raw, reports)
    counts = count_rows([row for network_rows in rows.values() for row in network_rows])
    return TargetsSeen(verdicts, counts, access, tuple(report.metadata.name for report in reports))


def _hidden(identity: str, subscriptions: Sequence[str]) -> Refusal:
    return Refusal(
        Reason.PERMISSION_DENIED,
        f"Resource Graph shows AzureIdentity {identity} nothing of the subscriptions {', '.join(subscriptions[:5])}: grant it "
        "Reader there, or take them off spec.allowedSubscriptions; reports and counts are those of before",
    )


Judged = tuple[list[Verdict], tuple[AccessVerdict, ...]]
"""Verdicts on VMs, and what each principal asked about may do with them."""


async def judge_targets(inventory: Inventory, spec: BastionHostSpec, host_id: str) -> Judged:
    """A verdict on each VM that the spec asks for, as this host alone reaches it, and who may connect."""
    return await asyncio.to_thread(_judge, inventory, spec, host_id)


def _judge(inventory: Inventory, spec: BastionHostSpec, host_id: str) -> Judged:
    machines = [machine.id for machine in target_machines(inventory, spec)]
    if not machines:
        return [], ()
    protocols = spec.targets.protocols or (None,)
    verdicts = judge_all(inventory, vm_ids=machines, protocols=protocols, bastion_ids=[host_id])
    if spec.access is None:
        return verdicts, ()
    evaluation = AccessEvaluation(inventory, principals_of(spec.access))
    judged = [evaluation.judge(verdict) for verdict in verdicts]
    told = [with_access(*pair) for pair in zip(verdicts, judged, strict=True)]
    return told, tuple(each for one in judged for each in one)
