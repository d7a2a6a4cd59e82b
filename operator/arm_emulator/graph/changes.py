"""resourcechanges and resourcecontainerchanges: what became of rows, for fourteen days.

https://learn.microsoft.com/azure/governance/resource-graph/changes/get-resource-changes
"""

import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from arm_emulator.errors import Json
from arm_emulator.graph.tables import COLUMNS, TABLE_OF_CHANGES
from arm_emulator.graph.values import text

KEPT_SECONDS = 14 * 86_400
MOST_KEPT = 100_000
MOST_LISTED = 200
"""How many changed properties one record lists here."""
_UNSEEN = frozenset({"etag"})
"""Members that change with every write and are listed nowhere."""
_MISSING = object()
_NAMESPACE = uuid.UUID("f1b7a4a5-53f9-4dc4-a2a3-0e2a6d0a9d6b")


@dataclass(frozen=True, slots=True)
class Change:
    """A row as it was and as it is (None: it was, or is, not there); `by` is who wrote it, None the system itself."""

    at: float
    before: Json | None
    after: Json | None
    by: str | None


class Changes:
    """The records of both tables, oldest first."""

    def __init__(self) -> None:
        """None yet."""
        self._records: deque[tuple[float, str, str, Json]] = deque(maxlen=MOST_KEPT)
        self._made = 0

    def note(self, table: str, change: Change) -> None:
        """Adds a record, where the table has one for its changes and something that is listed differs."""
        name = TABLE_OF_CHANGES.get(table)
        row = change.after or change.before
        if name is None or row is None:
            return
        listed: Json = {}
        if change.before is not None and change.after is not None:
            _compare(change.before, change.after, "", listed)
            if not listed:
                return
        self._made += 1
        record = _record(change, row, listed, self._made)
        self._records.append((change.at, name, record["id"].lower(), record))

    def rows(self, table: str, now: float) -> Iterator[tuple[str, Json]]:
        """Key and row of each record of a table that is young enough."""
        while self._records and self._records[0][0] < now - KEPT_SECONDS:
            self._records.popleft()
        return ((key, record) for _, name, key, record in self._records if name == table)


def _record(change: Change, row: Json, listed: Json, number: int) -> Json:
    kind = "Create" if change.before is None else "Delete" if change.after is None else "Update"
    name = str(uuid.uuid5(_NAMESPACE, f"{row['id']}/{change.at}/{number}"))
    attributes: Json = {
        "timestamp": datetime.fromtimestamp(change.at, UTC).isoformat(timespec="milliseconds"),
        "changedBy": change.by or "System",
        "changedByType": "Application" if change.by else "System",
        "clientType": "Unknown" if change.by else "System",
        "operation": f"{row['type']}/{'delete' if kind == 'Delete' else 'write'}",
        "correlationId": str(uuid.uuid5(_NAMESPACE, f"correlation/{number}")),
        "changesCount": len(listed),
    }
    if kind == "Update":
        attributes["previousResourceSnapshotId"] = f"{name}_previous"
    if kind != "Delete":
        attributes["newResourceSnapshotId"] = f"{name}_new"
    return {
        **dict.fromkeys(COLUMNS),
        "id": f"{row['id']}/providers/Microsoft.Resources/changes/{name}",
        "name": name,
        "type": "microsoft.resources/changes",
        "tenantId": row["tenantId"],
        "kind": "",
        "location": row["location"],
        "resourceGroup": row["resourceGroup"],
        "subscriptionId": row["subscriptionId"],
        "managedBy": "",
        "properties": {
            "targetResourceId": row["id"],
            "targetResourceType": row["type"],
            "changeType": kind,
            "changeAttributes": attributes,
            "changes": listed,
        },
    }


def _compare(before: object, after: object, path: str, listed: Json) -> None:
    """Lists the leaves that differ, by paths such as `properties.ipConfigurations[0].name`."""
    if before == after or len(listed) >= MOST_LISTED:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            if name not in _UNSEEN:
                _compare(
                    before.get(name, _MISSING), after.get(name, _MISSING), f"{path}.{name}" if path else name, listed
                )
    elif isinstance(before, list) and isinstance(after, list):
        for position in range(max(len(before), len(after))):
            one = before[position] if position < len(before) else _MISSING
            other = after[position] if position < len(after) else _MISSING
            _compare(one, other, f"{path}[{position}]", listed)
    else:
        listed[path] = {"previousValue": _shown(before), "newValue": _shown(after), "isTruncated": "false"}


def _shown(value: object) -> str:
    return "null" if value is _MISSING or value is None else text(value)
