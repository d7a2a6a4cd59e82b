"""Microsoft.Insights/diagnosticSettingsCategories: what logs and metrics a resource has."""

from http import HTTPStatus

from arm_emulator import checks
from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, not_found
from arm_emulator.ids import parse
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.requests import unknown_path
from arm_emulator.resource_types.diagnostic_settings import CATEGORIES, categories

_TAIL = ["providers", "microsoft.insights", "diagnosticsettingscategories"]


class DiagnosticEndpoints:
    """Answers for the resources of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose resources have categories."""
        self._cloud = cloud

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is not about categories. Raises ArmError."""
        if segments[-3:] == _TAIL:
            scope, name = segments[:-3], None
        elif segments[-4:-1] == _TAIL:
            scope, name = segments[:-4], segments[-1]
        else:
            return None
        if request.method != "GET":
            raise ArmError(HTTPStatus.METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", "Categories are only read.")
        owner = parse("/" + "/".join(request.path.strip("/").split("/")[: len(scope)]))
        if owner is None:
            raise unknown_path(request.path)
        self._cloud.rights.authorize(principal, f"{CATEGORIES}/read", str(owner))
        item = self._cloud.store.get(owner.key)
        if item is None:
            raise checks.resource_not_found(owner)
        found = categories(item.id)
        if name is None:
            return Answer.listing(found)
        for one in found:
            if one["name"].lower() == name:
                return Answer(HTTPStatus.OK, one)
        raise not_found("ResourceNotFound", f"The diagnostic settings category '{name}' does not exist.")
