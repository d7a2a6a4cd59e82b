"""The tabular operators: each takes a table and gives one."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lark import Token, Tree

from arm_emulator.graph import expansions, joins, summaries
from arm_emulator.graph.compiled import Compiled, Evaluate, Node, target_name
from arm_emulator.graph.expressions import Expressions
from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.literals import integer
from arm_emulator.graph.tables import Table
from arm_emulator.graph.values import Row, Value, group_key, sort_key, truth

MOST_EXPANSIONS = 3
_SORT_REFUSED = "The key of a sort cannot be of type dynamic. Use an explicit cast, such as tostring()."


class Pipeline:
    """Runs parsed queries against named tables; `tables` raises QueryError for a name that is none."""

    def __init__(self, tables: Callable[[str], Table], now: datetime) -> None:
        """`now` is what now() and ago() count from."""
        self._tables = tables
        self._now = now
        self._limits = joins.Limits()
        self._expansions = 0

    def run(self, query: Node) -> Table:
        """The table that a query comes to. Raises QueryError."""
        if query.data == "bare_source":
            return self._source(query.children[0])
        source, *operators = query.children
        table = self._source(source) if source is not None else self._tables("resources")
        for operator in operators:
            table = self._apply(operator, table)
        return table

    def _source(self, node: Node) -> Table:
        return self.run(node.children[0]) if node.data == "subquery" else self._tables(str(node.children[0]))

    def _apply(self, node: Node, table: Table) -> Table:
        handler: Callable[[list[Any], Table], Table] = getattr(self, f"_{node.data}")
        return handler(node.children, table)

    def _over(self, table: Table) -> Expressions:
        return Expressions(table.columns, self._now, hidden=table.hidden, column_of=self._column_of)

    def _column_of(self, query: Node) -> list[Value]:
        """The values for `in (table | …)`."""
        table = self.run(query)
        if len(table.columns) != 1:
            raise QueryError("NotSupported", "What stands in the parentheses of in must come to one column.")
        (name,) = table.columns
        return [row.get(name) for row in table.rows]

    # -- rows and columns ----------------------------------------------------------------------------------------

    def _where(self, children: list[Node], table: Table) -> Table:
        condition = self._over(table).compile(children[0]).evaluate
        return table.with_rows([row for row in table.rows if truth(condition(row))])

    def _project(self, children: list[Node], table: Table) -> Table:
        columns = self._named(children[0], table)
        kinds = {name: compiled.type for name, compiled in columns}
        if all(compiled.column == name for name, compiled in columns):
            return Table(kinds, table.rows, table.limited)
        cells = [(name, compiled.evaluate) for name, compiled in columns]
        rows = [{name: evaluate(row) for name, evaluate in cells} for row in table.rows]
        return Table(kinds, rows, table.limited)

    def _project_away(self, children: list[Node], table: Table) -> Table:
        patterns = [str(pattern.children[0]) for pattern in children[0].children]
        for name in patterns:
            if "*" not in name:
                self._over(table).column(name)
        gone = [_wildcard(pattern) for pattern in patterns]
        kept = {name: kind for name, kind in table.columns.items() if not any(p.fullmatch(name) for p in gone)}
        return Table(kept, table.rows, table.limited)

    def _extend(self, children: list[Node], table: Table) -> Table:
        columns = self._named(children[0], table, taken=table.columns)
        cells = [(name, compiled.evaluate) for name, compiled in columns]
        rows = [{**row, **{name: evaluate(row) for name, evaluate in cells}} for row in table.rows]
        kinds = {name: compiled.type for name, compiled in columns}
        return Table({**table.columns, **kinds}, rows, table.limited, table.hidden)

    def _distinct(self, children: list[Node], table: Table) -> Table:
        projected = table if isinstance(children[0], Token) else self._project(children, table)
        seen: dict[tuple[Value, ...], Row] = {}
        for row in projected.rows:
            seen.setdefault(tuple(group_key(row.get(name)) for name in projected.columns), row)
        return Table(projected.columns, list(seen.values()))

    def _named(self, node: Node, table: Table, taken: dict[str, str] | None = None) -> list[tuple[str, Compiled]]:
        """The columns of a list, each with its name; `taken` are names that one without a name may not get."""
        over = self._over(table)
        found: dict[str, Compiled] = {}
        for column in node.children:
            left, expression = column.children
            if isinstance(left, Tree) and left.data == "tuple":
                raise QueryError("NotSupported", "Several columns from one expression are not supported here.")
            compiled = over.compile(expression)
            if left is not None:
                name = target_name(left)
            else:
                name = compiled.name or joins.free_name("Column1", {**(taken or {}), **found}, stem="Column")
                name = name if taken is not None else joins.free_name(name, found)
            found[name] = compiled
        return list(found.items())

    # -- order and number ----------------------------------------------------------------------------------------

    def _order(self, children: list[Node], table: Table) -> Table:
        return table.with_rows(self._sorted(children[0], table))

    def _sorted(self, node: Node, table: Table) -> list[Row]:
        keys = [self._key(key, table) for key in node.children]
        # Stable, so sorting by the last key first sorts by all.
        rows = table.rows
        for evaluate, descending, nulls_first in reversed(keys):
            rows = _sorted_by(rows, evaluate, descending=descending, nulls_first=nulls_first)
        return rows

    def _key(self, node: Node, table: Table) -> tuple[Evaluate, bool, bool]:
        expression, direction, nulls = node.children
        compiled = self._over(table).compile(expression)
        if compiled.type == "dynamic":
            raise QueryError("DynamicSortKey", _SORT_REFUSED)
        descending = direction is None or str(direction) == "desc"
        nulls_first = str(nulls) == "first" if nulls is not None else not descending
        return compiled.evaluate, descending, nulls_first

    def _take(self, children: list[Node], table: Table) -> Table:
        return table.with_rows(table.rows[: _number_of_rows(children[0])], limited=True)

    def _top(self, children: list[Node], table: Table) -> Table:
        return table.with_rows(self._sorted(children[1], table)[: _number_of_rows(children[0])])

    def _count(self, _children: list[Node], table: Table) -> Table:
        return Table({"Count": "long"}, [{"Count": len(table.rows)}])

    # -- groups, several tables, arrays and patterns -------------------------------------------------------------

    def _summarize(self, children: list[Node], table: Table) -> Table:
        wanted, by = children
        keys = [] if by is None else self._named(by, table)
        return summaries.summarize(wanted, keys, table, self._over(table))

    def _join(self, children: list[Node], table: Table) -> Table:
        *options, source, conditions = children
        kind = joins.kind_of([str(option.children[0]) for option in options])
        self._limits.join(source)
        return joins.joined(kind, table, self._source(source), conditions)

    def _union(self, children: list[Node], table: Table) -> Table:
        options = [child for child in children if isinstance(child, Tree) and child.data == "option"]
        sources = [child for child in children if child not in options]
        self._limits.union(len(sources))
        names = ["union_arg0", *(joins.leg_name(source, n) for n, source in enumerate(sources, start=1))]
        tables = [table, *map(self._source, sources)]
        return joins.united([str(option.children[0]) for option in options], names, tables)

    def _mv_expand(self, children: list[Node], table: Table) -> Table:
        self._expansions += 1
        if self._expansions > MOST_EXPANSIONS:
            raise QueryError("DisallowedMaxNumberOfMvExpand", f"A query may have at most {MOST_EXPANSIONS} mv-expand.")
        *options, wanted, limit = children
        texts = [str(option.children[0]) for option in options]
        most = None if limit is None else _number_of_rows(limit)
        return expansions.expanded(table, self._over(table), wanted, texts, most)

    def _parse(self, children: list[Node], table: Table) -> Table:
        options = [child for child in children if isinstance(child, Tree) and child.data == "option"]
        subject, *parts = [child for child in children if child not in options]
        texts = [str(option.children[0]) for option in options]
        return expansions.parsed(table, self._over(table).compile(subject).evaluate, parts, texts)


def _number_of_rows(node: Node) -> int:
    return max(0, integer(str(node)))


def _sorted_by(rows: list[Row], evaluate: Evaluate, *, descending: bool, nulls_first: bool) -> list[Row]:
    values = [evaluate(row) for row in rows]
    if all(isinstance(value, str) for value in values):
        keys: list[Any] = values
    else:
        # With reverse the greater comes first, so what has to come first must be the greater.
        leading = nulls_first == descending
        nothing = (0, 0.0, "")
        keys = [((value is None) is leading, nothing if value is None else sort_key(value)) for value in values]
    order = sorted(range(len(rows)), key=keys.__getitem__, reverse=descending)
    return [rows[position] for position in order]


def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))
