"""What ``az deployment group what-if --no-pretty-print`` answers. Source: Microsoft's pages "Bicep what-if" and the REST
reference of Deployments - What If.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from bastion_operator.network.arm_id import ArmIdError, parse_arm_id
from bastion_operator.network.fields import Row, at, mapping, objects, text
from bastion_operator.network.foreseen.arm_types import UNDERSTOOD, harmless
from bastion_operator.network.foreseen.plan import (
    Action,
    Delete,
    Edit,
    ForeignPlan,
    NotConsidered,
    PlanFileError,
    PlannedChange,
    Put,
    entries,
)

_HOW: Final = "write it with: az deployment group what-if --no-pretty-print -o json … > whatif.json"
_ACTIONS: Final = {"create": Action.CREATE, "modify": Action.UPDATE, "delete": Action.DELETE}
_AT_REST: Final = frozenset({"ignore", "nochange", "noeffect"})
_EXPRESSION: Final = re.compile(r"\[(?!\[).*\]", re.DOTALL)
_ARM_ID: Final = re.compile("/subscriptions/[^/]+(/.+)?", re.IGNORECASE)
_COLUMNS: Final = ("location", "tags", "sku", "zones", "properties", "kind")


def read_arm_what_if(name: str, content: bytes) -> ForeignPlan:
    """What a deployment would do. Raises PlanFileError."""
    edits: list[Edit] = []
    changes: list[PlannedChange] = []
    left_out: list[NotConsidered] = []
    for change in _changes(name, content):
        found = _read(change)
        if isinstance(found, NotConsidered):
            left_out.append(found)
        elif found is not None:
            planned, edit = found
            changes.append(planned)
            edits.append(edit)
    return ForeignPlan(tuple(edits), tuple(changes), tuple(left_out))


def _changes(name: str, content: bytes) -> Iterator[Row]:
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise PlanFileError(f"{name} is no JSON: {error}", _HOW) from error
    holder = answer if at(answer, "changes") is not None else mapping(answer, "properties")
    if not isinstance(holder.get("changes") if hasattr(holder, "get") else None, list):
        failure = mapping(answer, "error")
        told = f": {text(failure, 'code')}: {text(failure, 'message')}" if failure else ": it has no list of changes"
        raise PlanFileError(f"{name} is no answer of what-if{told}", _HOW)
    for field in ("changes", "potentialChanges"):
        yield from entries(name, holder, field, _HOW)


def _read(change: Row) -> tuple[PlannedChange, Edit] | NotConsidered | None:
    resource_id = text(change, "resourceId") or ""
    kind = (text(change, "changeType") or "").lower()
    if kind in _AT_REST:
        return None
    try:
        resource_type = parse_arm_id(resource_id).resource_type
    except ArmIdError:
        return NotConsidered(
            resource_id or "a change without an id", "?", "because its id is told only after deployment", anything=True
        )
    after, before = mapping(change, "after"), mapping(change, "before")
    about = tuple(dict.fromkeys((resource_id, *_ids(dict(after)), *_ids(dict(before)))))
    if harmless(resource_type):
        return NotConsidered(resource_id, resource_type, "and nothing on the way to a VM hangs on it")
    if (action := _ACTIONS.get(kind)) is None:
        told = text(change, "unsupportedReason")
        why = f"because what-if cannot tell what becomes of it ({told or text(change, 'changeType')})"
        return NotConsidered(resource_id, resource_type, why, about)
    if resource_type.lower() not in UNDERSTOOD:
        lonely = len(about) == 1
        return NotConsidered(
            resource_id, resource_type, "because this version does not understand its type", about, lonely
        )
    planned = PlannedChange(action, resource_id.rsplit("/", 1)[-1], resource_id)
    if action is Action.DELETE:
        return planned, Delete(resource_id)
    if any(map(_EXPRESSION.fullmatch, _texts(dict(mapping(after, "properties"))))):
        return NotConsidered(resource_id, resource_type, "because a part of it is told only after deployment", about)
    body: dict[str, Any] = {name: after[name] for name in _COLUMNS if after.get(name) is not None}
    for path in _taken_away(change):
        _set_none(body, path)
    return planned, Put(resource_id, body, anew=action is Action.CREATE)


def _taken_away(change: Row) -> Iterator[list[str]]:
    """The fields that the deployment takes away, as keys; those inside lists come with the whole list."""
    for difference in objects(change, "delta"):
        if (
            str(difference.get("propertyChangeType")).lower() == "delete"
            and (path := text(difference, "path")) is not None
        ):
            yield path.split(".")


def _set_none(body: dict[str, Any], path: list[str]) -> None:
    holder = body
    for key in path[:-1]:
        inner = holder.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        holder = inner
    holder.setdefault(path[-1], None)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _ids(value: Any) -> Iterator[str]:
    return (each for each in _texts(value) if _ARM_ID.fullmatch(each))
