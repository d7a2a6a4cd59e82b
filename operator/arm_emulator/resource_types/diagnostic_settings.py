"""Microsoft.Insights/diagnosticSettings on resources: which logs and metrics go where.

Rules: https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings; categories:
https://learn.microsoft.com/azure/azure-monitor/reference/supported-logs/logs-index
"""

from arm_emulator.cloud import Cloud, items
from arm_emulator.errors import ArmError, Json, bad_request, conflict, not_found
from arm_emulator.ids import ResourceId, parse
from arm_emulator.resource_types.base import IMMEDIATE, Link, Put, ResourceType, Statuses
from arm_emulator.resource_types.workspaces import WORKSPACES
from arm_emulator.store import Reference, Resource

DIAGNOSTIC_SETTINGS = "Microsoft.Insights/diagnosticSettings"
CATEGORIES = "Microsoft.Insights/diagnosticSettingsCategories"
MOST_SETTINGS = 5
DESTINATIONS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "marketplacePartnerId")
LOGS: dict[str, tuple[str, ...]] = {
    "microsoft.network/bastionhosts": ("BastionAuditLogs",),
    "microsoft.network/networksecuritygroups": ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"),
    "microsoft.network/virtualnetworks": ("VMProtectionAlerts",),
    "microsoft.network/publicipaddresses": (
        "DDoSProtectionNotifications",
        "DDoSMitigationFlowLogs",
        "DDoSMitigationReports",
    ),
}
METRICS = "AllMetrics"
AUDITED = ("BastionAuditLogs",)
WITHOUT_METRICS = ("microsoft.network/networksecuritygroups",)
GROUPS = ("allLogs", "audit")


class DiagnosticSettings(ResourceType):
    """Without etag, state or operation: created with 200, five a resource, no category twice to one workspace."""

    name = DIAGNOSTIC_SETTINGS
    tracked = has_etag = has_state = False
    envelope = frozenset({"properties", "location", "tags", "kind", "identity"})
    create = delete = IMMEDIATE
    statuses = Statuses(created=200)
    not_found = ("ResourceNotFound", "The diagnostic setting '{name}' does not exist.")

    def prepare(self, put: Put) -> None:
        wanted = put.properties
        owner = self._owner(put)
        if not any(wanted.get(name) for name in DESTINATIONS):
            raise bad_request(
                "BadRequest",
                "At least one data sink needs to be specified: " + ", ".join(DESTINATIONS) + ".",
            )
        workspace = wanted.get("workspaceId")
        if workspace is not None:
            self._check_workspace(put.cloud, workspace)
        standing = put.cloud.store.listed(owner.lower(), DIAGNOSTIC_SETTINGS)
        if put.old is None and len(standing) >= MOST_SETTINGS:
            raise conflict(
                "Conflict",
                f"The limit of {MOST_SETTINGS} diagnostic settings was reached. To create a new diagnostic setting, delete "
                "an existing one.",
            )
        kind = _kind(owner)
        logs = [_entry(kind, one, LOGS.get(kind, ()), GROUPS) for one in items(wanted, "logs")]
        metrics = [_entry(kind, one, metrics_of(kind), ()) for one in items(wanted, "metrics")]
        self._refuse_double(put, standing, logs)
        named = {name: wanted.get(name) for name in (*DESTINATIONS, "serviceBusRuleId", "eventHubName")}
        put.body.clear()
        put.body["properties"] = {
            **named,
            "metrics": metrics,
            "logs": logs,
            "logAnalyticsDestinationType": wanted.get("logAnalyticsDestinationType"),
        }

    def links(self, put: Put) -> list[Link]:
        """Whoever sends to a workspace needs its keys."""
        workspace = put.properties.get("workspaceId")
        return [] if workspace is None else [Link(f"{WORKSPACES}/sharedKeys/action", str(workspace))]

    def references(self, item: Resource) -> list[Reference]:
        workspace = item.properties.get("workspaceId")
        return [Reference("workspace", workspace, str(item.id))] if isinstance(workspace, str) else []

    def _owner(self, put: Put) -> str:
        if not put.id.extends:
            raise bad_request("BadRequest", "A diagnostic setting is made on a resource.")
        return put.id.extends

    def _check_workspace(self, cloud: Cloud, workspace: object) -> None:
        found = parse(workspace) if isinstance(workspace, str) else None
        if found is None or found.type.lower() != WORKSPACES.lower():
            raise bad_request("BadRequest", f"The workspaceId '{workspace}' is not the id of a workspace.")
        if cloud.store.get(found.key) is None:
            raise not_found("ResourceNotFound", f"The Log Analytics workspace '{workspace}' was not found.")

    def _refuse_double(self, put: Put, standing: list[Resource], logs: list[Json]) -> None:
        """The same category goes to the same workspace once."""
        workspace = str(put.properties.get("workspaceId") or "").lower()
        wanted = {_named(one) for one in logs if one["enabled"]}
        for other in standing:
            same = str(other.properties.get("workspaceId") or "").lower() == workspace != ""
            doubled = wanted & {_named(one) for one in items(other.properties, "logs") if one.get("enabled")}
            if other.key != put.id.key and same and doubled:
                raise conflict(
                    "Conflict",
                    f"Data sink '{put.properties['workspaceId']}' is already used in diagnostic setting '{other.name}' for "
                    f"category '{min(doubled)}'. Data sinks can't be reused in different settings on the same category "
                    "for the same resource.",
                )


def categories(owner: ResourceId) -> list[Json]:
    """The categories of a resource, as they are answered."""
    kind = owner.type.lower()
    logs = [
        _category(owner, name, "Logs", ["audit", "allLogs"] if name in AUDITED else ["allLogs"])
        for name in LOGS.get(kind, ())
    ]
    return [*logs, *(_category(owner, name, "Metrics", None) for name in metrics_of(kind))]


def metrics_of(kind: str) -> tuple[str, ...]:
    """The metrics category of a type (lower-case), where it has one."""
    return () if kind in WITHOUT_METRICS or kind not in LOGS else (METRICS,)


def _category(owner: ResourceId, name: str, kind: str, groups: list[str] | None) -> Json:
    shown: Json = {"categoryType": kind}
    if groups is not None:
        shown["categoryGroups"] = groups
    return {"id": f"{owner}/providers/{CATEGORIES}/{name}", "type": CATEGORIES, "name": name, "properties": shown}


def _kind(owner: str) -> str:
    found = parse(owner)
    return "" if found is None else found.type.lower()


def _entry(kind: str, entry: Json, known: tuple[str, ...], groups: tuple[str, ...]) -> Json:
    """A log or metric as it is kept; raises BadRequest for a category that the type does not have."""
    category, group, enabled = entry.get("category"), entry.get("categoryGroup"), entry.get("enabled")
    if (category is None) == (group is None) or not isinstance(enabled, bool):
        raise bad_request("BadRequest", "A log or metric has a category or a categoryGroup, and 'enabled'.")
    names = {one.lower(): one for one in (known if category is not None else groups)}
    spelt = names.get(str(category or group).lower())
    if spelt is None or not known:
        raise _unsupported(kind, str(category or group), group is not None)
    retention = entry.get("retentionPolicy")
    return {
        "category": spelt if category is not None else None,
        "categoryGroup": spelt if group is not None else None,
        "enabled": enabled,
        "retentionPolicy": retention if isinstance(retention, dict) else {"enabled": False, "days": 0},
    }


def _unsupported(kind: str, name: str, is_group: bool) -> ArmError:
    what = "Category group" if is_group else "Category"
    return bad_request("BadRequest", f"{what} '{name}' is not supported for resources of type '{kind}'.")


def _named(entry: Json) -> str:
    return str(entry.get("category") or entry.get("categoryGroup"))
