"""What one half of a link needs: to be made, changed, synced, or deleted so that it can be made anew."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.network.finding import Finding
from bastion_operator.planning.body import described, differing, etag, has_failed, provisioning_state, with_named
from bastion_operator.planning.identical_request import identical_request
from bastion_operator.planning.model import SYNC_REMOTE_ADDRESS_SPACE, Change, Plan, Verb, Wait
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import claim_on, id_key, with_claim, with_claim_in_place
from bastion_operator.planning.peering_link import Link
from bastion_operator.planning.peering_pairs import Half
from bastion_operator.planning.peering_settings import (
    ALLOW_GATEWAY_TRANSIT,
    USE_REMOTE_GATEWAYS,
    claim_detail,
    settings_at_creation,
    settings_of,
)
from bastion_operator.planning.wording import named


@dataclass(frozen=True, slots=True)
class HalfView:
    """A half that is asked for, and what there is of it.

    :ivar link: the peering in Azure, or None
    :ivar claim: the claim on it, or None
    :ivar link_id: its ARM id, or the one that it would have
    :ivar settings: what the half has, or had before it was deleted to be made anew
    :ivar gateway_trouble: why the half cannot come to use the other side's gateway, or None
    """

    half: Half
    link: Link | None
    claim: Claim | None
    link_id: str
    settings: Mapping[str, Any]
    gateway_trouble: Finding | None = None

    @property
    def claim_in_place(self) -> Claim | None:
        """The claim, where it is on the very link that the half has or would have.

        It is the only one that can be: none of hundreds of others has to be looked at.
        """
        return self.claim if self.claim is not None and id_key(self.claim.id) == id_key(self.link_id) else None

    def will_have(self, flag: str) -> bool:
        """Whether the half has the flag once the plan is carried out."""
        asked = self.half.flags if self.half.written else {}
        return bool(asked[flag] if flag in asked else self.settings.get(flag))

    @property
    def comes_to_use_gateway(self) -> bool:
        """Whether the half does not use the other side's gateway yet and is going to."""
        used = self.link is not None and self.link.uses_remote_gateways
        return self.half.written and not used and self.will_have(USE_REMOTE_GATEWAYS)


def plan_half(view: HalfView, other: HalfView, plan: Plan, now: datetime) -> Plan:
    """The plan with the next step of a half added. The half is the operator's to write."""
    link = view.link
    if link is None:
        return _plan_creation(view, other, plan, now)
    if link.changing:
        wait = Wait(link.id, view.half.local_id, provisioning_state(link.body))
        return replace(plan, waits=(*plan.waits, wait))
    if link.disconnected:
        reason = "the half reads Disconnected: Azure joins it again only after it was deleted"
        return plan_deletion(view, link, plan, reason)
    if other.link is not None and other.link.disconnected:
        # Azure refuses every PUT while the other half reads Disconnected: that one goes first.
        return plan
    return _plan_change(view, link, other, plan)


def _plan_creation(view: HalfView, other: HalfView, plan: Plan, now: datetime) -> Plan:
    half = view.half
    if view.claim_in_place is None:
        claim = Claim(
            id=view.link_id, purpose=half.purpose, origin=ClaimOrigin.CREATED, detail=half.remote_id, claimed_at=now
        )
        plan = replace(plan, claims=with_claim(plan.claims, claim))
    if other.link is not None and other.link.disconnected:
        # Azure refuses this half with RemotePeeringIsDisconnected until the other was deleted: that comes first.
        return plan
    settings = _settings_at_creation(view, other)
    if settings[USE_REMOTE_GATEWAYS] and not _lent(other):
        return _waiting_for_gateway(view, other, plan)
    body = {"properties": {"remoteVirtualNetwork": {"id": half.remote_id}, **settings}}
    reason = f"no peering leads to {named(half.remote_id)}"
    change = Change(Verb.CREATE, view.link_id, half.local_id, reason, body, also_read=(half.remote_id,))
    return _changing(plan, change)


def _settings_at_creation(view: HalfView, other: HalfView) -> dict[str, Any]:
    kept = {**_mirrored(other.settings), **view.settings}
    if other.settings.get(USE_REMOTE_GATEWAYS):
        # The half that went away lent its gateway, or the other could not use it.
        kept = {**kept, ALLOW_GATEWAY_TRANSIT: True}
    return settings_at_creation(view.half.flags, kept)


def _mirrored(other: Mapping[str, Any]) -> dict[str, Any]:
    """What a half must have because the other one, of which it is the counterpart, joins single subnets."""
    return {name: other[counterpart] for name, counterpart in _COUNTERPARTS.items() if counterpart in other}


_COUNTERPARTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "peerCompleteVnets": "peerCompleteVnets",
        "enableOnlyIPv6Peering": "enableOnlyIPv6Peering",
        "localSubnetNames": "remoteSubnetNames",
        "remoteSubnetNames": "localSubnetNames",
    }
)


def plan_deletion(view: HalfView, link: Link, plan: Plan, reason: str) -> Plan:
    """The plan with a dead half deleted; what it had set is kept in its claim, to be made anew with."""
    half = view.half
    detail = claim_detail(half.remote_id, settings_of(link))
    if detail is None:
        message = (
            f"{named(link.id)} reads Disconnected, and lists more subnets than can be kept while it is made anew: "
            "delete it and make it again by hand"
        )
        return _hindered(plan, obstacle(ObstacleCode.SETTINGS_TOO_MANY, message, link.id))
    claim = claim_on(plan.claims, link.id)
    if claim is not None:
        plan = replace(plan, claims=with_claim_in_place(plan.claims, claim.replace(detail=detail)))
    change = Change(Verb.DELETE, link.id, half.local_id, reason, if_match=etag(link.body), also_read=(half.remote_id,))
    return _changing(plan, change)


def _plan_change(view: HalfView, link: Link, other: HalfView, plan: Plan) -> Plan:
    half = view.half
    found = dict(differing(link.body, {("properties", name): value for name, value in half.flags.items()}))
    if found.get(_GATEWAY) is True and view.gateway_trouble is not None:
        plan = _hindered(plan, view.gateway_trouble)
        del found[_GATEWAY]
    elif found.get(_GATEWAY) is True and not _lent(other):
        plan = _waiting_for_gateway(view, other, plan)
        del found[_GATEWAY]
    if found.get(_TRANSIT) is False and _still_used(other):
        # Azure takes a gateway back only once the other side has stopped using it: that comes first.
        del found[_TRANSIT]
    if found:
        changes = described(link.body, found)
        body = with_named(link.body, found)
        reason = "flags differ from the spec"
        change = Change(
            Verb.UPDATE, link.id, half.local_id, reason, body, changes, etag(link.body), also_read=(half.remote_id,)
        )
        return _changing(plan, change)
    if has_failed(link.body):
        change = identical_request(link.body, link.id, half.local_id)
        return _changing(plan, replace(change, also_read=(half.remote_id,)))
    # While only one half exists Azure keeps no remote address space in sync.
    if link.connected and not link.address_space_in_sync:
        reason = "the remote network's address space has changed since the link last learned it"
        body, query = dict(link.body), {SYNC_REMOTE_ADDRESS_SPACE: "true"}
        change = Change(
            Verb.SYNC, link.id, half.local_id, reason, body, (), etag(link.body), query, also_read=(half.remote_id,)
        )
        return _changing(plan, change)
    if other.link is not None and not link.connected:
        # Azure turns this half by itself once the other is there: what says otherwise was read before that.
        wait = Wait(link.id, half.local_id, link.state, "its other half is there, and Azure joins the two by itself")
        return replace(plan, waits=(*plan.waits, wait))
    return plan


_GATEWAY = ("properties", USE_REMOTE_GATEWAYS)
_TRANSIT = ("properties", ALLOW_GATEWAY_TRANSIT)


def _lent(other: HalfView) -> bool:
    return other.link is not None and other.link.lends_gateway


def _still_used(other: HalfView) -> bool:
    return other.link is not None and other.link.uses_remote_gateways and not other.will_have(USE_REMOTE_GATEWAYS)


def _waiting_for_gateway(view: HalfView, other: HalfView, plan: Plan) -> Plan:
    """The gateway must be lent before it can be used: the other half comes first, if it is going to lend it."""
    made_anew = other.link is None and _settings_at_creation(other, view)[ALLOW_GATEWAY_TRANSIT]
    if other.will_have(ALLOW_GATEWAY_TRANSIT) or (made_anew and other.half.written):
        return plan
    return _hindered(plan, _not_lent(view, other))


def _not_lent(view: HalfView, other: HalfView) -> Finding:
    message = (
        f"{named(view.half.local_id)} is to use the gateway of {named(view.half.remote_id)}, whose half does not lend it: "
        "set allowGatewayTransit on that half, or leave useRemoteGateways out"
    )
    return obstacle(ObstacleCode.GATEWAY_NOT_LENT, message, other.link_id)


def _changing(plan: Plan, change: Change) -> Plan:
    """What one half may become hangs on what the other is: each change has both networks read before either is written."""
    return replace(plan, changes=(*plan.changes, change))


def _hindered(plan: Plan, *obstacles: Finding) -> Plan:
    return replace(plan, obstacles=(*plan.obstacles, *obstacles))
