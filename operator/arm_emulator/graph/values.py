"""Kusto's scalar values on top of JSON's: null that is neither equal nor unequal, strings, numbers, times, dynamic."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

Value = Any
"""A scalar or dynamic value: JSON, datetime or timedelta."""
Row = dict[str, Any]

EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TIMESPAN = re.compile(
    r"(?P<sign>-?)(?:(?P<days>\d+)\.)?(?P<h>\d{1,2}):(?P<m>\d{1,2})(?::(?P<s>\d{1,2})(?:\.(?P<f>\d{1,7}))?)?"
)
_FRACTION = re.compile(r"(\.\d{6})\d+")
_LONGEST_NUMBER = 400
_ELEMENT = 16


def text(value: Value) -> str:
    """tostring(): null is the empty string, objects are JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, datetime):
        return f"{value.year:04}{value.strftime('-%m-%dT%H:%M:%S.%f')}0Z"
    if isinstance(value, timedelta):
        return _timespan_text(value)
    if isinstance(value, dict | list):
        return orjson.dumps(dynamic(value)).decode()
    return str(value)


def truth(value: Value) -> bool:
    """A condition's value: null is false."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def number(value: Value) -> int | float | None:
    """A number in a value, or null."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) < _LONGEST_NUMBER:
        found = _NUMBER.fullmatch(value.strip())
        if found is not None:
            return float(found[0]) if found[2] or found[3] or "." in found[0] else long(int(found[0]))
    return None


def long(value: int) -> int:
    """A whole number in the 64 bits that Kusto has for it; what is beyond begins anew at the other end."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def moment(value: Value) -> datetime | None:
    """todatetime(): ISO 8601 in its usual forms, in UTC."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        parsed = datetime.fromisoformat(_FRACTION.sub(r"\1", value.strip()))
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def timespan(value: Value) -> timedelta | None:
    """totimespan(): `[-][d.]hh:mm[:ss[.fffffff]]`."""
    if isinstance(value, timedelta):
        return value
    found = _TIMESPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        length = timedelta(
            days=int(found["days"] or 0),
            hours=int(found["h"]),
            minutes=int(found["m"]),
            seconds=int(found["s"] or 0),
            microseconds=int((found["f"] or "0").ljust(7, "0")[:6]),
        )
    except OverflowError:
        return None
    return -length if found["sign"] else length


def dynamic(value: Value) -> Value:
    """A value as a dynamic one holds it: JSON."""
    if isinstance(value, dict):
        return {str(name): dynamic(one) for name, one in value.items()}
    if isinstance(value, list):
        return [dynamic(one) for one in value]
    return text(value) if isinstance(value, datetime | timedelta) else value


def equal(left: Value, right: Value) -> bool | None:
    """`==`. A text is compared as text, and null is then the empty one; otherwise null equals nothing, and two nulls
    give null (https://learn.microsoft.com/kusto/query/scalar-data-types/null-values).
    """
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if left is None and right is None:
        return None
    if isinstance(left, datetime) or isinstance(right, datetime):
        return None not in (left, right) and moment(left) == moment(right)
    if isinstance(left, str | dict | list) or isinstance(right, str | dict | list):
        return text(left) == text(right)
    return None not in (left, right) and bool(left == right)


def unequal(left: Value, right: Value) -> bool | None:
    """`!=`: the opposite, and null where `==` is null."""
    same = equal(left, right)
    return None if same is None else not same


def before(left: Value, right: Value) -> bool | None:
    """`<`; null where the two have no order."""
    if left is None or right is None:
        return None
    if isinstance(left, datetime) or isinstance(right, datetime):
        one, other = moment(left), moment(right)
        return None if one is None or other is None else one < other
    if isinstance(left, timedelta) or isinstance(right, timedelta):
        length, limit = timespan(left), timespan(right)
        return None if length is None or limit is None else length < limit
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    first, second = number(left), number(right)
    return None if first is None or second is None else first < second


def has_term(haystack: str, needle: str) -> bool:
    """`has`: the needle stands in the text with no letter or digit on either side."""
    if not needle:
        return True
    start = haystack.find(needle)
    while start >= 0:
        end = start + len(needle)
        left = start == 0 or not haystack[start - 1].isalnum() or not needle[0].isalnum()
        right = end == len(haystack) or not haystack[end].isalnum() or not needle[-1].isalnum()
        if left and right:
            return True
        start = haystack.find(needle, start + 1)
    return False


def terms(value: str) -> list[str]:
    """The words of a text."""
    return _WORD.findall(value)


def sort_key(value: Value) -> tuple[int, float, str]:
    """An order over everything: numbers, then times, then texts."""
    if isinstance(value, bool | int | float):
        return (0, float(value), "")
    if isinstance(value, datetime):
        return (1, (value - EPOCH).total_seconds(), "")
    if isinstance(value, timedelta):
        return (1, value.total_seconds(), "")
    return (2, 0, text(value))


def group_key(value: Value) -> tuple[str, Value]:
    """What values are the same by: 1 and 1.0 are, 1 and '1' are not, null is one of its own."""
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float):
        return ("number", value)
    if value is None:
        return ("null", None)
    return (type(value).__name__, text(value))


def distinct(values: list[Value]) -> list[Value]:
    """Each value once, in the order of their first."""
    return list({group_key(value): value for value in reversed(values)}.values())[::-1]


def weight(value: Value, limit: int) -> int:
    """About how many bytes a value has as JSON; counting ends above `limit`."""
    found, left = 0, [value]
    while left and found <= limit:
        one = left.pop()
        found += len(one) if isinstance(one, str) else _ELEMENT
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            left += one.values()
    return found


def answerable(value: Value) -> Value:
    """A value as JSON answers it."""
    return text(value) if isinstance(value, datetime | timedelta) else value


def _timespan_text(value: timedelta) -> str:
    total = abs(value)
    hours, rest = divmod(total.seconds, 3600)
    days = f"{total.days}." if total.days else ""
    fraction = f".{total.microseconds:06}0" if total.microseconds else ""
    sign = "-" if value < timedelta() else ""
    return f"{sign}{days}{hours:02}:{rest // 60:02}:{rest % 60:02}{fraction}"
