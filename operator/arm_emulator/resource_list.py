"""`/resources` of a subscription or a group: all top-level resources in brief, filtered.

Filters: https://learn.microsoft.com/rest/api/resources/resources/list
"""

from collections.abc import Callable, Mapping

from arm_emulator import odata
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import GROUP_TYPE, SUBSCRIPTION_TYPE
from arm_emulator.store import Resource

_COMPARED: dict[str, Callable[[Resource], str]] = {
    "resourcetype": lambda item: item.id.type,
    "resourcegroup": lambda item: item.id.group or "",
    "name": lambda item: item.name,
    "location": lambda item: item.location,
    "kind": lambda item: str(item.body.get("kind") or ""),
}
_FUNCTIONS = ("substringof", "startswith")
_TAGS = ("tagname", "tagvalue")
BRIEF = (
    "id",
    "name",
    "type",
    "location",
    "tags",
    "kind",
    "sku",
    "plan",
    "identity",
    "zones",
    "managedBy",
    "extendedLocation",
)
"""What a resource is told of in the list: no properties."""


def resources(cloud: Cloud, place: str, query: Mapping[str, str]) -> list[Resource]:
    """The top-level resources below a lower-cased place that fit `$filter`. Raises InvalidFilterInQueryString."""
    text = query.get("$filter", "")
    terms = odata.only(odata.terms(text), text, *_COMPARED, *_FUNCTIONS, *_TAGS)
    found = (item for item in cloud.store if item.key.startswith(place + "/") and _listed(item))
    return [item for item in found if tagged(item, terms) and all(_fits(item, term, text) for term in terms)]


def tagged(item: Resource, terms: list[odata.Term]) -> bool:
    """Whether the resource has the tag that `tagName eq` and `tagValue eq` ask for; both are about the same tag."""
    names = [term.value.lower() for term in terms if term.name == "tagname"]
    values = [term.value for term in terms if term.name == "tagvalue"]
    if not names and not values:
        return True
    tags: dict[str, str] = item.body.get("tags") or {}
    return any(
        all(name.lower() == wanted for wanted in names) and all(value == wanted for wanted in values)
        for name, value in tags.items()
    )


def brief(body: Json) -> Json:
    """A resource as the list tells it."""
    return {name: body[name] for name in BRIEF if name in body}


def _listed(item: Resource) -> bool:
    return item.parent_key is None and not item.id.extends and item.id.type not in (GROUP_TYPE, SUBSCRIPTION_TYPE)


def _fits(item: Resource, term: odata.Term, text: str) -> bool:
    if term.name in _TAGS:
        return True
    if term.name in _FUNCTIONS:
        return _called(item, term, text)
    value, wanted = _COMPARED[term.name](item).lower(), term.value.lower()
    if term.name == "location":
        wanted = wanted.replace(" ", "")
    if term.operator == "eq":
        return value == wanted
    if term.operator == "ne":
        return value != wanted
    raise odata.invalid_filter(text)


def _called(item: Resource, term: odata.Term, text: str) -> bool:
    """`substringof('part', name)` and `startswith(name, 'part')`; the latter of tagName as well."""
    arguments = [one.lower() for one in term.arguments]
    if term.name == "substringof" and len(arguments) == 2 and arguments[1] in _COMPARED:  # noqa: PLR2004
        return arguments[0] in _COMPARED[arguments[1]](item).lower()
    if term.name == "startswith" and len(arguments) == 2:  # noqa: PLR2004
        name, part = arguments
        if name == "tagname":
            return any(tag.lower().startswith(part) for tag in item.body.get("tags") or {})
        if name in _COMPARED:
            return _COMPARED[name](item).lower().startswith(part)
    raise odata.invalid_filter(text)
