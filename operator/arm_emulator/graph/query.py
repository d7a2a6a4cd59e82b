"""The query language."""

import re
from collections.abc import Callable

from arm_emulator.errors import Json

_WHERE = re.compile(r"type\s+in~\s*\((.*?)\)", re.IGNORECASE | re.DOTALL)


class QuerySyntaxError(Exception):
    """A query that is none."""


def run(text: str, table: Callable[[str], list[Json]]) -> list[Json]:
    """The rows that a query comes to."""
    source, *steps = [part.strip() for part in text.split("|")]
    rows = table(source)
    for step in steps:
        where = _WHERE.search(step)
        if step.startswith("where") and where:
            wanted = {name.strip().strip("'\"").lower() for name in where[1].split(",")}
            rows = [row for row in rows if row["type"] in wanted]
        elif step.startswith("project"):
            columns = [name.strip() for name in step[len("project") :].split(",")]
            rows = [{column: row.get(column) for column in columns} for row in rows]
        elif step.startswith("order by id"):
            rows = sorted(rows, key=lambda row: str(row["id"]))
        else:
            raise QuerySyntaxError(step)
    return rows
