"""Compiled expressions: a value for each row, with Kusto's type of it and the name that it gives its column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lark import Tree

from arm_emulator.graph import literals
from arm_emulator.graph.failures import QueryError, TooMuchWorkError
from arm_emulator.graph.functions import SCALARS
from arm_emulator.graph.values import Row, Value, weight

Node = Any
"""A parse tree, a token, or None: Lark's own types know nothing of the placeholders for what is left out."""
Evaluate = Callable[[Row], Value]
GREATEST_VALUE = 16 * 1024 * 1024
_TYPES = frozenset({"string", "int", "long", "real", "bool", "datetime", "timespan", "dynamic", "guid"})
_SAME_TYPES = {"double": "real", "decimal": "real", "boolean": "bool", "date": "datetime", "time": "timespan"}
_FAILURES = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError)
"""What a function's own code raises for values that it cannot be called with: Kusto's answer to such is null."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression: its value for a row, Kusto's type of it, and the column name that it suggests (None: it has none)."""

    evaluate: Evaluate
    type: str = "dynamic"
    name: str | None = None
    column: str | None = None
    """The column that it is, where it is nothing more."""


def type_named(name: str) -> str:
    """The type that a query names. Raises QueryError."""
    kind = _SAME_TYPES.get(name, name)
    if kind not in _TYPES:
        raise QueryError("UnknownType", f"'{name}' is no type.")
    return kind


def cast_to(compiled: Compiled, kind: str) -> Compiled:
    """The expression's value as one of another type."""
    if kind == compiled.type:
        return compiled
    call = SCALARS[{"timespan": "totimespan", "bool": "tobool"}.get(kind, f"to{kind}")].call
    return Compiled(guarded(call, [compiled.evaluate]), kind, compiled.name)


def target_name(node: Node) -> str:
    """The name on the left of `=`. Raises QueryError where it is none."""
    if isinstance(node, Tree) and node.data == "name":
        return str(node.children[0])
    if isinstance(node, Tree) and node.data == "quoted_name":
        return literals.unquoted(str(node.children[0]))
    raise QueryError("InvalidColumnName", "What stands left of '=' is no column name.")


def guarded(function: Callable[..., Value], arguments: list[Evaluate]) -> Evaluate:
    """A function of a row; what the function cannot make of its arguments is null."""
    if len(arguments) == 1:
        only = arguments[0]

        def evaluate_one(row: Row) -> Value:
            try:
                return function(only(row))
            except _FAILURES:
                return None

        return evaluate_one

    def evaluate(row: Row) -> Value:
        try:
            return function(*[argument(row) for argument in arguments])
        except _FAILURES:
            return None

    return evaluate


def attempted(function: Callable[..., Value], *arguments: Value) -> Value:
    """What a function makes of values; null where it cannot be called with them."""
    try:
        return function(*arguments)
    except _FAILURES:
        return None


def bounded(evaluate: Evaluate) -> Evaluate:
    """The same, but a value greater than any answer ends the query."""

    def within(row: Row) -> Value:
        value = evaluate(row)
        if isinstance(value, str):
            size = len(value)
        else:
            size = weight(value, GREATEST_VALUE) if isinstance(value, list | dict) else 0
        if size > GREATEST_VALUE:
            raise TooMuchWorkError
        return value

    return within


def constant(value: Value, kind: str) -> Compiled:
    """The same value for every row."""
    return Compiled(lambda _row: value, kind)
