"""ARM resource ids: compared without case, answered in the casing in which the resource was made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SHAPE = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)"
    r"(?:/resourcegroups/(?P<group>[^/]+))?"
    r"(?:/providers/(?P<namespace>[^/]+)/(?P<path>[^/]+/[^/]+(?:/[^/]+/[^/]+)*))?/?$",
    re.IGNORECASE,
)

_PROVIDERS = "/providers/"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"


@dataclass(frozen=True, slots=True)
class ResourceId:
    """`type` is namespace and type segments in the casing of the text; `names` are as many as type segments."""

    subscription: str
    group: str | None
    type: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def key(self) -> str:
        """What ids are compared by."""
        return str(self).lower()

    @property
    def scope(self) -> str:
        """The resource group, or the subscription where there is none."""
        base = f"/subscriptions/{self.subscription}"
        return base if self.group is None else f"{base}/resourceGroups/{self.group}"

    @property
    def parent(self) -> "ResourceId | None":
        """The resource that this one is a child of; None for a top-level resource."""
        if len(self.names) == 1:
            return None
        return ResourceId(self.subscription, self.group, self.type.rpartition("/")[0], self.names[:-1])

    @property
    def root(self) -> "ResourceId":
        """The top-level resource, itself or an ancestor: the one whose etag and operations the children share."""
        namespace, first, *_ = self.type.split("/")
        return ResourceId(self.subscription, self.group, f"{namespace}/{first}", self.names[:1])

    def child(self, segment: str, name: str) -> "ResourceId":
        """A child of one more type segment."""
        return ResourceId(self.subscription, self.group, f"{self.type}/{segment}", (*self.names, name))

    def __str__(self) -> str:
        """The id as text."""
        if self.type in {SUBSCRIPTION_TYPE, GROUP_TYPE}:
            return self.scope
        namespace, *segments = self.type.split("/")
        pairs = "/".join(f"{segment}/{name}" for segment, name in zip(segments, self.names, strict=True))
        return f"{self.scope}/providers/{namespace}/{pairs}"


def parse(text: str) -> ResourceId | None:
    """The id in `text`, or None where it is none of subscription, resource group or resource.

    Extension resources (`…/providers/A/…/providers/B/…`) are none of these.
    """
    match = _SHAPE.match(text)
    if match is None:
        return None
    if text.lower().count(_PROVIDERS) > 1:
        return None
    subscription, group, namespace, path = match.group("subscription", "group", "namespace", "path")
    if namespace is None:
        if group is None:
            return ResourceId(subscription, None, SUBSCRIPTION_TYPE, (subscription,))
        return ResourceId(subscription, group, GROUP_TYPE, (group,))
    segments = path.split("/")
    return ResourceId(subscription, group, "/".join([namespace, *segments[::2]]), tuple(segments[1::2]))


def scopes(key: str) -> Iterator[str]:
    """The id itself and every scope above it, narrowest first, `/` last; `key` is lower-case."""
    yield key
    position = key.rfind("/")
    while position > 0:
        key = key[:position]
        yield key
        position = key.rfind("/")
    yield "/"
