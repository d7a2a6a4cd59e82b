"""Aggregates of summarize."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from arm_emulator.graph.functions.dynamics import bag_merge
from arm_emulator.graph.functions.signature import TypeOf, first
from arm_emulator.graph.values import Value, before, distinct, dynamic, long, number, sort_key

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {str: "string", bool: "bool", int: "long", float: "double"}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`call` takes the values of the first argument in a group and the constants that follow it.

    `conditional`: the second argument is a condition on the rows that count. `prefix` begins the column's name.
    """

    call: Callable[..., Value]
    type: str | TypeOf
    prefix: str
    conditional: bool = False
    constants: int = 0

    def type_of(self, arguments: Sequence[str]) -> str:
        """The type of its value for arguments of these types."""
        return self.type if isinstance(self.type, str) else self.type(arguments)


def _present(values: list[Value]) -> list[Value]:
    return [value for value in values if value is not None]


def _numbers(values: list[Value]) -> list[float]:
    return [found for found in map(number, values) if found is not None]


def _sum(values: list[Value]) -> Value:
    spans = [value for value in values if isinstance(value, timedelta)]
    if spans:
        return sum(spans, timedelta())
    found = sum(_numbers(values))
    return long(found) if isinstance(found, int) else found


def _average(values: list[Value]) -> Value:
    present = _present(values)
    if present and isinstance(present[0], timedelta):
        return sum(present, timedelta()) / len(present)
    if present and isinstance(present[0], datetime):
        return _UNIX + sum((one - _UNIX for one in present), timedelta()) / len(present)
    found = _numbers(present)
    return sum(found) / len(found) if found else None


def _average_type(types: Sequence[str]) -> str:
    return first(types) if first(types) in ("timespan", "datetime") else "real"


def _least(values: list[Value]) -> Value:
    least: Value = None
    for value in _present(values):
        if least is None or before(value, least):
            least = value
    return least


def _most(values: list[Value]) -> Value:
    most: Value = None
    for value in _present(values):
        if most is None or before(most, value):
            most = value
    return most


def _spread(function: Callable[[list[float]], float]) -> Callable[[list[Value]], float]:
    def call(values: list[Value]) -> float:
        found = [float(one) for one in _numbers(values)]
        return function(found) if len(found) > 1 else 0.0

    return call


def _cut(values: list[Value], most: Value = None) -> list[Value]:
    limit = number(most)
    kept = values if limit is None else values[: max(0, int(limit))]
    return [dynamic(one) for one in kept]


def _list(values: list[Value], most: Value = None) -> list[Value]:
    return _cut(_present(values), most)


def _set(values: list[Value], most: Value = None) -> list[Value]:
    return _cut(distinct(_present(values)), most)


def percentile(values: list[Value], percent: float) -> Value:
    """The value at or below which so many percent of the values are."""
    times = [value for value in values if isinstance(value, datetime | timedelta)]
    present: list[Value] = sorted(times or _numbers(values), key=sort_key)
    if not present:
        return None
    rank = int(max(0, min(len(present) - 1, -(-len(present) * percent // 100) - 1)))
    return present[rank]


def _schema(values: list[Value]) -> Value:
    """The smallest description that fits all bags: names with the types of their values."""
    return _merged([_kind_of(value) for value in _present(values)]) or None


def _kind_of(value: Value) -> Value:
    if isinstance(value, dict):
        return {name: _kind_of(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return {"`indexer`": _merged([_kind_of(one) for one in value if one is not None])}
    return _KINDS.get(type(value), "string")


def _merged(kinds: list[Value]) -> Value:
    """One description for several: bags become one bag, and what is left beside it stands in a list."""
    flat = [one for kind in kinds for one in (kind if isinstance(kind, list) else [kind])]
    bags = [kind for kind in flat if isinstance(kind, dict)]
    names = dict.fromkeys(name for bag in bags for name in bag)
    merged = {name: _merged([bag[name] for bag in bags if name in bag]) for name in names}
    every = [*([merged] if bags else []), *distinct([kind for kind in flat if not isinstance(kind, dict)])]
    return every[0] if len(every) == 1 else every


def _one(values: list[Value]) -> Value:
    return values[0] if values else None


def _bits(start: int, function: Callable[[int, int], int]) -> Callable[[list[Value]], int]:
    def call(values: list[Value]) -> int:
        result = start
        for one in _numbers(values):
            result = function(result, int(one))
        return long(result)

    return call


def _count(values: list[Value], *_accuracy: Value) -> int:
    return len(distinct(_present(values)))


_PLAIN: Mapping[str, Aggregate] = {
    "any": Aggregate(_one, first, "any_"),
    "avg": Aggregate(_average, _average_type, "avg_"),
    "binary_all_and": Aggregate(_bits(-1, lambda a, b: a & b), "long", ""),
    "binary_all_or": Aggregate(_bits(0, lambda a, b: a | b), "long", ""),
    "binary_all_xor": Aggregate(_bits(0, lambda a, b: a ^ b), "long", ""),
    "buildschema": Aggregate(_schema, "dynamic", "schema_"),
    "count_distinct": Aggregate(_count, "long", "count_distinct_"),
    "dcount": Aggregate(_count, "long", "dcount_", constants=1),
    "make_bag": Aggregate(lambda values, *_most: bag_merge(*values), "dynamic", "bag_", constants=1),
    "make_dictionary": Aggregate(lambda values, *_most: bag_merge(*values), "dynamic", "dictionary_", constants=1),
    "make_list": Aggregate(_list, "dynamic", "list_", constants=1),
    "make_list_with_nulls": Aggregate(_cut, "dynamic", "list_"),
    "make_set": Aggregate(_set, "dynamic", "set_", constants=1),
    "makelist": Aggregate(_list, "dynamic", "list_", constants=1),
    "makeset": Aggregate(_set, "dynamic", "set_", constants=1),
    "max": Aggregate(_most, first, "max_"),
    "min": Aggregate(_least, first, "min_"),
    "stdev": Aggregate(_spread(statistics.stdev), "real", "stdev_"),
    "stdevp": Aggregate(_spread(statistics.pstdev), "real", "stdevp_"),
    "sum": Aggregate(_sum, first, "sum_"),
    "variance": Aggregate(_spread(statistics.variance), "real", "variance_"),
    "variancep": Aggregate(_spread(statistics.pvariance), "real", "variancep_"),
}
_CONDITIONAL = {
    "anyif": ("any", "anyif_"), "avgif": ("avg", "avgif_"), "count_distinctif": ("count_distinct", "count_distinctif_"),
    "dcountif": ("dcount", "dcountif_"), "make_bag_if": ("make_bag", "bag_"), "make_list_if": ("make_list", "list_"),
    "make_set_if": ("make_set", "set_"), "maxif": ("max", "maxif_"), "minif": ("min", "minif_"),
    "stdevif": ("stdev", "stdevif_"), "sumif": ("sum", "sumif_"), "take_anyif": ("any", ""),
    "varianceif": ("variance", "varianceif_"),
}  # fmt: skip
AGGREGATES: Mapping[str, Aggregate] = {
    **_PLAIN,
    **{
        name: Aggregate(_PLAIN[of].call, _PLAIN[of].type, prefix, conditional=True, constants=_PLAIN[of].constants)
        for name, (of, prefix) in _CONDITIONAL.items()
    },
}
"""By name; count, countif, arg_max, arg_min, take_any and percentiles give columns in ways of their own (summaries.py)."""
