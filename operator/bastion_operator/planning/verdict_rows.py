"""Verdicts as the rows of reports, and as what a BastionHost's status shows of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from bastion_operator.api.bastion_host import MAX_UNREACHABLE, ReasonCount, UnreachableVM
from bastion_operator.api.reachability_report import ReportReason, ReportRow
from bastion_operator.api.reachability_report import Verdict as ReportVerdict
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.verdict import Reachability, Verdict
from bastion_operator.planning.targets import machine_subnets, network_of

_MAX_REASONS = 32
_MAX_REASON_CODES = 100


def rows_by_network(
    inventory: Inventory,
    verdicts: Iterable[Verdict],
    default_network: str,
    hidden: Mapping[str, Sequence[Verdict]] = MappingProxyType({}),
) -> dict[str, list[ReportRow]]:
    """Report rows by the ARM id of the virtual network of the VM's primary NIC, in the order of these ids.

    A VM without a NIC that can be read stands under the host's own network. ``hidden`` are verdicts on VMs that are not in
    the inventory, by the network under which they stand.
    """
    grouped: dict[str, list[ReportRow]] = defaultdict(list)
    patterns: dict[tuple[int, int, str, int], tuple[Verdict, ReportRow]] = {}
    vm, key = None, ""
    for verdict in verdicts:
        if verdict.vm != vm:
            vm, key = verdict.vm, _network_of(inventory, verdict.vm) or default_network.lower()
        grouped[key].append(_row_like_another(verdict, patterns) if not verdict.reasons else report_row(verdict))
    for network, unseen in hidden.items():
        grouped[network.lower()] += map(report_row, unseen)
    networks = {key: inventory.virtual_network(key) for key in sorted(grouped)}
    spelled = {network.lower(): network for network in hidden}
    return {network.id if network else spelled.get(key, key): grouped[key] for key, network in networks.items()}


def _network_of(inventory: Inventory, vm: str) -> str | None:
    machine = inventory.virtual_machine(vm)
    subnets = machine_subnets(inventory, machine) if machine else []
    return network_of(subnets[0]) if subnets else None


def _row_like_another(
    verdict: Verdict, patterns: dict[tuple[int, int, str, int], tuple[Verdict, ReportRow]]
) -> ReportRow:
    """The row of a VM that can be reached: most are like that of a VM before, as their verdicts share their candidates.

    A pattern keeps its verdict, so that the ids of its candidates and warnings are nobody else's.
    """
    likeness = (id(verdict.candidates), id(verdict.warnings), verdict.protocol.value, verdict.port)
    if (known := patterns.get(likeness)) is None:
        known = patterns[likeness] = verdict, report_row(verdict)
    return known[1].model_copy(update={"vm": verdict.vm})


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


def reason_counts(verdicts: Iterable[Verdict]) -> tuple[ReasonCount, ...]:
    """How many VMs each code keeps from being reached, the most frequent first."""
    # A VM that is asked for by two protocols counts once.
    found = {(verdict.vm.lower(), finding.code) for verdict in verdicts for finding in verdict.reasons}
    numbers = Counter(code for _, code in found)
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ReasonCount(code=code, count=count) for code, count in ordered[:_MAX_REASON_CODES])


def worst_first(verdicts: Sequence[Verdict]) -> tuple[UnreachableVM, ...]:
    """The VMs that cannot be reached, those with the most to mend first; VMs that are only stopped last."""
    failing = [verdict for verdict in verdicts if verdict.verdict is not Reachability.REACHABLE and verdict.reasons]
    failing.sort(
        key=lambda each: (
            each.only_stopped,
            each.verdict is Reachability.UNKNOWN,
            -len(each.reasons),
            each.vm.lower(),
            each.protocol,
            each.port,
        )
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
