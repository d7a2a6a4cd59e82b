"""Functions of arrays and property bags."""

import itertools
from collections.abc import Callable, Mapping

from arm_emulator.graph.functions.signature import Function
from arm_emulator.graph.values import Value, distinct, dynamic, equal, group_key, number, sort_key, text, truth

_LONGEST_RANGE = 1_048_576
"""How many elements range() gives at most (https://learn.microsoft.com/kusto/query/range-function)."""


def _list(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def _whole(value: Value) -> int:
    return int(number(value) or 0)


def _length(value: Value) -> int | None:
    return len(value) if isinstance(value, list) else None


def _index_of(values: Value, sought: Value, start: Value = 0) -> int | None:
    if not isinstance(values, list):
        return None
    begin = max(0, _whole(start))
    return next((position for position in range(begin, len(values)) if equal(values[position], sought)), -1)


def _slice(values: Value, start: Value, end: Value) -> list[Value] | None:
    if not isinstance(values, list):
        return None
    last = _whole(end)
    return values[_whole(start) :] if last == -1 else values[_whole(start) : last + 1]


def _array_split(values: Value, at: Value) -> list[list[Value]]:
    whole = _list(values)
    marks = [_whole(one) for one in (at if isinstance(at, list) else [at])]
    borders = [
        0,
        *sorted(min(max(0, mark + len(whole) if mark < 0 else mark), len(whole)) for mark in marks),
        len(whole),
    ]
    return [whole[start:end] for start, end in itertools.pairwise(borders)]


def _rotated(by: int) -> Callable[[Value, Value], list[Value] | None]:
    def call(values: Value, count: Value) -> list[Value] | None:
        if not isinstance(values, list):
            return None
        shift = by * _whole(count) % len(values) if values else 0
        return values[shift:] + values[:shift]

    return call


def _shifted(by: int) -> Callable[..., list[Value] | None]:
    def call(values: Value, count: Value, filler: Value = None) -> list[Value] | None:
        if not isinstance(values, list):
            return None
        shift = by * _whole(count)
        return [values[n + shift] if 0 <= n + shift < len(values) else filler for n in range(len(values))]

    return call


def _sorted(values: Value, *, descending: bool) -> list[Value] | None:
    if not isinstance(values, list):
        return None
    present = [one for one in values if one is not None]
    return sorted(present, key=sort_key, reverse=descending) + [None] * (len(values) - len(present))


def _range(start: Value, stop: Value, step: Value = 1) -> list[Value] | None:
    one, other, by = number(start), number(stop), number(step)
    if one is None or other is None or not by:
        return None
    count = min(int((other - one) // by) + 1, _LONGEST_RANGE)
    return [one + n * by for n in range(count)]


def _zip(*arrays: Value) -> list[list[Value]]:
    lists = [_list(array) for array in arrays]
    longest = max(map(len, lists))
    return [[one[n] if n < len(one) else None for one in lists] for n in range(longest)]


def _pack(*pairs: Value) -> dict[str, Value] | None:
    if len(pairs) % 2:
        return None
    return {text(name): dynamic(value) for name, value in zip(pairs[::2], pairs[1::2], strict=True)}


def bag_merge(*bags: Value) -> dict[str, Value]:
    """One bag of several; of a property that several have, the first is taken."""
    merged: dict[str, Value] = {}
    for bag in reversed(bags):
        merged |= bag if isinstance(bag, dict) else {}
    return merged


def _remove_keys(bag: Value, keys: Value) -> Value:
    gone = set(map(text, _list(keys)))
    return {name: value for name, value in bag.items() if name not in gone} if isinstance(bag, dict) else None


def _bag_set_key(bag: Value, key: Value, value: Value) -> Value:
    return {**bag, text(key): dynamic(value)} if isinstance(bag, dict) else None


def _bag_zip(keys: Value, values: Value) -> dict[str, Value]:
    found = _list(values)
    return {text(key): found[n] if n < len(found) else None for n, key in enumerate(_list(keys))}


def _keys_of(values: Value) -> set[tuple[str, Value]]:
    return {group_key(one) for one in _list(values)}


def _difference(first: Value, *others: Value) -> list[Value]:
    gone = {key for other in others for key in _keys_of(other)}
    return [one for one in distinct(_list(first)) if group_key(one) not in gone]


def _intersection(first: Value, *others: Value) -> list[Value]:
    kept = [_keys_of(other) for other in others]
    return [one for one in distinct(_list(first)) if all(group_key(one) in keys for keys in kept)]


def _jaccard(one: Value, other: Value) -> float | None:
    left, right = _keys_of(one), _keys_of(other)
    return len(left & right) / len(left | right) if left | right else None


def _array_iff(conditions: Value, then: Value, otherwise: Value) -> list[Value] | None:
    if not isinstance(conditions, list):
        return None

    def one(values: Value, position: int) -> Value:
        if not isinstance(values, list):
            return values
        return values[position] if position < len(values) else None

    return [one(then if truth(c) or (number(c) or 0) != 0 else otherwise, n) for n, c in enumerate(conditions)]


def _repeat(value: Value, count: Value) -> list[Value]:
    return [value] * min(max(0, _whole(count)), _LONGEST_RANGE)


def _array_sum(values: Value) -> float | None:
    return float(sum(number(one) or 0 for one in values)) if isinstance(values, list) else None


FUNCTIONS: Mapping[str, Function] = {
    "array_concat": Function(lambda *values: [one for value in values for one in _list(value)], "dynamic", 1, None),
    "array_iff": Function(_array_iff, "dynamic", 3, 3),
    "array_index_of": Function(_index_of, "long", 2, 3),
    "array_length": Function(_length, "long"),
    "array_reverse": Function(lambda values: values[::-1] if isinstance(values, list) else None, "dynamic"),
    "array_rotate_left": Function(_rotated(1), "dynamic", 2, 2),
    "array_rotate_right": Function(_rotated(-1), "dynamic", 2, 2),
    "array_shift_left": Function(_shifted(1), "dynamic", 2, 3),
    "array_shift_right": Function(_shifted(-1), "dynamic", 2, 3),
    "array_slice": Function(_slice, "dynamic", 3, 3),
    "array_sort_asc": Function(lambda values: _sorted(values, descending=False), "dynamic"),
    "array_sort_desc": Function(lambda values: _sorted(values, descending=True), "dynamic"),
    "array_split": Function(_array_split, "dynamic", 2, 2),
    "array_sum": Function(_array_sum, "real"),
    "arraylength": Function(_length, "long"),
    "bag_has_key": Function(lambda bag, key: isinstance(bag, dict) and text(key) in bag, "bool", 2, 2),
    "bag_keys": Function(lambda value: list(value) if isinstance(value, dict) else None, "dynamic"),
    "bag_merge": Function(bag_merge, "dynamic", 2, None),
    "bag_pack": Function(_pack, "dynamic", 2, None),
    "bag_remove_keys": Function(_remove_keys, "dynamic", 2, 2),
    "bag_set_key": Function(_bag_set_key, "dynamic", 3, 3),
    "bag_zip": Function(_bag_zip, "dynamic", 2, 2),
    "jaccard_index": Function(_jaccard, "real", 2, 2),
    "pack": Function(_pack, "dynamic", 2, None),
    "pack_array": Function(lambda *values: [dynamic(one) for one in values], "dynamic", 1, None),
    "pack_dictionary": Function(_pack, "dynamic", 2, None),
    "range": Function(_range, "dynamic", 2, 3),
    "repeat": Function(_repeat, "dynamic", 2, 2, "repeat_"),
    "set_difference": Function(_difference, "dynamic", 2, None),
    "set_equals": Function(lambda one, other: _keys_of(one) == _keys_of(other), "bool", 2, 2),
    "set_has_element": Function(
        lambda values, value: any(equal(one, value) for one in _list(values)), "bool", 2, 2
    ),
    "set_intersect": Function(_intersection, "dynamic", 2, None),
    "set_union": Function(lambda *sets: distinct([one for each in sets for one in _list(each)]), "dynamic", 2, None),
    "zip": Function(_zip, "dynamic", 2, None),
}  # fmt: skip
