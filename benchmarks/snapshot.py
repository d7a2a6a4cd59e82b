"""How many Azure calls a snapshot of a fleet takes, for one that asks and for a thousand, from the local Azure's log."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from bastion_operator.arm.client import ArmClient
from bastion_operator.arm.cloud import Cloud
from bastion_operator.arm.connection import ArmConnection
from bastion_operator.arm.credentials import ServicePrincipal
from bastion_operator.arm.errors import AzureError
from bastion_operator.clock import SystemClock
from bastion_operator.reconcile.fleet import FleetSnapshot
from benchmarks.estate import NETWORKS_A_SUBSCRIPTION, Row, Shape, rows, subscription
from benchmarks.further_rows import ASSIGNMENTS, HUBS, INSTANCES, further_rows
from benchmarks.measure import Figure
from dev.local_azure import LocalAzure

NAME: Final = "snapshot"
SHAPE: Final = Shape(machines=10_000, networks=2_000, interface_groups=1_000)
ASKING: Final = 1_000
SPEED: Final = 20
MAX_AGE: Final = 600.0
START_SECONDS: Final = 300.0
HEAVY: Final = ("microsoft.network/networksecuritygroups", "microsoft.resources/subscriptions")
SUBSCRIPTIONS: Final = tuple(subscription(number) for number in range(0, SHAPE.networks, NETWORKS_A_SUBSCRIPTION))


def run() -> Iterator[Figure]:
    """Refreshes of the operator's own snapshot; the token is no call to Azure Resource Manager."""
    what = f"{SHAPE.machines} VMs, {SHAPE.networks} VNets, {SHAPE.groups} NSGs, {len(SUBSCRIPTIONS)} subscriptions"
    with _azure(rows(SHAPE)) as azure:
        alone = _calls(azure, asking=1)
        many = _calls(azure, asking=ASKING)
    yield Figure(NAME, f"{what}: calls a snapshot", alone.total(), "calls", at_most=30)
    yield Figure(NAME, f"the same for {ASKING} that ask at once", many.total(), "calls", at_most=30)
    with _azure([*rows(SHAPE), *further_rows(SHAPE)]) as azure:
        further = _calls(azure, asking=1, access=True, machines=SHAPE.machines + INSTANCES)
    more = f"more for {ASSIGNMENTS} role assignments, AVNM on each VNet, {HUBS} virtual hubs, {INSTANCES} instances"
    yield Figure(NAME, more, further.total() - alone.total(), "calls", at_most=30)
    groups = [row for row in rows(SHAPE) if row["type"] in HEAVY]
    with _azure(groups) as azure:
        heavy = _calls(azure, asking=1, machines=0)
    refused = heavy["400"]
    if not refused:
        raise AssertionError(f"no page was too large: {heavy}")
    what = f"the {SHAPE.groups} NSGs alone, {refused} pages refused as too large and halved: calls"
    yield Figure(NAME, what, heavy.total(), "calls", at_most=30)


@contextmanager
def _azure(estate: Iterable[Row]) -> Iterator[LocalAzure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "estate.json"
        file.write_bytes(orjson.dumps(list(estate)))
        azure = LocalAzure(folder, estates=[file], speed=SPEED, control=False)
        azure.start(patience=START_SECONDS)
        try:
            yield azure
        finally:
            azure.stop()


def _calls(azure: LocalAzure, *, asking: int, access: bool = False, machines: int = SHAPE.machines) -> Counter[str]:
    """Requests to Azure Resource Manager by status, while so many want a snapshot, which is to hold these VMs."""
    before = len(azure.request_log())
    seen = asyncio.run(_snapshot(azure, asking, access=access))
    if seen != machines:
        raise AssertionError(f"the snapshot holds {seen} of {machines} VMs")
    return Counter(str(each["status"]) for each in azure.request_log()[before:] if _is_call(each))


def _is_call(request: dict[str, Any]) -> bool:
    return "api-version=" in str(request["url"]) and "/metadata/" not in str(request["url"])


async def _snapshot(azure: LocalAzure, asking: int, *, access: bool) -> int:
    """The number of VMs in the inventory."""
    client = azure.clients["operator"]
    cloud = Cloud(authority=azure.authority, resource_manager=azure.endpoint, ca_file=azure.ca_file)
    connection = ArmConnection(cloud, SystemClock(SPEED))
    arm = connection.client(ServicePrincipal(azure.tenant_id, client.client_id, client_secret=client.client_secret))
    fleet = FleetSnapshot(SystemClock())
    try:
        await asyncio.gather(*(_refresh(fleet, arm, access=access) for _ in range(asking)))
        inventory = await fleet.inventory("one")
        return 0 if inventory is None else len(inventory.virtual_machines)
    finally:
        await fleet.close()
        await arm.close()
        await connection.close()


async def _refresh(fleet: FleetSnapshot, arm: ArmClient, *, access: bool) -> None:
    """As a pass does: one that has waited long enough comes again later, and finds the same reading under way."""
    while True:
        try:
            await fleet.refresh("one", arm, SUBSCRIPTIONS, max_age=MAX_AGE, access=access)
        except AzureError as error:
            if error.code != "InventoryLate":
                raise
        else:
            return
