"""Requests taken apart: which resource, list, action or service a URL of ARM means."""

from dataclasses import dataclass
from functools import lru_cache

import orjson

from arm_emulator.api_versions import ARM
from arm_emulator.errors import ArmError, Json, bad_request, not_found
from arm_emulator.ids import BELOW, GROUP_TYPE, SUBSCRIPTION_TYPE, ResourceId, parse, placed
from arm_emulator.providers import spelt_namespace
from arm_emulator.resource_types import TYPES, spelt, type_of

MOST_LEVELS = 64
"""How deep a body may nest: the default of the JSON library that Azure's own services are built with."""

_OF_PROVIDERS = ("/register", "/unregister", "/resourcetypes")
"""What is below a provider and no type of it."""
_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means. `kind` is resource, list or action; `id` is None for lists, `scope` what rights are checked on.

    `extends` is set for lists of extension resources on a resource; `place` is what a list is of.
    """

    kind: str
    type: str
    subscription: str
    group: str | None
    id: ResourceId | None = None
    parent: ResourceId | None = None
    action: str = ""
    extends: str = ""
    location: str = ""
    """The region that a list of a subscription is of, where it is of one."""

    @property
    def place(self) -> str:
        """The id of what a list is on: a resource, a group, a subscription; empty for the tenant."""
        if self.extends or not self.subscription:
            return self.extends
        base = f"/subscriptions/{self.subscription}"
        return base if self.group is None else f"{base}/resourceGroups/{self.group}"

    @property
    def scope(self) -> str:
        """The id that rights are checked on."""
        return str(self.id or self.parent or self.place or "/")


# Several parts ask for it in each request, and a resource is asked for many times.
@lru_cache(maxsize=1 << 16)
def target_of(path: str) -> Target | None:
    """The target of a path; None where it is no URL of a resource, a list or an action."""
    path = path.rstrip("/")
    position = path.lower().rfind(BELOW)
    if position < 0:
        return _without_provider(path)
    home = placed(path[:position])
    segments = path[position + len(BELOW) :].split("/")
    if home is None or len(segments) < 2 or "" in segments:  # noqa: PLR2004  (namespace and type)
        return None
    return _below_provider(*home, segments[0], segments[1:])


def _without_provider(path: str) -> Target | None:
    """A resource group, the groups of a subscription, or all resources of either."""
    above, _, last = path.rpartition("/")
    if last.lower() in ("resourcegroups", "resources"):
        home = parse(above)
        if home is None or home.type not in {SUBSCRIPTION_TYPE, GROUP_TYPE}:
            return None
        if last.lower() == "resources":
            return Target("list", "*", home.subscription, home.group)
        return Target("list", GROUP_TYPE, home.subscription, None) if home.group is None else None
    found = parse(path)
    if found is None or found.type != GROUP_TYPE:
        return None
    return Target("resource", GROUP_TYPE, found.subscription, found.group, id=found)


def _below_provider(
    subscription: str, group: str | None, extends: str, namespace: str, segments: list[str]
) -> Target | None:
    namespace = spelt_namespace(namespace)
    types, names = segments[::2], segments[1::2]
    full = spelt("/".join([namespace, *types]))
    if len(types) == len(names):
        found = ResourceId(subscription, group, full, tuple(names), extends)
        return Target("resource", full, subscription, group, id=found, extends=extends)
    if types[0].lower() == "locations" and group is None and len(names) == 1:
        listed = type_of(f"{namespace}/{types[1]}")
        if listed.by_location:
            return Target("list", listed.name, subscription, None, location=names[0])
    owner_type = spelt("/".join([namespace, *types[:-1]]))
    owner = None if not names else ResourceId(subscription, group, owner_type, tuple(names), extends)
    # Of a type that is not known neither the children nor the actions are: what estates hold below it can be listed.
    if owner is not None and full.lower() not in TYPES and owner_type.lower() in TYPES:
        return Target("action", owner_type, subscription, group, id=owner, action=types[-1].lower(), extends=extends)
    return Target("list", full, subscription, group, parent=owner, extends=extends)


def action_of(method: str, target: Target) -> str:
    """The RBAC action that a request needs."""
    base = "Microsoft.Resources/subscriptions/resourceGroups" if target.type == GROUP_TYPE else target.type
    if target.type == "*":
        base = "Microsoft.Resources/subscriptions/resources"
    if target.kind == "action":
        name = type_of(target.type).actions.get(target.action, target.action)
        return f"{base}/{name}/" + ("read" if method == "GET" else "action")
    return f"{base}/{_VERBS.get(method, 'action')}"


def versioned_type(target: Target | None) -> str:
    """The type whose api-versions a path takes; ARM's own where it is about no type of a provider."""
    if target is None or target.type == "*" or target.type.lower().endswith(_OF_PROVIDERS):
        return ARM
    below = type_of(target.type).below.get(target.action)
    # A list of descendants is answered by whoever has them: a scale set's interfaces by Microsoft.Network.
    return target.type if below is None else below[0]


def body_of(data: bytes) -> Json:
    """A request's body as an object; raises InvalidRequestContent for anything else."""
    if not data:
        raise bad_request("MissingRequestBody", "The request body is missing: an object is required.")
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise bad_request(
            "InvalidRequestContent", f"The request content was invalid and could not be deserialized: '{error}'."
        ) from None
    if not isinstance(body, dict):
        raise bad_request(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'Expected an object, found "
            f"{type(body).__name__}.'.",
        )
    if _deeper_than(MOST_LEVELS, body):
        raise bad_request(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'The reader's MaxDepth of "
            f"{MOST_LEVELS} has been exceeded.'.",
        )
    return body


def _deeper_than(most: int, body: object) -> bool:
    """Whether a document nests more levels than `most`; level by level, as a recursion would fail on what it looks for."""
    level = [body]
    for _ in range(most):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def unknown_path(path: str) -> ArmError:
    """404 for what is no URL of ARM."""
    return not_found("InvalidResourceType", f"No resource or operation of Azure Resource Manager is at '{path}'.")


def type_in(path: str) -> str:
    """The resource type that a path is about, for rules that go by type; empty where it is about none."""
    target = target_of(path)
    if target is not None:
        return target.type
    return "Microsoft.ResourceGraph/resources" if "microsoft.resourcegraph" in path.lower() else ""
