"""The format of estate files: Azure's own JSON, as a list of resources or as its tools wrap one. Bytes in, rows out.

Read are a JSON list, an answer of Resource Graph or an ARM list (``data`` or ``value``, also in the graph's table form), a
single resource, and JSON lines of any of these. JSON lines are read one by one and their rows are packed, so that a file
of them may be larger than the memory. Anything else is read as a whole, and the rows of a list one after the other: as
objects, all of them together would take five times as much memory as the file.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, Final

import msgspec
import orjson

from bastion_operator.network.fields import kind_of
from bastion_operator.network.held_row import Held, hold, hold_text

_HOW: Final = "give a list of ARM resources with their properties, or the answer of az graph query"
_ANEW: Final = "if it is half a file, write it anew; if it is of another kind, " + _HOW
_WRAPPERS: Final = ("data", "value")
_TOTALS: Final = ("totalRecords", "total_records")
_NEXT: Final = "nextLink"
_FIELDS: Final = (
    ("type", str),
    ("name", str),
    ("properties", dict),
    ("location", str),
    ("tags", dict),
    ("sku", dict),
    ("identity", dict),
    ("zones", list),
)
_KINDS: Final = {str: "a text", dict: "an object", list: "a list"}
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MEGABYTE: Final = 1024 * 1024
_PACKED_TOGETHER: Final = 1_000
LARGEST_DOCUMENT: Final = 600 * _MEGABYTE
"""Bytes of JSON that are read as a whole. Parsed they take several times as much memory."""


class EstateFileError(ValueError):
    """A file that does not hold ARM resources.

    :ivar what: names file, row and field
    :ivar remedy: what to do about it
    """

    def __init__(self, what: str, remedy: str = _HOW) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class EstateFile:
    """The rows of a file. ``total`` is how many there are in all where the file says that it is one page of several.

    ``lists`` is how many ARM lists (``value``) it holds, ``continued`` how many of these say that a next page follows.
    """

    name: str
    rows: tuple[Held, ...]
    total: int | None = None
    lists: int = 0
    continued: int = 0


def read_estate_file(name: str, content: bytes) -> EstateFile:
    """The resources that a file holds. ``name`` is for messages only.

    Raises EstateFileError.
    """
    content = _as_utf8(name, content)
    if not content[:1].strip() and not content.strip():
        raise EstateFileError(f"{name} is empty")
    return _row_by_row(name, content) or _gathered(name, _documents(name, content), iter)


_Texts = list[msgspec.Raw] | msgspec.UnsetType


class _Answer(msgspec.Struct):
    """An answer of Resource Graph or an ARM list with the texts of its rows."""

    data: _Texts = msgspec.UNSET
    value: _Texts = msgspec.UNSET
    total: Any = msgspec.field(default=None, name=_TOTALS[0])
    total_by_az: Any = msgspec.field(default=None, name=_TOTALS[1])
    next: Any = msgspec.field(default=None, name=_NEXT)


def _row_by_row(name: str, content: bytes) -> EstateFile | None:
    """A list of rows, parsed one after the other; None for what is no such list, or has a row that is no JSON."""
    try:
        answer = _answer(content)
        texts = answer.value if answer.data is msgspec.UNSET else answer.data
        if texts is msgspec.UNSET:
            return None
        rows = tuple([_row(name, number, text) for number, text in enumerate(texts, start=1)])
    except (msgspec.DecodeError, orjson.JSONDecodeError):
        return None
    named = dict(zip(_TOTALS, (answer.total, answer.total_by_az), strict=True))
    is_list = answer.value is not msgspec.UNSET
    return EstateFile(name, rows, _total(named, len(rows)), int(is_list), int(is_list and bool(answer.next)))


def _row(name: str, number: int, raw: msgspec.Raw) -> Held:
    text = memoryview(raw)
    return hold_text(_checked(name, number, orjson.loads(text)), text)


def _answer(content: bytes) -> _Answer:
    if content.lstrip()[:1] == b"[":
        return _Answer(data=msgspec.json.decode(content, type=list[msgspec.Raw]))
    return msgspec.json.decode(content, type=_Answer)


def read_estate_stream(name: str, stream: BinaryIO, largest: int = LARGEST_DOCUMENT) -> EstateFile:
    """The same of a file of any size: of JSON lines one at a time is in memory, beside the packed rows of those before.

    Raises EstateFileError, also for more than ``largest`` bytes that are no JSON lines.
    """
    numbered = enumerate(iter(partial(stream.readline, largest + 1), b""), start=1)
    lines = ((number, line) for number, line in numbered if line.strip())
    start = list(_up_to_two(lines, largest))
    if len(start) == len(("first", "second")) and not start[0][1].startswith(_UTF16) and _is_json(start[0][1]):
        return _gathered(name, _parsed(name, chain(start, lines)), hold)
    read = b"".join(line for _, line in start)
    rest = stream.read(max(largest + 1 - len(read), 0))
    if len(read) + len(rest) > largest:
        raise EstateFileError(
            f"{name} is one JSON document of more than {largest // _MEGABYTE} MB, too large to be read as a whole",
            "write it as JSON lines, a resource or a page of an answer on each (jq -c '.data[]'), which may be of any size",
        )
    return read_estate_file(name, read + rest)


def _up_to_two(lines: Iterable[tuple[int, bytes]], largest: int) -> Iterator[tuple[int, bytes]]:
    """The first two lines; the first alone where it is too long already."""
    for place, (number, line) in enumerate(lines):
        yield number, line
        if place or len(line) > largest:
            return


def _gathered(
    name: str, documents: Iterable[Any], keep: Callable[[list[dict[str, Any]]], Iterable[Held]]
) -> EstateFile:
    """The rows of documents as ``keep`` holds them, some together."""
    rows: list[Held] = []
    waiting: list[dict[str, Any]] = []
    total, lists, continued = None, 0, 0
    for document in documents:
        listed = _listed(name, document)
        total = total or _total(document, len(listed))
        before = len(rows) + len(waiting)
        waiting += [_checked(name, number, row) for number, row in enumerate(listed, start=before + 1)]
        if len(waiting) >= _PACKED_TOGETHER:
            rows += keep(waiting)
            waiting = []
        if isinstance(document, dict) and "value" in document:
            lists += 1
            continued += bool(document.get(_NEXT))
    return EstateFile(name, (*rows, *keep(waiting)), total, lists, continued)


def _as_utf8(name: str, content: bytes) -> bytes:
    """The text without its byte order mark; what Windows PowerShell redirects into a file is UTF-16."""
    if not content.startswith(_UTF16):
        return content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-16").encode()
    except UnicodeError as error:
        raise EstateFileError(f"{name} is no JSON: it begins as UTF-16 and cannot be read as such", _ANEW) from error


def _documents(name: str, content: bytes) -> Iterator[Any]:
    try:
        yield orjson.loads(content)
    except orjson.JSONDecodeError as error:
        lines = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
        if not _is_json(lines[0][1]):
            raise EstateFileError(f"{name} is no JSON: {error}", _ANEW) from error
    else:
        return
    yield from _parsed(name, lines)


def _parsed(name: str, lines: Iterable[tuple[int, bytes]]) -> Iterator[Any]:
    for number, line in lines:
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise EstateFileError(f"{name}, line {number} is no JSON: {error}", _ANEW) from error


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _listed(name: str, document: object) -> list[Any]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise EstateFileError(f"{name} holds {kind_of(document)}")
    for wrapper in _WRAPPERS:
        wrapped = document.get(wrapper)
        if isinstance(wrapped, list):
            return wrapped
        if isinstance(wrapped, dict) and isinstance(wrapped.get("rows"), list):
            return _from_table(name, wrapped)
    if "id" in document or "properties" in document:
        return [document]
    if isinstance(failure := document.get("error"), dict):
        told = f"{failure.get('code')}: {failure.get('message')}"
        raise EstateFileError(f"{name} holds no resources but an error that Azure answered, {told}")
    raise EstateFileError(f"{name} holds an object with neither a list in data or value nor an id")


def _from_table(name: str, table: dict[str, Any]) -> list[Any]:
    """Resource Graph's table form: the names of the columns once, then the values."""
    columns = table.get("columns")
    if not isinstance(columns, list) or not all(isinstance(column, dict) and "name" in column for column in columns):
        raise EstateFileError(f"{name}, field data.columns: the names of the columns are missing")
    names = [column["name"] for column in columns]
    return [dict(zip(names, row, strict=False)) if isinstance(row, list) else row for row in table["rows"]]


def _total(document: object, count: int) -> int | None:
    """How many rows there are in all, where the answer says that there are more than it holds."""
    if not isinstance(document, dict):
        return None
    totals = [document[field] for field in _TOTALS if isinstance(document.get(field), int)]
    return totals[0] if totals and totals[0] > count else None


def _checked(name: str, number: int, row: object) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise EstateFileError(f"{name}, row {number} is {kind_of(row)}, not an object")
    row_id = row.get("id")
    if not isinstance(row_id, str) or not row_id.startswith("/"):
        told = "is missing" if row_id is None else f"is {row_id!r}"
        raise EstateFileError(f"{name}, row {number}, field id: it {told}, and must be an ARM id (/subscriptions/…)")
    for field, wanted in _FIELDS:
        value = row.get(field)
        if value is not None and type(value) is not wanted:
            told = f"it is {kind_of(value)}, and must be {_KINDS[wanted]}"
            raise EstateFileError(f"{name}, row {number}, field {field}: {told}")
    return row
