"""Lists in pages: at most so many entries, and a `nextLink` to the rest."""

import base64
import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from arm_emulator import rendering
from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json, bad_request
from arm_emulator.messages import Answer, Request
from arm_emulator.store import Resource

T = TypeVar("T")
_NUMBER = re.compile(r"[0-9]{1,18}")


NEXT_LINK = "nextLink"
_PATH = "/:@!$&'()*+,;=~"
"""What a path is written with as it is (RFC 3986)."""


def page(cloud: Cloud, request: Request, found: list[Resource], next_link: str = NEXT_LINK) -> Answer:
    """A page of at most the configured size, or `$top`, and where the next one is. Raises InvalidSkipToken.

    Without a name for the link, all of it is one page.
    """
    size = cloud.settings.page_size if next_link else max(1, len(found))
    most = request.query.get("$top", "")
    if _NUMBER.fullmatch(most):
        size = max(1, min(size, int(most)))
    expand = request.query.get("$expand", "").lower()
    return paged(request, found, size, lambda item: rendering.listed(cloud, item, expand), next_link)


def paged(
    request: Request, found: Sequence[T], size: int, shown: Callable[[T], Json], next_link: str = NEXT_LINK
) -> Answer:
    """A page of `size` entries as `shown` writes them, and where the next one is. Raises InvalidSkipToken."""
    start = _offset(request.query.get("$skipToken") or request.query.get("$skiptoken"))
    body: Json = {"value": [shown(item) for item in found[start : start + size]]}
    if start + size < len(found):
        token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
        kept = [part for part in request.raw_query.split("&") if not _is_token(part)]
        body[next_link] = f"{request.endpoint}{quote(request.path, safe=_PATH)}?{'&'.join(kept)}&%24skipToken={token}"
    return Answer(HTTPStatus.OK, body)


def _is_token(part: str) -> bool:
    return part.lower().replace("%24", "$").startswith("$skiptoken=")


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        number = base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        number = ""
    if not _NUMBER.fullmatch(number):
        raise bad_request("InvalidSkipToken", "The $skipToken is not one that was given out.")
    return int(number)
