"""The operator as a process of its own, under its own service account."""

import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from dev.control_plane import ControlPlane, StartError
from dev.control_plane.child import Child
from dev.control_plane.server import free_ports
from dev.local_azure import LocalAzure
from dev.programs import start_program
from dev.wall_clock import WallClock

# One that was killed has a successor at once: nobody waits for the end of its lease.
ALONE = ("--no-leader-elect",)
_READY_SECONDS = 60.0


class OperatorProcess:
    """`bastion-operator run`, started and ended at will. Its log goes on over restarts."""

    def __init__(
        self,
        control_plane: ControlPlane,
        azure: LocalAzure,
        folder: Path,
        *,
        kubeconfig: Path,
        operator_namespace: str,
        speed: float,
        namespaces: Sequence[str] = (),
        options: Sequence[str] = ALONE,
    ) -> None:
        """Nothing runs before `start`. ``speed`` is that of the operator's own clock; ``namespaces`` empty: all;
        ``options`` are more of the command line's, and may be others at each start.
        """
        self._environment = control_plane.environment(kubeconfig) | azure.environment()
        self._namespace = operator_namespace
        self._speed = speed
        self._namespaces = namespaces
        self.options = options
        self.wall_clock: WallClock | None = None
        """What it goes by from its next start on, in place of the machine's."""
        self.log = folder / "bastion-operator.log"
        self.child: Child | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start it; with ``wait``, until it is ready. Raises StartError with what it said if it ends instead."""
        metrics, probes = free_ports(2)
        arguments = ["run", "--operator-namespace", self._namespace]
        arguments += ["--clock-speed", f"{self._speed:g}", *self.options]
        arguments += [f"--metrics-bind-address=127.0.0.1:{metrics}", f"--health-probe-bind-address=127.0.0.1:{probes}"]
        arguments += [f"--namespace={namespace}" for namespace in self._namespaces]
        self.metrics_url = f"http://127.0.0.1:{metrics}/metrics"
        self.probe_url = f"http://127.0.0.1:{probes}"
        clock = {} if self.wall_clock is None else self.wall_clock.environment()
        self.child = start_program("bastion-operator", arguments, log=self.log, environment=self._environment | clock)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Raises StartError with what it said if it ends instead, or is not ready in time."""
        child = self.child
        assert child is not None, "it was not started"
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and child.running:
            try:
                with urllib.request.urlopen(f"{self.probe_url}/readyz", timeout=2):  # noqa: S310 - loopback
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.03)
        raise StartError(f"the operator did not become ready:\n{child.tail()}")

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        return self.child.terminate() if self.child is not None else 0

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self.child is not None:
            self.child.kill()
