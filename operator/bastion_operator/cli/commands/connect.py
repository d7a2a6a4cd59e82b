"""`kubectl bastion connect`: its options."""

import click

from bastion_operator.cli.options import question_options, source_options
from bastion_operator.cli.sources import Source

_EXAMPLES = """\b
Examples:
  kubectl bastion connect web-1 --from estate.json --print
  kubectl bastion connect web-1 --from estate.json --method tunnel --local-port 2222 --print
  kubectl bastion connect web-1 --from estate.json --user azureuser --ssh-key ~/.ssh/id_rsa --print
"""


@click.command(epilog=_EXAMPLES)
@click.argument("vm")
@source_options()
@click.option("--bastion", metavar="ID", help="Take this Bastion (id or name), not the best.")
@question_options
@click.option(
    "--method",
    type=click.Choice(["ssh", "rdp", "tunnel", "portal"]),
    help="By default the native client where the Bastion has it on (a tunnel for RDP where this machine is no Windows),"
    " else the portal.",
)
@click.option("--user", metavar="NAME", help="With ssh: sign in as this user, not as yourself in Entra.")
@click.option("--ssh-key", metavar="FILE", help="With ssh and --user: the private key. By default a password.")
@click.option(
    "--local-port", type=click.IntRange(1, 65535), metavar="N", help="With tunnel. By default the VM's own port."
)
@click.option("--print", "only_print", is_flag=True, help="Print the command or the portal's page, and start nothing.")
@click.option("--anyway", is_flag=True, help="Also where the verdict says that it will not work.")
def connect(
    *,
    vm: str,
    source: Source,
    bastion: str | None,
    protocol: str | None,
    port: int | None,
    method: str | None,
    user: str | None,
    ssh_key: str | None,
    local_port: int | None,
    only_print: bool,
    anyway: bool,
) -> int:
    """Connect with VM (id or name) through its best Bastion: az network bastion ssh, rdp or tunnel, or the portal's page.

    Refuses with the reason where the VM cannot be reached. Ends with the exit code of az.
    """
    from bastion_operator.cli.connect import ConnectOptions, run_connect  # noqa: PLC0415  the engine is loaded when it is asked
    from bastion_operator.cli.connection import Wanted  # noqa: PLC0415

    wanted = Wanted(method, user, ssh_key, local_port)
    return run_connect(
        ConnectOptions(source, vm, bastion, protocol, port, wanted, only_print=only_print, anyway=anyway)
    )
