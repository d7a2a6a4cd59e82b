"""The subscriptions that an identity sees."""

from dataclasses import dataclass

from bastion_operator.arm.client import ArmClient

_API_VERSION = "2022-12-01"
_GONE = frozenset({"disabled", "deleted"})


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription: its id (a GUID), and its name as people know it."""

    id: str
    name: str


async def list_subscriptions(client: ArmClient) -> list[Subscription]:
    """Those in use, ordered by name.

    :raises AzureError: if Azure refuses or cannot be reached
    """
    rows = await client.list_children("", "subscriptions", api_version=_API_VERSION)
    found = [
        Subscription(str(row.get("subscriptionId", "")), str(row.get("displayName", "")))
        for row in rows
        if str(row.get("state", "")).lower() not in _GONE
    ]
    return sorted(found, key=lambda each: (each.name.lower(), each.id))
