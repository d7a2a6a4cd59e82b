"""`bastion-operator run`: the services, kopf's watches and the probes, until somebody asks to stop."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import kopf
from aiohttp import web

from bastion_operator.clock import Clock
from bastion_operator.handlers.probes import metrics_app, probe_app
from bastion_operator.handlers.watches import make_registry, make_settings
from bastion_operator.reconcile.first_look import look_around
from bastion_operator.reconcile.program import (
    ProgramSettings,
    Work,
    installation_of,
    running,
    services_at_work,
    standing_for_election,
)
from bastion_operator.reconcile.services import Services

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. An empty host is every interface."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What `bastion-operator run` is told beside the program's own settings."""

    program: ProgramSettings
    metrics: Address | None
    probes: Address | None


async def run_operator(settings: RunSettings, clock: Clock, stop: asyncio.Event, listen: Callable[[], None]) -> None:
    """Run until ``stop`` is set, until the watches end by themselves, or until the Lease is lost.

    :param listen: makes SIGTERM and SIGINT set ``stop``; called once kopf has put its own handlers in place, which end
        the watches first and then wait for everything that still runs

    :raises KubeError: the configuration cannot be used
    :raises LeaseLostError: another process writes from now on
    """
    end_watches = asyncio.Event()
    async with AsyncExitStack() as stack:
        stopped = asyncio.create_task(stop.wait(), name="stop")
        stack.callback(stopped.cancel)
        installation = await _unless_stopped(installation_of(settings.program, clock), stopped)
        if installation is None:
            return
        program = replace(settings.program, installation_id=installation)
        services = await stack.enter_async_context(running(program, clock))
        watching = asyncio.Event()
        first_look = asyncio.create_task(look_around(services, settings.program.namespaces), name="first look")
        watches = asyncio.create_task(_watch(services, settings, first_look, watching, end_watches), name="watches")
        stack.push_async_callback(_end, watches, end_watches)
        # kopf waits at its end for every task that began after it: ours are ended before it is.
        async with (
            standing_for_election(services, settings.program) as election,
            services_at_work(services, settings.program, first_look) as work,
            _listening(settings, services, _Readiness(watches, watching, first_look, work)),
        ):
            up = asyncio.create_task(watching.wait(), name="watching")
            await asyncio.wait({watches, up, stopped, election}, return_when=asyncio.FIRST_COMPLETED)
            listen()
            await asyncio.wait({watches, stopped, election}, return_when=asyncio.FIRST_COMPLETED)
            for task in (up, first_look):
                task.cancel()
            if election.done():
                election.result()


@dataclass(frozen=True, slots=True)
class _Readiness:
    """What the probes ask about."""

    watches: "asyncio.Task[None]"
    watching: asyncio.Event
    first_look: "asyncio.Task[None]"
    work: Work

    def healthy(self) -> str | None:
        """Red only where a restart would help."""
        return "the watches have ended" if self.watches.done() else self.work.trouble()

    def ready(self) -> str | None:
        """Red until every custom resource was seen once and is watched."""
        if not self.watching.is_set():
            return "the watches are not up yet"
        return None if self.first_look.done() else "the custom resources were not listed yet"


async def _end(watches: "asyncio.Task[None]", end_watches: asyncio.Event) -> None:
    end_watches.set()
    await watches


async def _unless_stopped(work: Coroutine[None, None, str], stopped: "asyncio.Task[bool]") -> str | None:
    """What the work answers; None if somebody asks to stop before it does."""
    task = asyncio.create_task(work)
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return task.result()
    task.cancel()
    return None


async def _watch(
    services: Services,
    settings: RunSettings,
    first_look: "asyncio.Task[None]",
    watching: asyncio.Event,
    end_watches: asyncio.Event,
) -> None:
    # kopf asks once which kinds there are, and never watches one whose CRD comes later.
    await asyncio.wait({first_look})
    if end_watches.is_set():
        return
    await kopf.operator(
        registry=make_registry(services),
        settings=make_settings(services.clock),
        clusterwide=not settings.program.namespaces,
        namespaces=list(settings.program.namespaces),
        standalone=True,
        # kopf would make one up from the user's name, which a container need not have.
        identity=cast("Any", "bastion-operator"),  # the type for it is not public
        ready_flag=watching,
        stop_flag=end_watches,
    )


@asynccontextmanager
async def _listening(settings: RunSettings, services: Services, readiness: _Readiness) -> AsyncIterator[None]:
    runners = []
    try:
        for address, app in (
            (settings.probes, probe_app(readiness.healthy, readiness.ready)),
            (settings.metrics, metrics_app(services.metrics)),
        ):
            if address is None:
                continue
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, address.host or None, address.port).start()
        yield
    finally:
        for runner in runners:
            await runner.cleanup()
