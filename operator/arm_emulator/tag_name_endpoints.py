"""The names of tags of a subscription: those in use, with how often each value occurs, and those that were made beforehand.

Rules: https://learn.microsoft.com/rest/api/resources/tags (Create Or Update, Delete, and the same of a value)
"""

from collections.abc import Mapping
from http import HTTPStatus

from arm_emulator import checks
from arm_emulator.cloud import Cloud
from arm_emulator.errors import ArmError, Json, conflict, not_found
from arm_emulator.gate import Gate
from arm_emulator.ids import SUBSCRIPTION_TYPE, ResourceId
from arm_emulator.messages import Answer, Request
from arm_emulator.principals import Principal
from arm_emulator.store import Resource

_MADE = "_tagNames"
_VERBS = {"GET": "read", "PUT": "write", "DELETE": "delete"}


class TagNameEndpoints:
    """Answers for the subscriptions of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        """The cloud whose resources carry the tags."""
        self._cloud = cloud
        self._gate = Gate(cloud)

    def answer(self, request: Request, principal: Principal, segments: list[str]) -> Answer | None:
        """The answer to a path of these lower-cased segments; None where it is about no tag's name. Raises ArmError."""
        match segments:
            case ["subscriptions", _, "tagnames"]:
                methods = frozenset({"GET"})
            case ["subscriptions", _, "tagnames", _] | ["subscriptions", _, "tagnames", _, "tagvalues", _]:
                methods = frozenset({"PUT", "DELETE"})
            case _:
                return None
        if request.method not in methods:
            raise ArmError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "UnsupportedHttpVerb",
                f"The HTTP verb '{request.method}' is not supported for '{request.path}'.",
            )
        scope = f"/subscriptions/{segments[1]}"
        action = f"Microsoft.Resources/subscriptions/tagNames/{_VERBS[request.method]}"
        self._cloud.rights.authorize(principal, action, scope)
        item = self._cloud.store.get(scope)
        if item is None:
            raise not_found("SubscriptionNotFound", f"The subscription '{segments[1]}' could not be found.")
        if request.method == "GET":
            return Answer.listing([_shown(item, name, values) for name, values in sorted(self._counted(item).items())])
        self._gate.check_state(request.method, ResourceId(segments[1], None, SUBSCRIPTION_TYPE, (segments[1],)))
        name, value = _named(request.path)
        return self._made(item, name, value) if request.method == "PUT" else self._removed(item, name, value)

    def _made(self, item: Resource, name: str, value: str | None) -> Answer:
        checks.check_tags({"tags": {name: value or ""}})
        counted = self._counted(item)
        name = _standing(counted, name)
        new = name not in counted if value is None else value not in counted.get(name, {})
        made = _made_in(item)
        made.setdefault(name, [])
        if value is not None and value not in made[name]:
            made[name].append(value)
        self._keep(item, made)
        shown = _shown(item, name, self._counted(item)[name])
        if value is not None:
            shown = next(one for one in shown["values"] if one["tagValue"] == value)
        return Answer(HTTPStatus.CREATED if new else HTTPStatus.OK, shown, write=str(item.id))

    def _removed(self, item: Resource, name: str, value: str | None) -> Answer:
        counted = self._counted(item)
        name = _standing(counted, name)
        values = counted.get(name, {})
        gone = name not in counted if value is None else value not in values
        if gone:
            return Answer(HTTPStatus.NO_CONTENT)
        if values if value is None else values[value]:
            # A name goes after its values, and a value after its last use.
            raise conflict("TagInUse", f"The tag '{name if value is None else value}' is in use and cannot be deleted.")
        made = _made_in(item)
        if value is None:
            del made[name]
        else:
            made[name].remove(value)
        self._keep(item, made)
        return Answer(HTTPStatus.OK, write=str(item.id))

    def _keep(self, item: Resource, made: Mapping[str, list[str]]) -> None:
        item.body = {**item.body, _MADE: dict(made)}
        self._cloud.store.put(item)

    def _counted(self, item: Resource) -> dict[str, dict[str, int]]:
        """How often each value of each name occurs; names are compared without case."""
        counts = {name: dict.fromkeys(values, 0) for name, values in _made_in(item).items()}
        spelt = {name.lower(): name for name in counts}
        for one in self._cloud.store:
            if one.key == item.key or one.key.startswith(f"{item.key}/"):
                for name, value in (one.body.get("tags") or {}).items():
                    values = counts.setdefault(spelt.setdefault(str(name).lower(), str(name)), {})
                    values[str(value)] = values.get(str(value), 0) + 1
        return counts


def _made_in(item: Resource) -> dict[str, list[str]]:
    return {name: list(values) for name, values in (item.body.get(_MADE) or {}).items()}


def _named(path: str) -> tuple[str, str | None]:
    """Name and value of a path as they are spelt there."""
    parts = path.strip("/").split("/")
    return parts[3], parts[5] if len(parts) > 4 else None  # noqa: PLR2004  (…/tagNames/{name}[/tagValues/{value}])


def _standing(counted: Mapping[str, object], name: str) -> str:
    """The spelling that a name has already."""
    return next((one for one in counted if one.lower() == name.lower()), name)


def _shown(item: Resource, name: str, values: Mapping[str, int]) -> Json:
    tag_id = f"/subscriptions/{item.id.subscription}/tagNames/{name}"
    return {
        "id": tag_id,
        "tagName": name,
        "count": {"type": "Total", "value": sum(values.values())},
        "values": [
            {"id": f"{tag_id}/tagValues/{value}", "tagValue": value, "count": {"type": "Total", "value": count}}
            for value, count in sorted(values.items())
        ],
    }
