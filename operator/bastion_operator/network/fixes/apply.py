"""A fix applied to rows: what Azure would answer once the changes are made. Pure; rows given are never changed."""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.fields import Row, at, objects, text, texts
from bastion_operator.network.finding import Action, Change, Fix
from bastion_operator.network.peering import HUB_CONNECTION_LINK, PeeringState

Reader = Callable[[str], Iterable[Row]]
"""What a reader answers for a resource: its row and those below it; nothing where it does not exist."""

_CHILDREN: Final = {
    "subnets": "subnets",
    "virtualnetworkpeerings": "virtualNetworkPeerings",
    "securityrules": "securityRules",
    "routes": "routes",
}
"""Children that lie in their parent's row, by the lower-cased type, with the name of the list."""

LINKS: Final = "properties.virtualNetworkPeerings"


class FixNotApplicableError(LookupError):
    """A change names a resource or an entry that the rows do not have."""


def nothing_read(_: str) -> tuple[Row, ...]:
    """The reader of whoever has nothing to read."""
    return ()


def apply_fix(rows: Iterable[Row], fix: Fix, read: Reader = nothing_read) -> list[dict[str, Any]]:
    """The rows after the changes of a fix. ``read`` answers for what the fix says to read.

    What is created or sent again ends as Succeeded; the two links of a peering that was written end as Connected, and a
    link alone as Initiated. Raises FixNotApplicableError.
    """
    draft = _Draft(rows)
    for change in fix.changes:
        _EFFECTS[change.action](draft, change, read)
    return draft.rows()


class _Draft:
    """Rows by lower-cased id, copied when first written."""

    def __init__(self, rows: Iterable[Row]) -> None:
        named = ((text(row, "id"), row) for row in rows)
        self._rows: dict[str, Any] = {normalise_id(row_id): row for row_id, row in named if row_id is not None}
        self._own: set[str] = set()

    def rows(self) -> list[dict[str, Any]]:
        return list(self._rows.values())

    def known(self, resource: str) -> Mapping[str, Any] | None:
        return self._rows.get(normalise_id(resource))

    def write(self, resource: str) -> dict[str, Any]:
        """A row to write to."""
        key = normalise_id(resource)
        if key not in self._rows:
            raise FixNotApplicableError(f"{resource} is not in the data")
        if key not in self._own:
            self._rows[key] = copy.deepcopy(self._rows[key])
            self._own.add(key)
        found: dict[str, Any] = self._rows[key]
        return found

    def put(self, resource: str, row: dict[str, Any]) -> None:
        self._rows[normalise_id(resource)] = row
        self._own.add(normalise_id(resource))

    def resource(self, resource: str) -> dict[str, Any]:
        """A resource to write to: a row of its own, or an entry of its parent's row."""
        if normalise_id(resource) in self._rows:
            return self.write(resource)
        entries, place = self._entry(resource)
        if place is None:
            raise FixNotApplicableError(f"{resource} is not in the data")
        found: dict[str, Any] = entries[place]
        return found

    def remove(self, resource: str) -> None:
        gone = self._rows.pop(normalise_id(resource), None)
        entries, place = self._entry(resource)
        if place is not None:
            del entries[place]
        elif gone is None:
            raise FixNotApplicableError(f"{resource} is not in the data")

    def _entry(self, resource: str) -> tuple[list[Any], int | None]:
        parent, kind, name = ["", "", *resource.rstrip("/").rsplit("/", 2)][-3:]
        field = _CHILDREN.get(kind.lower())
        if field is None or normalise_id(parent) not in self._rows:
            return [], None
        entries = at(self.write(parent), "properties", field)
        if not isinstance(entries, list):
            return [], None
        places = (place for place, entry in enumerate(entries) if _is(entry, resource, name))
        return entries, next(places, None)


def _is(entry: Row, resource: str, name: str) -> bool:
    stated = text(entry, "id")
    if stated is not None:
        return normalise_id(stated) == normalise_id(resource)
    return (text(entry, "name") or "").lower() == name.lower()


def _descend(holder: Any, steps: list[str]) -> Any:
    """What lies at a path, objects made where there is none."""
    for step in steps:
        place = _place(holder, step)
        if not isinstance(holder[place] if isinstance(holder, list) else holder.get(place), dict | list):
            holder[place] = {}
        holder = holder[place]
    return holder


def _place(holder: Any, step: str) -> Any:
    """The key or the index that a step of a path stands for."""
    if not isinstance(holder, list):
        return step
    if not step.isdigit() or int(step) >= len(holder):
        raise FixNotApplicableError(f"a list of {len(holder)} entries has none at {step}")
    return int(step)


def _set(draft: _Draft, change: Change, _: Reader) -> None:
    *steps, last = change.field.split(".")
    holder = _descend(draft.resource(change.resource), steps)
    if change.to_value is None and isinstance(holder, dict):
        holder.pop(last, None)
    else:
        holder[_place(holder, last)] = copy.deepcopy(change.to_value)


def _add(draft: _Draft, change: Change, _: Reader) -> None:
    *steps, last = change.field.split(".")
    holder = _descend(draft.resource(change.resource), steps)
    if not isinstance(holder, dict):
        raise FixNotApplicableError(f"{change.field} of {change.resource} is no list")
    entry = copy.deepcopy(change.to_value)
    if isinstance(entry, dict) and last in _CHILDREN.values():
        entry["id"] = f"{change.resource}/{last}/{entry['name']}"
    listed = holder.get(last)
    holder[last] = [*(listed if isinstance(listed, list) else []), entry]
    if change.field == LINKS:
        _connect(draft, entry["id"])


def _create(draft: _Draft, change: Change, _: Reader) -> None:
    row = {"id": change.resource, "name": change.resource.rsplit("/", 1)[-1], **copy.deepcopy(change.to_value)}
    row["properties"] = {"provisioningState": "Succeeded"} | row.get("properties", {})
    draft.put(change.resource, row)


def _delete(draft: _Draft, change: Change, _: Reader) -> None:
    draft.remove(change.resource)


def _repeat(draft: _Draft, change: Change, _: Reader) -> None:
    """The same body sent again: a link finds its other half, anything else succeeds. Azure refuses a Disconnected link."""
    properties = _descend(draft.resource(change.resource), ["properties"])
    if "/virtualnetworkpeerings/" in change.resource.lower():
        if _is_cut(properties):
            raise FixNotApplicableError(f"{change.resource} reads Disconnected, and Azure takes no change of it")
        _connect(draft, change.resource)
    else:
        properties["provisioningState"] = "Succeeded"


def _read(draft: _Draft, change: Change, read: Reader) -> None:
    for row in read(change.resource):
        draft.put(str(row["id"]), copy.deepcopy(dict(row)))


def _ask(_: _Draft, change: Change, __: Reader) -> None:
    """Nothing in Azure changes."""


_EFFECTS: Final[Mapping[Action, Callable[[_Draft, Change, Reader], None]]] = {
    Action.SET: _set,
    Action.START: _set,
    Action.WAIT: _set,
    Action.SYNC: _set,
    Action.REPEAT: _repeat,
    Action.ADD: _add,
    Action.REQUEST_ACCESS: _add,
    Action.CREATE: _create,
    Action.DELETE: _delete,
    Action.READ: _read,
    Action.ASK: _ask,
}


def _connect(draft: _Draft, link_id: str) -> None:
    """What Azure makes of a link that was written, and of its other half if that is there and not cut off."""
    link = draft.resource(link_id)
    here = link_id.rsplit("/", 2)[0]
    there = text(link, "properties", "remoteVirtualNetwork", "id") or ""
    back = _link_between(draft, there, here)
    if back is not None and _is_cut(back.get("properties")):
        back = None
    for one, remote in ((link, there), *(((back, here),) if back is not None else ())):
        properties = _descend(one, ["properties"])
        properties["peeringState"] = "Initiated" if back is None else "Connected"
        if (space := texts(draft.known(remote), "properties", "addressSpace", "addressPrefixes")) is not None:
            known = {"addressPrefixes": list(space)}
            properties |= {"remoteAddressSpace": known, "remoteVirtualNetworkAddressSpace": known}


def _link_between(draft: _Draft, network: str, remote: str) -> dict[str, Any] | None:
    """The link of a VNet that leads to another one."""
    row = draft.known(network)
    below = [one for one in draft.rows() if _lies_below(one, f"{normalise_id(network)}/virtualnetworkpeerings/")]
    for link in (*objects(row, "properties", "virtualNetworkPeerings"), *below):
        leads_to = text(link, "properties", "remoteVirtualNetwork", "id")
        if leads_to and normalise_id(leads_to) == normalise_id(remote) and not _is_hold(link):
            stated = text(link, "id") or f"{network}/virtualNetworkPeerings/{text(link, 'name')}"
            return draft.resource(stated)
    return None


def _is_cut(properties: object) -> bool:
    return text(properties, "peeringState") == PeeringState.DISCONNECTED


def _lies_below(row: Row, prefix: str) -> bool:
    return normalise_id(str(row["id"])).startswith(prefix)


def _is_hold(link: Row) -> bool:
    return HUB_CONNECTION_LINK.match(text(link, "name") or "") is not None
