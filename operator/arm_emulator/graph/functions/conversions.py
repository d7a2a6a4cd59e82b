"""Functions that turn a value into one of another type, choose between values, and tell what a value is."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import orjson
import xxhash

from arm_emulator.graph.functions.signature import Function, common
from arm_emulator.graph.values import Value, long, moment, number, sort_key, text, timespan, truth


def _iff(condition: Value, then: Value, otherwise: Value) -> Value:
    return then if truth(condition) else otherwise


def _case(*arguments: Value) -> Value:
    for condition, then in zip(arguments[:-1:2], arguments[1::2], strict=False):
        if truth(condition):
            return then
    return arguments[-1]


def _case_type(types: Sequence[str]) -> str:
    return common([*types[1:-1:2], types[-1]])


def _parse_json(value: Value) -> Value:
    """A text that is no JSON stays a text."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value or None


def _to_whole(value: Value) -> int | None:
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1) * 10
    found = number(value)
    return None if found is None else long(int(found))


def _to_real(value: Value) -> float | None:
    found = number(value)
    return None if found is None else float(found)


def _to_bool(value: Value) -> bool | None:
    if isinstance(value, bool):
        return value
    found = number(value)
    if found is not None:
        return found != 0
    return {"true": True, "false": False}.get(text(value).lower())


def _to_guid(value: Value) -> str:
    return str(uuid.UUID(text(value)))


def _hash(value: Value, modulus: Value = None) -> int | None:
    """xxHash64 of the text, as Kusto computes it: hash("World") is 1846988464401551951
    (https://learn.microsoft.com/kusto/query/hash-function).
    """
    found = xxhash.xxh64_intdigest(_hashed(value))
    if modulus is None:
        return long(found)
    limit = int(number(modulus) or 0)
    return found % limit if limit > 0 else None


def _hashed(value: Value) -> bytes:
    if isinstance(value, bool):
        return bytes([value])
    if isinstance(value, int):
        return value.to_bytes(8, "little", signed=True)
    if isinstance(value, datetime):
        ticks = int((value - datetime(1, 1, 1, tzinfo=value.tzinfo)) / timedelta(microseconds=1)) * 10
        return ticks.to_bytes(8, "little", signed=True)
    return text(value).encode()


def _kind(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    names = {str: "string", int: "long", float: "double", list: "array", dict: "dictionary", datetime: "datetime"}
    return names.get(type(value), "timespan")


_BY_NAME: Mapping[str, Function] = {
    "case": Function(_case, _case_type, 3, None),
    "coalesce": Function(
        lambda *values: next((value for value in values if value is not None and value != ""), None), common, 2, None
    ),
    "dynamic_to_json": Function(text, "string"),
    "gettype": Function(_kind, "string", prefix="type_"),
    "hash": Function(_hash, "long", 1, 2),
    "hash_md5": Function(lambda value: hashlib.md5(text(value).encode()).hexdigest(), "string"),  # noqa: S324  (what Kusto offers)
    "hash_sha1": Function(lambda value: hashlib.sha1(text(value).encode()).hexdigest(), "string"),  # noqa: S324  (the same)
    "hash_sha256": Function(lambda value: hashlib.sha256(text(value).encode()).hexdigest(), "string"),
    "iff": Function(_iff, lambda types: common(types[1:]), 3, 3),
    "isempty": Function(lambda value: text(value) == "", "bool"),
    "isnotempty": Function(lambda value: text(value) != "", "bool"),
    "isnotnull": Function(lambda value: value is not None, "bool"),
    "isnull": Function(lambda value: value is None, "bool"),
    "max_of": Function(lambda *values: max((v for v in values if v is not None), key=sort_key, default=None), common, 2, None),
    "min_of": Function(lambda *values: min((v for v in values if v is not None), key=sort_key, default=None), common, 2, None),
    "not": Function(lambda value: None if value is None else not truth(value), "bool"),
    "parse_json": Function(_parse_json, "dynamic", prefix=""),
    "tobool": Function(_to_bool, "bool", prefix=""),
    "todatetime": Function(moment, "datetime", prefix=""),
    "toguid": Function(_to_guid, "guid", prefix=""),
    "tohex": Function(lambda value, least=0: f"{int(number(value) or 0) % 2**64:x}".rjust(int(least), "0"), "string", 1, 2, ""),
    "toint": Function(_to_whole, "int", prefix=""),
    "tolong": Function(_to_whole, "long", prefix=""),
    "toreal": Function(_to_real, "real", prefix=""),
    "tostring": Function(text, "string", prefix=""),
    "totime": Function(timespan, "timespan", prefix=""),
}  # fmt: skip
_OTHER_NAMES = {
    "hash_xxhash64": "hash",
    "iif": "iff",
    "notempty": "isnotempty",
    "notnull": "isnotnull",
    "parsejson": "parse_json",
    "toboolean": "tobool",
    "todecimal": "toreal",
    "todouble": "toreal",
    "todynamic": "parse_json",
    "toobject": "parse_json",
    "totimespan": "totime",
}
FUNCTIONS: Mapping[str, Function] = {**_BY_NAME, **{other: _BY_NAME[name] for other, name in _OTHER_NAMES.items()}}
