"""The cluster as a source: what the operator has published there, and the custom resources that ask for it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from bastion_operator.api.meta import GROUP, VERSION, CustomResource
from bastion_operator.api.model import first_error
from bastion_operator.api.reachability_report import ReachabilityReport
from bastion_operator.cli.errors import Refusal
from bastion_operator.cli.progress import progress
from bastion_operator.cli.sources import Cluster
from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.errors import ConfigurationError, ForbiddenError, KubeError, NotFoundError, UnavailableError
from bastion_operator.kube.kubeconfig import kubectl_config, namespace_of
from bastion_operator.kube.resources import Raw, list_objects

_OTHER_SOURCES = "name a cluster with --kubeconfig and --context, or ask files with --from FILE, or Azure with --azure"
_INSTALL = "install the operator's CRDs: kubectl apply --server-side -f crds/"


@dataclass(frozen=True, slots=True)
class OpenCluster:
    """A connection to the cluster; ``namespace`` None stands for all namespaces."""

    client: KubeClient
    namespace: str | None

    async def objects(self, kind: type[CustomResource]) -> list[Raw]:
        """All objects of a kind that were asked for, as the API server has them. Raises Refusal."""
        with progress(f"reading {kind.names.plural} from the cluster"):
            try:
                return await list_objects(self.client, kind, self.namespace)
            except NotFoundError as error:
                raise await self._not_served(kind, error) from error
            except KubeError as error:
                raise refusal_of(error) from error

    async def reports(self) -> list[ReachabilityReport]:
        """The reports that were asked for. Raises Refusal."""
        return [read_report(raw) for raw in await self.objects(ReachabilityReport)]

    async def _not_served(self, kind: type[CustomResource], error: NotFoundError) -> Refusal:
        """Why the kind is not there: the CRDs are missing, or of another version."""
        try:
            group = await self.client.request("GET", f"/apis/{GROUP}")
        except NotFoundError:
            return Refusal(f"the cluster does not know {GROUP}", _INSTALL)
        except KubeError:
            return refusal_of(error)
        served = [str(each.get("version")) for each in group.get("versions") or ()]
        if VERSION in served:
            return Refusal(f"the cluster does not know {kind.names.plural}.{GROUP}", _INSTALL)
        return Refusal(
            f"the cluster serves {GROUP} in version {', '.join(served) or 'none'}, and this program reads {VERSION}",
            "bring the CRDs and this program to one version: kubectl apply --server-side -f crds/",
        )


@asynccontextmanager
async def open_cluster(source: Cluster) -> AsyncIterator[OpenCluster]:
    """The cluster that was asked for; nothing is sent yet. Raises Refusal."""
    try:
        config = kubectl_config(source.kubeconfig, source.context)
        namespace = None if source.all_namespaces else source.namespace or namespace_of(config)
        client = await KubeClient.connect(config)
    except KubeError as error:
        raise refusal_of(error) from error
    async with client:
        yield OpenCluster(client, namespace)


def read_report(raw: Raw) -> ReachabilityReport:
    """A report; one that another version has written may not fit. Raises Refusal."""
    try:
        return ReachabilityReport.model_validate(raw)
    except ValidationError as error:
        raise Refusal(
            f"ReachabilityReport {raw['metadata'].get('name')} cannot be read, {first_error(error)}",
            "bring the CRDs, the operator and this program to one version",
        ) from error


@contextmanager
def told_kube_error() -> Iterator[None]:
    """Whatever the API server refuses is told with what to do."""
    try:
        yield
    except KubeError as error:
        raise refusal_of(error) from error


def refusal_of(error: KubeError) -> Refusal:
    """What an error of the API server means to the person who asked."""
    what = error.said or str(error)
    match error:
        case ConfigurationError():
            return Refusal(what, _OTHER_SOURCES)
        case ForbiddenError():
            return Refusal(
                f"the API server refuses: {what}", "ask for get, list and watch on the kinds of azurebastion.dev"
            )
        case UnavailableError():
            return Refusal(what, "check that the cluster runs and that --context names it")
        case _:
            return Refusal(
                f"the API server refuses: {what}", "check --namespace, and the versions of the CRDs and this program"
            )
