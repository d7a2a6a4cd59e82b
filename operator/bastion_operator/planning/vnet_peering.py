"""The plan of a VNetPeering: both halves of every link made, compared field by field, repaired and kept in sync.

Sources: Microsoft's pages "Virtual network peering" and "Create, change, or delete a virtual network peering" and
recorded traffic: two halves, one link for each remote network, a Disconnected half refuses a PUT, and a half whose
remote address space grew is synced by a PUT with ``syncRemoteAddressSpace=true``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bastion_operator.api.common import MAX_CLAIMS, AdoptionPolicy, Claim, ClaimOrigin, ManagementPolicy
from bastion_operator.api.vnet_peering import VNetPeeringSpec
from bastion_operator.network.finding import Finding
from bastion_operator.planning.deletion_guard import guard_deletions, peering_of
from bastion_operator.planning.model import Observed, Plan
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import (
    Owner,
    Ownership,
    id_key,
    with_claim_in_place,
    without_claim,
)
from bastion_operator.planning.peering_counts import PeeringCounts
from bastion_operator.planning.peering_dead_half import plan_dead_halves
from bastion_operator.planning.peering_gateways import gateway_trouble
from bastion_operator.planning.peering_half import HalfView, plan_half
from bastion_operator.planning.peering_keepers import keeper_of
from bastion_operator.planning.peering_leavers import plan_leaver
from bastion_operator.planning.peering_link import PEERINGS, Link, LinkTable, link_ownership
from bastion_operator.planning.peering_members import Members, members_of, spoke_of, with_membership
from bastion_operator.planning.peering_overlap import PeerSpaces
from bastion_operator.planning.peering_pairs import Half, Pair
from bastion_operator.planning.peering_removal import plan_link_removal, spoke_halves_first
from bastion_operator.planning.peering_rights import Lacking, rights_trouble
from bastion_operator.planning.peering_settings import kept_settings, remote_of, settings_of
from bastion_operator.planning.wording import named


@dataclass(frozen=True, slots=True)
class VNetPeeringInput:
    """All that the plan depends on.

    :ivar now: the time; where two clocks differ the earlier, by which a grace ends
    :ivar latest: the later one, by which a grace begins; None: there is one clock
    :ivar found: ids of networks that the spec's selector found in the inventory; the plan looks at each again
    :ivar taken: pairs that an older VNetPeering asks for, by their key, with its namespace and name
    :ivar lacking: rights that the identity is known to lack
    :ivar allow_plan: the hash of the plan whose many deletions a person has allowed
    """

    owner: Owner
    spec: VNetPeeringSpec
    claims: tuple[Claim, ...]
    observed: Observed
    now: datetime
    found: tuple[str, ...] = ()
    taken: Mapping[str, str] = field(default_factory=dict)
    lacking: Lacking = field(default_factory=dict)
    allow_plan: str | None = None
    latest: datetime | None = None

    @property
    def members(self) -> Members:
        """Who takes part."""
        return members_of(self.spec, self.claims, self.found, self.observed)

    @property
    def watching(self) -> bool:
        """Nothing is written, and nothing is taken over or given up."""
        return self.spec.management_policy is ManagementPolicy.OBSERVE

    @property
    def unclaimed(self) -> list[Half]:
        """The halves to be written that nothing was written down of: they are to be made, or to be taken over."""
        claims = HalfClaims(self.owner, self.claims)
        halves = (half for pair in self.members.pairs for half in pair.halves)
        return [half for half in halves if half.written and claims.get(half) is None]


class HalfClaims:
    """The claims on halves, by the networks that they join."""

    def __init__(self, owner: Owner, claims: tuple[Claim, ...]) -> None:
        self._owner = owner
        self._claims = {
            (id_key(_network_of(claim.id)), id_key(remote)): claim for claim in claims if (remote := remote_of(claim))
        }

    def get(self, half: Half) -> Claim | None:
        """The claim on the half, or None."""
        return self._claims.get((id_key(half.local_id), id_key(half.remote_id)))

    def link_id(self, half: Half) -> str:
        """The id of a half: that of the link that is claimed for it, also when it is to be made anew; else our own."""
        claim = self.get(half)
        return claim.id if claim else f"{half.local_id}/{PEERINGS}/{self._owner.peering_name(half.remote_id)}"


def plan_vnet_peering(asked: VNetPeeringInput) -> Plan:
    """What to do so that every pair that is asked for is joined, and pairs that left the spec are not."""
    plan = Plan(claims=asked.claims)
    members = asked.members
    links, claims = LinkTable(asked.observed), HalfClaims(asked.owner, asked.claims)
    known = _Known(links, claims, PeerSpaces(asked.observed, links), PeeringCounts(links))
    for pair in members.pairs:
        plan = _plan_pair(asked, pair, plan, known)
    latest = asked.latest or asked.now
    if not asked.watching:
        plan = replace(plan, claims=with_membership(plan.claims, members, latest))
    for left in members.left:
        plan = plan_leaver(
            asked.owner, asked.spec, left, links, plan, now=asked.now, latest=latest, watching=asked.watching
        )
    if asked.watching:
        return replace(plan, claims=asked.claims)
    plan = spoke_halves_first(_without_unwanted(asked, members, plan))
    return guard_deletions(plan, asked.claims, allowed=asked.allow_plan, part_of=peering_of, now=asked.now)


def _without_unwanted(asked: VNetPeeringInput, members: Members, plan: Plan) -> Plan:
    """The plan with the removal of what a person took off the spec."""
    for claim in _unwanted(plan.claims, members):
        before = plan
        plan = plan_link_removal(asked.owner, asked.spec.deletion_policy, [claim], asked.observed, plan)
        spoke = spoke_of(claim)
        if asked.spec.spoke_selector is not None and spoke is not None:
            # Taken off the list, it may be one that the selector finds: only the network itself tells.
            changes = (replace(each, also_read=(spoke,)) for each in plan.changes[len(before.changes) :])
            plan = replace(plan, changes=(*before.changes, *changes))
    return plan


def _unwanted(claims: tuple[Claim, ...], members: Members) -> list[Claim]:
    """Claims on pairs that a person took off the spec."""
    wanted = {(id_key(half.local_id), id_key(half.remote_id)) for pair in members.pairs for half in pair.halves}
    kept = {id_key(claim.id) for left in members.left for claim in left.claims}
    return [
        claim
        for claim in claims
        if id_key(claim.id) not in kept
        and (id_key(_network_of(claim.id)), id_key(remote_of(claim) or "")) not in wanted
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    links: LinkTable
    claims: HalfClaims
    spaces: PeerSpaces
    counts: PeeringCounts


def _plan_pair(asked: VNetPeeringInput, pair: Pair, plan: Plan, known: _Known) -> Plan:
    if (refusal := _refusal(asked, pair, plan, known)) is not None:
        return _hindered(plan, refusal)
    views = [_view(half, known, asked.observed) for half in pair.halves]
    missing = next((half.local_id for half in pair.halves if asked.observed.get(half.local_id) is None), None)
    if missing is not None:
        plan = _hindered(plan, _network_not_found(missing))
        return plan if asked.watching else plan_dead_halves(asked.owner, views, asked.observed, plan)
    obstacles: list[Finding] = []
    for view in views:
        if view.half.written and not asked.watching:
            plan, found = _own(asked, plan, view, known.links)
            obstacles += found
    obstacles += [*_blocked_by_other_half(*views), *_blocked_by_other_half(*reversed(views))]
    if any(view.link is None or view.link.disconnected for view in views):
        gateways = (view.gateway_trouble for view in views if view.comes_to_use_gateway)
        to_be_made = (view.half for view in views if view.half.written and view.link is None)
        rights = rights_trouble(to_be_made, asked.lacking)
        hindered = (known.spaces.conflict(pair), known.counts.obstacle(pair), rights, *gateways)
        obstacles += [each for each in hindered if each is not None]
        if not obstacles:
            known.spaces.join(pair)
            known.counts.join(pair)
    if obstacles:
        return _hindered(plan, *obstacles)
    for view, other in ((views[0], views[1]), (views[1], views[0])):
        if view.half.written:
            plan = plan_half(view, other, plan, asked.now)
    return plan


def _refusal(asked: VNetPeeringInput, pair: Pair, plan: Plan, known: _Known) -> Finding | None:
    """Why the pair is not looked at, whatever there is of it."""
    if (older := asked.taken.get(pair.key)) is not None:
        return _conflict(pair, older)
    new = sum(half.written and known.claims.get(half) is None for half in pair.halves)
    return _status_full(pair) if new and not asked.watching and len(plan.claims) + new > MAX_CLAIMS else None


def _view(half: Half, known: _Known, observed: Observed) -> HalfView:
    claim = known.claims.get(half)
    link = known.links.find(half.local_id, half.remote_id)
    link_id = link.id if link is not None else known.claims.link_id(half)
    settings = settings_of(link) if link is not None else kept_settings(claim)
    view = HalfView(half, link, claim, link_id, settings)
    if not view.comes_to_use_gateway:
        return view
    return replace(view, gateway_trouble=gateway_trouble(half, link, link_id, observed))


def _blocked_by_other_half(view: HalfView, other: HalfView) -> list[Finding]:
    """What keeps a half that the operator writes from being made, because of one that it does not write."""
    link = other.link
    if not view.half.written or other.half.written or link is None or not link.disconnected:
        return []
    return [
        obstacle(
            ObstacleCode.REMOTE_DISCONNECTED,
            f"{named(link.id)} reads Disconnected, and with sides: HubOnly it is not the operator's: whoever keeps it "
            "must delete it and make it anew, or sides: Both lets the operator do so",
            link.id,
        )
    ]


def _own(asked: VNetPeeringInput, plan: Plan, view: HalfView, links: LinkTable) -> tuple[Plan, list[Finding]]:
    """The plan with the half's link claimed, or the obstacle that it is not ours to touch."""
    half, link = view.half, view.link
    if link is None:
        return plan, _name_taken(view, links)
    own = view.claim_in_place
    ownership = link_ownership(asked.owner, plan.claims if own is None else (own,), link)
    ends = (asked.observed.get(half.local_id), asked.observed.get(half.remote_id))
    keeper = keeper_of(link, half, ends) if ownership is Ownership.ADOPTABLE else None
    if keeper is not None:
        return plan, [_kept_by(link, keeper)]
    match ownership:
        case Ownership.CREATED | Ownership.ADOPTED:
            origin = ClaimOrigin(ownership.value)
        case Ownership.ADOPTABLE if asked.spec.adoption_policy is AdoptionPolicy.IF_UNMANAGED:
            origin = ClaimOrigin.ADOPTED
        case Ownership.FOREIGN:
            return plan, [
                _not_owned(link, "it was made for another VNetPeering or by another installation of the operator")
            ]
        case _:
            return plan, [
                _not_owned(
                    link,
                    "nothing on it tells who keeps it (a person, or Terraform, Bicep and the like); if nobody does, "
                    "adoptionPolicy: IfUnmanaged takes it over; sides: HubOnly leaves the spoke's half",
                )
            ]
    claims = plan.claims
    if view.claim is not None and own is None:
        # A claim on a link that gave way to this one, or that somebody came before, has nothing to stand for.
        claims = without_claim(claims, view.claim.id)
    # A half that stands needs no settings kept for it; one that is deleted gets them with its deletion.
    detail = view.claim.detail if view.claim is not None and link.disconnected else half.remote_id
    if own is not None and (own.purpose, own.origin, own.detail) == (half.purpose, origin, detail):
        return plan, []
    claim = Claim(id=link.id, purpose=half.purpose, origin=origin, detail=detail, claimed_at=asked.now)
    return replace(plan, claims=with_claim_in_place(claims, claim)), []


def _name_taken(view: HalfView, links: LinkTable) -> list[Finding]:
    """Where the half would be made there may be a link that leads elsewhere: a PUT would be one on another's link."""
    other = links.by_id(view.half.local_id, view.link_id)
    if other is None:
        return []
    return [_not_owned(other, f"it leads to {named(other.remote_id)}: delete it, or give it another name")]


def _hindered(plan: Plan, *obstacles: Finding) -> Plan:
    return replace(plan, obstacles=(*plan.obstacles, *obstacles))


def _conflict(pair: Pair, other: str) -> Finding:
    return obstacle(
        ObstacleCode.CONFLICT,
        f"{other} was first to ask for the peering of {named(pair.hub.local_id)} with {named(pair.spoke.local_id)}: take it "
        "off the spec of one of the two, or let the selector find it in one of them only",
        pair.spoke.local_id,
    )


def _status_full(pair: Pair) -> Finding:
    return obstacle(
        ObstacleCode.STATUS_FULL,
        f"the peering of {named(pair.hub.local_id)} with {named(pair.spoke.local_id)} is made once those that left the spec "
        f"are gone: a status keeps account of {MAX_CLAIMS} halves; to have it at once, put it into another VNetPeering",
        pair.spoke.local_id,
    )


def _network_not_found(network_id: str) -> Finding:
    return obstacle(
        ObstacleCode.VIRTUAL_NETWORK_NOT_FOUND,
        f"the virtual network {network_id} does not exist, or the identity may not read it: create it, grant Reader, "
        "or take it off the spec",
        network_id,
    )


def _kept_by(link: Link, keeper: str) -> Finding:
    return _not_owned(
        link,
        f"{keeper} keeps it, so it is looked at and never changed or taken over; take the spoke off the spec, or let "
        "managementPolicy: Observe report on it",
    )


def _not_owned(link: Link, way_out: str) -> Finding:
    return obstacle(
        ObstacleCode.NOT_OWNED, f"{named(link.id)} exists already and is not this resource's: {way_out}", link.id
    )


def _network_of(link_id: str) -> str:
    return link_id.rsplit(f"/{PEERINGS}/", 1)[0]
