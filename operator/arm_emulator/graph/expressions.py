"""Expressions of the query language, turned from parse trees into functions of a row."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from lark import Token, Tree

from arm_emulator.graph import literals
from arm_emulator.graph.comparisons import arithmetic, comparison, refuse_incomparable
from arm_emulator.graph.compiled import (
    Compiled,
    Evaluate,
    Node,
    bounded,
    cast_to,
    constant,
    guarded,
    target_name,
    type_named,
)
from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.functions import SCALARS
from arm_emulator.graph.functions.numbers import summed_type
from arm_emulator.graph.functions.signature import Function
from arm_emulator.graph.regexes import regex
from arm_emulator.graph.values import Row, Value, before, dynamic, equal, has_term, number, text, truth

ColumnOf = Callable[[Node], list[Value]]
"""The values of the one column that a tabular expression comes to."""


class Expressions:
    """Compiles expressions over a set of columns; `now` is the moment of the query."""

    def __init__(
        self,
        columns: Mapping[str, str],
        now: datetime,
        *,
        hidden: Mapping[str, str] | None = None,
        column_of: ColumnOf | None = None,
    ) -> None:
        """`columns` and `hidden` are what a bare name may refer to, with types; pack_all() takes `columns` only."""
        self._columns = columns
        self._known = {**(hidden or {}), **columns}
        self._now = now
        self._column_of = column_of

    def over(self, columns: Mapping[str, str]) -> "Expressions":
        """The same for other columns."""
        return Expressions(columns, self._now, column_of=self._column_of)

    def compile(self, node: Node) -> Compiled:
        """The expression. Raises QueryError for unknown columns and functions."""
        assert isinstance(node, Tree)
        handler = getattr(self, f"_{node.data}", None)
        if handler is None:
            raise QueryError("NotSupported", f"Expression {node.data} is not supported here.")
        compiled: Compiled = handler(node.children)
        return compiled

    # -- names and paths -----------------------------------------------------------------------------------------

    def _name(self, children: list[Node]) -> Compiled:
        return self.column(str(children[0]))

    def _quoted_name(self, children: list[Node]) -> Compiled:
        return self.column(literals.unquoted(str(children[0])))

    def column(self, name: str) -> Compiled:
        """A column. Raises QueryError where there is none of this name."""
        if name not in self._known:
            raise QueryError("FailedToResolveEntity", f"Failed to resolve scalar expression named '{name}'")
        return Compiled(lambda row: row.get(name), self._known[name], name, name)

    def _member(self, children: list[Node]) -> Compiled:
        owner = self.compile(children[0])
        member = _member_name(children[1])
        inner = owner.evaluate

        def evaluate(row: Row) -> Value:
            value = inner(row)
            return value.get(member) if isinstance(value, dict) else None

        return Compiled(evaluate, name=_joined(owner.name, member))

    def _element(self, children: list[Node]) -> Compiled:
        owner, index = self.compile(children[0]), self.compile(children[1])
        named = children[1]
        name = None
        if isinstance(named, Tree) and named.data in ("integer", "string"):
            name = _joined(owner.name, text(index.evaluate({})))
        return Compiled(lambda row: _at(owner.evaluate(row), index.evaluate(row)), name=name)

    def _side(self, children: list[Node]) -> Compiled:
        raise QueryError("NotSupported", f"{children[0]} can only be used in the conditions of a join.")

    # -- literals ------------------------------------------------------------------------------------------------

    def _string(self, children: list[Node]) -> Compiled:
        return constant(literals.unquoted(str(children[0])), "string")

    def _integer(self, children: list[Node]) -> Compiled:
        return constant(literals.integer(str(children[0])), "long")

    def _real(self, children: list[Node]) -> Compiled:
        return constant(float(str(children[0])), "real")

    def _json_negative(self, children: list[Node]) -> Compiled:
        return constant(arithmetic("-", 0, number(str(children[1]))), "dynamic")

    def _timespan(self, children: list[Node]) -> Compiled:
        return constant(literals.length(str(children[0])), "timespan")

    def _true(self, _children: list[Node]) -> Compiled:
        return constant(value=True, kind="bool")

    def _false(self, _children: list[Node]) -> Compiled:
        return constant(value=False, kind="bool")

    def _null(self, _children: list[Node]) -> Compiled:
        return constant(None, "dynamic")

    def _typed(self, children: list[Node]) -> Compiled:
        return constant(*literals.typed(str(children[0])))

    def _dynamic(self, children: list[Node]) -> Compiled:
        return constant(self.compile(children[0]).evaluate({}), "dynamic")

    def _json_list(self, children: list[Node]) -> Compiled:
        return constant([self.compile(child).evaluate({}) for child in children if child is not None], "dynamic")

    def _json_object(self, children: list[Node]) -> Compiled:
        pairs = [child.children for child in children if isinstance(child, Tree)]
        bag = {literals.unquoted(str(name)): self.compile(value).evaluate({}) for name, value in pairs}
        return constant(bag, "dynamic")

    # -- operators -----------------------------------------------------------------------------------------------

    def _disjunction(self, children: list[Node]) -> Compiled:
        parts = [self.compile(child).evaluate for child in children]
        return Compiled(lambda row: any(truth(part(row)) for part in parts), "bool")

    def _conjunction(self, children: list[Node]) -> Compiled:
        parts = [self.compile(child).evaluate for child in children]
        return Compiled(lambda row: all(truth(part(row)) for part in parts), "bool")

    def _compare(self, children: list[Node]) -> Compiled:
        one, other = self.compile(children[0]), self.compile(children[2])
        word = str(children[1])
        refuse_incomparable(word, one.type, other.type)
        test = comparison(word)
        left, right = one.evaluate, other.evaluate
        if word == "=~" and _isconstant(children[2]):
            wanted = text(right({})).lower()
            return Compiled(lambda row: text(left(row)).lower() == wanted, "bool")
        return Compiled(lambda row: test(left(row), right(row)), "bool")

    def _any_column(self, children: list[Node]) -> Compiled:
        """`* has 'x'`: whether any column does."""
        test, sought = comparison(str(children[1])), self.compile(children[2]).evaluate
        columns = list(self._columns)
        return Compiled(lambda row: any(truth(test(text(row.get(name)), sought(row))) for name in columns), "bool")

    def _matches(self, children: list[Node]) -> Compiled:
        value, pattern = self.compile(children[0]).evaluate, self.compile(children[1]).evaluate
        return Compiled(lambda row: regex(text(pattern(row))).search(text(value(row))) is not None, "bool")

    def _in_list(self, children: list[Node]) -> Compiled:
        nodes = [child for child in children[2:] if child is not None]
        entries = [self.compile(child).evaluate for child in nodes]
        left, word = self.compile(children[0]).evaluate, str(children[1])
        if all(_isconstant(node) for node in nodes):
            return _member_test(left, word, _spread(entries, {}))
        return Compiled(lambda row: _member_test(left, word, _spread(entries, row)).evaluate(row), "bool")

    def _in_query(self, children: list[Node]) -> Compiled:
        if self._column_of is None:
            raise QueryError("NotSupported", "A query cannot stand here.")
        return _member_test(self.compile(children[0]).evaluate, str(children[1]), self._column_of(children[2]))

    def _between(self, children: list[Node]) -> Compiled:
        value, low, high = (self.compile(children[position]).evaluate for position in (0, 2, 3))
        wanted = not str(children[1]).startswith("!")

        def inside(row: Row) -> bool:
            found, start, end = value(row), low(row), high(row)
            if isinstance(end, timedelta) and isinstance(start, datetime):
                end = arithmetic("+", start, end)
            return (before(found, start) is False and before(end, found) is False) is wanted

        return Compiled(inside, "bool")

    def _additive(self, children: list[Node]) -> Compiled:
        return self._chain(children)

    def _multiplicative(self, children: list[Node]) -> Compiled:
        return self._chain(children)

    def _chain(self, children: list[Node]) -> Compiled:
        first = self.compile(children[0])
        kind, evaluate = first.type, first.evaluate
        for sign, operand in zip(children[1::2], children[2::2], strict=True):
            other = self.compile(operand)
            if {"string", "guid"} & {kind, other.type}:
                raise QueryError(
                    "InvalidArithmetic",
                    f"Arithmetic expression cannot be carried-out between {kind} and {other.type}. Try strcat().",
                )
            kind = _arithmetic_type(str(sign), kind, other.type)
            evaluate = _operation(str(sign), evaluate, other.evaluate)
        return Compiled(evaluate, kind)

    def _negative(self, children: list[Node]) -> Compiled:
        operand = self.compile(children[1])
        if operand.type == "timespan":
            return Compiled(lambda row: arithmetic("*", operand.evaluate(row), -1), "timespan")
        return Compiled(lambda row: arithmetic("-", 0, operand.evaluate(row)), operand.type)

    def _positive(self, children: list[Node]) -> Compiled:
        return self.compile(children[1])

    # -- functions -----------------------------------------------------------------------------------------------

    def _call(self, children: list[Node]) -> Compiled:
        name = str(children[0])
        nodes = [child for child in children[1:] if child is not None]
        special: dict[str, Callable[[list[Node]], Compiled]] = {
            "now": self._now_call,
            "ago": self._ago_call,
            "pack_all": self._pack_all,
            "pack_array": self._pack_array,
            "column_ifexists": self._column_if_exists,
            "columnifexists": self._column_if_exists,
            "iscolumnexists": self._is_column,
            "extract": self._extract,
        }
        if name in special:
            return special[name](nodes)
        function = SCALARS.get(name)
        if function is None:
            raise QueryError("FailedToResolveEntity", f"Unknown function: '{name}'.")
        return self._applied(name, function, nodes)

    def _applied(self, name: str, function: Function, nodes: list[Node]) -> Compiled:
        if len(nodes) < function.least or (function.most is not None and len(nodes) > function.most):
            raise QueryError("WrongNumberOfArguments", f"{name}(): function does not take {len(nodes)} argument(s).")
        arguments = [self._argument(node) for node in nodes]
        kind = function.type_of([argument.type for argument in arguments])
        suggested = None
        if function.prefix is not None and arguments[0].name is not None:
            suggested = function.prefix + arguments[0].name
        evaluate = guarded(function.call, [argument.evaluate for argument in arguments])
        if function.grows or kind == "string":
            evaluate = bounded(evaluate)
        if callable(function.type) and kind != "dynamic" and any(argument.type == "dynamic" for argument in arguments):
            # One of a dynamic and another type is of the other type.
            return cast_to(Compiled(evaluate, "dynamic", suggested), kind)
        return Compiled(evaluate, kind, suggested)

    def _argument(self, node: Node) -> Compiled:
        """An argument, named (`tostring(x = …)`) or not."""
        if not isinstance(node, Tree) or node.data != "argument":
            raise QueryError("NotSupported", "A star or a type cannot be an argument here.")
        left, value = node.children
        compiled = self.compile(value)
        return compiled if left is None else Compiled(compiled.evaluate, compiled.type, target_name(left))

    def _now_call(self, nodes: list[Node]) -> Compiled:
        return self._moment("now", nodes, 1)

    def _ago_call(self, nodes: list[Node]) -> Compiled:
        return self._moment("ago", nodes, -1)

    def _moment(self, name: str, nodes: list[Node], sign: int) -> Compiled:
        if len(nodes) > 1 or (name == "ago" and not nodes):
            raise QueryError("WrongNumberOfArguments", f"{name}(): function does not take {len(nodes)} argument(s).")
        if not nodes:
            return constant(self._now, "datetime")
        offset = self._argument(nodes[0]).evaluate
        return Compiled(lambda row: arithmetic("+" if sign > 0 else "-", self._now, offset(row)), "datetime")

    def _pack_all(self, nodes: list[Node]) -> Compiled:
        columns = list(self._columns)
        if nodes and truth(self._argument(nodes[0]).evaluate({})):
            return Compiled(
                lambda row: {name: dynamic(row[name]) for name in columns if row.get(name) not in (None, "")}
            )
        return Compiled(lambda row: {name: dynamic(row.get(name)) for name in columns})

    def _pack_array(self, nodes: list[Node]) -> Compiled:
        """pack_array(a, b, …), or all columns with a star."""
        if [node.data for node in nodes if isinstance(node, Tree)] != ["star"]:
            return self._applied("pack_array", SCALARS["pack_array"], nodes)
        columns = list(self._columns)
        return Compiled(lambda row: [dynamic(row.get(name)) for name in columns])

    def _column_if_exists(self, nodes: list[Node]) -> Compiled:
        if len(nodes) != 2:  # noqa: PLR2004  (the name and what to take instead)
            raise QueryError(
                "WrongNumberOfArguments", f"column_ifexists(): function does not take {len(nodes)} argument(s)."
            )
        name = text(self._argument(nodes[0]).evaluate({}))
        return self.column(name) if name in self._known else self._argument(nodes[1])

    def _is_column(self, nodes: list[Node]) -> Compiled:
        return constant(value=bool(nodes) and text(self._argument(nodes[0]).evaluate({})) in self._known, kind="bool")

    def _extract(self, nodes: list[Node]) -> Compiled:
        """extract(regex, group, source[, typeof(type)])."""
        kind = nodes[-1] if nodes and isinstance(nodes[-1], Tree) and nodes[-1].data == "typeof" else None
        found = self._applied("extract", SCALARS["extract"], nodes if kind is None else nodes[:-1])
        return found if kind is None else cast_to(found, type_named(str(kind.children[0])))


def _operation(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda row: arithmetic(sign, left(row), right(row))


def _arithmetic_type(sign: str, left: str, right: str) -> str:
    times = {left, right} & {"datetime", "timespan"}
    if not times:
        return summed_type([left, right])
    if left == right:
        return "timespan" if left == "datetime" or sign in "+-%" else "real"
    return "datetime" if "datetime" in times else "timespan"


def _joined(owner: str | None, member: str) -> str:
    return member if owner is None else f"{owner}_{member}"


def _member_name(token: Node) -> str:
    return literals.unquoted(str(token)) if isinstance(token, Token) and token.type == "STRING" else str(token)


def _at(value: Value, index: Value) -> Value:
    if isinstance(value, list) and isinstance(index, int):
        return value[index] if -len(value) <= index < len(value) else None
    return value.get(index) if isinstance(value, dict) and isinstance(index, str) else None


def _isconstant(node: Node) -> bool:
    return isinstance(node, Tree) and node.data in ("string", "integer", "real", "dynamic", "true", "false")


def _spread(entries: list[Evaluate], row: Row) -> list[Value]:
    """The members of an `in (…)`: a dynamic array stands for its elements."""
    values: list[Value] = []
    for entry in entries:
        value = entry(row)
        values += value if isinstance(value, list) else [value]
    return values


def _member_test(left: Evaluate, word: str, values: Iterable[Value]) -> Compiled:
    """`in`, `in~`, `!in`, `!in~`, `has_any` and `has_all` with what stands in their parentheses."""
    members = list(values)
    if word in ("has_any", "has_all"):
        quantifier = any if word == "has_any" else all
        sought = [text(one).lower() for one in members]
        return Compiled(lambda row: quantifier(has_term(text(left(row)).lower(), one) for one in sought), "bool")
    wanted = not word.startswith("!")
    if word.endswith("~"):
        names = {text(one).lower() for one in members}
        return Compiled(lambda row: (text(left(row)).lower() in names) is wanted, "bool")
    if all(isinstance(one, str) for one in members):
        texts = set(members)
        return Compiled(lambda row: (text(left(row)) in texts) is wanted, "bool")
    return Compiled(lambda row: any(equal(left(row), one) for one in members) is wanted, "bool")
