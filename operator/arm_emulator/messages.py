"""Requests and answers between the HTTP server and the services behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from arm_emulator.errors import Json
from arm_emulator.operations import Operation


@dataclass(frozen=True, slots=True)
class Request:
    """What a service needs of an HTTP request. `endpoint` is scheme and host as the client wrote them."""

    method: str
    path: str
    raw_query: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    endpoint: str


@dataclass(slots=True)
class Answer:
    """Status, headers and JSON of an answer; `body` None is an empty body, `raw` a body that is already bytes.

    `write` is the id that was written or deleted, `operation` what the write started.
    """

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    operation: Operation | None = None
    write: str | None = None

    @staticmethod
    def listing(entries: list[Json]) -> "Answer":
        """A list that fits in one page."""
        return Answer(200, {"value": entries})
