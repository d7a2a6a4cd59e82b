"""Functions of numbers."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from arm_emulator.graph.functions.signature import Function, common, first
from arm_emulator.graph.values import EPOCH, Value, long, number


def bin_of(value: Value, size: Value) -> Value:
    """bin(): the multiple of `size` at or below `value`."""
    if isinstance(value, datetime) and isinstance(size, timedelta):
        return EPOCH + ((value - EPOCH) // size) * size if size else None
    if isinstance(value, timedelta) and isinstance(size, timedelta):
        return (value // size) * size if size else None
    one, other = number(value), number(size)
    return None if one is None or not other else math.floor(one / other) * other


def _bin_at(value: Value, size: Value, fixed: Value) -> Value:
    if isinstance(value, datetime) and isinstance(fixed, datetime) and isinstance(size, timedelta):
        return fixed + ((value - fixed) // size) * size if size else None
    one, other, start = number(value), number(size), number(fixed)
    return None if one is None or start is None or not other else math.floor((one - start) / other) * other + start


def _real(function: Callable[[float], float]) -> Callable[[Value], float | None]:
    def call(value: Value) -> float | None:
        found = number(value)
        return None if found is None else function(float(found))

    return call


def _absolute(value: Value) -> Value:
    if isinstance(value, timedelta):
        return abs(value)
    found = number(value)
    return None if found is None else abs(found)


def _round(value: Value, digits: Value = 0) -> float | None:
    found = number(value)
    return None if found is None else float(round(float(found), int(number(digits) or 0)))


def _bits(function: Callable[[int, int], int]) -> Callable[[Value, Value], int | None]:
    def call(one: Value, other: Value) -> int | None:
        left, right = number(one), number(other)
        return None if left is None or right is None else long(function(int(left), int(right)))

    return call


def _binary_not(value: Value) -> int | None:
    found = number(value)
    return None if found is None else ~int(found)


def _sign(value: Value) -> int | None:
    found = number(value)
    return None if found is None else (found > 0) - (found < 0)


def _pow(base: Value, exponent: Value) -> float | None:
    one, other = number(base), number(exponent)
    return None if one is None or other is None else math.pow(one, other)


def _magnitude(types: Sequence[str]) -> str:
    """The type of the first argument as a quantity: a bool counts as a number, and what a text holds shows at run time."""
    kind = first(types)
    return {"bool": "long", "string": "dynamic", "guid": "dynamic"}.get(kind, kind)


FUNCTIONS: Mapping[str, Function] = {
    "abs": Function(_absolute, _magnitude),
    "bin": Function(bin_of, _magnitude, 2, 2, ""),
    "bin_at": Function(_bin_at, _magnitude, 3, 3, ""),
    "binary_and": Function(_bits(lambda a, b: a & b), "long", 2, 2, ""),
    "binary_not": Function(_binary_not, "long", prefix=""),
    "binary_or": Function(_bits(lambda a, b: a | b), "long", 2, 2, ""),
    "binary_shift_left": Function(_bits(lambda a, b: a << (b % 64)), "long", 2, 2, ""),
    "binary_shift_right": Function(_bits(lambda a, b: a >> (b % 64)), "long", 2, 2, ""),
    "binary_xor": Function(_bits(lambda a, b: a ^ b), "long", 2, 2, ""),
    "bitset_count_ones": Function(lambda value: (int(number(value) or 0) % 2**64).bit_count(), "long", prefix=""),
    "ceiling": Function(_real(math.ceil), "real"),
    "exp": Function(_real(math.exp), "real"),
    "floor": Function(bin_of, _magnitude, 2, 2, ""),
    "isfinite": Function(_real(math.isfinite), "bool"),
    "isinf": Function(_real(math.isinf), "bool"),
    "isnan": Function(_real(math.isnan), "bool"),
    "log": Function(_real(math.log), "real"),
    "log10": Function(_real(math.log10), "real"),
    "log2": Function(_real(math.log2), "real"),
    "pow": Function(_pow, "real", 2, 2),
    "round": Function(_round, "real", 1, 2),
    "sign": Function(_sign, "long"),
    "sqrt": Function(_real(math.sqrt), "real"),
}


def summed_type(types: list[str]) -> str:
    """The type of a sum, difference, product or quotient."""
    kind = common(types)
    return "long" if kind in ("int", "bool") else kind
