"""Resource Graph's own copy of Azure: rows by id, some seconds behind."""

from collections import deque
from collections.abc import Iterator

from arm_emulator import rendering
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import SUBSCRIPTION_TYPE
from arm_emulator.store import Resource

COLUMNS = (
    "id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku", "plan",
    "properties", "tags", "identity", "zones", "extendedLocation",
)  # fmt: skip
TABLES = ("resources", "resourcecontainers", "authorizationresources", "networkresources", "computeresources")
_NETWORK_ROWS = (
    "effectivesecurityadminrules", "effectiveconnectivityconfigurations", "networkgroupmemberships",
    "networkmanagerconnections", "effectivesecurityuserrules", "effectiveroutingrules",
)  # fmt: skip


class GraphView:
    """Rows are made when a change happens and shown when it has come of age: a reader sees what was, not what is."""

    def __init__(self, cloud: Cloud) -> None:
        """Listens to the cloud's store from now on; `settings.graph_lag` seconds at speed 1 are the delay."""
        self._cloud = cloud
        self.lag = cloud.settings.graph_lag
        self.version = 0
        self._tables: dict[str, dict[str, Json]] = {name: {} for name in TABLES}
        self._pending: deque[tuple[float, str, Json | None]] = deque()
        self._dirty: dict[str, None] = {}
        cloud.store.listeners.append(self._changed)

    def table(self, name: str) -> Iterator[tuple[str, Json]]:
        """Key and row of all that a table shows by now."""
        self.catch_up()
        return iter(self._tables[name].items())

    def catch_up(self) -> None:
        """Takes up what is older than the lag."""
        self.capture()
        due = self._cloud.clock.now() - self._cloud.clock.scaled(self.lag)
        while self._pending and self._pending[0][0] <= due:
            _, key, row = self._pending.popleft()
            self._show(key, row)

    def capture(self) -> None:
        """Renders what has changed since the last call; called after every write, so that its time is the write's."""
        if not self._dirty:
            return
        now = self._cloud.clock.now()
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            item = self._cloud.store.get(key)
            self._pending.append((now, key, None if item is None else self._row(item)))

    def load_everything(self) -> None:
        """Makes the graph know all that is there at once: the estate was there long before."""
        self.capture()
        for _, key, row in self._pending:
            self._show(key, row)
        self._pending.clear()
        for key, row in self._cloud.extra_rows.items():
            self._show(key, _foreign_row(row))

    def _show(self, key: str, row: Json | None) -> None:
        self.version += 1
        if row is None:
            for table in self._tables.values():
                table.pop(key, None)
            return
        name = table_of(row["type"])
        if name is not None:
            self._tables[name][key] = row

    def _changed(self, key: str, item: Resource | None) -> None:
        """A change shows in the row of the top-level resource; children of unknown types have rows of their own."""
        if item is None or item.id.type.lower() not in _INSIDE_THEIR_PARENTS:
            self._dirty[key] = None
        if item is not None and item.root_key != key:
            self._dirty[item.root_key] = None

    def _row(self, item: Resource) -> Json:
        row = rendering.row(self._cloud, item)
        if item.id.type != SUBSCRIPTION_TYPE:
            return row
        return {
            **row,
            "name": item.body.get("_displayName", item.id.subscription),
            "type": "microsoft.resources/subscriptions",
            "resourceGroup": "",
        }


def table_of(kind: str) -> str | None:
    """The table that shows a type (lower-case); None for children that show inside their parents only."""
    if kind.startswith(("microsoft.resources/subscriptions", "microsoft.management/managementgroups")):
        return "resourcecontainers"
    if kind.startswith("microsoft.authorization/role"):
        return "authorizationresources"
    if kind.startswith("microsoft.compute/virtualmachinescalesets/"):
        return "computeresources"
    last = kind.rpartition("/")[2]
    if kind.startswith("microsoft.network/networkmanagers/") or last in _NETWORK_ROWS:
        return "networkresources"
    return None if kind in _INSIDE_THEIR_PARENTS else "resources"


_INSIDE_THEIR_PARENTS = (
    "microsoft.network/virtualnetworks/subnets",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings",
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/routetables/routes",
    "microsoft.network/virtualhubs/hubvirtualnetworkconnections",
)


def _foreign_row(row: Json) -> Json:
    """A row of an estate file whose id is no resource's: as it came, with the columns that can be told from the id."""
    known = {name: row[name] for name in COLUMNS if row.get(name) is not None}
    segments = row["id"].strip("/").split("/")
    below = {segments[n].lower(): segments[n + 1] for n in range(0, min(4, len(segments) - 1), 2)}
    filled = {
        **dict.fromkeys(COLUMNS),
        "name": segments[-1],
        "kind": "",
        "managedBy": "",
        "location": "",
        "subscriptionId": below.get("subscriptions", ""),
        "resourceGroup": below.get("resourcegroups", "").lower(),
    }
    return {**filled, **known, "type": str(row.get("type") or "").lower()}
