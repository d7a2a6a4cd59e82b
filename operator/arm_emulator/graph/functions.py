"""Scalar functions and aggregates of the query language."""

import hashlib
import ipaddress
import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from arm_emulator.graph.values import before, equal, moment, number, sort_key, text, truth

Value = Any
"""A scalar or dynamic value: JSON, datetime or timedelta."""


def _iff(condition: Value, then: Value, otherwise: Value) -> Value:
    return then if truth(condition) else otherwise


def _case(*arguments: Value) -> Value:
    for condition, then in zip(arguments[:-1:2], arguments[1::2], strict=False):
        if truth(condition):
            return then
    return arguments[-1]


def _parse_json(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _substring(value: Value, start: Value, length: Value = None) -> str:
    begin = max(0, int(number(start) or 0))
    return text(value)[begin:] if length is None else text(value)[begin : begin + int(number(length) or 0)]


def _indexof(value: Value, sought: Value, start: Value = 0) -> int:
    return text(value).find(text(sought), int(number(start) or 0))


def _split(value: Value, delimiter: Value, index: Value = None) -> list[str]:
    parts = text(value).split(text(delimiter)) if text(delimiter) else [text(value)]
    if index is None:
        return parts
    wanted = int(number(index) or 0)
    return [parts[wanted]] if -len(parts) <= wanted < len(parts) else []


def _hash(value: Value, modulus: Value = None) -> int:
    """A stable 64-bit hash. Azure's is xxhash64: numbers differ, the spread over partitions does not."""
    found = int.from_bytes(hashlib.blake2b(text(value).encode(), digest_size=8).digest(), "big", signed=True)
    limit = number(modulus)
    return found if not limit else found % int(limit)


def _array_length(value: Value) -> int | None:
    return len(value) if isinstance(value, list) else None


def _extract(pattern: Value, group: Value, value: Value, _type: Value = None) -> str | None:
    found = re.search(text(pattern), text(value))
    wanted = int(number(group) or 0)
    return found[wanted] if found is not None and wanted <= found.re.groups else None


def _bin(value: Value, size: Value) -> Value:
    if isinstance(value, datetime) and isinstance(size, timedelta) and size:
        start = datetime(1, 1, 1, tzinfo=UTC)
        return start + ((value - start) // size) * size
    one, other = number(value), number(size)
    return None if one is None or not other else math.floor(one / other) * other


def _to_whole(value: Value) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _to_real(value: Value) -> float | None:
    found = number(value)
    return None if found is None else float(found)


def _to_bool(value: Value) -> bool | None:
    if isinstance(value, bool):
        return value
    lowered = text(value).lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(lowered)


def _trim(pattern: Value, value: Value) -> str:
    return re.sub(rf"^(?:{text(pattern)})+|(?:{text(pattern)})+$", "", text(value))


def _pack(*pairs: Value) -> dict[str, Value]:
    return {text(name): value for name, value in zip(pairs[::2], pairs[1::2], strict=False)}


def _bag_merge(*bags: Value) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for bag in reversed(bags):
        merged |= bag if isinstance(bag, dict) else {}
    return merged


def _set_has(values: Value, value: Value) -> bool:
    return isinstance(values, list) and any(equal(one, value) for one in values)


def _index_of(values: Value, value: Value) -> int:
    found = values if isinstance(values, list) else []
    return next((position for position, one in enumerate(found) if equal(one, value)), -1)


def _in_range(address: Value, prefix: Value) -> bool | None:
    try:
        one, other = ipaddress.ip_network(text(address), strict=False), ipaddress.ip_network(text(prefix), strict=False)
    except ValueError:
        return None
    return one.version == other.version and one.overlaps(other) and one.prefixlen >= other.prefixlen


def _datetime_diff(unit: Value, one: Value, other: Value) -> int | None:
    left, right = moment(one), moment(other)
    if left is None or right is None:
        return None
    seconds = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}.get(text(unit), 1)
    return math.floor((left - right).total_seconds() / seconds)


def _format_datetime(value: Value, pattern: Value) -> str:
    found = moment(value)
    if found is None:
        return ""
    codes = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
    return found.strftime(re.sub("|".join(codes), lambda match: codes[match[0]], text(pattern)))


def _coalesce(*values: Value) -> Value:
    return next((value for value in values if value is not None and value != ""), None)


def _distinct(values: Iterable[Value]) -> list[Value]:
    seen: dict[str, Value] = {}
    for value in values:
        seen.setdefault(f"{type(value).__name__}:{text(value)}", value)
    return list(seen.values())


SCALARS: dict[str, Callable[..., Value]] = {
    "tostring": text,
    "tolower": lambda value: text(value).lower(),
    "toupper": lambda value: text(value).upper(),
    "toint": _to_whole,
    "tolong": _to_whole,
    "todouble": _to_real,
    "toreal": _to_real,
    "todecimal": _to_real,
    "tobool": _to_bool,
    "toboolean": _to_bool,
    "todatetime": moment,
    "todynamic": _parse_json,
    "parse_json": _parse_json,
    "iff": _iff,
    "iif": _iff,
    "case": _case,
    "coalesce": _coalesce,
    "not": lambda value: None if value is None else not truth(value),
    "strcat": lambda *values: "".join(map(text, values)),
    "strcat_delim": lambda delimiter, *values: text(delimiter).join(map(text, values)),
    "strcat_array": lambda values, delimiter: text(delimiter).join(map(text, values or [])),
    "strlen": lambda value: len(text(value)),
    "substring": _substring,
    "indexof": _indexof,
    "split": _split,
    "trim": _trim,
    "replace": lambda pattern, new, value: re.sub(text(pattern), text(new), text(value)),
    "replace_regex": lambda value, pattern, new: re.sub(text(pattern), text(new), text(value)),
    "replace_string": lambda value, old, new: text(value).replace(text(old), text(new)),
    "reverse": lambda value: text(value)[::-1],
    "extract": _extract,
    "isempty": lambda value: text(value) == "",
    "isnotempty": lambda value: text(value) != "",
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
    "array_length": _array_length,
    "array_concat": lambda *values: [one for value in values if isinstance(value, list) for one in value],
    "array_index_of": _index_of,
    "set_has_element": _set_has,
    "bag_keys": lambda value: list(value) if isinstance(value, dict) else None,
    "bag_pack": _pack,
    "pack": _pack,
    "pack_array": lambda *values: list(values),
    "bag_merge": _bag_merge,
    "hash": _hash,
    "bin": _bin,
    "floor": _bin,
    "abs": lambda value: abs(number(value) or 0),
    "round": lambda value, digits=0: round(number(value) or 0, int(digits)),
    "min_of": lambda *values: min(values, key=sort_key),
    "max_of": lambda *values: max(values, key=sort_key),
    "datetime_diff": _datetime_diff,
    "format_datetime": _format_datetime,
    "startofday": lambda value: None if (m := moment(value)) is None else m.replace(hour=0, minute=0, second=0, microsecond=0),
    "ipv4_is_in_range": _in_range,
    "ipv4_is_match": _in_range,
    "gettype": lambda value: type(value).__name__ if value is not None else "null",
}  # fmt: skip


def _present(values: list[Value]) -> list[Value]:
    return [value for value in values if value is not None]


def _numbers(values: list[Value]) -> list[float]:
    return [found for found in map(number, values) if found is not None]


def _least(values: list[Value]) -> Value:
    least: Value = None
    for value in _present(values):
        if least is None or before(value, least):
            least = value
    return least


def _most(values: list[Value]) -> Value:
    most: Value = None
    for value in _present(values):
        if most is None or before(most, value):
            most = value
    return most


AGGREGATES: dict[str, Callable[[list[Value]], Value]] = {
    "dcount": lambda values: len(_distinct(_present(values))),
    "count_distinct": lambda values: len(_distinct(_present(values))),
    "sum": lambda values: sum(_numbers(values)),
    "avg": lambda values: sum(_numbers(values)) / len(_numbers(values)) if _numbers(values) else None,
    "min": _least,
    "max": _most,
    "make_set": lambda values: _distinct(_present(values)),
    "makeset": lambda values: _distinct(_present(values)),
    "make_list": _present,
    "makelist": _present,
    "make_bag": lambda values: _bag_merge(*values),
    "any": lambda values: values[0] if values else None,
    "take_any": lambda values: values[0] if values else None,
    "countif": lambda values: sum(map(truth, values)),
}
PREFIXES = {"make_set": "set_", "makeset": "set_", "make_list": "list_", "makelist": "list_", "make_bag": "bag_",
            "take_any": "", "any": "any_"}  # fmt: skip
"""How the column of an aggregate without a name begins; for the others it is the function's own name."""
