"""Who wrote a resource last, as Azure's activity log tells it.

Source: the REST reference "Activity Logs - List" and the page "Azure activity log event schema". An event comes some
minutes late. Its ``caller`` is a user's name or an application's id; ``claims.appid`` is the application's id as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bastion_operator.arm.client import ArmClient

READ: Final = "Microsoft.Insights/eventtypes/values/read"
"""The right that reading needs; Reader has it."""
_API_VERSION: Final = "2015-04-01"
_DONE: Final = frozenset({"accepted", "succeeded"})


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote, what, and when, as the log says it."""

    caller: str
    operation: str
    at: str

    def __str__(self) -> str:
        return f"{self.caller} ({self.operation} at {self.at})"


async def last_writer(client: ArmClient, resource_id: str, since: datetime) -> Writer | None:
    """The last who wrote the resource beside this client's identity; None if the log knows of nobody.

    :raises AzureError: if the log may not be read, or not now
    """
    subscription = resource_id.split("/")[2]
    wanted = f"eventTimestamp ge '{since:%Y-%m-%dT%H:%M:%SZ}' and resourceUri eq '{resource_id}'"
    target = f"/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    # The newest events come first: one page is enough.
    events = await client.values(target, api_version=_API_VERSION, query={"$filter": wanted})
    return newest_writer(events, client.principal)


def newest_writer(events: Iterable[Mapping[str, Any]], own: str) -> Writer | None:
    """The caller of the newest write that Azure took and that ``own``, an application's id, did not send."""
    writes = [event for event in events if _value(event, "status").lower() in _DONE and not _is(event, own)]
    newest = max(writes, key=lambda event: str(event.get("eventTimestamp", "")), default=None)
    if newest is None or not newest.get("caller"):
        return None
    return Writer(str(newest["caller"]), _value(newest, "operationName"), str(newest.get("eventTimestamp", "")))


def _is(event: Mapping[str, Any], own: str) -> bool:
    claims = event.get("claims")
    application = claims.get("appid") if isinstance(claims, Mapping) else None
    return own.lower() in {str(application).lower(), str(event.get("caller")).lower()}


def _value(event: Mapping[str, Any], field: str) -> str:
    found = event.get(field)
    return str(found.get("value", "")) if isinstance(found, Mapping) else ""
