"""`kubectl bastion topology`: its options."""

import click

from bastion_operator.cli.options import output_option, source_options
from bastion_operator.cli.sources import Source

_EXAMPLES = """\b
Examples:
  kubectl bastion topology --from estate.json
  kubectl bastion topology --from estate.json -o html > network.html
  kubectl bastion topology --from hub.json --from spokes.json -o mermaid
  kubectl bastion topology -n connectivity
"""
FORMATS = ("text", "mermaid", "dot", "svg", "html", "json", "yaml")


@click.command(epilog=_EXAMPLES)
@source_options()
@output_option(*FORMATS)
def topology(*, source: Source, output: str) -> int:
    """Draw hubs, spokes, peerings and Bastions with their states, and how many VMs each network has that are reached.

    Asked is the cluster, for what its custom resources and the operator's reports hold, unless files or Azure are named, which
    hold address spaces and regions as well, and networks that nobody asked the operator about.

    html is one page with a map and a table of all VMs with their reasons; it needs no network.
    """
    from bastion_operator.cli.topology import run_topology  # noqa: PLC0415  the engine is loaded when it is asked
    from bastion_operator.interpreter import collect_less_often  # noqa: PLC0415

    collect_less_often()
    return run_topology(source, output)
