"""`$filter` as ARM's services take it: comparisons and functions joined by `and`."""

import re
from dataclasses import dataclass

from arm_emulator.errors import ArmError, bad_request

_COMPARISON = re.compile(
    r"\s*([A-Za-z_][\w./]*)\s+(eq|ne|ge|gt|le|lt)\s+(?:'((?:[^']|'')*)'|([^\s'()]+))\s*", re.IGNORECASE
)
_FUNCTION = re.compile(r"\s*([A-Za-z]\w*)\s*\(([^()]*)\)\s*")
_AND = re.compile(r"and\b", re.IGNORECASE)
_ARGUMENT = re.compile(r"\s*(?:'((?:[^']|'')*)'|([^\s',]+))\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Term:
    """A comparison (`name operator value`) or a call: then `operator` is empty and `arguments` are its arguments.

    `name` and `operator` are in lower case.
    """

    name: str
    operator: str = ""
    value: str = ""
    arguments: tuple[str, ...] = ()


def terms(text: str) -> list[Term]:
    """The terms of a filter, all of which have to hold; none where the text is empty. Raises InvalidFilterInQueryString."""
    found: list[Term] = []
    rest = text
    while rest.strip():
        term, rest = _term(rest, text)
        found.append(term)
        joined = _AND.match(rest)
        if rest and (joined is None or not rest[joined.end() :].strip()):
            raise invalid_filter(text)
        rest = rest[joined.end() :] if joined is not None else ""
    return found


def only(found: list[Term], text: str, *names: str) -> list[Term]:
    """The same terms; raises InvalidFilterInQueryString where one has another name (lower-case) than these."""
    if any(term.name not in names for term in found):
        raise invalid_filter(text)
    return found


def invalid_filter(text: str) -> ArmError:
    """400: the filter cannot be read, or asks for what is not offered."""
    return bad_request("InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")


def _term(rest: str, text: str) -> tuple[Term, str]:
    comparison = _COMPARISON.match(rest)
    if comparison is not None:
        name, operator, quoted, bare = comparison.groups()
        value = bare if quoted is None else quoted.replace("''", "'")
        return Term(name.lower(), operator.lower(), value), rest[comparison.end() :]
    function = _FUNCTION.match(rest)
    if function is None:
        raise invalid_filter(text)
    return Term(function[1].lower(), arguments=_arguments(function[2], text)), rest[function.end() :]


def _arguments(inner: str, text: str) -> tuple[str, ...]:
    found: list[str] = []
    while inner.strip():
        argument = _ARGUMENT.match(inner)
        if argument is None:
            raise invalid_filter(text)
        found.append(argument[2] if argument[1] is None else argument[1].replace("''", "'"))
        inner = inner[argument.end() :]
    return tuple(found)
