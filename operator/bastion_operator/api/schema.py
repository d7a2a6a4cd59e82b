"""From pydantic's JSON Schema to a structural schema as a CustomResourceDefinition wants it.

Kubernetes takes a part of OpenAPI 3.0: no references, no null type, no titles. What cannot be translated raises
UnsupportedSchemaError, so that a new field of an odd type fails the generator instead of losing its bounds.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from bastion_operator.api.duration import render
from bastion_operator.api.meta import CustomResource
from bastion_operator.api.model import VALIDATIONS, Model

Schema = dict[str, Any]

_REF = "#/$defs/"
# Carried over as they are; everything else is translated below or refused.
_KEPT = (
    "type",
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    VALIDATIONS,
)
_TRANSLATED = {
    *("$ref", "$defs", "anyOf", "const", "title", "description", "default"),
    *("properties", "items", "additionalProperties", "exclusiveMinimum", "exclusiveMaximum"),
}
_ROOT_FIELDS = {
    "apiVersion": "Version of this representation of the object: azurebastion.dev/v1beta1.",
    "kind": "The object's kind.",
}


class UnsupportedSchemaError(Exception):
    """A model uses something that has no place in a structural schema. The message names the field."""


_EMPTY: tuple[object, ...] = (None, [], {})


class _AsWritten(GenerateJsonSchema):
    """Writes defaults as a user would write them."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return render(dft)
        if isinstance(dft, Model):
            return {name: value for name, value in dft.to_json().items() if value not in _EMPTY}
        return super().encode_default(dft)


def structural_schema(kind: type[CustomResource]) -> Schema:
    """The ``openAPIV3Schema`` of a kind. Raises UnsupportedSchemaError."""
    source = kind.model_json_schema(by_alias=True, schema_generator=_AsWritten)
    definitions = source.get("$defs", {})
    fields: Schema = {
        **{name: {"type": "string", "description": text} for name, text in _ROOT_FIELDS.items()},
        "metadata": {"type": "object"},
    }
    for name, field in source["properties"].items():
        if name not in fields:
            # Only a spec gets defaults: in what the operator writes they would differ from what it has written.
            fields[name] = _translate(field, definitions, f"{kind.__name__}.{name}", defaults=name == "spec")
    if kind.names.status:
        # kstatus takes an object without status for a finished one, so an object is born with this.
        fields["status"]["default"] = {"observedGeneration": -1}
    root: Schema = {"type": "object", "description": _one_line(source["description"])}
    required = [name for name in source.get("required", ()) if name not in {*_ROOT_FIELDS, "metadata"}]
    if required:
        root["required"] = required
    root["properties"] = fields
    if VALIDATIONS in source:
        root[VALIDATIONS] = source[VALIDATIONS]
    return root


def _translate(source: Mapping[str, Any], definitions: Mapping[str, Any], path: str, *, defaults: bool) -> Schema:
    flat = _dereference(source, definitions, path)
    unknown = set(flat) - set(_KEPT) - _TRANSLATED
    if unknown:
        raise UnsupportedSchemaError(f"{path}: {', '.join(sorted(unknown))} cannot be put into a structural schema")
    result: Schema = {key: flat[key] for key in _KEPT if key in flat}
    if "description" in flat:
        result = {"description": _one_line(flat["description"]), **result}
    if "const" in flat:
        result["enum"] = [flat["const"]]
    # An empty default would only put empty lists and maps into what users read.
    if defaults and flat.get("default") not in _EMPTY:
        result["default"] = flat["default"]
    result |= _bounds(flat, path)
    if result.get("type") == "integer":
        result.setdefault("format", "int64")
    for key in ("items", "additionalProperties"):
        if isinstance(flat.get(key), Mapping):
            result[key] = _translate(flat[key], definitions, f"{path}.{key}", defaults=defaults)
    if "properties" in flat:
        result["properties"] = {
            name: _translate(field, definitions, f"{path}.{name}", defaults=defaults)
            for name, field in flat["properties"].items()
        }
    return result


def _dereference(source: Mapping[str, Any], definitions: Mapping[str, Any], path: str) -> Schema:
    """Replace a reference by what it points at, and ``X or null`` by X; what stands beside either wins."""
    flat = dict(source)
    while "$ref" in flat or "anyOf" in flat:
        if "$ref" in flat:
            target = definitions[flat.pop("$ref").removeprefix(_REF)]
        else:
            branches = [branch for branch in flat.pop("anyOf") if branch != {"type": "null"}]
            if len(branches) != 1:
                raise UnsupportedSchemaError(f"{path}: a field has one type, this one has {len(branches)}")
            target = branches[0]
        rules = [*target.get(VALIDATIONS, ()), *flat.get(VALIDATIONS, ())]
        flat = {**target, **flat}
        if rules:
            flat[VALIDATIONS] = rules
    return flat


def _bounds(flat: Schema, path: str) -> Schema:
    """Exclusive bounds, which OpenAPI 3.0 writes otherwise, as inclusive ones of integers."""
    bounds: Schema = {}
    for exclusive, inclusive, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        if exclusive in flat:
            if flat["type"] != "integer":
                raise UnsupportedSchemaError(f"{path}: {exclusive} is for integers only")
            bounds[inclusive] = flat[exclusive] + step
    return bounds


def _one_line(text: str) -> str:
    return " ".join(text.split())
