"""`kubectl bastion doctor`: its options."""

import click

from bastion_operator.cli.options import given, output_option, source_options
from bastion_operator.cli.sources import Cluster, Source

_EXAMPLES = """\b
Examples:
  kubectl bastion doctor
  kubectl bastion doctor --operator-namespace access -o json
  kubectl bastion doctor --azure --subscription production
  kubectl bastion doctor --from estate.json
"""


@click.command(epilog=_EXAMPLES)
@source_options()
@click.option(
    "--operator-namespace",
    default="bastion-operator",
    show_default=True,
    metavar="NAME",
    help="The namespace in which the operator runs.",
)
@output_option("text", "json", "yaml")
def doctor(*, source: Source, operator_namespace: str, output: str) -> int:
    """Check an installation, with the fix for whatever is wrong. Exits with 1 if a check says no.

    Of the cluster: the API server, the CRDs and their version, the operator, its rights and yours, identities, and what custom
    resources say of Azure. With --azure, of your login: what it may do in each subscription, beside what the operator's role
    allows, and Azure's limits. With --from: the limits alone.
    """
    if given("operator_namespace") and not isinstance(source, Cluster):
        raise click.UsageError(
            "--operator-namespace is for the cluster, which --azure and --from do not ask: leave it out"
        )
    from bastion_operator.cli.doctor.run import run_doctor  # noqa: PLC0415  the checks are loaded when they are asked

    return run_doctor(source, operator_namespace, output)
