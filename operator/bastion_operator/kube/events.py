"""Events on what happened to an object, for ``kubectl describe`` and ``kubectl events``.

An Event is for people who look on; a pass never fails because one could not be written.
"""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from bastion_operator.api.meta import API_VERSION, CustomResource
from bastion_operator.clock import Clock
from bastion_operator.correlation import ANNOTATION, correlation_id
from bastion_operator.kube.client import MERGE_PATCH, KubeClient
from bastion_operator.kube.errors import KubeError, NotFoundError

CONTROLLER = "azurebastion.dev/bastion-operator"

# The API's own limits (events.k8s.io/v1).
_NOTE_BYTES = 1024
_WORD = 128
# A repetition within this time belongs to the same series, as in Kubernetes' own recorder.
_SERIES_SECONDS = 360.0
_REMEMBERED = 4096
# An Event on an object without a namespace stands in this one.
_CLUSTER_NAMESPACE = "default"
_NAME = 253

_log = logging.getLogger(__name__)


class EventType(StrEnum):
    """Whether somebody should look."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class _Series:
    path: str
    count: int
    last: float


class EventRecorder:
    """Writes Events; one that repeats itself becomes a series with a count, not one more object."""

    def __init__(self, client: KubeClient, clock: Clock, *, instance: str) -> None:
        """``instance`` names this process, such as the pod's name."""
        self._client = client
        self._clock = clock
        self._instance = instance[:_WORD]
        self._series: OrderedDict[tuple[str, ...], _Series] = OrderedDict()

    async def record(
        self,
        kind: type[CustomResource],
        raw: Mapping[str, Any],
        *,
        event_type: EventType,
        reason: str,
        action: str,
        note: str,
    ) -> None:
        """Tell that ``action`` (a word, such as Peering) on the object had this outcome. Never raises KubeError.

        ``note`` is cut to the 1,024 bytes that the API takes.
        """
        note = shortened(note)
        key = (raw["metadata"].get("uid", ""), event_type, reason, action, note)
        try:
            if not await self._repeated(key):
                await self._create(key, _event(kind, raw, event_type, reason, action, note))
        except KubeError as error:
            _log.warning(
                "event %s on %s %s was not written: %s", reason, kind.names.kind, raw["metadata"]["name"], error
            )

    async def _create(self, key: tuple[str, ...], event: dict[str, Any]) -> None:
        now = self._clock.now()
        event |= {"eventTime": _micro_time(now), "reportingInstance": self._instance}
        name = _event_name(event["regarding"]["name"], key, now)
        namespace = event["regarding"].get("namespace") or _CLUSTER_NAMESPACE
        event["metadata"] = {"name": name, "namespace": namespace, "annotations": _marked()}
        path = f"/apis/events.k8s.io/v1/namespaces/{quote(namespace, safe='')}/events"
        await self._client.request("POST", path, body=event)
        self._remember(key, _Series(f"{path}/{name}", 1, self._clock.monotonic()))

    async def _repeated(self, key: tuple[str, ...]) -> bool:
        """Count a repetition; False if there is no series that it belongs to."""
        known = self._series.get(key)
        if known is None or self._clock.monotonic() - known.last >= self._clock.of_real(_SERIES_SECONDS):
            return False
        count = known.count + 1
        series = {"count": count, "lastObservedTime": _micro_time(self._clock.now())}
        try:
            await self._client.request(
                "PATCH",
                known.path,
                body={"series": series, "metadata": {"annotations": _marked()}},
                content_type=MERGE_PATCH,
            )
        except NotFoundError:
            # The API server keeps Events for an hour or so, or somebody has deleted this one.
            return False
        self._remember(key, replace(known, count=count, last=self._clock.monotonic()))
        return True

    def _remember(self, key: tuple[str, ...], series: _Series) -> None:
        self._series[key] = series
        self._series.move_to_end(key)
        # One that is over is of no use to anybody, and a fleet of which something is always told has thousands a day.
        over = self._clock.monotonic() - self._clock.of_real(_SERIES_SECONDS)
        while len(self._series) > _REMEMBERED or next(iter(self._series.values())).last <= over:
            self._series.popitem(last=False)


def _marked() -> dict[str, str]:
    """The pass that the Event is of: in Azure its requests carry the same id."""
    correlation = correlation_id.get()
    return {ANNOTATION: correlation} if correlation else {}


def shortened(note: str) -> str:
    """The note within the limit, which counts bytes of UTF-8; what was cut ends in an ellipsis."""
    encoded = note.encode()
    if len(encoded) <= _NOTE_BYTES:
        return note
    return encoded[: _NOTE_BYTES - len("…".encode())].decode(errors="ignore") + "…"


def _event(
    kind: type[CustomResource], raw: Mapping[str, Any], event_type: EventType, reason: str, action: str, note: str
) -> dict[str, Any]:
    metadata = raw["metadata"]
    regarding = {key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion") if metadata.get(key)}
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "type": event_type.value,
        "reason": reason[:_WORD],
        "action": action[:_WORD],
        "note": note,
        "regarding": {"apiVersion": API_VERSION, "kind": kind.names.kind, **regarding},
        "reportingController": CONTROLLER,
    }


def _event_name(name: str, key: tuple[str, ...], now: datetime) -> str:
    digest = hashlib.sha256("\0".join((*key, now.isoformat())).encode()).hexdigest()[:16]
    return f"{name[: _NAME - len(digest) - 1].rstrip('-.')}.{digest}"


def _micro_time(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
