"""ReachabilityReports on the API server: those that changed are written, those that nobody wants are deleted."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bastion_operator.api import BastionHost, ReachabilityReport
from bastion_operator.api.meta import API_VERSION, GROUP
from bastion_operator.api.reachability_report import ReportRow
from bastion_operator.kube.client import APPLY_PATCH, FIELD_MANAGER, KubeClient
from bastion_operator.kube.errors import ConflictError, NotFoundError
from bastion_operator.kube.resources import Raw, path_of
from bastion_operator.kube.sharding import label_of

OWNER_LABEL = f"{GROUP}/bastion-host"
DIGEST_ANNOTATION = f"{GROUP}/content-digest"
SHARDS_ANNOTATION = f"{GROUP}/shards"

_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PAGE = "5"
_ROOT = ("apiVersion", "kind", "metadata")


@dataclass(frozen=True, slots=True)
class SyncResult:
    """Names of the reports that a call wrote and deleted."""

    written: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


class ReportPublisher:
    """Keeps the reports of BastionHosts as they are wanted.

    What is there is compared by a digest in an annotation, so that a pass reads the reports' metadata only; rows are
    read again only where a report has been changed since this process wrote or compared it.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._verified: dict[str, str] = {}

    async def sync(self, owner: Mapping[str, Any], desired: Sequence[ReachabilityReport]) -> SyncResult:
        """Make ``desired`` the reports of the BastionHost read as ``owner``; others with its label are deleted.

        Raises the errors of ``kube.errors``; a repeated call goes on where the failed one stopped.
        """
        existing = {item["metadata"]["name"]: item["metadata"] for item in await self._list(owner)}
        written = []
        # Off the loop: a digest of all of a large fleet's rows takes a second.
        for report, metadata in await asyncio.to_thread(_with_metadata, owner, desired):
            before = existing.get(report.metadata.name)
            if await self._differs(metadata, report, before):
                # Over what was compared alone: another process may be writing by now.
                version = {} if before is None else {"resourceVersion": before["resourceVersion"]}
                await self._write({**metadata, **version}, report)
                written.append(report.metadata.name)
        wanted = {report.metadata.name for report in desired}
        stale = [metadata for name, metadata in existing.items() if name not in wanted]
        return SyncResult(tuple(written), await self._delete(stale))

    async def delete_all(self, owner: Mapping[str, Any]) -> SyncResult:
        """Delete the reports of a BastionHost that is being deleted: no garbage collector need be waited for."""
        return SyncResult(deleted=await self._delete([item["metadata"] for item in await self._list(owner)]))

    async def rows(self, owner: Mapping[str, Any]) -> list[tuple[str, ReportRow]]:
        """All rows of a BastionHost's reports as they stand, each with the ARM id of its virtual network."""
        path, query = _collection(owner)
        found: list[tuple[str, ReportRow]] = []
        token = ""
        while True:
            # A few at once: all of a large fleet's would keep the event loop busy for too long.
            page = {**query, "limit": _PAGE, **({"continue": token} if token else {})}
            answer = await self._client.request("GET", path, query=page)
            found += await asyncio.to_thread(_rows_in, answer["items"] or ())
            token = (answer.get("metadata") or {}).get("continue", "")
            if not token:
                return found

    async def shard_counts(self, owner: Mapping[str, Any]) -> dict[str, int]:
        """How many reports each virtual network (its ARM id in lower case) has now, as ``build_reports`` takes it."""
        counts: dict[str, int] = {}
        for item in await self._list(owner):
            network, _, count = (item["metadata"].get("annotations") or {}).get(SHARDS_ANNOTATION, "").rpartition("=")
            if network and count.isdecimal():
                counts[network] = int(count)
        return counts

    async def _list(self, owner: Mapping[str, Any]) -> list[Raw]:
        path, query = _collection(owner)
        answer = await self._client.request("GET", path, query=query, accept=_METADATA_ONLY)
        # An empty list in this form comes as null.
        return list(answer["items"] or ())

    async def _differs(self, wanted: Raw, report: ReachabilityReport, existing: Mapping[str, Any] | None) -> bool:
        if existing is None or not _same_marks(wanted, existing):
            return True
        if self._verified.get(existing["uid"]) == existing["resourceVersion"]:
            return False
        try:
            stored = await self._client.request("GET", _path(existing["namespace"], existing["name"]))
        except NotFoundError:
            return True
        if _content(stored) != _content(report.to_json()):
            return True
        self._verified[existing["uid"]] = stored["metadata"]["resourceVersion"]
        return False

    async def _write(self, metadata: Raw, report: ReachabilityReport) -> None:
        stored = await self._client.request(
            "PATCH",
            _path(metadata["namespace"], metadata["name"]),
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            body={**report.to_json(), "metadata": metadata},
            content_type=APPLY_PATCH,
        )
        self._verified[stored["metadata"]["uid"]] = stored["metadata"]["resourceVersion"]

    async def _delete(self, stale: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
        deleted = []
        for metadata in stale:
            precondition = {"preconditions": {"uid": metadata["uid"]}}
            try:
                await self._client.request("DELETE", _path(metadata["namespace"], metadata["name"]), body=precondition)
            except (NotFoundError, ConflictError):
                # Gone, or another one by now: the next pass looks at that.
                continue
            finally:
                self._verified.pop(metadata["uid"], None)
            deleted.append(metadata["name"])
        return tuple(deleted)


def _rows_in(items: Iterable[Raw]) -> list[tuple[str, ReportRow]]:
    reports = map(ReachabilityReport.model_validate, items)
    return [(report.virtual_network_id, row) for report in reports for row in report.rows]


def _with_metadata(
    owner: Mapping[str, Any], reports: Iterable[ReachabilityReport]
) -> list[tuple[ReachabilityReport, Raw]]:
    return [(report, _metadata(owner, report)) for report in reports]


def _metadata(owner: Mapping[str, Any], report: ReachabilityReport) -> Raw:
    """The report's metadata as it is applied: owned by the BastionHost, so that it goes with it."""
    metadata = owner["metadata"]
    content = report.model_dump_json(by_alias=True, exclude_none=True, exclude={"metadata"})
    return {
        "name": report.metadata.name,
        "namespace": metadata["namespace"],
        "labels": {OWNER_LABEL: label_of(metadata["name"])},
        "annotations": {
            DIGEST_ANNOTATION: hashlib.sha256(content.encode()).hexdigest(),
            SHARDS_ANNOTATION: f"{report.virtual_network_id.lower()}={report.shard.count}",
        },
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": BastionHost.names.kind,
                "name": metadata["name"],
                "uid": metadata["uid"],
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }


def _same_marks(wanted: Mapping[str, Any], existing: Mapping[str, Any]) -> bool:
    """Whether labels, annotations and owner of a report are there; what others have added is left alone."""
    owners = {owner["uid"] for owner in existing.get("ownerReferences") or ()}
    return all(owner["uid"] in owners for owner in wanted["ownerReferences"]) and all(
        (existing.get(part) or {}).get(key) == value
        for part in ("labels", "annotations")
        for key, value in wanted[part].items()
    )


def _content(report: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key not in _ROOT}


def _collection(owner: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Where a BastionHost's reports are listed: path and query."""
    metadata = owner["metadata"]
    selector = f"{OWNER_LABEL}={label_of(metadata['name'])}"
    return path_of(ReachabilityReport, metadata["namespace"]), {"labelSelector": selector}


def _path(namespace: str, name: str) -> str:
    return f"{path_of(ReachabilityReport, namespace)}/{quote(name, safe='')}"
