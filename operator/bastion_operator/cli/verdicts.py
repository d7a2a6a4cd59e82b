"""Showing verdicts: as a table for people, as JSON and YAML for programs."""

import sys
from typing import Any

import click
import orjson

from bastion_operator.network.finding import Finding, Fix
from bastion_operator.network.reachability import Candidate, Verdict

_COLOURS = {"Reachable": "green", "Unreachable": "red", "Unknown": "yellow"}
_HEADS = ("VM", "PROTOCOL", "PORT", "VERDICT", "BASTION", "VIA", "METHODS", "REASONS")


def show_verdicts(verdicts: list[Verdict], output: str) -> None:
    """Writes verdicts to stdout as table, wide, json or yaml."""
    if output == "json":
        click.echo(orjson.dumps([verdict_document(verdict) for verdict in verdicts], option=orjson.OPT_INDENT_2))
    elif output == "yaml":
        import yaml  # noqa: PLC0415  only when YAML is asked

        click.echo(yaml.safe_dump([verdict_document(verdict) for verdict in verdicts], sort_keys=False), nl=False)
    else:
        _show_table(verdicts, wide=output == "wide")


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The public form of a verdict."""
    return {
        "vm": verdict.vm,
        "protocol": verdict.protocol.value,
        "port": verdict.port,
        "verdict": verdict.verdict.value,
        "bastion": verdict.bastion,
        "via": None if verdict.via is None else verdict.via.value,
        "methods": [method.value for method in verdict.methods],
        "reasons": [_reason(reason) for reason in verdict.reasons],
        "warnings": [{"code": item.code, "message": item.message} for item in verdict.warnings],
        "candidates": [_candidate(candidate) for candidate in verdict.candidates],
        "reachedBy": verdict.reached_by,
        "onlyStopped": verdict.only_stopped,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "bastion": candidate.bastion,
        "verdict": candidate.verdict.value,
        "via": None if candidate.via is None else candidate.via.value,
        "reasons": [_reason(reason) for reason in candidate.reasons],
    }


def _reason(reason: Finding) -> dict[str, Any]:
    told = {
        "code": str(reason.code),
        "message": reason.message,
        "resource": reason.resource,
        "rule": reason.rule,
        "priority": reason.priority,
        "direction": reason.direction,
    }
    return told if reason.fix is None else told | {"fix": _fix(reason.fix)}


def _fix(fix: Fix) -> dict[str, Any]:
    """The changes in their order; field by field as ``network.finding`` describes them."""
    changes = [
        {
            "action": change.action.value,
            "resource": change.resource,
            "field": change.field or None,
            "from": change.from_value,
            "to": change.to_value,
            "actor": change.actor.value,
        }
        for change in fix.changes
    ]
    return {"summary": fix.summary, "changes": changes}


def _show_table(verdicts: list[Verdict], *, wide: bool) -> None:
    if not verdicts:
        click.echo("no VMs", err=True)
        return
    rows = [_cells(verdict, wide=wide) for verdict in verdicts]
    if sys.stdout.isatty():
        _draw(rows)
        return
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in (_HEADS, *rows))
    click.echo("\n".join(lines))


def _draw(rows: list[tuple[str, ...]]) -> None:
    """A table that folds its cells to the width of the terminal; rich leaves colours out where NO_COLOR is set."""
    from rich.console import Console  # noqa: PLC0415  only when a table is drawn
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in _HEADS:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    Console(highlight=False).print(table)


def _cells(verdict: Verdict, *, wide: bool) -> tuple[str, ...]:
    return (
        verdict.vm if wide else verdict.vm_name,
        verdict.protocol.value,
        str(verdict.port),
        verdict.verdict.value,
        _shown_bastion(verdict, wide=wide),
        verdict.via.value if verdict.via is not None else "-",
        ",".join(method.value for method in verdict.methods) or "-",
        _shown_reasons(verdict, wide=wide),
    )


def _shown_bastion(verdict: Verdict, *, wide: bool) -> str:
    if verdict.bastion is None:
        return "-"
    return verdict.bastion if wide else verdict.bastion.rsplit("/", 1)[-1]


def _shown_reasons(verdict: Verdict, *, wide: bool) -> str:
    if wide:
        return "; ".join(f"{reason.code}: {reason.message}" for reason in verdict.reasons) or "-"
    return ", ".join(reason.code for reason in verdict.reasons) or "-"
