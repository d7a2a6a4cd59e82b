"""Taking down links that a VNetPeering made: on its deletion, and for pairs that left its spec."""

from collections.abc import Iterable
from dataclasses import replace

from bastion_operator.api.common import Claim, ClaimOrigin, DeletionPolicy
from bastion_operator.api.vnet_peering import VNetPeeringSpec
from bastion_operator.planning.body import child, etag, provisioning_state
from bastion_operator.planning.model import NOT_READ, Change, Observed, Plan, Verb, Wait, root_of
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import Owner, Ownership, id_key, without_claim
from bastion_operator.planning.peering_link import PEERINGS, Link, LinkTable, link_ownership
from bastion_operator.planning.peering_pairs import HUB_TO_SPOKE, asked_pairs
from bastion_operator.planning.peering_settings import remote_of
from bastion_operator.planning.wording import named


def plan_all_links_removal(owner: Owner, spec: VNetPeeringSpec, claims: tuple[Claim, ...], observed: Observed) -> Plan:
    """What to delete now so that nothing is left of what a VNetPeering made.

    Where the status was lost with its claims, links of the owner's names are kept and told: a name alone is no proof.
    """
    plan = spoke_halves_first(plan_link_removal(owner, spec.deletion_policy, claims, observed, Plan(claims=claims)))
    if claims or not plan.settled:
        return plan
    links = LinkTable(observed)
    halves = [(half.local_id, half.remote_id) for pair in asked_pairs(spec) for half in pair.halves]
    if spec.hub is not None and spec.spoke_selector is not None:
        # Which spokes it had found is lost as well: the hub's own links tell.
        hub = spec.hub.virtual_network_id
        halves += [(hub, remote) for remote in links.of(hub)]
    found = [link for local, remote in halves if (link := links.find(local, remote)) is not None]
    for link in {id_key(link.id): link for link in found}.values():
        if link_ownership(owner, claims, link) is Ownership.CREATED:
            plan = _keeping(plan, link.id, ObstacleCode.KEPT_NOT_CERTAIN, _NO_CLAIM)
    return plan


def plan_link_removal(
    owner: Owner, policy: DeletionPolicy | None, claims: Iterable[Claim], observed: Observed, plan: Plan
) -> Plan:
    """The plan with the deletion of these claimed links added.

    A link is deleted only if the claim says that it was made, and its name is the one that this owner would choose.
    What is kept is released: its claim goes, and the plan says why it remains.
    """
    for claim in claims:
        plan = _remove(owner, policy, claim, observed, plan)
    return plan


def spoke_halves_first(plan: Plan) -> Plan:
    """The plan without the deletion of a hub's half while the spoke's goes as well.

    Azure turns the half that is left to Disconnected, and its etag with it: of two that are sent side by side the second
    would be refused for what the first has changed. A spoke that cannot be read holds nothing up.
    """
    unread = {id_key(wait.resource_id) for wait in plan.waits if wait.state == NOT_READ}
    going = {id_key(each) for each in plan.going} - unread
    ends = {_ends(claim) for claim in plan.claims if id_key(claim.id) in going}
    held = {
        id_key(claim.id)
        for claim in plan.claims
        if claim.purpose == HUB_TO_SPOKE and id_key(claim.id) in going and _ends(claim)[::-1] in ends
    }
    return replace(
        plan,
        changes=tuple(
            each for each in plan.changes if each.verb is not Verb.DELETE or id_key(each.resource_id) not in held
        ),
    )


def _ends(claim: Claim) -> tuple[str, str]:
    return id_key(root_of(claim.id)), id_key(remote_of(claim) or "")


def _remove(owner: Owner, policy: DeletionPolicy | None, claim: Claim, observed: Observed, plan: Plan) -> Plan:
    network_id, name = claim.id.rsplit(f"/{PEERINGS}/", 1)
    if not observed.looked_at(network_id):
        # What no source has said anything of is not gone.
        return _waiting(plan, claim, network_id, NOT_READ)
    network = observed.get(network_id)
    body = child(network, PEERINGS, name) if network is not None else None
    released = replace(plan, claims=without_claim(plan.claims, claim.id))
    if body is None:
        return released
    link = Link(claim.id, body)
    kept = _kept_in_any_case(owner, policy, claim, link)
    if kept is None and policy is None:
        carried = _carries_remote_gateways(link, claim, plan, observed)
        if carried is None:
            return _waiting(plan, claim, link.remote_id, NOT_READ)
        kept = _REMOTE_GATEWAYS if carried else None
    if kept is not None:
        return _keeping(released, claim.id, *kept)
    if link.changing:
        return _waiting(plan, claim, network_id, provisioning_state(body))
    change = Change(Verb.DELETE, claim.id, network_id, "the link is no longer asked for", if_match=etag(body))
    return _going(replace(plan, changes=(*plan.changes, change)), claim)


def _keeping(plan: Plan, link_id: str, code: ObstacleCode, why: str) -> Plan:
    finding = obstacle(code, f"{named(link_id)} is kept: {why} ({link_id})", link_id)
    return replace(plan, remains=(*plan.remains, finding))


def _waiting(plan: Plan, claim: Claim, root_id: str, state: str) -> Plan:
    return _going(replace(plan, waits=(*plan.waits, Wait(claim.id, root_id, state))), claim)


def _going(plan: Plan, claim: Claim) -> Plan:
    return replace(plan, going=(*plan.going, claim.id))


_NO_CLAIM = (
    "its name is the operator's, but no claim in the status tells whether it made it; if nobody needs it, delete it"
)
_REMOTE_GATEWAYS = (
    ObstacleCode.KEPT_REMOTE_GATEWAYS,
    "a spoke's way on-premises may lead over it; deletionPolicy: Delete removes such links as well",
)


def _kept_in_any_case(
    owner: Owner, policy: DeletionPolicy | None, claim: Claim, link: Link
) -> tuple[ObstacleCode, str] | None:
    if claim.origin is ClaimOrigin.ADOPTED:
        return ObstacleCode.KEPT_NOT_OWNED, "it was adopted, not made by the operator"
    name = link.id.rsplit("/", 1)[-1]
    if name.lower() != owner.peering_name(link.remote_id).lower():
        return ObstacleCode.KEPT_NOT_OWNED, "it leads elsewhere than the operator's link of that name would"
    if policy is DeletionPolicy.RETAIN:
        return ObstacleCode.KEPT_NOT_OWNED, "deletionPolicy is Retain"
    return None


def _carries_remote_gateways(link: Link, claim: Claim, plan: Plan, observed: Observed) -> bool | None:
    """Whether one of the two halves uses the other's gateway; None where the other half must be read to tell."""
    if link.uses_remote_gateways:
        return True
    if not link.lends_gateway:
        return False
    local_id = claim.id.rsplit(f"/{PEERINGS}/", 1)[0]
    if observed.looked_at(link.remote_id):
        other = LinkTable(observed).find(link.remote_id, local_id)
        return other is not None and other.uses_remote_gateways
    # With a claim on the other half its network will be read. Without one (sides: HubOnly) it is not this resource's to
    # read, and a gateway that is lent to somebody is not taken away on a guess.
    other_half = f"{link.remote_id}/"
    return None if any(id_key(each.id).startswith(other_half) for each in plan.claims) else True
