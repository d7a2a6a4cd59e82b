"""`POST /providers/Microsoft.ResourceGraph/resources`: options, paging, quota and errors around a query."""

import base64
from http import HTTPStatus

import orjson

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.graph.query import run
from arm_emulator.graph.view import GraphView, is_visible, table_of
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.requests import body_of

_PATH = "/providers/microsoft.resourcegraph/resources"
API_VERSIONS = ("2024-04-01", "2022-10-01", "2021-03-01", "2021-06-01-preview", "2020-04-01-preview", "2019-04-01")
MOST_ROWS = 1000


class GraphService:
    """Answers queries from the graph's view of the cloud."""

    def __init__(self, cloud: Cloud, view: GraphView) -> None:
        """One view for all principals; each sees what it may read."""
        self._cloud = cloud
        self._view = view

    def capture(self) -> None:
        """Notes what has changed; called after every request, so that rows age from their write on."""
        self._view.capture()

    def serves(self, request: Request) -> bool:
        """Whether the path is the graph's."""
        return request.path.lower().rstrip("/") == _PATH

    def answer(self, request: Request, principal: Principal) -> Answer:
        """The answer to a query. Raises ArmError."""
        body = body_of(request.body)
        rows = run(str(body.get("query")), lambda table: self._table(table, body, principal))
        options = body.get("options") or {}
        top = int(options.get("$top") or MOST_ROWS)
        start = _offset(options.get("$skipToken"))
        page = rows[start : start + top]
        answer: Json = {
            "totalRecords": len(rows),
            "count": len(page),
            "data": page,
            "facets": [],
            "resultTruncated": "false",
        }
        if start + top < len(rows):
            answer["$skipToken"] = _token(start + top, top)
        return Answer(HTTPStatus.OK, answer)

    def _table(self, table: str, body: Json, principal: Principal) -> list[Json]:
        wanted = {str(one).lower() for one in body.get("subscriptions") or []}
        return [
            row
            for key, row in self._view.rows()
            if is_visible(row)
            and table_of(row) == table.lower()
            and (not wanted or str(row["subscriptionId"]).lower() in wanted)
            and (principal.omnipotent or principal.may(f"{row['type']}/read", key))
        ]


def _token(skip: int, top: int) -> str:
    text = orjson.dumps({"$id": "1", "MaxRows": top, "RowsToSkip": skip, "KustoClusterUrl": "https://arg-local.kusto"})
    return base64.b64encode(text).decode()


def _offset(token: str | None) -> int:
    if not token:
        return 0
    return int(orjson.loads(base64.b64decode(token))["RowsToSkip"])
