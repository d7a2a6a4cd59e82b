"""The end of an object: letting it go, saying why it is held, and forgetting it."""

from collections.abc import Mapping
from typing import Any

from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.common import CommonStatus
from bastion_operator.api.meta import CustomResource
from bastion_operator.kube.resources import remove_finalizer
from bastion_operator.planning.conditions import States
from bastion_operator.reconcile.keys import Key, Kind
from bastion_operator.reconcile.object_store import identity_of
from bastion_operator.reconcile.outcome import GONE, RELEASED, SLOW_RECHECK, Outcome
from bastion_operator.reconcile.publication import publish
from bastion_operator.reconcile.services import Services


def forget_gone(services: Services, key: Key) -> Outcome:
    """The object is not there any more. A watch that was broken off may never tell, so whoever finds out does."""
    raw = services.objects.get(key)
    services.objects.seen(key, None)
    services.forget(key)
    if raw is not None:
        wake_dependents(services, key, raw)
    return GONE


def wake_dependents(services: Services, key: Key, raw: Mapping[str, Any]) -> None:
    """What is gone may have been in another's way, or have held its identity."""
    if key.kind is Kind.AZURE_IDENTITY:
        return
    for other, _ in services.objects.of_kind(key.kind):
        services.queue.add_after(other, 1.0)
    services.queue.add(Key(Kind.AZURE_IDENTITY, "", identity_of(raw)))


async def release(services: Services, kind: type[CustomResource], raw: Mapping[str, Any], key: Key) -> Outcome:
    """Nothing of the operator's is left in Azure, or it is to stay: the finalizer goes.

    A BastionHost's reports go before it, because not every cluster collects garbage by owner.
    """
    if kind is BastionHost:
        await services.reports.delete_all(raw)
    await remove_finalizer(services.kube, kind, raw)
    services.forget(key)
    return RELEASED


async def hold(
    services: Services,
    kind: type[CustomResource],
    raw: Mapping[str, Any],
    status: CommonStatus,
    states: States,
) -> Outcome:
    """The object stays, and its conditions say what it waits for and what the way out is."""
    await publish(services, kind, raw, status, status, states)
    return Outcome(SLOW_RECHECK, "held")
