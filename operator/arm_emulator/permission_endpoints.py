"""Microsoft.Authorization/permissions: what the caller may do at a scope."""

from http import HTTPStatus

from arm_emulator.cloud import Cloud
from arm_emulator.ids import placed
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.requests import unknown_path

_TAIL = "/providers/microsoft.authorization/permissions"
_SEGMENTS = _TAIL.strip("/").split("/")


class PermissionEndpoints:
    """Answers for one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose role assignments are told."""
        self._cloud = cloud

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is no list of permissions. Raises ArmError."""
        if segments[-3:] != _SEGMENTS or request.method != "GET":
            return None
        scope = request.path.rstrip("/")[: -len(_TAIL)]
        if placed(scope) is None:
            raise unknown_path(request.path)
        found = self._cloud.rights.permissions(principal, scope)
        return Answer(HTTPStatus.OK, {"value": [one.body() for one in found]})
