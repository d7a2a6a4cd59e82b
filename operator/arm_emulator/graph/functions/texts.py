"""Functions of texts."""

import base64
import csv
import io
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import orjson

from arm_emulator.graph.functions.signature import Function
from arm_emulator.graph.regexes import escaped, regex
from arm_emulator.graph.values import Value, number, text

_LONGEST = 1_000_000
_GREATEST_REPLACEMENT = 2**28


def _whole(value: Value) -> int:
    return int(number(value) or 0)


def _substring(value: Value, start: Value, length: Value = None) -> str:
    whole = text(value)
    begin = _whole(start)
    begin = max(0, len(whole) + begin) if begin < 0 else begin
    return whole[begin:] if length is None else whole[begin : begin + max(0, _whole(length))]


def _indexof(value: Value, sought: Value, start: Value = 0, length: Value = -1, occurrence: Value = 1) -> int | None:
    whole, wanted, begin = text(value), _whole(occurrence), _whole(start)
    begin = max(0, len(whole) + begin) if begin < 0 else begin
    end = len(whole) if _whole(length) < 0 else begin + _whole(length)
    found = begin - 1
    for _ in range(max(wanted, 1)):
        found = whole.find(text(sought), found + 1, end)
        if found < 0:
            return -1
    return found


def _indexof_regex(value: Value, pattern: Value, start: Value = 0, length: Value = -1) -> int:
    begin = max(0, _whole(start))
    end = len(text(value)) if _whole(length) < 0 else begin + _whole(length)
    found = regex(text(pattern)).search(text(value)[begin:end])
    return -1 if found is None else begin + int(found.start())


def _split(value: Value, delimiter: Value, index: Value = None) -> list[str]:
    parts = text(value).split(text(delimiter)) if text(delimiter) else [text(value)]
    if index is None:
        return parts
    wanted = _whole(index)
    return [parts[wanted]] if -len(parts) <= wanted < len(parts) else []


def _extract(pattern: Value, group: Value, value: Value) -> str | None:
    compiled = regex(text(pattern))
    found = compiled.search(text(value))
    wanted = _whole(group)
    return found[wanted] if found is not None and 0 <= wanted <= compiled.groups else None


def _extract_all(pattern: Value, *rest: Value) -> list[Value] | None:
    compiled = regex(text(pattern))
    if compiled.groups == 0:
        return None
    numbers = rest[0] if len(rest) > 1 and isinstance(rest[0], list) else range(1, compiled.groups + 1)
    groups = [_whole(one) for one in numbers]
    found = [[match[group] for group in groups] for match in compiled.finditer(text(rest[-1]))]
    return [one[0] for one in found] if len(groups) == 1 else found or None


def _replaced(value: Value, pattern: Value, new: Value) -> str | None:
    if len(text(value)) * len(text(new)) > _GREATEST_REPLACEMENT:
        return None
    return str(regex(text(pattern)).sub(text(new), text(value)))


def _replace_string(value: Value, old: Value, new: Value) -> str | None:
    if not text(old):
        return text(value)
    if text(value).count(text(old)) * len(text(new)) > _GREATEST_REPLACEMENT:
        return None
    return text(value).replace(text(old), text(new))


def _replace_strings(value: Value, old: Value, new: Value) -> str | None:
    result: str | None = text(value)
    for position, one in enumerate(old if isinstance(old, list) else []):
        result = _replace_string(result, one, new[position] if isinstance(new, list) else new)
    return result


def _trim_start(pattern: Value, value: Value) -> str:
    return str(regex(f"^(?:{text(pattern)})").sub("", text(value)))


def _trim_end(pattern: Value, value: Value) -> str:
    return str(regex(f"(?:{text(pattern)})$").sub("", text(value)))


def _countof(value: Value, sought: Value, kind: Value = "normal") -> int:
    pattern = text(sought) if kind == "regex" else escaped(text(sought))
    return sum(1 for _ in regex(pattern).finditer(text(value)))


def _strrep(value: Value, times: Value, delimiter: Value = "") -> str | None:
    count = _whole(times)
    if count * (len(text(value)) + len(text(delimiter))) > _LONGEST:
        return None
    return text(delimiter).join([text(value)] * count)


def _strcmp(one: Value, other: Value) -> int:
    return (text(one) > text(other)) - (text(one) < text(other))


def _translate(old: Value, new: Value, value: Value) -> str:
    olds, news = text(old), text(new)
    padded = news.ljust(len(olds), news[-1:]) if news else ""
    return text(value).translate({ord(one): padded[n] if padded else None for n, one in enumerate(olds)})


def _parse_csv(value: Value) -> list[str]:
    return next(csv.reader(io.StringIO(text(value))), [])


def _parse_version(value: Value) -> int | None:
    parts = [int(part) for part in text(value).split(".")]
    if not 1 <= len(parts) <= 4:  # noqa: PLR2004  (major, minor, build, revision)
        return None
    padded = parts + [0] * (4 - len(parts))
    return ((padded[0] * 10**8 + padded[1]) * 10**8 + padded[2]) * 10**8 + padded[3]


def _parse_url(value: Value) -> dict[str, Value]:
    parts = urlsplit(text(value))
    return {
        "Scheme": parts.scheme,
        "Host": parts.hostname or "",
        "Port": "" if parts.port is None else str(parts.port),
        "Path": parts.path,
        "Username": parts.username or "",
        "Password": parts.password or "",
        "Query Parameters": dict(parse_qsl(parts.query, keep_blank_values=True)),
        "Fragment": parts.fragment,
    }


def _parse_urlquery(value: Value) -> dict[str, Value]:
    return {"Query Parameters": dict(parse_qsl(text(value), keep_blank_values=True))}


def _decoded(value: Value) -> str:
    return base64.b64decode(text(value), validate=True).decode()


def _extract_json(path: Value, value: Value) -> Value:
    found = value if isinstance(value, dict | list) else orjson.loads(text(value))
    for step in regex(r"\[(\d+)\]|\['([^']*)'\]|([^.\[\]$]+)").finditer(text(path)):
        index, quoted, plain = step.groups()
        found = found[int(index)] if index is not None else found[quoted if quoted is not None else plain]
    return text(found)


FUNCTIONS: Mapping[str, Function] = {
    "base64_decode_tostring": Function(_decoded, "string"),
    "base64_encode_tostring": Function(lambda value: base64.b64encode(text(value).encode()).decode(), "string"),
    "countof": Function(_countof, "long", 2, 3),
    "extract": Function(_extract, "string", 3, 3),
    "extract_all": Function(_extract_all, "dynamic", 2, 3),
    "extract_json": Function(_extract_json, "string", 2, 2),
    "extractjson": Function(_extract_json, "string", 2, 2),
    "has_any_index": Function(
        lambda value, sought: next(
            (n for n, one in enumerate(sought) if text(one).lower() in text(value).lower()), -1
        ), "long", 2, 2
    ),
    "indexof": Function(_indexof, "long", 2, 5),
    "indexof_regex": Function(_indexof_regex, "long", 2, 4),
    "parse_csv": Function(_parse_csv, "dynamic", prefix=""),
    "parse_url": Function(_parse_url, "dynamic"),
    "parse_urlquery": Function(_parse_urlquery, "dynamic"),
    "parse_version": Function(_parse_version, "real"),
    "regex_quote": Function(lambda value: escaped(text(value)), "string"),
    "replace": Function(lambda pattern, new, value: _replaced(value, pattern, new), "string", 3, 3),
    "replace_regex": Function(_replaced, "string", 3, 3),
    "replace_string": Function(_replace_string, "string", 3, 3),
    "replace_strings": Function(_replace_strings, "string", 3, 3),
    "reverse": Function(lambda value: text(value)[::-1], "string"),
    "split": Function(_split, "dynamic", 2, 3, ""),
    "strcat": Function(lambda *values: "".join(map(text, values)), "string", 1, None),
    "strcat_array": Function(lambda values, delimiter: text(delimiter).join(map(text, values or [])), "string", 2, 2),
    "strcat_delim": Function(lambda delimiter, *values: text(delimiter).join(map(text, values)), "string", 3, None),
    "strcmp": Function(_strcmp, "long", 2, 2),
    "string_size": Function(lambda value: len(text(value).encode()), "long", prefix="string_size_"),
    "strlen": Function(lambda value: len(text(value)), "long", prefix="strlen_"),
    "strrep": Function(_strrep, "string", 2, 3),
    "substring": Function(_substring, "string", 2, 3),
    "tolower": Function(lambda value: text(value).lower(), "string"),
    "toupper": Function(lambda value: text(value).upper(), "string"),
    "translate": Function(_translate, "string", 3, 3),
    "trim": Function(lambda pattern, value: _trim_end(pattern, _trim_start(pattern, value)), "string", 2, 2),
    "trim_end": Function(_trim_end, "string", 2, 2),
    "trim_start": Function(_trim_start, "string", 2, 2),
    "url_decode": Function(lambda value: unquote(text(value)), "string"),
    "url_encode": Function(lambda value: quote(text(value), safe=""), "string"),
    "url_encode_component": Function(lambda value: quote(text(value), safe=""), "string"),
}  # fmt: skip
