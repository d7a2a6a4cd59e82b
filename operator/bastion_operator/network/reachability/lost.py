"""An id that something refers to and that has no row: hidden from this identity, or not among what was read."""

from collections.abc import Iterator

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.codes import finding
from bastion_operator.network.fields import unreadable_reference
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.service_tags import Doubt

_READER = "Reader"


def lost(inventory: Inventory, resource: str, message: str) -> Finding:
    """What is said of a resource that has no row: refused where Azure said so, else unavailable."""
    doubt = lost_fact(inventory, resource, message)
    return finding(doubt.code, doubt.what, resource=doubt.resource)


def lost_fact(inventory: Inventory, resource: str, message: str) -> Doubt:
    """The same as a doubt, for a decision that hangs on it."""
    if (unread := unreadable_reference(resource)) is not None:
        holder, field = unread
        return Doubt("EffectiveDataUnavailable", f"the {field} of {holder} is no id that can be read", holder)
    if any(normalise_id(one) in inventory.refused for one in _holders(resource)):
        what = f"{message}, and Azure refuses to show it: grant {_READER} on it"
        return Doubt("PermissionDenied", what, resource)
    return Doubt("EffectiveDataUnavailable", message, resource)


def _holders(resource: str) -> Iterator[str]:
    """The resource, its subscription, and the resource that it lies in, if it is a child."""
    yield resource
    yield "/".join(normalise_id(resource).split("/")[:3])
    _, _, tail = resource.rpartition("/providers/")
    if len(tail.strip("/").split("/")) > len(("namespace", "type", "name")):
        yield resource.rstrip("/").rsplit("/", 2)[0]
