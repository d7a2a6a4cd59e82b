"""mv-expand and parse: rows from arrays, columns from texts."""

from collections.abc import Iterable
from dataclasses import dataclass

from lark import Tree

from arm_emulator.graph.compiled import Compiled, Evaluate, Node, cast_to, target_name, type_named
from arm_emulator.graph.expressions import Expressions
from arm_emulator.graph.failures import QueryError, TooMuchWorkError
from arm_emulator.graph.joins import MOST_ROWS, free_name, option
from arm_emulator.graph.literals import unquoted
from arm_emulator.graph.regexes import escaped, regex
from arm_emulator.graph.tables import Table
from arm_emulator.graph.values import Row, Value, text

ROWS_EXPANDED, MOST_ROWS_EXPANDED = 128, 400
_PATTERNS = {"int": r"[+-]?\d+", "long": r"[+-]?\d+", "real": r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"}
_PARSE_KINDS = ("simple", "regex", "relaxed")


# -- mv-expand ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Expansion:
    name: str
    arrays: Evaluate
    cast: Compiled


def expanded(table: Table, over: Expressions, wanted: Node, options: Iterable[str], limit: int | None) -> Table:
    """A row for each element: at most 128 a record, or as many as `limit` says, up to 400. Raises QueryError."""
    found = dict(map(option, options))
    as_arrays = "array" in (found.get("kind"), found.get("bagexpansion"))
    index = found.get("with_itemindex")
    most = ROWS_EXPANDED if limit is None else min(limit, MOST_ROWS_EXPANDED)
    expansions = _expansions(over, wanted)
    rows: list[Row] = []
    for row in table.rows:
        arrays = {one.name: _elements(one.arrays(row), as_arrays=as_arrays) for one in expansions}
        length = max(map(len, arrays.values()))
        for position in range(min(max(length, 1), most)):
            part: Row = {name: values[position] if position < len(values) else None for name, values in arrays.items()}
            part = {one.name: one.cast.evaluate(part) for one in expansions}
            rows.append({**row, **part, **({} if index is None else {index: position})})
        if len(rows) > MOST_ROWS:
            raise TooMuchWorkError
    kinds = {one.name: one.cast.type for one in expansions}
    return Table({**table.columns, **kinds, **({} if index is None else {index: "long"})}, rows, table.limited)


def _expansions(over: Expressions, wanted: Node) -> list[_Expansion]:
    expansions: dict[str, _Expansion] = {}
    for expansion in wanted.children:
        left, expression, kind = expansion.children
        compiled = over.compile(expression)
        name = target_name(left) if left is not None else compiled.name or "Column1"
        name = free_name(name, expansions)
        element = Compiled(_reader(name), "dynamic", name)
        cast = element if kind is None else cast_to(element, type_named(str(kind.children[0])))
        expansions[name] = _Expansion(name, compiled.evaluate, cast)
    return list(expansions.values())


def _reader(name: str) -> Evaluate:
    return lambda row: row.get(name)


def _elements(value: Value, *, as_arrays: bool) -> list[Value]:
    """An array's elements, a bag's properties as bags of one or as pairs; anything else is expanded as it is."""
    if isinstance(value, dict):
        return [[name, one] if as_arrays else {name: one} for name, one in value.items()]
    return value if isinstance(value, list) else [value]


# -- parse -------------------------------------------------------------------------------------------------------


def parsed(table: Table, subject: Evaluate, parts: list[Node], options: Iterable[str]) -> Table:
    """New columns from the pieces of a text; where the pattern does not fit they are null. Raises QueryError."""
    found = dict(map(option, options))
    kind = found.get("kind", "simple")
    if kind not in _PARSE_KINDS:
        raise QueryError("NotSupported", f"parse has no kind {kind}.")
    written, names = _pattern(parts, kind)
    flags = "s" + "".join(flag for flag in found.get("flags", "") if flag in "imU")
    # With regular expressions the pattern may begin anywhere (sample "Get virtual networks and subnets of network interfaces").
    pattern = regex(f"(?{flags}){written}" if kind == "regex" else f"(?{flags})^{written}$")
    cells = {
        name: cast_to(Compiled(_reader(name), "string", name), one) if one != "string" else None
        for name, one in names.items()
    }
    rows = []
    for row in table.rows:
        match = pattern.search(text(subject(row)))
        pieces: Row = {name: match[n] if match is not None else None for n, name in enumerate(names, start=1)}
        rows.append({**row, **{name: _cell(cells[name], pieces, name) for name in names}})
    return Table({**table.columns, **names}, rows, table.limited, table.hidden)


def _cell(cast: Compiled | None, pieces: Row, name: str) -> Value:
    if cast is None:
        return pieces[name] or ""
    return None if pieces[name] is None else cast.evaluate(pieces)


def _pattern(parts: list[Node], kind: str) -> tuple[str, dict[str, str]]:
    names: dict[str, str] = {}
    pattern = ""
    for part in parts:
        assert isinstance(part, Tree)
        if part.data == "text":
            literal = unquoted(str(part.children[0]))
            pattern += f"(?:{literal})" if kind == "regex" else escaped(literal)
        elif part.data == "anything":
            pattern += ".*?"
        else:
            name, given = part.children
            one = "string" if given is None else type_named(str(given))
            names[free_name(str(name), names)] = one
            pattern += f"({_PATTERNS.get(one, '.*?') if kind == 'simple' else '.*?'})"
    last = parts[-1]
    if kind == "regex" and isinstance(last, Tree) and last.data != "text":
        pattern += "$"
    return pattern, names
