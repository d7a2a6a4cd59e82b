"""Kusto's scalar values on top of JSON's: null that is neither equal nor unequal, strings, numbers, times, dynamic."""

import re
from datetime import UTC, datetime, timedelta

import orjson

_WORD = re.compile(r"[^\W_]+")
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def text(value: object) -> str:
    """tostring(): null is the empty string, objects are JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
    if isinstance(value, timedelta):
        return _timespan_text(value)
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)


def truth(value: object) -> bool:
    """A condition's value: null is false."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def number(value: object) -> int | float | None:
    """A number in a value, or null."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            return int(value) if re.fullmatch(r"[+-]?\d+", value.strip()) else float(value)
        except ValueError:
            return None
    return None


def moment(value: object) -> datetime | None:
    """todatetime(): ISO 8601 in its usual forms."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not value.strip():
        return None
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", value.strip().replace("Z", "+00:00"))
    try:
        parsed = datetime.fromisoformat(shortened)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def equal(left: object, right: object) -> bool | None:
    """`==`; null where either side is null."""
    if left is None or right is None:
        return None
    if isinstance(left, datetime) or isinstance(right, datetime):
        return moment(left) == moment(right)
    if isinstance(left, str) != isinstance(right, str):
        numeric = number(left) if not isinstance(right, bool) and isinstance(right, int | float) else None
        return numeric == right if numeric is not None else text(left) == text(right)
    return left == right


def before(left: object, right: object) -> bool | None:
    """`<`; null where the two have no order."""
    if left is None or right is None:
        return None
    if isinstance(left, datetime) or isinstance(right, datetime):
        one, other = moment(left), moment(right)
        return None if one is None or other is None else one < other
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return left < right
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


def sort_key(value: object) -> tuple[int, float, str]:
    """An order over everything: numbers, then times, then texts."""
    if isinstance(value, (bool, int | float)):
        return (0, float(value), "")
    if isinstance(value, datetime):
        return (1, (value - _EPOCH).total_seconds(), "")
    if isinstance(value, timedelta):
        return (1, value.total_seconds(), "")
    return (2, 0, text(value))


def answerable(value: object) -> object:
    """A value as JSON answers it."""
    return text(value) if isinstance(value, datetime | timedelta) else value


def _timespan_text(value: timedelta) -> str:
    total = abs(value)
    hours, rest = divmod(total.seconds, 3600)
    days = f"{total.days}." if total.days else ""
    sign = "-" if value < timedelta() else ""
    return f"{sign}{days}{hours:02}:{rest // 60:02}:{rest % 60:02}"
