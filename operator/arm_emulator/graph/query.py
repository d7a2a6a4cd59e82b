"""From text to rows: parses a query (once for each text) and runs it."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from arm_emulator.errors import Json
from arm_emulator.graph.failures import (
    END,
    QueryError,
    QuerySyntaxError,
    TooMuchWorkError,
    UnsupportedOperatorError,
    failure,
    unterminated,
)
from arm_emulator.graph.operators import Pipeline
from arm_emulator.graph.tables import Table

_OPERATOR_NAMES = (
    "where", "project", "extend", "join", "union", "summarize", "distinct", "order", "sort", "take", "limit", "top",
)  # fmt: skip
_OF_KUSTO_ONLY = frozenset({
    "as", "consume", "datatable", "declare", "evaluate", "externaldata", "facet", "find", "fork", "getschema",
    "graph-match", "graph-to-table", "invoke", "let", "lookup", "macro-expand", "make-graph", "make-series", "mv-apply",
    "parse-kv", "parse-where", "partition", "print", "project-by-names", "project-keep", "project-rename",
    "project-reorder", "range", "reduce", "render", "restrict", "sample-distinct", "scan", "search", "serialize", "set",
    "top-hitters", "top-nested",
})  # fmt: skip
"""Operators and statements of Kusto's that the list of Resource Graph's does not have."""
_TEXTS = re.compile(
    r"""//[^\n]*|@"(?:""|[^"])*"|@'(?:''|[^'])*'|"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*'|```[\s\S]*?```"""
    r"""|~~~[\s\S]*?~~~|(?P<open>["'])"""
)
_PIECES = re.compile(_TEXTS.pattern + r"|\w+|[^\s\w]")
MOST_PIECES = 50_000
"""How many words and signs a query may have: parsing takes about a second for as many."""
_OPERATOR = re.compile(r"(?:^|[|(;])\s*([a-z][a-z-]*)")


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, start="start", parser="lalr", propagate_positions=True, maybe_placeholders=True)


@lru_cache(maxsize=256)
def parsed(text: str) -> Tree[Token]:
    """The parse tree. Raises QuerySyntaxError, UnsupportedOperatorError, QueryError."""
    if sum(1 for _ in _PIECES.finditer(text)) > MOST_PIECES:
        raise QueryError("QueryTooComplex", "The query is too long.")
    opened = _unclosed(text)
    if opened is not None:
        before = _tree(text[:opened])
        places = [] if isinstance(before, Tree) or before["token"] == END else [before]
        raise QuerySyntaxError([unterminated(text[opened]), *places])
    tree = _tree(text)
    if not isinstance(tree, Tree):
        _refuse_kusto(text)
        raise QuerySyntaxError([tree])
    _refuse_bare_conditions(text, tree)
    return tree


def run(text: str, tables: Callable[[str], Table], now: datetime) -> Table:
    """The table that a query comes to. Raises QueryError."""
    try:
        return Pipeline(tables, now).run(parsed(text))
    except RecursionError:
        raise QueryError("QueryTooComplex", "The query is nested too deeply.") from None
    except MemoryError:
        raise TooMuchWorkError from None


def expression(text: str) -> Tree[Token]:
    """The parse tree of a single expression, such as a facet's. Raises QuerySyntaxError with places in `text`."""
    lead = "where "
    try:
        tree = parsed(lead + text)
    except QuerySyntaxError as error:
        raise QuerySyntaxError([_moved(one, len(lead)) for one in error.failures]) from None
    operators = [child for child in tree.children if isinstance(child, Tree)]
    if tree.data != "pipeline" or len(operators) != 1 or operators[0].data != "where":
        raise QuerySyntaxError([failure(1, text.find("|"), "|")])
    condition = operators[0].children[0]
    assert isinstance(condition, Tree)
    return condition


def _moved(found: Json, by: int) -> Json:
    position = found.get("characterPositionInLine")
    if found.get("line") != 1 or not isinstance(position, int):
        return found
    return {**found, "characterPositionInLine": position - by}


def _tree(text: str) -> Tree[Token] | Json:
    """The parse tree, or where the parser stops."""
    try:
        return _parser().parse(text)
    except UnexpectedToken as error:
        if error.token.type == "$END":
            return _at_end(text)
        return failure(error.line, error.column - 1, str(error.token))
    except UnexpectedCharacters as error:
        return failure(error.line, error.column - 1, error.char)
    except UnexpectedEOF:
        return _at_end(text)
    except UnexpectedInput as error:
        return failure(error.line, error.column - 1, "")


def _at_end(text: str) -> Json:
    lines = text.split("\n")
    return failure(len(lines), len(lines[-1]), END)


def _unclosed(text: str) -> int | None:
    """Where a text begins that does not end."""
    return next((match.start() for match in _TEXTS.finditer(text) if match["open"]), None)


def _refuse_kusto(text: str) -> None:
    """Tells an operator that Resource Graph lacks from a slip of the pen."""
    bare = _TEXTS.sub(lambda match: " " * len(match[0]), text)
    for match in _OPERATOR.finditer(bare):
        if match[1] in _OF_KUSTO_ONLY:
            raise UnsupportedOperatorError(match[1])


def _refuse_bare_conditions(text: str, tree: Tree[Token]) -> None:
    """`where where` is no condition: after an operator's name in place of a condition the parser asks for more."""
    for where in tree.find_data("where"):
        condition = where.children[0]
        if isinstance(condition, Tree) and condition.data == "name" and str(condition.children[0]) in _OPERATOR_NAMES:
            rest = text[condition.meta.end_pos :].lstrip()
            if not rest:
                raise QuerySyntaxError([_at_end(text)])
            raise QuerySyntaxError([failure(condition.meta.end_line, condition.meta.end_column - 1, rest[0])])
