import orjson
import pytest

from bastion_operator.network.estate_file import EstateFileError, read_estate_file
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
    assert list(read_estate_file("estate.json", content).rows) == ROWS


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
