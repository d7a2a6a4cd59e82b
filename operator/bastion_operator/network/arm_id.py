"""Azure Resource Manager ids: parsing and comparing. Azure compares them without case, and answers in mixed case."""

from dataclasses import dataclass
from functools import lru_cache


class ArmIdError(ValueError):
    """A text that is not the id of an Azure resource."""


@dataclass(frozen=True, slots=True)
class ArmId:
    """The parts of an id, as spelled in it.

    ``types`` and ``names`` run side by side from the outermost resource to the innermost: for a subnet
    ``("virtualNetworks", "subnets")`` and ``("hub", "AzureBastionSubnet")``. Both are empty for a subscription or a
    resource group. ``scope`` is the id that an extension resource (a role assignment, say) hangs on, else None.
    """

    text: str
    subscription: str | None
    resource_group: str | None
    provider: str | None
    types: tuple[str, ...]
    names: tuple[str, ...]
    scope: str | None = None

    @property
    def name(self) -> str:
        """The resource's own name: the last segment."""
        return self.text.rsplit("/", 1)[1]

    @property
    def resource_type(self) -> str:
        """Namespace and types, such as ``Microsoft.Network/virtualNetworks/subnets``; for containers Azure's own names."""
        if self.provider is not None:
            return "/".join((self.provider, *self.types))
        container = "subscriptions" if self.resource_group is None else "subscriptions/resourceGroups"
        return f"Microsoft.Resources/{container}"

    @property
    def parent(self) -> str | None:
        """The id of the resource that this one is a child of; None for a resource of its own."""
        return self.text.rsplit("/", 2)[0] if len(self.types) > 1 else None

    def __str__(self) -> str:
        return self.text


def normalise_id(text: str) -> str:
    """The one spelling by which ids are compared: lower case, one leading slash, none at the end."""
    key = text.lower()
    # Nearly all are spelled so already, and a large estate asks this hundreds of thousands of times.
    if "/" < key[-1:] <= "~" and key[0] == "/" and key[1] != "/":
        return key
    return "/" + key.strip().strip("/")


def same_id(one: str | None, other: str | None) -> bool:
    """Whether two ids name one resource. An absent id names none."""
    return one is not None and other is not None and normalise_id(one) == normalise_id(other)


@lru_cache(maxsize=65536)
def parse_arm_id(text: str) -> ArmId:
    """The parts of an ARM id. Raises ArmIdError with what is wrong and how an id looks."""
    clean = "/" + text.strip().strip("/")
    segments = clean[1:].split("/")
    if len(segments) % 2 or not all(segments):
        raise _malformed(text, "it is not made of pairs of /type/name")
    if (extension := _last_provider(segments)) is None:
        return _container(text, clean, segments)
    scope_segments, resource = segments[:extension], segments[extension + 1 :]
    provider, kinds = resource[0], resource[1:]
    if not kinds or len(kinds) % 2:
        raise _malformed(text, "the namespace after /providers must be followed by pairs of /type/name")
    scope = "/" + "/".join(scope_segments) if _last_provider(scope_segments) is not None else None
    subscription, group = _holder(scope_segments)
    return ArmId(clean, subscription, group, provider, tuple(kinds[::2]), tuple(kinds[1::2]), scope)


def _last_provider(segments: list[str]) -> int | None:
    places = [index for index in range(0, len(segments), 2) if segments[index].lower() == "providers"]
    return places[-1] if places else None


def _holder(segments: list[str]) -> tuple[str | None, str | None]:
    pairs = dict(zip((key.lower() for key in segments[:4:2]), segments[1:4:2], strict=False))
    return pairs.get("subscriptions"), pairs.get("resourcegroups")


def _container(text: str, clean: str, segments: list[str]) -> ArmId:
    subscription, group = _holder(segments)
    if subscription is None or len(segments) != (2 if group is None else 4):
        raise _malformed(text, "it names neither a subscription, nor a resource group, nor a /providers/ resource")
    return ArmId(clean, subscription, group, None, (), ())


def _malformed(text: str, what: str) -> ArmIdError:
    return ArmIdError(
        f"{text!r} is no ARM id: {what}; an id reads "
        "/subscriptions/<subscription>/resourceGroups/<group>/providers/<namespace>/<type>/<name>"
    )
