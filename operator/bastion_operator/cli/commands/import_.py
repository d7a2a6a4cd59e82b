"""`kubectl bastion import`: its options."""

import click

from bastion_operator.cli.options import output_option, source_options
from bastion_operator.cli.sources import Azure, Files

_EXAMPLES = """\b
Examples:
  kubectl bastion import --from estate.json > found.yaml
  kubectl bastion import --from estate.json -n azure --identity platform -o json
"""


@click.command("import", epilog=_EXAMPLES)
@source_options(cluster=False)
@click.option(
    "-n", "--namespace", metavar="NAME", help="Namespace of the custom resources. By default kubectl decides."
)
@click.option(
    "--identity", default="default", show_default=True, metavar="NAME", help="The AzureIdentity that they name."
)
@output_option("yaml", "json")
def import_(*, source: Files | Azure, namespace: str | None, identity: str, output: str) -> int:
    """Write custom resources for the Bastions and peerings that stand, to be kept by the operator from then on.

    They only observe (managementPolicy: Observe): applying them changes nothing. Each is planned as if it managed what it
    names; what the operator would change then is told in a comment above it, and is nothing for what is sound.
    """
    from bastion_operator.cli.importing import run_import  # noqa: PLC0415  the engine is loaded when it is asked
    from bastion_operator.planning.importing import Placement  # noqa: PLC0415

    return run_import(source, Placement(namespace, identity), output)
