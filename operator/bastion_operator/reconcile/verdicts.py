"""The verdicts of one BastionHost, worked out off the event loop, and the reports that show them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bastion_operator.api.bastion_host import BastionHost, BastionHostStatus, VerdictCounts
from bastion_operator.api.conditions import Reason
from bastion_operator.kube.sharding import build_reports, count_rows
from bastion_operator.network.reachability.verdict import Verdict
from bastion_operator.planning.bastion_host import BastionHostIds
from bastion_operator.planning.conditions import Refusal
from bastion_operator.planning.verdict_rows import reason_counts, rows_by_network, worst_first
from bastion_operator.reconcile.keys import Key, Kind
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
    key = Key(Kind.BASTION_HOST, host.metadata.namespace or "", host.metadata.name)
    verdicts = await asyncio.to_thread(services.verdicts.judge, key, inventory, host.spec, ids.host)
    rows = rows_by_network(inventory, verdicts, ids.virtual_network)
    reports = build_reports(
        namespace=host.metadata.namespace or "",
        bastion_host=host.metadata.name,
        rows_by_network=rows,
        shard_counts=await services.reports.shard_counts(raw),
    )
    await services.reports.sync(raw, reports)
    counts = count_rows([row for network_rows in rows.values() for row in network_rows])
    return TargetsSeen(verdicts, counts, tuple(report.metadata.name for report in reports))


def _hidden(identity: str, subscriptions: Sequence[str]) -> Refusal:
    return Refusal(
        Reason.PERMISSION_DENIED,
        f"Resource Graph shows AzureIdentity {identity} nothing of the subscriptions {', '.join(subscriptions[:5])}: grant it "
        "Reader there, or take them off spec.allowedSubscriptions; reports and counts are those of before",
    )
