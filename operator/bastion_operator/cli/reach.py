"""`kubectl bastion reach`: verdicts from files."""

import gc
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import click

from bastion_operator.cli.estate_files import read_inventory
from bastion_operator.cli.verdicts import show_verdicts
from bastion_operator.network.access import AccessEvaluation, AccessVerdict, Principal, with_access
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fixes import explain
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Evaluation, Reachability, Verdict, judge_all

EXIT_CHECK_FAILED = 1
SOME, ALL, NONE = "some", "all", "none"
FIXES = (SOME, ALL, NONE)
MOST_EXPLAINED = 200
"""Verdicts that get fixes unless all were asked for: trying a fix takes some milliseconds."""
_OBJECT_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReachOptions:
    """What was given on the command line."""

    files: tuple[str, ...]
    bastions: tuple[str, ...]
    vms: tuple[str, ...]
    protocol: str | None
    port: int | None
    output: str
    fail_on: str | None
    fixes: str = SOME
    principals: tuple[str, ...] = ()


def run_reach(options: ReachOptions) -> int:
    """Reads, judges and shows; returns the exit code. Raises click.ClickException for what the user can mend."""
    if not options.files:
        raise click.UsageError("give --from FILE with the resources to judge, for example the answer of az graph query")
    gc.disable()  # a program of a few seconds: what is read stays in use to the end, and looking through it costs half the time
    inventory = read_inventory(options.files)
    evaluation = Evaluation(inventory)
    verdicts = judge_all(
        inventory,
        evaluation=evaluation,
        vm_ids=_vm_ids(inventory, options.vms) if options.vms else None,
        protocols=(options.protocol.upper() if options.protocol else None,),
        port=options.port,
        bastion_ids=_bastion_ids(inventory, options.bastions) if options.bastions else None,
    )
    access = _access(inventory, verdicts, options.principals)
    told = list(_explained(verdicts, evaluation, options))
    if access:
        told = [with_access(*pair) for pair in zip(told, access, strict=True)]
    show_verdicts(told, options.output, access)
    return EXIT_CHECK_FAILED if _fails(verdicts, options.fail_on) else 0


def _explained(verdicts: list[Verdict], evaluation: Evaluation, options: ReachOptions) -> Iterator[Verdict]:
    """The verdicts, those with reasons with a fix in each where the output shows it."""
    failing = sum(bool(verdict.reasons) for verdict in verdicts)
    shown = options.output in {"json", "yaml"} and options.fixes != NONE
    left = (failing if options.fixes == ALL else min(failing, MOST_EXPLAINED)) if shown else 0
    if shown and left < failing:
        click.echo(f"fixes for the first {left} of {failing} verdicts with reasons; --fixes all for each", err=True)
    for verdict in verdicts:
        if verdict.reasons and left:
            left -= 1
            yield explain(verdict, evaluation.inventory, evaluation=evaluation, warnings_too=False)
        else:
            yield verdict


def _access(
    inventory: Inventory, verdicts: Iterable[Verdict], principals: tuple[str, ...]
) -> list[tuple[AccessVerdict, ...]]:
    """What each principal may do, for each verdict; nothing where nobody was asked about."""
    for each in principals:
        if not _OBJECT_ID.fullmatch(each):
            raise click.UsageError(f"--principal {each} is no object id: az ad user show --id NAME --query id tells it")
    if not principals:
        return []
    evaluation = AccessEvaluation(inventory, [Principal(each) for each in dict.fromkeys(principals)])
    return [evaluation.judge(verdict) for verdict in verdicts]


def _fails(verdicts: Iterable[Verdict], fail_on: str | None) -> bool:
    if fail_on is None:
        return False
    failing = {Reachability.UNREACHABLE}
    if fail_on.lower() == "unknown":
        failing.add(Reachability.UNKNOWN)
    return any(verdict.verdict in failing for verdict in verdicts)


def _vm_ids(inventory: Inventory, wanted: tuple[str, ...]) -> list[str]:
    machines = inventory.virtual_machines
    found: list[str] = []
    for text in wanted:
        by_id = text.startswith("/")
        fits = [vm.id for vm in machines.values() if _fits(text, vm.key, vm.name, by_id=by_id)]
        if not fits:
            raise click.ClickException(f"VM {text} is not in the files: check it, or add the file that holds it")
        found.extend(fits)
    return found


def _bastion_ids(inventory: Inventory, wanted: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for text in wanted:
        if text.startswith("/"):
            found.append(text)
            continue
        fits = [host.id for host in inventory.bastions.values() if _fits(text, host.key, host.name, by_id=False)]
        if not fits:
            raise click.ClickException(f"Bastion {text} is not in the files: check it, or add the file that holds it")
        found.extend(fits)
    return found


def _fits(text: str, key: str, name: str, *, by_id: bool) -> bool:
    return normalise_id(text) == key if by_id else text.lower() == name.lower()
