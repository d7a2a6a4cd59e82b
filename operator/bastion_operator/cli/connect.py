"""`kubectl bastion connect`: starts what connects a person with a VM, or prints it."""

import asyncio
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass

import click

from bastion_operator.cli.connection import Wanted, Way, connection
from bastion_operator.cli.errors import Refusal
from bastion_operator.cli.selection import Choice, bastion_ids, machine_ids
from bastion_operator.cli.sources import Cluster, Source, read_inventory
from bastion_operator.network.reachability import Reachability, Verdict, judge
from bastion_operator.network.reachability.target import find_target


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """What was given on the command line."""

    source: Source
    vm: str
    bastion: str | None
    protocol: str | None
    port: int | None
    wanted: Wanted
    only_print: bool
    anyway: bool


def run_connect(options: ConnectOptions) -> int:
    """Asks, chooses and starts; returns the exit code of what was started. Raises Refusal."""
    verdict, way = _published(options) if isinstance(options.source, Cluster) else _judged(options)
    _refuse_unreachable(verdict, options)
    found = connection(verdict, options.wanted, way)
    if options.only_print:
        click.echo(found if isinstance(found, str) else shlex.join(found))
        return 0
    if isinstance(found, str):
        click.echo(f"opening {found}", err=True)
        return click.launch(found)
    return _run(found)


def _refuse_unreachable(verdict: Verdict, options: ConnectOptions) -> None:
    if verdict.verdict is Reachability.REACHABLE:
        return
    reasons = "; ".join(f"{reason.code}: {reason.message}" for reason in verdict.reasons)
    told = f"{verdict.vm_name} is {verdict.verdict.value} by {verdict.protocol.value} on port {verdict.port}: {reasons}"
    if verdict.bastion is None:
        raise Refusal(told, "there is no Bastion to try it with")
    if verdict.verdict is Reachability.UNREACHABLE and not options.anyway:
        raise Refusal(told, "mend what is named, or give --anyway to try all the same")
    click.echo(f"warning: {told}", err=True)


def _judged(options: ConnectOptions) -> tuple[Verdict, Way]:
    assert not isinstance(options.source, Cluster)
    inventory = read_inventory(options.source)
    [vm_id] = machine_ids(inventory, [options.vm])
    bastions = bastion_ids(inventory, [options.bastion]) if options.bastion else None
    protocol = options.protocol.upper() if options.protocol else None
    verdict = judge(inventory, vm_id, protocol=protocol, port=options.port, bastion_ids=bastions)
    vm = inventory.virtual_machines[vm_id.lower()]
    target = find_target(inventory, vm)
    network = target.network
    tenant = vm.tenant_id or (network.tenant_id if network is not None else None)
    address = target.address_text if len(target.addresses) == 1 else None
    return verdict, Way(tenant, address, windows=_on_windows())


def _published(options: ConnectOptions) -> tuple[Verdict, Way]:
    from bastion_operator.cli.published import chosen_of, published_verdicts  # noqa: PLC0415  only with a cluster
    from bastion_operator.cli.sources.cluster import open_cluster  # noqa: PLC0415

    assert isinstance(options.source, Cluster)
    source = options.source

    async def read() -> list[Verdict]:
        async with open_cluster(source) as cluster:
            return published_verdicts(await cluster.reports())

    choice = Choice(vms=(options.vm,), bastions=(options.bastion,) if options.bastion else ())
    found = chosen_of(asyncio.run(read()), choice, options.protocol, options.port)
    if not found:
        raise Refusal(
            f"the cluster's reports do not say whether {options.vm} is reached this way",
            "ask for another protocol, port or Bastion, or ask Azure with --azure",
        )
    return found[0], Way(windows=_on_windows())


def _on_windows() -> bool:
    return sys.platform == "win32"


def _run(command: tuple[str, ...]) -> int:
    program = shutil.which(command[0])
    if program is None:
        raise Refusal("az is not installed here", f"install the Azure CLI, or run elsewhere: {shlex.join(command)}")
    click.echo(shlex.join(command), err=True)
    return subprocess.run([program, *command[1:]], check=False).returncode  # noqa: S603  az, with the words shown
