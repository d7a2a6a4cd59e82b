"""The activity log: events of writes as Azure Monitor tells them, made from the audit and the operations.

Shape: https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema (Administrative) and
https://learn.microsoft.com/rest/api/monitor/activity-logs/list (the filter). Events are there at once, not minutes later.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from arm_emulator import odata
from arm_emulator.clock import iso
from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, bad_request
from arm_emulator.ids import ResourceId, parse
from arm_emulator.messages import Answer, Request
from arm_emulator.pages import paged
from arm_emulator.principals import Principal

READ = "Microsoft.Insights/eventtypes/values/Read"
PAGE = 200
_PATH = ["providers", "microsoft.insights", "eventtypes", "management", "values"]
_NAMESPACE = uuid.UUID("0c7a2b44-5f0e-4b52-9d0c-3a1c1a6f7f02")
_TICKS = 621_355_968_000_000_000
_FILTERED = {
    "resourcegroupname": "resourceGroupName",
    "resourceuri": "resourceId",
    "resourceid": "resourceId",
    "resourceprovider": "resourceProviderName",
    "resourcetype": "resourceType",
    "correlationid": "correlationId",
    "caller": "caller",
    "status": "status",
    "operationname": "operationName",
    "operationid": "operationId",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """One event of a write: when, its status, and what it says about the HTTP answer."""

    at: str
    name: str
    status: str
    code: int
    message: str = ""


class ActivityLog:
    """Answers for one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose audit is told."""
        self._cloud = cloud

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is not the log's. Raises ArmError."""
        if segments[-1] not in ("values", "eventcategories"):
            return None
        if segments == ["providers", "microsoft.insights", "eventcategories"]:
            names = ("Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale")
            return Answer.listing([{"value": name, "localizedValue": name} for name in names])
        subscription = segments[1] if segments[0] == "subscriptions" and segments[2:] == _PATH else ""
        if not subscription and segments != _PATH:
            return None
        if request.method != "GET":
            raise ArmError(HTTPStatus.METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", "The activity log is only read.")
        self._cloud.rights.authorize(principal, READ, f"/subscriptions/{subscription}" if subscription else "/")
        return self._listed(request, subscription)

    def _listed(self, request: Request, subscription: str) -> Answer:
        text = request.query.get("$filter", "")
        terms = odata.only(odata.terms(text), text, "eventtimestamp", *_FILTERED)
        since = [_seconds(term.value) for term in terms if term.name == "eventtimestamp" and term.operator == "ge"]
        until = [_seconds(term.value) for term in terms if term.name == "eventtimestamp" and term.operator == "le"]
        if not since:
            raise bad_request("BadRequest", "The $filter must have the start time: eventTimestamp ge '…'.")
        found = [
            event
            for event in self._events(subscription)
            if max(since) <= _seconds(event["eventTimestamp"]) <= min(until, default=float("inf"))
            and all(_fits(event, term) for term in terms)
        ]
        found.reverse()
        found.sort(key=lambda event: str(event["eventTimestamp"]), reverse=True)
        wanted = [name.strip() for name in request.query.get("$select", "").split(",") if name.strip()]

        def shown(event: Json) -> Json:
            return event if not wanted else {name: event[name] for name in wanted if name in event}

        return paged(request, found, min(PAGE, self._cloud.settings.page_size), shown)

    def _events(self, subscription: str) -> Iterator[Json]:
        """All events of a subscription, or of what belongs to the tenant, as they were recorded."""
        audit = self._cloud.audit
        for entry in (*audit.entries, *audit.refused):
            found = parse(str(entry["id"]))
            if found is not None and found.subscription.lower() == subscription:
                for phase in self._phases(entry):
                    yield self._event(entry, found, phase)

    def _phases(self, entry: Json) -> Iterator[Phase]:
        status = int(entry["status"])
        if "code" in entry:
            yield Phase(entry["time"], "EndRequest", "Failed", status, f"{entry['code']}: {entry['message']}")
            return
        yield Phase(entry["time"], "BeginRequest", "Started", 0)
        operation = self._cloud.operations.get(str(entry.get("operation")))
        if operation is None:
            yield Phase(entry["time"], "EndRequest", "Succeeded", status)
            return
        yield Phase(entry["time"], "EndRequest", "Accepted", status)
        if not operation.running:
            failed = operation.error is not None
            message = "" if operation.error is None else f"{operation.error['code']}: {operation.error['message']}"
            end = max(operation.ends, operation.started)
            yield Phase(iso(end), "EndRequest", "Failed" if failed else "Succeeded", 409 if failed else 200, message)

    def _event(self, entry: Json, found: ResourceId, phase: Phase) -> Json:
        event_id = str(uuid.uuid5(_NAMESPACE, f"{entry['correlation']}/{found.key}/{phase.status}"))
        provider = "Microsoft.Resources" if "/" not in found.type else found.type.partition("/")[0]
        sub_status = HTTPStatus(phase.code).phrase.replace(" ", "") if phase.code else ""
        failed = phase.status == "Failed"
        ticks = int(_seconds(phase.at) * 10_000_000) + _TICKS
        return {
            "authorization": {"action": entry["action"], "scope": str(found)},
            "caller": entry["client"],
            "channels": "Operation",
            "claims": {
                "appid": entry["client"],
                "http://schemas.microsoft.com/identity/claims/objectidentifier": entry["object"],
            },
            "correlationId": entry["correlation"],
            "description": "",
            "eventDataId": event_id,
            "eventName": _named(phase.name),
            "category": _named("Administrative"),
            "httpRequest": {
                "clientRequestId": entry["correlation"],
                "clientIpAddress": "127.0.0.1",
                "method": entry["method"],
            },
            "id": f"{found}/events/{event_id}/ticks/{ticks}",
            "level": "Error" if failed else "Informational",
            "resourceGroupName": found.group or "",
            "resourceProviderName": _named(provider),
            "resourceId": str(found),
            "resourceType": _named(found.type),
            "operationId": str(entry.get("operation") or entry["correlation"]),
            "operationName": _named(entry["action"]),
            "properties": {
                "entity": str(found),
                "eventCategory": "Administrative",
                "message": entry["action"],
                "hierarchy": self._cloud.settings.tenant_id,
                **({"statusCode": sub_status} if sub_status else {}),
                **({"statusMessage": phase.message} if phase.message else {}),
            },
            "status": _named(phase.status),
            "subStatus": {
                "value": sub_status,
                "localizedValue": f"{sub_status} (HTTP Status Code: {phase.code})" if sub_status else "",
            },
            "eventTimestamp": phase.at,
            "submissionTimestamp": phase.at,
            "subscriptionId": found.subscription,
            "tenantId": self._cloud.settings.tenant_id,
        }


def _named(value: str) -> Json:
    return {"value": value, "localizedValue": value}


def _fits(event: Json, term: odata.Term) -> bool:
    if term.name == "eventtimestamp":
        return True
    value = event[_FILTERED[term.name]]
    text = str(value["value"] if isinstance(value, dict) else value)
    return (text.lower() == term.value.lower()) == (term.operator != "ne")


def _seconds(text: str) -> float:
    """A time of the log or of a filter, where a `+` that was not encoded has become a space."""
    for candidate in (text, text.replace(" ", "+")):
        try:
            at = datetime.fromisoformat(candidate)
        except ValueError:
            continue
        return at.replace(tzinfo=at.tzinfo or UTC).timestamp()
    raise bad_request("BadRequest", f"The time '{text}' in $filter cannot be read.")
