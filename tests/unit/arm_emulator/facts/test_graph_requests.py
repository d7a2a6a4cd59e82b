"""Requests to Resource Graph: versions, options, pages, facets and errors."""

import base64
from typing import Any

import orjson
import pytest

from tests.support.arm import OTHER_SUB, SUB, Arm, Reply
from tests.unit.arm_emulator.facts.test_graph_queries import machine

GRAPH = "/providers/Microsoft.ResourceGraph/resources"
ADVICE = "Please provide below info when asking for support: timestamp = "
IDS = "resources | project id, name | order by id asc"


@pytest.fixture(scope="module")
def arm() -> Arm:
    return Arm(estate=[machine(n) for n in range(120)])


def asked(arm: Arm, text: str, *, version: str = "2024-04-01", **body: Any) -> Reply:
    arm.now += 5
    reply = arm.call("POST", GRAPH, {"query": text, **body}, version=version)
    if reply.raw is not None:
        reply.body = orjson.loads(reply.raw)
    return reply


def details(reply: Reply) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = reply.body["error"]["details"]
    return found


# -- versions and options ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "rows"),
    [("2019-04-01", 100), ("2020-04-01-preview", 100), ("2021-03-01", 100), ("2021-06-01-preview", 100), ("2022-10-01", 120), ("2024-04-01", 120)],
)  # fmt: skip
def test_without_top_a_hundred_rows_are_answered_up_to_2021_and_a_thousand_since(
    arm: Arm, version: str, rows: int
) -> None:
    assert asked(arm, IDS, version=version, subscriptions=[SUB]).body["count"] == rows


def test_the_first_version_answers_tables_unless_asked_and_needs_subscriptions(arm: Arm) -> None:
    assert list(asked(arm, IDS, version="2019-04-01", subscriptions=[SUB]).body["data"]) == ["columns", "rows"]
    options = {"resultFormat": "objectArray"}
    assert isinstance(asked(arm, IDS, version="2019-04-01", subscriptions=[SUB], options=options).body["data"], list)
    assert asked(arm, IDS, version="2019-04-01").status == 400


def test_an_answer_has_the_recorded_members_and_says_truncated_as_a_text(arm: Arm) -> None:
    body = asked(arm, f"{IDS} | project id", options={"$top": 3}).body
    assert list(body) == ["totalRecords", "count", "data", "facets", "resultTruncated", "$skipToken"]
    assert (body["totalRecords"], body["count"], body["facets"], body["resultTruncated"]) == (120, 3, [], "false")


def test_the_skip_token_holds_a_place_and_a_size_and_no_snapshot(arm: Arm) -> None:
    token = asked(arm, IDS, options={"$top": 3, "$skip": 5}).body["$skipToken"]
    content = base64.b64decode(token).decode()
    assert content.startswith(
        '{\r\n  "$id": "1",\r\n  "MaxRows": 3,\r\n  "RowsToSkip": 8,\r\n  "KustoClusterUrl": "https://'
    )
    page = asked(arm, IDS, options={"$skipToken": token}).body
    assert [row["name"] for row in page["data"]] == ["vm0008", "vm0009", "vm0010"]


def test_top_and_skip_override_the_token(arm: Arm) -> None:
    token = asked(arm, IDS, options={"$top": 3}).body["$skipToken"]
    page = asked(arm, IDS, options={"$skipToken": token, "$top": 2, "$skip": 50}).body
    assert [row["name"] for row in page["data"]] == ["vm0050", "vm0051"]


@pytest.mark.parametrize(
    ("query", "version", "token"),
    [
        ("resources | project id | limit 50", "2024-04-01", False),
        ("resources | project id | take 50", "2024-04-01", False),
        ("resources | project id | sample 50", "2024-04-01", False),
        ("resources | project id | top 50 by id", "2024-04-01", True),
        ("resources | project properties, tags", "2024-04-01", False),
        ("resources | project name", "2024-04-01", True),
        ("resources | project name", "2021-03-01", False),
        ("resources | project id", "2021-03-01", True),
    ],
)
def test_there_is_no_token_after_a_limit_nor_without_a_column_to_page_by(
    arm: Arm, query: str, version: str, token: bool
) -> None:
    body = asked(arm, query, version=version, options={"$top": 10}).body
    assert ("$skipToken" in body, body["resultTruncated"]) == (token, "false" if token else "true")


def test_a_result_that_hangs_on_the_clock_is_not_kept() -> None:
    arm = Arm()
    text = "resources | union (resourcecontainers | take 1) | project t = now (), u = ago (1h) | distinct t, u"
    first = arm.query(text).body["data"]
    arm.now += 60
    assert arm.query(text).body["data"] != first


def test_skip_does_not_work_with_limit(arm: Arm) -> None:
    body = asked(arm, f"{IDS} | limit 4", options={"$skip": 2}).body
    assert (body["totalRecords"], body["count"]) == (4, 4)


def test_tables_have_columns_with_the_types_of_the_specification(arm: Arm) -> None:
    text = "resources | take 1 | project name, n = 1, r = 1.5, b = true, p = properties, t = now(), s = 1h"
    data = asked(arm, text, options={"resultFormat": "table"}).body["data"]
    kinds = {column["name"]: column["type"] for column in data["columns"]}
    assert kinds == {
        "name": "string",
        "n": "integer",
        "r": "number",
        "b": "boolean",
        "p": "object",
        "t": "datetime",
        "s": "string",
    }
    older = asked(arm, text, version="2021-03-01", options={"resultFormat": "table"}).body["data"]
    assert older["columns"][5] == {"name": "t", "type": "string"}
    empty = asked(arm, "resources | where false | project id, tags", options={"resultFormat": "Table"}).body["data"]
    assert empty == {"columns": [{"name": "id", "type": "string"}, {"name": "tags", "type": "object"}], "rows": []}


@pytest.mark.parametrize(
    "body",
    [
        {"options": []}, {"options": {"$top": 0}}, {"options": {"$top": 1001}}, {"options": {"$top": "5"}}, {"options": {"$top": True}},
        {"options": {"$skip": -1}}, {"options": {"$skipToken": "x"}}, {"options": {"$skipToken": base64.b64encode(b"[]").decode()}},
        {"options": {"resultFormat": "csv"}}, {"options": {"allowPartialScopes": "yes"}}, {"options": {"authorizationScopeFilter": "AtScope"}},
        {"subscriptions": "x"}, {"subscriptions": [1]}, {"subscriptions": [f"s{n}" for n in range(1001)]}, {"managementGroups": {}},
        {"subscriptions": [SUB], "managementGroups": ["m"]}, {"facets": {}}, {"facets": [{}]}, {"facets": [{"expression": "name", "options": []}]},
        {"facets": [{"expression": "name", "options": {"$top": 0}}]}, {"facets": [{"expression": "name", "options": {"sortOrder": "up"}}]},
    ],
)  # fmt: skip
def test_requests_that_break_the_specification_are_refused_in_the_graphs_form(arm: Arm, body: dict[str, Any]) -> None:
    reply = asked(arm, IDS, **body)
    assert (reply.status, reply.code) == (400, "BadRequest")
    assert reply.message.startswith(ADVICE)
    assert details(reply)[0]["code"] in ("InvalidQueryOption", "TooManySubscriptions", "InvalidScope")
    assert reply.headers["x-ms-user-quota-remaining"] == "14"


@pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": " \n"}, {"query": 5}])
def test_a_request_without_a_query_ends_too_early(arm: Arm, body: dict[str, Any]) -> None:
    arm.now += 5
    reply = arm.call("POST", GRAPH, body, version="2024-04-01")
    assert (reply.status, details(reply)[1]["token"]) == (400, "<EOF>")


@pytest.mark.parametrize("body", [[1], "x", None])
def test_a_body_that_is_no_object_tells_the_quota_too(arm: Arm, body: object) -> None:
    arm.now += 5
    reply = arm.call("POST", GRAPH, body, version="2024-04-01")
    assert reply.status == 400
    assert reply.headers["x-ms-user-quota-remaining"] == "14"
    assert reply.headers["x-ms-user-quota-resets-after"] == "00:00:05"


def test_a_body_that_is_not_said_to_be_json_ends_in_500(arm: Arm) -> None:
    for kind, status in (("text/plain", 500), ("application/json; charset=utf-8", 200), ("application/xml", 500)):
        arm.now += 5
        reply = arm.call("POST", GRAPH, {"query": "count"}, version="2024-04-01", headers={"Content-Type": kind})
        assert reply.status == status


def test_the_operations_of_the_provider_are_listed_and_what_is_unknown_below_it_is_404(arm: Arm) -> None:
    listed = arm.call("GET", "/providers/microsoft.resourcegraph/operations", version="2024-04-01").body["value"]
    assert [one["name"] for one in listed] == [
        "Microsoft.ResourceGraph/operations/read",
        "Microsoft.ResourceGraph/resources/read",
    ]
    history = arm.call(
        "POST", "/providers/Microsoft.ResourceGraph/resourcesHistory", {"query": "x"}, version="2024-04-01"
    )
    assert (history.status, history.code) == (404, "InvalidResourceType")
    assert arm.call("GET", GRAPH, version="2024-04-01").status == 405


# -- errors of queries -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "failures"),
    [
        ("where where", [{"line": 1, "characterPositionInLine": 11, "token": "<EOF>", "expectedToken": "\u01cf"}]),
        ("resources | where name = 'x'", [{"line": 1, "characterPositionInLine": 23, "token": "="}]),
        ("resources\n| where type has 'a'\n  | wher name == 'b'", [{"line": 3, "characterPositionInLine": 4, "token": "wher"}]),
        ("resources\r\n| project", [{"line": 2, "characterPositionInLine": 9, "token": "<EOF>", "expectedToken": "\u01cf"}]),
        ("resources | project\n< name", [{"line": 2, "token": "<"}]),
        ("resources | where a ? b", [{"line": 1, "characterPositionInLine": 20, "token": "?"}]),
        ("resources | where name == 'x", [{"expectedToken": "'"}]),
        (
            "Resources | where resourceGroup =~ DEV-T24' and type contains 'Microsoft.Network'",
            [{"expectedToken": "'"}, {"line": 1, "characterPositionInLine": 42, "token": "' and type contains '"}],
        ),
    ],
)  # fmt: skip
def test_the_place_of_a_syntax_error_is_told_as_azure_tells_it(
    arm: Arm, query: str, failures: list[dict[str, Any]]
) -> None:
    reply = asked(arm, query)
    assert (reply.status, reply.code) == (400, "BadRequest")
    assert details(reply)[0]["code"] == "InvalidQuery"
    assert details(reply)[1:] == [{"code": "ParserFailure", "message": "ParserFailure", **one} for one in failures]


def test_an_operator_of_kusto_that_the_graph_lacks_is_named_without_a_place(arm: Arm) -> None:
    for operator in ("serialize", "evaluate", "project-rename", "project-keep", "mv-apply", "lookup", "render"):
        assert details(asked(arm, f"resources\n| {operator} x = name"))[1:] == [
            {"code": "InvalidQueryLanguage", "message": "InvalidQueryLanguage", "line": -1, "characterPositionInLine": -1, "token": operator}
        ]  # fmt: skip
    assert details(asked(arm, "let x = 5; resources | take 1"))[1]["token"] == "let"


def test_a_table_that_there_is_not_is_disallowed(arm: Arm) -> None:
    assert details(asked(arm, "NoResources | take 1")) == [
        {"code": "DisallowedLogicalTableName", "message": "Table NoResources is invalid, unsupported or disallowed."}
    ]


def test_flavors_of_join_that_the_graph_lacks_are_named_as_kusto_names_them(arm: Arm) -> None:
    for kind, name in (("leftsemi", "LeftSemi"), ("leftanti", "LeftAnti"), ("rightouter", "RightOuter")):
        assert details(asked(arm, f"resources | join kind={kind} (resources) on id"))[1] == {
            "code": "UnsupportedJoinFlavor",
            "message": f'The join kind "{name}" is not supported or not allowed.',
        }


def test_names_of_tables_ignore_case_and_the_default_is_resources(arm: Arm) -> None:
    for text in (
        "count",
        "Resources | count",
        "RESOURCES | count",
        "where type =~ 'Microsoft.Compute/virtualMachines' | count",
    ):
        assert asked(arm, text).body["data"] == [{"Count": 120}]
    for table in (
        "AdvisorResources",
        "HealthResources",
        "SecurityResources",
        "servicehealthresources",
        "PolicyResources",
    ):
        assert asked(arm, f"{table} | count").body["data"] == [{"Count": 0}]


def test_the_version_that_rows_come_from_is_a_column_that_is_answered_only_when_named(arm: Arm) -> None:
    assert "apiVersion" not in asked(arm, "resources | take 1").body["data"][0]
    assert asked(arm, "resources | distinct type, apiVersion").body["data"] == [
        {"type": "microsoft.compute/virtualmachines", "apiVersion": "2026-04-01"}
    ]


# -- facets ------------------------------------------------------------------------------------------------------


def test_facets_count_the_values_of_the_whole_result(arm: Arm) -> None:
    wanted = [
        {"expression": "location", "options": {"sortOrder": "desc", "$top": 1}},
        {"expression": "properties.hardware.size", "options": {"sortBy": "properties_hardware_size", "sortOrder": "asc", "$top": 2}},
        {"expression": "nonExistingColumn", "options": {"$top": 3}},
        {"expression": "name", "options": {"filter": "name endswith '7'", "sortBy": "tolower(name)", "sortOrder": "asc", "$top": 2}},
        {"expression": "location, name", "options": {"filter": "name == 'vm0001'"}},
        {"expression": "name", "options": {"filter": "name ="}},
    ]  # fmt: skip
    text = "resources | project id, name, location, toint(properties.hardware.size) | order by id asc"
    body = asked(arm, text, facets=wanted, options={"$top": 1}).body
    assert body["count"] == 1
    assert body["facets"][:5] == [
        {"expression": "location", "resultType": "FacetResult", "totalRecords": 2, "count": 1, "data": [{"location": "westeurope", "count": 60}]},
        {
            "expression": "properties.hardware.size", "resultType": "FacetResult", "totalRecords": 120, "count": 2,
            "data": [{"properties_hardware_size": 0, "count": 1}, {"properties_hardware_size": 1, "count": 1}],
        },
        {
            "expression": "nonExistingColumn", "resultType": "FacetError",
            "errors": [
                {"code": "NoValidColumns", "message": "No valid columns in facet expression."},
                {"code": "InvalidColumnNames", "message": "Invalid column names: [nonExistingColumn]."},
            ],
        },
        {
            "expression": "name", "resultType": "FacetResult", "totalRecords": 12, "count": 2,
            "data": [{"name": "vm0007", "count": 1}, {"name": "vm0017", "count": 1}],
        },
        {
            "expression": "location, name", "resultType": "FacetResult", "totalRecords": 1, "count": 1,
            "data": [{"location": "eastus", "name": "vm0001", "count": 1}],
        },
    ]  # fmt: skip
    assert body["facets"][5]["resultType"] == "FacetError"
    assert body["facets"][5]["errors"][0]["characterPositionInLine"] == 5


def test_facets_come_as_tables_where_the_rows_do(arm: Arm) -> None:
    body = asked(
        arm, "resources | project location", facets=[{"expression": "location"}], options={"resultFormat": "table"}
    ).body
    assert body["facets"][0]["data"]["columns"] == [
        {"name": "location", "type": "string"},
        {"name": "count", "type": "integer"},
    ]


# -- facts of requests and answers -------------------------------------------------------------------------------


def test_without_a_scope_the_whole_tenant_is_searched() -> None:
    other = {**machine(2), "id": machine(2)["id"].replace(SUB, OTHER_SUB)}
    arm = Arm(estate=[machine(1), other])
    assert asked(arm, "resources | count").body["data"] == [{"Count": 2}]
    assert asked(arm, "resources | count", subscriptions=[SUB]).body["data"] == [{"Count": 1}]


@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 400)])
def test_a_list_of_subscriptions_has_1000_entries_at_most(arm: Arm, count: int, status: int) -> None:
    many = [SUB, *(f"00000000-0000-0000-0001-{n:012}" for n in range(count - 1))]
    assert asked(arm, "count", subscriptions=many).status == status


@pytest.mark.parametrize(("top", "status"), [(0, 400), (1, 200), (1000, 200), (1001, 400)])
def test_top_is_1_to_1000(arm: Arm, top: int, status: int) -> None:
    assert asked(arm, IDS, options={"$top": top}).status == status


def test_the_result_format_is_an_array_of_objects_unless_a_table_is_asked_for(arm: Arm) -> None:
    assert isinstance(asked(arm, f"{IDS} | take 1").body["data"], list)
    assert list(asked(arm, f"{IDS} | take 1", options={"resultFormat": "table"}).body["data"]) == ["columns", "rows"]


def test_result_truncated_is_the_text_false_where_a_token_leads_to_more(arm: Arm) -> None:
    body = asked(arm, IDS, options={"$top": 3}).body
    assert (body["resultTruncated"], "$skipToken" in body) == ("false", True)


def test_result_truncated_is_the_text_true_where_the_result_was_cut_and_no_token_is_there(arm: Arm) -> None:
    body = asked(arm, "resources | project id | limit 50", options={"$top": 10}).body
    assert (body["resultTruncated"], "$skipToken" in body) == ("true", False)


def test_the_total_of_a_limited_query_is_the_limit(arm: Arm) -> None:
    assert asked(arm, f"{IDS} | limit 2").body["totalRecords"] == 2


@pytest.mark.parametrize("name", ["project", "resources", "where"])
def test_a_syntax_error_is_bad_request_with_invalid_query_and_parser_failure(arm: Arm, name: str) -> None:
    reply = asked(arm, f"resources | {name} |")
    assert (reply.status, reply.code, reply.message.startswith(ADVICE)) == (400, "BadRequest", True)
    assert [one["code"] for one in details(reply)] == ["InvalidQuery", "ParserFailure"]
