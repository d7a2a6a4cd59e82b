"""The cluster's reports as they change."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

from bastion_operator.api.reachability_report import ReachabilityReport
from bastion_operator.cli.errors import Refusal, warn
from bastion_operator.cli.sources import Cluster
from bastion_operator.cli.sources.cluster import OpenCluster, open_cluster, read_report, refusal_of
from bastion_operator.kube.errors import KubeError, NotFoundError
from bastion_operator.kube.resources import get_object
from bastion_operator.kube.watch import ObjectChange, watch_objects

_GATHERED_SECONDS = 0.5
"""For how long changes are gathered that come one on the other: a pass of the operator writes several reports."""
_AGAIN_SECONDS = 2.0

Reports = dict[tuple[str, str], ReachabilityReport]


async def watched_reports(source: Cluster) -> AsyncIterator[Sequence[ReachabilityReport]]:
    """The reports now, and again after each change. A cluster that does not answer is told, and asked again."""
    async with open_cluster(source) as cluster:
        reports = _by_name(await cluster.reports())
        yield list(reports.values())
        while True:
            try:
                async for changed in _changes(cluster, reports):
                    await _follow(cluster, reports, changed)
                    yield list(reports.values())
            except KubeError as error:
                warn(refusal_of(error))
                await asyncio.sleep(_AGAIN_SECONDS)
            reports.clear()
            reports.update(await _read_again(cluster))
            yield list(reports.values())


async def _read_again(cluster: OpenCluster) -> Reports:
    """All reports, once the cluster answers again: what happened between two watches nobody tells."""
    while True:
        try:
            return _by_name(await cluster.reports())
        except Refusal as refusal:
            warn(refusal)
            await asyncio.sleep(_AGAIN_SECONDS)


async def _changes(cluster: OpenCluster, reports: Reports) -> AsyncIterator[list[ObjectChange]]:
    """Changes since the reports were read, those that come together in one list."""
    events = watch_objects(cluster.client, ReachabilityReport, cluster.namespace)
    waiting: asyncio.Queue[ObjectChange | None] = asyncio.Queue()

    async def gather() -> None:
        try:
            async for change in events:
                await waiting.put(change)
        finally:
            await waiting.put(None)

    task = asyncio.create_task(gather(), name="watch of reports")
    try:
        while (first := await waiting.get()) is not None:
            await asyncio.sleep(_GATHERED_SECONDS)
            found = [first, *_drained(waiting)]
            news = [each for each in found if each is not None and _is_news(each, reports)]
            if news:
                yield news
            if found[-1] is None:
                break
        await task
    finally:
        task.cancel()


def _drained(waiting: "asyncio.Queue[ObjectChange | None]") -> Iterator[ObjectChange | None]:
    while not waiting.empty():
        yield waiting.get_nowait()


def _is_news(change: ObjectChange, reports: Reports) -> bool:
    known = reports.get((change.namespace, change.name))
    return change.gone or known is None or known.metadata.resource_version != change.version


async def _follow(cluster: OpenCluster, reports: Reports, changed: Sequence[ObjectChange]) -> None:
    for key in dict.fromkeys((each.namespace, each.name) for each in changed):
        try:
            reports[key] = read_report(await get_object(cluster.client, ReachabilityReport, *key))
        except NotFoundError:
            reports.pop(key, None)


def _by_name(reports: Sequence[ReachabilityReport]) -> Reports:
    return {(each.metadata.namespace or "", each.metadata.name): each for each in reports}
