"""How long the liveness probe of the operator waits while it reads, judges and reports on 50,000 VMs.

The whole product: the real API server, the local Azure with the estate, and the operator under its shipped rights with one
BastionHost that asks about every VM by RDP and SSH. The first pass reads and reports all; the second is asked for when the
first is done, reads all again and finds nothing new.
"""

import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.estate import NETWORKS_A_SUBSCRIPTION, Shape, bastion_id, network_id, rows, subscription
from benchmarks.installed import NAMESPACE, REQUESTED_AT, apply, installed, read
from benchmarks.measure import Figure
from benchmarks.probes import LIMIT, slowest_and_rare, waits_until
from dev.control_plane import ControlPlane
from dev.local_azure import LocalAzure
from dev.operator_process import OperatorProcess

NAME: Final = "operator"
MACHINES: Final = 50_000
SPEED: Final = 20
PASS_SECONDS: Final = 600
POLLED_EVERY: Final = 0.5


def run() -> Iterator[Figure]:
    """Wall times; what the API server and the local Azure take of the machine's processors is in them."""
    with tempfile.TemporaryDirectory() as name, ControlPlane() as control_plane:
        folder = Path(name)
        azure, operator = _installed(folder, control_plane)
        try:
            operator.start()
            for told, ask in (("first", _apply_host), ("second", _ask_again)):
                ask(control_plane)
                waits = _while_passing(operator, control_plane, told)
                slowest, rare = slowest_and_rare(waits)
                what = f"/healthz while the operator's {told} pass is on {MACHINES} VMs"
                yield Figure(NAME, f"{what}: slowest", slowest * 1000, "ms", at_most=LIMIT)
                yield Figure(NAME, "the same: one in a hundred waits longer than", rare * 1000, "ms")
                yield Figure(NAME, "the same: probes answered", len(waits), "probes")
            yield Figure(NAME, "memory of the operator after it", _megabytes(operator), "MB")
        finally:
            operator.stop()
            azure.kill()


def _installed(folder: Path, control_plane: ControlPlane) -> tuple[LocalAzure, OperatorProcess]:
    """The local Azure with the estate, and an operator that may see all of it."""
    shape = Shape.of(MACHINES)
    subscriptions = [subscription(each) for each in range(0, shape.networks, NETWORKS_A_SUBSCRIPTION)]
    return installed(folder, control_plane, rows(shape), subscriptions, azure_speed=SPEED, operator_speed=1)


def _apply_host(control_plane: ControlPlane) -> None:
    spec = {
        "virtualNetworkID": network_id(0),
        "azureName": bastion_id(0).rpartition("/")[2],
        "managementPolicy": "Observe",
        "targets": {"scope": "All", "protocols": ["RDP", "SSH"]},
    }
    apply(control_plane, "azurebastion.dev/v1beta1", "BastionHost", {"name": "hub", "namespace": NAMESPACE}, spec=spec)


def _ask_again(control_plane: ControlPlane) -> None:
    control_plane.kubectl("annotate", "bastionhost", "hub", "-n", NAMESPACE, f"{REQUESTED_AT}=second")


def _while_passing(operator: OperatorProcess, control_plane: ControlPlane, told: str) -> list[float]:
    """What the probes waited until the status says that the pass is done."""
    ended = threading.Event()
    done = _reported if told == "first" else _handled
    port = int(operator.probe_url.rpartition(":")[2])
    deadline = time.monotonic() + PASS_SECONDS
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(lambda: list(waits_until(ended, port)))
        try:
            while not done(status := _status(control_plane)):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the {told} pass did not end: {status}")
                time.sleep(POLLED_EVERY)
        finally:
            ended.set()
        return waits.result()


def _status(control_plane: ControlPlane) -> dict[str, Any]:
    status: dict[str, Any] = read(control_plane, "bastionhost", "hub").get("status") or {}
    return status


def _reported(status: dict[str, Any]) -> bool:
    return (status.get("counts") or {}).get("total") == MACHINES


def _handled(status: dict[str, Any]) -> bool:
    return status.get("lastHandledReconcileAt") == "second"


def _megabytes(operator: OperatorProcess) -> float:
    """What the operator's process holds: it was started by a launcher, whose only child it is."""
    assert operator.child is not None
    (process,) = psutil.Process(operator.child.pid).children()
    return float(process.memory_info().rss) / 1024 / 1024
