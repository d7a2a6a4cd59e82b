"""What an answer of ARM says: its body, what it started, which page it is, and when Azure wants to be asked again."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from azure.core.rest import AsyncHttpResponse

from bastion_operator.arm.errors import AzureError, ErrorClass


@dataclass(frozen=True, slots=True)
class Operation:
    """A long operation that Azure has accepted.

    :ivar url: signed, a secret: kept in memory only and never shown
    :ivar retry_after: seconds of the operator's clock until Azure wants to be asked
    """

    resource_id: str
    verb: str
    url: str = field(repr=False)
    retry_after: float


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a PUT or DELETE: the body (None for a DELETE), whether it was made just now, and what goes on."""

    body: dict[str, Any] | None
    created: bool
    operation: Operation | None


@dataclass(frozen=True, slots=True)
class GraphPage:
    """One page of a query's answer.

    :ivar skip_token: leads to the next page; None on the last
    :ivar total: rows of the whole answer, as Azure counts them
    :ivar truncated: rows were cut off and no token leads to them
    :ivar wait: seconds until the next query may be sent; None where one may be sent now
    :ivar size: bytes of the answer
    """

    rows: list[dict[str, Any]]
    skip_token: str | None
    total: int | None
    truncated: bool
    wait: float | None
    size: int


def correlation_of(response: AsyncHttpResponse) -> str | None:
    """The id that Azure keeps of the request."""
    return response.headers.get("x-ms-correlation-request-id")


def body_or_none(response: AsyncHttpResponse) -> Any:
    """The body, or None where it is no JSON."""
    try:
        return orjson.loads(response.content)
    except ValueError:
        return None


def json_object(response: AsyncHttpResponse, target: str) -> dict[str, Any]:
    """The body of an answer that must be an object.

    :raises AzureError: if it is none, of class Transient
    """
    body = body_or_none(response)
    if isinstance(body, dict):
        return body
    raise not_json(response, target)


def not_json(response: AsyncHttpResponse, target: str) -> AzureError:
    """That the answer is not what ARM answers."""
    return AzureError(
        code="AnswerNotJson",
        message="the answer is not a JSON object: is a proxy between the operator and Azure?",
        error_class=ErrorClass.TRANSIENT,
        status=response.status_code,
        target=target,
    )


def retry_after(response: AsyncHttpResponse) -> float | None:
    """Seconds of Azure's clock until it wants to be asked again; None where it does not say."""
    try:
        return float(response.headers.get("Retry-After", ""))
    except ValueError:
        return None


def quota_resets_after(response: AsyncHttpResponse) -> float | None:
    """The graph's own way to say the same: ``00:00:05``."""
    try:
        hours, minutes, seconds = response.headers.get("x-ms-user-quota-resets-after", "").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None
