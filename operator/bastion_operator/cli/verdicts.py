"""Showing verdicts: as a table for people, as JSON and YAML for programs."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click
import orjson

from bastion_operator.cli.table import Column, show_table
from bastion_operator.network.finding import Finding, Fix
from bastion_operator.network.reachability import Candidate, Verdict

if TYPE_CHECKING:
    from bastion_operator.network.access import AccessVerdict

Judged = tuple["AccessVerdict", ...]

_WHOLE = frozenset({"PROTOCOL", "PORT", "VERDICT"})
_HEADS = ("VM", "PROTOCOL", "PORT", "VERDICT", "BASTION", "VIA", "METHODS", "REASONS")
_COLUMNS = tuple(Column(head, whole=head in _WHOLE, apart=head == "REASONS") for head in _HEADS)


def show_verdicts(verdicts: Sequence[Verdict], output: str, access: Sequence[Judged] = ()) -> None:
    """Writes verdicts to stdout as table, wide, json or yaml.

    ``access`` says for each verdict what the principals asked about may do; it is empty where nobody was.
    """
    if output in {"json", "yaml"}:
        show_documents(documents(verdicts, access), output)
    elif verdicts:
        show_table(columns(access=bool(access)), rows(verdicts, access, wide=output == "wide"))
    else:
        click.echo("no VMs", err=True)


def documents(verdicts: Sequence[Verdict], access: Sequence[Judged] = ()) -> list[dict[str, Any]]:
    """The public form of verdicts."""
    return [verdict_document(*pair) for pair in zip_longest(verdicts, access)]


def columns(*, access: bool) -> tuple[Column, ...]:
    """The columns of verdicts; one more where principals were asked about."""
    return (*_COLUMNS, Column("ACCESS", apart=True)) if access else _COLUMNS


def rows(verdicts: Sequence[Verdict], access: Sequence[Judged] = (), *, wide: bool) -> list[tuple[str, ...]]:
    """A row of cells for each verdict; wide ones name ids in full, and reasons with their messages."""
    return [_cells(verdict, judged, wide=wide) for verdict, judged in zip_longest(verdicts, access)]


def show_documents(documents: Any, output: str) -> None:
    """Writes one JSON value to stdout, as json or yaml."""
    if output == "json":
        click.echo(orjson.dumps(documents, option=orjson.OPT_INDENT_2))
        return
    import yaml  # noqa: PLC0415  only when YAML is asked

    click.echo(yaml.safe_dump(documents, sort_keys=False, allow_unicode=True), nl=False)


def verdict_document(verdict: Verdict, access: Judged | None = None) -> dict[str, Any]:
    """The public form of a verdict; ``access`` is part of it only where principals were asked about."""
    document = {
        "vm": verdict.vm,
        "protocol": verdict.protocol.value,
        "port": verdict.port,
        "verdict": verdict.verdict.value,
        "bastion": verdict.bastion,
        "via": None if verdict.via is None else verdict.via.value,
        "methods": [method.value for method in verdict.methods],
        "reasons": [reason_document(reason) for reason in verdict.reasons],
        "warnings": [{"code": item.code, "message": item.message} for item in verdict.warnings],
        "candidates": [_candidate(candidate) for candidate in verdict.candidates],
        "reachedBy": verdict.reached_by,
        "onlyStopped": verdict.only_stopped,
    }
    return document if access is None else document | {"access": [_access(judged) for judged in access]}


def _access(judged: "AccessVerdict") -> dict[str, Any]:
    return {
        "principal": judged.principal.object_id,
        "access": judged.access.value,
        "missing": [
            {"role": lack.need.role, "resource": lack.need.scope, "actions": list(lack.missing)}
            for lack in judged.lacks
            if lack.missing
        ],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "bastion": candidate.bastion,
        "verdict": candidate.verdict.value,
        "via": None if candidate.via is None else candidate.via.value,
        "reasons": [reason_document(reason) for reason in candidate.reasons],
    }


def reason_document(reason: Finding) -> dict[str, Any]:
    """The public form of a reason, with its fix where it has one."""
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


def _cells(verdict: Verdict, access: Judged | None, *, wide: bool) -> tuple[str, ...]:
    cells = (
        verdict.vm if wide else verdict.vm_name,
        str(verdict.protocol),
        str(verdict.port),
        str(verdict.verdict),
        _shown_bastion(verdict, wide=wide),
        "-" if verdict.via is None else str(verdict.via),
        ",".join(verdict.methods) or "-",
        _shown_reasons(verdict, wide=wide),
    )
    return cells if access is None else (*cells, _shown_access(access, wide=wide))


def _shown_access(access: Judged, *, wide: bool) -> str:
    if not wide:
        return ", ".join(judged.access.value for judged in access)
    findings = [item for judged in access for item in judged.findings]
    return "; ".join(f"{item.code}: {item.message}" for item in findings) or "Granted"


def _shown_bastion(verdict: Verdict, *, wide: bool) -> str:
    if verdict.bastion is None:
        return "-"
    return verdict.bastion if wide else verdict.bastion.rsplit("/", 1)[-1]


def _shown_reasons(verdict: Verdict, *, wide: bool) -> str:
    if wide:
        return "; ".join(f"{reason.code}: {reason.message}" for reason in verdict.reasons) or "-"
    return ", ".join(reason.code for reason in verdict.reasons) or "-"
