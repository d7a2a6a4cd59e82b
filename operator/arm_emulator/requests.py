"""Requests taken apart: which resource, list, action or service a URL of ARM means, and whether its api-version is known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from arm_emulator.errors import ArmError, Json, bad_request, not_found
from arm_emulator.ids import GROUP_TYPE, ResourceId
from arm_emulator.resource_types import TYPES, spelt, type_of
from arm_emulator.resource_types.versions import COMPUTE, NETWORK, RESOURCES

_PATH = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)(?:/resourcegroups(?:/(?P<group>[^/]+))?)?(?P<rest>/.*)?$", re.IGNORECASE
)
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?:-[a-z]+)?")
PROVIDERS = {"microsoft.network": NETWORK, "microsoft.compute": COMPUTE, "microsoft.resources": RESOURCES}
SPELT_PROVIDERS = {
    "microsoft.network": "Microsoft.Network",
    "microsoft.compute": "Microsoft.Compute",
    "microsoft.resources": "Microsoft.Resources",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means. `kind` is resource, list, action or operation; `id` is None for lists."""

    kind: str
    type: str
    subscription: str
    group: str | None
    id: ResourceId | None = None
    parent: ResourceId | None = None
    action: str = ""

    @property
    def scope(self) -> str:
        """The id that rights are checked on."""
        if self.id is not None:
            return str(self.id)
        if self.parent is not None:
            return str(self.parent)
        base = f"/subscriptions/{self.subscription}"
        return base if self.group is None else f"{base}/resourceGroups/{self.group}"


def target_of(path: str) -> Target | None:
    """The target of a path below /subscriptions/{id}; None where there is nothing such."""
    match = _PATH.match(path.rstrip("/"))
    if match is None:
        return None
    subscription, group, rest = match.group("subscription", "group", "rest")
    segments = [] if rest is None else rest.strip("/").split("/")
    groups_listed = "/resourcegroups" in path.lower()
    if not segments:
        if group is not None:
            found = ResourceId(subscription, group, GROUP_TYPE, (group,))
            return Target("resource", GROUP_TYPE, subscription, group, id=found)
        return Target("list", GROUP_TYPE, subscription, None) if groups_listed else None
    if segments == ["resources"]:
        return Target("list", "*", subscription, group)
    if segments[0].lower() != "providers" or len(segments) < 3:  # noqa: PLR2004  (providers, namespace, type)
        return None
    return _below_provider(subscription, group, segments[1], segments[2:])


def _below_provider(subscription: str, group: str | None, namespace: str, segments: list[str]) -> Target:
    namespace = SPELT_PROVIDERS.get(namespace.lower(), namespace)
    types, names = segments[::2], segments[1::2]
    full = spelt("/".join([namespace, *types]))
    if len(types) == len(names):
        found = ResourceId(subscription, group, full, tuple(names))
        return Target("resource", full, subscription, group, id=found)
    owner_type = spelt("/".join([namespace, *types[:-1]]))
    owner = None if not names else ResourceId(subscription, group, owner_type, tuple(names))
    if owner is not None and full.lower() not in TYPES:
        return Target("action", owner_type, subscription, group, id=owner, action=types[-1].lower())
    return Target("list", full, subscription, group, parent=owner)


def check_version(target: Target, api_version: str | None) -> str:
    """The api-version; raises what ARM says where it is missing or not one of the type's."""
    if not api_version:
        raise bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _VERSION.fullmatch(api_version):
        raise bad_request(
            "InvalidApiVersionParameter", f"The api-version '{api_version}' is invalid. {_supported(RESOURCES)}"
        )
    namespace, _, kind = target.type.partition("/")
    versions = _versions(target, namespace)
    if target.type in (GROUP_TYPE, "*"):
        if api_version not in RESOURCES:
            raise bad_request(
                "InvalidApiVersionParameter", f"The api-version '{api_version}' is invalid. {_supported(RESOURCES)}"
            )
    elif versions is None:
        raise ArmError(
            404,
            "InvalidResourceNamespace",
            f"The resource namespace '{namespace}' is invalid.",
        )
    elif api_version not in versions:
        raise bad_request(
            "NoRegisteredProviderFound",
            "No registered resource provider found for location '' and API version "
            f"'{api_version}' for type '{kind}'. {_supported(versions, 'api-versions')}",
        )
    return api_version


def _versions(target: Target, namespace: str) -> Sequence[str] | None:
    declared = type_of(target.type)
    if declared.name:
        return declared.api_versions
    return PROVIDERS.get(namespace.lower())


def _supported(versions: Sequence[str], what: str = "versions") -> str:
    return f"The supported {what} are '{', '.join(versions)}'. The supported locations are ''."


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
    return body


def unknown_path(path: str) -> ArmError:
    """404 for what is no URL of ARM."""
    return not_found("InvalidResourceType", f"No resource or operation of Azure Resource Manager is at '{path}'.")


def type_in(path: str) -> str:
    """The resource type that a path is about, for rules that go by type; empty where it is about none."""
    target = target_of(path)
    if target is not None:
        return target.type
    return "Microsoft.ResourceGraph/resources" if "microsoft.resourcegraph" in path.lower() else ""
