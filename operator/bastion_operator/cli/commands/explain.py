"""`kubectl bastion explain`: its options."""

import click

from bastion_operator.cli.options import output_option, question_options, source_options
from bastion_operator.cli.sources import Source

_EXAMPLES = """\b
Examples:
  kubectl bastion explain db-1 --from estate.json
  kubectl bastion explain db-1 --from estate.json --protocol RDP --port 3390
  kubectl bastion explain db-1 --from estate.json -o json
  kubectl bastion explain db-1 --azure --subscription production
  kubectl bastion explain db-1 -n connectivity
"""


@click.command(epilog=_EXAMPLES)
@click.argument("vm")
@source_options()
@click.option("--bastion", metavar="ID", help="The way from this Bastion (id or name); by default from the best.")
@question_options
@output_option("text", "wide", "json", "yaml")
def explain(
    *, vm: str, source: Source, bastion: str | None, protocol: str | None, port: int | None, output: str
) -> None:
    """Tell the whole way to VM (id or name), hop by hop, and how to mend what stands in it.

    From files or Azure each table of rules is shown with the row that decides, for the way there and for the way back. The
    cluster's reports hold the reasons, and not the tables. wide shows every row, and ids in full.
    """
    from bastion_operator.cli.explain import ExplainOptions, run_explain  # noqa: PLC0415  the engine is loaded when it is asked

    run_explain(ExplainOptions(source, vm, bastion, protocol, port, output))
