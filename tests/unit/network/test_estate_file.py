from io import BytesIO

import orjson
import pytest

from bastion_operator.network.estate_file import EstateFileError, read_estate_file, read_estate_stream
from bastion_operator.network.held_row import ReadRow, key_of, row_of
from tests.support.estates import same_vnet

ROWS = same_vnet()


@pytest.mark.parametrize(
    "content",
    [
        orjson.dumps(ROWS),
        orjson.dumps({"data": ROWS, "count": 5, "total_records": 5}),
        orjson.dumps({"value": ROWS}),
        b"\xef\xbb\xbf" + orjson.dumps(ROWS),
        orjson.dumps(ROWS).decode().encode("utf-16"),
        b"\n".join(map(orjson.dumps, ROWS)) + b"\n\n",
        orjson.dumps(ROWS[:2]) + b"\n" + orjson.dumps({"data": ROWS[2:]}),
        orjson.dumps({"data": {"columns": [{"name": key, "type": "object"} for key in ROWS[0]], "rows": [[row[key] for key in ROWS[0]] for row in ROWS]}}),
    ],
    ids=["list", "graph", "ARM list", "byte order mark", "UTF-16", "JSON lines", "lines of documents", "table form"],
)  # fmt: skip
def test_azures_own_forms_are_read(content: bytes) -> None:
    assert [row_of(each) for each in read_estate_file("estate.json", content).rows] == ROWS
    streamed = read_estate_stream("estate.json", BytesIO(content)).rows
    assert sorted(map(str, map(row_of, streamed))) == sorted(map(str, ROWS))


def test_of_a_list_what_there_is_much_of_is_not_kept_as_objects() -> None:
    held = read_estate_file("f.json", orjson.dumps({"data": ROWS})).rows
    kinds = {each.kind for each in held if isinstance(each, ReadRow)}
    assert kinds == {"microsoft.compute/virtualmachines", "microsoft.network/networkinterfaces"}


@pytest.mark.parametrize("broken", [b"NaN", b'"\xff"', b'{"a" 1}'], ids=["NaN", "no UTF-8", "no colon"])
def test_a_list_with_something_that_is_no_json_is_told_so(broken: bytes) -> None:
    with pytest.raises(EstateFileError, match="is no JSON"):
        read_estate_file(
            "f.json", b'{"data": [' + orjson.dumps(ROWS[0]) + b', {"id": "/a/b", "tags": ' + broken + b"}]}"
        )


def test_json_lines_may_be_longer_than_a_document_and_are_not_kept_as_objects() -> None:
    lines = b"\n" + b"\n\n".join(map(orjson.dumps, ROWS))
    largest = max(len(orjson.dumps(row)) for row in ROWS) + 1
    held = read_estate_stream("f.json", BytesIO(lines), largest).rows
    assert len(lines) > 2 * largest
    assert {key_of(each) for each in held} == {row["id"].lower() for row in ROWS}
    assert any(each not in ROWS for each in held)


@pytest.mark.parametrize(
    "content",
    [orjson.dumps(ROWS), orjson.dumps(ROWS, option=orjson.OPT_INDENT_2), orjson.dumps(ROWS).decode().encode("utf-16")],
    ids=["one line", "many lines", "UTF-16"],
)
def test_one_document_that_is_too_large_is_told_so(content: bytes) -> None:
    assert read_estate_stream("f.json", BytesIO(content), len(content)).rows
    with pytest.raises(EstateFileError, match="one JSON document of more than") as told:
        read_estate_stream("f.json", BytesIO(content), len(content) - 1)
    assert "JSON lines" in str(told.value)


def test_one_resource_alone_is_an_estate_and_an_empty_list_too() -> None:
    assert read_estate_file("one.json", orjson.dumps(ROWS[0])).rows == (ROWS[0],)
    assert read_estate_file("none.json", b"[]").rows == ()


def test_a_page_of_a_longer_answer_says_how_long_the_answer_is() -> None:
    content = orjson.dumps({"data": ROWS, "total_records": 4711})
    assert read_estate_file("page.json", content).total == 4711


def test_an_arm_list_says_whether_a_next_page_follows() -> None:
    first = read_estate_file(
        "first.json", orjson.dumps({"value": ROWS[:2], "nextLink": "https://management.azure.com/x"})
    )
    last = read_estate_file("last.json", orjson.dumps({"value": ROWS[2:], "nextLink": ""}))
    assert [(file.lists, file.continued) for file in (first, last)] == [(1, 1), (1, 0)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "f.json is empty"),
        (b"resources: none", "f.json is no JSON"),
        (b'[{"id": "/subscriptions/s"', "f.json is no JSON"),
        (b'{"id": "/subscriptions/s"}\n{"id": ', "f.json, line 2 is no JSON"),
        (b"42", "f.json holds a number"),
        (b'{"kind": "List"}', "neither a list in data or value nor an id"),
        (b'[{"id": "/subscriptions/s"}, 7]', "f.json, row 2 is a number"),
        (b'[{"name": "x"}]', "f.json, row 1, field id: it is missing"),
        (b'[{"id": "x"}]', "f.json, row 1, field id: it is 'x'"),
        (b'[{"id": "/subscriptions/s", "properties": []}]', "f.json, row 1, field properties: it is a list"),
        (b'[{"id": "/subscriptions/s", "type": 5}]', "f.json, row 1, field type: it is a number"),
        (
            b'{"error": {"code": "AuthorizationFailed", "message": "no"}}',
            "an error that Azure answered, AuthorizationFailed",
        ),
        (b"\xff\xfe[\x00]", "it begins as UTF-16 and cannot be read"),
        (b'{"data": {"rows": [[1]]}}', "field data.columns"),
    ],
)
def test_what_is_no_estate_is_refused_with_file_row_and_field(content: bytes, message: str) -> None:
    with pytest.raises(EstateFileError) as caught:
        read_estate_file("f.json", content)
    assert message in str(caught.value)
    with pytest.raises(EstateFileError) as streamed:
        read_estate_stream("f.json", BytesIO(content))
    assert str(streamed.value) == str(caught.value)
