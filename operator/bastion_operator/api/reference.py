"""The reference page: every field of every kind, from the same schemas that the API server enforces."""

from collections.abc import Iterator
from typing import Any

from bastion_operator.api import KINDS
from bastion_operator.api.meta import API_VERSION, CustomResource
from bastion_operator.api.model import MAX_GENERATION, VALIDATIONS
from bastion_operator.api.schema import Schema, structural_schema

_HEAD = f"""# Reference

Every field of the custom resources of `{API_VERSION}`. Made from the models by `make generate`; the
same schemas are enforced by the API server, which answers a wrong value with the message given here.
"""


def render_reference() -> str:
    """The page as Markdown."""
    contents = "\n".join(f"- [{kind.names.kind}](#{kind.names.kind.lower()})" for kind in KINDS)
    return "\n".join([_HEAD, contents, "", *(line for kind in KINDS for line in _kind(kind))]).rstrip() + "\n"


def _kind(kind: type[CustomResource]) -> Iterator[str]:
    names, schema = kind.names, structural_schema(kind)
    yield f"## {names.kind}"
    yield ""
    yield schema["description"]
    yield ""
    yield f"{names.scope}; `kubectl get {names.plural}`, in short `{names.short}`."
    yield ""
    fields = {
        name: field for name, field in schema["properties"].items() if name not in {"apiVersion", "kind", "metadata"}
    }
    yield from _object(names.kind, {**schema, "properties": fields})


def _object(path: str, schema: Schema) -> Iterator[str]:
    """A table of an object's fields and the rules on it, then the same for the objects inside."""
    yield f"### {path}"
    yield ""
    yield "| Field | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        default = "required" if name in required else _default(field)
        yield f"| `{name}` | {_cell(_type(field))} | {default} | {_cell(_meaning(field))} |"
    yield ""
    rules = schema.get(VALIDATIONS, ())
    if rules:
        yield "Rules:"
        yield ""
        yield from (f"- {rule['message']}" for rule in rules)
        yield ""
    for name, field in schema["properties"].items():
        inner, suffix = _inner(field)
        if inner is not None:
            yield from _object(f"{path}.{name}{suffix}", inner)


def _inner(field: Schema) -> tuple[Schema | None, str]:
    if field["type"] == "array":
        inner, suffix = _inner(field["items"])
        return inner, f"[]{suffix}"
    return (field, "") if "properties" in field else (None, "")


def _type(field: Schema) -> str:
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    match field["type"]:
        case "array":
            return f"list of {_type(field['items'])}{_range(field, 'minItems', 'maxItems')}"
        case "object" if "additionalProperties" in field:
            return f"map to {_type(field['additionalProperties'])}{_range(field, 'minProperties', 'maxProperties')}"
        case "integer":
            return f"integer{_range(field, 'minimum', 'maximum')}"
        case "string" if "maxLength" in field:
            return f"string, at most {field['maxLength']}"
        case "string" if field.get("format") == "date-time":
            return "time"
        case other:
            return str(other)


def _range(field: Schema, low: str, high: str) -> str:
    least, most = field.get(low), field.get(high)
    if most is not None and most >= MAX_GENERATION:
        most = None
    if least is None and most is None:
        return ""
    if least is None:
        return f", at most {most}"
    return f", {least} to {most}" if most is not None else f", at least {least}"


def _default(field: Schema) -> str:
    value: Any = field.get("default")
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"`{name}: {_scalar(each)}`" for name, each in value.items())
    return f"`{_scalar(value)}`"


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _meaning(field: Schema) -> str:
    """The description and, for a field that has rules of its own, what the API server says to a wrong value."""
    rules = [*field.get(VALIDATIONS, ())] if "properties" not in field else []
    item = field.get("items", {})
    rules += item.get(VALIDATIONS, ()) if "properties" not in item else []
    return " ".join([field.get("description", ""), *(f"*{_sentence(rule['message'])}*" for rule in rules)]).strip()


def _sentence(message: str) -> str:
    return message[0].upper() + message[1:] + "."


def _cell(text: str) -> str:
    """Text that a Markdown table shows as it is."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
