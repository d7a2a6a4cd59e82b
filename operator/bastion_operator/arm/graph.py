"""The inventory, read from Azure Resource Graph as raw rows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bastion_operator.arm.answers import GraphPage
from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.clock import Clock
from bastion_operator.network.held_row import Held, ReadRow, hold, key_of
from bastion_operator.network.resource_types import (
    GRAPH_TABLES,
    HUB_CONNECTIONS,
    HUB_ROUTE_TABLES,
    ROLE_ASSIGNMENTS,
    ROLE_DEFINITIONS,
    ROUTING_INTENTS,
    VIRTUAL_HUBS,
    VM_EXTENSIONS,
)

_log = logging.getLogger(__name__)

# The tables that every reading has, and what of them.
INVENTORY_TABLES: Mapping[str, tuple[str, ...]] = {
    table: GRAPH_TABLES[table] for table in ("resources", "computeresources")
}
INVENTORY_TYPES = tuple(sorted(each for types in INVENTORY_TABLES.values() for each in types))
_CONNECTIONS = "hubVirtualNetworkConnections"
# What the graph has no rows of, by the collection below a virtual hub that ARM lists it in.
HUB_COLLECTIONS: Mapping[str, str] = {
    _CONNECTIONS: HUB_CONNECTIONS,
    "hubRouteTables": HUB_ROUTE_TABLES,
    "routingIntent": ROUTING_INTENTS,
}
# What Azure Virtual Network Manager has put into force. Which right shows these rows is not documented, and rows that are
# hidden look like rows that are not there: they count as read where there is at least one.
NETWORK_MANAGER_TABLE = "networkresources"
# Roles, and the extensions by which people sign in to VMs with Entra ID: read only where somebody asks who may connect.
ACCESS_TYPES = (ROLE_ASSIGNMENTS, ROLE_DEFINITIONS, VM_EXTENSIONS)
_COLUMNS = "id, name, type, tenantId, kind, location, resourceGroup, subscriptionId, sku, zones, tags, properties"
SUBSCRIPTIONS_QUERY = (
    "resourcecontainers | where type in~ ('microsoft.resources/subscriptions') "
    "| project id, name, type, tenantId, subscriptionId, properties | order by id asc"
)


ROLES_QUERY = (
    f"authorizationresources | where type in~ ('{ROLE_ASSIGNMENTS}', '{ROLE_DEFINITIONS}') "
    "| project id, name, type, properties | order by id asc"
)
SIGN_IN_QUERY = (
    f"resources | where type =~ '{VM_EXTENSIONS}' "
    "| where properties.type in~ ('AADLoginForWindows', 'AADSSHLoginForLinux') "
    "| project id, name, type, properties | order by id asc"
)
# Without it the graph leaves out what is assigned to management groups.
_INHERITED = "AtScopeAboveAndBelow"


def inventory_query(table: str) -> str:
    """All rows of the table's types. Ordered by id, or pages repeat and lose rows; without id there is no skip token."""
    types = ", ".join(f"'{each}'" for each in GRAPH_TABLES[table])
    return f"{table} | where type in~ ({types}) | project {_COLUMNS} | order by id asc"


# Resource Graph accepts 1,000 subscriptions a query; fewer than 300 are advised.
SUBSCRIPTIONS_A_QUERY = 200
LARGEST_PAGE = 1000
# The graph refuses answers of more than 16 MiB; the rest is for rows that are heavier than those before them.
_PAGE_BYTES = 12 * 1024 * 1024
# Lists of hubs' parts that are under way at once.
_AT_ONCE = 8
# How often in a row a page is asked for again after the graph's quota was used up, before the reading is given up.
_PATIENCE = 10
_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class InventoryReading:
    """What was read: rows as they are held, and the types that were asked for. Of another type nothing is known."""

    rows: list[Held]
    types: frozenset[str]


async def read_inventory(client: ArmClient, subscriptions: Sequence[str], *, access: bool = False) -> InventoryReading:
    """Every row that the identity may read in these subscriptions: the subscriptions themselves and their resources.

    A subscription that is asked for and has no row of its own could not be read; its resources are then missing
    without an error, as the graph drops what it may not show. With ``access`` role assignments and definitions are read
    as well; network managers and roles that the graph refuses leave a gap in the types.

    :raises AzureError: if the graph refuses a page for another reason than its size
    """
    rows: list[Held] = []
    batches = [
        list(subscriptions[start : start + SUBSCRIPTIONS_A_QUERY])
        for start in range(0, len(subscriptions), SUBSCRIPTIONS_A_QUERY)
    ]
    for batch in batches:
        rows += await query(client, SUBSCRIPTIONS_QUERY, batch)
        for table in INVENTORY_TABLES:
            rows += await query(client, inventory_query(table), batch)
    plain = (row for row in rows if not isinstance(row, ReadRow))
    hubs = [str(row["id"]) for row in plain if str(row.get("type", "")).lower() == VIRTUAL_HUBS]
    gathered = [await _read_hubs(client, hubs), await _read_network_managers(client, batches)]
    if access:
        gathered.append(await _read_access(client, batches))
    types = frozenset(INVENTORY_TYPES).union(*(part_types for _, part_types in gathered))
    return InventoryReading([*rows, *(row for part, _ in gathered for row in part)], types)


Part = tuple[list[Held], frozenset[str]]
"""Rows, and the types of which all that the identity may see are among them."""


async def _read_network_managers(client: ArmClient, batches: Iterable[list[str]]) -> Part:
    rows: list[Held] = []
    try:
        for batch in batches:
            rows += await query(client, inventory_query(NETWORK_MANAGER_TABLE), batch)
    except AzureError as error:
        return _gap(NETWORK_MANAGER_TABLE, error)
    return rows, frozenset(GRAPH_TABLES[NETWORK_MANAGER_TABLE] if rows else ())


async def _read_access(client: ArmClient, batches: Iterable[list[str]]) -> Part:
    rows: list[Held] = []
    try:
        for batch in batches:
            rows += await query(client, ROLES_QUERY, batch, scope_filter=_INHERITED)
            rows += await query(client, SIGN_IN_QUERY, batch)
    except AzureError as error:
        return _gap("role assignments", error)
    return rows, frozenset(ACCESS_TYPES)


def _gap(what: str, error: AzureError) -> Part:
    """Nothing, where the graph refuses for good: the rest is of use without. What passes fails the reading as a whole."""
    if error.error_class not in {ErrorClass.DENIED, ErrorClass.REFUSED}:
        raise error
    _log.warning("%s could not be read: %s", what, error)
    return [], frozenset()


async def _read_hubs(client: ArmClient, hubs: Sequence[str]) -> Part:
    """The parts of virtual hubs, and the types of which every hub's were read: one that was refused leaves a gap.

    A hub costs one call, and two more where it has connections: its tables and its routing intent are nobody's otherwise.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def listed(hub: str, collection: str) -> list[Held] | None:
        async with limit:
            try:
                found = await client.list_children(hub, collection)
            except AzureError as error:
                _log.warning("the %s of %s could not be read: %s", collection, hub, error)
                return None
        return [{"type": HUB_COLLECTIONS[collection], **each} for each in found]

    connections = await asyncio.gather(*(listed(hub, _CONNECTIONS) for hub in hubs))
    # Where connections are not known, neither is whether the hub's other parts are wanted.
    unread = set(HUB_COLLECTIONS.values()) if None in connections else set()
    connected = [hub for hub, found in zip(hubs, connections, strict=True) if found]
    wanted = [(hub, collection) for hub in connected for collection in HUB_COLLECTIONS if collection != _CONNECTIONS]
    others = await asyncio.gather(*(listed(*each) for each in wanted))
    unread |= {
        HUB_COLLECTIONS[collection] for (_, collection), found in zip(wanted, others, strict=True) if found is None
    }
    rows = [row for found in (*connections, *others) for row in found or ()]
    return rows, frozenset(HUB_COLLECTIONS.values()) - unread


async def query(
    client: ArmClient, text: str, subscriptions: list[str], *, scope_filter: str | None = None
) -> list[Held]:
    """All pages of a query, each row once, as rows are held. ``scope_filter`` is the graph's authorizationScopeFilter.

    A page that the graph refuses as too large is asked for in halves; the size of the rows that then come tells how many
    fit into the next. Where the quota of queries is used up (15 in 5
    seconds, and a large estate has more pages) the reading waits: given up, it would begin anew and never end.

    :raises AzureError: if a page is refused for another reason, or the graph cut rows off without saying where
    """
    rows: dict[str, Held] = {}
    received, top, token = 0, LARGEST_PAGE, None
    asked = partial(client.graph_page, text, subscriptions, scope_filter=scope_filter)
    while True:
        try:
            page = await _page(client.clock, partial(asked, top=top, skip=received, skip_token=token))
        except AzureError as error:
            if error.error_class is not ErrorClass.TOO_LARGE or top == 1:
                raise
            top, token = max(top // 2, 1), None
            continue
        received += len(page.rows)
        rows |= await asyncio.to_thread(_held, page.rows)
        if page.skip_token is None:
            _refuse_incomplete(page, received)
            return list(rows.values())
        fitting = _fitting(page)
        # A token holds the size of its pages.
        token = page.skip_token if fitting >= top and top == LARGEST_PAGE else None
        top = fitting
        if page.wait is not None:
            await client.clock.sleep(page.wait)


def _held(page: list[dict[str, Any]]) -> dict[str, Held]:
    return {key_of(held) or "": held for held in hold(page)}


async def _page(clock: Clock, ask: Callable[[], Awaitable[GraphPage]]) -> GraphPage:
    for _ in range(_PATIENCE):
        try:
            return await ask()
        except AzureError as error:
            if error.error_class is not ErrorClass.THROTTLED:
                raise
            wait = error.retry_after
        await clock.sleep(_WAIT if wait is None else wait)
    return await ask()


def _fitting(page: GraphPage) -> int:
    """How many rows of this page's weight fit into an answer."""
    weight = max(page.size // max(len(page.rows), 1), 1)
    return max(min(_PAGE_BYTES // weight, LARGEST_PAGE), 1)


def _refuse_incomplete(page: GraphPage, received: int) -> None:
    if not page.truncated and (page.total is None or received >= page.total):
        return
    raise AzureError(
        code="GraphAnswerIncomplete",
        message=f"Resource Graph answered {received} of {page.total} rows and no way to the rest",
        error_class=ErrorClass.TRANSIENT,
        status=200,
        target="Microsoft.ResourceGraph/resources",
    )
