"""Two operators on one API server and one Azure, of which one is to write; leaders are stopped, continued and killed."""

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from dev.forked import ForkedChild
from dev.operator_process import OperatorProcess
from tests.support.lab import OPERATOR_NAMESPACE, Lab, Manifest

LEASE_LOST = 3
DURATION = 3
# As short as a Lease allows, with room for a machine that is busy with other tests.
ELECTION = (
    f"--leader-elect-lease-duration={DURATION}s",
    "--leader-elect-renew-deadline=2500ms",
    "--leader-elect-retry-period=200ms",
)


@dataclass
class Leaders:
    """The operators that stand for the Lease of the base, in the order in which they began."""

    lab: Lab
    processes: list[OperatorProcess] = field(default_factory=list)

    def start(self) -> OperatorProcess:
        """One more operator, which is ready when this comes back, leading or not."""
        folder = self.lab.folder / f"operator-{len(self.processes)}"
        folder.mkdir()
        operator = OperatorProcess(
            self.lab.control_plane,
            self.lab.azure,
            folder,
            kubeconfig=self.lab.kubeconfig,
            operator_namespace=OPERATOR_NAMESPACE,
            speed=self.lab.operator_speed,
            namespaces=[self.lab.namespace],
            options=ELECTION,
        )
        self.processes.append(operator)
        operator.start()
        return operator

    def lease(self) -> Manifest:
        """The spec of the Lease."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases/bastion-operator"
        spec: Manifest = self.lab.api.get(path)["spec"]
        return spec

    def holder(self) -> str:
        """Who holds the Lease; empty where it was released."""
        return str(self.lease()["holderIdentity"])

    def wait_passed_on(self, before: str) -> None:
        """Until another one holds the Lease than before."""
        self.lab.wait_for(lambda: self.holder() not in {"", before}, "another one holds the Lease")

    def end(self) -> None:
        """End whatever still runs, stopped or not."""
        for operator in self.processes:
            operator.kill()


def process_of(operator: OperatorProcess) -> psutil.Process:
    """The operator's own process: what was executed has a launcher, whose only child it is."""
    assert operator.child is not None
    started = psutil.Process(operator.child.pid)
    return started if isinstance(operator.child, ForkedChild) else started.children()[0]


def stop(operator: OperatorProcess) -> None:
    """Stop it in the middle of whatever it does (SIGSTOP), and see that it stands."""
    process = process_of(operator)
    os.kill(process.pid, signal.SIGSTOP)
    while process.status() != psutil.STATUS_STOPPED:
        time.sleep(0.001)


def go_on(operator: OperatorProcess) -> None:
    """Let it go on where it stood."""
    with suppress(ProcessLookupError):
        os.kill(process_of(operator).pid, signal.SIGCONT)


def wait_at_random(rng: random.Random, lab: Lab) -> None:
    """To some moment of the work that has just been asked for: after a random number of its writes, and a bit."""
    since, wanted = len(lab.writes()), rng.randrange(5)
    deadline = time.monotonic() + 3
    while len(lab.writes()) - since < wanted and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.05))
