"""What changed for VMs from one estate to another, and what in the estate it comes from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row
from bastion_operator.network.finding import Finding
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.reachability import Reachability, Verdict

MOST_FIELDS: Final = 20
"""Fields of one resource that are told; a resource that is another altogether has hundreds."""


class Kind(StrEnum):
    """What became of a VM's verdict, in the order in which people want to know."""

    LOST = "Lost"
    GAINED = "Gained"
    CHANGED = "Changed"
    ADDED = "Added"
    REMOVED = "Removed"
    SAME = "Same"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a resource that is otherwise; ``before`` or ``after`` is None where it is not there."""

    resource: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """One VM, protocol and port in both estates; ``before`` or ``after`` is None where there is no such VM.

    ``new`` are the reasons that only the later verdict has, ``gone`` those that only the earlier one had; ``because`` what is
    otherwise in the resources that these name.
    """

    kind: Kind
    before: Verdict | None
    after: Verdict | None
    new: tuple[Finding, ...] = ()
    gone: tuple[Finding, ...] = ()
    because: tuple[FieldChange, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict that names VM, protocol and port: the later one where there is one."""
        told = self.after or self.before
        assert told is not None
        return told


def verdict_changes(
    before: Iterable[Verdict], after: Iterable[Verdict], inventories: tuple[Inventory, Inventory]
) -> list[VerdictChange]:
    """Every VM, protocol and port of both, the losses first, then by VM.

    A VM that was Reachable and is not any more is Lost, whether it is Unreachable or Unknown now; one that is not there any
    more is Removed, which is no loss.
    """
    earlier, later = _by_question(before), _by_question(after)
    found = [_change(earlier.get(key), later.get(key), inventories) for key in sorted(earlier.keys() | later.keys())]
    places = {kind: place for place, kind in enumerate(Kind)}
    return sorted(found, key=lambda one: places[one.kind])


def _by_question(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, int], Verdict]:
    return {(normalise_id(one.vm), one.protocol.value, one.port): one for one in verdicts}


def _change(before: Verdict | None, after: Verdict | None, inventories: tuple[Inventory, Inventory]) -> VerdictChange:
    had = {} if before is None else {_key(reason): reason for reason in before.reasons}
    has = {} if after is None else {_key(reason): reason for reason in after.reasons}
    new = tuple(reason for key, reason in has.items() if key not in had)
    gone = tuple(reason for key, reason in had.items() if key not in has)
    kind = _kind(before, after, turned=bool(new or gone))
    if kind is Kind.SAME or before is None or after is None:
        return VerdictChange(kind, before, after, new, gone)
    resources = {normalise_id(each.resource): each.resource for each in (*new, *gone) if each.resource is not None}
    because = tuple(change for resource in resources.values() for change in field_changes(resource, *inventories))
    return VerdictChange(kind, before, after, new, gone, because)


def _key(reason: Finding) -> tuple[str, str, str]:
    return reason.code, (reason.resource or "").lower(), reason.rule or ""


def _kind(before: Verdict | None, after: Verdict | None, *, turned: bool) -> Kind:
    if before is None:
        return Kind.ADDED
    if after is None:
        return Kind.REMOVED
    was, is_now = (one.verdict is Reachability.REACHABLE for one in (before, after))
    if was != is_now:
        return Kind.LOST if was else Kind.GAINED
    return Kind.CHANGED if turned or _seen(before) != _seen(after) else Kind.SAME


def _seen(verdict: Verdict) -> tuple[object, ...]:
    return verdict.verdict, normalise_id(verdict.bastion or ""), verdict.via, verdict.methods


def field_changes(resource: str, before: Inventory, after: Inventory) -> tuple[FieldChange, ...]:
    """What is otherwise in a resource, field by field, up to ``MOST_FIELDS``; a child that lies in its parent's row counts as it."""
    found = _differences(_row_of(before, resource), _row_of(after, resource), "")
    told = (FieldChange(resource, field, *values) for field, *values in found)
    return tuple(change for change, _ in zip(told, range(MOST_FIELDS), strict=False))


def _row_of(inventory: Inventory, resource: str) -> Row | None:
    """The resource's row; of a subnet or a peering, which has none, the entry of its parent's."""
    row = inventory.row(resource)
    if row is not None or "/" not in resource:
        return row
    held = inventory.row(resource.rstrip("/").rsplit("/", 2)[0])
    lists = (held or {}).get("properties", {}).values()
    entries = (entry for listed in lists if isinstance(listed, list) for entry in listed if isinstance(entry, dict))
    return next((entry for entry in entries if normalise_id(str(entry.get("id", ""))) == normalise_id(resource)), None)


_NOISE: Final = frozenset({"etag", "resourceguid", "changedtime", "createdtime"})


def _differences(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Pairs of values that differ, by their path; entries of lists that have names are compared by these."""
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            if key.lower() not in _NOISE:
                yield from _differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
        return
    one, other = _named(before), _named(after)
    if one is None or other is None:
        yield path, before, after
        return
    for name in sorted(one.keys() | other.keys()):
        yield from _differences(one.get(name), other.get(name), f"{path}[{name}]")


def _named(value: Any) -> dict[str, Any] | None:
    """The entries of a list by name; None for anything that is no list of named entries."""
    if not isinstance(value, list) or not all(isinstance(each, Mapping) and "name" in each for each in value):
        return None
    return {str(each["name"]): each for each in value}
