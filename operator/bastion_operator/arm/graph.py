"""The inventory, read from Azure Resource Graph as raw rows."""

from collections.abc import Sequence
from typing import Any

from bastion_operator.arm.client import ArmClient, GraphPage
from bastion_operator.arm.errors import AzureError, ErrorClass

# What the verdicts and the plans look at. Subnets, peerings and security rules are inside their parents' rows.
INVENTORY_TYPES = (
    "microsoft.compute/virtualmachines",
    "microsoft.network/applicationsecuritygroups",
    "microsoft.network/bastionhosts",
    "microsoft.network/networkinterfaces",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/publicipaddresses",
    "microsoft.network/routetables",
    "microsoft.network/virtualnetworks",
)
_TYPE_LIST = ", ".join(f"'{resource_type}'" for resource_type in INVENTORY_TYPES)
# Ordered by id, or pages repeat and lose rows; id must be projected, or there is no skip token.
INVENTORY_QUERY = (
    f"resources | where type in~ ({_TYPE_LIST}) "
    "| project id, name, type, tenantId, kind, location, resourceGroup, subscriptionId, sku, zones, tags, properties "
    "| order by id asc"
)
SUBSCRIPTIONS_QUERY = (
    "resourcecontainers | where type in~ ('microsoft.resources/subscriptions') "
    "| project id, name, type, tenantId, subscriptionId, properties | order by id asc"
)
# Resource Graph accepts 1,000 subscriptions a query; fewer than 300 are advised.
SUBSCRIPTIONS_A_QUERY = 200
LARGEST_PAGE = 1000
_PAYLOAD_TOO_LARGE = "ResponsePayloadTooLarge"
# How often in a row a page is asked for again after the graph's quota was used up, before the reading is given up.
_PATIENCE = 10
_WAIT = 5.0


async def read_inventory(client: ArmClient, subscriptions: Sequence[str]) -> list[dict[str, Any]]:
    """Every row that the identity may read in these subscriptions: the subscriptions themselves and their resources.

    A subscription that is asked for and has no row of its own could not be read; its resources are then missing
    without an error, as the graph drops what it may not show.

    :raises AzureError: if a page is refused for another reason than its size
    """
    rows: list[dict[str, Any]] = []
    for start in range(0, len(subscriptions), SUBSCRIPTIONS_A_QUERY):
        batch = list(subscriptions[start : start + SUBSCRIPTIONS_A_QUERY])
        rows += await query(client, SUBSCRIPTIONS_QUERY, batch)
        rows += await query(client, INVENTORY_QUERY, batch)
    return rows


async def query(client: ArmClient, text: str, subscriptions: list[str]) -> list[dict[str, Any]]:
    """All pages of a query, each row once.

    A page that the graph refuses as too large is asked for in halves. Where the quota of queries is used up (15 in 5
    seconds, and a large estate has more pages) the reading waits: given up, it would begin anew and never end.

    :raises AzureError: if a page is refused for another reason, or the graph cut rows off without saying where
    """
    rows: dict[str, dict[str, Any]] = {}
    received, top, token = 0, LARGEST_PAGE, None
    while True:
        try:
            page = await _page(client, text, subscriptions, top=top, skip=received, skip_token=token)
        except AzureError as error:
            if error.code != _PAYLOAD_TOO_LARGE or top == 1:
                raise
            # The token holds the size of its pages: from here on it is by the number of rows.
            top, token = max(top // 2, 1), None
            continue
        received += len(page.rows)
        rows.update((str(row.get("id", "")).lower(), row) for row in page.rows)
        token = page.skip_token
        if token is None:
            _refuse_incomplete(page, received)
            return list(rows.values())
        if page.wait is not None:
            await client.clock.sleep(page.wait)


async def _page(
    client: ArmClient, text: str, subscriptions: list[str], *, top: int, skip: int, skip_token: str | None
) -> GraphPage:
    for _ in range(_PATIENCE):
        try:
            return await client.graph_page(text, subscriptions, top=top, skip=skip, skip_token=skip_token)
        except AzureError as error:
            if error.error_class is not ErrorClass.THROTTLED:
                raise
            wait = error.retry_after
        await client.clock.sleep(_WAIT if wait is None else wait)
    return await client.graph_page(text, subscriptions, top=top, skip=skip, skip_token=skip_token)


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
