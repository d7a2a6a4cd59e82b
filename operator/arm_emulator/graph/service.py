"""`POST /providers/Microsoft.ResourceGraph/resources`: versions, quota, paging and errors around a query."""

import math
import re
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from arm_emulator import api_versions
from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json
from arm_emulator.graph.answers import payload, shown
from arm_emulator.graph.facets import facets
from arm_emulator.graph.failures import END, QueryError, QuerySyntaxError, UnknownTableError, failure
from arm_emulator.graph.options import VERSIONS, Options, Version, options_of, refused, token_of
from arm_emulator.graph.query import run
from arm_emulator.graph.scopes import SUBSCRIPTION, Scope, scope_of
from arm_emulator.graph.tables import COLUMNS, CONTAINERS, HIDDEN_COLUMNS, TABLES, Table
from arm_emulator.graph.view import GraphView
from arm_emulator.guids import new_guid
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.requests import body_of

_PROVIDER = "/providers/microsoft.resourcegraph"
LARGEST_ANSWER = 16 * 1024 * 1024
QUOTA, QUOTA_WINDOW = 15, 5.0
_KEPT_RESULTS = 4
_AGING = re.compile(r"\b(now|ago)\s*\(|changes\b", re.IGNORECASE)
"""What makes a result another one although the graph has learnt nothing: the clock, and changes that have grown too old."""
_ADVICE = "Please provide below info when asking for support: timestamp = {at}, correlationId = {id}."
_THROTTLED = (
    "Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed. "
    "Please see https://aka.ms/resourcegraph-throttling for help."
)
_CUT = {"x-ms-tenant-subscription-limit-hit": "true"}
_OPERATIONS = [
    {
        "name": f"Microsoft.ResourceGraph/{resource}/read",
        "display": {"provider": "Microsoft Resource Graph", "resource": shown_as, "operation": operation, "description": text},
    }
    for resource, shown_as, operation, text in (
        ("operations", "Operation", "Get Operations", "Gets the list of supported operations"),
        (
            "resources", "Resources", "Query resources",
            ("Submits a query on resources within specified subscriptions, the specified management groups, or against all "
            "access granted in the tenant."),
        ),
    )
]  # fmt: skip


class GraphService:
    """Answers queries from the graph's view of the cloud."""

    def __init__(self, cloud: Cloud, view: GraphView, *, throttling: bool = True) -> None:
        """One view for all principals; each sees what it may read."""
        self._cloud = cloud
        self._view = view
        self._throttling = throttling
        self._windows: dict[str, tuple[float, int]] = {}
        self._results: OrderedDict[tuple[object, ...], Table] = OrderedDict()

    def capture(self, by: str | None = None) -> None:
        """Notes what has changed; called after every request, so that rows age from their write on."""
        self._view.capture(by)

    def serves(self, request: Request) -> bool:
        """Whether the path is the graph's."""
        path = request.path.lower()
        return path.startswith(f"{_PROVIDER}/")

    def answer(self, request: Request, principal: Principal) -> Answer:
        """The answer to a query, or the provider's operations. Raises ArmError."""
        what = request.path.strip("/").split("/")[2:]
        api_version = request.query.get("api-version")
        if len(what) != 1 or what[0].lower() not in ("resources", "operations"):
            raise api_versions.unknown_type("Microsoft.ResourceGraph", str(api_version))
        version = VERSIONS[api_versions.check(f"Microsoft.ResourceGraph/{what[0].lower()}", api_version, lambda: "")]
        wanted = "POST" if what[0].lower() == "resources" else "GET"
        if request.method != wanted:
            raise ArmError(
                HTTPStatus.METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", f"{request.path} takes {wanted} requests only."
            )
        if wanted == "GET":
            return Answer(HTTPStatus.OK, {"value": _OPERATIONS})
        headers = self._quota(principal)
        try:
            return self._queried(request, version, principal, headers)
        except QueryError as error:
            raise self._told(ArmError(error.status, error.outer_code, "", details=error.details()), headers) from error
        except ArmError as error:
            error.headers = {**headers, **error.headers}
            raise (error if error.message else self._told(error, headers)) from None

    def _queried(self, request: Request, version: Version, principal: Principal, headers: dict[str, str]) -> Answer:
        _refuse_content_type(request)
        body = body_of(request.body)
        query = body.get("query")
        if not isinstance(query, str) or not query.strip():
            raise QuerySyntaxError([failure(1, 0, END)])
        options = options_of(body, version)
        may_read = self._reader(principal)
        containers = [row for _, row in self._view.table(CONTAINERS)]
        scope = scope_of(body, options, version, containers, may_read)
        self._refuse_blind(scope, principal)
        now = datetime.fromtimestamp(self._cloud.clock.now(), UTC)
        table = self._table_of(query, scope, principal, now)
        answer = _page(table, options, version)
        answer["facets"] = facets(
            body.get("facets"), table, now, as_table=options.table, datetime_columns=version.datetime_columns
        )
        raw, size = payload(answer, LARGEST_ANSWER)
        if size > LARGEST_ANSWER:
            raise refused(
                "ResponsePayloadTooLarge",
                f"Response payload size is {size}, and has exceeded the limit of {LARGEST_ANSWER}. Please consider "
                "querying less data at a time and make paginated call if needed.",
            )
        return Answer(HTTPStatus.OK, headers={**headers, **(_CUT if scope.cut else {})}, raw=raw)

    # -- the result ----------------------------------------------------------------------------------------------

    def _table_of(self, query: str, scope: Scope, principal: Principal, now: datetime) -> Table:
        """The whole result. Pages of one query follow each other: it is kept until the graph learns of a change."""
        self._view.catch_up()
        key = (query, scope, principal.object_id, self._view.version, self._cloud.rights.version)
        found = self._results.get(key)
        if found is None or _AGING.search(query):
            found = run(query, self._tables(scope, principal), now)
            self._results[key] = found
            while len(self._results) > _KEPT_RESULTS:
                self._results.popitem(last=False)
        return found

    def _tables(self, scope: Scope, principal: Principal) -> Callable[[str], Table]:
        may_read = self._reader(principal)

        def table(named: str) -> Table:
            name = named.lower()
            if name not in TABLES:
                raise UnknownTableError(named)
            shown_rows = self._view.table(name)
            if scope.subscriptions is None:
                rows = [row for key, row in shown_rows if may_read(key, row)]
            else:
                rows = [row for key, row in shown_rows if scope.holds(name, row) and may_read(key, row)]
            return Table(dict(COLUMNS), rows, hidden=HIDDEN_COLUMNS)

        return table

    def _reader(self, principal: Principal) -> Callable[[str, Json], bool]:
        """Whether a row is shown, by its key: by the right to read it or, for a change, what has changed."""
        readable = self._cloud.rights.reader(principal)

        def may_read(key: str, row: Json) -> bool:
            kind = row["type"]
            if kind == "microsoft.resources/changes":
                kind = row["properties"]["targetResourceType"]
            return readable(kind, key)

        return may_read

    def _refuse_blind(self, scope: Scope, principal: Principal) -> None:
        """403 where nothing of what is asked for can be read; what cannot among other things is left out silently."""
        may_read = self._reader(principal)
        if any(
            row["type"] == SUBSCRIPTION and scope.holds(CONTAINERS, row) and may_read(key, row)
            for key, row in self._view.table(CONTAINERS)
        ):
            return
        if not any(
            scope.holds(name, row) and may_read(key, row) for name in TABLES for key, row in self._view.table(name)
        ):
            raise refused(
                "AccessDenied",
                "Access is denied to the requested resource. The user might not have enough permission.",
                HTTPStatus.FORBIDDEN,
                "AccessDenied",
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
            error = refused("RateLimiting", _THROTTLED, HTTPStatus.TOO_MANY_REQUESTS, "RateLimiting")
            raise self._told(error, {**headers, "Retry-After": str(seconds)})
        self._windows[principal.client_id] = (started, count + 1)
        return headers

    def _told(self, error: ArmError, headers: dict[str, str]) -> ArmError:
        """The error with the graph's message, which says nothing, and with the headers of the quota."""
        advice = _ADVICE.format(at=self._cloud.clock.timestamp(), id=new_guid())
        return ArmError(error.status, error.code, advice, details=error.details, headers={**headers, **error.headers})


def _refuse_content_type(request: Request) -> None:
    """500, and not 415, for a body that is said to be something else than JSON (troubleshooting page of 2019)."""
    kind = request.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise refused(
            "InternalServerError",
            f"The Content-Type '{kind}' is not supported: it must be application/json.",
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "InternalServerError",
        )


def _page(table: Table, options: Options, version: Version) -> Json:
    """A page of the result, with a token where another follows; $skip does not go with take and limit."""
    skip = 0 if table.limited else options.skip
    rows = table.rows[skip : skip + options.top]
    answer: Json = {
        "totalRecords": len(table.rows),
        "count": len(rows),
        "data": shown(table, rows, as_table=options.table, datetime_columns=version.datetime_columns),
        "facets": [],
        "resultTruncated": "false",
    }
    if skip + options.top < len(table.rows):
        if table.limited or not _pageable(table, version):
            answer["resultTruncated"] = "true"
        else:
            answer["$skipToken"] = token_of(skip + options.top, options.top)
    return answer


def _pageable(table: Table, version: Version) -> bool:
    """No token where all columns are dynamic or null, nor, before 2022, where there is no column id."""
    if not version.pages_without_id and "id" not in table.columns:
        return False
    first = table.rows[0] if table.rows else {}
    return any(kind != "dynamic" and first.get(name) is not None for name, kind in table.columns.items())
