"""What a VNetPeering's status says: a row for each link, counts, conditions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bastion_operator.api.common import ManagementPolicy
from bastion_operator.api.conditions import ConditionType, Reason
from bastion_operator.api.vnet_peering import MAX_ROWS, LinkCounts, LinkStatus, Topology
from bastion_operator.planning.body import properties
from bastion_operator.planning.conditions import (
    Failure,
    State,
    States,
    accepted,
    false,
    findings_text,
    progress,
    ready,
    stalled_or_reconciling,
    true,
)
from bastion_operator.planning.deletion_guard import without_guard
from bastion_operator.planning.model import Plan
from bastion_operator.planning.ownership import id_key
from bastion_operator.planning.peering_link import Link, LinkTable
from bastion_operator.planning.peering_members import Left, Members
from bastion_operator.planning.peering_pairs import Pair
from bastion_operator.planning.peering_settings import FLAGS_AT_CREATION
from bastion_operator.planning.vnet_peering import HalfClaims, VNetPeeringInput
from bastion_operator.planning.wording import named

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class PeeringReport:
    """The parts of the status that a pass finds out."""

    rows: tuple[LinkStatus, ...]
    counts: LinkCounts
    states: States

    @property
    def connected(self) -> str:
        """Connected links of all, as in ``3/3``."""
        return f"{self.counts.connected}/{self.counts.total}"


def report_peering(asked: VNetPeeringInput, plan: Plan, failures: Iterable[Failure]) -> PeeringReport:
    """Rows, counts and conditions, from what was observed and what the plan still has to do."""
    failures = list(failures)
    troubles = _troubles(plan, failures)
    links, claims = LinkTable(asked.observed), HalfClaims(asked.owner, plan.claims)
    members = asked.members
    views = [_view(links, claims, pair) for pair in members.pairs]
    rows = [_row(asked, view, troubles, members) for view in views]
    counts = LinkCounts(
        connected=sum(view.connected for view in views),
        address_space_in_sync=sum(view.in_sync for view in views),
        total=len(views),
        selected=len(members.selected),
        left=len(members.left),
    )
    rows.sort(key=lambda row: row.reason is None)
    # What left is in no condition's way: its rows are the first to make room.
    rows += [_left_row(asked, links, plan, left) for left in members.left]
    return PeeringReport(tuple(rows[:MAX_ROWS]), counts, _states(asked, plan, failures, views))


@dataclass(frozen=True, slots=True)
class _PairView:
    pair: Pair
    hub: Link | None
    spoke: Link | None
    ids: tuple[str, ...]

    @property
    def connected(self) -> bool:
        return self.hub is not None and self.spoke is not None and self.hub.connected and self.spoke.connected

    @property
    def in_sync(self) -> bool:
        return (
            self.connected
            and self.hub is not None
            and self.spoke is not None
            and self.hub.address_space_in_sync
            and self.spoke.address_space_in_sync
        )


def _view(links: LinkTable, claims: HalfClaims, pair: Pair) -> _PairView:
    found = [links.find(half.local_id, half.remote_id) for half in pair.halves]
    ids = [link.id for link in found if link is not None]
    ids += [claims.link_id(half) for half in pair.halves]
    ids += [half.local_id for half in reversed(pair.halves)]
    return _PairView(pair, found[0], found[1], tuple(map(id_key, ids)))


def _troubles(plan: Plan, failures: Iterable[Failure]) -> dict[str, tuple[str, str]]:
    """Code and message by the normalised id of the link or virtual network that is in trouble."""
    found = {id_key(each.resource): (each.code, each.message) for each in plan.obstacles if each.resource}
    found.update(
        {id_key(each.resource_id): (each.condition_reason, each.text) for each in failures if each.resource_id}
    )
    return found


def _left_row(asked: VNetPeeringInput, links: LinkTable, plan: Plan, left: Left) -> LinkStatus:
    """A network that left the selector, with what becomes of its peering."""
    hub_id = asked.spec.hub.virtual_network_id if asked.spec.hub else ""
    hub, spoke = links.find(hub_id, left.network_id), links.find(left.network_id, hub_id)
    told = next((each for each in plan.told if each.resource == left.network_id), None)
    return LinkStatus(
        virtual_network_id=left.network_id,
        selected=True,
        left_at=left.since,
        **_halves(hub, spoke),
        reason=told.code if told else None,
        message=told.message if told else None,
    )


def _row(
    asked: VNetPeeringInput, view: _PairView, troubles: dict[str, tuple[str, str]], members: Members
) -> LinkStatus:
    hub, spoke = view.pair.halves
    trouble = next((troubles[each] for each in view.ids if each in troubles), None)
    if trouble is None and not view.connected:
        trouble = (Reason.SOME_DISCONNECTED, "the two halves do not both read Connected yet")
    if trouble is None and not view.in_sync:
        trouble = (Reason.OUT_OF_SYNC, "a half does not know the whole address space of its other end yet")
    mesh = asked.spec.topology is Topology.FULL_MESH
    return LinkStatus(
        virtual_network_id=spoke.local_id,
        peer_virtual_network_id=hub.local_id if mesh else None,
        selected=True if id_key(spoke.local_id) in members.selected else None,
        **_halves(view.hub, view.spoke),
        reason=trouble[0] if trouble else None,
        message=trouble[1] if trouble else None,
    )


def _halves(hub: Link | None, spoke: Link | None) -> dict[str, Any]:
    """What a row tells of the two halves."""
    return {
        "hub_state": hub.state if hub else None,
        "spoke_state": spoke.state if spoke else None,
        "hub_sync_level": hub.sync_level if hub else None,
        "spoke_sync_level": spoke.sync_level if spoke else None,
        "hub_flags": _flags(hub) if hub else None,
        "spoke_flags": _flags(spoke) if spoke else None,
    }


def _flags(link: Link) -> tuple[str, ...]:
    return tuple(name for name in FLAGS_AT_CREATION if properties(link.body).get(name))


def _states(asked: VNetPeeringInput, plan: Plan, failures: list[Failure], views: list[_PairView]) -> States:
    observe_only = asked.spec.management_policy is ManagementPolicy.OBSERVE
    total = len(views)
    missing = [view for view in views if not view.connected]
    unsynced = [view for view in views if not view.in_sync]
    done = true(Reason.SUCCEEDED, "")
    unfinished = progress(without_guard(plan), failures, done, observe_only=observe_only)
    states: dict[ConditionType, State] = {ConditionType.ACCEPTED: accepted(None)}
    left = _left_text(plan)
    states[ConditionType.CONNECTED] = (
        (_all_connected(asked, total, left) if total or not failures else unfinished)
        if not missing
        else _not_yet(
            unfinished,
            Reason.SOME_DISCONNECTED,
            f"{len(missing)} of {total} links do not read Connected on both sides",
            missing,
        )
    )
    states[ConditionType.ADDRESS_SPACE_IN_SYNC] = (
        true(Reason.IN_SYNC, "every link knows the whole address space of its other end")
        if not unsynced
        else _not_yet(
            unfinished,
            Reason.SOME_DISCONNECTED if missing else Reason.OUT_OF_SYNC,
            f"{len(unsynced)} of {total} links are not connected and in sync",
            unsynced,
        )
    )
    # A link can be connected and still have flags that differ from the spec.
    needed = (ConditionType.ACCEPTED, ConditionType.CONNECTED, ConditionType.ADDRESS_SPACE_IN_SYNC)
    as_asked = f"all {total} links are connected, in sync and as the spec says{left}"
    held = ready(states, needed, as_asked if total else states[ConditionType.CONNECTED].message)
    whole = progress(plan, failures, done, observe_only=observe_only)
    states[ConditionType.READY] = held if whole.true or not (held.true or plan.guarded) else whole
    return {**states, **stalled_or_reconciling(plan, failures, observe_only=observe_only)}


def _all_connected(asked: VNetPeeringInput, total: int, left: str) -> State:
    selector = asked.spec.spoke_selector
    if total or selector is None:
        return true(Reason.ALL_CONNECTED, f"all {total} links read Connected on both sides{left}")
    where = ", ".join(selector.subscriptions[:_SHOWN]) + (" and more" if len(selector.subscriptions) > _SHOWN else "")
    return true(
        Reason.NOTHING_SELECTED,
        f"spokeSelector finds no virtual network in the subscriptions {where}: check the tags, and that the identity may "
        f"read there{left}",
    )


def _left_text(plan: Plan) -> str:
    """What is told of networks that left, at the end of a message."""
    return f"; {findings_text(plan.told)}" if plan.told else ""


def _not_yet(unfinished: State, reason: Reason, summary: str, views: list[_PairView]) -> State:
    if not unfinished.true:
        return false(unfinished.reason, f"{summary}: {unfinished.message}")
    shown = ", ".join(named(view.pair.spoke.local_id) for view in views[:_SHOWN])
    return false(reason, f"{summary}: {shown}{' and more' if len(views) > _SHOWN else ''}")
