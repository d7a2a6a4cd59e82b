"""The plan of a VNetPeering: both halves of every link made, compared field by field, repaired and kept in sync.

Sources: Microsoft's pages "Virtual network peering" and "Create, change, or delete a virtual network peering" and
recorded traffic: two halves, one link for each remote network, a Disconnected half refuses a PUT, and a half whose
remote address space grew is synced by a PUT with ``syncRemoteAddressSpace=true``.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bastion_operator.api.common import AdoptionPolicy, Claim, ClaimOrigin, ManagementPolicy
from bastion_operator.api.vnet_peering import PeeringFlags, VNetPeeringSpec
from bastion_operator.network.arm_id import normalise_id
from bastion_operator.network.finding import Finding
from bastion_operator.network.prefixes import overlaps
from bastion_operator.planning.body import differences, provisioning_state, with_named
from bastion_operator.planning.model import SYNC_REMOTE_ADDRESS_SPACE, Body, Change, Observed, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import Owner, Ownership, with_claim, without_claim
from bastion_operator.planning.peering_link import PEERINGS, Link, address_prefixes, find_link, link_ownership
from bastion_operator.planning.peering_pairs import Half, Pair, asked_pairs
from bastion_operator.planning.peering_removal import plan_link_removal


@dataclass(frozen=True, slots=True)
class VNetPeeringInput:
    """All that the plan depends on."""

    owner: Owner
    spec: VNetPeeringSpec
    claims: tuple[Claim, ...]
    observed: Observed
    now: datetime

    def claimed_id(self, half: Half, claims: tuple[Claim, ...] | None = None) -> str:
        """The id of a half: that of the link that was adopted for it, also when it is to be made anew; else our own."""
        local, remote = normalise_id(half.local_id), normalise_id(half.remote_id)
        for claim in self.claims if claims is None else claims:
            if claim.detail and normalise_id(claim.detail) == remote and normalise_id(claim.id).startswith(f"{local}/"):
                return claim.id
        return f"{half.local_id}/{PEERINGS}/{self.owner.peering_name(half.remote_id)}"


def plan_vnet_peering(asked: VNetPeeringInput) -> Plan:
    """What to do so that every pair of the spec is joined, and pairs that left the spec are not."""
    plan = Plan(claims=asked.claims)
    kept: set[str] = set()
    for pair in asked_pairs(asked.spec):
        plan = _plan_pair(asked, pair, plan)
        kept |= {normalise_id(asked.claimed_id(half, plan.claims)) for half in pair.halves}
    left = [claim for claim in plan.claims if normalise_id(claim.id) not in kept]
    return plan_link_removal(asked.owner, asked.spec.deletion_policy, left, asked.observed, plan)


def _plan_pair(asked: VNetPeeringInput, pair: Pair, plan: Plan) -> Plan:
    networks = [asked.observed.get(half.local_id) for half in pair.halves]
    hub, spoke = networks
    if hub is None or spoke is None:
        missing = pair.hub.local_id if hub is None else pair.spoke.local_id
        return _hindered(plan, _network_not_found(missing))
    links = (
        find_link(hub, pair.hub.local_id, pair.hub.remote_id),
        find_link(spoke, pair.spoke.local_id, pair.spoke.remote_id),
    )
    owned, obstacles = plan, []
    watching = asked.spec.management_policy is ManagementPolicy.OBSERVE
    for half, link in zip(pair.halves, links, strict=True):
        if link is not None and half.written and not watching:
            owned, found = _own(asked, owned, half, link)
            obstacles += found
    if None in links and overlaps(address_prefixes(hub), address_prefixes(spoke)):
        obstacles.append(_overlapping(pair, hub, spoke))
    if obstacles:
        return _hindered(plan, *obstacles)
    for half, own, other in zip(pair.halves, links, reversed(links), strict=True):
        if half.written:
            owned = _plan_half(asked, half, own, other, owned)
    return owned


def _plan_half(asked: VNetPeeringInput, half: Half, link: Link | None, other: Link | None, plan: Plan) -> Plan:
    if link is None:
        return _plan_creation(asked, half, other, plan)
    if link.changing:
        return replace(plan, waits=(*plan.waits, Wait(link.id, half.local_id, provisioning_state(link.body))))
    if link.disconnected:
        reason = "the half reads Disconnected: Azure joins it again only after it was deleted"
        return _changing(plan, half, Change(Verb.DELETE, link.id, half.local_id, reason))
    named = _named_flags(half.flags)
    found = differences(link.body, named)
    if found:
        body = with_named(link.body, named)
        return _changing(
            plan, half, Change(Verb.UPDATE, link.id, half.local_id, "flags differ from the spec", body, found)
        )
    # While only one half exists Azure keeps no remote address space in sync.
    if link.connected and not link.address_space_in_sync:
        reason = "the remote network's address space has changed since the link last learned it"
        query = {SYNC_REMOTE_ADDRESS_SPACE: "true"}
        return _changing(plan, half, Change(Verb.SYNC, link.id, half.local_id, reason, dict(link.body), query=query))
    return plan


def _plan_creation(asked: VNetPeeringInput, half: Half, other: Link | None, plan: Plan) -> Plan:
    link_id = asked.claimed_id(half, plan.claims)
    claim = Claim(
        id=link_id, purpose=half.purpose, origin=ClaimOrigin.CREATED, detail=half.remote_id, claimed_at=asked.now
    )
    plan = replace(plan, claims=with_claim(plan.claims, claim))
    if other is not None and other.disconnected:
        # Azure refuses this half with RemotePeeringIsDisconnected until the other was deleted: that comes first.
        return plan
    if half.flags.use_remote_gateways and other is None:
        # The gateway must be lent before it can be used: the other half comes first.
        return plan
    body = {"properties": {"remoteVirtualNetwork": {"id": half.remote_id}, **_flags_at_creation(half.flags)}}
    return _changing(
        plan, half, Change(Verb.CREATE, link_id, half.local_id, f"no peering leads to {half.remote_id}", body)
    )


def _own(asked: VNetPeeringInput, plan: Plan, half: Half, link: Link) -> tuple[Plan, list[Finding]]:
    """The plan with the link claimed, or the obstacle that it is not ours to touch."""
    origin = ClaimOrigin.CREATED
    match link_ownership(asked.owner, plan.claims, link):
        case Ownership.CREATED | Ownership.ADOPTED as ownership:
            origin = ClaimOrigin(ownership.value)
        case Ownership.ADOPTABLE if asked.spec.adoption_policy is AdoptionPolicy.IF_UNMANAGED:
            origin = ClaimOrigin.ADOPTED
            # A claim written ahead of a creation that somebody else came before has nothing to stand for.
            stale = f"{half.local_id}/{PEERINGS}/{asked.owner.peering_name(half.remote_id)}"
            plan = replace(plan, claims=without_claim(plan.claims, stale))
        case Ownership.FOREIGN:
            return plan, [_not_owned(link, "it was made for another VNetPeering")]
        case _:
            return plan, [
                _not_owned(link, "adoptionPolicy: IfUnmanaged takes it over, sides: HubOnly leaves the spoke's half")
            ]
    claim = Claim(id=link.id, purpose=half.purpose, origin=origin, detail=half.remote_id, claimed_at=asked.now)
    return replace(plan, claims=with_claim(plan.claims, claim)), []


def _named_flags(flags: PeeringFlags) -> dict[tuple[str, ...], Any]:
    return {("properties", name): value for name, value in flags.to_json().items()}


def _flags_at_creation(flags: PeeringFlags) -> dict[str, Any]:
    # Azure's own defaults, written out: what a link is made with does not hang on an api-version's defaults.
    defaults = {
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": False,
        "allowGatewayTransit": False,
        "useRemoteGateways": False,
    }
    return {**defaults, **flags.to_json()}


def _changing(plan: Plan, half: Half, change: Change) -> Plan:
    # What one half may become hangs on what the other is: both networks are read before either is written.
    return replace(plan, changes=(*plan.changes, replace(change, also_read=(half.remote_id,))))


def _hindered(plan: Plan, *obstacles: Finding) -> Plan:
    return replace(plan, obstacles=(*plan.obstacles, *obstacles))


def _network_not_found(network_id: str) -> Finding:
    return obstacle(
        ObstacleCode.VIRTUAL_NETWORK_NOT_FOUND,
        f"the virtual network {network_id} does not exist, or the identity may not read it: create it, grant Reader, "
        "or take it off the spec",
        network_id,
    )


def _not_owned(link: Link, way_out: str) -> Finding:
    return obstacle(ObstacleCode.NOT_OWNED, f"{link.id} exists already and is not this resource's: {way_out}", link.id)


def _overlapping(pair: Pair, hub: Body, spoke: Body) -> Finding:
    return obstacle(
        ObstacleCode.ADDRESS_SPACES_OVERLAP,
        f"{', '.join(address_prefixes(hub))} of {pair.hub.local_id} overlaps {', '.join(address_prefixes(spoke))} of "
        f"{pair.spoke.local_id}: Azure peers no networks that overlap; change one of the address spaces",
        pair.spoke.local_id,
    )
