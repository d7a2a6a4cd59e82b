"""Resource Graph's own copy of Azure: rows by id, some seconds behind."""

from collections import deque
from collections.abc import Iterator

from arm_emulator import rendering
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import GROUP_TYPE, SUBSCRIPTION_TYPE
from arm_emulator.store import Resource

_INVISIBLE = (
    "microsoft.network/virtualnetworks/subnets",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings",
    "microsoft.network/networksecuritygroups/securityrules",
    "microsoft.network/routetables/routes",
)


class GraphView:
    """Rows are made when a change has come of age: a reader sees what was, not what is."""

    def __init__(self, cloud: Cloud) -> None:
        """Listens to the cloud's store from now on; `settings.graph_lag` seconds at speed 1 are the delay."""
        self._cloud = cloud
        self.lag = cloud.settings.graph_lag
        self._rows: dict[str, Json] = {}
        self._pending: deque[tuple[float, str, Json | None]] = deque()
        self._dirty: dict[str, None] = {}
        cloud.store.listeners.append(self._changed)

    def rows(self) -> Iterator[tuple[str, Json]]:
        """Key and row of everything that the graph knows by now, in the order in which it learned of them."""
        self.catch_up()
        return iter(self._rows.items())

    def catch_up(self) -> None:
        """Takes up what is older than the lag."""
        self.capture()
        due = self._cloud.clock.now() - self._cloud.clock.scaled(self.lag)
        while self._pending and self._pending[0][0] <= due:
            _, key, row = self._pending.popleft()
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = row

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
        self._pending = deque((0.0, key, row) for _, key, row in self._pending)
        self.catch_up()

    def _changed(self, key: str, item: Resource | None) -> None:
        """A change shows in the row of the top-level resource, and in those of what it refers to."""
        if item is None:
            self._dirty[key] = None
            return
        self._dirty[item.root_key] = None

    def _row(self, item: Resource) -> Json:
        if item.id.type == SUBSCRIPTION_TYPE:
            return _subscription_row(self._cloud, item)
        return rendering.row(self._cloud, item)


def is_visible(row: Json) -> bool:
    """Whether a row's type is one that a table has: children of the network types are inside their parents only."""
    return row["type"] not in _INVISIBLE


def table_of(row: Json) -> str:
    """The table that a row belongs to."""
    kind = row["type"]
    if kind.startswith("microsoft.resources/subscriptions") or kind == "microsoft.management/managementgroups":
        return "resourcecontainers"
    if kind.startswith("microsoft.authorization/role"):
        return "authorizationresources"
    if kind == "microsoft.compute/virtualmachinescalesets/virtualmachines":
        return "computeresources"
    return "resources"


def _subscription_row(cloud: Cloud, item: Resource) -> Json:
    row = rendering.row(cloud, item)
    return {
        **row,
        "id": f"/subscriptions/{item.id.subscription}",
        "name": item.body.get("_displayName", item.id.subscription),
        "type": "microsoft.resources/subscriptions",
        "location": "",
        "resourceGroup": "",
    }


__all__ = ["GROUP_TYPE", "GraphView", "is_visible", "table_of"]
