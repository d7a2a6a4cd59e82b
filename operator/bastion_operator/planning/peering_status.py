"""What a VNetPeering's status says: a row for each link, counts, conditions."""

from collections.abc import Iterable
from dataclasses import dataclass

from bastion_operator.api.common import ManagementPolicy
from bastion_operator.api.conditions import ConditionType, Reason
from bastion_operator.api.vnet_peering import MAX_ROWS, LinkCounts, LinkStatus, Topology
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.planning.conditions import (
    Failure,
    State,
    States,
    accepted,
    false,
    progress,
    ready,
    stalled_or_reconciling,
    true,
)
from bastion_operator.planning.model import Plan
from bastion_operator.planning.peering_link import Link, find_link
from bastion_operator.planning.peering_pairs import Pair, asked_pairs
from bastion_operator.planning.vnet_peering import VNetPeeringInput


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
    views = [_view(asked, pair) for pair in asked_pairs(asked.spec)]
    rows = [_row(asked, view, troubles) for view in views]
    counts = LinkCounts(
        connected=sum(view.connected for view in views),
        address_space_in_sync=sum(view.in_sync for view in views),
        total=len(views),
    )
    rows.sort(key=lambda row: row.reason is None)
    return PeeringReport(tuple(rows[:MAX_ROWS]), counts, _states(asked, plan, failures, views))


@dataclass(frozen=True, slots=True)
class _PairView:
    pair: Pair
    hub: Link | None
    spoke: Link | None

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


def _view(asked: VNetPeeringInput, pair: Pair) -> _PairView:
    links = []
    for half in pair.halves:
        network = asked.observed.get(half.local_id)
        links.append(find_link(network, half.local_id, half.remote_id) if network is not None else None)
    return _PairView(pair, links[0], links[1])


def _troubles(plan: Plan, failures: Iterable[Failure]) -> dict[str, tuple[str, str]]:
    """Code and message by the normalised id of the link or virtual network that is in trouble."""
    found = {normalise_id(each.resource or ""): (each.code, each.message) for each in plan.obstacles}
    found.update({normalise_id(each.resource_id): (each.code, each.message) for each in failures})
    return found


def _row(asked: VNetPeeringInput, view: _PairView, troubles: dict[str, tuple[str, str]]) -> LinkStatus:
    hub, spoke = view.pair.halves
    ids = [asked.claimed_id(half) for half in (hub, spoke)]
    ids += [link.id for link in (view.hub, view.spoke) if link is not None] + [spoke.local_id]
    trouble = next((troubles[normalise_id(each)] for each in ids if normalise_id(each) in troubles), None)
    if trouble is None and not view.connected:
        trouble = (Reason.SOME_DISCONNECTED, "the two halves do not both read Connected yet")
    mesh = asked.spec.topology is Topology.FULL_MESH
    return LinkStatus(
        virtual_network_id=spoke.local_id,
        peer_virtual_network_id=hub.local_id if mesh else None,
        hub_state=view.hub.state if view.hub else None,
        spoke_state=view.spoke.state if view.spoke else None,
        hub_sync_level=view.hub.sync_level if view.hub else None,
        spoke_sync_level=view.spoke.sync_level if view.spoke else None,
        reason=trouble[0] if trouble else None,
        message=trouble[1] if trouble else None,
    )


def _states(asked: VNetPeeringInput, plan: Plan, failures: list[Failure], views: list[_PairView]) -> States:
    observe_only = asked.spec.management_policy is ManagementPolicy.OBSERVE
    total = len(views)
    missing = [view for view in views if not view.connected]
    unsynced = [view for view in views if not view.in_sync]
    unfinished = progress(plan, failures, true(Reason.SUCCEEDED, ""), observe_only=observe_only)
    states: dict[ConditionType, State] = {ConditionType.ACCEPTED: accepted(None)}
    states[ConditionType.CONNECTED] = (
        true(Reason.ALL_CONNECTED, f"all {total} links read Connected on both sides")
        if not missing
        else _not_yet(unfinished, f"{len(missing)} of {total} links do not read Connected on both sides", missing)
    )
    states[ConditionType.ADDRESS_SPACE_IN_SYNC] = (
        true(Reason.IN_SYNC, "every link knows the whole address space of its other end")
        if not unsynced
        else _not_yet(unfinished, f"{len(unsynced)} of {total} links are not connected and in sync", unsynced)
    )
    # A link can be connected and still have flags that differ from the spec.
    needed = (ConditionType.ACCEPTED, ConditionType.CONNECTED, ConditionType.ADDRESS_SPACE_IN_SYNC)
    held = ready(states, needed, f"all {total} links are connected, in sync and as the spec says")
    states[ConditionType.READY] = held if not held.true or unfinished.true else unfinished
    return {**states, **stalled_or_reconciling(plan, failures, observe_only=observe_only)}


def _not_yet(unfinished: State, summary: str, views: list[_PairView]) -> State:
    if not unfinished.true:
        return false(unfinished.reason, f"{summary}: {unfinished.message}")
    named = ", ".join(view.pair.spoke.local_id for view in views[:3])
    return false(Reason.SOME_DISCONNECTED, f"{summary}: {named}")
