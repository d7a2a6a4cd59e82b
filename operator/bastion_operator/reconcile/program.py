"""The operator's parts, put together and run."""

import asyncio
import logging
import os
import random
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.connection import REQUEST_TIMEOUT, ArmConnection
from bastion_operator.arm.needed_actions import MANAGE, OBSERVE
from bastion_operator.arm.operations import OperationFollower
from bastion_operator.arm.schedule import Schedule
from bastion_operator.clock import Clock, SystemClock
from bastion_operator.kube.client import ClusterConfig, KubeClient
from bastion_operator.kube.cluster import cluster_uid
from bastion_operator.kube.errors import UnavailableError
from bastion_operator.kube.events import EventRecorder
from bastion_operator.kube.lease import LeaderElection, LeaseSettings
from bastion_operator.kube.reports import ReportPublisher
from bastion_operator.kube.status import StatusPublisher
from bastion_operator.leadership import Leadership
from bastion_operator.planning.peering_rights import PEER, WRITE
from bastion_operator.reconcile.attempts import Attempts
from bastion_operator.reconcile.backoff import Backoff
from bastion_operator.reconcile.first_look import look_around
from bastion_operator.reconcile.fleet import FleetSnapshot
from bastion_operator.reconcile.in_flight import InFlight
from bastion_operator.reconcile.keys import Kind
from bastion_operator.reconcile.metrics import Metrics
from bastion_operator.reconcile.object_store import ObjectStore
from bastion_operator.reconcile.operation_watch import OperationWatch
from bastion_operator.reconcile.own_rights import OwnRights
from bastion_operator.reconcile.services import Services
from bastion_operator.reconcile.sessions import Sessions
from bastion_operator.reconcile.standings import Standings
from bastion_operator.reconcile.work_queue import WorkQueue
from bastion_operator.reconcile.worker import PASSES, Pass, Worker
from bastion_operator.reconcile.write_budget import WriteBudget
from bastion_operator.traces import traces_to

_log = logging.getLogger(__name__)

# The first passes are spread over so many seconds of the clock: neither a start nor a change of leader is a storm.
FIRST_PASS_SPREAD = 5.0
_ASK_AGAIN = 2.0
# Real seconds. Every request has a time limit, so that no pass of a healthy process comes near.
_LONGEST_PASS = 1800.0


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """What the operator is started with.

    :ivar secret_namespace: the operator's own namespace, the only one whose Secrets it reads
    :ivar installation_id: marks what this operator makes in Azure; None: the UID of kube-system
    :ivar workers: passes that run at once
    :ivar namespaces: where custom resources are cared for; empty: everywhere
    :ivar lease: what the operators of one installation agree by on who writes; None: this one is alone
    :ivar traces_endpoint: the collector that is sent OpenTelemetry traces; None: there are none
    :ivar request_timeout: real seconds to wait for a connection to Azure, and for each part of an answer
    """

    cloud: Cloud
    cluster: ClusterConfig
    secret_namespace: str
    installation_id: str | None = None
    workers: int = 8
    namespaces: Sequence[str] = ()
    lease: LeaseSettings | None = None
    traces_endpoint: str | None = None
    request_timeout: float = REQUEST_TIMEOUT


async def installation_of(settings: ProgramSettings, clock: Clock) -> str:
    """The mark of this installation, once the API server can be asked for it; an outage at the start is waited for.

    :raises KubeError: the configuration cannot be read, or the API server refuses
    """
    if settings.installation_id:
        return settings.installation_id
    told = ""
    async with await KubeClient.connect(settings.cluster, clock) as kube:
        while True:
            try:
                return await cluster_uid(kube)
            except UnavailableError as error:
                if str(error) != told:
                    _log.warning("waiting for the API server: %s", error)
                    told = str(error)
            await clock.sleep(_ASK_AGAIN)


@asynccontextmanager
async def running(settings: ProgramSettings, clock: Clock) -> AsyncIterator[Services]:
    """The services, with a first look at the API server; everything is closed at the end.

    :raises KubeError: the API server does not answer, or the configuration cannot be read
    """
    metrics = Metrics()
    instance = os.environ.get("POD_NAME") or socket.gethostname()
    traces = traces_to(settings.traces_endpoint, instance=instance, ca_file=settings.cloud.ca_file)
    rng = random.Random()  # noqa: S311 - jitter, no secret
    leadership = Leadership.undisputed() if settings.lease is None else Leadership()
    async with await KubeClient.connect(settings.cluster, clock, leadership) as kube:
        follower, queue = OperationFollower(clock), WorkQueue(clock)
        azure = ArmConnection(
            settings.cloud,
            clock,
            metrics.azure_call,
            settings.request_timeout,
            leadership=leadership,
            traces=traces if settings.traces_endpoint else None,
        )
        metrics.show_leader(leadership.holds)
        schedule = Schedule(azure.budgets, clock, queue.add)
        metrics.show_budgets(azure.budgets, schedule)
        services = Services(
            clock=clock,
            installation_id=await installation_of(settings, clock),
            kube=kube,
            statuses=StatusPublisher(kube),
            events=EventRecorder(kube, clock, instance=instance),
            reports=ReportPublisher(kube),
            sessions=Sessions(kube, azure, settings.secret_namespace, clock),
            fleet=FleetSnapshot(clock),
            standings=Standings(),
            in_flight=InFlight(follower, queue.add),
            attempts=Attempts(clock, rng),
            operations=OperationWatch(clock),
            writes=WriteBudget(schedule, clock),
            objects=ObjectStore(),
            queue=queue,
            metrics=metrics,
            rights=OwnRights(clock, (WRITE, PEER)),
            identity_rights=OwnRights(clock, (*OBSERVE, *MANAGE)),
            leadership=leadership,
            traces=traces,
        )
        metrics.show_resources(services.objects, services.fleet.ages)
        try:
            yield services
        finally:
            await services.sessions.close()
            await azure.close()
            # In a thread: a collector that does not answer is waited for.
            await asyncio.to_thread(traces.close)


@dataclass(frozen=True, slots=True)
class Work:
    """The loops at work."""

    worker: Worker
    tasks: "list[asyncio.Task[None]]"

    def trouble(self) -> str | None:
        """One line where a loop has ended or a pass hangs, and only a restart would help; else None."""
        for task in self.tasks:
            if task.done():
                return f"the loop {task.get_name()} has ended"
        if self.worker.longest() > self.worker.services.clock.of_real(_LONGEST_PASS):
            return f"a pass has been running for {self.worker.longest():.0f} s"
        return None


@asynccontextmanager
async def services_at_work(
    services: Services,
    settings: ProgramSettings,
    first_look: "asyncio.Task[None]",
    passes: Mapping[Kind, Pass] = PASSES,
) -> AsyncIterator[Work]:
    """Workers that take keys from the queue, once the first look has shown every custom resource and the Lease is held; at
    the end their passes are abandoned and nothing is followed any more.

    A pass may be abandoned anywhere: the next one, of whichever process, observes again.

    :param passes: what a pass of each kind does
    """
    rng = random.Random()  # noqa: S311 - jitter, no secret
    worker = Worker(services, Backoff(rng), rng, passes)

    async def begin() -> None:
        await asyncio.wait({first_look})
        if not services.leadership.holds():
            await services.leadership.gained()
            # What was waited for may have been long: a watch that broke off meanwhile tells of no deletion.
            await look_around(services, settings.namespaces)
        services.queue.spread(FIRST_PASS_SPREAD, rng)

    begun = asyncio.create_task(begin(), name="begin")

    async def work() -> None:
        await asyncio.wait({begun})
        await worker.run()

    tasks = [asyncio.create_task(services.queue.run_timers(), name="timers")]
    tasks.append(asyncio.create_task(services.writes.schedule.run(), name="schedule"))
    tasks += [asyncio.create_task(work(), name=f"worker {number}") for number in range(settings.workers)]
    try:
        yield Work(worker, tasks)
    finally:
        for task in (begun, *tasks):
            task.cancel()
        await asyncio.gather(begun, *tasks, return_exceptions=True)
        await services.fleet.close()
        await services.in_flight.follower.close()


@asynccontextmanager
async def standing_for_election(services: Services, settings: ProgramSettings) -> AsyncIterator["asyncio.Task[None]"]:
    """Ask for the Lease and keep it; the task ends only with a LeaseLostError, and then the process must end too.

    At the end the Lease is released. Whatever writes must have ended before: enter this one first.
    """
    async with AsyncExitStack() as stack:
        if settings.lease is None:
            alone = asyncio.create_task(_for_ever(), name="no election")
            stack.callback(alone.cancel)
            yield alone
            return
        # Connections of its own, and the machine's clock: a renewal waits for nothing that passes do.
        kube = await stack.enter_async_context(await KubeClient.connect(settings.cluster, SystemClock()))
        candidate = LeaderElection(kube, settings.lease, services.leadership)
        election = asyncio.create_task(candidate.run(), name="election")
        try:
            yield election
        finally:
            election.cancel()
            await asyncio.gather(election, return_exceptions=True)
            await candidate.release()


async def _for_ever() -> None:
    await asyncio.Event().wait()
