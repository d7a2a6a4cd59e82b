"""Where a command's facts come from: files, live Azure, or the cluster.

A command takes one of them with the options of ``cli.options``. Files and Azure answer with an inventory; the cluster holds
what the operator has published. Azure's and Kubernetes' libraries are imported only when they are asked.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bastion_operator.cli.progress import progress

if TYPE_CHECKING:
    from bastion_operator.network.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Files:
    """Estate files; ``-`` is the standard input. Several files are one estate."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Azure:
    """Live Azure with the user's own login.

    :ivar tenant: the tenant to sign in to, None for that of the login
    :ivar subscriptions: ids or names; empty for all that the login sees
    """

    tenant: str | None = None
    subscriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster that kubectl would ask.

    :ivar kubeconfig: None for KUBECONFIG or ~/.kube/config
    :ivar context: None for the current one
    :ivar namespace: None for that of the context
    """

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    all_namespaces: bool = False


Source = Files | Azure | Cluster


def read_inventory(source: Files | Azure, *, access: bool = False) -> "Inventory":
    """The estate of a source. With ``access`` Azure is asked for role assignments as well; files hold what they hold.

    Raises Refusal for what the user can mend.
    """
    if isinstance(source, Files):
        from bastion_operator.cli.sources.files import read_files  # noqa: PLC0415  the engine is loaded when it is asked

        with progress(f"reading {', '.join(source.names)}"):
            return read_files(source.names)
    from bastion_operator.cli.sources.azure import read_azure  # noqa: PLC0415  Azure's libraries take half a second

    return read_azure(source, access=access)
