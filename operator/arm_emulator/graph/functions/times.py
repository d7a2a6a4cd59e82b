"""Functions of moments and timespans; now() and ago() belong to the query (`expressions.py`)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from arm_emulator.graph.functions.signature import Function
from arm_emulator.graph.values import Value, moment, number, text, timespan

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS, _QUARTER = 12, 3
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_LENGTHS = {
    "week": _WEEK, "day": _DAY, "hour": timedelta(hours=1), "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1), "millisecond": timedelta(milliseconds=1), "microsecond": timedelta(microseconds=1),
}  # fmt: skip
_SUNDAY = datetime(1, 1, 7, tzinfo=UTC)
"""A first day of a week, which all others are whole weeks from."""
_FORMATS = re.compile(r"yyyy|yy|MM|M|dd|d|HH|H|hh|h|mm|m|ss|s|f{1,7}|F{1,7}|tt|[^A-Za-z]+|.")
_SPAN_FORMATS = re.compile(r"d+|HH|H|hh|h|mm|m|ss|s|f{1,7}|F{1,7}|[^A-Za-z]+|.")


def _day(value: datetime) -> datetime:
    return value.replace(hour=0, minute=0, second=0, microsecond=0)


def _months_later(value: datetime, months: int) -> datetime:
    """The first of a month that is so many months from `value`'s."""
    year, month = divmod(value.year * _MONTHS + value.month - 1 + months, _MONTHS)
    return _day(value).replace(year=year, month=month + 1, day=1)


def _start(unit: str, value: datetime, offset: int) -> datetime:
    if unit == "day":
        return _day(value) + offset * _DAY
    if unit == "week":
        return _SUNDAY + ((value - _SUNDAY) // _WEEK + offset) * _WEEK
    if unit == "month":
        return _months_later(value, offset)
    return _months_later(value.replace(month=1), offset * _MONTHS)


def _starting(unit: str) -> Callable[..., datetime | None]:
    def call(value: Value, offset: Value = 0) -> datetime | None:
        found = moment(value)
        return None if found is None else _start(unit, found, int(number(offset) or 0))

    return call


def _ending(unit: str) -> Callable[..., datetime | None]:
    def call(value: Value, offset: Value = 0) -> datetime | None:
        found = moment(value)
        if found is None:
            return None
        return _start(unit, found, int(number(offset) or 0) + 1) - timedelta(microseconds=1)

    return call


def _of_moment(read: Callable[[datetime], Value]) -> Callable[[Value], Value]:
    def call(value: Value) -> Value:
        found = moment(value)
        return None if found is None else read(found)

    return call


_PARTS: Mapping[str, Callable[[datetime], int]] = {
    "year": lambda value: value.year,
    "quarter": lambda value: (value.month - 1) // _QUARTER + 1,
    "month": lambda value: value.month,
    "week_of_year": lambda value: value.isocalendar().week,
    "day": lambda value: value.day,
    "dayofyear": lambda value: value.timetuple().tm_yday,
    "hour": lambda value: value.hour,
    "minute": lambda value: value.minute,
    "second": lambda value: value.second,
    "millisecond": lambda value: value.microsecond // 1000,
    "microsecond": lambda value: value.microsecond,
    "nanosecond": lambda value: value.microsecond * 1000,
}


def _datetime_part(part: Value, value: Value) -> int | None:
    found, read = moment(value), _PARTS.get(text(part).lower())
    return None if found is None or read is None else read(found)


def _steps(unit: str, value: datetime) -> int | None:
    """How many borders of a unit lie before a moment."""
    if unit == "year":
        return value.year
    if unit in ("month", "quarter"):
        return (value.year * _MONTHS + value.month - 1) // (_QUARTER if unit == "quarter" else 1)
    if unit == "nanosecond":
        return (value - _SUNDAY) // _LENGTHS["microsecond"] * 1000
    length = _LENGTHS.get(unit)
    return None if length is None else (value - _SUNDAY) // length


def _datetime_diff(unit: Value, one: Value, other: Value) -> int | None:
    """How many borders of the unit lie between the two (https://learn.microsoft.com/kusto/query/datetime-diff-function)."""
    left, right = moment(one), moment(other)
    if left is None or right is None:
        return None
    first, second = _steps(text(unit).lower(), left), _steps(text(unit).lower(), right)
    return None if first is None or second is None else first - second


def _datetime_add(unit: Value, amount: Value, value: Value) -> datetime | None:
    found, count, name = moment(value), int(number(amount) or 0), text(unit).lower()
    if found is None:
        return None
    if name in _LENGTHS:
        return found + count * _LENGTHS[name]
    months = {"month": 1, "quarter": _QUARTER, "year": _MONTHS}.get(name)
    if months is None:
        return None
    first = _months_later(found, months * count)
    last = (_months_later(first, 1) - _DAY).day
    return found.replace(year=first.year, month=first.month, day=min(found.day, last))


def _format_datetime(value: Value, pattern: Value) -> str:
    found = moment(value)
    if found is None:
        return ""
    hour = found.hour % 12 or 12
    known = {
        "yyyy": f"{found.year:04}", "yy": f"{found.year % 100:02}", "MM": f"{found.month:02}", "M": str(found.month),
        "dd": f"{found.day:02}", "d": str(found.day), "HH": f"{found.hour:02}", "H": str(found.hour),
        "hh": f"{hour:02}", "h": str(hour), "mm": f"{found.minute:02}", "m": str(found.minute),
        "ss": f"{found.second:02}", "s": str(found.second), "tt": "AM" if found.hour < _MONTHS else "PM",
    }  # fmt: skip
    return _formatted(_FORMATS, known, found.microsecond, text(pattern))


def _format_timespan(value: Value, pattern: Value) -> str:
    found = timespan(value)
    if found is None:
        return ""
    hours, rest = divmod(abs(found).seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    known = {
        "HH": f"{hours:02}", "H": str(hours), "hh": f"{hours:02}", "h": str(hours), "mm": f"{minutes:02}",
        "m": str(minutes), "ss": f"{seconds:02}", "s": str(seconds),
        **{"d" * width: str(abs(found).days).zfill(width) for width in range(1, 9)},
    }  # fmt: skip
    return _formatted(_SPAN_FORMATS, known, abs(found).microseconds, text(pattern))


def _formatted(parts: re.Pattern[str], known: Mapping[str, str], microseconds: int, pattern: str) -> str:
    fraction = f"{microseconds:06}0"

    def written(match: re.Match[str]) -> str:
        part = match[0]
        if part[0] in "fF" and len(part) <= len(fraction):
            shown = fraction[: len(part)]
            return shown.rstrip("0") if part[0] == "F" else shown
        return known.get(part, part)

    return parts.sub(written, pattern)


def _make_datetime(*parts: Value) -> datetime | None:
    if len(parts) == 1:
        return moment(parts[0])
    numbers = [number(part) for part in parts]
    if any(one is None for one in numbers):
        return None
    year, month, day, *clock = [float(one or 0) for one in numbers]
    hours, minutes, seconds = ([*clock, 0.0, 0.0, 0.0])[:3]
    start = datetime(int(year), int(month), int(day), tzinfo=UTC)
    return start + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _make_timespan(*parts: Value) -> timedelta | None:
    if len(parts) == 1:
        return timespan(parts[0])
    numbers = [float(number(part) or 0) for part in parts]
    with_days = len(numbers) == 4  # noqa: PLR2004  (days, hours, minutes, seconds)
    days, hours, minutes, seconds = ((numbers if with_days else [0.0, *numbers]) + [0.0])[:4]
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _unix(seconds: float) -> Callable[[Value], datetime | None]:
    def call(value: Value) -> datetime | None:
        found = number(value)
        return None if found is None else _UNIX + timedelta(seconds=found * seconds)

    return call


def _day_of_week(value: datetime) -> timedelta:
    return timedelta(days=value.isoweekday() % 7)


FUNCTIONS: Mapping[str, Function] = {
    "datepart": Function(_datetime_part, "int", 2, 2),
    "datetime_add": Function(_datetime_add, "datetime", 3, 3),
    "datetime_diff": Function(_datetime_diff, "long", 3, 3),
    "datetime_part": Function(_datetime_part, "int", 2, 2),
    "dayofmonth": Function(_of_moment(lambda value: value.day), "int"),
    "dayofweek": Function(_of_moment(_day_of_week), "timespan"),
    "dayofyear": Function(_of_moment(_PARTS["dayofyear"]), "int"),
    "endofday": Function(_ending("day"), "datetime", 1, 2),
    "endofmonth": Function(_ending("month"), "datetime", 1, 2),
    "endofweek": Function(_ending("week"), "datetime", 1, 2),
    "endofyear": Function(_ending("year"), "datetime", 1, 2),
    "format_datetime": Function(_format_datetime, "string", 2, 2, ""),
    "format_timespan": Function(_format_timespan, "string", 2, 2, ""),
    "getmonth": Function(_of_moment(_PARTS["month"]), "int"),
    "getyear": Function(_of_moment(_PARTS["year"]), "int"),
    "hourofday": Function(_of_moment(_PARTS["hour"]), "int"),
    "make_datetime": Function(_make_datetime, "datetime", 1, 6),
    "make_timespan": Function(_make_timespan, "timespan", 1, 4),
    "monthofyear": Function(_of_moment(_PARTS["month"]), "int"),
    "startofday": Function(_starting("day"), "datetime", 1, 2, ""),
    "startofmonth": Function(_starting("month"), "datetime", 1, 2),
    "startofweek": Function(_starting("week"), "datetime", 1, 2),
    "startofyear": Function(_starting("year"), "datetime", 1, 2),
    "unixtime_microseconds_todatetime": Function(_unix(1e-6), "datetime"),
    "unixtime_milliseconds_todatetime": Function(_unix(1e-3), "datetime"),
    "unixtime_nanoseconds_todatetime": Function(_unix(1e-9), "datetime"),
    "unixtime_seconds_todatetime": Function(_unix(1.0), "datetime"),
    "week_of_year": Function(_of_moment(_PARTS["week_of_year"]), "int"),
    "weekofyear": Function(_of_moment(_PARTS["week_of_year"]), "int"),
}
