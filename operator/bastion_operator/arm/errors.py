"""Azure's errors, made at the edge: one exception, read from whatever Azure answered, that knows what follows from it.

What follows is data (``error_classes.py``, ``error_codes.py``); nobody else looks at codes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bastion_operator.arm.error_classes import HANDLING, ErrorClass, Handling
from bastion_operator.arm.error_codes import WRAPPERS, classify, known_code
from bastion_operator.arm.next_steps import CredentialHolder, next_step

__all__ = [
    "AzureError",
    "CredentialHolder",
    "ErrorClass",
    "OperationFailedError",
    "OperationLostError",
    "error_from_body",
    "known_error",
    "operation_failure",
    "token_error",
]

_OK = 200
_NOT_FOUND = 404
_SERVER_ERROR = 500
_TOO_MANY = 429
_NOBODY = CredentialHolder()
# Before the number of the status, where an answer has no error body.
_WITHOUT_CODE = "HttpStatus"


@dataclass(eq=False)
class AzureError(Exception):
    """An answer of Azure that is not what was asked for, or no answer at all.

    :ivar code: Azure's most telling error code (of the details where the outer one says little), or one of ours for
        failures without an answer: ``ConnectionFailed``, ``CredentialUnavailable``
    :ivar message: Azure's words, without the URLs of operations
    :ivar status: the HTTP status, 0 where there was no answer; a failed operation has 200
    :ivar target: the ARM id or URL path that was asked
    :ivar retry_after: seconds that Azure asks to wait, None where it said nothing
    :ivar next_step: what a person can do, empty where there is nothing
    """

    code: str
    message: str
    error_class: ErrorClass
    status: int = 0
    target: str = ""
    retry_after: float | None = None
    correlation_id: str | None = None
    next_step: str = ""

    def __str__(self) -> str:
        return f"{self.code} ({self.target}): {self.message}"

    @property
    def handling(self) -> Handling:
        """What follows from it."""
        row = known_code(self.code)
        fits = row is not None and row.error_class is self.error_class
        return row.handling if row is not None and fits else HANDLING[self.error_class]

    @property
    def absent(self) -> bool:
        """Whether it says that the resource that was asked for is not there, or its parent or resource group is not."""
        row = known_code(self.code)
        # A 404 without an error body is a proxy's, not Azure's.
        said_so = row.absent if row is not None else not self.code.startswith(_WITHOUT_CODE)
        return self.status == _NOT_FOUND and said_so

    def wait(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row; what Azure asks for goes before ours."""
        handling = self.handling
        return self.retry_after or min(handling.shortest * 2.0 ** min(failures - 1, 16), handling.longest)


class OperationFailedError(AzureError):
    """A long operation that was accepted and did not succeed: the answer was fine, what it tells is not."""


class OperationLostError(AzureError):
    """A long operation that can no longer be asked how it goes: the resource itself must tell."""


def error_from_body(
    body: Any,
    *,
    status: int,
    target: str,
    retry_after: float | None = None,
    correlation_id: str | None = None,
    holder: CredentialHolder = _NOBODY,
) -> AzureError:
    """Read ``{"error": {code, message, details[], additionalInfo[]}}``, whichever way Azure spells it.

    A body that is not that shape gets the code ``HttpStatus<nnn>``: a proxy's page is no reason to lose the status.
    """
    code, error = _read(body, f"{_WITHOUT_CODE}{status}")
    return AzureError(
        code=code,
        message=_message(error),
        error_class=classify(code, status),
        status=status,
        target=target,
        retry_after=retry_after,
        correlation_id=correlation_id,
        next_step=next_step(code, error, holder),
    )


def operation_failure(
    body: Mapping[str, Any], *, target: str, correlation_id: str | None, holder: CredentialHolder = _NOBODY
) -> OperationFailedError:
    """What a long operation that ended Failed or Canceled says of it; the answer's status is 200."""
    code, error = _read(body, f"Operation{str(body.get('status')).capitalize()}")
    return OperationFailedError(
        code=code,
        message=_message(error),
        error_class=classify(code, _OK),
        status=_OK,
        target=target,
        correlation_id=correlation_id,
        next_step=next_step(code, error, holder),
    )


def token_error(text: str, *, status: int, target: str, holder: CredentialHolder) -> AzureError:
    """Why no token was issued. ``text`` is azure-identity's: Entra's number (AADSTS…) and words, then ids and advice.

    An Entra that is ill or overrun says nothing of the identity, which may well be right.
    """
    first = text.strip().splitlines()[0] if text.strip() else "no token was issued"
    first = re.split(r"\s*Trace ID:", first, maxsplit=1)[0]
    number = re.search(r"AADSTS\d+", first)
    row = known_code(number.group()) if number else None
    code = row.name if row is not None else number.group() if number else "CredentialUnavailable"
    if row is None and (status == _TOO_MANY or status >= _SERVER_ERROR):
        code = "EntraUnavailable"
    step = next_step(code if known_code(code) else "CredentialUnavailable", {"message": first}, holder)
    error_class = row.error_class if row is not None else ErrorClass.CREDENTIAL
    if code == "EntraUnavailable":
        error_class = ErrorClass.TRANSIENT
    message = f"{holder.identity} gets no token: {_without_urls(first)}"
    return AzureError(code, message, error_class, status=status, target=target, next_step=step)


def known_error(
    code: str,
    message: str,
    *,
    target: str,
    status: int = 0,
    retry_after: float | None = None,
    holder: CredentialHolder = _NOBODY,
) -> AzureError:
    """An error of ours whose code is in the table."""
    body = {"error": {"code": code, "message": message}}
    return error_from_body(body, status=status, target=target, retry_after=retry_after, holder=holder)


def _read(body: Any, default: str) -> tuple[str, Mapping[str, Any]]:
    """The most telling code of an error's body, and the part of the body that has it."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return default, {"message": "the answer carried no error body"}
    code = str(error.get("code") or default)
    inner = list(_inner(error))
    telling = next((each for each in inner if known_code(str(each["code"])) is not None), None)
    if telling is None and code.lower() in WRAPPERS and inner:
        telling = inner[0]
    if telling is None:
        return code, error
    return str(telling["code"]), {**error, **telling, "message": telling.get("message") or error.get("message")}


def _inner(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The details that have a code, and theirs, the deepest last."""
    found = error.get("details")
    listed = [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
    yield from (each for each in listed if each.get("code"))
    for each in listed:
        yield from _inner(each)


def _message(error: Mapping[str, Any]) -> str:
    return _without_urls(str(error.get("message") or "").strip())


# The URL of an operation is signed: who has it can read the operation's result.
_OPERATION_URL = re.compile(r"https?://[^\s'\"<>]*?/operation(?:s|Results)/([0-9A-Za-z-]+)[^\s'\"<>]*", re.IGNORECASE)
_QUERY = re.compile(r"(https?://[^\s'\"<>?]+)\?[^\s'\"<>]*")


def _without_urls(text: str) -> str:
    """The text with operations by their ids, and other URLs without what may be secret in them."""
    return _QUERY.sub(r"\1", _OPERATION_URL.sub(r"operation \1", text))
