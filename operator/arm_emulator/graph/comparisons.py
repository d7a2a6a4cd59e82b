"""The operators between two values: comparisons, searches in text, arithmetic."""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.values import Value, before, equal, has_term, long, number, terms, text, unequal

Test = Callable[[Value, Value], bool | None]
_NOT_COMPARABLE = {"int": "number", "long": "number", "real": "number"}


def same_ignoring_case(left: Value, right: Value) -> bool:
    """`=~`."""
    return text(left).lower() == text(right).lower()


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


_ORDER: Mapping[str, Test] = {
    "==": equal,
    "!=": unequal,
    "<>": unequal,
    "<": before,
    ">": lambda left, right: before(right, left),
    "<=": lambda left, right: _not(before(right, left)),
    ">=": lambda left, right: _not(before(left, right)),
    "=~": same_ignoring_case,
    "!~": lambda left, right: not same_ignoring_case(left, right),
}
_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "has": has_term,
    "hasprefix": lambda left, right: any(word.startswith(right) for word in terms(left)),
    "hassuffix": lambda left, right: any(word.endswith(right) for word in terms(left)),
}


def comparison(word: str) -> Test:
    """The test that an operator of the grammar's COMPARE and WORD_COMPARE stands for."""
    if word in _ORDER:
        return _ORDER[word]
    wanted = not word.startswith("!")
    name = word.removeprefix("!")
    test = _TEXT[name.removesuffix("_cs")]
    if name.endswith("_cs"):
        return lambda left, right: test(text(left), text(right)) is wanted
    return lambda left, right: test(text(left).lower(), text(right).lower()) is wanted


def refuse_incomparable(word: str, left: str, right: str) -> None:
    """Raises QueryError where `word` cannot stand between values of these two types without a cast."""
    if word not in ("==", "!=", "<>", "<", ">", "<=", ">=") or "dynamic" in (left, right):
        return
    kinds = {_NOT_COMPARABLE.get(kind, "string" if kind == "guid" else kind) for kind in (left, right)}
    if len(kinds) > 1 and kinds != {"number", "bool"}:
        raise QueryError(
            "IncomparableTypes", f"Cannot compare values of types {left} and {right}. Try adding explicit casts."
        )


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """`+ - * / %`; null where one of the two is no number, or the result is none."""
    if isinstance(left, datetime | timedelta) or isinstance(right, datetime | timedelta):
        return _of_times(sign, left, right)
    one, other = number(left), number(right)
    if one is None or other is None:
        return None
    if sign in "/%":
        return _divided(sign, one, other)
    try:
        result: float = {"+": operator.add, "-": operator.sub, "*": operator.mul}[sign](one, other)
    except OverflowError:
        return None
    return long(result) if isinstance(result, int) else result


def _divided(sign: str, one: float, other: float) -> float | None:
    """Whole numbers divide towards zero; the rest of a negative number is positive, so that hash() % n is a partition
    (https://learn.microsoft.com/kusto/query/numerical-operators).
    """
    if other == 0:
        return None
    if sign == "%":
        return one % abs(other)
    if not isinstance(one, int) or not isinstance(other, int):
        return one / other
    whole = abs(one) // abs(other)
    return whole if (one < 0) == (other < 0) else -whole


def _of_times(sign: str, left: Value, right: Value) -> Value:
    operations = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod}
    try:
        return operations[sign](left, right)
    except (TypeError, OverflowError, ZeroDivisionError):
        return None
