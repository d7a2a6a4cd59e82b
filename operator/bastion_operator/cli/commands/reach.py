"""`kubectl bastion reach`: its options."""

import click

from bastion_operator.cli.options import (
    FIXES,
    SOME,
    TABLES,
    Words,
    complete_code,
    given,
    output_option,
    question_options,
    source_options,
)
from bastion_operator.cli.sources import Cluster, Source

_EXAMPLES = """\b
Examples:
  kubectl bastion reach --from estate.json
  kubectl bastion reach --from estate.json --vm web-1 --protocol SSH --port 2222 -o wide
  kubectl bastion reach --from estate.json --from roles.json --principal 00000000-0000-0000-0000-000000000000
  kubectl bastion reach --from hub.json --from spokes.json -o json --fail-on Unreachable
  kubectl bastion reach --azure --subscription production --tag env=prod --verdict Unreachable
  kubectl bastion reach -n connectivity --watch
"""


@click.command(epilog=_EXAMPLES)
@source_options()
@click.option(
    "--vm", "vms", multiple=True, metavar="ID", help="Ask about this VM only (id or name); may be given again."
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Ask about VMs with this tag only; of several each VM has all.",
)
@click.option(
    "--subnet",
    "subnets",
    multiple=True,
    metavar="ID",
    help="Ask about VMs in this subnet only (id, name, or VNET/SUBNET); may be given again.",
)
@click.option("--bastion", "bastions", multiple=True, metavar="ID", help="Ask about this Bastion only (id or name).")
@click.option(
    "--verdict",
    "verdicts",
    multiple=True,
    type=Words("Reachable", "Unreachable", "Unknown"),
    help="Show these verdicts only; may be given again.",
)
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    metavar="CODE",
    shell_complete=complete_code,
    help="Show verdicts with this reason only; may be given again.",
)
@question_options
@click.option(
    "--principal",
    "principals",
    multiple=True,
    metavar="ID",
    help="Tell as well whether this principal (its object id in Entra) has the roles to connect; may be given again. The"
    " files must hold the role assignments, as az graph query -q authorizationresources answers them.",
)
@output_option()
@click.option(
    "--fixes",
    type=click.Choice(FIXES),
    default=SOME,
    show_default=True,
    help="With json and yaml: tell with each reason what would mend it, tried before it is told. some stands for the first 200"
    " verdicts with reasons.",
)
@click.option(
    "--fail-on",
    type=Words("Unreachable", "Unknown"),
    help="Exit with 1 if a verdict that is shown is Unreachable; with Unknown, also if one is Unknown.",
)
@click.option(
    "-w",
    "--watch",
    is_flag=True,
    help="Go on, and show what turns: of the cluster at once, of the others now and then.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=1, max=86_400),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="With --watch of files or Azure: how often to look.",
)
def reach(
    *,
    source: Source,
    vms: tuple[str, ...],
    tags: tuple[str, ...],
    subnets: tuple[str, ...],
    bastions: tuple[str, ...],
    verdicts: tuple[str, ...],
    reasons: tuple[str, ...],
    protocol: str | None,
    port: int | None,
    principals: tuple[str, ...],
    output: str,
    fixes: str,
    fail_on: str | None,
    watch: bool,
    interval: float,
) -> int:
    """Tell for each VM whether a Bastion reaches it, how, and every reason if not.

    Asked are the reports that the operator writes in the cluster, unless files or Azure are named. A file is had by
    az graph query -q resources --first 1000 -o json > estate.json.
    """
    from bastion_operator.cli.reach import ReachOptions, run_reach  # noqa: PLC0415  the engine is loaded when it is asked
    from bastion_operator.cli.selection import Choice  # noqa: PLC0415
    from bastion_operator.interpreter import collect_less_often  # noqa: PLC0415

    if given("interval") and (not watch or isinstance(source, Cluster)):
        why = "the cluster is watched, and tells at once: leave it out" if watch else "give --watch as well"
        raise click.UsageError(f"--interval is for --watch of files or Azure: {why}")
    if given("fixes") and output in TABLES:
        raise click.UsageError("--fixes is for -o json and -o yaml: a table shows none")
    collect_less_often()
    choice = Choice(vms, tags, subnets, bastions, verdicts, reasons)
    options = ReachOptions(source, output, choice, protocol, port, fail_on, fixes, principals)
    if not watch:
        return run_reach(options)
    from bastion_operator.cli.reach_watch import run_watch  # noqa: PLC0415

    run_watch(options, interval)
    return 0
