"""The command `arm-emulator`."""

import asyncio
import sys
from pathlib import Path

import click

from arm_emulator import __version__
from arm_emulator.best_time import Calls, bounds
from arm_emulator.cloud import PAGE_SIZE
from arm_emulator.environment import ReadyLineError, exports
from arm_emulator.estate import EstateError
from arm_emulator.principals_file import PrincipalsError
from arm_emulator.resource_types.quotas import QUOTAS
from arm_emulator.serve import Options, serve
from arm_emulator.state import StateError
from arm_emulator.throttling import ARM_BUCKETS

_LAST_PORT = 65535


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """A local Azure Resource Manager for networking: real TLS, real tokens, long operations, Bastion's rules."""


@main.command(name="serve", short_help="Serve it over TLS, until it is stopped.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="HOST:PORT; port 0 picks a free one.")
@click.option(
    "--estate",
    "estates",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file of ARM resources to start with (as az or Resource Graph write them); may be given several times.",
)
@click.option("--speed", default=1.0, show_default=True, help="Divides every waiting time of Azure.")
@click.option(
    "--min-retry-after",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="The least Retry-After in seconds. az and the SDKs take 0 for none and wait 30 seconds: give them 1.",
)
@click.option("--request-log", type=click.Path(path_type=Path), help="Where to write a JSON line for each request.")
@click.option("--state", type=click.Path(path_type=Path), help="A file that keeps the state over restarts.")
@click.option("--control", is_flag=True, help="Opens the control side below /_emulator/.")
@click.option(
    "--token-lifetime",
    default=3599.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds that access tokens live.",
)
@click.option(
    "--graph-lag",
    default=2.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds (divided by speed) that Resource Graph lags.",
)
@click.option("--public-ip-quota", default=10, show_default=True, help="Public IPs for each subscription and region.")
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    help="TYPE=N, such as Microsoft.Network/virtualNetworks=5: how many for each subscription and region.",
)
@click.option(
    "--page-size",
    default=PAGE_SIZE,
    show_default=True,
    type=click.IntRange(min=1),
    help="Entries on a page of a list, at most; small ones show whether a client follows nextLink.",
)
@click.option("--throttling/--no-throttling", default=True, show_default=True, help="Whether to refuse over budget.")
@click.option(
    "--principals",
    type=click.Path(path_type=Path),
    help="A file of principals with their rights, in place of operator, somebody and reader (see the README).",
)
@click.option(
    "--imds",
    help="HOST:PORT of a second, plain http listener: the endpoints at which machines in Azure get managed identities.",
)
@click.option("--exit-with-parent", is_flag=True, help="Ends when the process that started it has gone.")
def serve_command(  # one parameter for each option of the command line
    *,
    listen: str,
    estates: tuple[Path, ...],
    speed: float,
    min_retry_after: int,
    request_log: Path | None,
    state: Path | None,
    control: bool,
    token_lifetime: float,
    graph_lag: float,
    public_ip_quota: int,
    quotas: tuple[str, ...],
    page_size: int,
    throttling: bool,
    exit_with_parent: bool,
    principals: Path | None,
    imds: str | None,
) -> None:
    """Serves Azure until it is told to stop; prints one JSON line when it is ready."""
    host, port = _place("--listen", listen)
    if speed <= 0:
        raise click.UsageError(f"--speed: must be above 0, not {speed}")
    options = Options(
        host,
        port,
        estates,
        speed,
        request_log,
        state,
        control,
        token_lifetime,
        graph_lag,
        public_ip_quota,
        throttling,
        exit_with_parent,
        principals,
        min_retry_after,
        None if imds is None else _place("--imds", imds),
        dict(_quota(text) for text in quotas),
        page_size,
    )
    try:
        asyncio.run(serve(options))
    except (EstateError, PrincipalsError, StateError, OSError) as error:
        click.echo(f"arm-emulator: {error}", err=True)
        sys.exit(2)


@main.command(name="env", short_help="Print shell lines that lead clients to it.")
@click.argument("ready", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--client", help="The principal whose credentials are exported, by name; the first where left out.")
def env_command(ready: Path, client: str | None) -> None:
    """Prints shell lines that lead clients to an emulator, for `eval`: READY is a file with the line that `serve` printed."""
    try:
        click.echo(exports(ready, client), nl=False)
    except ReadyLineError as error:
        click.echo(f"arm-emulator: {error}", err=True)
        sys.exit(2)


@main.command(name="best-time", short_help="Print the least time that calls can take.")
@click.option("--speed", default=1.0, show_default=True, help="That of the emulator.")
@click.argument("calls", nargs=-1, required=True, metavar="SUBSCRIPTION/REGION/KIND=COUNT...")
def best_time_command(speed: float, calls: tuple[str, ...]) -> None:
    """Prints the least time that calls can take within Azure's budgets, and which budget sets it; KIND is reads, writes
    or deletes.
    """
    if speed <= 0:
        raise click.UsageError(f"--speed: must be above 0, not {speed}")
    for bound in bounds([_calls(text) for text in calls], speed):
        click.echo(f"{bound.seconds:10.1f} s  {bound.budget}")


def _calls(text: str) -> Calls:
    """Raises a usage error."""
    place, _, count = text.rpartition("=")
    subscription, _, rest = place.partition("/")
    region, _, kind = rest.partition("/")
    if not subscription or not region or kind not in ARM_BUCKETS or not count.isdecimal():
        raise click.UsageError(
            f"{text!r} is not SUBSCRIPTION/REGION/KIND=COUNT, with KIND one of {', '.join(ARM_BUCKETS)}"
        )
    return Calls(subscription, region, kind, int(count))


def _quota(text: str) -> tuple[str, int]:
    """Type (lower-case) and number of `TYPE=N`. Raises a usage error."""
    kind, _, number = text.partition("=")
    if kind.lower() not in QUOTAS or not number.isdecimal():
        raise click.UsageError(f"--quota: {text!r} is not TYPE=N, with TYPE one of {', '.join(QUOTAS)}")
    return kind.lower(), int(number)


def _place(option: str, text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises UsageError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _LAST_PORT:
        raise click.UsageError(f"{option}: expected HOST:PORT with a port up to {_LAST_PORT}, not {text!r}")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    main()
