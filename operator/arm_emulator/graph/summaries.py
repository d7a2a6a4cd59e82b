"""summarize: groups of rows and what becomes of them."""

from collections.abc import Callable
from dataclasses import dataclass

from lark import Tree

from arm_emulator.graph.aggregates import AGGREGATES, percentile
from arm_emulator.graph.compiled import Compiled, Evaluate, Node, attempted, target_name
from arm_emulator.graph.expressions import Expressions
from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.joins import free_name
from arm_emulator.graph.tables import Table
from arm_emulator.graph.values import Row, Value, group_key, number, sort_key, text, truth

Run = Callable[[list[Row]], list[Value]]


@dataclass(frozen=True, slots=True)
class Summary:
    """The columns that one aggregate gives, with types, and their values for the rows of a group."""

    columns: dict[str, str]
    run: Run


def summarize(wanted: Node, keys: list[tuple[str, Compiled]], table: Table, over: Expressions) -> Table:
    """One row a group; without keys one row for all. Raises QueryError."""
    for name, compiled in keys:
        if compiled.type == "dynamic":
            raise QueryError(
                "DynamicSummarizeKey",
                f"Summarize group key '{name}' is of a 'dynamic' type. Please use an explicit cast, such as tostring().",
            )
    columns = {name: compiled.type for name, compiled in keys}
    summaries = _Summaries(table, over, set(columns)).of([] if wanted is None else wanted.children, columns)
    if not keys and not summaries:
        raise QueryError("NotSupported", "summarize needs an aggregate or a by clause.")
    cells = [(name, compiled.evaluate) for name, compiled in keys]
    groups: dict[tuple[Value, ...], tuple[Row, list[Row]]] = {}
    if not keys:
        groups[()] = ({}, [])
    for row in table.rows:
        values = {name: evaluate(row) for name, evaluate in cells}
        groups.setdefault(tuple(map(group_key, values.values())), (values, []))[1].append(row)
    rows = [{**values, **_filled(summaries, members)} for values, members in groups.values()]
    for summary in summaries:
        columns |= summary.columns
    return Table(columns, rows)


def _filled(summaries: list[Summary], rows: list[Row]) -> Row:
    return {
        name: value for summary in summaries for name, value in zip(summary.columns, summary.run(rows), strict=True)
    }


class _Summaries:
    """Compiles the aggregates of one summarize."""

    def __init__(self, table: Table, over: Expressions, keys: set[str]) -> None:
        self._table = table
        self._over = over
        self._keys = keys

    def of(self, columns: list[Node], taken: dict[str, str]) -> list[Summary]:
        """Each column's, their names made different from each other and from `taken`."""
        found: list[Summary] = []
        names = dict(taken)
        for column in columns:
            left, call = column.children
            summary = self._named(left, self._compiled(call))
            renamed: dict[str, str] = {}
            for name, kind in summary.columns.items():
                stem = "Column" if name == "Column1" else None
                renamed[free_name(name, {**names, **renamed}, stem)] = kind
            names |= renamed
            found.append(Summary(renamed, summary.run))
        return found

    def _named(self, left: Node, summary: Summary) -> Summary:
        if left is None:
            return summary
        if isinstance(left, Tree) and left.data == "tuple":
            given = [str(name) for name in left.children]
        else:
            given = [target_name(left)]
        kinds = list(summary.columns.items())
        if len(given) > len(kinds):
            raise QueryError("InvalidColumnName", f"{len(given)} names are given to {len(kinds)} column(s).")
        names = given + [name for name, _ in kinds[len(given) :]]
        return Summary({name: kind for name, (_, kind) in zip(names, kinds, strict=True)}, summary.run)

    def _compiled(self, node: Node) -> Summary:
        if not isinstance(node, Tree) or node.data != "call":
            return self._of_expression(node)
        name = str(node.children[0])
        nodes = [child for child in node.children[1:] if child is not None]
        if name in ("count", "countif"):
            return self._count(name, nodes)
        if name in ("arg_max", "arg_min"):
            return self._extreme(name, nodes)
        if name in ("take_any", "any") and (name == "take_any" or len(nodes) > 1 or _is_star(nodes)):
            return self._any(nodes)
        if name in ("percentile", "percentiles"):
            return self._percentiles(nodes)
        if name in AGGREGATES:
            return self._aggregate(name, nodes)
        return self._of_expression(node)

    def _of_expression(self, node: Node) -> Summary:
        """An expression around aggregates, such as round(avg(x), 2) or max(x) - min(x)."""
        inner: dict[str, Summary] = {}
        replaced = self._replaced(node, inner)
        if not inner:
            raise QueryError("NotSupported", "summarize takes aggregates such as count() or dcount(x).")
        kinds = {name: next(iter(summary.columns.values())) for name, summary in inner.items()}
        compiled = self._over.over(kinds).compile(replaced)

        def run(rows: list[Row]) -> list[Value]:
            return [compiled.evaluate({name: summary.run(rows)[0] for name, summary in inner.items()})]

        return Summary({"Column1": compiled.type}, run)

    def _replaced(self, node: Node, inner: dict[str, Summary]) -> Node:
        """The tree with a column in place of each aggregate."""
        if not isinstance(node, Tree):
            return node
        if node.data == "call" and (
            str(node.children[0]) in AGGREGATES or str(node.children[0]) in ("count", "countif")
        ):
            name = f"aggregate {len(inner)}"
            inner[name] = self._compiled(node)
            return Tree("name", [name])
        return Tree(node.data, [self._replaced(child, inner) for child in node.children])

    # -- the aggregates ------------------------------------------------------------------------------------------

    def _argument(self, node: Node) -> Compiled:
        if not isinstance(node, Tree) or node.data != "argument":
            raise QueryError("NotSupported", "A star or a type cannot be an argument here.")
        left, value = node.children
        compiled = self._over.compile(value)
        return compiled if left is None else Compiled(compiled.evaluate, compiled.type, target_name(left))

    def _count(self, name: str, nodes: list[Node]) -> Summary:
        if name == "count" and not nodes:
            return Summary({"count_": "long"}, lambda rows: [len(rows)])
        _refuse_number(name, nodes, 1, 1)
        condition = self._argument(nodes[0])
        suggested = condition.name or ""
        return Summary(
            {f"{name}_{suggested}": "long"}, lambda rows: [sum(truth(condition.evaluate(row)) for row in rows)]
        )

    def _aggregate(self, name: str, nodes: list[Node]) -> Summary:
        aggregate = AGGREGATES[name]
        least = 2 if aggregate.conditional else 1
        _refuse_number(name, nodes, least, least + aggregate.constants)
        value = self._argument(nodes[0])
        condition = self._argument(nodes[1]).evaluate if aggregate.conditional else None
        constants = [self._argument(node).evaluate({}) for node in nodes[least:]]

        def run(rows: list[Row]) -> list[Value]:
            chosen = rows if condition is None else [row for row in rows if truth(condition(row))]
            return [attempted(aggregate.call, [value.evaluate(row) for row in chosen], *constants)]

        return Summary({aggregate.prefix + (value.name or ""): aggregate.type_of([value.type])}, run)

    def _percentiles(self, nodes: list[Node]) -> Summary:
        _refuse_number("percentile", nodes, 2, None)
        value = self._argument(nodes[0])
        percents = [number(self._argument(node).evaluate({})) or 0 for node in nodes[1:]]
        names = [f"percentile_{value.name or ''}_{text(percent).replace('.', '_')}" for percent in percents]
        return Summary(
            dict.fromkeys(names, value.type),
            lambda rows: [
                attempted(percentile, [value.evaluate(row) for row in rows], percent)
                for percent in dict(zip(names, percents, strict=True)).values()
            ],
        )

    def _any(self, nodes: list[Node]) -> Summary:
        _refuse_number("take_any", nodes, 1, None)
        cells = self._returned(nodes, excluding=self._keys)
        return Summary(
            {name: kind for name, (_, kind) in cells.items()},
            lambda rows: [evaluate(rows[0]) if rows else None for evaluate, _ in cells.values()],
        )

    def _extreme(self, name: str, nodes: list[Node]) -> Summary:
        _refuse_number(name, nodes, 1, None)
        by = self._argument(nodes[0])
        first = by.name or f"{name.removeprefix('arg_')}_"
        cells = {first: (by.evaluate, by.type)}
        cells |= {
            other: cell for other, cell in self._returned(nodes[1:], excluding=self._keys).items() if other != first
        }
        pick = max if name == "arg_max" else min

        def run(rows: list[Row]) -> list[Value]:
            present = [row for row in rows if by.evaluate(row) is not None]
            if not present:
                return [None for _ in cells]
            chosen = pick(present, key=lambda row: sort_key(by.evaluate(row)))
            return [evaluate(chosen) for evaluate, _ in cells.values()]

        return Summary({other: kind for other, (_, kind) in cells.items()}, run)

    def _returned(self, nodes: list[Node], excluding: set[str]) -> dict[str, tuple[Evaluate, str]]:
        """The columns that a star or a list of expressions stands for; a star leaves the keys of the groups out."""
        cells: dict[str, tuple[Evaluate, str]] = {}
        for position, node in enumerate(nodes):
            if isinstance(node, Tree) and node.data == "star":
                for column, kind in self._table.columns.items():
                    if column not in excluding:
                        cells.setdefault(column, (_reader(column), kind))
            else:
                compiled = self._argument(node)
                cells[free_name(compiled.name or f"arg{position}", cells)] = (compiled.evaluate, compiled.type)
        return cells


def _reader(column: str) -> Evaluate:
    return lambda row: row.get(column)


def _is_star(nodes: list[Node]) -> bool:
    return any(isinstance(node, Tree) and node.data == "star" for node in nodes)


def _refuse_number(name: str, nodes: list[Node], least: int, most: int | None) -> None:
    if len(nodes) < least or (most is not None and len(nodes) > most):
        raise QueryError("WrongNumberOfArguments", f"{name}(): function does not take {len(nodes)} argument(s).")
