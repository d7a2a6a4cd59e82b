"""The course of a pass, the same for every kind that has something in Azure.

Read the object; if it is being deleted, take down what was made for it; if it is suspended, say so; ask whether it may
act as its identity and on what it names; only then look at Azure. What differs from kind to kind is a :class:`Course`.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from bastion_operator.api.bastion_host import BastionHost, BastionHostStatus
from bastion_operator.api.common import Claim, CommonStatus, DeletionPolicy, ManagementPolicy
from bastion_operator.api.meta import FINALIZER
from bastion_operator.api.vnet_peering import VNetPeering, VNetPeeringStatus
from bastion_operator.kube.errors import ForbiddenError, KubeError, NotFoundError
from bastion_operator.kube.resources import add_finalizer, get_object
from bastion_operator.planning.conditions import Refusal, States, deletion_states
from bastion_operator.planning.model import Observed, Plan, root_of
from bastion_operator.planning.ownership import Owner
from bastion_operator.reconcile.access import refuse_conflict
from bastion_operator.reconcile.broken_off import refuse_unreadable
from bastion_operator.reconcile.change_run import ChangeRun
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.object_store import Raw
from bastion_operator.reconcile.outcome import RELEASED, SLOW_RECHECK, Outcome
from bastion_operator.reconcile.preconditions import open_session
from bastion_operator.reconcile.publication import (
    forbidden_states,
    publish,
    refused_states,
    suspended_states,
    tell_changes,
    tell_remains,
)
from bastion_operator.reconcile.release import forget_gone, hold, release
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Session

_log = logging.getLogger(__name__)

R = TypeVar("R", BastionHost, VNetPeering)


def status_of(resource: BastionHost | VNetPeering) -> CommonStatus:
    """The status as it is, or an empty one of the resource's kind."""
    empty = BastionHostStatus if isinstance(resource, BastionHost) else VNetPeeringStatus
    return resource.status or empty()


def _no_roots(resource: BastionHost | VNetPeering) -> list[str]:
    del resource
    return []


@dataclass(frozen=True, slots=True)
class Course(Generic[R]):
    """What one kind does in its own way.

    :ivar ids: every ARM id that a spec names or means; all must lie in the identity's subscriptions
    :ivar asks_for: what a resource asks for itself alone; of two that ask for one thing the older has it
    :ivar synchronise: a pass once everything is accepted
    :ivar removal_roots: what must be read to take down what was made
    :ivar ordered_removal_roots: those of them that every pass reads, because they can only go in an order
    :ivar plan_removal: what to delete now, on what those reads said
    :ivar gone: what is left to do for an object that is not there any more
    :ivar aside: whether plans are made off the event loop
    """

    kind: type[R]
    key_kind: Kind
    ids: Callable[[R], Iterable[str]]
    asks_for: Callable[[R], list[str]]
    synchronise: Callable[["Pass[R]", Session], Awaitable[Outcome]]
    removal_roots: Callable[[R], list[str]]
    plan_removal: Callable[["Pass[R]", Observed], Plan]
    ordered_removal_roots: Callable[[R], list[str]] = _no_roots
    gone: Callable[[Services, Key], Awaitable[None]] | None = None
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Pass(Generic[R]):
    """One pass of one resource: what was read of it at its start."""

    services: Services
    key: Key
    kind: type[R]
    raw: Raw
    resource: R

    @property
    def manages(self) -> bool:
        """Whether the operator may write to Azure for this resource."""
        return self.resource.spec.management_policy is ManagementPolicy.MANAGE

    @property
    def asked_for_now(self) -> bool:
        """Somebody has set the annotation that asks for a pass at once, and it was not handled yet."""
        handled = status_of(self.resource).last_handled_reconcile_at
        return self.resource.metadata.reconcile_requested_at != handled

    @property
    def asked_for(self) -> bool:
        """A person has asked for a pass or changed the spec, and no pass has handled that yet."""
        return self.asked_for_now or status_of(self.resource).observed_generation != self.resource.metadata.generation

    @property
    def owner(self) -> Owner:
        """The resource as the owner of things in Azure."""
        metadata = self.resource.metadata
        return Owner(self.services.installation_id, metadata.namespace or "", metadata.name, metadata.uid)

    def run(self, session: Session, *, aside: bool = False) -> ChangeRun:
        """The way to Azure of this pass, with the claims that the status holds; ``aside`` as a :class:`Course` says."""
        status = status_of(self.resource)

        async def write_claims(claims: tuple[Claim, ...]) -> None:
            await self.services.statuses.publish(self.kind, self.raw, status.replace(claims=claims).to_json())

        claims, may_write = status.claims, self.manages
        return ChangeRun(self.services, session, self.key, claims, write_claims, may_write=may_write, aside=aside)


async def follow(course: Course[R], services: Services, key: Key) -> Outcome:
    """One pass of one resource. Where the operator's account lacks a right that it takes, the resource's Ready says which.

    :raises KubeError: the API server does not answer, or refuses
    """
    try:
        return await _follow(course, services, key)
    except ForbiddenError as error:
        await _tell_forbidden(course, services, key, error)
        raise


async def _tell_forbidden(course: Course[R], services: Services, key: Key, error: ForbiddenError) -> None:
    try:
        # Read again: claims may have been written since the pass began.
        raw = await get_object(services.kube, course.kind, key.namespace, key.name)
        status = status_of(course.kind.model_validate(raw))
        await publish(services, course.kind, raw, status, status, forbidden_states(status, str(error)))
    except (KubeError, ValidationError) as refusal:
        _log.info("%s: its status cannot tell so: %s", key, refusal)


async def _follow(course: Course[R], services: Services, key: Key) -> Outcome:
    try:
        raw = await get_object(services.kube, course.kind, key.namespace, key.name)
    except NotFoundError:
        if course.gone is not None:
            await course.gone(services, key)
        return forget_gone(services, key)
    try:
        resource = course.kind.model_validate(raw)
    except ValidationError as error:
        return await _unreadable(course, services, key, raw, error)
    passing = Pass(services, key, course.kind, raw, resource)
    if passing.asked_for_now:
        # Somebody has mended something and asks for it to be tried now.
        services.attempts.forget(key)
    if passing.asked_for:
        services.writes.asked_for(key)
        services.attempts.contention.forget(key)
    if resource.metadata.deleting:
        return await _delete(course, passing)
    return await _keep(course, passing)


async def _keep(course: Course[R], passing: Pass[R]) -> Outcome:
    """The pass of a resource that is not being deleted."""
    services, key, raw, resource = passing.services, passing.key, passing.raw, passing.resource
    status = status_of(resource)
    if resource.spec.suspend:
        services.rest(key)
        await publish(services, course.kind, raw, status, status, suspended_states(status))
        return Outcome(SLOW_RECHECK, "suspended")
    session = await _accept(course, passing)
    if isinstance(session, Refusal):
        services.rest(key)
        await publish(services, course.kind, raw, status, status, refused_states(session))
        return Outcome(SLOW_RECHECK, "refused")
    if passing.manages:
        raw = await add_finalizer(services.kube, course.kind, raw)
        if _asked_of(raw) != _asked_of(passing.raw):
            # Changed since it was read: what is planned and what the status says was acted on must be one reading's.
            return await _follow(course, services, key)
    return await course.synchronise(Pass(services, key, course.kind, raw, resource), session)


def _asked_of(raw: Raw) -> tuple[object, object]:
    """By what a person asks for something of an object."""
    metadata = raw["metadata"]
    return metadata.get("generation"), metadata.get("annotations") or {}


async def _unreadable(course: Course[R], services: Services, key: Key, raw: Raw, error: ValidationError) -> Outcome:
    """What cannot be read is not acted on, but for the few fields that let go of it: each is read by itself.

    An operator that is older than the CRDs must not hold for ever what is to stay in Azure anyway.
    """
    metadata, spec = raw["metadata"], raw.get("spec") or {}
    if not metadata.get("deletionTimestamp") or spec.get("suspend"):
        return await refuse_unreadable(services, key, course.kind, raw, error)
    if FINALIZER not in metadata.get("finalizers", ()):
        return RELEASED
    if spec.get("deletionPolicy") == DeletionPolicy.RETAIN or spec.get("managementPolicy") == ManagementPolicy.OBSERVE:
        return await release(services, course.kind, raw, key)
    return await refuse_unreadable(services, key, course.kind, raw, error, _held_by)


def _held_by(refusal: Refusal) -> States:
    """The conditions of a resource whose deletion cannot go on for this reason."""
    return deletion_states(Plan(), [refusal.as_failure()])


async def _accept(course: Course[R], passing: Pass[R]) -> Session | Refusal:
    resource, services = passing.resource, passing.services
    session = await open_session(services, passing.key, resource.spec.identity_ref.name, course.ids(resource))
    if isinstance(session, Refusal) or not passing.manages:
        return session

    wanted = course.asks_for(resource)
    others = services.objects.askers(course.key_kind, wanted, managed_by(course))
    return refuse_conflict(passing.key, passing.raw, wanted, others) or session


def managed_by(course: Course[R]) -> Callable[[Raw], list[str]]:
    """How to read of an object what it asks for itself alone; one that writes nothing to Azure asks for nothing."""

    def asked_by(raw: Raw) -> list[str]:
        other = course.kind.model_validate(raw)
        return course.asks_for(other) if other.spec.management_policy is ManagementPolicy.MANAGE else []

    return asked_by


async def _delete(course: Course[R], passing: Pass[R]) -> Outcome:
    services, raw, resource = passing.services, passing.raw, passing.resource
    status, spec = status_of(resource), resource.spec
    if FINALIZER not in resource.metadata.finalizers:
        return RELEASED
    if spec.suspend:
        services.rest(passing.key)
        return await hold(services, course.kind, raw, status, suspended_states(status))
    if spec.deletion_policy is DeletionPolicy.RETAIN or not passing.manages:
        return await release(services, course.kind, raw, passing.key)
    roots = course.removal_roots(resource)
    # The root of a claim may be a collection, whose id is no resource's: where it lies is told by the claim's own.
    claimed = {root_of(claim.id): claim.id for claim in status.claims}
    ids = [claimed.get(root, root) for root in roots]
    session = await open_session(services, passing.key, spec.identity_ref.name, ids)
    if isinstance(session, Refusal):
        services.rest(passing.key)
        return await hold(services, course.kind, raw, status, _held_by(session))
    run = passing.run(session, aside=course.aside)
    ordered = course.ordered_removal_roots(resource)
    result = await run.take_down(roots, lambda observed: course.plan_removal(passing, observed), ordered=ordered)
    await tell_changes(services, course.kind, raw, result.sent)
    await tell_remains(services, course.kind, raw, result.plan.remains)
    if result.nothing_left:
        return await release(services, course.kind, raw, passing.key)
    left = status.replace(claims=result.plan.claims)
    await publish(services, course.kind, raw, status, left, deletion_states(result.plan, result.failures))
    return Outcome(result.next_look(spec.interval), "deleting")
