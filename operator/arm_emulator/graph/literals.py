"""Literals of the query language, as their text in a query says them."""

import math
import re
import uuid
from datetime import datetime, timedelta

from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.values import Value, long, moment, number, timespan

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_SURROGATES, _LAST_CHARACTER = range(0xD800, 0xE000), 0x10FFFF
_TYPED = re.compile(r"(\w+)\s*\((.*)\)", re.DOTALL)
_LENGTH = re.compile(r"([\d.]+)([a-z]+)")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "tick": 1e-7}
_UNITS = {
    "d": ("d", "day", "days"), "h": ("h", "hr", "hrs", "hour", "hours"), "m": ("m", "min", "minute", "minutes"),
    "s": ("s", "sec", "second", "seconds"), "ms": ("ms", "milli", "millisecond", "milliseconds"),
    "us": ("micro", "microsecond", "microseconds"), "tick": ("tick", "ticks"),
}  # fmt: skip
_SECONDS_OF = {name: _SECONDS[unit] for unit, names in _UNITS.items() for name in names}
_GREATEST_LONG = 2**63 - 1


def unquoted(literal: str) -> str:
    """The text of a string literal; `@` makes backslashes plain, `h` is for the logs of Kusto only."""
    body = literal.removeprefix("h").removeprefix("H")
    if body.startswith(("```", "~~~")):
        return body[3:-3]
    if body.startswith("@"):
        quote = body[1]
        return body[2:-1].replace(quote * 2, quote)
    return _ESCAPE.sub(_unescaped, body[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    short, wide, byte, octal, plain = match.groups()
    if plain is not None:
        return _PLAIN.get(plain, plain)
    point = int(octal, 8) if octal is not None else int(short or wide or byte, 16)
    return "\ufffd" if point in _SURROGATES or point > _LAST_CHARACTER else chr(point)


def integer(literal: str) -> int:
    """A whole number, decimal or hexadecimal. Raises QueryError where it does not fit in 64 bits."""
    if literal[:2].lower() == "0x":
        return long(int(literal, 16))
    digits = literal.lstrip("0") or "0"
    if len(digits) > len(str(_GREATEST_LONG)) or int(digits) > _GREATEST_LONG:
        raise QueryError("InvalidLiteral", f"The number {literal[:30]} is too great for a long.")
    return int(digits)


def length(literal: str) -> timedelta:
    """A timespan such as 1d or 2.5h. Raises QueryError."""
    found = _LENGTH.fullmatch(literal)
    try:
        return timedelta(seconds=float(found[1]) * _SECONDS_OF[found[2]]) if found is not None else timedelta()
    except (OverflowError, ValueError):
        raise QueryError("InvalidLiteral", f"The timespan {literal[:30]} is too long, or none.") from None


def typed(literal: str) -> tuple[Value, str]:
    """The value and type of a literal such as datetime(2024-01-01) or int(null). Raises QueryError."""
    found = _TYPED.fullmatch(literal)
    assert found is not None
    kind = {"date": "datetime", "time": "timespan", "double": "real", "decimal": "real", "boolean": "bool"}.get(
        found[1], found[1]
    )
    content = found[2].strip().strip("'\"").strip()
    if content in ("null", ""):
        return None, kind
    value = _of_kind(kind, content)
    if value is None:
        raise QueryError("InvalidLiteral", f"'{content}' is no {kind}.")
    return value, kind


def _of_kind(kind: str, content: str) -> Value:
    if kind == "datetime":
        return _moment(content)
    if kind == "timespan":
        return length(content) if _LENGTH.fullmatch(content) and content[-1] in "dhms" else timespan(content)
    if kind == "bool":
        return {"true": True, "1": True, "false": False, "0": False}.get(content.lower())
    if kind == "guid":
        try:
            return str(uuid.UUID(content))
        except ValueError:
            return None
    found = number(content)
    if found is None or (kind != "real" and not math.isfinite(found)):
        return None
    return float(found) if kind == "real" else long(int(found))


def _moment(content: str) -> datetime | None:
    """A moment; of a date, month and day may be left out."""
    parts = content.split("-")
    return moment("-".join([*parts, "01", "01"][:3])) if len(parts) < 3 and content[:4].isdecimal() else moment(content)  # noqa: PLR2004  (year, month, day)
