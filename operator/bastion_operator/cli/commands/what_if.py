"""`kubectl bastion what-if`: its options."""

import click

from bastion_operator.cli.options import output_option, source_options
from bastion_operator.cli.sources import Source

_EXAMPLES = """\b
Examples:
  kubectl bastion what-if -f bastion-host.yaml -f vnet-peering.yaml --from estate.json
  kubectl bastion what-if --terraform plan.json --from estate.json --fail-on-loss
  kubectl bastion what-if --arm whatif.json --from estate.json -o json
"""


@click.command("what-if", epilog=_EXAMPLES)
@click.option(
    "-f",
    "--filename",
    "manifests",
    multiple=True,
    metavar="FILE",
    help="Custom resources, a file or a folder: what would the operator change in Azure for them? - is the standard input.",
)
@click.option("--terraform", metavar="PLAN.json", help="A plan of Terraform's, as terraform show -json writes it.")
@click.option("--arm", metavar="WHATIF.json", help="An answer of az deployment … what-if --no-pretty-print -o json.")
@click.option(
    "--new-in",
    "new_in",
    metavar="ID",
    help="With --terraform: the subscription of new resources, where the plan does not tell it.",
)
@source_options()
@output_option("text", "json", "yaml")
@click.option("--fail-on-loss", is_flag=True, help="Exit with 1 if a VM that is reachable would not be any more.")
def what_if(
    *,
    manifests: tuple[str, ...],
    terraform: str | None,
    arm: str | None,
    new_in: str | None,
    source: Source,
    output: str,
    fail_on_loss: bool,
) -> int:
    """Tell what the operator would change for custom resources, and what that, or the plan of another tool, would do to reachability.

    Nothing is written. Without --from, Azure is asked with your own login; with -f and without --azure, the cluster as well,
    for what it holds of the custom resources.
    """
    from bastion_operator.cli.what_if import WhatIfOptions, run_what_if  # noqa: PLC0415  the engine is loaded when it is asked

    return run_what_if(WhatIfOptions(source, manifests, terraform, arm, new_in, output, fail_on_loss))
