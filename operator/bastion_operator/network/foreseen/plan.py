"""The plan of another tool, in Azure's terms: what it would write and delete, and what of it is not understood."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bastion_operator.network.fields import Row, kind_of
from bastion_operator.network.foreseen.rows import ForeseenRows
from bastion_operator.network.inventory import Inventory


class PlanFileError(ValueError):
    """A file that is no plan of this kind.

    :ivar remedy: what to do
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


def entries(name: str, holder: Row, field: str, remedy: str) -> Iterator[Row]:
    """The objects of the list in a field of a plan, none where it is not there. Raises PlanFileError for anything else."""
    listed = holder.get(field)
    if listed is None:
        return
    if not isinstance(listed, list):
        raise PlanFileError(f"{name}, field {field}: it is {kind_of(listed)}, and must be a list", remedy)
    for number, entry in enumerate(listed, start=1):
        if not isinstance(entry, dict):
            raise PlanFileError(
                f"{name}, entry {number} of {field}: it is {kind_of(entry)}, and must be an object", remedy
            )
        yield entry


class Action(StrEnum):
    """What the plan does to a resource."""

    CREATE = "Create"
    UPDATE = "Update"
    REPLACE = "Replace"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A resource that the plan changes; ``name`` is what the tool calls it, ``resource_id`` its ARM id."""

    action: Action
    name: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class NotConsidered:
    """A part of the plan that was left out, with why.

    :ivar about: ARM ids of what it names; a verdict that rests on one of them could turn
    :ivar anything: it could be about anything, and every verdict could turn
    """

    name: str
    kind: str
    why: str
    about: tuple[str, ...] = ()
    anything: bool = False

    @property
    def harmless(self) -> bool:
        """No verdict hangs on it."""
        return not self.about and not self.anything


@dataclass(frozen=True, slots=True)
class Put:
    """A resource or a part of one with these fields; others stay as they are, unless it is ``anew``."""

    resource_id: str
    body: Row
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """A resource or a part of one that goes."""

    resource_id: str


@dataclass(frozen=True, slots=True)
class Assign:
    """One field of ``properties`` that is set, or taken away (None)."""

    resource_id: str
    field: str
    value: Any


Edit = Put | Delete | Assign


@dataclass(frozen=True, slots=True)
class ForeignPlan:
    """All of a plan."""

    edits: tuple[Edit, ...]
    changes: tuple[PlannedChange, ...]
    not_considered: tuple[NotConsidered, ...]


def apply_plan(inventory: Inventory, plan: ForeignPlan) -> Inventory:
    """The estate after the plan: what goes first, then what is written, holders before their parts, then what is attached."""
    rows = ForeseenRows(inventory)
    for edit in sorted(plan.edits, key=_order):
        match edit:
            case Delete():
                rows.delete(edit.resource_id)
            case Put():
                rows.put(edit.resource_id, edit.body, merged=not edit.anew)
            case Assign():
                rows.assign(edit.resource_id, edit.field, edit.value)
    return rows.inventory()


def _order(edit: Edit) -> tuple[int, int]:
    depth = edit.resource_id.count("/")
    match edit:
        case Assign(value=None):
            return 0, depth
        case Delete():
            return 1, -depth
        case Put():
            # A peering is written once both of its networks are there, and a NIC once its subnet is.
            late = (
                "/virtualnetworkpeerings/" in edit.resource_id.lower()
                or "/networkinterfaces/" in edit.resource_id.lower()
            )
            return 3 if late else 2, depth
        case Assign():
            return 4, depth
