"""Resource Graph's own copy of Azure: rows by id, some seconds behind."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from arm_emulator import rendering
from arm_emulator.ancestry import MANAGEMENT_GROUPS
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.graph.changes import Change, Changes
from arm_emulator.graph.tables import COLUMNS, TABLE_OF_CHANGES, TABLES, table_of
from arm_emulator.ids import SUBSCRIPTION_TYPE
from arm_emulator.resource_types.versions import versions_of
from arm_emulator.store import Resource


@dataclass(frozen=True, slots=True)
class _Pending:
    at: float
    key: str
    row: Json | None
    by: str | None


class GraphView:
    """Rows are made when a change happens and shown when it has come of age: a reader sees what was, not what is."""

    def __init__(self, cloud: Cloud) -> None:
        """Listens to the cloud's store from now on; `settings.graph_lag` seconds at speed 1 are the delay."""
        self._cloud = cloud
        self.lag = cloud.settings.graph_lag
        self.version = 0
        self._tables: dict[str, dict[str, Json]] = {name: {} for name in TABLES}
        self._shown_by: dict[str, str] = {}
        self._changes = Changes()
        self._pending: deque[_Pending] = deque()
        self._dirty: dict[str, None] = {}
        self._groups_changed = False
        cloud.store.listeners.append(self._changed)
        # What an operation's end changes is as old as that end, however late somebody asks.
        cloud.operations.settled.append(lambda operation: self._capture(operation.ends, None))

    def table(self, name: str) -> Iterator[tuple[str, Json]]:
        """Key and row of all that a table shows by now."""
        self.catch_up()
        if name in TABLE_OF_CHANGES.values():
            return self._changes.rows(name, self._cloud.clock.now())
        return iter(self._tables[name].items())

    def catch_up(self) -> None:
        """Takes up what is older than the lag."""
        self.capture()
        due = self._cloud.clock.now() - self._cloud.clock.scaled(self.lag)
        while self._pending and self._pending[0].at <= due:
            self._show(self._pending.popleft())

    def capture(self, by: str | None = None) -> None:
        """Renders what has changed since the last call; called after every write, so that its time is the write's.

        `by` is the client that wrote; None where nobody's request did.
        """
        self._capture(self._cloud.clock.now(), by)

    def _capture(self, at: float, by: str | None) -> None:
        if not self._dirty:
            return
        if self._groups_changed:
            # What is below a management group shows the groups above in its own row.
            for kind in (MANAGEMENT_GROUPS, SUBSCRIPTION_TYPE):
                self._dirty |= dict.fromkeys(below.key for below in self._cloud.store.listed("/", kind))
            self._groups_changed = False
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            item = self._cloud.store.get(key)
            self._pending.append(_Pending(at, key, None if item is None else self._row(item), by))

    def load_everything(self) -> None:
        """Makes the graph know all that is there at once: the estate was there long before."""
        self.capture()
        for pending in self._pending:
            self._put(pending.key, pending.row)
        self._pending.clear()
        for key, row in self._cloud.extra_rows.items():
            self._put(key, _foreign_row(row))

    def _show(self, pending: _Pending) -> None:
        """Takes a change up, and keeps a record of it."""
        for table, old, new in self._put(pending.key, pending.row):
            self._changes.note(table, Change(pending.at, old, new, pending.by))

    def _put(self, key: str, row: Json | None) -> list[tuple[str, Json | None, Json | None]]:
        """Puts a row in place of the one with its key; the tables that it touched, with the old row and the new."""
        self.version += 1
        old_table = self._shown_by.pop(key, None)
        name = None if row is None else table_of(row["type"])
        touched: list[tuple[str, Json | None, Json | None]] = []
        if old_table is not None and old_table != name:
            touched.append((old_table, self._tables[old_table].pop(key), None))
        if name is not None and row is not None:
            touched.append((name, self._tables[name].get(key), row))
            self._tables[name][key] = row
            self._shown_by[key] = name
        return touched

    def _changed(self, key: str, item: Resource | None) -> None:
        """A change shows in the row of the top-level resource; children that a table shows have rows of their own."""
        if item is None or table_of(item.id.type.lower()) is not None:
            self._dirty[key] = None
        if item is None:
            return
        if item.root_key != key:
            self._dirty[item.root_key] = None
        self._groups_changed = self._groups_changed or item.id.type == MANAGEMENT_GROUPS

    def _row(self, item: Resource) -> Json:
        row = rendering.row(self._cloud, item)
        row["apiVersion"] = _latest_version(item.id.type)
        if item.id.type != SUBSCRIPTION_TYPE:
            return row
        return {
            **row,
            "name": item.body.get("_displayName", item.id.subscription),
            "type": "microsoft.resources/subscriptions",
            "resourceGroup": "",
        }


@cache
def _latest_version(kind: str) -> str:
    """The newest api-version of a type that is no preview: rows have the form of that one."""
    return max((version for version in versions_of(kind) if "preview" not in version), default="")


def _foreign_row(row: Json) -> Json:
    """A row of an estate file whose id is no resource's: as it came, with the columns that can be told from the id."""
    known = {
        name: str(row[name]) if kind == "string" else row[name]
        for name, kind in COLUMNS.items()
        if row.get(name) is not None
    }
    segments = row["id"].strip("/").split("/")
    below = {segments[n].lower(): segments[n + 1] for n in range(0, min(4, len(segments) - 1), 2)}
    kind = str(row.get("type") or "").lower()
    filled = {
        **dict.fromkeys(COLUMNS),
        "name": segments[-1],
        "kind": "",
        "managedBy": "",
        "location": "",
        "tenantId": "",
        "subscriptionId": below.get("subscriptions", ""),
        "resourceGroup": below.get("resourcegroups", "").lower(),
    }
    return {**filled, **known, "type": kind}
