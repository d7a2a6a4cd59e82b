"""The verdicts that the operator has published in the cluster, as those of an estate are shown."""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from bastion_operator.api.reachability_report import ReachabilityReport, ReportReason, ReportRow
from bastion_operator.cli.selection import Choice, find_named
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.codes import CODES
from bastion_operator.network.finding import Finding, FindingClass
from bastion_operator.network.reachability import Candidate, Method, Protocol, Reachability, Verdict, Via
from bastion_operator.network.reachability.judge import by_merit

_VIAS: Final = {via.value: via for via in Via}
_METHODS: Final = {method.value: method for method in Method}


def published_verdicts(reports: Iterable[ReachabilityReport]) -> list[Verdict]:
    """A verdict for each VM, protocol and port that the reports know, sorted by these.

    Each report is one Bastion's: the Bastions that a VM is a target of are its candidates, in their usual order. Warnings
    are codes alone, as reports hold no more of them.
    """
    rows: dict[tuple[str, str, int], list[ReportRow]] = defaultdict(list)
    for report in reports:
        for row in report.rows:
            rows[normalise_id(row.vm), row.protocol, row.port].append(row)
    return [_verdict(rows[key]) for key in sorted(rows)]


def _verdict(rows: list[ReportRow]) -> Verdict:
    told = [_told(row) for row in rows]
    # One Bastion may be the host of two custom resources.
    candidates = {one.bastion.lower(): one for one in sorted(told, key=by_merit, reverse=True)}
    ordered = tuple(sorted(candidates.values(), key=by_merit))
    return _of_candidates(rows[0], ordered)


def _of_candidates(asked: ReportRow | Verdict, candidates: tuple[Candidate, ...]) -> Verdict:
    """The verdict of the best candidate, which is the first; one without a Bastion stands for that there is none."""
    best = candidates[0]
    return Verdict(
        vm=asked.vm,
        vm_name=asked.vm.rstrip("/").rpartition("/")[2],
        protocol=Protocol(asked.protocol),
        port=asked.port,
        verdict=best.verdict,
        bastion=best.bastion or None,
        via=best.via,
        methods=best.methods,
        reasons=best.reasons,
        warnings=best.warnings,
        candidates=tuple(one for one in candidates if one.bastion),
    )


def _told(row: ReportRow) -> Candidate:
    verdict = Reachability(row.verdict.value)
    return Candidate(
        bastion=row.bastion or "",
        verdict=verdict,
        via=_VIAS.get(row.via or ""),
        methods=tuple(_METHODS[each] for each in row.methods if each in _METHODS),
        reasons=tuple(_reason(each, verdict) for each in row.reasons),
        warnings=tuple(Finding(code, FindingClass.WARNING, "") for code in row.warnings),
    )


def _reason(reason: ReportReason, verdict: Reachability) -> Finding:
    """A reason of a report; a code of another version than this program's counts as what the verdict made of it."""
    known = CODES.get(reason.code)
    unknown = FindingClass.UNREACHABLE if verdict is Reachability.UNREACHABLE else FindingClass.UNKNOWN
    return Finding(
        code=reason.code,
        finding_class=unknown if known is None else known.finding_class,
        message=reason.message,
        resource=reason.resource,
        rule=reason.rule,
        priority=reason.priority,
        direction=reason.direction,
    )


def chosen_of(verdicts: Iterable[Verdict], choice: Choice, protocol: str | None, port: int | None) -> list[Verdict]:
    """Those of the VMs, Bastions, protocol and port that are asked for. Raises Refusal for a name that fits none."""
    found = list(verdicts)
    if choice.vms:
        named = {(one.vm, one.vm_name) for one in found}
        wanted = {find_named("VM", text, [*named]) for text in choice.vms}
        found = [one for one in found if one.vm in wanted]
    if choice.bastions:
        hosts = {one.bastion for verdict in found for one in verdict.candidates}
        named = {(host, host.rstrip("/").rpartition("/")[2]) for host in hosts}
        keys = {normalise_id(find_named("Bastion", text, [*named])) for text in choice.bastions}
        found = [kept for one in found if (kept := _with_bastions(one, keys)) is not None]
    return [
        one
        for one in found
        if one.protocol.value == (protocol or one.protocol.value).upper() and one.port == (port or one.port)
    ]


def _with_bastions(verdict: Verdict, keys: AbstractSet[str]) -> Verdict | None:
    """The verdict with these Bastions alone as candidates; None where none of them is one."""
    candidates = tuple(one for one in verdict.candidates if normalise_id(one.bastion) in keys)
    return _of_candidates(verdict, candidates) if candidates else None


def networks_of(reports: Iterable[ReachabilityReport]) -> dict[str, str]:
    """The VNet under which each VM (its id in lower case) stands."""
    return {row.vm.lower(): report.virtual_network_id for report in reports for row in report.rows}
