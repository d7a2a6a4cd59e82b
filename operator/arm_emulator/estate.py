"""Estate files: lists of ARM resources, as `az` and Resource Graph write them, made live."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from arm_emulator import ancestry, registration, starting_rights
from arm_emulator.ancestry import MANAGEMENT_GROUPS
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, ResourceId, parse
from arm_emulator.resource_types import peerings, spelt, type_of
from arm_emulator.resource_types.base import fresh_etag
from arm_emulator.resource_types.machines import VIEW
from arm_emulator.resource_types.scale_set_members import INSTANCES
from arm_emulator.resource_types.virtual_machines import MACHINES
from arm_emulator.resource_types.virtual_networks import PEERINGS
from arm_emulator.store import Resource, resource

_ENVELOPE = ("location", "tags", "sku", "identity", "zones", "plan", "kind", "managedBy", "extendedLocation")
_WRAPPERS = ("data", "value")
_TEXTS, _OBJECTS, _LISTS = ("type", "name", "location"), ("properties", "tags", "sku", "identity"), ("zones",)
_FIELDS = [
    (name, kind, told)
    for names, kind, told in ((_TEXTS, str, "a text"), (_OBJECTS, dict, "an object"), (_LISTS, list, "a list"))
    for name in names
]
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PROVIDER = re.compile(r"/subscriptions/([^/]+)/providers/([^/]+)/?", re.IGNORECASE)


class EstateError(Exception):
    """A file that is no estate: the message names file, row and field."""


class _FieldError(ValueError):
    """A field inside a row's properties that is not of the type that Azure writes."""


def read(path: Path) -> list[Json]:
    """The rows of one file. Raises EstateError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EstateError(f"{path}: cannot be read: {error.strerror}") from error
    if data.startswith(_UTF16):
        data = _from_utf16(path, data)
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.strip():
        raise EstateError(f"{path}: is empty: expected an ARM resource or a list of them")
    return [_checked(path, number, row) for number, row in enumerate(_rows(path, data), start=1)]


def _from_utf16(path: Path, data: bytes) -> bytes:
    """What Windows PowerShell redirects into a file is UTF-16."""
    try:
        return data.decode("utf-16").encode()
    except UnicodeError as error:
        raise EstateError(f"{path}: begins as UTF-16 and cannot be read as such") from error


def _rows(path: Path, data: bytes) -> Iterator[Any]:
    """The entries of a list, of what wraps one, or of JSON lines (each a resource or, again, a wrapped list)."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as whole:
        yield from _lines(path, data, whole)
        return
    yield from _unwrapped(path, document)


def _lines(path: Path, data: bytes, whole: orjson.JSONDecodeError) -> Iterator[Any]:
    lines = [line for line in data.splitlines() if line.strip()]
    for number, line in enumerate(lines, start=1):
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            problem = whole if number == 1 else error
            raise EstateError(f"{path}: row {number}: neither JSON nor JSON lines: {problem}") from None
        yield from _unwrapped(path, document)


def _unwrapped(path: Path, document: object) -> Iterator[Any]:
    if isinstance(document, list):
        yield from document
    elif isinstance(document, dict):
        wrapped = next((document[name] for name in _WRAPPERS if isinstance(document.get(name), list)), None)
        if wrapped is None and isinstance(document.get("data"), dict):
            wrapped = _of_table(path, document["data"])
        if wrapped is not None:
            yield from wrapped
        else:
            yield document
    else:
        raise EstateError(f"{path}: row 1: expected an ARM resource or a list of them, not {type(document).__name__}")


def _of_table(path: Path, table: Json) -> list[Any]:
    """Resource Graph's table form: the columns' names once, then the values of each row."""
    columns, rows = table.get("columns"), table.get("rows")
    named = isinstance(columns, list) and all(isinstance(one, dict) and "name" in one for one in columns)
    if not named or not isinstance(rows, list):
        raise EstateError(f"{path}: field data: expected a list of rows, or a table with columns and rows")
    names = [one["name"] for one in columns or ()]
    return [dict(zip(names, row, strict=False)) if isinstance(row, list) else row for row in rows]


def _checked(path: Path, number: int, row: object) -> Json:
    if not isinstance(row, dict):
        raise EstateError(f"{path}: row {number}: expected an object, not {type(row).__name__}")
    identifier = row.get("id")
    if not isinstance(identifier, str) or not identifier.startswith("/"):
        raise EstateError(f"{path}: row {number}: field id: expected an ARM id, not {identifier!r}")
    for name, kind, told in _FIELDS:
        if not isinstance(row.get(name), (kind, type(None))):
            raise EstateError(f"{path}: row {number}: field {name}: expected {told}, not {type(row[name]).__name__}")
    return row


def load(cloud: Cloud, path: Path) -> None:
    """Puts a file's rows into the store, Succeeded and nobody's; makes the subscriptions and groups that ids imply."""
    for number, row in enumerate(read(path), start=1):
        try:
            _load_one(cloud, row)
        except _FieldError as error:
            raise EstateError(f"{path}: row {number}: field {error}") from error
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            # Which field it is, only the type that reads it could tell.
            raise EstateError(
                f"{path}: row {number}: field properties: not as Azure writes those of a {row.get('type')}"
            ) from error


def load_rows(cloud: Cloud, rows: list[Json]) -> None:
    """The same for rows that are no file."""
    for row in rows:
        _load_one(cloud, row)
    complete(cloud)


def complete(cloud: Cloud) -> None:
    """What can only be filled in once all files are read: what every tenant has, links whose other half came later."""
    starting_rights.complete(cloud)
    for item in [*cloud.store.listed("/", PEERINGS)]:
        before = dict(item.properties)
        peerings.complete(cloud, item)
        if item.properties != before:
            cloud.store.put(item)


def _load_one(cloud: Cloud, row: Json) -> None:
    resource_id = parse(row["id"])
    if resource_id is None and _load_registration(cloud, row):
        return
    if resource_id is None:
        extra = cloud.extra_rows
        extra[row["id"].lower()] = row
        return
    resource_id = _spelt(resource_id)
    ensure_place(cloud, resource_id, str(row.get("location") or ""))
    if resource_id.type == SUBSCRIPTION_TYPE:
        _store_subscription(cloud, resource_id, row)
    elif resource_id.type == MANAGEMENT_GROUPS:
        _store_management_group(cloud, resource_id, row)
    else:
        _store(cloud, resource_id, row)


def _load_registration(cloud: Cloud, row: Json) -> bool:
    """A provider as `az provider list` writes it tells whether its subscription is registered; False for other rows."""
    match = _PROVIDER.fullmatch(row["id"])
    wanted = {one.lower(): one for one in registration.STATES}.get(str(row.get("registrationState", "")).lower())
    if match is None or wanted is None:
        return False
    subscription = ResourceId(match[1], None, SUBSCRIPTION_TYPE, (match[1],))
    ensure_place(cloud, subscription, "")
    found = cloud.store.get(subscription.key)
    assert found is not None
    registration.change(cloud, found, match[2], wanted)
    return True


def _store(cloud: Cloud, resource_id: ResourceId, row: Json) -> None:
    declared = type_of(resource_id.type)
    body: Json = {name: row[name] for name in _ENVELOPE if row.get(name) not in (None, "")}
    properties = dict(row.get("properties") or {})
    body["properties"] = properties
    if declared.tenant_wide:
        resource_id = replace(resource_id, subscription="", group=None, extends="")
    if resource_id.type in (MACHINES, INSTANCES):
        view = (properties.pop("extended", None) or {}).get("instanceView")
        view = view or _view_of_statuses(properties.pop("instanceView", None))
        if view is not None:
            body[VIEW] = view
    nested = {name: _children(properties.pop(name, None), name) for name in declared.nested}
    for name in ("subnets", "networkInterfaces", "defaultSecurityRules", "ipConfigurationProfiles"):
        if declared.name and name in declared.read_only:
            properties.pop(name, None)
    if declared.name and declared.has_state:
        properties["provisioningState"] = properties.get("provisioningState") or "Succeeded"
    item = resource(resource_id, body)
    declared.adopted(item)
    item.etag = fresh_etag(declared, item)
    cloud.store.put(item)
    for name, child_type in declared.nested.items():
        for child in nested[name]:
            _store(cloud, resource_id.child(child_type.rpartition("/")[2], str(child.get("name", ""))), child)


def _children(listed: object, name: str) -> list[Json]:
    """The resources that a row holds in a list of that name, which may be absent."""
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise _FieldError(f"properties.{name}: expected a list, not {type(listed).__name__}")
    for place, child in enumerate(listed):
        if not isinstance(child, dict) or not isinstance(child.get("properties"), (dict, type(None))):
            raise _FieldError(f"properties.{name}.{place}: expected an object with properties")
    return listed


def _store_subscription(cloud: Cloud, resource_id: ResourceId, row: Json) -> None:
    """A subscription in the management group that its row names as the nearest, all of which are made."""
    body = _subscription_body(row)
    known = cloud.store.get(resource_id.key)
    if known is not None and registration.MEMBER in known.body:
        body[registration.MEMBER] = known.body[registration.MEMBER]
    chain = body["properties"].pop("managementGroupAncestorsChain", None)
    names = [one for one in chain if isinstance(one, dict) and one.get("name")] if isinstance(chain, list) else []
    above: Resource | None = None
    for one in reversed(names):
        above = _management_group(cloud, str(one["name"]), str(one.get("displayName") or one["name"]), above)
    if above is not None:
        body[ancestry.PARENT] = above.key
    cloud.store.put(resource(resource_id, body))


def _store_management_group(cloud: Cloud, resource_id: ResourceId, row: Json) -> None:
    """A management group below the parent that its row names, which is made where it is missing."""
    properties = dict(row.get("properties") or {})
    details = dict(properties.get("details") or {})
    chain = details.pop("managementGroupAncestorsChain", None)
    details.pop("managementGroupAncestors", None)
    parent = dict(details.get("parent") or {})
    if not parent and isinstance(chain, list) and chain:
        parent = dict(chain[0])
    if parent.get("name"):
        above = _management_group(cloud, str(parent["name"]), str(parent.get("displayName") or parent["name"]), None)
        details["parent"] = {**parent, "id": str(above.id)}
    cloud.store.put(resource(resource_id, {"properties": {**properties, "details": details}}))


def _management_group(cloud: Cloud, name: str, shown: str, above: Resource | None) -> Resource:
    found = cloud.store.get(ancestry.group_id(name).key)
    if found is None:
        details: Json = {"version": 1}
        body = {"properties": {"tenantId": cloud.settings.tenant_id, "displayName": shown, "details": details}}
        found = resource(ancestry.group_id(name), body)
    if above is not None and not ancestry.parent_key(found):
        parent = {"id": str(above.id), "name": above.name, "displayName": above.properties.get("displayName")}
        found.properties.setdefault("details", {})["parent"] = parent
    cloud.store.put(found)
    return found


def _view_of_statuses(view: object) -> Json | None:
    """The power state of an expanded instance view, in the form that graph rows have."""
    if not isinstance(view, dict):
        return None
    for status in view.get("statuses") or []:
        if str(status.get("code", "")).startswith("PowerState/"):
            return {"powerState": status}
    return None


def ensure_place(cloud: Cloud, resource_id: ResourceId, location: str) -> None:
    """The subscription and resource group of an id, made where they are missing."""
    if not resource_id.subscription:
        return
    subscription = ResourceId(resource_id.subscription, None, SUBSCRIPTION_TYPE, (resource_id.subscription,))
    if cloud.store.get(subscription.key) is None:
        cloud.store.put(resource(subscription, _subscription_body({})))
    if resource_id.group is None or resource_id.type == GROUP_TYPE:
        return
    group = ResourceId(resource_id.subscription, resource_id.group, GROUP_TYPE, (resource_id.group,))
    if cloud.store.get(group.key) is None:
        body = {"location": location or "westeurope", "properties": {"provisioningState": "Succeeded"}}
        cloud.store.put(resource(group, body))


def _subscription_body(row: Json) -> Json:
    properties = {"state": "Enabled", **(row.get("properties") or {})}
    name = row.get("name") or properties.get("displayName") or "Local subscription"
    return {"_displayName": name, "tags": row.get("tags"), "properties": properties}


def _spelt(resource_id: ResourceId) -> ResourceId:
    return replace(resource_id, type=spelt(resource_id.type))
