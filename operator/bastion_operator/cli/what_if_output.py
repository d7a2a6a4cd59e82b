"""Showing what would happen: the changes in their order with before and after, what is in the way, what becomes of VMs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click
import orjson

from bastion_operator.cli.diff import change_document
from bastion_operator.cli.verdicts import show_documents
from bastion_operator.network.finding import Finding
from bastion_operator.network.foreseen.plan import ForeignPlan, NotConsidered
from bastion_operator.network.reachability import Verdict
from bastion_operator.network.verdict_changes import Kind, VerdictChange
from bastion_operator.planning.foreseeing import Asked, Foreseen, Outlook, Step
from bastion_operator.planning.model import Change, Difference, Verb
from bastion_operator.planning.wording import named, shown

_MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of VMs, and by what: the operator's changes, or the plan of another tool."""

    turned: Sequence[VerdictChange]
    foreseen: Foreseen | None = None
    plan: ForeignPlan | None = None


def show_outcome(outcome: Outcome, output: str) -> None:
    """Writes it to stdout as text, json or yaml."""
    if output == "text":
        click.echo("\n".join(_text(outcome)))
        return
    # Values of bodies may be enumerations of this program's.
    show_documents(orjson.loads(orjson.dumps(_document(outcome), default=str)), output)


# --- text --------------------------------------------------------------------------------------------------------


def _text(outcome: Outcome) -> Iterator[str]:
    if outcome.foreseen is not None:
        yield from _foreseen_text(outcome.foreseen)
    if outcome.plan is not None:
        yield from _plan_text(outcome.plan)
    yield ""
    yield from _turned_text(outcome.turned)


def _foreseen_text(foreseen: Foreseen) -> Iterator[str]:
    count = len(foreseen.steps)
    yield f"The operator would make {_counted(count, 'change')} in Azure" + (":" if count else ".")
    for number, step in enumerate(foreseen.steps, start=1):
        yield f"{number:>4}. {step.change.verb.value} {named(step.change.resource_id)}"
        yield f"      for {_shown(step.asked)}: {step.change.reason}"
        yield from (f"      {each}" for each in _fields(step.change))
    for outlook in foreseen.outlooks:
        yield from _outlook_text(outlook)


def _outlook_text(outlook: Outlook) -> Iterator[str]:
    name = _shown(outlook.asked)
    for change in outlook.told:
        yield f"  only told, {name} does not ask for it to be made: {change.summary}"
    # One thing may be in the way of every spoke.
    yield from dict.fromkeys(f"  in the way of {name}, {each.code}: {each.message}" for each in outlook.obstacles)
    for wait in outlook.waits:
        yield f"  {name} waits: {wait.summary}"
    for note in outlook.notes:
        yield f"  {name}, {note.code}: {note.message}"


def _plan_text(plan: ForeignPlan) -> Iterator[str]:
    yield f"The plan makes {_counted(len(plan.changes), 'change')} on which verdicts rest" + (
        ":" if plan.changes else "."
    )
    for change in plan.changes:
        yield f"  {change.action.value} {named(change.resource_id)} ({change.name})"
    matter = [each for each in plan.not_considered if not each.harmless]
    if matter:
        yield f"Not considered, and VMs that may hang on it are Unknown: {len(matter)}"
    for each in matter:
        yield f"  {each.name} ({each.kind}): {each.why.removeprefix('because ')}"
    idle = len(plan.not_considered) - len(matter)
    if idle:
        yield f"Not considered, and no VM hangs on it: {idle}"


def _turned_text(turned: Sequence[VerdictChange]) -> Iterator[str]:
    if not turned:
        yield "No VM's reachability would change."
        return
    sums = Counter(each.kind for each in turned)
    yield f"Reachability of VMs: {', '.join(f'{sums[kind]} {kind.value.lower()}' for kind in Kind if sums[kind])}"
    for each in turned[:_MOST_SHOWN]:
        verdict = each.verdict
        asked = f"{verdict.vm_name} {verdict.protocol.value} {verdict.port}"
        yield f"  {each.kind.value:<7} {asked}: {_way(each.before, each.after)} → {_way(each.after, each.before)}"
        for reason in each.after.reasons if each.after is not None else ():
            yield f"          {reason.code}: {reason.message}"
    if len(turned) > _MOST_SHOWN:
        yield f"  and {len(turned) - _MOST_SHOWN} more: -o json has all"


def _way(verdict: Verdict | None, other: Verdict | None) -> str:
    """The verdict of one side; with its Bastion where it is reached by it, or where nothing but the Bastion differs."""
    if verdict is None:
        return "not there"
    if verdict.via is None or verdict.bastion is None or verdict.reasons:
        same = other is not None and other.verdict is verdict.verdict
        moved = same and other is not None and (other.bastion or "").lower() != (verdict.bastion or "").lower()
        return verdict.verdict.value + (f" from {_last(verdict.bastion)}" if moved else "")
    methods = ",".join(method.value for method in verdict.methods)
    return f"{verdict.verdict.value} by {_last(verdict.bastion)} ({methods or 'no method'})"


def _last(bastion: str | None) -> str:
    return "no Bastion" if bastion is None else bastion.rsplit("/", 1)[-1]


def _counted(count: int, word: str) -> str:
    return f"{count or 'no'} {word}{'s' * (count != 1)}"


def _shown(asked: Asked) -> str:
    return f"{asked.resource.kind} {asked.owner.namespace}/{asked.owner.name}"


def _fields(change: Change) -> list[str]:
    """What differs; of what is made what it is made with."""
    if change.differences or change.verb is not Verb.CREATE:
        return list(map(str, change.differences))
    return [f"{each.field}: {shown(each.after)}" for each in _differences(change) if each.after != ""]


def _differences(change: Change) -> list[Difference]:
    """Field by field; for what is made all fields of its body, for what is synced or sent again none."""
    if change.differences or change.verb is not Verb.CREATE:
        return list(change.differences)
    return [Difference(path, None, value) for path, value in _leaves(change.body or {}, "")]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    elif value not in ({}, []):
        yield path, value


# --- documents ---------------------------------------------------------------------------------------------------


def _document(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if outcome.foreseen is not None:
        found["changes"] = [_step(each) for each in outcome.foreseen.steps]
        found["customResources"] = [_outlook(each) for each in outcome.foreseen.outlooks]
    if outcome.plan is not None:
        found["changes"] = [
            {"action": each.action.value, "name": each.name, "resource": each.resource_id}
            for each in outcome.plan.changes
        ]
        found["notConsidered"] = [_left_out(each) for each in outcome.plan.not_considered]
    found["reachability"] = [change_document(each) for each in outcome.turned]
    return found


def _step(step: Step) -> dict[str, Any]:
    return {"pass": step.number, "customResource": _shown(step.asked)} | _change(step.change)


def _change(change: Change) -> dict[str, Any]:
    return {
        "action": change.verb.value,
        "resource": change.resource_id,
        "reason": change.reason,
        "differences": [
            {"field": each.field, "before": each.before, "after": each.after} for each in _differences(change)
        ],
        "body": change.body,
    }


def _outlook(outlook: Outlook) -> dict[str, Any]:
    return {
        "customResource": _shown(outlook.asked),
        "onlyTold": [_change(each) for each in outlook.told],
        "obstacles": [_finding(each) for each in outlook.obstacles],
        "notes": [_finding(each) for each in outlook.notes],
        "waits": [{"resource": each.resource_id, "state": each.state, "about": each.about} for each in outlook.waits],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {"code": str(finding.code), "message": finding.message, "resource": finding.resource}


def _left_out(left_out: NotConsidered) -> dict[str, Any]:
    return {
        "name": left_out.name,
        "type": left_out.kind,
        "why": left_out.why.removeprefix("because ").removeprefix("and "),
        "about": list(left_out.about),
        "verdictsMayHangOnIt": not left_out.harmless,
    }
