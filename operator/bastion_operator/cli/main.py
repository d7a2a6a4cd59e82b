"""`kubectl bastion …`: the commands and their options. What a command does is imported when it runs."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from bastion_operator import __version__

EXIT_WRONG_USE = 2


class OneLineErrors(click.Group):
    """A group that tells every error in one line on stderr, with exit code 2."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, **extra: Any) -> Any:
        """Runs a command as a program: always ends by SystemExit, never with a traceback for what a user did."""
        extra.pop("standalone_mode", None)
        try:
            code = super().main(args, prog_name or "kubectl bastion", standalone_mode=False, **extra)
            sys.exit(code if isinstance(code, int) else 0)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx is not None else "kubectl bastion"
            _fail(f"{error.format_message().rstrip('.')}: see {path} --help")
        except click.ClickException as error:
            _fail(error.format_message())
        except click.Abort:
            sys.exit(130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


def _fail(message: str) -> None:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(EXIT_WRONG_USE)


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="kubectl bastion")
def main() -> None:
    """Which VMs Azure Bastion can reach, how, and why not."""


@main.command(
    epilog="""\b
Examples:
  az graph query -q "resources" --first 1000 -o json > estate.json
  kubectl bastion reach --from estate.json
  kubectl bastion reach --from estate.json --vm web-1 --protocol SSH --port 2222 -o wide
  kubectl bastion reach --from estate.json --from roles.json --principal 00000000-0000-0000-0000-000000000000
  kubectl bastion reach --from hub.json --from spokes.json -o json --fail-on Unreachable
"""
)
@click.option(
    "--from",
    "files",
    multiple=True,
    metavar="FILE",
    help="File with the resources: a list of ARM resources, or the answer of az graph query or az resource list, in JSON or"
    " JSON lines; - is the standard input. Several files are one estate.",
)
@click.option("--bastion", "bastions", multiple=True, metavar="ID", help="Ask about this Bastion only (id or name).")
@click.option(
    "--vm", "vms", multiple=True, metavar="ID", help="Ask about this VM only (id or name); may be given again."
)
@click.option(
    "--protocol", type=click.Choice(["RDP", "SSH"], case_sensitive=False), help="By default that of the VM's system."
)
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="By default 3389 for RDP, 22 for SSH.")
@click.option(
    "--principal",
    "principals",
    multiple=True,
    metavar="ID",
    help="Tell as well whether this principal (its object id in Entra) has the roles to connect; may be given again. The"
    " files must hold the role assignments, as az graph query -q authorizationresources answers them.",
)
@click.option(
    "-o", "--output", type=click.Choice(["table", "wide", "json", "yaml"]), default="table", show_default=True
)
@click.option(
    "--fixes",
    type=click.Choice(["some", "all", "none"]),
    default="some",
    show_default=True,
    help="With json and yaml: tell with each reason what would mend it, tried before it is told. some stands for the first 200"
    " verdicts with reasons.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["Unreachable", "Unknown"], case_sensitive=False),
    help="Exit with 1 if a verdict is Unreachable; with Unknown, also if one is Unknown.",
)
def reach(  # noqa: PLR0917 - click names each: the options above
    files: tuple[str, ...],
    bastions: tuple[str, ...],
    vms: tuple[str, ...],
    protocol: str | None,
    port: int | None,
    principals: tuple[str, ...],
    output: str,
    fixes: str,
    fail_on: str | None,
) -> int:
    from bastion_operator.cli.reach import ReachOptions, run_reach  # noqa: PLC0415  the engine is loaded when it is asked
    from bastion_operator.interpreter import collect_less_often  # noqa: PLC0415

    collect_less_often()
    return run_reach(ReachOptions(files, bastions, vms, protocol, port, output, fail_on, fixes, principals))


reach.help = "Tell for each VM whether a Bastion reaches it, how, and every reason if not."
