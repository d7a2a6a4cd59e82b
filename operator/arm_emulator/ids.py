"""ARM resource ids: compared without case, answered in the casing in which the resource was made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

_PLACE = re.compile(r"/subscriptions/(?P<subscription>[^/]+)(?:/resourcegroups/(?P<group>[^/]+))?", re.IGNORECASE)
_PATH = re.compile(r"(?P<namespace>[^/]+)/(?P<path>[^/]+/[^/]+(?:/[^/]+/[^/]+)*)")

BELOW = "/providers/"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"


@dataclass(frozen=True, slots=True)
class ResourceId:
    """`type` is namespace and type segments in the casing of the text; `names` are as many as type segments.

    `subscription` is empty for what belongs to the tenant. `extends` is the id of the resource or management group that an
    extension resource (a role assignment, a lock) lies on; one on a group, a subscription or the tenant has that place.
    `key` is what ids are compared by: the whole text in lower case.
    """

    subscription: str
    group: str | None
    type: str
    names: tuple[str, ...]
    extends: str = ""
    key: str = field(init=False, repr=False, compare=False)
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Both are asked for many times in every request.
        object.__setattr__(self, "_text", self._written())
        object.__setattr__(self, "key", self._text.lower())

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def place(self) -> str:
        """The resource group, the subscription where there is none, or nothing: the tenant."""
        if not self.subscription:
            return ""
        base = f"/subscriptions/{self.subscription}"
        return base if self.group is None else f"{base}/resourceGroups/{self.group}"

    @property
    def scope(self) -> str:
        """What the id begins with: the resource that it extends, or its place."""
        return self.extends or self.place

    @property
    def parent(self) -> "ResourceId | None":
        """The resource that this one is a child of; None for a top-level resource."""
        if len(self.names) == 1:
            return None
        kind = self.type.rpartition("/")[0]
        return ResourceId(self.subscription, self.group, kind, self.names[:-1], self.extends)

    @property
    def root(self) -> "ResourceId":
        """The top-level resource, itself or an ancestor: the one whose etag and operations the children share."""
        if len(self.names) == 1:
            return self
        namespace, first, *_ = self.type.split("/")
        return ResourceId(self.subscription, self.group, f"{namespace}/{first}", self.names[:1], self.extends)

    def child(self, segment: str, name: str) -> "ResourceId":
        """A child of one more type segment."""
        return ResourceId(self.subscription, self.group, f"{self.type}/{segment}", (*self.names, name), self.extends)

    def __str__(self) -> str:
        """The id as text."""
        return self._text

    def _written(self) -> str:
        if self.type in {SUBSCRIPTION_TYPE, GROUP_TYPE}:
            return self.place
        namespace, *segments = self.type.split("/")
        pairs = "/".join(f"{segment}/{name}" for segment, name in zip(segments, self.names, strict=True))
        return f"{self.scope}/providers/{namespace}/{pairs}"


@lru_cache(maxsize=1 << 16)
def parse(text: str) -> ResourceId | None:
    """The id in `text`, or None where it is none of subscription, resource group or resource.

    Extension resources (`{scope}/providers/A/…`) are ids as well, whatever they lie on.
    """
    text = text.rstrip("/")
    position = text.lower().rfind(BELOW)
    if position < 0:
        return _place(text)
    base, below = text[:position], _PATH.fullmatch(text[position + len(BELOW) :])
    home = placed(base)
    if below is None or home is None:
        return None
    subscription, group, extends = home
    segments = below["path"].split("/")
    kind = "/".join([below["namespace"], *segments[::2]])
    return ResourceId(subscription, group, kind, tuple(segments[1::2]), extends)


def placed(base: str) -> tuple[str, str | None, str] | None:
    """Subscription, group and extended resource that an id begins with; None where `base` is no scope."""
    if not base:
        return "", None, ""
    home = parse(base)
    if home is None:
        return None
    extends = "" if home.type in {SUBSCRIPTION_TYPE, GROUP_TYPE} else base
    return home.subscription, home.group, extends


def _place(text: str) -> ResourceId | None:
    match = _PLACE.fullmatch(text)
    if match is None:
        return None
    subscription, group = match.group("subscription", "group")
    if group is None:
        return ResourceId(subscription, None, SUBSCRIPTION_TYPE, (subscription,))
    return ResourceId(subscription, group, GROUP_TYPE, (group,))


def scopes(key: str) -> Iterator[str]:
    """The id itself and every scope above it, narrowest first, `/` last; `key` is lower-case."""
    yield key
    position = key.rfind("/")
    while position > 0:
        key = key[:position]
        yield key
        position = key.rfind("/")
    yield "/"
