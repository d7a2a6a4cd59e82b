"""Every reason of a verdict with its fix, tried before it is told.

A verdict is worked out without fixes; explaining one costs what the trying costs, and nothing until somebody asks. Each
fix is applied to the few rows that the verdict hangs on, and the VM is judged again: a fix that leaves the reason standing,
or brings a new one, is not told. The fix of a later reason is worked out from what the earlier ones leave, and tried there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bastion_operator.network.fields import Row
from bastion_operator.network.finding import Action, Finding, Fix
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
from bastion_operator.network.sku import Sku

_UNTRIED = frozenset({Action.READ})
_LEADING_NOWHERE = frozenset({Action.READ, Action.ASK})
"""What changes nothing in Azure: the next fix starts from the same place."""
_OF_THE_QUESTION = frozenset({"NotPrimaryNic"})
"""Codes of what was asked, which is asked no more where a fix is tried: no other fix takes them away."""
_ELSEWHERE = frozenset({"CrossTenantPeering"})
"""Codes whose fix is another Bastion: the other fixes are of the one that was asked."""
_OPENING = frozenset({"BastionNotFound", "SubnetMissing", "NoIPv4Address", "CrossTenantPeering", "NotPeered"})
"""Codes whose fix brings an end of the connection, or another Bastion: later steps then speak for the first time."""


def explain(
    verdict: Verdict, inventory: Inventory, *, evaluation: Evaluation | None = None, warnings_too: bool = True
) -> Verdict:
    """The verdict with a fix in each of its reasons, and of its warnings, that one takes away.

    ``inventory`` is the one that the verdict came from, ``evaluation`` what was worked out from it so far. Where a fix says
    to read a resource, nothing could be tried. Raises UnknownVirtualMachineError if the VM is not in the inventory.
    """
    places = [_Place(verdict, evaluation or Evaluation(inventory), inventory)]
    reasons = tuple(_mended(verdict.reasons, places))
    warnings = tuple(_more(verdict.warnings, places)) if warnings_too else verdict.warnings
    candidates = tuple(
        replace(one, reasons=reasons, warnings=warnings) if place == 0 else one
        for place, one in enumerate(verdict.candidates)
    )
    return replace(verdict, reasons=reasons, warnings=warnings, candidates=candidates)


def _mended(reasons: Sequence[Finding], places: list["_Place"]) -> Iterator[Finding]:
    """The reasons with their fixes; the places that these lead to are put to those there are."""
    for number, reason in enumerate(reasons):
        left = reasons[number:]
        asked = reason.code in _OF_THE_QUESTION
        fix = None if asked else _taken_away(left, places)
        last = places[0 if asked else -1]
        here = last.of(left)
        if fix is None and here is not None and (found := last.fix(here)) is not None:
            fix, after = found
            if after is not None and reason.code not in _ELSEWHERE:
                places.append(after)
        yield reason if fix is None else replace(reason, fix=fix)


def _more(warnings: Sequence[Finding], places: Sequence["_Place"]) -> Iterator[Finding]:
    """The warnings with their fixes: each by itself, once the reasons are mended, of the Bastion that they are about.

    One that would bring a reason back is told as if nothing were mended yet.
    """
    asked = places[0].verdict.bastion
    same = [place for place in places if place.verdict.bastion == asked]
    for number, warning in enumerate(warnings):
        left = warnings[number:]
        fix = _taken_away(left, same)
        if fix is None and (here := same[-1].of(left)) is not None:
            found = same[-1].fix(here) or same[0].fix(warning)
            fix = None if found is None else found[0]
        if fix is not None:
            same[-1].claim(fix)
        yield warning if fix is None else replace(warning, fix=fix)


def _taken_away(left: Sequence[Finding], places: Sequence["_Place"]) -> Fix | None:
    """The fix told before that takes the first of the findings left away as well."""
    return next((place.came_by for place in places if place.of(left) is None), None)


class _Place:
    """Where the fixes told so far lead: the rows as they leave them, what is said of the VM there, and from where to go on.

    ``came_by`` is the last of those fixes.
    """

    def __init__(
        self,
        verdict: Verdict,
        evaluation: Evaluation,
        whole: Inventory,
        rows: list[Row] | None = None,
        came_by: Fix | None = None,
    ) -> None:
        self.verdict = verdict
        self.came_by = came_by
        self._evaluation = evaluation
        self._whole = whole
        self._rows = rows
        self._situation = _situation(evaluation, verdict, whole)
        self._findings = (*verdict.reasons, *verdict.warnings)
        self._before = _counted(self._findings)

    def of(self, left: Sequence[Finding]) -> Finding | None:
        """What is said here in place of the first of those left, None where it is gone."""
        alike = {_wording(one): one for one in self._findings if _key(one) == _key(left[0])}
        if (same := alike.get(_wording(left[0]))) is not None:
            return same
        of_others = {_wording(one) for one in left[1:]}
        return next((one for wording, one in alike.items() if wording not in of_others), None)

    def fix(self, finding: Finding) -> tuple[Fix, "_Place | None"] | None:
        """The first fix that takes the finding away, and the place it leads to, None where nothing changes.

        One that lets later steps speak for the first time is told where no other leaves less to do.
        """
        proposer = PROPOSERS.get(finding.code)
        opening = None
        for fix in proposer(self._situation, finding) if proposer is not None else ():
            actions = {change.action for change in fix.changes}
            if actions and actions <= _UNTRIED:
                return opening or (fix, None)
            after = next((one for one in self._after(fix) if self._heals(finding, one.verdict)), None)
            if not fix.changes or after is None:
                continue
            found = fix, None if actions <= _LEADING_NOWHERE else after
            if not self._is_worse(after.verdict):
                return found
            if opening is None and (finding.code in _OPENING or _leaves_developer(fix)):
                opening = found
        return opening

    def claim(self, fix: Fix) -> None:
        """Keeps what a fix takes up, as names and priorities, from those that are told later."""
        self._situation = self._situation.after(fix)

    def _after(self, fix: Fix) -> Iterator["_Place"]:
        """What is said of the VM once the fix is made; nothing where it cannot be made."""
        if self._rows is None:
            self._rows = list(rows_around(self._evaluation, self.verdict))
        before = self._evaluation.inventory
        try:
            rows = apply_fix(self._rows, fix)
            evaluation = Evaluation(
                Inventory.from_rows(rows, before.types_read, before.refused), self._evaluation.active_sessions
            )
            for verdict in self._judged(evaluation, fix):
                yield _Place(verdict, evaluation, self._whole, list(rows), fix)
        except (FixNotApplicableError, UnknownVirtualMachineError):
            return

    def _judged(self, evaluation: Evaluation, fix: Fix) -> Iterator[Verdict]:
        """The verdict of the same Bastion; that of all where the fix brings one, or where none was asked."""
        asks = any(change.action is Action.ASK for change in fix.changes)
        if self.verdict.bastion is not None and not asks:
            yield self._judge(evaluation, [self.verdict.bastion])
            if evaluation.inventory.bastions.keys() <= self._evaluation.inventory.bastions.keys():
                return
        yield self._judge(evaluation, None)

    def _judge(self, evaluation: Evaluation, bastions: list[str] | None) -> Verdict:
        asked = self.verdict
        return judge(
            evaluation.inventory,
            asked.vm,
            protocol=asked.protocol,
            port=asked.port,
            bastion_ids=bastions,
            evaluation=evaluation,
        )

    def _heals(self, finding: Finding, verdict: Verdict) -> bool:
        after = _counted((*verdict.reasons, *verdict.warnings))
        key = _key(finding)
        return after[key] < self._before[key] and _of_code(after, finding.code) < _of_code(self._before, finding.code)

    def _is_worse(self, verdict: Verdict) -> bool:
        """Whether a verdict has reasons that are new here."""
        after = _counted(verdict.reasons)
        return any(_of_code(after, code) > _of_code(self._before, code) for code, _ in after)


def _leaves_developer(fix: Fix) -> bool:
    """Whether a Developer host gets a subnet of its own, which later steps then judge for the first time."""
    return any(change.field == "sku.name" and change.from_value == Sku.DEVELOPER for change in fix.changes)


def _situation(evaluation: Evaluation, verdict: Verdict, whole: Inventory) -> Situation:
    inventory = evaluation.inventory
    vm = inventory.virtual_machine(verdict.vm)
    if vm is None:
        raise UnknownVirtualMachineError(f"VM {verdict.vm} is not in the data that the fix was asked of")
    target = evaluation.target(vm)
    asked = ask(vm.operating_system, verdict.protocol, verdict.port)
    bastion = inventory.bastion(verdict.bastion)
    if bastion is None:
        return Situation(evaluation, target, asked, whole=whole)
    host = evaluation.host(bastion)
    path = path_between(evaluation, host, target)
    return Situation(evaluation, target, asked, Question(evaluation, host, target, path, asked), whole=whole)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, (finding.resource or "").lower()


def _wording(finding: Finding) -> str:
    """The message without the rule that decides and its priority: fixes put others there, and move rules back."""
    message = finding.message.replace(f"priority {finding.priority}", "")
    return message if finding.rule is None else message.replace(finding.rule, "")


def _of_code(counted: Counter[tuple[str, str]], code: str) -> int:
    return sum(count for (one, _), count in counted.items() if one == code)


def _counted(findings: Iterable[Finding]) -> Counter[tuple[str, str]]:
    return Counter(map(_key, findings))
