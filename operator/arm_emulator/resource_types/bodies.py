"""Bodies of resources: defaults, enumerations and references in what is asked for, and parts in what is answered."""

from collections.abc import Iterable, Sequence

from arm_emulator.cloud import Cloud, items
from arm_emulator.errors import ArmError, Json, bad_request, invalid_format, invalid_reference
from arm_emulator.guids import new_guid
from arm_emulator.ids import ResourceId
from arm_emulator.resource_types.base import Link, Put
from arm_emulator.store import Resource


def joined(properties: Json, **actions: str) -> list[Link]:
    """Links for `{"id": …}` properties; the keyword is the property, the value the action."""
    found = []
    for name, action in actions.items():
        reference = properties.get(name)
        if isinstance(reference, dict) and isinstance(reference.get("id"), str):
            found.append(Link(action, reference["id"]))
    return found


def keep(put: Put, *names: str) -> None:
    """Carries read-only properties over from what is stored."""
    for name in names:
        if name in put.before:
            put.properties[name] = put.before[name]


def default(properties: Json, **values: object) -> None:
    """Sets what is absent or null."""
    for name, value in values.items():
        if properties.get(name) is None:
            properties[name] = value


def refuse_other_region(put: Put, target: Resource, place: str) -> None:
    """Raises InvalidResourceReference where what a body in the region `place` names lies in another one (doc)."""
    root = put.cloud.store.get(target.root_key)
    region = "" if root is None else root.location.lower()
    if region and place and region != place.lower():
        raise invalid_reference(str(target.id), str(put.id))


def choice(properties: Json, name: str, choices: Sequence[str], fallback: str | None = None) -> str:
    """One of an enumeration's values, set as Azure spells it; raises InvalidRequestFormat for anything else."""
    given = properties.get(name)
    if given is None and fallback is not None:
        given = fallback
    for known in choices:
        if known.lower() == str(given).lower():
            properties[name] = known
            return known
    raise invalid_format(f"Error converting value '{given}' to one of {', '.join(choices)}.", f"properties.{name}")


def with_guid(put: "Put") -> None:
    """A resourceGuid that stays."""
    put.properties["resourceGuid"] = put.before.get("resourceGuid") or new_guid()


def refuse_used(cloud: Cloud, item: Resource, relations: Sequence[str], code: str) -> None:
    """Raises where anything refers to the resource in one of these ways."""
    users = [user for relation in relations for user in cloud.store.referrers(item.key, relation)]
    if users:
        raise bad_request(
            code,
            f"Resource {item.id} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(user.element for user in users)}.",
        )


def refuse_double_names(owner: ResourceId, names: Iterable[str]) -> None:
    """Raises InvalidRequestFormat where two of the names that a list has are one without case, as ids are."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise bad_request(
                "InvalidRequestFormat",
                "Cannot parse the request.",
                details=[
                    {
                        "code": "DuplicateResourceName",
                        "message": f"Resource {owner} has two child resources with the same name ({name}).",
                    }
                ],
            )
        seen.add(name.lower())


def in_order(names: Sequence[str], found: Json) -> Json:
    """The same members, those in `names` first and in that order."""
    first = {name: found[name] for name in names if name in found}
    return {**first, **found}


def sku_of(item: Resource) -> str:
    """The SKU's name; Basic where a file left it out, as Azure does."""
    sku = item.body.get("sku")
    return str((sku or {}).get("name") or "Basic") if isinstance(sku, dict | None) else "Basic"


def missing(name: str, owner: ResourceId) -> ArmError:
    """A required property is not there."""
    return bad_request("InvalidRequestFormat", "Cannot parse the request.", details=[
        {"code": "MissingJsonReferenceId" if name.endswith("id") else "MissingRequiredProperty",
         "message": f"Value for '{name}' is missing. Resource: {owner}."},
    ])  # fmt: skip


def element_ids(owner: ResourceId, body: Json, name: str, segment: str) -> list[tuple[str, Json]]:
    """Ids of the parts in a list property (such as ipConfigurations), each with the part's properties."""
    return [
        (str(owner.child(segment, str(part.get("name", "")))), part.get("properties") or {})
        for part in items(body, name)
    ]


def answered_parts(cloud: Cloud, item: Resource, segment: str, name: str = "ipConfigurations") -> list[Json]:
    """The parts in a list property as they are answered: with id, etag and provisioning state of their owner."""
    etag = cloud.etag(item)
    return [
        in_order(
            ("name", "id", "etag"),
            {
                **part,
                "id": str(item.id.child(segment, str(part.get("name", "")))),
                "etag": etag,
                "properties": {"provisioningState": "Succeeded", **(part.get("properties") or {})},
            },
        )
        for part in items(item.properties, name)
    ]
