"""The query language by itself: literals, operators, functions, aggregates, names of columns. No server and no Azure."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from arm_emulator.graph.failures import QueryError
from arm_emulator.graph.functions import SCALARS
from arm_emulator.graph.query import run
from arm_emulator.graph.tables import Table
from arm_emulator.graph.values import answerable

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {"name": "Alpha-1", "size": 3, "at": "2026-05-01T10:20:30.5Z", "bag": {"a": 1, "list": [1, 2, 2], "odata.type": "x", "$type": "y"}},
    {"name": "beta 2", "size": 1, "at": "2026-05-02", "bag": {"a": None, "list": [], "on": True}},
    {"name": "", "size": None, "at": "", "bag": None},
]  # fmt: skip
COLUMNS = {"name": "string", "size": "long", "at": "string", "bag": "dynamic"}


def tables(name: str) -> Table:
    if name != "t":
        raise QueryError("NoTable", name)
    return Table(dict(COLUMNS), ROWS)


def result(text: str) -> Table:
    return run(text, tables, NOW)


def values(text: str) -> list[Any]:
    table = result(text)
    return [[answerable(row.get(name)) for name in table.columns] for row in table.rows]


def value(expression: str) -> Any:
    """What an expression is for the first row."""
    return values(f"t | take 1 | project x = {expression}")[0][0]


def code(text: str) -> str:
    with pytest.raises(QueryError) as caught:
        result(text)
    return caught.value.code


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("'a\\tb\\'c\\\\'", "a\tb'c\\"),
        ('"say \\"x\\" \\u00e9"', 'say "x" é'),
        ("@'C:\\dir'", "C:\\dir"),
        ('@"a""b"', 'a"b'),
        ("h'secret'", "secret"),
        ("'\\ud800'", "\ufffd"),
        ("```two\nlines```", "two\nlines"),
        ("0x1F", 31),
        ("1.5e3", 1500.0),
        ("-3", -3),
        ("int(5)", 5),
        ("long(-7)", -7),
        ("real(2.5)", 2.5),
        ("bool(true)", True),
        ("int(null)", None),
        ("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "74be27de-1e4e-49d9-b579-fe0b331d3642"),
        ("1d", "1.00:00:00"),
        ("1.5h", "01:30:00"),
        ("90s", "00:01:30"),
        ("250ms", "00:00:00.2500000"),
        ("timespan(1.02:03:04)", "1.02:03:04"),
        ("time(2d)", "2.00:00:00"),
        ("datetime(2026-02-03)", "2026-02-03T00:00:00.0000000Z"),
        ("datetime(2026-02-03 04:05:06.789)", "2026-02-03T04:05:06.7890000Z"),
        ("datetime(2026-02-03T04:05:06+02:00)", "2026-02-03T02:05:06.0000000Z"),
        ("datetime(2026)", "2026-01-01T00:00:00.0000000Z"),
        ("datetime(null)", None),
        ('dynamic({"a": [1, -2.5, null, true], "b": {"c": "d"}})', {"a": [1, -2.5, None, True], "b": {"c": "d"}}),
        ("dynamic(null)", None),
        ("True and not(FALSE)", True),
    ],
)
def test_literals(literal: str, expected: object) -> None:
    assert value(literal) == expected


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("name == 'Alpha-1'", 1),
        ("name == 'alpha-1'", 0),
        ("name =~ 'ALPHA-1'", 1),
        ("name != 'Alpha-1'", 2),
        ("name !~ 'ALPHA-1'", 2),
        ("name in ('Alpha-1', 'beta 2')", 2),
        ("name !in ('Alpha-1')", 2),
        ("name in~ ('ALPHA-1')", 1),
        ("name !in~ ('ALPHA-1', 'x')", 2),
        ("name in (dynamic(['beta 2', 'Alpha-1']))", 2),
        ("name in (t | where size > 1 | project name)", 1),
        ("size in (1, 3)", 2),
        ("name has 'alpha'", 1),
        ("name has 'alp'", 0),
        ("name has_cs 'alpha'", 0),
        ("name !has 'alpha'", 2),
        ("name !has_cs 'alpha'", 3),
        ("name contains 'ETA'", 1),
        ("name contains_cs 'ETA'", 0),
        ("name !contains 'eta'", 2),
        ("name !contains_cs 'ETA'", 3),
        ("name startswith 'BETA'", 1),
        ("name !startswith 'BETA'", 2),
        ("name startswith_cs 'BETA'", 0),
        ("name endswith '2'", 1),
        ("name !endswith_cs '2'", 2),
        ("name hasprefix 'alp'", 1),
        ("name !hasprefix 'alp'", 2),
        ("name hassuffix 'TA'", 1),
        ("name hassuffix_cs 'TA'", 0),
        ("name matches regex '^[A-Z].*[0-9]$'", 1),
        ("name matches regex '(?i)ALPHA'", 1),
        ("name has_any ('zzz', 'BETA')", 1),
        ("name has_all ('beta', '2')", 1),
        ("size between (1 .. 2)", 1),
        ("size between (1..3)", 2),
        ("size !between (1 .. 2)", 2),
        ("todatetime(at) between (datetime(2026-05-01) .. 23h)", 1),
        ("todatetime(at) > ago(5d)", 2),
        ("* has 'alpha'", 1),
        ("* == 'beta 2'", 1),
        ("size > 1 or name == 'beta 2' and size == 1", 2),
        ("(size > 1 or name == 'beta 2') and size == 1", 1),
        ("bag.a == 1", 1),
        ("bag.on == true", 1),
        ("bag.on == 'true'", 1),
        ("bag.nothing == ''", 3),
        ("bag.list == '[]'", 1),
        ("bag has 'odata'", 1),
        ("isnull(bag)", 1),
        ("isnull(bag.a)", 2),
        ("isnotnull(bag['a'])", 1),
        ("isempty(name)", 1),
        ("isnotempty(bag.list)", 2),
    ],
)
def test_conditions(condition: str, count: int) -> None:
    assert values(f"t | where {condition} | count") == [[count]]


def test_null_equals_nothing_and_two_nulls_give_null() -> None:
    assert value("int(null) == 1") is False
    assert value("int(null) != 1") is True
    assert value("int(null) == int(null)") is None
    assert value("int(null) < 1") is None
    assert value("int(null) + 1") is None


def test_whole_numbers_divide_towards_zero_and_their_rest_is_never_negative() -> None:
    assert [value(one) for one in ("7 / 2", "-7 / 2", "7.0 / 2", "-7 % 3", "7 % -3", "1 / 0")] == [
        3,
        -3,
        3.5,
        2,
        1,
        None,
    ]
    assert value("9223372036854775807 + 1") == -9223372036854775808


def test_times_are_added_and_taken_from_each_other() -> None:
    assert value("datetime(2026-01-02) - datetime(2026-01-01)") == "1.00:00:00"
    assert value("datetime(2026-01-01) + 36h") == "2026-01-02T12:00:00.0000000Z"
    assert value("1d / 6h") == 4.0
    assert value("-(1h)") == "-01:00:00"


FUNCTIONS = [
    # Conversions and choices
    ("tostring(1.0)", "1"), ("tostring(true)", "true"), ("tostring(bag.list)", "[1,2,2]"), ("tostring(int(null))", ""),
    ("toint('12')", 12), ("toint('1.9')", 1), ("toint('x')", None), ("tolong(bag.a)", 1), ("todouble('2.5')", 2.5),
    ("tobool('True')", True), ("tobool(0)", False), ("toguid('74BE27DE1E4E49D9B579FE0B331D3642')", "74be27de-1e4e-49d9-b579-fe0b331d3642"),
    ("toguid('x')", None), ("todatetime('nonsense')", None), ("totimespan('1.02:03:04')", "1.02:03:04"),
    ("parse_json('{\"a\": [1]}').a[0]", 1), ("todynamic('[1,2]')[1]", 2), ("tohex(255)", "ff"), ("gettype(bag)", "dictionary"),
    ("iff(size > 1, 'big', 'small')", "big"), ("case(size > 5, 'a', size > 2, 'b', 'c')", "b"), ("coalesce(bag.x, bag.a)", 1),
    ("min_of(3, 1, 2)", 1), ("max_of(3, int(null), 2)", 3), ("not(size > 1)", False),
    # Texts
    ("toupper(name)", "ALPHA-1"), ("strlen(name)", 7), ("strcat(name, '/', size)", "Alpha-1/3"),
    ("strcat_delim('-', 1, 'b', true)", "1-b-true"), ("strcat_array(bag.list, ';')", "1;2;2"), ("substring(name, 2, 3)", "pha"),
    ("substring(name, -2)", "-1"), ("indexof(name, 'a')", 4), ("indexof(name, 'z')", -1), ("indexof('abcabc', 'b', 2)", 4),
    ("indexof_regex(name, '[0-9]')", 6), ("split('a/b/c', '/')", ["a", "b", "c"]), ("split('a/b/c', '/', 1)", ["b"]),
    ("split('a/b', '/', 9)", []), ("extract('([a-z]+)', 1, name)", "lpha"), ("extract('-([0-9])', 1, name, typeof(long))", 1),
    ("extract('z', 0, name)", None), ("extract_all('([a-z])[0-9]', 'a1b2')", ["a", "b"]), ("countof('aXaX', 'X')", 2),
    ("replace_string('a.b.c', '.', '-')", "a-b-c"), ("replace_regex('ab', '(a)(b)', @'\\2\\1')", "ba"),
    ("replace('a', 'b', 'aca')", "bcb"), ("trim('[ -]+', '- x -')", "x"), ("trim_start('a', 'aab')", "ab"),
    ("trim_end('b', 'abb')", "ab"), ("reverse('abc')", "cba"), ("strrep('ab', 2, '-')", "ab-ab"), ("strcmp('a', 'b')", -1),
    ("translate('abc', 'xy', 'aabbc')", "xxyyy"), ("base64_encode_tostring('Kusto')", "S3VzdG8="),
    ("base64_decode_tostring('S3VzdG8=')", "Kusto"), ("base64_decode_tostring('?')", None), ("url_encode('a b/c')", "a%20b%2Fc"),
    ("url_decode('a%20b')", "a b"), ("parse_csv('a,\"b,c\"')", ["a", "b,c"]), ("parse_version('1.2.3') > parse_version('1.2')", True),
    ("parse_url('https://u:p@host:8080/x/y?k=v#f').Host", "host"), ("parse_url('https://h/p?k=v')['Query Parameters'].k", "v"),
    ("extract_json('$.a[1].b', '{\"a\": [0, {\"b\": 5}]}')", "5"), ("tolower(bag.list)", "[1,2,2]"), ("regex_quote('a.b')", "a\\.b"),
    # Times
    ("format_datetime(datetime(2026-05-06 07:08:09.123), 'yyyy-MM-dd HH:mm:ss.fff')", "2026-05-06 07:08:09.123"),
    ("format_datetime(datetime(2026-05-06 17:08), 'd/M/yy h:mm tt')", "6/5/26 5:08 PM"), ("format_timespan(26h, 'd.hh:mm')", "1.02:00"),
    ("startofday(now())", "2026-05-06T00:00:00.0000000Z"), ("startofweek(now())", "2026-05-03T00:00:00.0000000Z"),
    ("startofmonth(now(), -1)", "2026-04-01T00:00:00.0000000Z"), ("endofyear(now())", "2026-12-31T23:59:59.9999990Z"),
    ("datetime_add('month', 1, datetime(2026-01-31))", "2026-02-28T00:00:00.0000000Z"),
    ("datetime_diff('year', datetime(2017-01-01), datetime(2000-12-31))", 17),
    ("datetime_diff('hour', datetime(2017-10-31 01:00), datetime(2017-10-30 23:59))", 2),
    ("datetime_diff('day', datetime(2017-10-29 23:00), datetime(2017-10-30 00:59))", -1),
    ("datetime_part('quarter', now())", 2), ("dayofweek(datetime(2026-05-06))", "3.00:00:00"), ("hourofday(now())", 7),
    ("make_datetime(2026, 5, 6, 7, 8)", "2026-05-06T07:08:00.0000000Z"), ("bin(now(), 1h)", "2026-05-06T07:00:00.0000000Z"),
    ("unixtime_seconds_todatetime(86400)", "1970-01-02T00:00:00.0000000Z"), ("now(-1d)", "2026-05-05T07:08:09.0000000Z"),
    # Numbers
    ("bin(7, 3)", 6), ("floor(7.9, 1)", 7), ("round(2.345, 2)", 2.35), ("abs(-4)", 4), ("pow(2, 10)", 1024.0), ("sqrt(-1)", None),
    ("log(0)", None), ("binary_and(6, 3)", 2), ("binary_or(6, 3)", 7), ("binary_xor(6, 3)", 5), ("binary_shift_left(1, 4)", 16),
    ("binary_not(0)", -1), ("bitset_count_ones(7)", 3), ("ceiling(1.2)", 2), ("sign(-3)", -1),
    # Arrays and bags
    ("array_length(bag.list)", 3), ("array_length(bag)", None), ("array_index_of(bag.list, 2)", 1), ("array_index_of(bag.list, 9)", -1),
    ("array_concat(bag.list, dynamic([9]))", [1, 2, 2, 9]), ("array_slice(bag.list, 1, 2)", [2, 2]), ("array_slice(bag.list, 1, -1)", [2, 2]),
    ("array_reverse(bag.list)", [2, 2, 1]), ("array_sort_desc(dynamic([1, 3, 2]))", [3, 2, 1]), ("array_split(bag.list, 1)", [[1], [2, 2]]),
    ("array_rotate_left(bag.list, 1)", [2, 2, 1]), ("array_shift_left(bag.list, 1)", [2, 2, None]),
    ("array_iff(dynamic([true, false]), 'a', 'b')", ["a", "b"]), ("array_sum(bag.list)", 5.0), ("bag_keys(dynamic({'a': 1, 'b': 2}))", ["a", "b"]),
    ("bag_has_key(bag, 'list')", True), ("bag_merge(dynamic({'a': 1}), dynamic({'a': 2, 'b': 3}))", {"a": 1, "b": 3}),
    ("bag_pack('a', size, 'b', now())", {"a": 3, "b": "2026-05-06T07:08:09.0000000Z"}), ("pack('k', name)", {"k": "Alpha-1"}),
    ("bag_remove_keys(dynamic({'a': 1, 'b': 2}), dynamic(['a']))", {"b": 2}), ("bag_set_key(dynamic({}), 'a', 1h)", {"a": "01:00:00"}),
    ("pack_array(1, 'a', true)", [1, "a", True]), ("array_length(pack_array(*))", 4), ("split('a/b/c', '/')[-1]", "c"), ("range(1, 7, 3)", [1, 4, 7]), ("repeat('a', 2)", ["a", "a"]),
    ("set_difference(bag.list, dynamic([2]))", [1]), ("set_intersect(bag.list, dynamic([2, 7]))", [2]), ("set_union(bag.list, dynamic([7]))", [1, 2, 7]),
    ("set_has_element(bag.list, 2)", True), ("set_equals(dynamic([1, 2]), dynamic([2, 1]))", True), ("zip(dynamic([1, 2]), dynamic(['a']))", [[1, "a"], [2, None]]),
    ("jaccard_index(dynamic([1, 2]), dynamic([2, 3]))", 1 / 3),
    # Addresses
    ("ipv4_is_in_range('10.1.2.3', '10.0.0.0/8')", True), ("ipv4_is_in_range('10.0.0.0/7', '10.0.0.0/8')", False), ("ipv4_is_in_range('x', 'y')", None),
    ("ipv4_is_in_any_range('10.1.2.3', '192.168.0.0/16', '10.0.0.0/8')", True), ("ipv4_is_in_any_range('10.1.2.3', dynamic(['1.0.0.0/8']))", False),
    ("ipv4_is_match('10.0.0.1/24', '10.0.0.255/24')", True), ("ipv4_compare('10.0.0.1', '10.0.0.2')", -1), ("ipv4_compare('10.0.0.1', '10.0.0.2', 24)", 0),
    ("ipv4_is_private('172.16.5.4')", True), ("ipv4_is_private('8.8.8.8')", False), ("ipv4_netmask_suffix('10.0.0.0/26')", 26),
    ("parse_ipv4('10.0.0.1')", 167772161), ("format_ipv4('10.1.2.3', 16)", "10.1.0.0"), ("format_ipv4_mask('10.1.2.3', 16)", "10.1.0.0/16"),
    ("ipv6_is_in_range('fd00::1', 'fd00::/8')", True), ("ipv6_compare('::ffff:1.2.3.4', '1.2.3.4')", 0),
    # Hashes: the values of Kusto's own pages
    ("hash('World')", 1846988464401551951), ("hash('World', 100)", 51), ("hash_md5('World')", "f5a7924e621e84c9280a9a27e1bcb7f6"),
    ("hash_sha256('World')", "78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524"),
    # What a function cannot make of its arguments is null
    ("substring(name, 1, 'x')", ""), ("base64_decode_tostring(5)", None), ("ipv4_is_private(bag)", None), ("datetime_add('eon', 1, now())", None),
    ("column_ifexists('nothing', 'else')", "else"), ("column_ifexists('size', 0)", 3),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), FUNCTIONS)
def test_functions(expression: str, expected: object) -> None:
    assert value(expression) == (pytest.approx(expected) if isinstance(expected, float) else expected)


def test_every_function_bears_any_value_and_says_the_number_of_its_arguments() -> None:
    odd = ("''", "'('", "-1", "1e300", "bag", "dynamic([[]])", "now()", "1d", "int(null)", "9223372036854775807")
    for name, function in SCALARS.items():
        for one in odd:
            with suppress(QueryError):
                value(f"{name}({', '.join([one] * max(function.least, 1))})")
        most = function.most
        if most is not None:
            assert code(f"t | extend x = {name}({', '.join(['1'] * (most + 1))})") == "WrongNumberOfArguments", name


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ("bag.a", ["bag_a"]),
        ("bag.list[0]", ["bag_list_0"]),
        ("bag['a']", ["bag_a"]),
        ("bag.['odata.type'], bag.$type", ["bag_odata.type", "bag_$type"]),
        ("['name']", ["name"]),
        ("['my name'] = name", ["my name"]),
        ("tostring(bag.a), toint(size), todatetime(at)", ["bag_a", "size", "at"]),
        ("tostring(rgName = split(name, '-'))", ["rgName"]),
        ("tolower(name), toupper(name), strcat(name, 'x')", ["Column1", "Column2", "Column3"]),
        ("split(name, '-'), strlen(name), gettype(size)", ["name", "strlen_name", "type_size"]),
        ("bin(size, 5), parse_json(name), startofday(now())", ["size", "name", "Column1"]),
        ("name, name, 1", ["name", "name1", "Column1"]),
    ],
)
def test_names_of_projected_columns_are_those_that_kusto_gives(columns: str, names: list[str]) -> None:
    assert list(result(f"t | project {columns}").columns) == names


@pytest.mark.parametrize(
    ("aggregates", "names", "row"),
    [
        ("count(), dcount(name), countif(size > 1)", ["count_", "dcount_name", "countif_"], [3, 3, 1]),
        ("sum(size), avg(size), min(size), max(size)", ["sum_size", "avg_size", "min_size", "max_size"], [4, 2.0, 1, 3]),
        ("sumif(size, name startswith 'a'), avgif(size, size > 1)", ["sumif_size", "avgif_size"], [3, 3.0]),
        ("make_list(size), make_set(size), make_list(name, 1)", ["list_size", "set_size", "list_name"], [[3, 1], [3, 1], ["Alpha-1"]]),
        ("make_bag(bag_pack(name, size))", ["bag_"], [{"Alpha-1": 3, "beta 2": 1, "": None}]),
        ("arg_max(size, name)", ["size", "name"], [3, "Alpha-1"]),
        ("arg_min(size, *)", ["size", "name", "at", "bag"], [1, "beta 2", "2026-05-02", ROWS[1]["bag"]]),
        ("(a, b) = arg_max(size, name)", ["a", "b"], [3, "Alpha-1"]),
        ("t = arg_max(size, name)", ["t", "name"], [3, "Alpha-1"]),
        ("take_any(name, size), any(at)", ["name", "size", "any_at"], ["Alpha-1", 3, "2026-05-01T10:20:30.5Z"]),
        ("percentiles(size, 50, 100)", ["percentile_size_50", "percentile_size_100"], [1, 3]),
        ("stdev(size), variance(size)", ["stdev_size", "variance_size"], [2 ** 0.5, 2.0]),
        ("round(avg(size), 1), max(size) - min(size)", ["Column1", "Column2"], [2.0, 2]),
        ("buildschema(bag)", ["schema_bag"], [{"a": "long", "list": {"`indexer`": "long"}, "odata.type": "string", "$type": "string", "on": "bool"}]),
        ("count_distinct(size), dcountif(name, size > 1)", ["count_distinct_size", "dcountif_name"], [2, 1]),
        ("max(todatetime(at))", ["max_at"], ["2026-05-02T00:00:00.0000000Z"]),
    ],
)  # fmt: skip
def test_aggregates_and_the_names_of_their_columns(aggregates: str, names: list[str], row: list[Any]) -> None:
    text = f"t | summarize {aggregates}"
    assert list(result(text).columns) == names
    assert values(text) == [[pytest.approx(one) if isinstance(one, float) else one for one in row]]


def test_summarize_by_gives_the_keys_first_and_bins() -> None:
    assert values("t | summarize n = count(), sum(size) by big = size > 1 | order by big asc") == [
        [None, 1, 0],
        [False, 1, 1],
        [True, 1, 3],
    ]
    by_day = "t | where isnotempty(name) | summarize n = count() by bin(todatetime(at), 1d) | order by at asc"
    assert values(by_day) == [["2026-05-01T00:00:00.0000000Z", 1], ["2026-05-02T00:00:00.0000000Z", 1]]
    assert values("t | where size > 100 | summarize count(), sum(size)") == [[0, 0]]
    assert values("t | where size > 100 | summarize count() by name") == []
    assert values("t | summarize by size | count") == [[3]]


def test_nulls_come_first_ascending_and_last_descending_unless_told() -> None:
    sizes = {
        text: [row[0] for row in values(f"t | project size | order by size {text}")]
        for text in ("asc", "desc", "asc nulls last", "desc nulls first", "")
    }
    assert sizes == {
        "asc": [None, 1, 3],
        "desc": [3, 1, None],
        "asc nulls last": [1, 3, None],
        "desc nulls first": [None, 3, 1],
        "": [3, 1, None],
    }
    assert [row[0] for row in values("t | top 1 by size asc nulls last | project size")] == [1]
    assert [row[0] for row in values("t | sort by isnull(size) asc, name desc | project size")] == [1, 3, None]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("mv-expand x = bag.list", [1, 2, 2, None, None]),
        ("mvexpand x = bag.list to typeof(string) | where isnotempty(name)", ["1", "2", "2", ""]),
        ("mv-expand x = bag.list to typeof(long) limit 2", [1, 2, None, None]),
        ("mv-expand with_itemindex=x l = bag.list", [0, 1, 2, 0, 0]),
        ("take 1 | mv-expand x = dynamic({'a': 1, 'b': 2})", [{"a": 1}, {"b": 2}]),
        ("take 1 | mv-expand kind=array x = dynamic({'a': 1})", [["a", 1]]),
        ("take 1 | mv-expand bagexpansion=array x = dynamic({'a': 1})", [["a", 1]]),
        ("take 1 | mv-expand x = dynamic([1, 2]), y = dynamic(['a']) | project x = strcat(x, y)", ["1a", "2"]),
        ("take 1 | mv-expand bag.list | project x = bag_list", [1, 2, 2]),
        ("take 1 | mv-expand x = 5", [5]),
    ],
)
def test_mv_expand(operator: str, expected: list[Any]) -> None:
    assert [row[0] for row in values(f"t | {operator} | project x")] == expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("parse name with word '-' number:long", ["Alpha", 1]),
        ("parse name with * 'p' word '-' number:int", ["ha", 1]),
        ("parse name with word '-' number:long 'x'", ["", None]),
        ("parse kind=regex name with word '[-_]' number:int", ["Alpha", 1]),
        ("parse kind=regex flags=i name with 'ALPH' word '-' number", ["a", "1"]),
        ("parse kind=relaxed name with word '-' number:datetime", ["Alpha", None]),
        ("parse '/a/virtualNetworks/v/subnets/s' with * '/virtualNetworks/' word '/subnets/' number", ["v", "s"]),
        (
            "parse kind=regex '/a/virtualNetworks/v/subnets/s' with '/virtualNetworks/' word '/subnets/' number",
            ["v", "s"],
        ),
    ],
)
def test_parse(operator: str, expected: list[Any]) -> None:
    assert values(f"t | take 1 | {operator} | project word, number") == [expected]


LEFT = "t | where isnotempty(name) | project k = name, l = size"
RIGHT = "(t | where size == 3 | mv-expand x = dynamic([7, 8]) | project k = name, x = toint(x))"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("kind=inner", [["Alpha-1", 3, "Alpha-1", 7], ["Alpha-1", 3, "Alpha-1", 8]]),
        ("", [["Alpha-1", 3, "Alpha-1", 7], ["Alpha-1", 3, "Alpha-1", 8]]),
        ("kind = leftouter", [["Alpha-1", 3, "Alpha-1", 7], ["Alpha-1", 3, "Alpha-1", 8], ["beta 2", 1, "", None]]),
    ],
)
def test_joins(kind: str, expected: list[Any]) -> None:
    assert values(f"{LEFT} | join {kind} {RIGHT} on k | order by k asc, x asc nulls last") == expected
    assert values(f"{LEFT} | join {kind} {RIGHT} on $left.k == $right.k | order by k asc, x asc nulls last") == expected
    assert list(result(f"{LEFT} | join {kind} {RIGHT} on k").columns) == ["k", "l", "k1", "x"]


def test_a_join_on_several_columns_is_written_with_a_comma_or_with_and() -> None:
    right = "(t | project a = name, b = size)"
    for condition in ("$left.k == $right.a and $left.l == $right.b", "$left.k == $right.a, $right.b == $left.l"):
        assert values(f"{LEFT} | join kind=inner {right} on {condition} | count") == [[2]]


def test_innerunique_takes_one_row_of_each_key_from_the_left_and_null_joins_nothing() -> None:
    left = "t | mv-expand x = dynamic([1, 2]) | project k = size, x = toint(x)"
    assert values(f"{left} | join (t | project k = size) on k | count") == [[2]]
    assert values(f"{left} | join kind=inner (t | project k = size) on k | count") == [[4]]
    assert values(f"{left} | join kind=fullouter (t | project k = size) on k | count") == [[4 + 2 + 1]]


def test_union_keeps_all_columns_or_with_inner_the_common_ones_and_names_its_legs() -> None:
    legs = "t | project name, size | union {options} (t | project name, at)"
    assert list(result(legs.format(options="")).columns) == ["name", "size", "at"]
    assert values(legs.format(options="") + " | where isnull(size) | count") == [[4]]
    assert list(result(legs.format(options="kind=inner")).columns) == ["name"]
    named = result("t | project name | union withsource=leg t | summarize count() by leg")
    assert {row["leg"]: row["count_"] for row in named.rows} == {"union_arg0": 3, "t": 3}


def test_columns_that_were_left_out_cannot_be_named_and_do_not_come_back() -> None:
    assert code("t | project name | where size > 1") == "FailedToResolveEntity"
    assert code("t | project-away size | extend x = size") == "FailedToResolveEntity"
    assert values("t | project name | extend size = 5 | where name == 'beta 2'") == [["beta 2", 5]]
    assert values("t | project name | union (t | project name, size) | where isnull(size) | count") == [[4]]
    assert values("t | take 1 | project name | extend p = pack_all()") == [["Alpha-1", {"name": "Alpha-1"}]]
    assert values(
        "t | project name | join kind=inner (t | project name, size) on name | project size | order by size asc"
    ) == [[None], [1], [3]]


def test_distinct_tells_numbers_from_texts() -> None:
    assert values("t | take 1 | mv-expand x = dynamic([1, 1.0, '1', true, null, null]) | distinct x | count") == [[4]]
    assert values("t | distinct name, size | count") == [[3]]
    assert values("t | distinct * | count") == [[3]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t | order by bag.a", "DynamicSortKey"),
        ("t | top 1 by bag", "DynamicSortKey"),
        ("t | summarize count() by bag.a", "DynamicSummarizeKey"),
        ("t | join (t) on bag", "DynamicJoinKey"),
        ("t | where name == 5", "IncomparableTypes"),
        ("t | where size == 'x'", "IncomparableTypes"),
        ("t | extend x = name + 'y'", "InvalidArithmetic"),
        ("t | extend x = nosuch(1)", "FailedToResolveEntity"),
        ("t | project-away nosuch", "FailedToResolveEntity"),
        ("t | extend x = tolower()", "WrongNumberOfArguments"),
        ("t | summarize sumif(size)", "WrongNumberOfArguments"),
        ("t | summarize name", "NotSupported"),
        ("t | where name matches regex '('", "InvalidRegularExpression"),
        ("t | extend x = datetime(2026-13-45)", "InvalidLiteral"),
        ("t | extend x = 99999999999999999999", "InvalidLiteral"),
        ("t | mv-expand x = bag to typeof(nothing)", "UnknownType"),
        ("t | extend x = " + "(" * 60000, "QueryTooComplex"),
        ("t | extend x = " + "1 - (" * 4000 + "1" + ")" * 4000, "QueryTooComplex"),
        ("t | join hint.strategy=broadcast (t) on name", "UnsupportedJoinStrategy"),
        ("t | join (t) on tolower(name)", "UnsupportedJoinCondition"),
        ("t" + " | mv-expand bag.list" * 4, "DisallowedMaxNumberOfMvExpand"),
        ("t | extend x = 'aaaaaaaaaaaaaaaa'" + " | extend x = strcat(x, x)" * 30, "UnexpectedQueryExecutionError"),
        ("t | extend x = dynamic([1])" + " | extend x = array_concat(x, x)" * 40, "UnexpectedQueryExecutionError"),
    ],
)  # fmt: skip
def test_what_kusto_refuses_or_cannot_hold_is_refused(text: str, expected: str) -> None:
    assert code(text) == expected


def test_comments_lines_and_a_semicolon_are_allowed() -> None:
    text = "// all\nt // the table\r\n| where name == 'a // b'\n  or size > 1 // more\n\t| count;"
    assert values(text) == [[1]]


def test_words_of_the_language_can_be_names_of_columns() -> None:
    text = "t | extend count = 1, kind = 'k', limit = 2, by_x = 3, order_id = 4, trueish = 5, dynamic_x = 6 | project count, kind, limit, by_x, order_id, trueish, dynamic_x | take 1"
    assert values(text) == [[1, "k", 2, 3, 4, 5, 6]]
