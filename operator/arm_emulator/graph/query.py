"""From text to rows: parses a query (once for each text) and runs it."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from arm_emulator.graph.failures import QuerySyntaxError
from arm_emulator.graph.operators import Pipeline, Table

_END = "<EOF>"
_RESERVED = (
    "where",
    "project",
    "extend",
    "join",
    "union",
    "summarize",
    "distinct",
    "order",
    "sort",
    "take",
    "limit",
    "top",
)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, start="query", parser="lalr", propagate_positions=True, maybe_placeholders=True)


@lru_cache(maxsize=256)
def parsed(text: str) -> Tree[Token]:
    """The parse tree. Raises QuerySyntaxError."""
    try:
        tree = _parser().parse(text)
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise _at_end(text) from None
        raise QuerySyntaxError(error.line, error.column - 1, str(error.token)) from None
    except UnexpectedCharacters as error:
        raise QuerySyntaxError(error.line, error.column - 1, error.char) from None
    except UnexpectedEOF:
        raise _at_end(text) from None
    except UnexpectedInput as error:
        raise QuerySyntaxError(error.line, error.column - 1, "") from None
    _refuse_bare_conditions(text, tree)
    return tree


def run(text: str, tables: Callable[[str], Table], now: datetime) -> Table:
    """The table that a query comes to. Raises QueryError."""
    return Pipeline(tables, now).run(parsed(text))


def _at_end(text: str) -> QuerySyntaxError:
    lines = text.split("\n")
    return QuerySyntaxError(len(lines), len(lines[-1]), _END)


def _refuse_bare_conditions(text: str, tree: Tree[Token]) -> None:
    """`where where` is no condition: after an operator's name in place of a condition the parser asks for more."""
    for where in tree.find_data("where"):
        condition = where.children[0]
        if isinstance(condition, Tree) and condition.data == "name" and str(condition.children[0]) in _RESERVED:
            rest = text[condition.meta.end_pos :].lstrip()
            if not rest:
                raise _at_end(text)
            raise QuerySyntaxError(condition.meta.end_line, condition.meta.end_column - 1, rest[0])
