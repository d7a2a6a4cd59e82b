"""Facets: how often the values of a column occur in the whole result of a query.

Specification: Azure/azure-rest-api-specs, Microsoft.ResourceGraph, stable/2024-04-01 (FacetRequest and its example).
"""

from datetime import datetime

from arm_emulator.errors import Json
from arm_emulator.graph.answers import shown
from arm_emulator.graph.compiled import Compiled
from arm_emulator.graph.expressions import Expressions
from arm_emulator.graph.failures import QueryError, QuerySyntaxError
from arm_emulator.graph.options import MOST_FACET_ROWS, invalid, whole
from arm_emulator.graph.query import expression
from arm_emulator.graph.tables import Table
from arm_emulator.graph.values import Row, Value, group_key, sort_key, truth

MOST_FACETS = 10


def facets(requests: object, table: Table, now: datetime, *, as_table: bool, datetime_columns: bool) -> list[Json]:
    """A FacetResult or FacetError for each request. Raises ArmError for what is no facet request."""
    if requests is None:
        return []
    if not isinstance(requests, list) or len(requests) > MOST_FACETS:
        raise invalid("facets", requests)
    answers = []
    for request in requests:
        if not isinstance(request, dict) or not isinstance(request.get("expression"), str):
            raise invalid("facets", request)
        options = {} if request.get("options") is None else request["options"]
        if not isinstance(options, dict):
            raise invalid("facets", options)
        try:
            total, counted = _facet(request["expression"], options, table, now)
        except QueryError as error:
            answers.append(_error(request["expression"], error))
            continue
        data = shown(counted, counted.rows, as_table=as_table, datetime_columns=datetime_columns)
        answers.append(
            {
                "expression": request["expression"],
                "resultType": "FacetResult",
                "totalRecords": total,
                "count": len(counted.rows),
                "data": data,
            }
        )
    return answers


def _facet(wanted: str, options: Json, table: Table, now: datetime) -> tuple[int, Table]:
    """How many values there are, and those that are asked for with their numbers."""
    top = whole("$top", options.get("$top", MOST_FACET_ROWS), 1, MOST_FACET_ROWS)
    order = str(options.get("sortOrder") or "desc").lower()
    if order not in ("asc", "desc"):
        raise invalid("sortOrder", options["sortOrder"])
    over = Expressions(table.columns, now, hidden=table.hidden)
    columns = _columns(wanted, table, over)
    rows = table.rows
    if options.get("filter"):
        condition = over.compile(expression(str(options["filter"]))).evaluate
        rows = [row for row in rows if truth(condition(row))]
    groups: dict[tuple[Value, ...], Row] = {}
    for row in rows:
        values = {name: compiled.evaluate(row) for name, compiled in columns.items()}
        group = groups.setdefault(tuple(map(group_key, values.values())), {**values, "count": 0})
        group["count"] += 1
    kinds = {**{name: compiled.type for name, compiled in columns.items()}, "count": "long"}
    by = Expressions(kinds, now).compile(expression(str(options.get("sortBy") or "count"))).evaluate
    ordered = sorted(groups.values(), key=lambda row: sort_key(by(row)), reverse=order == "desc")
    return len(groups), Table(kinds, ordered[:top])


class _NoColumnsError(QueryError):
    """A facet of columns that the result does not have."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("NoValidColumns", "No valid columns in facet expression.")
        self.names = names

    def details(self) -> list[Json]:
        unknown = {"code": "InvalidColumnNames", "message": f"Invalid column names: [{', '.join(self.names)}]."}
        return [{"code": self.code, "message": self.message}, unknown]


def _columns(wanted: str, table: Table, over: Expressions) -> dict[str, Compiled]:
    """The columns that a facet names, by a path or by the name that the path has become in the result."""
    found: dict[str, Compiled] = {}
    unknown: list[str] = []
    for part in (one.strip() for one in wanted.split(",")):
        name = part.replace(".", "_")
        if name in table.columns:
            found[name] = over.compile(expression(f"['{name}']"))
            continue
        try:
            compiled = over.compile(expression(part))
        except QueryError:
            unknown.append(part)
        else:
            found[compiled.name or part] = compiled
    if not found:
        raise _NoColumnsError(unknown)
    return found


def _error(wanted: str, error: QueryError) -> Json:
    details = error.details()[1:] if isinstance(error, QuerySyntaxError) else error.details()
    return {"expression": wanted, "resultType": "FacetError", "errors": details}
