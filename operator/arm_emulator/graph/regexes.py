"""Regular expressions as Kusto has them: RE2, whose time does not explode with the pattern."""

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]  # it has no annotations

from arm_emulator.graph.failures import QueryError


@lru_cache(maxsize=512)
def regex(pattern: str) -> Any:
    """The compiled pattern. Raises QueryError."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error:
        raise QueryError("InvalidRegularExpression", f"The regular expression '{pattern}' is invalid.") from None


def escaped(literal: str) -> str:
    """A pattern that matches just this text."""
    return str(re2.escape(literal))
