"""Expressions of the query language, turned from parse trees into functions of a row."""

import ast
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lark import Token, Tree

from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.functions import SCALARS
from arm_emulator.graph.values import before, equal, has_term, moment, number, text, truth

Node = Any
"""A parse tree, a token, or None: Lark's own types know nothing of the placeholders for what is left out."""
Row = dict[str, Any]
Value = Any
Evaluate = Callable[[Row], Value]

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_NAMING = ("tostring", "tolower", "toupper", "todynamic", "parse_json", "toint", "tolong", "tobool", "todatetime", "toreal",
           "todouble")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression: its value for a row, and the column name that it suggests (None: it has none)."""

    evaluate: Evaluate
    name: str | None = None
    is_column: bool = False


class Expressions:
    """Compiles expressions over a set of columns; `now` is the moment of the query."""

    def __init__(self, columns: Iterable[str], now: datetime) -> None:
        """`columns` is what a bare name may refer to."""
        self._columns = list(columns)
        self._known = set(self._columns)
        self._now = now

    def compile(self, node: Node) -> Compiled:
        """The expression. Raises QueryError for unknown columns and functions."""
        assert isinstance(node, Tree)
        handler = getattr(self, f"_{node.data}", None)
        if handler is None:
            raise QueryError("NotSupported", f"Expression {node.data} is not supported.")
        compiled: Compiled = handler(node.children)
        return compiled

    # -- names and paths -----------------------------------------------------------------------------------------

    def _name(self, children: list[Node]) -> Compiled:
        name = str(children[0])
        if name not in self._known:
            raise QueryError(
                "FailedToResolveEntity",
                f"Failed to resolve scalar expression named '{name}'. Column names are case-sensitive.",
            )
        return Compiled(lambda row: row.get(name), name, is_column=True)

    def _quoted_name(self, children: list[Node]) -> Compiled:
        return self._name([Token("NAME", _unquoted(str(children[0])))])

    def _member(self, children: list[Node]) -> Compiled:
        owner = self.compile(children[0])
        member = str(children[1])
        return Compiled(lambda row: _of(owner.evaluate(row), member), _joined(owner.name, member))

    def _element(self, children: list[Node]) -> Compiled:
        owner, index = self.compile(children[0]), self.compile(children[1])
        named = children[1]
        name = None
        if isinstance(named, Tree) and named.data in ("integer", "string"):
            name = _joined(owner.name, _unquoted(str(named.children[0])))
        return Compiled(lambda row: _at(owner.evaluate(row), index.evaluate(row)), name)

    def _side(self, children: list[Node]) -> Compiled:
        raise QueryError("NotSupported", f"{children[0]} can only be used in the conditions of a join.")

    # -- literals ------------------------------------------------------------------------------------------------

    def _string(self, children: list[Node]) -> Compiled:
        return _constant(_unquoted(str(children[0])))

    def _integer(self, children: list[Node]) -> Compiled:
        return _constant(int(str(children[0])))

    def _real(self, children: list[Node]) -> Compiled:
        return _constant(float(str(children[0])))

    def _json_negative(self, children: list[Node]) -> Compiled:
        return _constant(_arithmetic("-", 0, number(str(children[1]))))

    def _timespan(self, children: list[Node]) -> Compiled:
        found = re.fullmatch(r"([\d.]+)(\w+)", str(children[0]))
        assert found is not None
        return _constant(timedelta(**{_UNITS[found[2]]: float(found[1])}))

    def _datetime(self, children: list[Node]) -> Compiled:
        return _constant(moment(str(children[0])[len("datetime(") : -1].strip("'\" ")))

    def _true(self, _children: list[Node]) -> Compiled:
        return _constant(value=True)

    def _false(self, _children: list[Node]) -> Compiled:
        return _constant(value=False)

    def _null(self, _children: list[Node]) -> Compiled:
        return _constant(None)

    def _dynamic(self, children: list[Node]) -> Compiled:
        return self.compile(children[0])

    def _json_list(self, children: list[Node]) -> Compiled:
        return _constant([self.compile(child).evaluate({}) for child in children if child is not None])

    def _json_object(self, children: list[Node]) -> Compiled:
        pairs = [child.children for child in children if isinstance(child, Tree)]
        return _constant({_unquoted(str(name)): self.compile(value).evaluate({}) for name, value in pairs})

    # -- operators -----------------------------------------------------------------------------------------------

    def _disjunction(self, children: list[Node]) -> Compiled:
        parts = [self.compile(child).evaluate for child in children]
        return Compiled(lambda row: any(truth(part(row)) for part in parts))

    def _conjunction(self, children: list[Node]) -> Compiled:
        parts = [self.compile(child).evaluate for child in children]
        return Compiled(lambda row: all(truth(part(row)) for part in parts))

    def _compare(self, children: list[Node]) -> Compiled:
        left, right = self.compile(children[0]).evaluate, self.compile(children[2]).evaluate
        test = _comparison(str(children[1]))
        return Compiled(lambda row: test(left(row), right(row)))

    def _matches(self, children: list[Node]) -> Compiled:
        value, pattern = self.compile(children[0]).evaluate, self.compile(children[1]).evaluate
        return Compiled(lambda row: re.search(text(pattern(row)), text(value(row))) is not None)

    def _in_list(self, children: list[Node]) -> Compiled:
        left = self.compile(children[0]).evaluate
        entries = [self.compile(child).evaluate for child in children[2:] if child is not None]
        word = str(children[1])
        if word in ("has_any", "has_all"):
            quantifier = any if word == "has_any" else all
            return Compiled(
                lambda row: quantifier(
                    has_term(text(left(row)).lower(), text(one).lower()) for one in _spread(entries, row)
                )
            )
        same = _same_ignoring_case if word.endswith("~") else equal
        wanted = not word.startswith("!")
        if _all_constant(children[2:]) and same is _same_ignoring_case:
            names = {text(one).lower() for one in _spread(entries, {})}
            return Compiled(lambda row: (text(left(row)).lower() in names) is wanted)
        return Compiled(lambda row: any(same(left(row), one) for one in _spread(entries, row)) is wanted)

    def _between(self, children: list[Node]) -> Compiled:
        value, low, high = (self.compile(children[position]).evaluate for position in (0, 2, 3))
        wanted = not str(children[1]).startswith("!")

        def inside(row: Row) -> bool:
            found = value(row)
            return (before(found, low(row)) is False and before(high(row), found) is False) is wanted

        return Compiled(inside)

    def _additive(self, children: list[Node]) -> Compiled:
        return self._chain(children)

    def _multiplicative(self, children: list[Node]) -> Compiled:
        return self._chain(children)

    def _chain(self, children: list[Node]) -> Compiled:
        first = self.compile(children[0]).evaluate
        rest = [
            (str(sign), self.compile(operand).evaluate)
            for sign, operand in zip(children[1::2], children[2::2], strict=True)
        ]

        def evaluate(row: Row) -> Value:
            value = first(row)
            for sign, operand in rest:
                value = _arithmetic(sign, value, operand(row))
            return value

        return Compiled(evaluate)

    def _negative(self, children: list[Node]) -> Compiled:
        operand = self.compile(children[1]).evaluate
        return Compiled(lambda row: _arithmetic("-", 0, operand(row)))

    # -- functions -----------------------------------------------------------------------------------------------

    def _call(self, children: list[Node]) -> Compiled:
        name = str(children[0])
        nodes = [child for child in children[1:] if child is not None]
        if name in ("now", "ago"):
            return self._time(name, nodes)
        if name == "pack_all":
            columns = self._columns
            return Compiled(lambda row: {column: row.get(column) for column in columns})
        function = SCALARS.get(name)
        if function is None:
            raise QueryError("FailedToResolveEntity", f"Unknown function: '{name}'.")
        arguments = [self.compile(node) for node in nodes]
        suggested = arguments[0].name if name in _NAMING and arguments else None
        return Compiled(_applied(name, function, [argument.evaluate for argument in arguments]), suggested)

    def _time(self, name: str, nodes: list[Node]) -> Compiled:
        offset = self.compile(nodes[0]).evaluate if nodes else None
        sign = -1 if name == "ago" else 1
        return Compiled(lambda row: self._now if offset is None else self._now + sign * offset(row))


def _applied(name: str, function: Callable[..., Value], arguments: list[Evaluate]) -> Evaluate:
    def evaluate(row: Row) -> Value:
        try:
            return function(*[argument(row) for argument in arguments])
        except TypeError as error:
            raise QueryError("InvalidArguments", f"Function '{name}' cannot be called so: {error}.") from error

    return evaluate


def _constant(value: Value) -> Compiled:
    return Compiled(lambda _row: value)


def _joined(owner: str | None, member: str) -> str | None:
    return None if owner is None else f"{owner}_{member}"


def _of(value: Value, member: str) -> Value:
    return value.get(member) if isinstance(value, dict) else None


def _at(value: Value, index: Value) -> Value:
    if isinstance(value, list) and isinstance(index, int):
        return value[index] if -len(value) <= index < len(value) else None
    return value.get(index) if isinstance(value, dict) and isinstance(index, str) else None


def _unquoted(literal: str) -> str:
    """The text of a string literal; `@` makes backslashes plain, a name stays as it is."""
    if literal.startswith("@"):
        quote = literal[1]
        return literal[2:-1].replace(quote * 2, quote)
    if literal[:1] in "'\"" and literal:
        return str(ast.literal_eval(literal.replace("\n", "\\n")))
    return literal


def _all_constant(nodes: Iterable[Node | None]) -> bool:
    return all(node is None or (isinstance(node, Tree) and node.data in ("string", "integer")) for node in nodes)


def _spread(entries: list[Evaluate], row: Row) -> list[Value]:
    """The members of an `in (…)`: a dynamic array stands for its elements."""
    values: list[Value] = []
    for entry in entries:
        value = entry(row)
        values += value if isinstance(value, list) else [value]
    return values


def _same_ignoring_case(left: Value, right: Value) -> bool:
    return text(left).lower() == text(right).lower()


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


_ORDER: dict[str, Callable[[Value, Value], bool | None]] = {
    "==": equal,
    "!=": lambda left, right: left is not right if left is None or right is None else _not(equal(left, right)),
    "<": before,
    ">": lambda left, right: before(right, left),
    "<=": lambda left, right: _not(before(right, left)),
    ">=": lambda left, right: _not(before(left, right)),
    "=~": _same_ignoring_case,
    "!~": lambda left, right: not _same_ignoring_case(left, right),
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "has": has_term,
    "hasprefix": lambda left, right: any(word.startswith(right) for word in re.findall(r"[^\W_]+", left)),
    "hassuffix": lambda left, right: any(word.endswith(right) for word in re.findall(r"[^\W_]+", left)),
}


def _comparison(word: str) -> Callable[[Value, Value], bool | None]:
    if word in _ORDER:
        return _ORDER[word]
    wanted = not word.startswith("!")
    name = word.removeprefix("!")
    test = _TEXT[name.removesuffix("_cs")]
    if name.endswith("_cs"):
        return lambda left, right: test(text(left), text(right)) is wanted
    return lambda left, right: test(text(left).lower(), text(right).lower()) is wanted


def _arithmetic(sign: str, left: Value, right: Value) -> Value:
    if isinstance(left, datetime | timedelta) or isinstance(right, datetime | timedelta):
        try:
            return left + right if sign == "+" else left - right
        except TypeError:
            return None
    one, other = number(left), number(right)
    if one is None or other is None:
        return None
    if sign in "/%":
        if other == 0:
            return None
        if sign == "%":
            return one % other
        return one // other if isinstance(one, int) and isinstance(other, int) else one / other
    return {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](one, other)
