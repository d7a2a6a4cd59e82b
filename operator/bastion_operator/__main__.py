"""The operator's program: ``bastion-operator run`` and ``bastion-operator crds``."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bastion_operator import __version__
from bastion_operator.election_options import election_options, taken_from
from bastion_operator.problems import WrongSettingsError
from bastion_operator.setting import NamespaceName, setting, unknown_variables, with_variable, wrong_settings

if TYPE_CHECKING:
    from bastion_operator.clock import Clock
    from bastion_operator.handlers.run import RunSettings

_WRONG_USE = 2
_LEASE_LOST = 3
_INTERRUPTED = 130
_CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "BASTION_OPERATOR"}


class _Program(click.Group):
    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, **extra: Any) -> Any:
        """As click does it; wrong use is told in one line, as a wrong setting is."""
        try:
            code = super().main(args, prog_name, **(extra | {"standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(_WRONG_USE)
        except click.UsageError as error:
            _refuse(" ".join(error.format_message().split()).rstrip("."))
        except click.Abort:
            sys.exit(_INTERRUPTED)
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=_Program, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="bastion-operator")
def main() -> None:
    """Keep Azure Bastion hosts and virtual network peerings as custom resources say, and tell which VMs they reach.

    Every option has an environment variable: --metrics-bind-address of `run` is BASTION_OPERATOR_RUN_METRICS_BIND_ADDRESS.
    """


@main.command(short_help="Print the CustomResourceDefinitions.")
def crds() -> None:
    """Print the CustomResourceDefinitions, for `kubectl apply --server-side -f -`."""
    from bastion_operator.api.crds import render_crds  # noqa: PLC0415 - `run` has no need of it

    click.echo(render_crds(), nl=False)


@main.command()
@setting(
    "--namespace",
    "namespaces",
    type=NamespaceName(),
    envvar=["BASTION_OPERATOR_RUN_NAMESPACE", "BASTION_OPERATOR_RUN_NAMESPACES"],
    multiple=True,
    metavar="NAME",
    help="Watch this namespace only; may be repeated. In the variable BASTION_OPERATOR_RUN_NAMESPACE (or ..._NAMESPACES) commas"
    " or spaces stand between names.",
)
@setting(
    "--operator-namespace",
    type=NamespaceName(),
    metavar="NAME",
    help="The operator's own namespace, where Secrets of identities are read.",
)
@setting("--installation-id", help="Mark on what is made in Azure. By default the UID of kube-system.")
@setting("--metrics-bind-address", default=":8080", show_default=True, help="HOST:PORT of /metrics; 0 for none.")
@setting(
    "--health-probe-bind-address",
    default=":8081",
    show_default=True,
    help="HOST:PORT of /healthz and /readyz; 0: none.",
)
@election_options
@setting("--workers", type=click.IntRange(1, 64), default=8, show_default=True, help="Passes that run at once.")
@setting(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What is told on stderr: lines of this level and worse.",
)
@setting(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or a JSON object a line.",
)
@setting(
    "--traces-endpoint",
    help="URL of a collector that takes OpenTelemetry traces by OTLP over HTTP, such as http://collector:4318; by default none.",
)
@setting(
    "--clock-speed",
    type=click.FloatRange(min=0.01, max=10_000),
    default=1.0,
    help="Run the operator's own waits so many times as fast. For a local Azure that runs as fast.",
)
@click.pass_context
def run(
    context: click.Context, /, *, leader_elect: bool, log_level: str, log_format: str, clock_speed: float, **given: Any
) -> None:
    """Run the operator until SIGTERM or SIGINT. Exit code 2: wrong settings; 3: the Lease was lost to another operator.

    The cluster is that of KUBECONFIG, or the one that the pod runs in. Azure is the public cloud, unless
    AZURE_AUTHORITY_HOST and AZURE_RESOURCE_MANAGER_ENDPOINT lead elsewhere.
    """
    # Imported here, so that --help answers at once.
    from bastion_operator.clock import SystemClock  # noqa: PLC0415
    from bastion_operator.interpreter import collect_less_often, take_short_turns  # noqa: PLC0415
    from bastion_operator.log import LogFormat, start_log  # noqa: PLC0415
    from bastion_operator.run_settings import RunOptions, read_settings  # noqa: PLC0415

    collect_less_often()
    take_short_turns()
    election, others = taken_from(given)
    options = RunOptions(**others, election=election if leader_elect else None)
    try:
        wrong = (*wrong_settings(context), *unknown_variables(context, os.environ))
        settings = read_settings(options, os.environ, wrong)
    except WrongSettingsError as error:
        _refuse(*(with_variable(context, os.environ, each) for each in error.problems))
    start_log(log_level, LogFormat(log_format))
    _run(settings, SystemClock(clock_speed))


def _run(settings: "RunSettings", clock: "Clock") -> None:
    from bastion_operator.handlers.run import run_operator  # noqa: PLC0415 - after --help
    from bastion_operator.kube.errors import KubeError  # noqa: PLC0415
    from bastion_operator.kube.lease import LeaseLostError  # noqa: PLC0415

    async def until_stopped() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def listen() -> None:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)

        listen()
        await run_operator(settings, clock, stop, listen)

    try:
        asyncio.run(until_stopped())
    except LeaseLostError as error:
        _tell(str(error))
        sys.exit(_LEASE_LOST)
    except (KubeError, OSError) as error:
        _refuse(str(error))


def _refuse(*problems: str) -> NoReturn:
    for each in problems:
        _tell(each)
    sys.exit(_WRONG_USE)


def _tell(line: str) -> None:
    click.echo(f"bastion-operator: {line}", err=True)


if __name__ == "__main__":
    main()
