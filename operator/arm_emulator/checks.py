"""What ARM looks at in a request before any resource type does: shapes, names, places, preconditions."""

import copy
import re
from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, bad_request, conflict, group_not_found, invalid_format, not_found
from arm_emulator.ids import GROUP_TYPE, ResourceId
from arm_emulator.regions import REGIONS
from arm_emulator.resource_types.base import Put, ResourceType
from arm_emulator.shapes.check import checked
from arm_emulator.store import Resource

GROUP_NAME = re.compile(r"[\w.()-]{0,89}[\w()-]")
MOST_TAGS = 50
LONGEST_TAG_NAME, LONGEST_TAG_VALUE = 512, 256
_GLOBAL = "microsoft.network/privatednszones"


def check_name(declared: ResourceType, resource_id: ResourceId) -> None:
    """Raises InvalidResourceName, or InvalidResourceGroup for a group."""
    if resource_id.type == GROUP_TYPE:
        if not GROUP_NAME.fullmatch(resource_id.name):
            raise bad_request(
                "InvalidResourceGroup",
                f"The provided resource group name '{resource_id.name}' has these invalid characters. The name can only "
                "be a letter, digit, '-', '.', '(', ')' or '_'.",
            )
    elif not declared.names.fullmatch(resource_id.name):
        raise bad_request(
            "InvalidResourceName",
            f"Resource name {resource_id.name} is invalid. The name can be up to 80 characters long. It must begin with a "
            "word character, and it must end with a word character or with '_'. The name may contain word characters or "
            "'.', '-', '_'.",
        )


def shaped(declared: ResourceType, body: Json) -> Json:
    """A copy of the body's writable part, with `properties` an object; raises InvalidRequestFormat for wrong shapes."""
    body = {name: value for name, value in body.items() if name != "kind" or not declared.kind}
    for name in sorted(set(body) - declared.envelope - {"id", "name", "type", "etag"}):
        raise invalid_format(
            f"Could not find member '{name}' on object of type '{declared.name.rpartition('/')[2]}'.", name
        )
    body = checked(declared.name, _published(declared, body))
    wanted: Json = {
        name: copy.deepcopy(body[name]) for name in body if name in declared.envelope and body[name] is not None
    }
    properties = wanted.setdefault("properties", {})
    if not isinstance(properties, dict):
        raise invalid_format(f"Error converting value '{properties}' to an object.", "properties")
    for name in ("tags", "sku", "identity", "extendedLocation"):
        if not isinstance(wanted.get(name, {}), dict):
            raise invalid_format(f"Error converting value '{wanted[name]}' to an object.", name)
    if not isinstance(wanted.get("managedBy", ""), str):
        raise invalid_format(f"Error converting value '{wanted['managedBy']}' to type 'System.String'.", "managedBy")
    zones = wanted.get("zones", [])
    if not isinstance(zones, list) or not all(isinstance(zone, str) for zone in zones):
        raise invalid_format(f"Error converting value '{zones}' to a list of strings.", "zones")
    for name in declared.read_only:
        properties.pop(name, None)
    return wanted


def _published(declared: ResourceType, body: Json) -> Json:
    """The body less what Azure answers, and takes back, though no published shape has it."""
    kept = dict(body)
    for path in declared.unpublished:
        owner, _, name = path.rpartition(".")
        members = kept.get(owner or "properties")
        if isinstance(members, dict):
            kept[owner or "properties"] = {one: value for one, value in members.items() if one != name}
    return kept


def region_of(location: str) -> str:
    """A region's name from either of its forms: `West Europe` is `westeurope`."""
    return location.lower().replace(" ", "")


def check_location(cloud: Cloud, wanted: Json, resource_id: ResourceId, old: Resource | None) -> None:
    """Normalises the region (`West Europe` is `westeurope`).

    Raises LocationRequired, InvalidResourceLocation where it is another one than before, and for what is new
    LocationNotAvailableForResourceType or -Group where there is no such region.
    """
    location = wanted.get("location")
    if not isinstance(location, str) or not location.strip():
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    region = region_of(location)
    if old is None and region not in _available(cloud, resource_id):
        raise _not_available(location, resource_id)
    if old is not None and old.location.lower() != region:
        code = "InvalidResourceGroupLocation" if resource_id.type == GROUP_TYPE else "InvalidResourceLocation"
        raise conflict(
            code,
            f"The resource '{resource_id.name}' already exists in location '{old.location}' in resource group "
            f"'{resource_id.group}'. A resource with the same name cannot be created in location '{region}'. Please "
            "select a new resource name.",
        )
    wanted["location"] = region


def _available(cloud: Cloud, resource_id: ResourceId) -> set[str]:
    """The regions that something new may lie in; an estate's group may be where no region is known to be."""
    if resource_id.type.lower().startswith(_GLOBAL):
        return {"global", *REGIONS}  # which of them it is, the type says
    group = None if resource_id.group is None else cloud.store.get(resource_id.place.lower())
    return {*REGIONS, *(() if group is None else (region_of(group.location),))}


def _not_available(location: str, resource_id: ResourceId) -> ArmError:
    names = ",".join(REGIONS)
    if resource_id.type == GROUP_TYPE:
        return bad_request(
            "LocationNotAvailableForResourceGroup",
            f"The provided location '{location}' is not available for resource group. List of available regions is "
            f"'{names}'.",
        )
    return bad_request(
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type '{resource_id.type}'. List of available "
        f"regions for the resource type is '{names}'.",
    )


def check_tags(wanted: Json) -> None:
    """Raises for tags that are not a map of strings, or are too many or too long."""
    tags = wanted.get("tags")
    if tags is None:
        return
    if not isinstance(tags, dict):
        raise invalid_format(f"Error converting value '{tags}' to an object.", "tags")
    if len(tags) > MOST_TAGS:
        raise bad_request(
            "InvalidTags", f"The number of tags {len(tags)} is greater than the maximum of {MOST_TAGS} that is allowed."
        )
    for name, value in tags.items():
        if not isinstance(value, str):
            raise invalid_format(f"Error converting value '{value}' to type 'System.String'.", f"tags.{name}")
        if len(name) > LONGEST_TAG_NAME or len(value) > LONGEST_TAG_VALUE:
            raise bad_request(
                "InvalidTagNameOrValue",
                f"Tag '{name[:64]}' is too long: names have at most {LONGEST_TAG_NAME} characters, values "
                f"{LONGEST_TAG_VALUE}.",
            )


def check_preconditions(cloud: Cloud, old: Resource | None, if_match: str | None, if_none_match: str | None) -> None:
    """Raises 412 where If-Match or If-None-Match does not hold."""
    etag = None if old is None else cloud.etag(old)
    # A bare etag is quoted in a header (RFC 9110), as azure-core's match_condition does; users send it bare as well.
    same = ("*", etag, f'"{etag}"')
    fits = if_match is None or (old is not None and if_match in same)
    if fits and not (if_none_match is not None and old is not None and if_none_match in same):
        return
    what = f"If-Match: {if_match}" if not fits else f"If-None-Match: {if_none_match}"
    subject = "The resource does not exist" if old is None else f"The etag of resource {old.id} is {etag}"
    raise ArmError(
        HTTPStatus.PRECONDITION_FAILED,
        "PreconditionFailed",
        f"Precondition failed. {subject}; the request asked for {what}.",
    )


def refuse_in_deleting_group(cloud: Cloud, resource_id: ResourceId) -> None:
    """Raises ResourceGroupBeingDeleted (409) for a write to a group that is on its way out, or to what is in it."""
    group = None if resource_id.group is None else cloud.store.get(resource_id.place.lower())
    if group is not None and group.state == "Deleting":
        raise conflict(
            "ResourceGroupBeingDeleted",
            f"The resource group '{group.name}' is in deprovisioning state and cannot perform this operation.",
        )


def resource_not_found(resource_id: ResourceId) -> ArmError:
    """404 from the gateway for a top-level resource; a group, a subscription and the tenant's own say so otherwise."""
    if resource_id.type == GROUP_TYPE:
        return group_not_found(resource_id.name)
    where = "" if resource_id.group is None else f" under resource group '{resource_id.group}'"
    return not_found(
        "ResourceNotFound",
        f"The Resource '{resource_id.type}/{resource_id.name}'{where} was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )


def parent_not_found(resource_id: ResourceId) -> ArmError:
    """404 for a child of something that is not there."""
    parent = resource_id.parent
    assert parent is not None
    types = "/".join(parent.type.split("/"))
    return not_found(
        "ParentResourceNotFound",
        f"Failed to perform operation on nested resource. Can not find parent resource '{types}/{parent.name}' of "
        f"'{resource_id}'.",
    )


def entries(value: object, name: str) -> list[Json]:
    """A nested list of children; raises InvalidRequestFormat for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise invalid_format(f"Error converting value to a list of '{name}'.", f"properties.{name}")
    return value


def named(put: Put) -> Json:
    """A child that is asked for, as `check_children` sees it."""
    return {"id": str(put.id), "name": put.id.name, "properties": put.properties}


def named_resource(item: Resource) -> Json:
    """A child that stands, as `check_children` sees it."""
    return {"id": str(item.id), "name": item.name, "properties": item.properties}


def without_state(body: Json) -> Json:
    """A body apart from what only says how far Azure is."""
    properties = {name: value for name, value in body["properties"].items() if name != "provisioningState"}
    kept = {name: value for name, value in body.items() if name != "properties" and not name.startswith("_") and value}
    return {**kept, "properties": properties}
