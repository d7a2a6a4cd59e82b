"""A pass that could not be made, or broke off for a reason nobody foresaw: the status says so, and why.

Without a word the conditions would pass for those of now.
"""

import logging
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from bastion_operator.api.azure_identity import AzureIdentity, AzureIdentityStatus
from bastion_operator.api.bastion_host import BastionHost, BastionHostStatus
from bastion_operator.api.conditions import Condition, ConditionType, Reason
from bastion_operator.api.meta import CustomResource
from bastion_operator.api.model import first_error
from bastion_operator.api.vnet_peering import VNetPeering, VNetPeeringStatus
from bastion_operator.kube.errors import InvalidError
from bastion_operator.kube.resources import get_object
from bastion_operator.planning.conditions import Refusal, States, unknown
from bastion_operator.reconcile.first_look import MODELS
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.outcome import SLOW_RECHECK, Outcome
from bastion_operator.reconcile.publication import (
    Raw,
    Status,
    kept_states,
    publish,
    publish_beside,
    publish_of_before,
    refused_states,
)
from bastion_operator.reconcile.services import Services

_STATUSES: Mapping[type[CustomResource], type[Status]] = {
    AzureIdentity: AzureIdentityStatus,
    BastionHost: BastionHostStatus,
    VNetPeering: VNetPeeringStatus,
}
_log = logging.getLogger(__name__)


async def refuse_unreadable(
    services: Services,
    key: Key,
    kind: type[CustomResource],
    raw: Raw,
    error: ValidationError,
    states: Callable[[Refusal], States] = refused_states,
) -> Outcome:
    """Say of an object what of it cannot be read: the CRD took it, which may be a newer one than the operator knows.

    :param states: how the kind's conditions tell a refusal
    :raises KubeError: the API server does not answer
    """
    what = (
        f"the operator cannot read {first_error(error)}; correct it, or let the operator have the version of its CRDs"
    )
    _log.warning("%s: %s", key, what)
    services.rest(key)
    told = states(Refusal(Reason.INVALID_SPEC, what))
    if (status := _status(key, kind, raw)) is not None:
        await publish(services, kind, raw, status, status, told)
    else:
        await _tell_beside(services, key, kind, raw, told)
    return Outcome(SLOW_RECHECK, "refused")


async def tell_broken_off(services: Services, key: Key, error: Exception) -> None:
    """Say of an object that its pass broke off; what else is told of it stays as it was, and is of before.

    :raises KubeError: the API server does not answer
    """
    kind = MODELS[key.kind]
    raw = await get_object(services.kube, kind, key.namespace or None, key.name)
    if (old := _status(key, kind, raw)) is None:
        return
    what = (
        f"the API server refuses what the operator writes ({error})"
        if isinstance(error, InvalidError)
        else f"the operator came upon something that it did not foresee ({type(error).__name__})"
    )
    message = f"{what}: this and the other conditions are of before; it tries again, and its log tells more"
    states = {**kept_states(old), ConditionType.READY: unknown(Reason.INTERNAL_ERROR, message)}
    await publish_of_before(services, kind, raw, old, states)


async def _tell_beside(services: Services, key: Key, kind: type[CustomResource], raw: Raw, states: States) -> None:
    """Say so beside what cannot be read, unless the CRD does not take that any more either."""
    old = _STATUSES[kind]().replace(conditions=_readable_conditions(raw))
    try:
        await publish_beside(services, kind, raw, old, states)
    except InvalidError as error:
        _log.info("%s: its status cannot tell so: %s", key, error)


def _readable_conditions(raw: Raw) -> tuple[Condition, ...]:
    found = []
    for each in (raw.get("status") or {}).get("conditions") or ():
        try:
            found.append(Condition.model_validate(each))
        except ValidationError:
            continue
    return tuple(found)


def _status(key: Key, kind: type[CustomResource], raw: Raw) -> Status | None:
    """The object's status; None, with a word in the log, where that cannot be read either."""
    try:
        found: Status = _STATUSES[kind].model_validate(raw.get("status") or {})
    except ValidationError as error:
        _log.warning("%s: its status cannot be read: %s", key, first_error(error))
        return None
    return found
