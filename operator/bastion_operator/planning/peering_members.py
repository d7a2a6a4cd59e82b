"""Who takes part: the spokes that a VNetPeering lists, those that its selector finds, and those that it found before.

What was found is kept in the claims on its links, so that a restart, or a network that Azure does not show for a while,
is never taken for a network that has left.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bastion_operator.api.common import Claim
from bastion_operator.api.vnet_peering import SpokeSelector, VNetPeeringSpec
from bastion_operator.network.arm_id import parse_arm_id
from bastion_operator.planning.model import Body, Observed, root_of
from bastion_operator.planning.ownership import id_key
from bastion_operator.planning.peering_pairs import HUB_TO_SPOKE, Pair, asked_pairs
from bastion_operator.planning.peering_settings import remote_of


@dataclass(frozen=True, slots=True)
class Left:
    """A network that the selector found before and does not find now.

    :ivar claims: those on the links with it
    :ivar since: when it was first seen not to match; None if that is only now, or not seen at all
    :ivar seen: whether a source shows the network; of one that is not shown nobody can say that it lost its tags
    """

    network_id: str
    claims: tuple[Claim, ...]
    since: datetime | None
    seen: bool


@dataclass(frozen=True, slots=True)
class Members:
    """The pairs that are asked for, the normalised ids of the spokes among them that the selector found, and who left."""

    pairs: tuple[Pair, ...]
    selected: frozenset[str]
    left: tuple[Left, ...]


def matching_networks(selector: SpokeSelector, rows: Mapping[str, Body]) -> tuple[str, ...]:
    """The ids, as their rows spell them, of the virtual networks that the selector finds; ordered by normalised id.

    ``rows``: by normalised id.
    """
    return tuple(str(row.get("id") or key) for key, row in sorted(rows.items()) if _matches(selector, key, row))


def members_of(spec: VNetPeeringSpec, claims: Iterable[Claim], found: Iterable[str], observed: Observed) -> Members:
    """Who takes part by what is observed of each network now; ``found`` are ids that may match, claimed ones aside."""
    claimed: dict[str, tuple[str, list[Claim]]] = {}
    for claim in claims:
        spoke = spoke_of(claim)
        if spoke is not None:
            claimed.setdefault(id_key(spoke), (spoke, []))[1].append(claim)
    barred = {id_key(spoke.virtual_network_id) for spoke in spec.spokes}
    barred |= {id_key(spec.hub.virtual_network_id)} if spec.hub else set()
    # A spoke that was listed until now may be one that the selector finds, also where the inventory does not show it.
    candidates = {id_key(each): each for each in found} | {key: spoke for key, (spoke, _) in claimed.items()}
    selector = spec.spoke_selector
    selected = {
        key: network_id
        for key, network_id in sorted(candidates.items())
        if key not in barred and selector is not None and _matches(selector, key, observed.get(key))
    }
    left = [
        Left(spoke, tuple(own), _first(own), observed.get(key) is not None)
        for key, (spoke, own) in sorted(claimed.items())
        if key not in barred and key not in selected and any(claim.selected for claim in own)
    ]
    return Members(asked_pairs(spec, selected.values()), frozenset(selected), tuple(left))


def with_membership(claims: tuple[Claim, ...], members: Members, now: datetime) -> tuple[Claim, ...]:
    """The claims with what is known of the network at the other end: found by the selector, and since when it is not.

    The time is that of the first sight; a network that is found again has none.
    """
    asked = {id_key(pair.spoke.local_id) for pair in members.pairs}
    seen = {id_key(left.network_id): left.since for left in members.left if left.seen}
    return tuple(_noted(claim, asked, members.selected, seen, now) for claim in claims)


def _noted(
    claim: Claim,
    asked: set[str],
    selected: frozenset[str],
    left: Mapping[str, datetime | None],
    now: datetime,
) -> Claim:
    key = id_key(spoke_of(claim) or "")
    wanted = (claim.selected, claim.left_at)
    if key in asked:
        wanted = (True if key in selected else None, None)
    elif key in left:
        wanted = (True, left[key] or now)
    return claim if wanted == (claim.selected, claim.left_at) else claim.replace(selected=wanted[0], left_at=wanted[1])


def spoke_of(claim: Claim) -> str | None:
    """The network at the spoke's end of a claimed half; None for a claim that does not say."""
    return remote_of(claim) if claim.purpose == HUB_TO_SPOKE else root_of(claim.id)


def _first(claims: Iterable[Claim]) -> datetime | None:
    return min((claim.left_at for claim in claims if claim.left_at is not None), default=None)


def _matches(selector: SpokeSelector, network_id: str, body: Body | None) -> bool:
    if body is None:
        return False
    found = body.get("tags")
    tags = {str(name).lower(): value for name, value in found.items()} if isinstance(found, Mapping) else {}
    # Azure finds names of tags in any case and values in their own.
    if any(tags.get(name.lower()) != value for name, value in selector.tags.items()):
        return False
    subscription = (parse_arm_id(network_id).subscription or "").lower()
    return subscription in {each.lower() for each in selector.subscriptions}
