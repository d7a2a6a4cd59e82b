"""An explanation as people read it."""

import json
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import click

from bastion_operator.cli.explanation import Explanation, Mended, explanation_document
from bastion_operator.cli.terminal import VERDICT_COLOURS, coloured, columns_of, wrapped
from bastion_operator.cli.verdicts import show_documents
from bastion_operator.network.finding import FindingClass
from bastion_operator.network.reachability import Verdict
from bastion_operator.network.trace import Hop, Leg, Mark, Outcome, RouteRow, RuleRow
from bastion_operator.planning.fix_fields import FixField

Row = TypeVar("Row", RuleRow, RouteRow)
_MARKS: Final = {
    Mark.DECIDES: ">",
    Mark.DECIDES_SOME: ">",
    Mark.MAY_MATCH: "?",
    Mark.NO_MATCH: " ",
    Mark.NOT_ASKED: " ",
}
_OUTCOMES: Final = {Outcome.PASSES: "green", Outcome.STOPS: "red", Outcome.OPEN: "yellow", Outcome.NOT_JUDGED: None}
_LEGS: Final = {Leg.THERE: "The way there", Leg.BACK: "The way back"}
_MOST_ROWS: Final = 12
"""Rows of a table that are shown whole; of a longer one only those that match, unless all are asked for."""
_INDENT: Final = 13
_SHORT: Final = 32
"""Characters of a fact that shares its line with others."""


def show_explanation(explanations: Sequence[Explanation], output: str) -> None:
    """Writes explanations to stdout as text, wide, json or yaml; JSON and YAML are one document where there is one."""
    if output in {"json", "yaml"}:
        documents = [explanation_document(each) for each in explanations]
        show_documents(documents[0] if len(documents) == 1 else documents, output)
        return
    blocks = ["\n".join(_lines(each, wide=output == "wide")) for each in explanations]
    click.echo("\n\n".join(blocks))


def _lines(told: Explanation, *, wide: bool) -> Iterator[str]:
    yield from _heading(told.verdict)
    if told.way is None:
        yield from _reasons(told.verdict)
    else:
        yield from _way(told.way.hops, wide=wide)
    reasons = [one for one in told.mended if one.finding.finding_class is not FindingClass.WARNING]
    rest = [one for one in told.mended if one.finding.finding_class is FindingClass.WARNING]
    for heading, listed in (("To mend it", reasons), ("To have more", rest)):
        if listed:
            yield from ("", heading)
        for number, one in enumerate(listed, start=1):
            yield from _mending(number, one, _same(one, listed[: number - 1]))
    yield from _further(told)


def _heading(verdict: Verdict) -> Iterator[str]:
    shown = coloured(verdict.verdict.value, VERDICT_COLOURS.get(verdict.verdict.value))
    host = "no Bastion near" if verdict.bastion is None else f"Bastion {_name(verdict.bastion)}"
    via = "" if verdict.via is None else f", {verdict.via.value}"
    methods = f", by {', '.join(one.value for one in verdict.methods)}" if verdict.methods else ""
    yield f"{verdict.vm_name}  {verdict.protocol.value} {verdict.port}  {shown}  ({host}{via}{methods})"


def _reasons(verdict: Verdict) -> Iterator[str]:
    yield ""
    for reason in verdict.reasons:
        yield from wrapped(f"{reason.code}: {reason.message}", 2, hanging=2)
    yield from wrapped(
        "These are the reasons that the operator has published. The hops and their tables of rules are in Azure: ask it with"
        " --azure, or files with --from FILE.",
        2,
    )


def _way(hops: Sequence[Hop], *, wide: bool) -> Iterator[str]:
    leg = None
    for number, hop in enumerate(hops, start=1):
        if hop.leg is not leg:
            leg = hop.leg
            yield from ("", _LEGS[leg])
        yield from _hop(number, hop, wide=wide)


def _hop(number: int, hop: Hop, *, wide: bool) -> Iterator[str]:
    outcome = coloured(f"{hop.outcome.value:<10}", _OUTCOMES[hop.outcome])
    yield f"{number:>2} {outcome}{hop.name}"
    if wide and hop.resource is not None:
        yield " " * _INDENT + hop.resource
    short = [f"{label} {fact}" for label, fact in hop.facts if _is_short(fact)]
    yield from wrapped(", ".join(short), _INDENT)
    for label, fact in hop.facts:
        if not _is_short(fact):
            yield from wrapped(f"{label}: {fact}", _INDENT, hanging=2)
    yield from _rule_table(hop.rules, wide=wide)
    yield from _route_table(hop.routes, wide=wide)
    for finding in hop.findings:
        if finding.finding_class is not FindingClass.WARNING:
            yield from wrapped(f"{finding.code}: {finding.message}", _INDENT, hanging=2)


def _is_short(fact: str) -> bool:
    return len(fact) <= _SHORT and "," not in fact and ";" not in fact and ":" not in fact


def _rule_table(rows: Sequence[RuleRow], *, wide: bool) -> Iterator[str]:
    heads = ("", "PRIORITY", "RULE", "ACCESS", "PROTOCOL", "SOURCE", "DESTINATION", "PORTS")
    shown = [
        (
            _MARKS[row.mark],
            "-" if row.priority is None else str(row.priority),
            row.name,
            row.access or "-",
            row.protocol or "-",
            row.source,
            row.destination,
            row.ports + _for(row.sources),
        )
        for row in _chosen(rows, wide=wide)
    ]
    yield from _table(heads, shown, len(rows))


def _route_table(rows: Sequence[RouteRow], *, wide: bool) -> Iterator[str]:
    heads = ("", "PREFIX", "NEXT HOP", "ROUTE")
    shown = [
        (_MARKS[row.mark], row.prefix, row.next_hop, (row.name or "(Azure's own)") + _for(row.sources))
        for row in _chosen(rows, wide=wide)
    ]
    yield from _table(heads, shown, len(rows))


def _chosen(rows: Sequence[Row], *, wide: bool) -> Sequence[Row]:
    if wide or len(rows) <= _MOST_ROWS:
        return rows
    return [row for row in rows if row.mark not in {Mark.NO_MATCH, Mark.NOT_ASKED}]


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], total: int) -> Iterator[str]:
    if not total:
        return
    for line in columns_of([heads, *rows]):
        yield " " * _INDENT + line
    if total > len(rows):
        yield " " * _INDENT + f"{total - len(rows)} more rows do not match or are not asked: -o wide shows them"


def _for(sources: str) -> str:
    return f"  (for {sources})" if sources else ""


def _same(one: Mended, before: Sequence[Mended]) -> int | None:
    """The number of an earlier one that has the same fix: it is made once."""
    fixes = [each.finding.fix for each in before]
    return fixes.index(one.finding.fix) + 1 if one.finding.fix is not None and one.finding.fix in fixes else None


def _mending(number: int, one: Mended, same: int | None) -> Iterator[str]:
    fix = one.finding.fix
    what = one.none_because if fix is None else fix.summary if same is None else f"mended by {same} as well"
    first, *rest = wrapped(f"{one.finding.code}: {what or one.finding.message}", 3, hanging=2)
    yield from (f"{number:>2} {first.lstrip()}", *rest)
    for field in one.fields:
        yield f"     {_field(field)}"
    for command in one.commands if same is None else ():
        yield f"     $ {command}"


def _field(field: FixField) -> str:
    about = "a new one" if field.about is None else f"of {_name(field.about)}"
    value = field.value if isinstance(field.value, str) else json.dumps(field.value)
    return f"{field.kind} {about}: {field.field}: {value}"


def _further(told: Explanation) -> Iterator[str]:
    """What rides along, and what the other Bastions come to."""
    warnings = [one for one in told.verdict.warnings if one.message]
    if warnings:
        yield from ("", "To know as well")
        for warning in warnings:
            yield from wrapped(f"{warning.code}: {warning.message}", 3, hanging=2)
    others = told.verdict.candidates[1:]
    if others:
        yield from ("", "Other Bastions")
        for one in others:
            codes = ", ".join(str(reason.code) for reason in one.reasons) or "-"
            yield f"   {_name(one.bastion)}  {one.verdict.value}  {codes}"


def _name(resource_id: str) -> str:
    return resource_id.rstrip("/").rsplit("/", 1)[-1]
