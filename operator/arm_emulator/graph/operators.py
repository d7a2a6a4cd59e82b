"""The tabular operators: each takes a table and gives one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from lark import Token, Tree

from arm_emulator.graph.expressions import Compiled, Evaluate, Expressions, Node, Row, Value
from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.functions import AGGREGATES, PREFIXES
from arm_emulator.graph.values import number, sort_key, text, truth

ROWS_EXPANDED, MOST_ROWS_EXPANDED = 128, 400
MOST_JOINS, MOST_UNION_LEGS, MOST_EXPANSIONS = 3, 3, 3
KINDS = ("innerunique", "inner", "leftouter", "fullouter")


@dataclass(slots=True)
class Table:
    """Rows and the order of their columns. `limited` once a take, limit or top has been applied; `ordered` after a sort."""

    columns: list[str]
    rows: list[Row]
    limited: bool = False
    ordered: bool = False


class Pipeline:
    """Runs parsed queries against named tables; `tables` raises QueryError for a name that is none."""

    def __init__(self, tables: Callable[[str], Table], now: datetime) -> None:
        """`now` is what now() and ago() count from."""
        self._tables = tables
        self._now = now
        self._joins = 0
        self._remote: set[str] = set()

    def run(self, query: Node) -> Table:
        """The table that a query comes to."""
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

    def _over(self, columns: Iterable[str]) -> Expressions:
        return Expressions(columns, self._now)

    # -- rows and columns ----------------------------------------------------------------------------------------

    def _where(self, children: list[Node], table: Table) -> Table:
        condition = self._over(table.columns).compile(children[0]).evaluate
        return Table(table.columns, [row for row in table.rows if truth(condition(row))], table.limited, table.ordered)

    def _project(self, children: list[Node], table: Table) -> Table:
        columns = self._columns(children[0], table.columns)
        rows = [{name: compiled.evaluate(row) for name, compiled in columns} for row in table.rows]
        return Table([name for name, _ in columns], rows, table.limited, table.ordered)

    def _project_away(self, children: list[Node], table: Table) -> Table:
        gone = [_wildcard(str(pattern.children[0])) for pattern in children[0].children if isinstance(pattern, Tree)]
        kept = [name for name in table.columns if not any(pattern.fullmatch(name) for pattern in gone)]
        return Table(kept, [{name: row.get(name) for name in kept} for row in table.rows], table.limited, table.ordered)

    def _extend(self, children: list[Node], table: Table) -> Table:
        columns = self._columns(children[0], table.columns)
        rows = [{**row, **{name: compiled.evaluate(row) for name, compiled in columns}} for row in table.rows]
        added = [name for name, _ in columns if name not in table.columns]
        return Table([*table.columns, *added], rows, table.limited, table.ordered)

    def _distinct(self, children: list[Node], table: Table) -> Table:
        projected = table if isinstance(children[0], Token) else self._project(children, table)
        seen: dict[tuple[str, ...], Row] = {}
        for row in projected.rows:
            seen.setdefault(tuple(text(row.get(name)) for name in projected.columns), row)
        return Table(projected.columns, list(seen.values()))

    def _columns(self, node: Node, known: list[str]) -> list[tuple[str, Compiled]]:
        over = self._over(known)
        found: list[tuple[str, Compiled]] = []
        for column in node.children:
            if column.data != "column":
                raise QueryError("NotSupported", "Several columns from one expression are not supported.")
            name, expression = column.children
            compiled = over.compile(expression)
            found.append((str(name) if name is not None else compiled.name or self._unnamed(found), compiled))
        return found

    def _unnamed(self, found: list[tuple[str, Compiled]]) -> str:
        return f"Column{sum(name.startswith('Column') for name, _ in found) + 1}"

    # -- order and number ----------------------------------------------------------------------------------------

    def _order(self, children: list[Node], table: Table) -> Table:
        return Table(table.columns, self._sorted(children[0], table), table.limited, ordered=True)

    def _sorted(self, node: Node, table: Table) -> list[Row]:
        keys = [self._key(key, table) for key in node.children]
        # Stable, so sorting by the last key first sorts by all.
        rows = table.rows
        for evaluate, descending, nulls_first in reversed(keys):
            rows = sorted(rows, key=partial(_order_key, evaluate, descending, nulls_first), reverse=descending)
        return rows

    def _key(self, node: Node, table: Table) -> tuple[Evaluate, bool, bool]:
        expression, direction, nulls = node.children
        descending = direction is None or str(direction) == "desc"
        nulls_first = str(nulls) == "first" if nulls is not None else not descending
        return self._over(table.columns).compile(expression).evaluate, descending, nulls_first

    def _take(self, children: list[Node], table: Table) -> Table:
        return Table(table.columns, table.rows[: int(str(children[0]))], limited=True, ordered=table.ordered)

    def _top(self, children: list[Node], table: Table) -> Table:
        rows = self._sorted(children[1], table)[: int(str(children[0]))]
        return Table(table.columns, rows, limited=True, ordered=True)

    def _count(self, _children: list[Node], table: Table) -> Table:
        return Table(["Count"], [{"Count": len(table.rows)}])

    # -- summarize -----------------------------------------------------------------------------------------------

    def _summarize(self, children: list[Node], table: Table) -> Table:
        wanted, by = children
        keys = [] if by is None else self._columns(by, table.columns)
        aggregates = [] if wanted is None else self._aggregates(wanted, table)
        if not keys and not aggregates:
            raise QueryError("NotSupported", "summarize needs an aggregate or a by clause.")
        groups: dict[tuple[str, ...], tuple[Row, list[Row]]] = {}
        if not keys:
            groups[()] = ({}, [])
        for row in table.rows:
            values = {name: compiled.evaluate(row) for name, compiled in keys}
            groups.setdefault(tuple(map(text, values.values())), (values, []))[1].append(row)
        rows = [{**values, **_aggregated(aggregates, members)} for values, members in groups.values()]
        columns = [name for name, _ in keys] + [name for names, _ in aggregates for name in names]
        return Table(columns, rows)

    def _aggregates(self, node: Node, table: Table) -> list["Aggregate"]:
        return [self._aggregate(column, table) for column in node.children]

    def _aggregate(self, node: Node, table: Table) -> "Aggregate":
        name, call = node.children
        if not isinstance(call, Tree) or call.data != "call":
            raise QueryError("NotSupported", "summarize takes aggregates such as count() or dcount(x).")
        function = str(call.children[0])
        arguments = [child for child in call.children[1:] if child is not None]
        over = self._over(table.columns)
        if function == "count":
            return ([str(name or "count_")], lambda rows: [len(rows)])
        if function in ("arg_max", "arg_min"):
            return self._extreme(function, arguments, table)
        aggregate = AGGREGATES.get(function.removesuffix("if") if function != "countif" else function)
        if aggregate is None or not arguments:
            raise QueryError("FailedToResolveEntity", f"Unknown aggregate: '{function}'.")
        value = over.compile(arguments[0])
        conditional = function.endswith("if") and function != "countif" and len(arguments) > 1
        condition = over.compile(arguments[1]).evaluate if conditional else None
        default = PREFIXES.get(function, f"{function}_") + (value.name or "")

        def run(rows: list[Row]) -> list[Value]:
            return [aggregate([value.evaluate(row) for row in rows if condition is None or truth(condition(row))])]

        return ([str(name or default)], run)

    def _extreme(self, function: str, arguments: list[Node], table: Table) -> "Aggregate":
        over = self._over(table.columns)
        by = over.compile(arguments[0])
        star = any(isinstance(node, Tree) and node.data == "star" for node in arguments[1:])
        rest = [(n, over.compile(Tree("name", [Token("NAME", n)]))) for n in table.columns] if star else [
            (c.name or "Column1", c) for c in map(over.compile, arguments[1:])
        ]  # fmt: skip
        first = by.name or "Column1"
        names = [first, *[name for name, _ in rest if name != first]]
        pick = max if function == "arg_max" else min

        def run(rows: list[Row]) -> list[Value]:
            present = [row for row in rows if by.evaluate(row) is not None]
            if not present:
                return [None for _ in names]
            chosen = pick(present, key=lambda row: sort_key(by.evaluate(row)))
            values = {name: compiled.evaluate(chosen) for name, compiled in rest} | {first: by.evaluate(chosen)}
            return [values[name] for name in names]

        return (names, run)

    # -- several tables ------------------------------------------------------------------------------------------

    def _join(self, children: list[Node], table: Table) -> Table:
        *options, source, conditions = children
        self._joins += 1
        if self._joins > MOST_JOINS:
            raise QueryError("DisallowedMaxNumberOfJoins", f"A query may have at most {MOST_JOINS} joins.")
        self._note_remote(source)
        kind = dict(map(_option, options)).get("kind", "innerunique")
        if kind not in KINDS:
            raise QueryError(
                "DisallowedJoinKind", f"Join kind {kind} is not supported; supported are {', '.join(KINDS)}."
            )
        return self._joined(kind, table, self._source(source), conditions)

    def _note_remote(self, source: Node) -> None:
        """A table other than resources may stand on the right side of one join only."""
        name = _table_name(source)
        if name != "resources" and name in self._remote:
            raise QueryError(
                "DisallowedMaxNumberOfRemoteTables", f"Table {name} may be on the right side of one join only."
            )
        self._remote.add(name)

    def _joined(self, kind: str, left: Table, right: Table, conditions: Node) -> Table:
        pairs = [self._condition(condition, left, right) for condition in conditions.children]
        renamed = {name: _free(name, left.columns) for name in right.columns}
        index: dict[tuple[str, ...], list[Row]] = {}
        for row in right.rows:
            index.setdefault(tuple(text(key(row)) for _, key in pairs), []).append(row)
        used: set[tuple[str, ...]] = set()
        rows: list[Row] = []
        for row in left.rows:
            key = tuple(text(of_left(row)) for of_left, _ in pairs)
            if kind == "innerunique" and key in used:
                continue
            matches = index.get(key, [])
            used.add(key)
            rows += [{**row, **{renamed[name]: match.get(name) for name in renamed}} for match in matches]
            if not matches and kind in ("leftouter", "fullouter"):
                rows.append({**row, **dict.fromkeys(renamed.values())})
        if kind == "fullouter":
            lonely = [row for key, found in index.items() if key not in used for row in found]
            empty = dict.fromkeys(left.columns)
            rows += [{**empty, **{renamed[name]: row.get(name) for name in renamed}} for row in lonely]
        return Table([*left.columns, *renamed.values()], rows)

    def _condition(self, node: Node, left: Table, right: Table) -> tuple[Evaluate, Evaluate]:
        if node.data == "name":
            return self._over(left.columns).compile(node).evaluate, self._over(right.columns).compile(node).evaluate
        if node.data == "compare" and str(node.children[1]) == "==":
            sides = {_side(child): child for child in (node.children[0], node.children[2])}
            if set(sides) == {"$left", "$right"}:
                return (
                    self._over(left.columns).compile(_column(sides["$left"])).evaluate,
                    self._over(right.columns).compile(_column(sides["$right"])).evaluate,
                )
        raise QueryError("NotSupported", "A join is on column names, or on $left.column == $right.column.")

    def _union(self, children: list[Node], table: Table) -> Table:
        options = [child for child in children if isinstance(child, Tree) and child.data == "option"]
        sources = [child for child in children if child not in options]
        if len(sources) + 1 > MOST_UNION_LEGS:
            raise QueryError("DisallowedMaxNumberOfUnionLegs", f"A union may have at most {MOST_UNION_LEGS} legs.")
        tables = [table, *map(self._source, sources)]
        columns = list(dict.fromkeys(name for one in tables for name in one.columns))
        if dict(map(_option, options)).get("kind") == "inner":
            columns = [name for name in columns if all(name in one.columns for one in tables)]
        return Table(columns, [{name: row.get(name) for name in columns} for one in tables for row in one.rows])

    # -- mv-expand and parse -------------------------------------------------------------------------------------

    def _mv_expand(self, children: list[Node], table: Table) -> Table:
        *_options, expansions, limit = children
        most = ROWS_EXPANDED if limit is None else min(int(str(limit)), MOST_ROWS_EXPANDED)
        if len(expansions.children) > MOST_EXPANSIONS:
            raise QueryError("DisallowedMaxNumberOfMvExpand", f"At most {MOST_EXPANSIONS} columns can be expanded.")
        wanted: list[tuple[str, Compiled]] = []
        for expansion in expansions.children:
            name, expression = expansion.children[0], expansion.children[1]
            compiled = self._over(table.columns).compile(expression)
            wanted.append((str(name) if name is not None else compiled.name or "Column1", compiled))
        rows = [{**row, **part} for row in table.rows for part in _expanded(row, wanted, most)]
        added = [name for name, _ in wanted if name not in table.columns]
        return Table([*table.columns, *added], rows, table.limited)

    def _parse(self, children: list[Node], table: Table) -> Table:
        _options = [child for child in children if isinstance(child, Tree) and child.data == "option"]
        subject, *parts = [child for child in children if child not in _options]
        value = self._over(table.columns).compile(subject).evaluate
        pattern, names = _parse_pattern(parts)
        rows = []
        for row in table.rows:
            found = pattern.fullmatch(text(value(row)))
            captured = {name: found[f"g{n}"] if found is not None else None for n, (name, _) in enumerate(names)}
            rows.append({**row, **{name: _typed(captured[name], kind) for name, kind in names}})
        added = [name for name, _ in names if name not in table.columns]
        return Table([*table.columns, *added], rows, table.limited, table.ordered)


_NO_TIME = datetime(1, 1, 1, tzinfo=UTC)
Aggregate = tuple[list[str], Callable[[list[Row]], list[Value]]]


def _aggregated(aggregates: list[Aggregate], rows: list[Row]) -> Row:
    return {name: value for names, run in aggregates for name, value in zip(names, run(rows), strict=True)}


def _order_key(
    evaluate: Evaluate, descending: bool, nulls_first: bool, row: Row
) -> tuple[bool, tuple[int, float, str]]:
    value = evaluate(row)
    missing = value is None
    # With reverse=True the greater comes first, so what has to come first must be the greater.
    leading = missing if nulls_first == descending else not missing
    return (leading, (0, 0.0, "") if missing else sort_key(value))


def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))


def _option(node: Node) -> tuple[str, str]:
    name, _, value = str(node.children[0]).partition("=")
    return name.strip(), value.strip()


def _table_name(source: Node) -> str:
    """The table that a source starts from; the default one where it names none."""
    node: Node | None = source
    while isinstance(node, Tree):
        if node.data == "table":
            return str(node.children[0]).lower()
        node = node.children[0] if node.data in ("subquery", "pipeline", "bare_source") else None
    return "resources"


def _free(name: str, taken: list[str]) -> str:
    """A column of the right side that is there already gets a number."""
    if name not in taken:
        return name
    suffix = 1
    while f"{name}{suffix}" in taken:
        suffix += 1
    return f"{name}{suffix}"


def _side(node: Node) -> str:
    return str(node.children[0]) if isinstance(node, Tree) and node.data == "side" else ""


def _column(node: Node) -> Tree[Token]:
    return Tree("name", [node.children[1]])


def _expanded(row: Row, wanted: list[tuple[str, Compiled]], most: int) -> list[Row]:
    """The rows that one row becomes: as many as the longest of the arrays has elements."""
    lists = {}
    for name, compiled in wanted:
        value = compiled.evaluate(row)
        lists[name] = [{key: one} for key, one in value.items()] if isinstance(value, dict) else value
    arrays = {name: value if isinstance(value, list) else [value] for name, value in lists.items()}
    length = min(max((len(value) for value in arrays.values()), default=0), most)
    if length == 0:
        return [dict.fromkeys(arrays)]
    return [{name: value[n] if n < len(value) else None for name, value in arrays.items()} for n in range(length)]


def _parse_pattern(parts: list[Node]) -> tuple[re.Pattern[str], list[tuple[str, str]]]:
    names: list[tuple[str, str]] = []
    pattern = ""
    for part in parts:
        if part.data == "text":
            literal = str(part.children[0])
            pattern += re.escape(Expressions((), _NO_TIME).compile(Tree("string", [literal])).evaluate({}))
        elif part.data == "anything":
            pattern += ".*?"
        else:
            pattern += f"(?P<g{len(names)}>.*?)"
            kind = part.children[1]
            names.append((str(part.children[0]), "string" if kind is None else str(kind)))
    return re.compile(pattern, re.DOTALL), names


def _typed(value: str | None, kind: str) -> Value:
    if kind in ("int", "long", "real", "double"):
        return None if value is None else number(value)
    return value
