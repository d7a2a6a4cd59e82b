"""Networks that left the selector: what is told of them, and when their peering may go.

A lost tag must not cut a production spoke: nothing is written for such a network, and its links are removed only where
the spec asks for that, after a while, by what a GET of the network says, and never while they carry remote gateways.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from bastion_operator.api.common import DeletionPolicy
from bastion_operator.api.vnet_peering import OnLeave, VNetPeeringSpec
from bastion_operator.network.finding import Finding
from bastion_operator.planning.body import child
from bastion_operator.planning.model import Observed, Plan, root_of
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import Owner, claim_on, without_claim
from bastion_operator.planning.peering_dead_half import deletion, is_dead
from bastion_operator.planning.peering_link import PEERINGS, Link, LinkTable
from bastion_operator.planning.peering_members import Left
from bastion_operator.planning.peering_removal import plan_link_removal
from bastion_operator.planning.wording import named

_NO_LONGER: Final = "no longer has the tags of spokeSelector, or lies in none of its subscriptions"


def plan_leaver(
    owner: Owner,
    spec: VNetPeeringSpec,
    left: Left,
    table: LinkTable,
    plan: Plan,
    *,
    now: datetime,
    latest: datetime,
    watching: bool,
) -> Plan:
    """The plan with what becomes of one network that left: told, and removed if its time has come.

    :param now: the earlier of the own clock's and Azure's times, by which a grace ends
    :param latest: the later one, by which it begins
    """
    links, observed = _links(spec, left, table), table.observed
    due = _due(spec, left)
    plan = replace(plan, told=(*plan.told, _told(spec, left, due, links, now=now, latest=latest)))
    if watching:
        return plan
    if not left.seen:
        return _without_dead_half(owner, spec, left, links, plan)
    plan = _without_gone(left, observed, plan)
    if due is None or now < due or _carries_gateways(links):
        return plan
    before = plan
    # That no half uses the other's gateway has just been looked at, by both networks.
    plan = plan_link_removal(owner, spec.deletion_policy or DeletionPolicy.DELETE, left.claims, observed, plan)
    # The network itself is read again before either half goes: it may have its tag back.
    changes = tuple(replace(each, also_read=(left.network_id,)) for each in plan.changes[len(before.changes) :])
    return replace(plan, changes=(*before.changes, *changes))


def _without_dead_half(owner: Owner, spec: VNetPeeringSpec, left: Left, links: list[Link], plan: Plan) -> Plan:
    """The plan for a network that may be gone: the hub's half is dead, or went already and leaves claims on nothing."""
    if spec.deletion_policy is DeletionPolicy.RETAIN:
        return plan
    if not links:
        # Neither is given up before a GET of its network has said the same.
        for claim in left.claims:
            plan = replace(plan, claims=without_claim(plan.claims, claim.id))
        return plan
    for link in links:
        own = claim_on(left.claims, link.id)
        if own is not None and is_dead(owner, link, own):
            plan = replace(plan, changes=(*plan.changes, deletion(link, root_of(link.id), left.network_id)))
    return plan


def _due(spec: VNetPeeringSpec, left: Left) -> datetime | None:
    """When the links may go; None for never."""
    selector = spec.spoke_selector
    if selector is None or selector.on_leave is not OnLeave.DELETE or not left.seen or left.since is None:
        return None
    return left.since + selector.leave_grace


def _links(spec: VNetPeeringSpec, left: Left, table: LinkTable) -> list[Link]:
    """Both halves as far as they stand, also one that is not the operator's."""
    hub = spec.hub.virtual_network_id if spec.hub else ""
    ends = ((hub, left.network_id), (left.network_id, hub))
    return [link for local, remote in ends if (link := table.find(local, remote)) is not None]


def _carries_gateways(links: list[Link]) -> bool:
    return any(link.uses_remote_gateways for link in links)


def _without_gone(left: Left, observed: Observed, plan: Plan) -> Plan:
    """What somebody else has removed meanwhile is nobody's claim any more."""
    for claim in left.claims:
        network = observed.get(root_of(claim.id))
        if network is not None and child(network, PEERINGS, claim.id.rsplit("/", 1)[-1]) is None:
            plan = replace(plan, claims=without_claim(plan.claims, claim.id))
    return plan


def _told(
    spec: VNetPeeringSpec, left: Left, due: datetime | None, links: list[Link], *, now: datetime, latest: datetime
) -> Finding:
    network = named(left.network_id)
    if not left.seen:
        return obstacle(
            ObstacleCode.NETWORK_NOT_SHOWN,
            f"Azure's inventory does not show {network} any more; whether it lost its tags is not known, so its peering "
            "stays as it is",
            left.network_id,
        )
    if spec.spoke_selector is None:
        why = f"{network} was found by a spokeSelector that the spec has no more"
    else:
        why = f"{network} {_NO_LONGER}"
    selector = spec.spoke_selector
    if selector is None or selector.on_leave is OnLeave.RETAIN:
        fate = "its peering stays as it is until this resource is deleted; onLeave: Delete removes it, spokes keeps it in sync"
    elif _carries_gateways(links):
        fate = "its peering stays while one side's way on-premises leads over the other's gateway"
    elif due is None or now < due:
        at = due or latest + selector.leave_grace
        fate = f"its peering is removed after {at:%Y-%m-%d %H:%M:%S} UTC unless it matches again"
    else:
        fate = "the time of its peering is up, and it is removed"
    return obstacle(ObstacleCode.LEFT_SELECTOR, f"{why}: {fate}", left.network_id)
