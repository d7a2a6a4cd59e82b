"""Verdicts as the rows of reports, and the counts that a BastionHost's status shows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bastion_operator.api.bastion_host import MAX_UNREACHABLE, ReasonCount, UnreachableVM, VerdictCounts
from bastion_operator.api.reachability_report import ReportReason, ReportRow
from bastion_operator.api.reachability_report import Verdict as ReportVerdict
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.verdict import Reachability, Verdict
from bastion_operator.planning.targets import machine_subnets, network_of

_MAX_REASONS = 32
_MAX_REASON_CODES = 100


@dataclass(frozen=True, slots=True)
class NetworkRows:
    """The rows of the VMs of one virtual network. A VM without a NIC that can be read stands under the host's own."""

    virtual_network_id: str
    rows: tuple[ReportRow, ...]
    counts: VerdictCounts


def rows_by_network(inventory: Inventory, verdicts: Iterable[Verdict], default_network: str) -> tuple[NetworkRows, ...]:
    """Report rows grouped by virtual network, in the order of the networks' ids."""
    grouped: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        machine = inventory.virtual_machine(verdict.vm)
        subnets = machine_subnets(inventory, machine) if machine else []
        key = network_of(subnets[0]) if subnets else default_network.lower()
        grouped[key].append(verdict)
    found = []
    for key in sorted(grouped):
        network = inventory.virtual_network(key)
        rows = tuple(report_row(verdict) for verdict in grouped[key])
        found.append(NetworkRows(network.id if network else key, rows, count_verdicts(grouped[key])))
    return tuple(found)


def report_row(verdict: Verdict) -> ReportRow:
    """One verdict as a report shows it."""
    return ReportRow(
        vm=verdict.vm,
        protocol=verdict.protocol.value,
        port=verdict.port,
        verdict=ReportVerdict(verdict.verdict.value),
        via=verdict.via.value if verdict.via else None,
        bastion=verdict.bastion,
        methods=tuple(str(method) for method in verdict.methods),
        reasons=tuple(_reason(finding) for finding in verdict.reasons[:_MAX_REASONS]),
        warnings=tuple(dict.fromkeys(finding.code for finding in verdict.warnings))[:_MAX_REASONS],
    )


def count_verdicts(verdicts: Iterable[Verdict]) -> VerdictCounts:
    """Numbers by verdict; VMs of which only the power is off are counted apart."""
    verdicts = list(verdicts)
    stopped = sum(verdict.only_stopped for verdict in verdicts)
    numbers = Counter(verdict.verdict for verdict in verdicts)
    return VerdictCounts(
        reachable=numbers[Reachability.REACHABLE],
        unreachable=numbers[Reachability.UNREACHABLE] - stopped,
        unknown=numbers[Reachability.UNKNOWN],
        stopped=stopped,
        total=len(verdicts),
    )


def reason_counts(verdicts: Iterable[Verdict]) -> tuple[ReasonCount, ...]:
    """How many VMs each code keeps from being reached, the most frequent first."""
    numbers = Counter(code for verdict in verdicts for code in {finding.code for finding in verdict.reasons})
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ReasonCount(code=code, count=count) for code, count in ordered[:_MAX_REASON_CODES])


def worst_first(verdicts: Sequence[Verdict]) -> tuple[UnreachableVM, ...]:
    """The VMs that cannot be reached, those with the most to mend first; VMs that are only stopped last."""
    failing = [verdict for verdict in verdicts if verdict.verdict is not Reachability.REACHABLE and verdict.reasons]
    failing.sort(
        key=lambda each: (each.only_stopped, each.verdict is Reachability.UNKNOWN, -len(each.reasons), each.vm.lower())
    )
    return tuple(
        UnreachableVM(
            vm=verdict.vm,
            verdict=verdict.verdict.value,
            reason=verdict.reasons[0].code,
            message=verdict.reasons[0].message,
        )
        for verdict in failing[:MAX_UNREACHABLE]
    )


def _reason(finding: Finding) -> ReportReason:
    return ReportReason(
        code=finding.code,
        message=finding.message,
        resource=finding.resource,
        rule=finding.rule,
        priority=finding.priority,
        direction=finding.direction,
    )
