"""What can go wrong between this operator and the API server: one small hierarchy, made from its answers at the edge."""

from collections.abc import Mapping
from typing import Any


class KubeError(Exception):
    """Something that the API server answered, or that kept it from answering.

    :ivar said: the API server's own words; empty where it said nothing
    """

    said: str = ""


class ConfigurationError(KubeError):
    """There is no usable configuration of a cluster."""


class NotFoundError(KubeError):
    """The object is not there, or another one of the same name is there now."""


class ConflictError(KubeError):
    """The object has changed in between, or exists already: read it again and decide again."""


class ExpiredError(KubeError):
    """The server no longer has the state that a list was to be continued from."""


class ForbiddenError(KubeError):
    """The operator's service account may not do this, or its token is not accepted."""


class InvalidError(KubeError):
    """The API server refuses what was sent: another try of the same would be refused as well."""


class UnavailableError(KubeError):
    """No answer, or one that asks to come back later, after ``retry_after`` seconds if it said so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


_BY_STATUS: Mapping[int, type[KubeError]] = {
    404: NotFoundError,
    409: ConflictError,
    410: ExpiredError,
    412: ConflictError,
}
_TYPED = "failed to create typed patch object"
_UNAUTHORIZED, _FORBIDDEN, _TIMEOUT, _TOO_MANY, _SERVER_ERROR = 401, 403, 408, 429, 500


def error_of(method: str, path: str, status: int, body: Mapping[str, Any], retry_after: str | None) -> KubeError:
    """The error for an answer that is not a success.

    ``body`` is the answer's ``Status`` object (empty if it was none), ``retry_after`` the header of that name.
    """
    said = str(body.get("message") or f"HTTP {status}").strip()
    error = _error_of(f"{method} {path}: {said}", status, said, _seconds(retry_after, body))
    error.said = said
    return error


def _error_of(what: str, status: int, said: str, retry_after: float | None) -> KubeError:
    if status == _UNAUTHORIZED:
        return ForbiddenError(
            f"{what}. The API server does not accept the credentials: check the service account's token or KUBECONFIG"
        )
    if status == _FORBIDDEN:
        # The server's message names user, verb, resource and namespace.
        return ForbiddenError(f"{what}. Grant it in the operator's ClusterRole (deploy/)")
    if said.startswith(_TYPED):
        # Server-side apply answers 500 for what the schema does not know, though no other try will end otherwise.
        return InvalidError(f"{what}. Install the CRDs that belong to this version of the operator (crds/)")
    if status in (_TIMEOUT, _TOO_MANY) or status >= _SERVER_ERROR:
        return UnavailableError(what, retry_after)
    return _BY_STATUS.get(status, InvalidError)(what)


def _seconds(header: str | None, body: Mapping[str, Any]) -> float | None:
    details = body.get("details")
    told = header or (details.get("retryAfterSeconds") if isinstance(details, Mapping) else None)
    try:
        return float(told) if told is not None else None
    except (TypeError, ValueError):
        return None
