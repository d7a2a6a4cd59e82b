"""Microsoft.Resources/tags: the tags of a subscription, a group or a resource, read and changed without its provider.

Rules: https://learn.microsoft.com/rest/api/resources/tags
"""

from http import HTTPStatus

from arm_emulator import checks
from arm_emulator.cloud import Cloud
from arm_emulator.effects import Effects
from arm_emulator.errors import ArmError, Json, bad_request, invalid_format, not_found
from arm_emulator.gate import Gate
from arm_emulator.ids import SUBSCRIPTION_TYPE, parse
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.requests import body_of
from arm_emulator.resource_types import type_of
from arm_emulator.store import Resource

TAIL = "/providers/microsoft.resources/tags/default"
_SEGMENTS = TAIL.strip("/").split("/")
_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_OPERATIONS = ("Merge", "Replace", "Delete")


class TagsEndpoints:
    """Answers for everything that has tags."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose resources are tagged."""
        self._cloud = cloud
        self._gate = Gate(cloud)
        self._effects = Effects(cloud)

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is no tags resource. Raises ArmError."""
        if segments[-4:] != _SEGMENTS:
            return None
        scope = request.path.rstrip("/")[: -len(TAIL)]
        verb = _VERBS.get(request.method)
        if verb is None:
            raise ArmError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "UnsupportedHttpVerb",
                f"The HTTP verb '{request.method}' is not supported for '{request.path}'.",
            )
        self._cloud.rights.authorize(principal, f"Microsoft.Resources/tags/{verb}", scope)
        item = self._item(scope)
        if verb == "read":
            return Answer(HTTPStatus.OK, _body(item))
        wanted = {} if verb == "delete" else self._wanted(request, item)
        self._change(item, wanted)
        body = None if verb == "delete" else _body(item)
        return Answer(HTTPStatus.OK, body, write=str(item.id))

    def _item(self, scope: str) -> Resource:
        item = self._cloud.find(scope)
        if item is None:
            found = parse(scope)
            if found is None:
                raise not_found("InvalidResourceType", f"Nothing at '{scope}' can have tags.")
            raise checks.resource_not_found(found)
        if item.id.type != SUBSCRIPTION_TYPE and not type_of(item.id.type).tracked:
            raise bad_request("InvalidResourceType", f"The resource type '{item.id.type}' does not support tags.")
        return item

    def _wanted(self, request: Request, item: Resource) -> dict[str, str]:
        """The tags as they will be. Names are compared without case, and keep the casing that they have."""
        body = body_of(request.body)
        properties = body.get("properties") or {}
        if not isinstance(properties, dict):
            raise invalid_format("Error converting value to an object.", "properties")
        given = properties.get("tags") or {}
        checks.check_tags({"tags": given})
        if request.method == "PUT":
            return dict(given)
        operation = {one.lower(): one for one in _OPERATIONS}.get(str(body.get("operation", "")).lower())
        if operation is None:
            raise bad_request(
                "InvalidTagsOperation", f"The operation '{body.get('operation')}' is none of {', '.join(_OPERATIONS)}."
            )
        if operation == "Replace":
            return dict(given)
        lowered = {name.lower(): value for name, value in given.items()}
        standing: dict[str, str] = item.body.get("tags") or {}
        if operation == "Delete":
            return {
                name: value
                for name, value in standing.items()
                if name.lower() not in lowered or lowered[name.lower()] not in ("", value)
            }
        names = {name.lower() for name in standing}
        kept = {name: lowered.get(name.lower(), value) for name, value in standing.items()}
        return kept | {name: value for name, value in given.items() if name.lower() not in names}

    def _change(self, item: Resource, wanted: dict[str, str]) -> None:
        checks.check_tags({"tags": wanted})
        checks.refuse_in_deleting_group(self._cloud, item.id)
        self._gate.check("PATCH", item.id, lambda: None)
        self._gate.check_policies(item.id, {**item.body, "tags": wanted}, whole=True)
        item.body = {**item.body, "tags": wanted}
        self._effects.touch(item)


def _body(item: Resource) -> Json:
    return {
        "id": f"{item.id}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": item.body.get("tags") or {}},
    }
