"""The guard before deletions in bulk: what a mistake looks like is told, and not done before a person has said so.

A list that lost its lines in a merge, tags that were renamed, an inventory that came back empty: all of them ask for the
deletion of most of what a custom resource keeps. A plan that deletes more than three parts and more than a quarter of all
is held back with its hash. No memory is needed for that: hash and time stand in the claims on what is held, so that a
restart changes nothing, and what is made meanwhile does not make the share smaller.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bastion_operator.api.common import Claim, ClaimOrigin
from bastion_operator.api.meta import ALLOW_PLAN
from bastion_operator.network.finding import Finding
from bastion_operator.planning.model import Plan, Verb, root_of
from bastion_operator.planning.obstacles import ObstacleCode, obstacle
from bastion_operator.planning.ownership import id_key
from bastion_operator.planning.peering_settings import remote_of
from bastion_operator.planning.wording import named

ALWAYS_ALLOWED: Final = 3
"""So many parts may go in one plan, however few there are."""
SHARE: Final = 4
"""One of so many parts may go in one plan, where that is more."""
_HASH_LENGTH: Final = 16
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Part:
    """What deletions are counted by: a peering with both its halves, or one resource."""

    key: str
    text: str


PartOf = Callable[[Claim], Part]


def resource_of(claim: Claim) -> Part:
    """Each resource counts by itself."""
    return Part(id_key(claim.id), named(claim.id))


def peering_of(claim: Claim) -> Part:
    """The two halves of a peering count as one: they are made and removed together."""
    ends = {id_key(each): each for each in (root_of(claim.id), remote_of(claim) or claim.id)}
    keys = sorted(ends)
    return Part(" ".join(keys), "the peering of " + " with ".join(named(ends[key]) for key in keys))


def guard_deletions(
    plan: Plan, before: tuple[Claim, ...], *, allowed: str | None, part_of: PartOf, now: datetime
) -> Plan:
    """The plan, without its deletions where these are too many for one plan and nobody has allowed them.

    :param before: the claims that the status held when the plan was made
    :param allowed: the value of the annotation that lets one plan pass, by its hash
    """
    going = {id_key(each) for each in plan.going}
    waiting = [claim for claim in plan.claims if id_key(claim.id) in going and not _allowed(claim, allowed)]
    held = {id_key(claim.id) for claim in waiting}
    if not waiting or not _too_many(waiting, before, part_of):
        return replace(plan, claims=tuple(_unmarked(each, going - held) for each in plan.claims))
    told = plan_hash(waiting)
    since = _since(waiting) or now
    known = {id_key(claim.id) for claim in before}
    marked = (
        claim.replace(guarded_plan=told, guarded_at=since)
        if id_key(claim.id) in held and claim.guarded_plan != told
        else _unmarked(claim if id_key(claim.id) in known else _not_before(since, claim), going)
        for claim in plan.claims
    )
    return replace(
        plan,
        changes=tuple(
            each for each in plan.changes if each.verb is not Verb.DELETE or id_key(each.resource_id) not in held
        ),
        obstacles=(_guarded(waiting, before, part_of, told), *plan.obstacles),
        claims=tuple(marked),
        guarded=tuple(claim.id for claim in waiting),
    )


def without_guard(plan: Plan) -> Plan:
    """The plan as conditions speak of it that have nothing to do with what is held."""
    return replace(plan, obstacles=tuple(each for each in plan.obstacles if each.code != ObstacleCode.DELETION_GUARDED))


def plan_hash(claims: Iterable[Claim]) -> str:
    """The hash of the deletion of these. What is made anew under the same id has another claim, and so another hash."""
    lines = sorted(f"{id_key(claim.id)} {_seconds(claim.claimed_at)}" for claim in claims)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_HASH_LENGTH]


def _seconds(moment: datetime | None) -> str:
    """As the status has it: before and after it was written there the hash must be the same."""
    return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _allowed(claim: Claim, allowed: str | None) -> bool:
    return claim.guarded_plan is not None and claim.guarded_plan == allowed


def _unmarked(claim: Claim, but: Collection[str]) -> Claim:
    """The claim of what is not held: it carries no mark, unless it is on its way out by an allowed plan."""
    if claim.guarded_plan is None or id_key(claim.id) in but:
        return claim
    return claim.replace(guarded_plan=None, guarded_at=None)


def _not_before(since: datetime, new: Claim) -> Claim:
    """What is made while a deletion is held is dated so: the time by Azure's answers may go back by seconds."""
    return new if new.claimed_at is None or new.claimed_at >= since else new.replace(claimed_at=since)


def _since(waiting: Iterable[Claim]) -> datetime | None:
    return min((claim.guarded_at for claim in waiting if claim.guarded_at is not None), default=None)


def _too_many(waiting: list[Claim], before: tuple[Claim, ...], part_of: PartOf) -> bool:
    return len(_parts(waiting, part_of)) > _most(waiting, before, part_of)


def _most(waiting: list[Claim], before: tuple[Claim, ...], part_of: PartOf) -> float:
    return max(ALWAYS_ALLOWED, len(_kept(waiting, before, part_of)) / SHARE)


def _kept(waiting: list[Claim], before: tuple[Claim, ...], part_of: PartOf) -> dict[str, str]:
    """All that the share is of: what was there when the deletion was first asked for.

    What was made in that very second is not counted, as what the same plan makes must not be.
    """
    since = _since(waiting)
    there = (
        claim
        for claim in before
        if claim.origin is ClaimOrigin.CREATED
        and (since is None or claim.claimed_at is None or claim.claimed_at < since)
    )
    return _parts((*there, *waiting), part_of)


def _parts(claims: Iterable[Claim], part_of: PartOf) -> dict[str, str]:
    return {part.key: part.text for part in map(part_of, claims)}


def _guarded(waiting: list[Claim], before: tuple[Claim, ...], part_of: PartOf, told: str) -> Finding:
    parts, of = _parts(waiting, part_of), len(_kept(waiting, before, part_of))
    shown = sorted(parts.values())[:_SHOWN]
    more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return obstacle(
        ObstacleCode.DELETION_GUARDED,
        f"plan {told} would delete {len(parts)} of the {of} that are kept for this resource, which is more than "
        f"{ALWAYS_ALLOWED} and more than a quarter, so none of them is deleted; all else goes on. If that is meant, annotate "
        f"this resource with {ALLOW_PLAN}={told}; if not, mend the spec, or what it selects by. It would delete: "
        f"{'; '.join(shown)}{more}",
        None,
    )
