"""Resources as they are answered: what is stored, with children, etags and what others make of it."""

from dataclasses import replace

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import GROUP_TYPE
from arm_emulator.resource_types import type_of
from arm_emulator.resource_types.bodies import in_order
from arm_emulator.store import Resource

_COMPUTE = "microsoft.compute/"


def answered(cloud: Cloud, item: Resource, expand: str = "") -> Json:
    """The body of a GET, with what `$expand` (lower-case) adds."""
    declared = type_of(item.id.type)
    answer: Json = {"name": item.name, "id": str(item.id)}
    if declared.has_etag:
        answer["etag"] = cloud.etag(item)
    answer["type"] = item.id.type
    for name, value in item.body.items():
        if name != "properties" and not name.startswith("_") and value is not None:
            answer[name] = value
    if declared.kind:
        answer["kind"] = declared.kind
    answer["properties"] = in_order(declared.order, properties(cloud, item))
    if expand:
        answer["properties"] |= declared.expanded(cloud, item, expand)
    return in_order(declared.members, answer)


def listed(cloud: Cloud, item: Resource, expand: str = "") -> Json:
    """An entry of a list. Microsoft.Compute writes the group in upper case there, but not in a GET."""
    answer = answered(cloud, item, expand)
    if item.id.type.lower().startswith(_COMPUTE) and item.id.group is not None:
        answer["id"] = str(replace(item.id, group=item.id.group.upper()))
    return answer


def properties(cloud: Cloud, item: Resource) -> Json:
    """The answered properties."""
    declared = type_of(item.id.type)
    shown = {**item.properties, **declared.computed(cloud, item)}
    for name, child_type in declared.nested.items():
        shown[name] = [answered(cloud, child) for child in cloud.store.children(item.key, child_type)]
    return shown


def with_row(cloud: Cloud, item: Resource, shown: Json) -> Json:
    """Properties together with those that only the graph's rows have."""
    return {**shown, **type_of(item.id.type).row(cloud, item)}


def row(cloud: Cloud, item: Resource) -> Json:
    """A row of Resource Graph: sixteen columns, the type in lower case, no etag at the top."""
    is_group = item.id.type == GROUP_TYPE
    body = item.body
    kind = "microsoft.resources/subscriptions/resourcegroups" if is_group else item.id.type.lower()
    group = item.id.group or ""
    return {
        "id": str(item.id),
        "name": body.get("name") or item.name,
        "type": kind,
        "tenantId": cloud.settings.tenant_id,
        "kind": body.get("kind") or "",
        "location": body.get("location") or "",
        "resourceGroup": group if is_group else group.lower(),
        "subscriptionId": item.id.subscription,
        "managedBy": body.get("managedBy") or "",
        "sku": body.get("sku"),
        "plan": body.get("plan"),
        "properties": with_row(cloud, item, properties(cloud, item)),
        "tags": body.get("tags"),
        "identity": body.get("identity"),
        "zones": body.get("zones"),
        "extendedLocation": body.get("extendedLocation"),
    }
