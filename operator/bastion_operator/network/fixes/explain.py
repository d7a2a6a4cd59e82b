"""Every reason of a verdict with its fix, tried before it is told.

A verdict is worked out without fixes; explaining one costs what the trying costs, and nothing until somebody asks. Each
fix is applied to the few rows that the verdict hangs on, and the VM is judged again: a fix that leaves the reason standing,
or brings a new one, is not told.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bastion_operator.network.codes import CODES
from bastion_operator.network.fields import Row
from bastion_operator.network.finding import Action, Finding, FindingClass, Fix
from bastion_operator.network.fixes.apply import FixNotApplicableError, apply_fix
from bastion_operator.network.fixes.neighbourhood import rows_around
from bastion_operator.network.fixes.situation import Situation
from bastion_operator.network.fixes.table import PROPOSERS
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability.candidates import path_between
from bastion_operator.network.reachability.evaluation import Evaluation
from bastion_operator.network.reachability.judge import UnknownVirtualMachineError, judge
from bastion_operator.network.reachability.question import Question, ask
from bastion_operator.network.reachability.verdict import Verdict

_UNTRIED = frozenset({Action.READ})
_OPENING = frozenset({"BastionNotFound", "SubnetMissing", "NoIPv4Address", "CrossTenantPeering", "NotPeered"})
"""Codes whose fix brings an end of the connection, or another Bastion: later steps then speak for the first time."""

_OF_A_GROUP = frozenset({"SubnetNsgDenies", "NicNsgDenies"})
"""Codes of a security group that a connection may meet twice, on the VM's subnet and on its NIC."""


def explain(
    verdict: Verdict, inventory: Inventory, *, evaluation: Evaluation | None = None, warnings_too: bool = True
) -> Verdict:
    """The verdict with a fix in each of its reasons, and of its warnings, that one takes away.

    ``inventory`` is the one that the verdict came from, ``evaluation`` what was worked out from it so far. Where a fix says
    to read a resource, nothing could be tried. Raises UnknownVirtualMachineError if the VM is not in the inventory.
    """
    shared = evaluation or Evaluation(inventory)
    situation = _situation(shared, verdict)
    trial = _Trial(verdict, shared)
    told: list[Finding] = []
    for finding in (*verdict.reasons, *(verdict.warnings if warnings_too else ())):
        common = next((one.fix for one in told if trial.mends_too(one, finding)), None)
        fix = common or next(_fixes(situation, finding, trial), None)
        told.append(finding if fix is None else replace(finding, fix=fix))
        if fix is not None and common is None and finding.finding_class is not FindingClass.WARNING:
            situation = situation.after(fix)
    reasons = tuple(told[: len(verdict.reasons)])
    warnings = tuple(told[len(verdict.reasons) :]) if warnings_too else verdict.warnings
    candidates = tuple(
        replace(one, reasons=reasons, warnings=warnings) if place == 0 else one
        for place, one in enumerate(verdict.candidates)
    )
    return replace(verdict, reasons=reasons, warnings=warnings, candidates=candidates)


def _fixes(situation: Situation, finding: Finding, trial: "_Trial") -> Iterator[Fix]:
    proposer = PROPOSERS.get(finding.code)
    for fix in proposer(situation, finding) if proposer is not None else ():
        if fix.changes and trial.passes(fix, finding):
            yield fix


def _situation(evaluation: Evaluation, verdict: Verdict) -> Situation:
    inventory = evaluation.inventory
    vm = inventory.virtual_machine(verdict.vm)
    if vm is None:
        raise UnknownVirtualMachineError(f"VM {verdict.vm} is not in the data that the fix was asked of")
    target = evaluation.target(vm)
    asked = ask(vm.operating_system, verdict.protocol, verdict.port)
    bastion = inventory.bastion(verdict.bastion)
    if bastion is None:
        return Situation(evaluation, target, asked)
    host = evaluation.host(bastion)
    return Situation(
        evaluation, target, asked, Question(evaluation, host, target, path_between(evaluation, host, target), asked)
    )


class _Trial:
    """The rows that one verdict hangs on, to be judged with one fix at a time."""

    def __init__(self, verdict: Verdict, evaluation: Evaluation) -> None:
        self._verdict = verdict
        self._evaluation = evaluation
        self._rows: list[Row] | None = None
        self._before = _counted((*verdict.reasons, *verdict.warnings))

    def passes(self, fix: Fix, finding: Finding) -> bool:
        """Whether the fix takes the finding away and brings no other reason."""
        if {change.action for change in fix.changes} <= _UNTRIED:
            return True
        return any(self._heals(finding, judged) for judged in self._verdicts_after(fix))

    def mends_too(self, earlier: Finding, finding: Finding) -> bool:
        """Whether the fix of an earlier finding, in a group that both are about, leaves nothing of this one's kind there."""
        fix, key = earlier.fix, _key(finding)
        if fix is None or not {earlier.code, finding.code} <= _OF_A_GROUP or _key(earlier)[1] != key[1]:
            return False
        return any(
            self._heals(finding, judged) and not _counted(judged.reasons)[key] for judged in self._verdicts_after(fix)
        )

    def _verdicts_after(self, fix: Fix) -> Iterator[Verdict]:
        """What is said of the VM once the fix is made; nothing where it cannot be made."""
        actions = {change.action for change in fix.changes}
        if self._rows is None:
            self._rows = list(rows_around(self._evaluation, self._verdict))
        asked = None if Action.ASK in actions or self._verdict.bastion is None else [self._verdict.bastion]
        before = self._evaluation.inventory
        try:
            after = Inventory.from_rows(apply_fix(self._rows, fix), before.types_read, before.refused)
            yield from self._judged(after, asked)
        except (FixNotApplicableError, UnknownVirtualMachineError):
            return

    def _judged(self, after: Inventory, asked: list[str] | None) -> Iterator[Verdict]:
        """The verdict of the same Bastion, then that of all that come into question."""
        for bastions in (asked, None) if asked is not None else (None,):
            yield judge(
                after,
                self._verdict.vm,
                protocol=self._verdict.protocol,
                port=self._verdict.port,
                bastion_ids=bastions,
                evaluation=Evaluation(after, self._evaluation.active_sessions),
            )

    def _heals(self, finding: Finding, verdict: Verdict) -> bool:
        after = _counted((*verdict.reasons, *verdict.warnings))
        key = _key(finding)
        known_before = {code for code, _ in self._before}
        new = [
            code
            for code, _ in after
            if code not in known_before and CODES[code].finding_class is not FindingClass.WARNING
        ]
        fewer = after[key] < self._before[key] and _of_code(after, finding.code) < _of_code(self._before, finding.code)
        return fewer and (not new or finding.code in _OPENING)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, (finding.resource or "").lower()


def _of_code(counted: Counter[tuple[str, str]], code: str) -> int:
    return sum(count for (one, _), count in counted.items() if one == code)


def _counted(findings: Iterable[Finding]) -> Counter[tuple[str, str]]:
    return Counter(map(_key, findings))
