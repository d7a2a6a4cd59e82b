"""How many Azure calls a snapshot of a fleet takes, for one that asks and for a thousand, from the local Azure's log."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
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
from benchmarks.estate import NETWORKS_A_SUBSCRIPTION, Shape, rows, subscription
from benchmarks.measure import Figure
from dev.local_azure import LocalAzure

NAME: Final = "snapshot"
SHAPE: Final = Shape(machines=10_000, networks=2_000, interface_groups=1_000)
ASKING: Final = 1_000
SPEED: Final = 20
MAX_AGE: Final = 600.0
SUBSCRIPTIONS: Final = tuple(subscription(number) for number in range(0, SHAPE.networks, NETWORKS_A_SUBSCRIPTION))


def run() -> Iterator[Figure]:
    """Refreshes of the operator's own snapshot; the token is no call to Azure Resource Manager."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        estate = folder / "estate.json"
        estate.write_bytes(orjson.dumps(list(rows(SHAPE))))
        azure = LocalAzure(folder, estates=[estate], speed=SPEED, control=False)
        azure.start()
        try:
            what = (
                f"{SHAPE.machines} VMs, {SHAPE.networks} VNets, {SHAPE.groups} NSGs, {len(SUBSCRIPTIONS)} subscriptions"
            )
            alone = _calls(azure, asking=1)
            yield Figure(NAME, f"{what}: calls a snapshot", alone.total(), "calls")
            yield Figure(NAME, "of these refused as too large", alone["400"], "calls")
            yield Figure(NAME, f"the same for {ASKING} that ask at once", _calls(azure, asking=ASKING).total(), "calls")
        finally:
            azure.stop()


def _calls(azure: LocalAzure, *, asking: int) -> Counter[str]:
    """Requests to Azure Resource Manager by status, while so many want a snapshot."""
    before = len(azure.request_log())
    seen = asyncio.run(_snapshot(azure, asking))
    if seen != SHAPE.machines:
        raise AssertionError(f"the snapshot holds {seen} of {SHAPE.machines} VMs")
    return Counter(str(each["status"]) for each in azure.request_log()[before:] if _is_call(each))


def _is_call(request: dict[str, Any]) -> bool:
    return "api-version=" in str(request["url"]) and "/metadata/" not in str(request["url"])


async def _snapshot(azure: LocalAzure, asking: int) -> int:
    """The number of VMs in the inventory."""
    client = azure.clients["operator"]
    cloud = Cloud(authority=azure.authority, resource_manager=azure.endpoint, ca_file=azure.ca_file)
    connection = ArmConnection(cloud, SystemClock(SPEED))
    arm = connection.client(ServicePrincipal(azure.tenant_id, client.client_id, client_secret=client.client_secret))
    fleet = FleetSnapshot(SystemClock())
    try:
        await asyncio.gather(*(_refresh(fleet, arm) for _ in range(asking)))
        inventory = await fleet.inventory("one")
        return 0 if inventory is None else len(inventory.virtual_machines)
    finally:
        await fleet.close()
        await arm.close()
        await connection.close()


async def _refresh(fleet: FleetSnapshot, arm: ArmClient) -> None:
    """As a pass does: one that has waited long enough comes again later, and finds the same reading under way."""
    while True:
        try:
            return await fleet.refresh("one", arm, SUBSCRIPTIONS, max_age=MAX_AGE)
        except AzureError as error:
            if error.code != "InventoryLate":
                raise
