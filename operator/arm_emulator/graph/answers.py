"""A result as it is answered: an array of objects, or a table of columns and rows."""

from typing import Any

import orjson

from arm_emulator.errors import Json
from arm_emulator.graph.tables import Table
from arm_emulator.graph.values import Row, answerable

_COLUMN_TYPES = {
    "string": "string", "guid": "string", "timespan": "string", "int": "integer", "long": "integer", "real": "number",
    "bool": "boolean", "dynamic": "object",
}  # fmt: skip


def shown(table: Table, rows: list[Row], *, as_table: bool, datetime_columns: bool) -> Any:
    """Some rows of a table in one of the two forms of resultFormat."""
    columns = list(table.columns)
    if not as_table:
        return [{name: answerable(row.get(name)) for name in columns} for row in rows]
    moments = "datetime" if datetime_columns else "string"
    described: list[Json] = [
        {"name": name, "type": _COLUMN_TYPES.get(kind, moments)} for name, kind in table.columns.items()
    ]
    return {"columns": described, "rows": [[answerable(row.get(name)) for name in columns] for row in rows]}


def payload(answer: Json, limit: int) -> tuple[bytes, int]:
    """The answer's bytes and their number; of an answer above `limit` no more than that is kept in memory."""
    parts: list[bytes] = []
    size = 0

    def add(part: bytes) -> None:
        nonlocal size
        size += len(part)
        if size <= limit:
            parts.append(part)

    for position, (name, value) in enumerate(answer.items()):
        add((b"," if position else b"{") + orjson.dumps(name) + b":")
        if isinstance(value, list):
            add(b"[")
            for number, row in enumerate(value):
                add((b"," if number else b"") + orjson.dumps(row))
            add(b"]")
        else:
            add(orjson.dumps(value))
    add(b"}")
    return b"".join(parts), size
