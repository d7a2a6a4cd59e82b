"""`POST /providers/Microsoft.ResourceGraph/resources`: options, paging, quota and errors around a query."""

import base64
import binascii
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson

from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, bad_request
from arm_emulator.graph.failures import QueryError, QuerySyntaxError
from arm_emulator.graph.operators import Table
from arm_emulator.graph.query import run
from arm_emulator.graph.values import answerable
from arm_emulator.graph.view import COLUMNS, TABLES, GraphView
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.requests import body_of

_PATH = "/providers/microsoft.resourcegraph/resources"
API_VERSIONS = ("2024-04-01", "2022-10-01", "2021-03-01", "2021-06-01-preview", "2020-04-01-preview", "2019-04-01")
MOST_ROWS = 1000
LARGEST_ANSWER = 16 * 1024 * 1024
QUOTA, QUOTA_WINDOW = 15, 5.0
MOST_SUBSCRIPTIONS = 1000
_KEPT_RESULTS = 4
CONTAINERS = "resourcecontainers"
SCOPE_FILTERS = {"atscopeandbelow": False, "atscopeandabove": True, "atscopeaboveandbelow": True, "atscopeexact": False}
"""The filters, and whether each lets in what is assigned above the scope."""
_ADVICE = "Please provide below info when asking for support: timestamp = {at}, correlationId = {id}."
_INVALID = (
    "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before "
    "retrying."
)


@dataclass(frozen=True, slots=True)
class Options:
    """How much of the result is asked for, and in which form."""

    top: int
    skip: int
    table: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query is limited to: None is the whole tenant. `above` lets rows of no subscription in as well."""

    subscriptions: frozenset[str] | None
    above: bool

    def holds(self, row: Json) -> bool:
        """Whether a row is within."""
        if self.subscriptions is None:
            return True
        subscription = row["subscriptionId"].lower()
        return subscription in self.subscriptions or (self.above and not subscription)


class GraphService:
    """Answers queries from the graph's view of the cloud."""

    def __init__(self, cloud: Cloud, view: GraphView, *, throttling: bool = True) -> None:
        """One view for all principals; each sees what it may read."""
        self._cloud = cloud
        self._view = view
        self._throttling = throttling
        self._windows: dict[str, tuple[float, int]] = {}
        self._results: OrderedDict[tuple[object, ...], Table] = OrderedDict()

    def capture(self) -> None:
        """Notes what has changed; called after every request, so that rows age from their write on."""
        self._view.capture()

    def serves(self, request: Request) -> bool:
        """Whether the path is the graph's."""
        return request.path.lower().rstrip("/") == _PATH

    def answer(self, request: Request, principal: Principal) -> Answer:
        """The answer to a query. Raises ArmError."""
        if request.method != "POST":
            raise ArmError(HTTPStatus.METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", "Queries are sent by POST.")
        version = request.query.get("api-version")
        if version not in API_VERSIONS:
            raise bad_request(
                "InvalidApiVersionParameter" if version else "MissingApiVersionParameter",
                f"The api-version '{version}' is invalid. The supported versions are '{', '.join(API_VERSIONS)}'.",
            )
        headers = self._quota(principal)
        try:
            answer = self._result(body_of(request.body), principal)
        except QueryError as error:
            raise self._refused(_details(error), headers) from error
        payload = orjson.dumps(answer)
        if len(payload) > LARGEST_ANSWER:
            message = (
                f"Response payload size is {len(payload)}, and has exceeded the limit of {LARGEST_ANSWER}. Please consider "
                "querying less data at a time and make paginated call if needed."
            )
            raise self._refused([{"code": "ResponsePayloadTooLarge", "message": message}], headers)
        return Answer(HTTPStatus.OK, headers=headers, raw=payload)

    # -- the result ----------------------------------------------------------------------------------------------

    def _result(self, body: Json, principal: Principal) -> Json:
        query = body.get("query")
        if not isinstance(query, str) or not query.strip():
            raise QuerySyntaxError(1, 0, "<EOF>")
        options = _options(body)
        scope = self._scope(body)
        self._refuse_blind(scope, principal)
        table = self._table_of(query, scope, principal)
        page = table.rows[options.skip : options.skip + options.top]
        answer: Json = {
            "totalRecords": len(table.rows),
            "count": len(page),
            "data": _as_table(table.columns, page) if options.table else [_answered(row) for row in page],
            "facets": [],
            "resultTruncated": "false",
        }
        if options.skip + options.top < len(table.rows):
            if table.limited or not _pageable(table):
                answer["resultTruncated"] = "true"
            else:
                answer["$skipToken"] = _token(options.skip + options.top, options.top)
        return answer

    def _table_of(self, query: str, scope: Scope, principal: Principal) -> Table:
        """The whole result. Pages of one query follow each other: it is kept until the graph learns of a change."""
        self._view.catch_up()
        key = (query, scope, principal.client_id, self._view.version, self._cloud.rights.version)
        found = self._results.get(key)
        if found is None or "now(" in query or "ago(" in query:
            now = datetime.fromtimestamp(self._cloud.clock.now(), UTC)
            found = run(query, self._tables(scope, principal), now)
            self._results[key] = found
            while len(self._results) > _KEPT_RESULTS:
                self._results.popitem(last=False)
        return found

    def _tables(self, scope: Scope, principal: Principal) -> Callable[[str], Table]:
        def table(name: str) -> Table:
            if name.lower() not in TABLES:
                raise QueryError("UnknownTable", f"Table {name} is unknown; tables are {', '.join(TABLES)}.")
            readable = self._cloud.rights.reader(principal)
            rows = [
                row for key, row in self._view.table(name.lower()) if scope.holds(row) and readable(row["type"], key)
            ]
            return Table(list(COLUMNS), rows)

        return table

    def _scope(self, body: Json) -> Scope:
        """What the body limits the query to. Raises ArmError."""
        listed = _names(body, "subscriptions")
        groups = _names(body, "managementGroups")
        above = str((body.get("options") or {}).get("authorizationScopeFilter", "AtScopeAndBelow")).lower()
        if above not in SCOPE_FILTERS:
            raise _invalid_option("authorizationScopeFilter", above)
        if groups is not None:
            within = {
                row["subscriptionId"].lower() for _, row in self._view.table(CONTAINERS) if _ancestors(row) & groups
            }
            listed = frozenset(within) if listed is None else listed & within
        return Scope(listed, SCOPE_FILTERS[above])

    def _refuse_blind(self, scope: Scope, principal: Principal) -> None:
        """403 where none of the subscriptions can be read; unreadable ones among others are left out silently."""
        if scope.subscriptions is not None and not any(
            self._cloud.rights.may(principal, "Microsoft.Resources/subscriptions/read", f"/subscriptions/{one}")
            for one in scope.subscriptions
        ):
            raise ArmError(
                HTTPStatus.FORBIDDEN,
                "AccessDenied",
                "Access is denied to the requested subscription(s), or they do not exist.",
            )

    # -- quota and errors ----------------------------------------------------------------------------------------

    def _quota(self, principal: Principal) -> dict[str, str]:
        """Counts a query; fifteen in five seconds for each user, told in the headers of every answer."""
        now = self._cloud.clock.now()
        length = self._cloud.clock.scaled(QUOTA_WINDOW)
        started, count = self._windows.get(principal.client_id, (now, 0))
        if now - started >= length:
            started, count = now, 0
        left = max(0, QUOTA - count - 1)
        seconds = max(0, math.ceil(length - (now - started)))
        headers = {
            "x-ms-user-quota-remaining": str(left),
            "x-ms-user-quota-resets-after": f"00:00:{seconds:02}",
            "x-ms-ratelimit-remaining-tenant-resource-requests": str(left),
        }
        if count >= QUOTA and self._throttling:
            message = (
                "Client application has been throttled and should not attempt to repeat the request until an amount of time "
                "has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
            )
            raise ArmError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "RateLimiting",
                self._advice(),
                details=[{"code": "RateLimiting", "message": message}],
                headers={**headers, "Retry-After": str(seconds)},
            )
        self._windows[principal.client_id] = (started, count + 1)
        return headers

    def _refused(self, details: list[Json], headers: dict[str, str]) -> ArmError:
        return ArmError(HTTPStatus.BAD_REQUEST, "BadRequest", self._advice(), details=details, headers=headers)

    def _advice(self) -> str:
        return _ADVICE.format(at=self._cloud.clock.timestamp(), id="00000000-0000-0000-0000-000000000000")


def _details(error: QueryError) -> list[Json]:
    detail: Json = {"code": error.code, "message": error.message}
    if isinstance(error, QuerySyntaxError):
        # The expected token is answered as this one character in recorded traffic.
        detail |= {
            "line": error.line,
            "characterPositionInLine": error.position,
            "token": error.token,
            "expectedToken": "\u01cf",
        }
    return [{"code": "InvalidQuery", "message": _INVALID}, detail]


def _options(body: Json) -> Options:
    options = body.get("options")
    if options is None:
        options = {}
    if not isinstance(options, dict):
        raise _invalid_option("options", options)
    top, skip = options.get("$top", MOST_ROWS), options.get("$skip", 0)
    if not isinstance(top, int) or isinstance(top, bool) or not 1 <= top <= MOST_ROWS:
        raise _invalid_option("$top", top)
    if not isinstance(skip, int) or isinstance(skip, bool) or skip < 0:
        raise _invalid_option("$skip", skip)
    form = str(options.get("resultFormat", "objectArray")).lower()
    if form not in ("objectarray", "table"):
        raise _invalid_option("resultFormat", form)
    token = options.get("$skipToken")
    if token:
        skip, top = _from_token(token)
    return Options(top, skip, form == "table")


def _invalid_option(name: str, value: object) -> ArmError:
    message = f"The value {value!r} of {name} is not allowed."
    return bad_request("BadRequest", message, details=[{"code": "InvalidQueryOption", "message": message}])


def _names(body: Json, member: str) -> frozenset[str] | None:
    listed = body.get(member)
    if listed is None or listed == []:
        return None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise _invalid_option(member, listed)
    if len(listed) > MOST_SUBSCRIPTIONS:
        raise _invalid_option(member, f"{len(listed)} entries")
    return frozenset(one.lower() for one in listed)


def _ancestors(row: Json) -> set[str]:
    """The management groups above a subscription, from its row."""
    chain = (row.get("properties") or {}).get("managementGroupAncestorsChain") or []
    return {str(one.get("name", "")).lower() for one in chain if isinstance(one, dict)}


def _token(skip: int, top: int) -> str:
    text = {
        "$id": "1",
        "MaxRows": top,
        "RowsToSkip": skip,
        "KustoClusterUrl": "https://arg-local-sf.arg.core.windows.net",
    }
    return base64.b64encode(orjson.dumps(text)).decode()


def _from_token(token: object) -> tuple[int, int]:
    try:
        content = orjson.loads(base64.b64decode(str(token), validate=True))
        return int(content["RowsToSkip"]), int(content["MaxRows"])
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise _invalid_option("$skipToken", token) from None


def _pageable(table: Table) -> bool:
    """Azure gives no token where every column is dynamic or null."""
    first = table.rows[0] if table.rows else {}
    return any(first.get(name) is not None and not isinstance(first[name], dict | list) for name in table.columns)


def _answered(row: Json) -> Json:
    return {name: answerable(value) for name, value in row.items()}


def _as_table(columns: list[str], rows: list[Json]) -> Json:
    kinds = {name: next((_kind(row[name]) for row in rows if row.get(name) is not None), "string") for name in columns}
    return {
        "columns": [{"name": name, "type": kinds[name]} for name in columns],
        "rows": [[answerable(row.get(name)) for name in columns] for row in rows],
    }


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "object" if isinstance(value, dict | list) else "string"
