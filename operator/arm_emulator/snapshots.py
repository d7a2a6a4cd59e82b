"""Starting points: what stood at a time, what differs from it now and by whom, and the way back."""

from dataclasses import asdict, dataclass

import orjson

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request, not_found
from arm_emulator.operations import CANCELED, Operation
from arm_emulator.state import documented, from_document
from arm_emulator.store import Resource

START = "start"
_VOLATILE = ("etag",)
_PUT_BACK: Json = {"code": CANCELED, "message": "The state was put back to what it was before.", "details": []}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`documents` are the resources as they are kept, by key; `position` is how many audit entries there were."""

    name: str
    time: str
    position: int
    documents: dict[str, bytes]
    operations: dict[str, Json]


class Snapshots:
    """The snapshots of one cloud, in memory; `start` is what stood when the emulator began to serve."""

    def __init__(self, cloud: Cloud) -> None:
        """Takes none by itself."""
        self._cloud = cloud
        self._kept: dict[str, Snapshot] = {}

    def take(self, name: str) -> Json:
        """Keeps what stands under a name, in place of an earlier one of that name. Raises InvalidSnapshot."""
        if not name or "/" in name:
            raise bad_request("InvalidSnapshot", "A snapshot is taken by {'name': text}.")
        self._kept[name] = Snapshot(
            name,
            self._cloud.clock.timestamp(),
            len(self._cloud.audit.entries),
            {item.key: orjson.dumps(documented(item)) for item in self._cloud.store},
            {one.id: asdict(one) for one in self._cloud.operations if one.running},
        )
        return described(self._kept[name])

    def listed(self) -> list[Json]:
        """All snapshots, oldest first."""
        return [described(one) for one in self._kept.values()]

    def restore(self, name: str) -> Json:
        """Puts everything back: resources, and the operations that ran. Raises SnapshotNotFound."""
        kept = self._snapshot(name)
        store = self._cloud.store
        for operation in [one for one in self._cloud.operations if one.running and one.id not in kept.operations]:
            self._cloud.operations.supersede(operation, _PUT_BACK)
        for key in [item.key for item in store if item.key not in kept.documents]:
            store.remove(key)
        for key, data in kept.documents.items():
            standing = store.get(key)
            if standing is None or orjson.dumps(documented(standing)) != data:
                store.put(from_document(orjson.loads(data)))
        for operation_id, document in kept.operations.items():
            standing_operation = self._cloud.operations.get(operation_id)
            if standing_operation is None or not standing_operation.running:
                again = Operation(**document)
                self._cloud.operations.adopt(again)
                self._cloud.operations.changed(again)
        return described(kept)

    def changes(self, name: str) -> Json:
        """What was created, deleted and changed since, each with what it was, what it is, and who wrote it.

        Who: the writes to the resource itself; where there are none, those to its family, as a write to a virtual network
        changes its subnets; an empty list where it changed by itself or by a write to another resource.
        """
        kept = self._snapshot(name)
        now = {item.key: item for item in self._cloud.store}
        created = [self._change(kept, None, item) for key, item in now.items() if key not in kept.documents]
        deleted = [
            self._change(kept, from_document(orjson.loads(data)), None)
            for key, data in kept.documents.items()
            if key not in now
        ]
        changed = []
        for key, data in kept.documents.items():
            item = now.get(key)
            if item is None or orjson.dumps(documented(item)) == data:
                continue
            before = from_document(orjson.loads(data))
            paths = _paths(_shown(before), _shown(item), "")
            if paths:
                changed.append({**self._change(kept, before, item), "paths": paths})
        return {"since": described(kept), "created": created, "deleted": deleted, "changed": changed}

    def _snapshot(self, name: str) -> Snapshot:
        kept = self._kept.get(name)
        if kept is None:
            raise not_found(
                "SnapshotNotFound", f"There is no snapshot '{name}'; there are: {', '.join(self._kept) or 'none'}."
            )
        return kept

    def _change(self, kept: Snapshot, before: Resource | None, after: Resource | None) -> Json:
        item = after or before
        assert item is not None
        shown: Json = {"id": str(item.id), "type": item.id.type, "by": self._writers(kept, item)}
        if before is not None:
            shown["before"] = _shown(before)
        if after is not None:
            shown["after"] = _shown(after)
        return shown

    def _writers(self, kept: Snapshot, item: Resource) -> list[Json]:
        since = self._cloud.audit.entries[kept.position :]
        own = [entry for entry in since if str(entry["id"]).lower() == item.key]
        family = [
            entry
            for entry in since
            if _within(item.key, str(entry["id"]).lower()) or _within(str(entry["id"]).lower(), item.key)
        ]
        names = ("principal", "time", "method", "id")
        return [{name: entry[name] for name in names} for entry in own or family]


def described(snapshot: Snapshot) -> Json:
    """A snapshot as the control side shows it."""
    return {"name": snapshot.name, "time": snapshot.time, "resources": len(snapshot.documents)}


def _within(key: str, scope: str) -> bool:
    return key.startswith(f"{scope}/")


def _shown(item: Resource) -> Json:
    body = {name: value for name, value in item.body.items() if name not in _VOLATILE and value is not None}
    return {"id": str(item.id), "type": item.id.type, **body}


def _paths(before: object, after: object, path: str) -> list[str]:
    """The members that differ, as `properties.addressSpace.addressPrefixes`; lists are told of as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            found
            for name in sorted({*before, *after})
            for found in _paths(before.get(name), after.get(name), f"{path}.{name}" if path else name)
        ]
    return [] if before == after else [path]
