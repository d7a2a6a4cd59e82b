"""ARM bodies: reading, comparing and changing named fields, and nothing but named fields."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.model import Body, Difference

Path = tuple[str, ...]
"""The keys from the body's top to a field; a tuple, because names of tags may hold dots."""

Named = Mapping[Path, Any]
"""The fields that a spec names, with the values that it wants. Everything else is never compared and never changed."""

TAGS = "tags"
# States in which Azure refuses or queues further writes to a resource.
_IN_TRANSITION = frozenset({"creating", "updating", "deleting"})
_FAILED = frozenset({"failed", "canceled"})


def properties(body: Body) -> Mapping[str, Any]:
    """The body's ``properties``, empty where there are none."""
    found = body.get("properties")
    # A dict is known at once; the abstract class takes ten times as long to ask, and plans ask thousands of times.
    return found if isinstance(found, (dict, Mapping)) else {}


def provisioning_state(body: Body) -> str:
    """``Succeeded`` and the like; a resource that shows no state counts as Succeeded, as nested rows often do."""
    return str(properties(body).get("provisioningState") or "Succeeded")


def in_transition(body: Body) -> bool:
    """Azure is still working on it."""
    return provisioning_state(body).lower() in _IN_TRANSITION


def has_failed(body: Body) -> bool:
    """Azure gave up its last work on it. Microsoft's first cure is the same PUT once more."""
    return provisioning_state(body).lower() in _FAILED


def etag(body: Body) -> str | None:
    """The etag, where the source carries one (rows of Resource Graph have none at the top)."""
    found = body.get("etag")
    return str(found) if found else None


def children(body: Body, collection: str) -> list[Mapping[str, Any]]:
    """The nested resources of a collection in ``properties``, such as ``subnets``; what is no object is left out."""
    found = properties(body).get(collection)
    return [each for each in found if isinstance(each, (dict, Mapping))] if isinstance(found, (list, Sequence)) else []


def child(body: Body, collection: str, name: str) -> Mapping[str, Any] | None:
    """The nested resource of this name, compared as Azure does, without regard to case."""
    wanted = name.lower()
    return next((each for each in children(body, collection) if str(each.get("name", "")).lower() == wanted), None)


def referenced_id(value: Any) -> str:
    """The normalised id of a ``{"id": …}`` reference, empty where there is none."""
    found = value.get("id") if isinstance(value, (dict, Mapping)) else None
    return normalise_id(found) if isinstance(found, str) else ""


def differing(body: Body, named: Named, defaults: Named | None = None) -> Named:
    """The named fields whose value is another.

    An absent boolean is false, another absent field has the value that ``defaults`` gives it; ids and enumerations
    compare without case, values of tags with it.
    """
    absent = defaults or {}
    return {
        path: wanted
        for path, wanted in named.items()
        if not _same(_present(lookup(body, path), absent.get(path)), wanted, exact=path[0] == TAGS)
    }


def described(body: Body, named: Named) -> tuple[Difference, ...]:
    """The named fields with the values that they have and are to have."""
    return tuple(Difference(".".join(path), lookup(body, path), wanted) for path, wanted in named.items())


def with_named(body: Body, named: Named) -> dict[str, Any]:
    """A copy of the body in which the named fields have their wanted values and all else is as it was."""
    changed: dict[str, Any] = deepcopy(dict(body))
    for path, wanted in named.items():
        target = changed
        for key in path[:-1]:
            inner = target.get(key)
            if not isinstance(inner, dict):
                inner = target[key] = {}
            target = inner
        target[_present_key(target, path[-1])] = wanted
    return changed


def lookup(body: Body, path: Path) -> Any:
    """The value of a field, None where there is none; names of tags are found in any case."""
    value: Any = body
    for key in path:
        if not isinstance(value, (dict, Mapping)):
            return None
        value = value.get(_present_key(value, key))
    return value


def _present_key(mapping: Mapping[str, Any], key: str) -> str:
    # Names of tags keep the case they were first written in, and Azure finds them in any.
    return next((each for each in mapping if each.lower() == key.lower()), key)


def _present(actual: Any, default: Any) -> Any:
    return default if actual is None else actual


def _same(actual: Any, wanted: Any, *, exact: bool) -> bool:
    if isinstance(wanted, bool):
        return bool(actual) is wanted
    if isinstance(actual, str) and isinstance(wanted, str) and not exact:
        return actual.lower() == wanted.lower()
    return bool(actual == wanted)
