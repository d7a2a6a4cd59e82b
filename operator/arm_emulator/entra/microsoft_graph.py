"""As much of Microsoft Graph as `az role assignment` asks for: service principals by their names, objects by their ids.

https://learn.microsoft.com/graph/api/serviceprincipal-list, https://learn.microsoft.com/graph/api/directoryobject-getbyids
"""

import re
from collections.abc import Sequence
from http import HTTPStatus

from arm_emulator.errors import Json
from arm_emulator.guids import new_guid
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.requests import body_of

_PREFIX = re.compile(r"/(?:v1\.0|beta)(/.*)", re.IGNORECASE)
_ONE = re.compile(r"/serviceprincipals/([^/]+)", re.IGNORECASE)
_FILTERS = {
    re.compile(r"servicePrincipalNames/any\((\w+):\1 eq '(?P<value>[^']*)'\)", re.IGNORECASE): "appId",
    re.compile(r"appId eq '(?P<value>[^']*)'", re.IGNORECASE): "appId",
    re.compile(r"id eq '(?P<value>[^']*)'", re.IGNORECASE): "id",
    re.compile(r"displayName eq '(?P<value>[^']*)'", re.IGNORECASE): "displayName",
}


class MicrosoftGraph:
    """Shows the principals; nothing can be changed here."""

    def __init__(self, principals: Sequence[Principal]) -> None:
        """All that are in the directory."""
        self._objects = [_service_principal(one) for one in principals]

    def serves(self, request: Request) -> bool:
        """Whether the path is Graph's."""
        return _PREFIX.fullmatch(request.path) is not None

    def answer(self, request: Request) -> Answer:
        """The answer to an authenticated request; errors are answers in Graph's shape. Raises ArmError for a bad body."""
        found = _PREFIX.fullmatch(request.path)
        path = "" if found is None else found[1].rstrip("/").lower()
        one = _ONE.fullmatch(path)
        if request.method == "GET" and path == "/serviceprincipals":
            return self._listed(request.query.get("$filter"))
        if request.method == "GET" and one is not None:
            return self._shown(one[1])
        if request.method == "POST" and path == "/directoryobjects/getbyids":
            ids = body_of(request.body).get("ids")
            wanted = {str(each).lower() for each in ids} if isinstance(ids, list) else set()
            return Answer.listing([each for each in self._objects if each["id"] in wanted])
        return _refused(
            HTTPStatus.BAD_REQUEST, "BadRequest", f"The local Azure has no {request.method} {request.path}."
        )

    def _listed(self, condition: str | None) -> Answer:
        if condition is None:
            return Answer.listing(self._objects)
        for pattern, field in _FILTERS.items():
            match = pattern.fullmatch(condition.strip())
            if match is not None:
                value = match["value"].lower()
                return Answer.listing([one for one in self._objects if one[field].lower() == value])
        return _refused(HTTPStatus.BAD_REQUEST, "Request_UnsupportedQuery", "Unsupported Query.")

    def _shown(self, object_id: str) -> Answer:
        for one in self._objects:
            if one["id"] == object_id:
                return Answer(HTTPStatus.OK, one)
        text = (
            f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."
        )
        return _refused(HTTPStatus.NOT_FOUND, "Request_ResourceNotFound", text)


def _service_principal(principal: Principal) -> Json:
    managed = principal.credentials.managed_identity is not None
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": principal.object_id.lower(),
        "appId": principal.client_id,
        "displayName": principal.name,
        "accountEnabled": True,
        "servicePrincipalNames": [principal.client_id],
        "servicePrincipalType": "ManagedIdentity" if managed else "Application",
    }


def _refused(status: int, code: str, text: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": text, "innerError": {"request-id": new_guid()}}})
