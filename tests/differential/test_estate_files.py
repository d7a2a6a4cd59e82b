"""Files that are estates and files that are none: the engine's reader and the local Azure's take and refuse the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from arm_emulator.estate import EstateError, read
from bastion_operator.network.estate_file import EstateFileError, read_estate_file
from bastion_operator.network.held_row import row_of
from tests.support.estates import same_vnet

ROWS = same_vnet()
COLUMNS = list(ROWS[0])
TABLE = {"columns": [{"name": one} for one in COLUMNS], "rows": [[row[one] for one in COLUMNS] for row in ROWS]}
LINES = b"\n".join(json.dumps(row).encode() for row in ROWS)


def written(document: Any) -> bytes:
    return json.dumps(document).encode()


GOOD = {
    "a list": written(ROWS),
    "Resource Graph's answer": written({"data": ROWS, "count": len(ROWS)}),
    "an ARM list": written({"value": ROWS}),
    "Resource Graph's table": written({"data": TABLE}),
    "JSON lines": LINES,
    "lines of pages": written(ROWS[:2]) + b"\n" + written({"value": ROWS[2:]}),
    "a byte order mark": b"\xef\xbb\xbf" + written(ROWS),
    "UTF-16": json.dumps(ROWS).encode("utf-16"),
}
BAD_FILES = {
    "empty": b"",
    "blank": b" \n",
    "no JSON": b"resources: none",
    "half a list": written(ROWS)[:-9],
    "a number": b"42",
    "a table without columns": written({"data": {"rows": [[1]]}}),
    "an error": written({"error": {"code": "AuthorizationFailed", "message": "no"}}),
    "half of UTF-16": b"\xff\xfe[\x00]",
}
GOOD_FIELDS: list[tuple[str, Any]] = [
    ("type", None), ("name", None), ("location", None), ("location", ""), ("tags", None), ("tags", {}), ("tags", {"a": "b"}),
    ("sku", None), ("sku", {"name": "Standard"}), ("identity", {"type": "SystemAssigned"}), ("zones", []), ("zones", ["1"]),
    ("zones", None), ("properties", None), ("properties", {}), ("extra", 7),
]  # fmt: skip
BAD_FIELDS: list[tuple[str, Any]] = [
    ("id", None), ("id", 5), ("id", "x"), ("type", 5), ("name", ["a"]), ("location", 3), ("location", {}), ("tags", [1]),
    ("tags", "a=b"), ("sku", 3), ("sku", "Standard"), ("identity", "SystemAssigned"), ("identity", []), ("zones", "1"),
    ("zones", {"1": 2}), ("properties", []), ("properties", "x"), ("tags", False), ("sku", 0), ("zones", ""),
]  # fmt: skip


def put(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "estate.json"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_both_read_the_same_rows(content: bytes, tmp_path: Path) -> None:
    assert read(put(tmp_path, content)) == ROWS
    assert [row_of(held) for held in read_estate_file("estate.json", content).rows] == ROWS


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_both_refuse_what_holds_no_rows(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(EstateError, match=r"estate\.json"):
        read(put(tmp_path, content))
    with pytest.raises(EstateFileError, match=r"estate\.json"):
        read_estate_file("estate.json", content)


@pytest.mark.parametrize(("field", "value"), GOOD_FIELDS, ids=str)
def test_both_take_a_row_of_this_field(field: str, value: Any, tmp_path: Path) -> None:
    rows = [ROWS[0], {**ROWS[1], field: value}]
    assert read(put(tmp_path, written(rows))) == rows
    assert [row_of(held) for held in read_estate_file("estate.json", written(rows)).rows] == rows


@pytest.mark.parametrize("form", [written, lambda rows: b"\n".join(map(written, rows))], ids=["a list", "JSON lines"])
@pytest.mark.parametrize(("field", "value"), BAD_FIELDS, ids=str)
def test_both_name_file_row_and_field(form: Any, field: str, value: Any, tmp_path: Path) -> None:
    content = form([ROWS[0], {**ROWS[1], field: value}])
    with pytest.raises(EstateError, match=rf"estate\.json: row 2: field {field}: "):
        read(put(tmp_path, content))
    with pytest.raises(EstateFileError, match=rf"estate\.json, row 2, field {field}: "):
        read_estate_file("estate.json", content)
