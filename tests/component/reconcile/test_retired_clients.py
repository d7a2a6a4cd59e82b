"""Clients that others have replaced are closed when nothing can be using them any more, each once."""

import asyncio

from bastion_operator.reconcile.sessions import Sessions
from dev.control_plane import ControlPlane
from tests.support.azure import AzureFactory
from tests.support.clock import ManualClock
from tests.support.estates import SUBSCRIPTION, vnet, vnet_id
from tests.support.operator_in_process import make_identity, passes_at_work

THREE_HOURS = 3 * 3600.0


async def test_identities_that_go_at_one_time_close_what_was_retired_together(
    control_plane: ControlPlane, crds_served: None, azure_factory: AzureFactory, namespace: str
) -> None:
    del crds_served
    azure = azure_factory([vnet("hub", "10.0.0.0/16")], throttling=False, graph_lag=0)
    async with passes_at_work(control_plane, azure, namespace, speed=50.0) as passes:
        at_work, clock = passes.services.sessions, ManualClock()
        sessions = Sessions(at_work.kube, at_work.azure, namespace, clock)
        names = [f"{namespace}-{each}" for each in range(3)]
        for name in names:
            await make_identity(passes, name, [SUBSCRIPTION])
            client = (await sessions.session(name)).client
            # Opened, so that closing it takes a turn of the event loop.
            await client.get(vnet_id("hub"))
            await sessions.forget(name)
        clock.advance(THREE_HOURS)
        await asyncio.gather(*(sessions.forget(name) for name in names))
        await sessions.close()
