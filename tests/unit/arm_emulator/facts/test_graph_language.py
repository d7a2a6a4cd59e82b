"""Resource Graph's query language as its documentation has it: operators, functions, limits, casing, names of columns."""

from typing import Any

import orjson
import pytest

from tests.support.arm import Arm, Reply
from tests.unit.arm_emulator.facts.test_graph_queries import VMS, machine

OPERATORS = {
    "count": "count",
    "distinct": "distinct location",
    "extend": "extend a = 1",
    "join": "join (resourcecontainers | project subscriptionId) on subscriptionId",
    "limit": "limit 1",
    "mv-expand": "mv-expand disk = properties.hardware.disks",
    "order": "order by name asc",
    "parse": "parse name with 'vm' number:int",
    "project": "project name",
    "project-away": "project-away name",
    "sort": "sort by name asc",
    "summarize": "summarize count() by location",
    "take": "take 1",
    "top": "top 1 by name",
    "union": "union (resourcecontainers)",
    "where": "where name == 'vm0001'",
}
OTHERS = (
    "serialize",
    "evaluate",
    "project-rename",
    "project-keep",
    "mv-apply",
    "lookup",
    "render",
    "make-series",
    "scan",
)
FUNCTIONS = {
    "tostring": ("tostring(properties.hardware.size)", "2"),
    "tolower": ("tolower('VM')", "vm"),
    "todatetime": ("todatetime('2026-01-02')", "2026-01-02T00:00:00.0000000Z"),
    "todynamic": ("todynamic('[1]')[0]", 1),
    "iff": ("iff(name == 'vm0002', 'a', 'b')", "a"),
    "strcat": ("strcat(name, '/', location)", "vm0002/westeurope"),
    "substring": ("substring(name, 2, 2)", "00"),
    "indexof": ("indexof(name, '2')", 5),
    "isempty": ("isempty(managedBy)", True),
    "isnotempty": ("isnotempty(managedBy)", False),
    "isnull": ("isnull(zones)", True),
    "isnotnull": ("isnotnull(zones)", False),
    "array_length": ("array_length(properties.hardware.disks)", 2),
    "ago": ("ago(1d) < now()", True),
    "hash": ("hash('World')", 1846988464401551951),
}
JOIN = " | join kind=leftouter (resourcecontainers | project subscriptionId) on subscriptionId"
EXPAND = " | mv-expand properties.hardware.disks"


@pytest.fixture(scope="module")
def arm() -> Arm:
    return Arm(estate=[machine(n) for n in range(6)])


def asked(arm: Arm, text: str) -> Reply:
    arm.now += 5
    return arm.query(text)


def rows(arm: Arm, text: str) -> list[dict[str, Any]]:
    answer = asked(arm, text)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["data"]
    return found


def values(arm: Arm, text: str) -> list[Any]:
    return [value for row in rows(arm, text) for value in row.values()]


def refusal(arm: Arm, text: str) -> str:
    answer = asked(arm, text)
    assert (answer.status, answer.code) == (400, "BadRequest")
    return str(answer.body["error"]["details"][-1]["code"])


# -- operators and functions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_operator_of_the_documentation_is_taken(arm: Arm, operator: str) -> None:
    assert asked(arm, f"resources | {OPERATORS[operator]}").status == 200


@pytest.mark.parametrize("operator", OTHERS)
def test_an_operator_of_kusto_that_the_documentation_lacks_is_refused(arm: Arm, operator: str) -> None:
    assert refusal(arm, f"resources | {operator} x = name") == "InvalidQueryLanguage"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_that_queries_use_is_there(arm: Arm, function: str) -> None:
    call, expected = FUNCTIONS[function]
    assert values(arm, f"{VMS} | where name == 'vm0002' | project found = {call}") == [expected]


def test_dcount_counts_different_values(arm: Arm) -> None:
    assert values(arm, f"{VMS} | summarize dcount(location)") == [2]


def test_make_set_lists_different_values(arm: Arm) -> None:
    (found,) = values(arm, f"{VMS} | summarize make_set(location)")
    assert sorted(found) == ["eastus", "westeurope"]


def test_pack_all_makes_an_object_of_all_columns(arm: Arm) -> None:
    (found,) = values(arm, f"{VMS} | where name == 'vm0002' | project name, location | project pack_all()")
    packed = orjson.loads(found) if isinstance(found, str) else found
    assert packed == {"name": "vm0002", "location": "westeurope"}


# -- joins, unions, expansions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "count"), [("", 1), ("kind=innerunique", 1), ("kind=inner", 6)])
def test_a_join_is_innerunique_unless_it_says_otherwise(arm: Arm, kind: str, count: int) -> None:
    right = "(resourcecontainers | where type endswith 'resourcegroups' | project subscriptionId)"
    assert len(rows(arm, f"{VMS} | join {kind} {right} on subscriptionId")) == count


@pytest.mark.parametrize("kind", ["innerunique", "inner", "leftouter", "fullouter"])
def test_each_of_the_four_kinds_of_join_is_taken(arm: Arm, kind: str) -> None:
    assert asked(arm, f"resources | join kind={kind} (resourcecontainers) on subscriptionId").status == 200


def test_a_query_has_three_joins_at_most(arm: Arm) -> None:
    text = "resources | take 1 | project subscriptionId"
    assert asked(arm, text + JOIN * 3).status == 200
    assert refusal(arm, text + JOIN * 4) == "DisallowedMaxNumberOfJoins"


def test_another_table_is_joined_once_at_most(arm: Arm) -> None:
    network = " | join kind=leftouter (networkresources | project id) on id"
    assert asked(arm, "resources | project id" + network).status == 200
    assert refusal(arm, "resources | project id" + network * 2) == "DisallowedMaxNumberOfRemoteTables"


def test_duplicate_columns_of_a_join_get_the_suffix_1(arm: Arm) -> None:
    right = "(resourcecontainers | project subscriptionId, name)"
    (row,) = rows(arm, f"resources | project subscriptionId, name | join {right} on subscriptionId | take 1")
    assert list(row) == ["subscriptionId", "name", "subscriptionId1", "name1"]


def test_a_union_has_three_legs_at_most(arm: Arm) -> None:
    assert asked(arm, "resources | union (resources), (resources)").status == 200
    assert refusal(arm, "resources | union (resources), (resources), (resources)") == "DisallowedMaxNumberOfUnionLegs"


def test_a_query_has_three_mv_expands_at_most(arm: Arm) -> None:
    assert asked(arm, VMS + EXPAND * 3).status == 200
    assert refusal(arm, VMS + EXPAND * 4) == "DisallowedMaxNumberOfMvExpand"


@pytest.mark.parametrize(("limit", "count"), [("", 128), (" limit 400", 400), (" limit 1000", 400)])
def test_mv_expand_gives_128_rows_a_record_and_400_at_most_and_cuts_silently(limit: str, count: int) -> None:
    arm = Arm(estate=[machine(1, many=list(range(500)))])
    assert values(arm, f"resources | mv-expand x = properties.many{limit} | count") == [count]


# -- casing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("name =~ 'VM0001'", 1),
        ("name in~ ('VM0001')", 1),
        ("name has 'VM0001'", 1),
        ("name contains 'VM000'", 6),
        ("name == 'VM0001'", 0),
        ("name in ('VM0001')", 0),
    ],
)
def test_equals_tilde_in_tilde_has_and_contains_ignore_case_and_double_equals_does_not(
    arm: Arm, condition: str, count: int
) -> None:
    assert values(arm, f"{VMS} | where {condition} | count") == [count]


def test_names_of_properties_heed_case(arm: Arm) -> None:
    assert values(arm, f"{VMS} | where isnotnull(properties.vmId) | count") == [6]
    assert values(arm, f"{VMS} | where isnotnull(properties.VmId) | count") == [0]


def test_a_query_without_a_table_is_of_resources(arm: Arm) -> None:
    assert values(arm, "count") == values(arm, "resources | count")


# -- names of columns --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("properties.hardware.size", "properties_hardware_size"),
        ("tostring(properties.hardware.size)", "properties_hardware_size"),
        ("properties.vmId", "properties_vmId"),
    ],
)
def test_a_projected_path_names_its_column_with_underscores(arm: Arm, expression: str, name: str) -> None:
    assert list(rows(arm, f"{VMS} | project {expression} | take 1")[0]) == [name]


def test_an_expanded_path_names_its_column_with_underscores(arm: Arm) -> None:
    text = f"{VMS} | where name == 'vm0002' | mv-expand disk = properties.hardware.disks | project disk.lun"
    assert list(rows(arm, text)[0]) == ["disk_lun"]


def test_summarize_count_names_its_column_count_underscore(arm: Arm) -> None:
    assert list(rows(arm, f"{VMS} | summarize count()")[0]) == ["count_"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("summarize count() by {}", "DynamicSummarizeKey"),
        ("order by {} asc", "DynamicSortKey"),
        ("extend k = {} | join (resources | extend k = properties.vmId) on k", "DynamicJoinKey"),
    ],
)
def test_keys_of_groups_sorts_and_joins_are_scalars_by_tostring(arm: Arm, text: str, code: str) -> None:
    assert refusal(arm, f"{VMS} | {text.format('properties.vmId')}") == code
    if code != "DynamicJoinKey":
        assert asked(arm, f"{VMS} | {text.format('tostring(properties.vmId)')}").status == 200


def test_partitions_by_hash_hold_every_row_once(arm: Arm) -> None:
    parts = [values(arm, f"{VMS} | where hash(tolower(id)) % 3 in ({n}, {n - 3}) | project name") for n in (1, 2)]
    parts.append(values(arm, f"{VMS} | where hash(tolower(id)) % 3 == 0 | project name"))
    assert sorted(name for part in parts for name in part) == sorted(values(arm, f"{VMS} | project name"))
