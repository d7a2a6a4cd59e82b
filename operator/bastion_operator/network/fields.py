"""Reading raw ARM JSON without ever raising: what is absent or of the wrong shape is a fact that is missing."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

Row = Mapping[str, Any]
NOTHING: Final[Row] = MappingProxyType({})
_NAMES: Final = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
}
_UNREADABLE: Final = "#"
"""Between an id and a field; Azure allows it in no name."""


def mapping(holder: object, *path: str) -> Row:
    """The object at the path, an empty one where there is none."""
    found: Any = holder
    for key in path:
        if type(found) is not dict:
            return NOTHING
        found = found.get(key)
    return found if type(found) is dict else NOTHING


def at(holder: object, *path: str) -> Any:
    """The value at the path, None where there is none."""
    found: Any = holder
    for key in path:
        if type(found) is not dict:
            return None
        found = found.get(key)
    return found


def text(holder: object, *path: str) -> str | None:
    """The text at the path; None for anything else, and for an empty one."""
    found: Any = holder
    for key in path:
        if type(found) is not dict:
            return None
        found = found.get(key)
    return found if type(found) is str and found else None


def reference(holder: object, field: str, holder_id: str) -> str | None:
    """The id in a ``{"id": …}`` field; None where the field is absent or null: nothing is there.

    Anything else refers to something of which nobody can tell what it is, and so does a holder that is no object: the
    answer is an id that no row has, which ``unreadable_reference`` knows.
    """
    held = holder.get(field) if type(holder) is dict else holder_id
    if held is None:
        return None
    return text(held, "id") or unreadable(field, holder_id)


def unreadable(field: str, holder_id: str) -> str:
    """What stands for the id in a field of a resource where that cannot be read."""
    return f"{holder_id}{_UNREADABLE}{field}"


def unreadable_reference(resource_id: str) -> tuple[str, str] | None:
    """Of an id that stands for a reference that cannot be read: the id of what holds it, and the field."""
    holder, mark, field = resource_id.partition(_UNREADABLE)
    return (holder, field) if mark else None


def flag(holder: object, *path: str, default: bool = False) -> bool:
    """The boolean at the path. Azure leaves out booleans that were never set: absent is the default."""
    found: Any = holder
    for key in path:
        if type(found) is not dict:
            return default
        found = found.get(key)
    if found is True or found is False:
        return found
    if isinstance(found, str) and found.lower() in {"true", "false"}:
        return found.lower() == "true"
    return default


def number(holder: object, *path: str) -> int | None:
    """The whole number at the path; a text of digits counts."""
    found = at(holder, *path)
    if type(found) is int:
        return found
    if isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found)
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return None


def objects(holder: object, *path: str) -> Iterator[Row]:
    """The objects of the list at the path; whatever else is in it is passed over."""
    found = at(holder, *path)
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict))


def all_objects(holder: Row, field: str) -> bool:
    """Whether the field is a list of objects and nothing else, be it empty: what is not in it is not there."""
    found = holder.get(field)
    return type(found) is list and all(type(item) is dict for item in found)


def texts(holder: object, *path: str) -> tuple[str, ...] | None:
    """The texts of the list at the path; None if there is no list."""
    found = at(holder, *path)
    return tuple([item for item in found if isinstance(item, str) and item]) if isinstance(found, list) else None


def ids(holder: object, *path: str) -> Iterator[str]:
    """The ``id`` of each object of the list at the path."""
    for item in objects(holder, *path):
        if (found := text(item, "id")) is not None:
            yield found


def region(location: str | None) -> str | None:
    """A location in the one spelling by which regions are compared: ``West Europe`` and ``westeurope`` are one."""
    return location.replace(" ", "").lower() if location else None


def kind_of(value: object) -> str:
    """What a value is in JSON, as a person would say it."""
    return _NAMES.get(type(value), "an object")
