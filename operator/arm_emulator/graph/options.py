"""The options of a query request, and what the api-versions make of those that are left out."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from arm_emulator.errors import ArmError, Json
from arm_emulator.resource_types.versions import versions_of

MOST_ROWS = 1000
MOST_FACET_ROWS = 1000
SCOPE_FILTERS = ("AtScopeAndBelow", "AtScopeAndAbove", "AtScopeAboveAndBelow", "AtScopeExact")


@dataclass(frozen=True, slots=True)
class Version:
    """How an api-version differs: rows without $top, the form without resultFormat, and what it does not know yet."""

    rows: int = MOST_ROWS
    table: bool = False
    tenant_wide: bool = True
    scope_filter: bool = True
    pages_without_id: bool = True
    datetime_columns: bool = True


_OLDER: Mapping[str, Version] = {
    "2021-06-01-preview": Version(rows=100, pages_without_id=False, datetime_columns=False),
    "2021-03-01": Version(rows=100, scope_filter=False, pages_without_id=False, datetime_columns=False),
    "2020-04-01-preview": Version(rows=100, scope_filter=False, pages_without_id=False, datetime_columns=False),
    "2019-04-01": Version(
        rows=100, table=True, tenant_wide=False, scope_filter=False, pages_without_id=False, datetime_columns=False
    ),
}
"""Defaults: the pages on large data sets of 2021 and 2026; members: the specifications."""
VERSIONS = {version: _OLDER.get(version, Version()) for version in versions_of("Microsoft.ResourceGraph/resources")}


@dataclass(frozen=True, slots=True)
class Options:
    """How much of the result is asked for, and in which form."""

    top: int
    skip: int
    table: bool
    partial_scopes: bool
    scope_filter: str


def options_of(body: Json, version: Version) -> Options:
    """The options of a request's body. Raises ArmError."""
    given = body.get("options")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise invalid("options", given)
    token = given.get("$skipToken")
    skip, top = (0, version.rows) if token is None or token == "" else _from_token(token)
    # The token's page and place, unless the request says otherwise.
    if given.get("$top") is not None:
        top = whole("$top", given["$top"], 1, MOST_ROWS)
    if given.get("$skip") is not None:
        skip = whole("$skip", given["$skip"], 0, None)
    form = str(given.get("resultFormat") or ("table" if version.table else "objectArray")).lower()
    if form not in ("objectarray", "table"):
        raise invalid("resultFormat", given["resultFormat"])
    partial = given.get("allowPartialScopes") or False
    if not isinstance(partial, bool):
        raise invalid("allowPartialScopes", partial)
    return Options(top, skip, form == "table", partial, _scope_filter(given, version))


def _scope_filter(given: Json, version: Version) -> str:
    wanted = given.get("authorizationScopeFilter")
    if wanted is None or not version.scope_filter:
        return SCOPE_FILTERS[0]
    found = next((name for name in SCOPE_FILTERS if name.lower() == str(wanted).lower()), None)
    if found is None:
        raise invalid("authorizationScopeFilter", wanted)
    return found


def whole(name: str, value: object, least: int, most: int | None) -> int:
    """A whole number within bounds. Raises ArmError."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least or (most is not None and value > most):
        raise invalid(name, value)
    return value


def names_of(body: Json, member: str, most: int) -> frozenset[str] | None:
    """A list of names in lower case; None where it is absent or empty. Raises ArmError."""
    listed = body.get(member)
    if listed is None or listed == []:
        return None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise invalid(member, listed)
    if len(listed) > most:
        raise refused("TooManySubscriptions", f"A query takes at most {most} {member}; {len(listed)} were given.")
    return frozenset(one.lower() for one in listed)


def invalid(name: str, value: object) -> ArmError:
    """400 for a member that has no such value."""
    shown = str(value)
    return refused("InvalidQueryOption", f"The value '{shown[:100]}' of {name} is not allowed.")


def refused(code: str, message: str, status: int = HTTPStatus.BAD_REQUEST, outer: str = "BadRequest") -> ArmError:
    """An answer in the form of the graph's: what is wrong stands in the details."""
    return ArmError(status, outer, "", details=[{"code": code, "message": message}])


def token_of(skip: int, top: int) -> str:
    """The skip token of the next page: a place and a size, no snapshot (recorded traffic)."""
    content = {
        "$id": "1",
        "MaxRows": top,
        "RowsToSkip": skip,
        "KustoClusterUrl": "https://arg-local-sf.arg.core.windows.net",
    }
    return base64.b64encode(json.dumps(content, indent=2).replace("\n", "\r\n").encode()).decode()


def _from_token(token: object) -> tuple[int, int]:
    try:
        content = orjson.loads(base64.b64decode(str(token), validate=True))
        skip, top = content["RowsToSkip"], content["MaxRows"]
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise invalid("$skipToken", token) from None
    return whole("$skipToken", skip, 0, None), whole("$skipToken", top, 1, MOST_ROWS)
