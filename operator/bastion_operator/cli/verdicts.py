"""Showing verdicts: as a table for people, as JSON and YAML for programs."""

import sys
from typing import Any

import click
import orjson

from bastion_operator.network.finding import Finding
from bastion_operator.network.reachability import Candidate, Verdict

_COLOURS = {"Reachable": "green", "Unreachable": "red", "Unknown": "yellow"}
_UNBOUNDED = 10_000


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
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "bastion": candidate.bastion,
        "verdict": candidate.verdict.value,
        "via": None if candidate.via is None else candidate.via.value,
        "reasons": [_reason(reason) for reason in candidate.reasons],
    }


def _reason(reason: Finding) -> dict[str, Any]:
    return {
        "code": str(reason.code),
        "message": reason.message,
        "resource": reason.resource,
        "rule": reason.rule,
        "priority": reason.priority,
        "direction": reason.direction,
    }


def _show_table(verdicts: list[Verdict], *, wide: bool) -> None:
    from rich.console import Console  # noqa: PLC0415  only when a table is drawn
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if not verdicts:
        click.echo("no VMs", err=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = ["VM", "PROTOCOL", "PORT", "VERDICT", "BASTION", "VIA", "METHODS", "REASONS"]
    for head in heads:
        table.add_column(head, overflow="fold", no_wrap=not sys.stdout.isatty())
    for verdict in verdicts:
        table.add_row(
            verdict.vm if wide else verdict.vm_name,
            verdict.protocol.value,
            str(verdict.port),
            Text(verdict.verdict.value, style=_COLOURS[verdict.verdict.value]),
            _shown_bastion(verdict, wide=wide),
            verdict.via.value if verdict.via is not None else "-",
            ",".join(method.value for method in verdict.methods) or "-",
            Text(_shown_reasons(verdict, wide=wide)),
        )
    console = Console(width=None if sys.stdout.isatty() else _UNBOUNDED, highlight=False, soft_wrap=False)
    console.print(table)


def _shown_bastion(verdict: Verdict, *, wide: bool) -> str:
    if verdict.bastion is None:
        return "-"
    return verdict.bastion if wide else verdict.bastion.rsplit("/", 1)[-1]


def _shown_reasons(verdict: Verdict, *, wide: bool) -> str:
    if wide:
        return "; ".join(f"{reason.code}: {reason.message}" for reason in verdict.reasons) or "-"
    return ", ".join(reason.code for reason in verdict.reasons) or "-"
