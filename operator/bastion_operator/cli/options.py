"""Options that commands share, so that each means the same everywhere."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from bastion_operator.cli.sources import Azure, Cluster, Files, Source

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])
TABLES = ("table", "wide")
FORMATS = (*TABLES, "json", "yaml")
SOME, ALL, NONE = "some", "all", "none"
FIXES = (SOME, ALL, NONE)
"""With which reasons a document tells what would mend them."""


class Words(click.Choice[str]):
    """Words that are taken in any case, and shown as they are everywhere else."""

    def __init__(self, *words: str) -> None:
        super().__init__(words, case_sensitive=False)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """The words in their own case."""
        del param, ctx
        return f"[{'|'.join(self.choices)}]"

    def get_invalid_choice_message(self, value: object, ctx: click.Context | None) -> str:
        """The same for what is none of them."""
        del ctx
        return f"{value!r} is not one of {', '.join(map(repr, self.choices))}."

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """The words that begin so, in whatever case that is written."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  only when somebody completes

        del ctx, param
        return [CompletionItem(word) for word in self.choices if word.lower().startswith(incomplete.lower())]


def output_option(*formats: str) -> Callable[[Command], Command]:
    """``-o``: one of the formats, the first by default; without any, those of every table.

    Every command takes ``table`` and ``wide``: the command gets its first format in place of those that it does not have.
    """
    own = formats or FORMATS
    lacking = tuple(each for each in TABLES if each not in own)

    def of_its_own(_context: click.Context, _parameter: click.Parameter, output: str) -> str:
        return own[0] if output in lacking else output

    alike = f"; {' and '.join((own[0], *lacking))} are the same" if lacking else ""
    return click.option(
        "-o",
        "--output",
        type=click.Choice((*own, *lacking)),
        default=own[0],
        show_default=True,
        callback=of_its_own,
        help=f"How to show it{alike}.",
    )


def given(name: str) -> bool:
    """Whether the command's parameter was given, and is not its default."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def complete_code(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The codes of reasons that begin so, for completion."""
    from bastion_operator.network.codes import CODES  # noqa: PLC0415  only when somebody completes

    return [code for code in CODES if code.lower().startswith(incomplete.lower())]


def question_options(command: Command) -> Command:
    """``--protocol`` and ``--port``: by what a VM is to be reached."""
    protocol = click.option(
        "--protocol",
        type=Words("RDP", "SSH"),
        help="By default that of the VM's system.",
    )
    port = click.option(
        "--port", type=click.IntRange(1, 65535), metavar="N", help="By default 3389 for RDP, 22 for SSH."
    )
    return protocol(port(command))


def source_options(*, cluster: bool = True) -> Callable[[Command], Command]:
    """Where the facts come from. The command gets one argument ``source``: Files, Azure or Cluster.

    Without ``cluster`` the command needs an estate, which the cluster does not hold: files or Azure must be named.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_source(**given: Any) -> Any:
            chosen = _chosen({each: given.pop(each) for each in names}, cluster=cluster)
            return command(source=chosen, **given)

        decorated: Any = with_source
        for option in reversed(options):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]  # click's decorators answer what they were given

    options = (*_ESTATE_OPTIONS, *(_CLUSTER_OPTIONS if cluster else ()))
    names = (*_ESTATE_NAMES, *(_CLUSTER_NAMES if cluster else ()))
    return decorate


_ESTATE_NAMES = ("files", "azure", "tenant", "subscriptions")
_ESTATE_OPTIONS = (
    click.option(
        "--from",
        "files",
        multiple=True,
        type=click.Path(allow_dash=True),
        metavar="FILE",
        help="Ask a file: a list of ARM resources, with their properties, or the answer of az graph query, in"
        " JSON or JSON lines; - is the standard input. Several files are one estate.",
    ),
    click.option(
        "--azure",
        is_flag=True,
        help="Ask Azure itself, with your own login: az login, or any that azure-identity finds.",
    ),
    click.option("--tenant", metavar="ID", help="With --azure: sign in to this tenant."),
    click.option(
        "--subscription",
        "subscriptions",
        multiple=True,
        metavar="ID",
        help="With --azure: look at this subscription only (id or name); may be given again. By default at all that you see.",
    ),
)
_CLUSTER_NAMES = ("kubeconfig", "context", "namespace", "all_namespaces")
_CLUSTER_OPTIONS = (
    click.option(
        "--kubeconfig",
        type=click.Path(),
        metavar="FILE",
        help="The cluster's kubeconfig; by default KUBECONFIG or ~/.kube/config.",
    ),
    click.option("--context", metavar="NAME", help="The context of the kubeconfig; by default the current one."),
    click.option("-n", "--namespace", metavar="NAME", help="Ask in this namespace; by default that of the context."),
    click.option("-A", "--all-namespaces", is_flag=True, help="Ask in all namespaces."),
)


def _chosen(given: dict[str, Any], *, cluster: bool) -> Source:
    files, azure = given["files"], given["azure"]
    named = {_flag(name): bool(given.get(name)) for name in (*_ESTATE_NAMES, *_CLUSTER_NAMES)}
    if files and azure:
        raise click.UsageError("--from and --azure are two sources: give one of them")
    if files or azure:
        _refuse_beside(named, "--from" if files else "--azure", _CLUSTER_NAMES, "the cluster")
    if not azure:
        wanted = next((_flag(name) for name in ("tenant", "subscriptions") if given[name]), None)
        if wanted is not None:
            raise click.UsageError(f"{wanted} is for Azure: give --azure as well")
    if files:
        return Files(files)
    if azure:
        return Azure(given["tenant"], given["subscriptions"])
    if not cluster:
        raise click.UsageError("give --from FILE with the resources, such as az graph query answers them, or --azure")
    if given["namespace"] and given["all_namespaces"]:
        raise click.UsageError("--namespace and --all-namespaces exclude each other: give one of them")
    return Cluster(given["kubeconfig"], given["context"], given["namespace"], given["all_namespaces"])


def _refuse_beside(named: dict[str, bool], source: str, names: Sequence[str], other: str) -> None:
    beside = next((_flag(name) for name in names if named[_flag(name)]), None)
    if beside is not None:
        raise click.UsageError(f"{beside} is for {other}, and {source} does not ask it: leave one of them out")


def _flag(name: str) -> str:
    return {"files": "--from", "subscriptions": "--subscription"}.get(name, f"--{name.replace('_', '-')}")
