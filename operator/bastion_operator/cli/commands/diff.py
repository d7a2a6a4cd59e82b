"""`kubectl bastion diff`: its options."""

import click

from bastion_operator.cli.options import output_option, question_options

_EXAMPLES = """\b
Examples:
  kubectl bastion diff before.json after.json
  kubectl bastion diff before.json after.json -o json
  kubectl bastion diff before.json after.json --vm web-1 --all -o wide
  kubectl bastion diff before.json --azure --subscription production
"""


@click.command(epilog=_EXAMPLES)
@click.argument("before", type=click.Path(allow_dash=True))
@click.argument("after", type=click.Path(allow_dash=True), required=False)
@click.option("--azure", is_flag=True, help="Compare with Azure as it is now, by your own login, in place of AFTER.")
@click.option("--tenant", metavar="ID", help="With --azure: sign in to this tenant.")
@click.option(
    "--subscription", "subscriptions", multiple=True, metavar="ID", help="With --azure: look at this subscription only."
)
@click.option("--vm", "vms", multiple=True, metavar="ID", help="Compare this VM only (id or name); may be given again.")
@question_options
@click.option("--all", "everything", is_flag=True, help="Show VMs as well for which nothing changes.")
@output_option()
def diff(
    *,
    before: str,
    after: str | None,
    azure: bool,
    tenant: str | None,
    subscriptions: tuple[str, ...],
    vms: tuple[str, ...],
    protocol: str | None,
    port: int | None,
    everything: bool,
    output: str,
) -> int:
    """Tell which VMs gain or lose reachability from BEFORE to AFTER, and why.

    Each is an estate: a file, or a folder whose files (*.json, *.jsonl) are one estate. Ends with 1 if a VM that could be
    reached no longer can, or it can no longer be told: a gate for pipelines. A VM that is not there any more is no loss.
    """
    from bastion_operator.cli.diff import DiffOptions, run_diff  # noqa: PLC0415  the engine is loaded when it is asked
    from bastion_operator.cli.sources import Azure  # noqa: PLC0415

    if after is None and not azure:
        raise click.UsageError("AFTER is missing: name a second estate, or give --azure")
    if after is not None and azure:
        raise click.UsageError("AFTER and --azure are two estates to compare with: give one of them")
    if not azure and (tenant or subscriptions):
        raise click.UsageError("--tenant and --subscription are for Azure: give --azure as well")
    later = Azure(tenant, subscriptions) if after is None else after
    return run_diff(DiffOptions(before, later, vms, protocol, port, everything, output))
