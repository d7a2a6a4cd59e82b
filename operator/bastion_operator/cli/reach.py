"""`kubectl bastion reach`: verdicts from files."""

import gc
from collections.abc import Iterable
from dataclasses import dataclass

import click

from bastion_operator.cli.estate_files import read_inventory
from bastion_operator.cli.verdicts import show_verdicts
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Reachability, Verdict, judge_all

EXIT_CHECK_FAILED = 1


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


def run_reach(options: ReachOptions) -> int:
    """Reads, judges and shows; returns the exit code. Raises click.ClickException for what the user can mend."""
    if not options.files:
        raise click.UsageError("give --from FILE with the resources to judge, for example the answer of az graph query")
    gc.disable()  # a program of a few seconds: what is read stays in use to the end, and looking through it costs half the time
    inventory = read_inventory(options.files)
    verdicts = judge_all(
        inventory,
        vm_ids=_vm_ids(inventory, options.vms) if options.vms else None,
        protocols=(options.protocol.upper() if options.protocol else None,),
        port=options.port,
        bastion_ids=_bastion_ids(inventory, options.bastions) if options.bastions else None,
    )
    show_verdicts(verdicts, options.output)
    return EXIT_CHECK_FAILED if _fails(verdicts, options.fail_on) else 0


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
