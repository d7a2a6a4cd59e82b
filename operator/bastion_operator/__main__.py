"""The operator's program: ``bastion-operator run`` and ``bastion-operator crds``."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from bastion_operator import __version__
from bastion_operator.election_options import election_options, taken_from

if TYPE_CHECKING:
    from bastion_operator.handlers.run import Address

_SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_WRONG_USE = 2
_LEASE_LOST = 3
_CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "BASTION_OPERATOR"}


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="bastion-operator")
def main() -> None:
    """Keep Azure Bastion hosts and virtual network peerings as custom resources say, and tell which VMs they reach.

    Every option has an environment variable: --metrics-bind-address of `run` is BASTION_OPERATOR_RUN_METRICS_BIND_ADDRESS.
    """


@main.command()
def crds() -> None:
    """Print the CustomResourceDefinitions, for `kubectl apply --server-side -f -`."""
    from bastion_operator.api.crds import render_crds  # noqa: PLC0415 - `run` has no need of it

    click.echo(render_crds(), nl=False)


@main.command()
@click.option("--namespace", "namespaces", multiple=True, help="Watch this namespace only; may be repeated.")
@click.option("--operator-namespace", help="The operator's own namespace, where Secrets of identities are read.")
@click.option("--installation-id", help="Mark on what is made in Azure. By default the UID of kube-system.")
@click.option("--metrics-bind-address", default=":8080", show_default=True, help="HOST:PORT of /metrics; 0 for none.")
@click.option(
    "--health-probe-bind-address",
    default=":8081",
    show_default=True,
    help="HOST:PORT of /healthz and /readyz; 0: none.",
)
@election_options
@click.option("--workers", type=click.IntRange(1, 64), default=8, show_default=True, help="Passes that run at once.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What is told on stderr: lines of this level and worse.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or a JSON object a line.",
)
@click.option(
    "--traces-endpoint",
    help="URL of a collector that takes OpenTelemetry traces by OTLP over HTTP, such as http://collector:4318; by default none.",
)
@click.option(
    "--clock-speed",
    type=click.FloatRange(min=0.01, max=10_000),
    default=1.0,
    help="Run the operator's own waits so many times as fast. For a local Azure that runs as fast.",
)
def run(
    *,
    namespaces: tuple[str, ...],
    operator_namespace: str | None,
    installation_id: str | None,
    metrics_bind_address: str,
    health_probe_bind_address: str,
    leader_elect: bool,
    workers: int,
    log_level: str,
    log_format: str,
    traces_endpoint: str | None,
    clock_speed: float,
    **election: str | None,
) -> None:
    """Run the operator until SIGTERM or SIGINT. Exit code 2: wrong settings; 3: the Lease was lost to another operator.

    The cluster is that of KUBECONFIG, or the one that the pod runs in. Azure is the public cloud, unless
    AZURE_AUTHORITY_HOST and AZURE_RESOURCE_MANAGER_ENDPOINT lead elsewhere.
    """
    # Imported here, so that --help and wrong use answer at once.
    from bastion_operator.arm.cloud import Cloud, CloudSettingsError  # noqa: PLC0415
    from bastion_operator.clock import SystemClock  # noqa: PLC0415
    from bastion_operator.handlers.run import RunSettings, run_operator  # noqa: PLC0415
    from bastion_operator.interpreter import collect_less_often, take_short_turns  # noqa: PLC0415
    from bastion_operator.kube.client import find_cluster  # noqa: PLC0415
    from bastion_operator.kube.errors import KubeError  # noqa: PLC0415
    from bastion_operator.kube.lease import LeaseLostError  # noqa: PLC0415
    from bastion_operator.log import LogFormat, start_log  # noqa: PLC0415
    from bastion_operator.reconcile.program import ProgramSettings  # noqa: PLC0415
    from bastion_operator.traces import collector_url  # noqa: PLC0415

    collect_less_often()
    take_short_turns()
    start_log(log_level, LogFormat(log_format))
    try:
        home = operator_namespace or _own_namespace()
        lease = taken_from(election).lease(home) if leader_elect else None
        settings = RunSettings(
            program=ProgramSettings(
                cloud=Cloud.from_environment(os.environ),
                cluster=find_cluster(),
                secret_namespace=home,
                installation_id=installation_id,
                workers=workers,
                namespaces=namespaces,
                lease=lease,
                traces_endpoint=collector_url(traces_endpoint),
            ),
            metrics=_address("--metrics-bind-address", metrics_bind_address),
            probes=_address("--health-probe-bind-address", health_probe_bind_address),
        )
    except (CloudSettingsError, KubeError, ValueError) as error:
        _refuse(str(error))

    async def until_stopped() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def listen() -> None:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)

        listen()
        await run_operator(settings, SystemClock(clock_speed), stop, listen)

    try:
        asyncio.run(until_stopped())
    except LeaseLostError as error:
        click.echo(f"bastion-operator: {error}", err=True)
        sys.exit(_LEASE_LOST)
    except (KubeError, OSError) as error:
        _refuse(str(error))


def _own_namespace() -> str:
    if _SERVICE_ACCOUNT_NAMESPACE.is_file():
        return _SERVICE_ACCOUNT_NAMESPACE.read_text(encoding="utf-8").strip()
    raise ValueError("the operator's own namespace is not known outside a pod: set --operator-namespace")


def _address(option: str, value: str) -> "Address | None":
    from bastion_operator.handlers.run import Address  # noqa: PLC0415 - after --help

    if value in {"", "0"}:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the highest port
        raise ValueError(f"{option} is {value!r}: write HOST:PORT, :PORT for every interface, or 0 for none")
    return Address(host.strip("[]"), int(port))


def _refuse(message: str) -> NoReturn:
    click.echo(f"bastion-operator: {message}", err=True)
    sys.exit(_WRONG_USE)


if __name__ == "__main__":
    main()
