"""Where a body names other resources, as data: rights, back references and checks follow from one declaration."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from arm_emulator.cloud import id_of
from arm_emulator.errors import Json, invalid_reference
from arm_emulator.ids import ResourceId, parse
from arm_emulator.resource_types.base import Link, Put, ResourceType
from arm_emulator.resource_types.bodies import missing
from arm_emulator.store import Reference, Resource


@dataclass(frozen=True, slots=True)
class Pointer:
    """`path` leads through the properties to `{"id": …}`, e.g. `ipConfigurations.subnet`; lists on the way are walked.

    `relation` is what back references go by, `type` the type that it must be of, `action` the right that the caller needs
    there. Entries of lists are parts of the resource with ids of their own: `segment` is the type segment of those.
    """

    path: str
    relation: str
    type: str
    action: str = ""
    required: bool = False
    segment: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A reference in a body: the id of the part that holds it, and what it names."""

    element: str
    target: str


class Pointing(ResourceType):
    """A type whose references are declared in `pointers`."""

    pointers: ClassVar[tuple[Pointer, ...]] = ()

    def prepare(self, put: Put) -> None:
        check(put, self.pointers)

    def links(self, put: Put) -> list[Link]:
        return [
            Link(pointer.action, found.target)
            for pointer in self.pointers
            if pointer.action
            for found in named(put.id, put.properties, pointer)
        ]

    def references(self, item: Resource) -> list[Reference]:
        return [
            Reference(pointer.relation, found.target, found.element)
            for pointer in self.pointers
            for found in named(item.id, item.properties, pointer)
        ]


def check(put: Put, pointers: tuple[Pointer, ...]) -> None:
    """Raises where a required reference is missing, or one leads nowhere or to a resource of another type."""
    for pointer in pointers:
        there = named(put.id, put.properties, pointer)
        if pointer.required and not there:
            raise missing(f"{pointer.path}.id", put.id)
        for found in there:
            target = parse(found.target)
            standing = None if target is None else put.cloud.store.get(target.key)
            if standing is None or standing.id.type.lower() != pointer.type.lower():
                raise invalid_reference(found.target, str(put.id))


def named(owner: ResourceId, properties: Json, pointer: Pointer) -> list[Found]:
    """All references that a pointer leads to."""
    return list(_walk(owner, properties, pointer.path.split("."), pointer.segment))


def _walk(element: ResourceId, value: object, steps: list[str], segment: str) -> Iterator[Found]:
    if not steps:
        target = id_of(value)
        if target is not None:
            yield Found(str(element), target)
        return
    if not isinstance(value, dict):
        return
    step, *rest = steps
    inner = value.get(step)
    if not isinstance(inner, list):
        yield from _walk(element, inner, rest, segment)
        return
    for entry in inner:
        if not rest:
            yield from _walk(element, entry, rest, segment)
        elif isinstance(entry, dict):
            part = element.child(segment or step, str(entry.get("name", "")))
            yield from _walk(part, entry.get("properties") or {}, rest, segment)


def users(references: list[Reference]) -> list[Json]:
    """Back references as `{"id": …}`, each once."""
    return [{"id": found} for found in dict.fromkeys(one.element for one in references)]
