"""Durations as Go writes them (``5m``, ``1h30m``, ``1.5h``), which is how Kubernetes' users know them."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bastion_operator.api.model import VALIDATIONS, Rule

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_TERM = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)(h|ms|m|s)")
PATTERN = r"([0-9]{1,6}(\.[0-9]{1,9})?(h|m|s|ms))+"
MAX_LENGTH = 32


def parse(text: str) -> timedelta:
    """Read a duration such as ``1h30m``. Raises ValueError for anything that is not one or has no unit."""
    if len(text) > MAX_LENGTH or re.fullmatch(PATTERN, text) is None:
        raise ValueError(f"{text!r} is not a duration: write numbers with units, such as 90s, 5m or 1h30m")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _TERM.findall(text)))


def render(duration: timedelta) -> str:
    """Write a duration in its shortest form, to the millisecond: ``5m``, ``1h30m``, ``0s``."""
    milliseconds = round(duration / timedelta(milliseconds=1))
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _read(value: object) -> object:
    return parse(value) if isinstance(value, str) else value


class _AtLeast:
    """The schema of a duration: a string with one rule that says both what a duration is and how short it may be."""

    def __init__(self, least: str) -> None:
        self.rule = Rule(
            f"self.matches('^{PATTERN}$') && duration(self) >= duration('{least}')".replace("\\", "\\\\"),
            f"must be a duration of at least {least}, written with units, such as 5m or 1h30m",
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        del schema, handler
        rendered: JsonSchemaValue = {"type": "string", "maxLength": MAX_LENGTH, VALIDATIONS: [self.rule.schema()]}
        return rendered


AtLeastOneMinute = Annotated[
    timedelta,
    Field(ge=timedelta(minutes=1)),
    BeforeValidator(_read),
    PlainSerializer(render, return_type=str),
    _AtLeast("1m"),
]
"""A duration of one minute or more; a timedelta in Python, Go's notation in JSON."""
