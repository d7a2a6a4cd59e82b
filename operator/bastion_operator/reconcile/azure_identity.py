"""A pass of an AzureIdentity: can it be used, and may it go."""

from datetime import datetime

from pydantic import ValidationError

from bastion_operator.api.azure_identity import AzureIdentity, AzureIdentityStatus
from bastion_operator.api.conditions import ConditionType, Reason
from bastion_operator.api.meta import FINALIZER
from bastion_operator.arm.errors import AzureError, ErrorClass
from bastion_operator.arm.needed_actions import MANAGE, OBSERVE
from bastion_operator.kube.errors import ForbiddenError, NotFoundError
from bastion_operator.kube.resources import add_finalizer, get_object, remove_finalizer
from bastion_operator.planning.conditions import Refusal, State, States, false, true
from bastion_operator.planning.identity_access import identity_access
from bastion_operator.reconcile.attempts import failure_of
from bastion_operator.reconcile.broken_off import refuse_unreadable
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.object_store import Raw
from bastion_operator.reconcile.outcome import RELEASED, Outcome
from bastion_operator.reconcile.publication import publish
from bastion_operator.reconcile.release import forget_gone
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import IdentityProblemError, Session, utc

_RECHECK = 300.0
_RECHECK_BROKEN = 60.0


async def azure_identity_pass(services: Services, key: Key) -> Outcome:
    """Try the identity and say so; hold its deletion while something uses it.

    :raises KubeError: the API server does not answer
    """
    try:
        raw = await get_object(services.kube, AzureIdentity, None, key.name)
    except NotFoundError:
        await services.sessions.forget(key.name)
        services.fleet.forget(key.name)
        _wake_users(services, key.name)
        return forget_gone(services, key)
    try:
        identity = AzureIdentity.model_validate(raw)
    except ValidationError as error:
        if raw["metadata"].get("deletionTimestamp") and not services.objects.using_identity(key.name):
            return await _let_go(services, key, raw)
        return await refuse_unreadable(services, key, AzureIdentity, raw, error, _refused_states)
    status = identity.status or AzureIdentityStatus()
    if identity.metadata.deleting:
        return await _delete(services, key, raw, status)
    try:
        raw = await add_finalizer(services.kube, AzureIdentity, raw)
    except ForbiddenError as error:
        lacking = _states(false(Reason.KUBERNETES_FORBIDDEN, str(error)), None)
        await publish(services, AzureIdentity, raw, status, status, lacking)
        raise
    state = await _try(services, key.name)
    access = await _access(services, key.name, status) if state.true else None
    await publish(services, AzureIdentity, raw, status, status, _states(state, access))
    old = status.condition(ConditionType.READY)
    if old is None or old.status != state.status or status.observed_generation != identity.metadata.generation:
        _wake_users(services, key.name)
    return Outcome(_RECHECK if state.true else _RECHECK_BROKEN)


async def _try(services: Services, name: str) -> State:
    try:
        session = await services.sessions.session(name, fresh=True)
        if (outside := _out_of_time(session, services.clock.now())) is not None:
            return outside
        await session.client.authenticate()
    except IdentityProblemError as error:
        return false(error.reason, error.message)
    except AzureError as error:
        reason = (
            Reason.AUTHENTICATION_FAILED if error.error_class is ErrorClass.CREDENTIAL else Reason.AZURE_UNREACHABLE
        )
        return false(reason, failure_of(error, "").text)
    until = f"; its certificate is valid until {utc(session.certificate.ends)}" if session.certificate else ""
    return true(Reason.SUCCEEDED, f"Entra issues tokens for this identity{until}")


def _out_of_time(session: Session, now: datetime) -> State | None:
    """What is wrong with the time of its certificate. A token that was had before may hide it from all others for a day."""
    valid = session.certificate
    if valid is None or valid.begins <= now < valid.ends:
        return None
    where = session.client.holder.secret
    if now >= valid.ends:
        text = f"the certificate has ended at {utc(valid.ends)}: add a new one to the app and put it, with its key, into {where}"
        return false(Reason.CERTIFICATE_EXPIRED, text)
    text = (
        f"the certificate is valid from {utc(valid.begins)} on: check the clock of the operator's machine, or {where}"
    )
    return false(Reason.CERTIFICATE_NOT_YET_VALID, text)


async def _access(services: Services, name: str, status: AzureIdentityStatus) -> State | None:
    """What the identity may do where it is used; of one that nothing uses yet, nothing is asked."""
    if services.fleet.age(name) is None:
        before = status.condition(ConditionType.ACCESS_GRANTED)
        return None if before is None else State(before.status, before.reason, before.message)
    session = await services.sessions.session(name)
    scopes = [f"/subscriptions/{each}" for each in session.subscriptions]
    lacking = await services.identity_rights.lacking(session.client, scopes)
    if services.objects.managed_by_identity(name):
        return identity_access(session.subscriptions, (*OBSERVE, *MANAGE), lacking, "deploy/azure/role.json")
    return identity_access(session.subscriptions, OBSERVE, lacking, "deploy/azure/role-observe.json")


def _states(state: State, access: State | None) -> States:
    if state.true:
        told = {} if access is None else {ConditionType.ACCESS_GRANTED: access}
        return {ConditionType.READY: state, **told}
    return {ConditionType.READY: state, ConditionType.STALLED: true(state.reason, state.message)}


def _refused_states(refusal: Refusal) -> States:
    return _states(false(refusal.reason, refusal.message), None)


async def _delete(services: Services, key: Key, raw: Raw, status: AzureIdentityStatus) -> Outcome:
    users = services.objects.using_identity(key.name)
    if users and FINALIZER in raw["metadata"].get("finalizers", []):
        named = ", ".join(f"{user.kind} {user.namespace}/{user.name}" for user in users[:5])
        more = f" and {len(users) - 5} more" if len(users) > 5 else ""  # noqa: PLR2004 - as many as are named
        message = f"still used by {named}{more}: delete these first, or let them name another identity"
        await publish(
            services, AzureIdentity, raw, status, status, {ConditionType.READY: false(Reason.IN_USE, message)}
        )
        return Outcome(_RECHECK_BROKEN, "held")
    return await _let_go(services, key, raw)


async def _let_go(services: Services, key: Key, raw: Raw) -> Outcome:
    await services.sessions.forget(key.name)
    await remove_finalizer(services.kube, AzureIdentity, raw)
    services.forget(key)
    return RELEASED


def _wake_users(services: Services, identity: str) -> None:
    for key in services.objects.using_identity(identity):
        services.queue.add(key)
