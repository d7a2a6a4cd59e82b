"""The end of a deletion: letting the object go, or saying why it is held."""

from collections.abc import Mapping
from typing import Any

from bastion_operator.api.bastion_host import BastionHost
from bastion_operator.api.common import CommonStatus
from bastion_operator.api.meta import CustomResource
from bastion_operator.kube.resources import remove_finalizer
from bastion_operator.planning.conditions import States
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.outcome import SLOW_RECHECK, Outcome
from bastion_operator.reconcile.publication import publish
from bastion_operator.reconcile.services import Services


async def release(services: Services, kind: type[CustomResource], raw: Mapping[str, Any], key: Key) -> Outcome:
    """Nothing of the operator's is left in Azure, or it is to stay: the finalizer goes.

    A BastionHost's reports go before it, because not every cluster collects garbage by owner.
    """
    if kind is BastionHost:
        await services.reports.delete_all(raw)
    await remove_finalizer(services.kube, kind, raw)
    services.attempts.forget(key)
    services.statuses.forget(raw["metadata"]["uid"])
    return Outcome(None, "released")


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
