"""Bodies held against the published shapes: unknown members and wrong types are refused as Microsoft.Network does."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

from arm_emulator.errors import ArmError, Json, invalid_format

_NAMES = {"str": "System.String", "bool": "System.Boolean", "int": "System.Int32", "float": "System.Double"}
_KINDS: dict[str, Any] = {"str": str, "bool": bool, "int": int, "float": int | float}
_ENVELOPE = frozenset({"id", "name", "type", "etag"})
_LONGEST_QUOTE = 100


@cache
def shapes() -> Json:
    """Shapes by type: a member is `str`, `bool`, `int`, `object` (anything in braces), `any`, a list or an object of such."""
    loaded: Json = {}
    for path in sorted(Path(__file__).parent.glob("*.json")):
        loaded |= orjson.loads(path.read_bytes())
    return loaded


def checked(type_name: str, body: Json) -> Json:
    """The body with numbers and booleans made text where text is due, as Azure's deserializer does.

    Raises InvalidRequestFormat for the first member that the type does not have or that is of another type.
    """
    shape = shapes().get(type_name)
    return body if shape is None else _object(body, shape, "", type_name.rpartition("/")[2])


def _object(value: Json, shape: Json, path: str, owner: str) -> Json:
    bent: Json = {}
    for name, member in value.items():
        here = f"{path}.{name}" if path else name
        if name in shape:
            bent[name] = _value(member, shape[name], here)
        elif name in _ENVELOPE:
            bent[name] = member
        else:
            raise invalid_format(f"Could not find member '{name}' on object of type '{owner}'.", here)
    return bent


def _value(value: object, shape: Any, path: str) -> object:
    if value is None or shape == "any":
        return value
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise _wrong(value, "System.Collections.Generic.List", path)
        return [_value(entry, shape[0], f"{path}[{position}]") for position, entry in enumerate(value)]
    if isinstance(shape, dict) or shape == "object":
        if not isinstance(value, dict):
            raise _wrong(value, "System.Object", path)
        return _object(value, shape, path, path.rpartition(".")[2]) if isinstance(shape, dict) else value
    return _scalar(value, shape, path)


def _scalar(value: object, shape: str, path: str) -> object:
    if shape == "str" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    kind = _KINDS[shape]
    if not isinstance(value, kind) or (isinstance(value, bool) and shape != "bool"):
        raise _wrong(value, _NAMES[shape], path)
    return value


def _wrong(value: object, wanted: str, path: str) -> ArmError:
    shown = orjson.dumps(value).decode()[:_LONGEST_QUOTE]
    return invalid_format(f"Error converting value {shown} to type '{wanted}'.", path)
