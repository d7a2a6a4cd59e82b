"""Queries over made-up tables, compared with plain Python; and texts of any kind, which never get more than a refusal."""

import math
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arm_emulator.graph.aggregates import AGGREGATES
from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.functions import SCALARS
from arm_emulator.graph.query import run
from arm_emulator.graph.tables import Table
from tests.support.arm import NET, Arm
from tests.unit.arm_emulator.facts.test_graph_queries import machine

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
COLUMNS = {"k": "string", "n": "long", "d": "dynamic"}
Row = dict[str, Any]

names = st.sampled_from(["", "a", "A", "ab", "a b", "b-1", "vm01", "VM01"])
numbers = st.none() | st.integers(-3, 3)
rows_of = st.lists(
    st.fixed_dictionaries(
        {
            "k": names,
            "n": numbers,
            "d": st.none()
            | st.lists(st.integers(0, 3), max_size=3)
            | st.dictionaries(st.sampled_from("xy"), st.integers(0, 3)),
        }
    ),
    max_size=12,
)


def queried(text: str, left: list[Row], right: list[Row] | None = None) -> list[Row]:
    tables = {"l": left, "r": right or []}
    table = run(text, lambda name: Table(dict(COLUMNS), tables[name]), NOW)
    return [{name: row.get(name) for name in table.columns} for row in table.rows]


def counted(rows: list[Row]) -> Counter[str]:
    return Counter(repr(sorted(row.items())) for row in rows)


def term(text: str, sought: str) -> bool:
    return sought == "" or re.search(rf"(?<![a-z0-9]){re.escape(sought)}(?![a-z0-9])", text.lower()) is not None


CONDITIONS: list[tuple[str, Callable[[Row], bool]]] = [
    ("n > 0", lambda row: row["n"] is not None and row["n"] > 0),
    ("n != 1", lambda row: row["n"] != 1),
    ("n == 1 or k == 'a'", lambda row: row["n"] == 1 or row["k"] == "a"),
    ("not(isnull(n)) and n between (-1 .. 1)", lambda row: row["n"] is not None and -1 <= row["n"] <= 1),
    ("k =~ 'AB'", lambda row: row["k"].lower() == "ab"),
    ("k in~ ('A', 'VM01')", lambda row: row["k"].lower() in ("a", "vm01")),
    ("k !in ('A', 'VM01')", lambda row: row["k"] not in ("A", "VM01")),
    ("k has 'a'", lambda row: term(row["k"], "a")),
    ("k has 'vm01'", lambda row: term(row["k"], "vm01")),
    ("k !contains 'B'", lambda row: "b" not in row["k"].lower()),
    ("k startswith_cs 'a'", lambda row: row["k"].startswith("a")),
    ("k matches regex '^[a-z]+$'", lambda row: re.fullmatch("[a-z]+", row["k"]) is not None),
    ("isempty(d)", lambda row: row["d"] is None),
    ("d.x == 2", lambda row: isinstance(row["d"], dict) and row["d"].get("x") == 2),
    ("array_length(d) > 1", lambda row: isinstance(row["d"], list) and len(row["d"]) > 1),
    ("d[0] == 1", lambda row: isinstance(row["d"], list) and row["d"][:1] == [1]),
]


@settings(max_examples=60, deadline=None)
@given(rows=rows_of)
@pytest.mark.parametrize(("condition", "holds"), CONDITIONS, ids=[text for text, _ in CONDITIONS])
def test_where_keeps_the_rows_that_python_keeps(condition: str, holds: Callable[[Row], bool], rows: list[Row]) -> None:
    assert queried(f"l | where {condition}", rows) == [row for row in rows if holds(row)]


@settings(max_examples=200, deadline=None)
@given(left=rows_of, right=rows_of, kind=st.sampled_from(["inner", "leftouter", "fullouter", "innerunique"]))
def test_joins_pair_rows_as_nested_loops_do(left: list[Row], right: list[Row], kind: str) -> None:
    found = queried(f"l | project k, n | join kind={kind} (r | project k, m = n) on k", left, right)
    kept = list({row["k"]: row for row in reversed(left)}.values()) if kind == "innerunique" else left
    expected: list[Row] = []
    for row in kept:
        matches = [other for other in right if other["k"] == row["k"]]
        expected += [{"k": row["k"], "n": row["n"], "k1": other["k"], "m": other["n"]} for other in matches]
        if not matches and kind in ("leftouter", "fullouter"):
            expected.append({"k": row["k"], "n": row["n"], "k1": "", "m": None})
    if kind == "fullouter":
        known = {row["k"] for row in left}
        expected += [
            {"k": "", "n": None, "k1": other["k"], "m": other["n"]} for other in right if other["k"] not in known
        ]
    assert counted(found) == counted(expected)


@settings(max_examples=200, deadline=None)
@given(rows=rows_of)
def test_summarize_groups_as_python_does(rows: list[Row]) -> None:
    found = queried(
        "l | summarize c = count(), s = sum(n), lo = min(n), hi = max(n), a = avg(n), u = dcount(n), i = countif(n > 0), x = make_list(n) by k",
        rows,
    )
    groups: dict[str, list[int]] = {}
    sizes = Counter(row["k"] for row in rows)
    for row in rows:
        groups.setdefault(row["k"], [])
        if row["n"] is not None:
            groups[row["k"]].append(row["n"])
    assert [row["k"] for row in found] == list(groups)
    for row in found:
        present = groups[row["k"]]
        assert (row["c"], row["s"], row["u"], row["i"]) == (
            sizes[row["k"]],
            sum(present),
            len(set(present)),
            sum(n > 0 for n in present),
        )
        assert (row["lo"], row["hi"], row["x"]) == (min(present, default=None), max(present, default=None), present)
        assert row["a"] is None if not present else math.isclose(row["a"], sum(present) / len(present))


@settings(max_examples=150, deadline=None)
@given(rows=rows_of, descending=st.booleans(), nulls_first=st.none() | st.booleans(), top=st.integers(0, 5))
def test_order_is_stable_and_puts_nulls_where_it_is_told(
    rows: list[Row], descending: bool, nulls_first: bool | None, top: int
) -> None:
    nulls = "" if nulls_first is None else f" nulls {'first' if nulls_first else 'last'}"
    text = f"n {'desc' if descending else 'asc'}{nulls}"
    first = not descending if nulls_first is None else nulls_first
    present = sorted((row for row in rows if row["n"] is not None), key=lambda row: row["n"], reverse=descending)
    missing = [row for row in rows if row["n"] is None]
    expected = missing + present if first else present + missing
    assert queried(f"l | order by {text}", rows) == expected
    assert queried(f"l | top {top} by {text}", rows) == expected[:top]


@settings(max_examples=150, deadline=None)
@given(rows=rows_of, other=rows_of)
def test_expansion_union_and_distinct_lose_and_make_up_no_rows(rows: list[Row], other: list[Row]) -> None:
    expanded = queried("l | mv-expand d | project k, d", rows)
    expected: list[Row] = []
    for row in rows:
        value = row["d"]
        elements = [{key: one} for key, one in value.items()] if isinstance(value, dict) else value
        expected += [{"k": row["k"], "d": one} for one in (elements or [None])]
    assert expanded == expected
    assert queried("l | union r | count", rows, other) == [{"Count": len(rows) + len(other)}]
    assert len(queried("l | distinct k, n", rows)) == len({(row["k"], row["n"]) for row in rows})


@settings(max_examples=100, deadline=None)
@given(rows=rows_of, parts=st.integers(1, 5))
def test_the_partitions_by_hash_are_disjoint_and_complete(rows: list[Row], parts: int) -> None:
    counts = [len(queried(f"l | where hash(tolower(k)) % {parts} == {n}", rows)) for n in range(parts)]
    assert sum(counts) == len(rows)


# -- any text ----------------------------------------------------------------------------------------------------

WORDS = [
    "resources", "resourcecontainers", "resourcechanges", "nothing", "where", "project", "project-away", "extend", "order by", "summarize",
    "count()", "count", "distinct", "join", "kind=leftouter", "union", "mv-expand", "parse", "with", "take", "limit", "top", "by", "on", "and",
    "or", "not", "in", "in~", "has", "contains", "matches regex", "between", "..", "asc", "desc", "nulls first", "|", "(", ")", "[", "]", "{",
    "}", ",", ".", ";", "*", "+", "-", "/", "%", "=", "==", "!=", "=~", "<", ">", "'a'", "'", '"', "@'b'", "h'c'", "//", "\n", "1", "2.5", "1d",
    "0x1f", "9223372036854775807", "datetime(2024-01-01)", "dynamic({})", "dynamic([1])", "int(null)", "true", "name", "properties", "tags",
    "id", "$left.id", "$right.id", "properties.hardware.size", "to typeof(long)", "let", "evaluate", "é", "\u2028", "\x00", "{{/x}}",
]  # fmt: skip
any_text = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
atoms = st.sampled_from([
    "''", "'a'", "'('", "'10.0.0.0/8'", "'{\"a\":[1]}'", "name", "id", "tags", "properties", "properties.hardware.disks", "zones", "0", "-1", "2.5",
    "1e300", "9223372036854775807", "1d", "99999999d", "now()", "datetime(0001-01-01)", "datetime(9999-12-31)", "dynamic(null)", "dynamic([[1],{}])",
    "dynamic({'a': {'b': null}})", "true", "int(null)", "ago(9999d)",
])  # fmt: skip


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    arguments = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.sampled_from(sorted(SCALARS)), arguments).map(lambda call: f"{call[0]}({', '.join(call[1])})"),
        st.tuples(
            inner,
            st.sampled_from(
                ["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "=~", "has", "startswith", "matches regex"]
            ),
            inner,
        ).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, arguments).map(lambda parts: f"{parts[0]} in ({', '.join(parts[1])})"),
        st.tuples(inner, inner).map(lambda parts: f"{parts[0]}[{parts[1]}]"),
    )


expressions = st.recursive(atoms, calls, max_leaves=6)
operators = st.one_of(
    expressions.map(lambda one: f"where {one}"),
    expressions.map(lambda one: f"extend x = {one}"),
    expressions.map(lambda one: f"project id, name, tags, properties, zones, {one}"),
    expressions.map(lambda one: f"mv-expand y = {one}"),
    expressions.map(lambda one: f"parse {one} with * '0' z:long *"),
    st.tuples(st.sampled_from(sorted(AGGREGATES)), expressions, expressions).map(
        lambda t: f"summarize {t[0]}({t[1]}), arg_max({t[2]}, *) by tostring({t[1]})"
    ),
    expressions.map(lambda one: f"order by {one}"),
    expressions.map(lambda one: f"join kind=leftouter (resources | project id, w = {one}) on id"),
)
programs = st.lists(operators, min_size=1, max_size=3).map(lambda steps: " | ".join(["resources", *steps]))


@pytest.fixture(scope="module")
def arm() -> Arm:
    network = {"id": f"{NET}/virtualNetworks/Hub", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    return Arm(estate=[machine(n) for n in range(4)] + [network])


@settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(text=any_text | programs, form=st.sampled_from(["table", "objectArray"]))
def test_any_text_is_answered_or_refused_in_the_form_of_arm(arm: Arm, text: str, form: str) -> None:
    arm.now += 5
    reply = arm.query(text, options={"resultFormat": form})
    if reply.status == 200:
        assert reply.body["count"] == len(reply.body["data"]["rows"] if form == "table" else reply.body["data"])
        return
    assert reply.status in (400, 500)
    error = reply.body["error"]
    assert error["code"] == {400: "BadRequest", 500: "InternalServerError"}[reply.status]
    assert all(isinstance(one["code"], str) and isinstance(one["message"], str) for one in error["details"])


@settings(max_examples=300, deadline=None)
@given(expression=expressions)
def test_an_expression_has_the_type_that_it_says(expression: str) -> None:
    rows = [{"name": "a", "id": "/x", "tags": None, "properties": {"hardware": {"disks": [1]}}, "zones": None}]
    columns = {"name": "string", "id": "string", "tags": "dynamic", "properties": "dynamic", "zones": "dynamic"}
    try:
        table = run(f"t | project x = {expression}", lambda _: Table(columns, rows), NOW)
    except QueryError:
        return
    value = table.rows[0]["x"]
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "bool": (bool,),
        "long": (int,),
        "int": (int,),
        "datetime": (datetime,),
    }
    expected = kinds.get(table.columns["x"])
    assert value is None or expected is None or isinstance(value, expected), (expression, table.columns["x"], value)
