"""Whether two sources tell the same of a resource."""

from collections.abc import Mapping
from typing import Any

# What a source adds or leaves out without the resource being another.
_INCIDENTAL = frozenset({"etag", "id", "type", "resourcegroup", "tenantid", "subscriptionid", "resourceguid"})
_TAGS = "tags"


def agree(one: Any, other: Any) -> bool:
    """Whether every field that both have is the same; strings compare without case, as Azure spells ids and names.

    Resource Graph answers in another api-version than ARM and adds columns of its own, so that what only one of them
    shows says nothing.
    """
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        common = [key for key in one if key in other and key.lower() not in _INCIDENTAL]
        return all(_same_tags(one[key], other[key]) if key == _TAGS else agree(one[key], other[key]) for key in common)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(agree(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    if one in (None, "", [], {}) and other in (None, "", [], {}):
        return True
    return bool(one == other)


def _same_tags(one: Any, other: Any) -> bool:
    """Tags are the user's own fields: one that only a source has is a difference."""
    return bool({**(one or {})} == {**(other or {})})
