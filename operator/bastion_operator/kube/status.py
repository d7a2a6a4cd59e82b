"""Statuses on the API server: one server-side apply of the whole status, and only where it would change something."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from bastion_operator.api.conditions import Condition
from bastion_operator.api.meta import API_VERSION, CustomResource
from bastion_operator.kube.client import APPLY_PATCH, FIELD_MANAGER, KubeClient
from bastion_operator.kube.resources import Raw, path_of_object

# Lists whose order means nothing to the API server (x-kubernetes-list-type: map), by the field that tells items apart.
_MAPS = {"conditions": "type", "reasonCounts": "code"}


def merge_conditions(old: Iterable[Condition], new: Iterable[Condition], now: datetime) -> tuple[Condition, ...]:
    """``new`` with the times of transition set: ``now`` where a status changed or is new, else what ``old`` has.

    Conditions that only ``old`` has are gone.
    """
    before = {condition.type: condition for condition in old}
    return tuple(_with_time(condition, before.get(condition.type), now) for condition in new)


def _with_time(condition: Condition, before: Condition | None, now: datetime) -> Condition:
    unchanged = before is not None and before.status == condition.status
    return condition.replace(last_transition_time=before.last_transition_time if before and unchanged else now)


def same_status(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two statuses mean the same: an absent field, null and an empty list or map are one, order of maps aside."""
    return _normal(one) == _normal(other)


def _normal(value: object, name: str = "") -> object:
    if isinstance(value, Mapping):
        normal = {key: _normal(each, key) for key, each in value.items()}
        return {key: each for key, each in normal.items() if each not in (None, [], {})}
    if isinstance(value, list | tuple):
        return [_normal(each) for each in (sorted(value, key=itemgetter(_MAPS[name])) if name in _MAPS else value)]
    return value


@dataclass(frozen=True, slots=True)
class _Applied:
    """What was sent, and what the server made of it."""

    sent: Mapping[str, Any]
    stored: Mapping[str, Any]
    version: int


class StatusPublisher:
    """Writes statuses and remembers its last write to each object.

    The memory has two uses. A pass may start from an object that a watch has not refreshed since the last write;
    then the answer to that write is the newer truth. And a server with older CRDs may drop a field, so that what it
    stores never equals what is wanted: what it has answered once, it is not sent again.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._applied: dict[str, _Applied] = {}

    async def publish(self, kind: type[CustomResource], raw: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
        """Make ``status`` the status of the object that was read as ``raw``; returns whether a request was needed.

        ``status`` is the whole status as JSON: what this operator has written before and is not in it is removed.
        Raises NotFoundError if the object is gone, ConflictError if another one has its name, InvalidError and the
        other errors of ``kube.errors``.
        """
        metadata = raw["metadata"]
        uid = metadata["uid"]
        applied = self._applied.get(uid)
        current = raw.get("status") or {}
        if applied is not None and applied.version > _version(metadata):
            current = applied.stored
        if same_status(current, status):
            return False
        if applied is not None and same_status(applied.sent, status) and same_status(applied.stored, current):
            return False
        answer = await self._apply(kind, raw, status)
        self._applied[uid] = _Applied(status, answer.get("status") or {}, _version(answer["metadata"]))
        return True

    def forget(self, uid: str) -> None:
        """Drop what is remembered of an object that is gone."""
        self._applied.pop(uid, None)

    async def _apply(self, kind: type[CustomResource], raw: Mapping[str, Any], status: Mapping[str, Any]) -> Raw:
        metadata = {key: raw["metadata"][key] for key in ("name", "namespace", "uid") if key in raw["metadata"]}
        body = {"apiVersion": API_VERSION, "kind": kind.names.kind, "metadata": metadata, "status": status}
        return await self._client.request(
            "PATCH",
            path_of_object(kind, raw, "status"),
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            body=body,
            content_type=APPLY_PATCH,
        )


def _version(metadata: Mapping[str, Any]) -> int:
    """The resourceVersion as a number: of one resource type they may be compared, larger is newer."""
    version = str(metadata.get("resourceVersion", ""))
    return int(version) if version.isdecimal() else 0
