"""Values by a CustomResourceDefinition's schema, and values that are nearly so.

hypothesis-jsonschema does not run with the hypothesis of today; a structural schema needs little of it.
"""

import copy
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Json = Any
Schema = dict[str, Any]
Fields = Mapping[str, st.SearchStrategy[Any]]

_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
_MOST_ITEMS = 4


def values(schema: Schema, fields: Fields) -> st.SearchStrategy[Json]:
    """Values that the schema takes; its rules in CEL may refuse them all the same.

    ``fields``: what mostly to draw for a field of this name, wherever it stands.
    """
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _objects(schema, fields)
        case "array":
            length = {"min_size": schema.get("minItems", 0), "max_size": min(schema.get("maxItems", 4), _MOST_ITEMS)}
            length["max_size"] = max(length.values())
            return st.lists(values(schema["items"], fields), **length)
        case "integer":
            return st.integers(schema.get("minimum", -(2**31)), schema.get("maximum", 2**31))
        case "boolean":
            return st.booleans()
        case "string":
            return _strings(schema)
    return _ANYTHING


def _objects(schema: Schema, fields: Fields) -> st.SearchStrategy[Json]:
    if "properties" not in schema:
        inner = schema.get("additionalProperties")
        return st.dictionaries(
            st.text(min_size=1, max_size=12), values(inner, fields) if inner else _ANYTHING, max_size=3
        )
    parts = {name: _field(name, inner, fields) for name, inner in schema["properties"].items()}
    needed = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in needed},
        optional={name: part for name, part in parts.items() if name not in needed},
    )


def _field(name: str, schema: Schema, fields: Fields) -> st.SearchStrategy[Json]:
    drawn, mostly = values(schema, fields), fields.get(name)
    return drawn if mostly is None else st.one_of(mostly, mostly, mostly, drawn)


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    most, pattern = schema.get("maxLength", 40), schema.get("pattern")
    if pattern is None:
        return st.text(min_size=schema.get("minLength", 0), max_size=min(most, 40))
    return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True).filter(lambda text: len(text) <= most)


@st.composite
def varied(draw: st.DrawFn, plain: Json, schema: Schema, fields: Fields) -> Json:
    """A plain object with up to three of its fields as the schema lets them be."""
    names = draw(st.lists(st.sampled_from(sorted(schema["properties"])), max_size=3, unique=True))
    return {**plain, **{name: draw(_field(name, schema["properties"][name], fields)) for name in names}}


@st.composite
def nearly(draw: st.DrawFn, good: st.SearchStrategy[Json]) -> Json:
    """A good value, of which up to two places are taken away, replaced by anything, or doubled."""
    value = copy.deepcopy(draw(good))
    for _ in range(draw(st.integers(0, 2))):
        places = list(_places(value))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["remove", "replace", "add", "repeat"])):
            case "remove":
                del holder[key]
            case "replace":
                holder[key] = draw(_ANYTHING)
            case "add" if isinstance(holder, dict):
                holder[draw(st.text(min_size=1, max_size=10))] = draw(_ANYTHING)
            case _ if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
    return value


def _places(value: Json) -> list[tuple[Any, Any]]:
    """Every place in a value: what holds it, and its key there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in ((value, key), *_places(inner))]
