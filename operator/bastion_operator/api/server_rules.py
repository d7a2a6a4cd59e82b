"""What the API server would refuse of a new object, for who has none to ask.

The CRDs are the rule; the API server, which judges by them, is the measure in the tests. Updates are judged by it alone, as
they are by what stands.
"""

from collections.abc import Hashable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from bastion_operator.api.meta import CustomResource
from bastion_operator.api.model import Model, first_error
from bastion_operator.api.schema import structural_schema


def refusals(kind: type[CustomResource], manifest: Mapping[str, Any]) -> Iterator[str]:
    """Each reason for which an object would not be taken: its field and what to write. Nothing where it would be."""
    schema = structural_schema(kind)
    asked = {name: value for name, value in manifest.items() if name not in {"metadata", "status"}}
    yield from _unknown_fields(asked, schema, "")
    try:
        resource = kind.model_validate({**without_nulls(kind, manifest), "status": None})
    except ValidationError as error:
        yield first_error(error)
        return
    yield from _duplicates(asked, schema, "")
    yield from _broken_rules(resource, "")


def without_nulls(kind: type[CustomResource], manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object without the fields that are null, which the API server takes as if they were not there."""
    kept: Mapping[str, Any] = _without_nulls(manifest, structural_schema(kind))
    return kept


def _without_nulls(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        others = schema.get("additionalProperties", {})
        fields = {name: schema.get("properties", {}).get(name, others) for name in value}
        return {
            name: _without_nulls(each, fields[name])
            for name, each in value.items()
            if each is not None or not fields[name]
        }
    if isinstance(value, list):
        return [_without_nulls(each, schema.get("items", {})) for each in value]
    return value


def _unknown_fields(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    fields = schema.get("properties")
    if isinstance(value, dict) and fields is not None:
        for name, each in value.items():
            if name in fields:
                yield from _unknown_fields(each, fields[name], f"{path}.{name}")
            else:
                meant = get_close_matches(str(name), fields, n=1)
                yield _told(f"{path}.{name}", f"there is no such field{f', {meant[0]} may be meant' if meant else ''}")
    elif isinstance(value, list) and "items" in schema:
        for place, each in enumerate(value):
            yield from _unknown_fields(each, schema["items"], f"{path}.{place}")


def _duplicates(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Entries of a list that the API server tells apart by their value, or by some of their fields."""
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        for name, each in value.items():
            yield from _duplicates(each, fields.get(name, {}), f"{path}.{name}")
    elif isinstance(value, list):
        seen = set()
        for place, each in enumerate(value):
            known_by = _known_by(each, schema)
            if known_by in seen:
                yield _told(f"{path}.{place}", "it stands in the list already: leave it out")
            if known_by is not None:
                seen.add(known_by)
            yield from _duplicates(each, schema.get("items", {}), f"{path}.{place}")


def _known_by(entry: Any, schema: Mapping[str, Any]) -> Hashable:
    match schema.get("x-kubernetes-list-type"):
        case "set":
            return str(entry)
        case "map":
            return tuple(str(entry.get(key)) for key in schema["x-kubernetes-list-map-keys"])
        case _:
            return None


def _broken_rules(model: Model, path: str) -> Iterator[str]:
    for rule in model.rules:
        if rule.holds is not None and not rule.holds(model):
            yield _told(f"{path}{rule.field or ''}", rule.message)
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        for place, each in enumerate(value) if isinstance(value, tuple) else (("", value),):
            if isinstance(each, Model):
                yield from _broken_rules(each, ".".join(map(str, filter(None, (path, field.alias, place)))))


def _told(path: str, message: str) -> str:
    return f"field {path.lstrip('.')}: {message}"
