"""What every pass works with. Made once, in ``program.py``; nothing here is global."""

from dataclasses import dataclass, field

from bastion_operator.clock import Clock
from bastion_operator.kube.client import KubeClient
from bastion_operator.kube.events import EventRecorder
from bastion_operator.kube.reports import ReportPublisher
from bastion_operator.kube.status import StatusPublisher
from bastion_operator.leadership import Leadership
from bastion_operator.reconcile.attempts import Attempts
from bastion_operator.reconcile.fleet import FleetSnapshot
from bastion_operator.reconcile.in_flight import InFlight
from bastion_operator.reconcile.kept_target_rules import KeptTargetRules
from bastion_operator.reconcile.kept_verdicts import KeptVerdicts
from bastion_operator.reconcile.keys import Key
from bastion_operator.reconcile.metrics import Metrics
from bastion_operator.reconcile.object_store import ObjectStore
from bastion_operator.reconcile.operation_watch import OperationWatch
from bastion_operator.reconcile.own_rights import OwnRights
from bastion_operator.reconcile.planned_changes import PlannedChanges
from bastion_operator.reconcile.read_ahead import ReadAhead
from bastion_operator.reconcile.sessions import Sessions
from bastion_operator.reconcile.standings import Standings
from bastion_operator.reconcile.work_queue import WorkQueue
from bastion_operator.reconcile.write_budget import WriteBudget
from bastion_operator.traces import NoTraces, Traces


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that passes share."""

    clock: Clock
    installation_id: str
    kube: KubeClient
    statuses: StatusPublisher
    events: EventRecorder
    reports: ReportPublisher
    sessions: Sessions
    fleet: FleetSnapshot
    standings: Standings
    in_flight: InFlight
    attempts: Attempts
    operations: OperationWatch
    writes: WriteBudget
    objects: ObjectStore
    queue: WorkQueue
    metrics: Metrics
    rights: OwnRights
    identity_rights: OwnRights
    leadership: Leadership
    traces: Traces = field(default_factory=NoTraces)
    planned: PlannedChanges = field(default_factory=PlannedChanges)
    read_ahead: ReadAhead = field(default_factory=ReadAhead)
    verdicts: KeptVerdicts = field(default_factory=KeptVerdicts)
    target_rules: KeptTargetRules = field(default_factory=KeptTargetRules)

    def rest(self, key: Key) -> None:
        """The custom resource is not acted on for now. Its turns go to others, and what was worked out on its targets goes:
        that would keep a whole inventory in memory which has long been replaced.
        """
        self.writes.release(key)
        self.verdicts.forget(key)
        self.target_rules.forget(key)

    def forget(self, key: Key) -> None:
        """Drop all that is kept in memory of a custom resource which is gone or was let go; whatever keeps something by
        key belongs here, or it grows with every resource that comes and goes.

        What the watches have shown of it is theirs: it may wait for the finalizers of others.
        """
        self.attempts.forget(key)
        self.operations.forget(key)
        self.planned.forget(key)
        self.read_ahead.forget(key)
        self.writes.forget(key)
        self.standings.forget(key)
        self.verdicts.forget(key)
        self.target_rules.forget(key)
        self.statuses.forget(key.kind, key.namespace, key.name)
