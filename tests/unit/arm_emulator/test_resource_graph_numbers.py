"""Numbers of the query language that are out of the ordinary: how they are written, and what no aggregate can work with."""

from datetime import UTC, datetime
from typing import Any

import pytest

from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.query import run
from arm_emulator.graph.tables import Table
from arm_emulator.graph.values import answerable

ROWS: list[dict[str, Any]] = [
    {"name": "Alpha-1", "size": 3, "bag": {"list": [1, 2, 2]}},
    {"name": "beta 2", "size": 1, "bag": {"list": []}},
    {"name": "", "size": None, "bag": None},
]


def result(text: str) -> Table:
    columns = {"name": "string", "size": "long", "bag": "dynamic"}
    return run(text, lambda _name: Table(columns, ROWS), datetime(2026, 5, 6, tzinfo=UTC))


def values(text: str) -> list[Any]:
    table = result(text)
    return [[answerable(row.get(name)) for name in table.columns] for row in table.rows]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("t | take 002", 2),
        ("t | top 001 by name", 1),
        ("t | take 0x2", 2),
        ("t | take 0xFFFFFFFFFFFFFFFF", 0),
        (f"t | take {'0' * 5000}1", 1),
        ("t | where name == 'Alpha-1' | mv-expand x=bag.list limit 02", 2),
    ],
)
def test_numbers_of_rows_may_have_leading_zeros(query: str, names: int) -> None:
    assert len(result(query).rows) == names


@pytest.mark.parametrize("literal", ["int(1e400)", "long(-1e400)", "timespan(1.2.3d)"])
def test_a_literal_that_is_no_such_value_is_refused(literal: str) -> None:
    with pytest.raises(QueryError) as refused:
        result(f"t | where 1 == {literal}")
    assert refused.value.code == "InvalidLiteral"


@pytest.mark.parametrize(
    "aggregate",
    [
        "sum(999999999d)",
        "make_list(name, 1e400)",
        "binary_all_or(1e400)",
        "avg(iff(name == '', now(), 5))",
        "avg(iff(name == 'Alpha-1', now(), 5))",
        "stdev(iff(name == '', 1e308, -1e308) * 10)",
        "percentile(size, 1e400)",
    ],
)
def test_what_an_aggregate_cannot_make_of_its_values_is_no_failure(aggregate: str) -> None:
    [[found]] = values(f"t | summarize x = {aggregate}")
    assert found is None or isinstance(found, int | float)
