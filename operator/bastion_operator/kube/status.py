"""Statuses on the API server: one server-side apply of the whole status, and only where it would change something."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from bastion_operator.api.conditions import Condition
from bastion_operator.api.meta import API_VERSION, CustomResource
from bastion_operator.kube.client import APPLY_PATCH, FIELD_MANAGER, KubeClient
from bastion_operator.kube.errors import ConflictError, NotFoundError
from bastion_operator.kube.resources import Raw, path_of_object

_TRIES = 5
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
class _Stored:
    uid: str
    status: Mapping[str, Any]
    version: int


_Name = tuple[str, str, str]


class StatusPublisher:
    """Writes statuses, and remembers what each of its writes has left on the server.

    A pass may start from an object that a watch has not refreshed since the last write; then the answer to that write
    is the newer truth, and comparing with the older one could hide a change.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client
        self._stored: dict[_Name, _Stored] = {}

    async def publish(self, kind: type[CustomResource], raw: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
        """Make ``status`` the status of the object that was read as ``raw``; returns whether it had to be written.

        ``status`` is the whole status as JSON: what this operator has written before and is not in it is removed.
        Raises NotFoundError if the object is gone (also where another one has its name), InvalidError and the other
        errors of ``kube.errors``.
        """
        uid, current = raw["metadata"]["uid"], raw
        for _ in range(_TRIES):
            if same_status(self._newest(kind, current), status):
                return False
            try:
                answer = await self._apply(kind, current, status)
            except ConflictError as error:
                refusal = error
            else:
                self._stored[_name(kind, raw)] = _Stored(uid, answer.get("status") or {}, _version(answer))
                return True
            current = await self._client.request("GET", path_of_object(kind, raw))
            if current["metadata"]["uid"] != uid:
                raise NotFoundError(
                    f"{path_of_object(kind, raw)}: the object with UID {uid} is gone, another one has its name now"
                )
        raise refusal

    def forget(self, kind: str, namespace: str, name: str) -> None:
        """Drop what is remembered of an object that is gone. By its name: who finds out may have nothing else of it."""
        self._stored.pop((kind, namespace, name), None)

    def _stored_of(self, kind: type[CustomResource], raw: Mapping[str, Any]) -> _Stored | None:
        """What was written to just this object, and not to one that had its name before."""
        stored = self._stored.get(_name(kind, raw))
        return stored if stored is not None and stored.uid == raw["metadata"]["uid"] else None

    def _newest(self, kind: type[CustomResource], raw: Mapping[str, Any]) -> Mapping[str, Any]:
        stored = self._stored_of(kind, raw)
        if stored is not None and stored.version > _version(raw):
            return stored.status
        return raw.get("status") or {}

    async def _apply(self, kind: type[CustomResource], raw: Mapping[str, Any], status: Mapping[str, Any]) -> Raw:
        # The API server does not look at a UID here. The resourceVersion makes it refuse what was decided from an
        # older state: claims must never be written onto another object that has come to the name.
        stored = self._stored_of(kind, raw)
        version = max(_version(raw), stored.version if stored else 0)
        metadata = {key: raw["metadata"][key] for key in ("name", "namespace") if key in raw["metadata"]}
        body = {
            "apiVersion": API_VERSION,
            "kind": kind.names.kind,
            "metadata": {**metadata, "resourceVersion": str(version)},
            "status": status,
        }
        return await self._client.request(
            "PATCH",
            path_of_object(kind, raw, "status"),
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            body=body,
            content_type=APPLY_PATCH,
        )


def _name(kind: type[CustomResource], raw: Mapping[str, Any]) -> _Name:
    metadata = raw["metadata"]
    return kind.names.kind, metadata.get("namespace", ""), metadata["name"]


def _version(raw: Mapping[str, Any]) -> int:
    """The resourceVersion as a number: those of one resource type may be compared, the larger is the newer."""
    return int(raw["metadata"]["resourceVersion"])
