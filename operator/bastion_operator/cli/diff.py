"""`kubectl bastion diff`: the verdicts on two estates, and what turned between them."""

import gc
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bastion_operator.cli.errors import Refusal
from bastion_operator.cli.program import EXIT_CHECK_FAILED
from bastion_operator.cli.progress import progress
from bastion_operator.cli.selection import find_named
from bastion_operator.cli.sources import Azure, Files, read_inventory
from bastion_operator.cli.table import Column, show_table
from bastion_operator.cli.verdicts import reason_document, show_documents
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Verdict, judge_all
from bastion_operator.network.verdict_changes import FieldChange, Kind, VerdictChange, verdict_changes

_ESTATE_FILES = (".json", ".jsonl")


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """What was given on the command line; ``before`` and ``after`` are files or folders, ``after`` may be live Azure."""

    before: str
    after: str | Azure
    vms: tuple[str, ...]
    protocol: str | None
    port: int | None
    everything: bool
    output: str


def run_diff(options: DiffOptions) -> int:
    """Reads both, judges and shows; returns the exit code. Raises click.ClickException for what the user can mend."""
    gc.disable()  # a program of a few seconds: what is read stays in use to the end, and looking through it costs half the time
    before = read_inventory(_files(options.before))
    after = read_inventory(options.after if isinstance(options.after, Azure) else _files(options.after))
    if before.virtual_machines and not after.virtual_machines:
        raise Refusal(
            f"AFTER holds no VM, and BEFORE holds {len(before.virtual_machines)}: a check by it would say yes to anything",
            "see that AFTER is the whole estate",
        )
    changes = compared(before, after, options)
    shown = [one for one in changes if options.everything or one.kind is not Kind.SAME]
    show_changes(shown, changes, options.output)
    return EXIT_CHECK_FAILED if any(one.kind is Kind.LOST for one in changes) else 0


def compared(before: Inventory, after: Inventory, options: DiffOptions) -> list[VerdictChange]:
    """What became of each VM that is asked about. Raises Refusal for a name that fits none, or several."""
    with progress("judging both estates"):
        earlier, later = (_judged(each, options) for each in (before, after))
        changes = verdict_changes(earlier, later, (before, after))
    if not options.vms:
        return changes
    named = [*{one.verdict.vm.lower(): (one.verdict.vm, one.verdict.vm_name) for one in changes}.values()]
    wanted = {find_named("VM", text, named).lower() for text in options.vms}
    return [one for one in changes if one.verdict.vm.lower() in wanted]


def _judged(inventory: Inventory, options: DiffOptions) -> list[Verdict]:
    protocol = options.protocol.upper() if options.protocol else None
    return judge_all(inventory, protocols=(protocol,), port=options.port)


def _files(name: str) -> Files:
    """A file, or all estate files of a folder."""
    folder = Path(name)
    if not folder.is_dir():
        return Files((name,))
    found = sorted(str(each) for each in folder.iterdir() if each.suffix in _ESTATE_FILES)
    if not found:
        raise Refusal(
            f"the folder {name} holds no estate file", "name a file, or a folder with *.json or *.jsonl files"
        )
    return Files(tuple(found))


def show_changes(shown: Sequence[VerdictChange], every: Sequence[VerdictChange], output: str) -> None:
    """Writes changes to stdout, as table, wide, json or yaml; ``every`` is what the sums are of."""
    sums = Counter(one.kind.value.lower() for one in every)
    if output in {"json", "yaml"}:
        document = {kind.value.lower(): sums[kind.value.lower()] for kind in Kind}
        show_documents(document | {"changes": [change_document(one) for one in shown]}, output)
        return
    if shown:
        show_table(_columns(wide=output == "wide"), [_cells(one, wide=output == "wide") for one in shown])
    click.echo(", ".join(f"{sums[kind.value.lower()]} {kind.value.lower()}" for kind in Kind))


def change_document(change: VerdictChange) -> dict[str, Any]:
    """The public form of what became of one VM, protocol and port."""
    verdict = change.verdict
    return {
        "vm": verdict.vm,
        "protocol": verdict.protocol.value,
        "port": verdict.port,
        "change": change.kind.value,
        "before": _side(change.before),
        "after": _side(change.after),
        "newReasons": [reason_document(each) for each in change.new],
        "goneReasons": [reason_document(each) for each in change.gone],
        "because": [
            {"resource": each.resource, "field": each.field, "before": each.before, "after": each.after}
            for each in change.because
        ],
    }


def _side(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "verdict": verdict.verdict.value,
        "bastion": verdict.bastion,
        "via": None if verdict.via is None else verdict.via.value,
        "methods": [method.value for method in verdict.methods],
    }


def _columns(*, wide: bool) -> list[Column]:
    heads = ("CHANGE", "VM", "PROTOCOL", "PORT", "BEFORE", "AFTER")
    told = ("WHY", "BECAUSE") if wide else ("WHY",)
    return [Column(head, whole=head != "VM") for head in heads] + [Column(head, apart=True) for head in told]


def _cells(change: VerdictChange, *, wide: bool) -> tuple[str, ...]:
    verdict = change.verdict
    cells = (
        change.kind.value,
        verdict.vm if wide else verdict.vm_name,
        verdict.protocol.value,
        str(verdict.port),
        _word(change.before),
        _word(change.after),
        _why(change, wide=wide),
    )
    return (*cells, "; ".join(map(_because, change.because)) or "-") if wide else cells


def _word(verdict: Verdict | None) -> str:
    return "-" if verdict is None else verdict.verdict.value


def _why(change: VerdictChange, *, wide: bool) -> str:
    """What stands in the way now, and what no longer does; else how it is reached otherwise."""
    if change.after is None:
        # What stood in the way of a VM that is gone was not mended.
        return "-"
    new = [f"{each.code}: {each.message}" if wide else str(each.code) for each in change.new]
    gone = [f"no longer {each.code}" for each in change.gone]
    if new or gone:
        return "; ".join((*new, *gone))
    before, after = change.before, change.after
    if before is None or change.kind is Kind.SAME:
        return "-"
    turned = (
        (before.verdict.value, after.verdict.value),
        (_name(before.bastion), _name(after.bastion)),
        (before.via, after.via),
        (",".join(before.methods), ",".join(after.methods)),
    )
    return "; ".join(f"{was or '-'} -> {now or '-'}" for was, now in turned if was != now)


def _because(change: FieldChange) -> str:
    return f"{_name(change.resource)} {change.field}: {_short(change.before)} -> {_short(change.after)}"


_LONGEST = 60


def _short(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _name(resource_id: str | None) -> str:
    return "" if resource_id is None else resource_id.rstrip("/").rsplit("/", 1)[-1]
