"""join and union."""

from collections.abc import Iterable, Mapping, Sequence

from lark import Tree

from arm_emulator.graph.compiled import Node
from arm_emulator.graph.failures import QueryError, TooMuchWorkError
from arm_emulator.graph.literals import unquoted
from arm_emulator.graph.tables import DEFAULT_TABLES, Table
from arm_emulator.graph.values import Row, Value, group_key

MOST_JOINS, MOST_UNION_LEGS = 3, 3
MOST_ROWS = 250_000
KINDS = ("innerunique", "inner", "leftouter", "fullouter")
_OTHER_KINDS = {
    "anti": "LeftAnti", "leftanti": "LeftAnti", "leftantisemi": "LeftAntiSemi", "leftsemi": "LeftSemi",
    "rightanti": "RightAnti", "rightantisemi": "RightAntiSemi", "rightouter": "RightOuter", "rightsemi": "RightSemi",
}  # fmt: skip
_CONDITION_REFUSED = "A join is on column names, or on $left.column == $right.column."


class Limits:
    """What a query may have of joins and unions.

    Three joins; a table other than resources and resourcecontainers is on the right side of one of them only.
    """

    def __init__(self) -> None:
        """Nothing counted."""
        self._joins = 0
        self._remote: set[str] = set()

    def join(self, source: Node) -> None:
        """Counts a join with `source` on its right. Raises QueryError."""
        self._joins += 1
        if self._joins > MOST_JOINS:
            raise QueryError("DisallowedMaxNumberOfJoins", f"A query may have at most {MOST_JOINS} joins.")
        name = table_name(source)
        if name in self._remote:
            raise QueryError(
                "DisallowedMaxNumberOfRemoteTables", f"Table {name} may be on the right side of one join only."
            )
        if name not in DEFAULT_TABLES:
            self._remote.add(name)

    def union(self, sources: int) -> None:
        """Counts the legs of a union. Raises QueryError."""
        if sources + 1 > MOST_UNION_LEGS:
            raise QueryError("DisallowedMaxNumberOfUnionLegs", f"A union may have at most {MOST_UNION_LEGS} legs.")


def kind_of(options: Iterable[str]) -> str:
    """The flavor of a join from its options. Raises QueryError."""
    found = dict(map(option, options))
    if any(name.startswith("hint.") for name in found):
        raise QueryError("UnsupportedJoinStrategy", "Custom join strategies are not allowed.")
    kind = found.get("kind", "innerunique")
    if kind not in KINDS:
        named = _OTHER_KINDS.get(kind, kind)
        raise QueryError("UnsupportedJoinFlavor", f'The join kind "{named}" is not supported or not allowed.')
    return kind


def joined(kind: str, left: Table, right: Table, conditions: Node) -> Table:
    """The join. Columns of the right side whose names are taken get a number; the keys are among them."""
    pairs = [_key_columns(one, left, right) for condition in conditions.children for one in _split(condition)]
    lefts, rights = [one for one, _ in pairs], [other for _, other in pairs]
    renamed: dict[str, str] = {}
    for name in right.columns:
        renamed[name] = free_name(name, {**left.columns, **dict.fromkeys(renamed.values(), "")})
    index: dict[tuple[Value, ...], list[Row]] = {}
    for row in right.rows:
        key = _key(row, rights)
        if key is not None or kind == "fullouter":
            index.setdefault(key or (id(row),), []).append(row)
    rows: list[Row] = []
    used: set[tuple[Value, ...]] = set()
    nothing = {renamed[name]: _absent(kind_of_column) for name, kind_of_column in right.columns.items()}
    for row in left.rows:
        key = _key(row, lefts)
        if kind == "innerunique" and key in used:
            continue
        matches = index.get(key, []) if key is not None else []
        if key is not None:
            used.add(key)
        rows += [{**row, **{new: match.get(name) for name, new in renamed.items()}} for match in matches]
        if not matches and kind in ("leftouter", "fullouter"):
            rows.append({**row, **nothing})
        if len(rows) > MOST_ROWS:
            raise TooMuchWorkError
    if kind == "fullouter":
        empty = {name: _absent(kind_of_column) for name, kind_of_column in left.columns.items()}
        lonely = [row for key, found in index.items() if key not in used for row in found]
        rows += [{**empty, **{new: row.get(name) for name, new in renamed.items()}} for row in lonely]
    return Table({**left.columns, **{new: right.columns[name] for name, new in renamed.items()}}, rows)


def _absent(kind: str) -> Value:
    """What an outer join puts where there is no row: texts have no null."""
    return "" if kind == "string" else None


def _key(row: Row, columns: Sequence[str]) -> tuple[Value, ...] | None:
    """What rows are joined by; None where a value is null, which equals nothing."""
    values = [row.get(name) for name in columns]
    return None if any(value is None for value in values) else tuple(map(group_key, values))


def _split(condition: Node) -> list[Node]:
    """`a and b` are two conditions."""
    if isinstance(condition, Tree) and condition.data == "conjunction":
        return [one for child in condition.children for one in _split(child)]
    return [condition]


def _key_columns(node: Node, left: Table, right: Table) -> tuple[str, str]:
    if node.data in ("name", "quoted_name"):
        name = str(node.children[0]) if node.data == "name" else unquoted(str(node.children[0]))
        return _known(name, left), _known(name, right)
    if node.data == "compare" and str(node.children[1]) == "==":
        sides = {_side(child): child for child in (node.children[0], node.children[2])}
        if set(sides) == {"$left", "$right"}:
            return _known(str(sides["$left"].children[1]), left), _known(str(sides["$right"].children[1]), right)
    raise QueryError("UnsupportedJoinCondition", _CONDITION_REFUSED)


def _known(name: str, table: Table) -> str:
    if name not in table.columns:
        raise QueryError("FailedToResolveEntity", f"Failed to resolve scalar expression named '{name}'")
    if table.columns[name] == "dynamic":
        raise QueryError(
            "DynamicJoinKey",
            f"Join key '{name}' is of a 'dynamic' type. Please use an explicit cast, such as tostring().",
        )
    return name


def _side(node: Node) -> str:
    return str(node.children[0]) if isinstance(node, Tree) and node.data == "side" else ""


def united(options: Iterable[str], names: Sequence[str], tables: Sequence[Table]) -> Table:
    """The union of tables. kind=inner keeps what all have; withsource= adds a column with the name of the leg."""
    found = dict(map(option, options))
    columns: dict[str, str] = {}
    for table in tables:
        columns = {**table.columns, **columns}
    ordered = dict.fromkeys(name for table in tables for name in table.columns)
    shown = {name: columns[name] for name in ordered}
    if found.get("kind") == "inner":
        shown = {name: kind for name, kind in shown.items() if all(name in table.columns for table in tables)}
    source = found.get("withsource") or found.get("with_source")
    rows: list[Row] = []
    for leg, table in zip(names, tables, strict=True):
        lead: Row = {} if source is None else {source: leg}
        absent = {name: _absent(kind) for name, kind in shown.items() if name not in table.columns}
        present = [name for name in shown if name in table.columns]
        rows += [{**lead, **absent, **{name: row.get(name) for name in present}} for row in table.rows]
    return Table({**({} if source is None else {source: "string"}), **shown}, rows)


def leg_name(source: Node, position: int) -> str:
    """What withsource= calls a leg of a union."""
    return str(source.children[0]) if source.data == "table" else f"union_arg{position}"


def table_name(source: Node) -> str:
    """The table that a source starts from; the default one where it names none."""
    node: Node | None = source
    while isinstance(node, Tree):
        if node.data == "table":
            return str(node.children[0]).lower()
        node = node.children[0] if node.data in ("subquery", "pipeline", "bare_source") else None
    return "resources"


def option(written: str) -> tuple[str, str]:
    """Name and value of `name=value`."""
    name, _, value = written.partition("=")
    return name.strip(), value.strip()


def free_name(name: str, taken: Mapping[str, object], stem: str | None = None) -> str:
    """`name`, or the first of name1, name2, … that is not taken."""
    if name not in taken:
        return name
    base = name if stem is None else stem
    suffix = 1
    while f"{base}{suffix}" in taken:
        suffix += 1
    return f"{base}{suffix}"
