"""`bastion-operator run`: the services, kopf's watches and the probes, until somebody asks to stop."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import kopf
from aiohttp import web

from bastion_operator.clock import Clock
from bastion_operator.handlers.probes import metrics_app, probe_app
from bastion_operator.handlers.watches import make_registry, make_settings
from bastion_operator.reconcile.program import ProgramSettings, running
from bastion_operator.reconcile.services import Services

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. An empty host is every interface."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What `bastion-operator run` is told beside the program's own settings. ``namespaces`` empty: all."""

    program: ProgramSettings
    namespaces: Sequence[str]
    metrics: Address | None
    probes: Address | None


async def run_operator(settings: RunSettings, clock: Clock, stop: asyncio.Event) -> None:
    """Run until ``stop`` is set.

    :raises KubeError: the API server cannot be reached at the start
    """
    async with running(settings.program, clock) as services:
        watching = asyncio.Event()
        watches = asyncio.create_task(_watch(services, settings.namespaces, watching, stop), name="watches")
        async with _listening(settings, services, watches, watching):
            await watches


async def _watch(services: Services, namespaces: Sequence[str], watching: asyncio.Event, stop: asyncio.Event) -> None:
    rng = random.Random()  # noqa: S311 - jitter, no secret
    await kopf.operator(
        registry=make_registry(services, rng),
        settings=make_settings(),
        clusterwide=not namespaces,
        namespaces=list(namespaces),
        standalone=True,
        ready_flag=watching,
        stop_flag=stop,
    )


@asynccontextmanager
async def _listening(
    settings: RunSettings, services: Services, watches: "asyncio.Task[None]", watching: asyncio.Event
) -> AsyncIterator[None]:
    def healthy() -> str | None:
        return "the watches have ended" if watches.done() else None

    def ready() -> str | None:
        return None if watching.is_set() else "the watches are not up yet"

    runners = []
    try:
        for address, app in (
            (settings.probes, probe_app(healthy, ready)),
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
