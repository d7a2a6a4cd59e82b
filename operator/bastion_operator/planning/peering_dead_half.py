"""Halves that lead to a network that is gone: they carry nothing, and only who made them takes them away.

Azure deletes a virtual network with its peerings, and the half at the other end reads Disconnected from then on. Two words of
Azure's make it certain, both of the very pass: the half's own, and a GET that says that the network is not there. Source:
Microsoft's page "Create, change, or delete a virtual network peering".
"""

from collections.abc import Iterable
from typing import Final

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.planning.model import Change, Observed, Plan, Verb
from bastion_operator.planning.ownership import Owner, Ownership
from bastion_operator.planning.peering_half import HalfView, plan_deletion
from bastion_operator.planning.peering_link import Link, link_ownership

_REASON: Final = "the half reads Disconnected, and the virtual network at its other end is gone"


def plan_dead_halves(owner: Owner, views: Iterable[HalfView], observed: Observed, plan: Plan) -> Plan:
    """The plan with the halves of a pair deleted that stand alone, because the other network is not there.

    Whether it is not there is asked of Azure again before the request: the network is among what the change reads.
    """
    for view in views:
        link, claim = view.link, view.claim_in_place
        if link is None or claim is None or not view.half.written or observed.get(view.half.remote_id) is not None:
            continue
        if is_dead(owner, link, claim):
            plan = plan_deletion(view, link, plan, _REASON)
    return plan


def deletion(link: Link, network_id: str, gone_id: str) -> Change:
    """The request that deletes the half of a network; the one that seems to be gone is read before it is sent."""
    return Change(Verb.DELETE, link.id, network_id, _REASON, also_read=(gone_id,))


def is_dead(owner: Owner, link: Link, claim: Claim) -> bool:
    """Whether a half whose other network is gone may go: this resource made it, and it reads Disconnected at rest."""
    made = claim.origin is ClaimOrigin.CREATED and link_ownership(owner, (claim,), link) is Ownership.CREATED
    return made and link.disconnected and not link.changing
