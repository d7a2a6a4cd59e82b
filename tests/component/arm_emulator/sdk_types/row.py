"""What the tests of all types need to know of one: how the SDKs call it, what to send, and what must come back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A resource type and its clients. Texts may hold the words of `Place.filled`, such as `{rg}`, `{name}` and `{n}`.

    Values of `shown` and `changed` are by the path to an attribute of the SDK's model, such as `properties.sku.name`.
    """

    type: str
    operations: str
    """Client and group of operations: `network.virtual_networks`."""
    body: Json
    shown: Mapping[str, Any]
    """What the answer to the first PUT tells."""
    change: Json = field(default_factory=dict)
    """What a second PUT sends in addition; empty where nothing may be changed by PUT."""
    changed: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[Json, str] | None = None
    """What a PUT that Azure refuses sends in addition, and the code of the error."""
    path: tuple[str, ...] = ("{rg}", "{name}")
    """The arguments that name one."""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"list": ("{rg}",), "list_all": ()})
    """Lists that show it, with their arguments; a name with dots is of another group of operations."""
    patch: str = ""
    """The method that changes a part of it; empty where it has none."""
    patched: tuple[Json, Mapping[str, Any]] = ({"tags": {"t": "u"}}, {"tags": {"t": "u"}})
    """What PATCH sends, and what then is told."""
    twice: str = ""
    """The code of a second deletion; empty where that is no error."""
    needs: tuple[str, ...] = ()
    """What has to stand first: keys of `STANDING`, each with a number."""
    names: tuple[str, ...] = ("one", "two")
    """One alone where a second could not stand beside the first."""
    missing: str = "ResourceNotFound"
    """The code of a GET on one that is not there."""
    methods: Mapping[str, str] = field(default_factory=dict)
    """How the SDK calls `create_or_update`, `get` and `delete` where it has other names than everywhere."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Keyword arguments of every call."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Something that other types need: made once, by the SDK as well."""

    operations: str
    body: Json
    path: tuple[str, ...] = ("{rg}", "{name}")
    needs: tuple[str, ...] = ()
    methods: Mapping[str, str] = field(default_factory=dict)


def tracked(**properties: Any) -> Json:
    return {"location": "westeurope", "properties": properties}


def inner(**properties: Any) -> Json:
    return {"properties": properties}


def ref(resource_id: str) -> Json:
    return {"id": resource_id}


def merged(body: Any, change: Any) -> Any:
    """The body with what the change says; lists and plain values are replaced."""
    if isinstance(body, dict) and isinstance(change, dict):
        return {**body, **{name: merged(body.get(name), value) for name, value in change.items()}}
    return change
