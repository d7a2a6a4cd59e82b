"""The inventory, read from Azure Resource Graph as raw rows."""

from collections.abc import Sequence
from typing import Any

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.errors import AzureError

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
    """All pages of a query, each row once; a page that the graph refuses as too large is asked for in halves."""
    rows: dict[str, dict[str, Any]] = {}
    top, token = LARGEST_PAGE, None
    while True:
        try:
            page = await client.graph_page(text, subscriptions, top=top, skip_token=token)
        except AzureError as error:
            if error.code != _PAYLOAD_TOO_LARGE or top == 1:
                raise
            top = max(top // 2, 1)
            continue
        for row in page.get("data", []):
            rows[str(row.get("id", "")).lower()] = row
        token = page.get("$skipToken")
        if not token:
            return list(rows.values())
