"""HTTP requests as they come in, turned into what the services are handed; what is not UTF-8 in them is replaced."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict

from arm_emulator.errors import ArmError, bad_request
from arm_emulator.messages import Request

LARGEST_BODY = 4 * 1024 * 1024
_JSON = "application/json"


async def received(http: web.Request) -> Request:
    """The request, read to its end. Raises ArmError."""
    path = readable(http.path)
    return Request(
        method=http.method,
        # ARM reads several slashes as one: `az resource` writes two where a resource has no parent.
        path=re.sub("//+", "/", path) if "//" in path else path,
        raw_query=_raw_query(http),
        query=query_of(http),
        headers=_headers(http.headers),
        body=await _body(http),
        endpoint=f"{http.scheme}://{readable(http.host)}",
    )


def query_of(http: web.Request) -> dict[str, str]:
    """The parameters of a request's query."""
    return dict(parse_qsl(_raw_query(http), keep_blank_values=True))


def readable(text: str) -> str:
    """The text with question marks for bytes that were no UTF-8, which aiohttp keeps as surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def refuse_other_media(request: Request) -> None:
    """Raises 415 where a body that is to be stored is not said to be JSON."""
    if request.method not in ("PUT", "PATCH") or not request.body:
        return
    told = request.headers.get("Content-Type", "")
    if told.partition(";")[0].strip().lower() != _JSON:
        raise ArmError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            f"The content media type '{told or '<null>'}' is not supported. Only '{_JSON}' is supported.",
        )


def _raw_query(http: web.Request) -> str:
    return readable(http.raw_path).partition("?")[2]


def _headers(found: Mapping[str, str]) -> Mapping[str, str]:
    if all(value.isascii() for value in found.values()):
        return found
    return CIMultiDict((name, readable(value)) for name, value in found.items())


async def _body(http: web.Request) -> bytes:
    try:
        return await http.read()
    except web.HTTPRequestEntityTooLarge:
        raise ArmError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "RequestEntityTooLarge",
            f"The request content size exceeds the maximum size of {LARGEST_BODY} bytes.",
        ) from None
    except web.RequestPayloadError as error:
        told = str(error).rpartition("message:")[2].strip()
        raise bad_request(
            "InvalidRequestContent", f"The request content was invalid and could not be read: '{told}'."
        ) from None
