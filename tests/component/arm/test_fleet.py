"""The fleet's inventory: each shares with the one before all that has not changed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from bastion_operator.clock import SystemClock
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.resource_types import SECURITY_GROUPS
from bastion_operator.reconcile.fleet import FleetSnapshot
from bastion_operator.reconcile.gathered import gathered
from tests.component.arm.conftest import SUBSCRIPTION_ROW
from tests.support.arm_client import CallerFactory
from tests.support.azure import AzureFactory
from tests.support.estates import OTHER_SUBSCRIPTION, SUBSCRIPTION, nic, nsg, nsg_id, rule, subnet, vm, vm_id, vnet

GROUP = nsg_id("g").lower()


class SetForwardClock(SystemClock):
    """The real one, set forward at once where a test says so."""

    forward = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.forward


class InterruptedExecutor(ThreadPoolExecutor):
    """Something happens on the event loop between the comparing of rows and their being stored."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        if gathered in getattr(fn, "args", ()):
            future.exception()
            self._happens()
        return future


async def inventory_of(fleet: FleetSnapshot) -> Inventory:
    found = await fleet.inventory("one")
    assert found is not None
    return found


async def test_what_has_not_changed_is_the_very_same_after_another_reading(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    network = vnet("hub", "10.0.0.0/16", subnets=[subnet("work", "10.0.1.0/24", nsg="g")])
    azure = azure_factory(
        [SUBSCRIPTION_ROW, network, nsg("g"), nic("web-nic", "hub", "work", "10.0.1.4"), vm("web")], graph_lag=0
    )
    client = (await caller_factory(azure)).client
    fleet = FleetSnapshot(SystemClock())
    await fleet.refresh("one", client, [SUBSCRIPTION], 0)
    first = await inventory_of(fleet)
    web = first.virtual_machine(vm_id("web"))
    assert web is not None

    body: dict[str, Any] = await client.get(nsg_id("g")) or {}
    body["properties"]["securityRules"] = [rule("no", 100, "Deny")]
    await client.put(nsg_id("g"), body)
    await fleet.refresh("one", client, [SUBSCRIPTION], 0)
    second = await inventory_of(fleet)
    assert second.differences(first) == {SECURITY_GROUPS: {GROUP}}
    assert second.virtual_machine(vm_id("web")) is web

    assert fleet.record(nsg_id("g"), await client.get(nsg_id("g")) or {}) is False
    assert await inventory_of(fleet) is second
    changed = dict(body) | {"tags": {"seen": "by a GET"}}
    assert fleet.record(nsg_id("g"), changed)
    third = await inventory_of(fleet)
    assert third.differences(second) == {SECURITY_GROUPS: {GROUP}}
    assert third.row(GROUP) == changed
    assert third.virtual_machine(vm_id("web")) is web

    assert fleet.record(nsg_id("g"), None)
    assert (await inventory_of(fleet)).security_group(GROUP) is None
    await fleet.close()


async def test_who_goes_on_with_its_work_goes_by_what_was_read_while_it_is_read_again(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    azure = azure_factory([SUBSCRIPTION_ROW, nsg("g")], graph_lag=0)
    client = (await caller_factory(azure)).client
    clock = SetForwardClock()
    fleet = FleetSnapshot(clock)
    subscriptions = [SUBSCRIPTION]
    assert await fleet.refresh("one", client, subscriptions, 60, until_read=100) is None, "nothing was there to go by"
    clock.forward += 80
    assert await fleet.refresh("one", client, subscriptions, 90) is None, "young enough"
    reading = await fleet.refresh("one", client, subscriptions, 60, until_read=100)
    assert reading is not None
    assert (fleet.age("one") or 0) >= 80
    assert await fleet.refresh("one", client, subscriptions, 60, until_read=100) is reading, "one reading at a time"
    await reading
    assert (fleet.age("one") or 80) < 80
    clock.forward += 120
    assert await fleet.refresh("one", client, subscriptions, 60, until_read=100) is None, "too old to go by: waited for"
    assert (fleet.age("one") or 80) < 80
    clock.forward += 80
    await fleet.refresh("one", client, subscriptions, 60, until_read=100, access=True)
    assert (fleet.age("one") or 80) < 80, "no role assignments were read before: waited for"
    await fleet.close()


async def test_what_one_identity_has_read_again_is_lost_to_no_other_that_has_not(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    azure = azure_factory([SUBSCRIPTION_ROW, nsg("g")], graph_lag=0)
    client = (await caller_factory(azure)).client
    fleet = FleetSnapshot(SystemClock())
    for identity in ("one", "another"):
        await fleet.refresh(identity, client, [SUBSCRIPTION], 0)
    body = {"location": "westeurope", "properties": {}}
    await client.put(nsg_id("new"), body)
    await client.delete(nsg_id("g"))
    fleet.record(nsg_id("new"), await client.get(nsg_id("new")))
    fleet.record(nsg_id("g"), None)
    for _ in range(2):
        await fleet.refresh("one", client, [SUBSCRIPTION], 0)
        seen = await fleet.inventory("another")
        assert seen is not None
        assert [seen.security_group(nsg_id(name)) is None for name in ("new", "g")] == [False, True]
        observed = fleet.observed("another")
        assert [observed.get(nsg_id(name)) is None for name in ("new", "g")] == [False, True]
    await fleet.close()


async def test_a_reading_that_was_given_up_before_its_first_step_keeps_nobody_waiting(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    azure = azure_factory([SUBSCRIPTION_ROW, nsg("g")], graph_lag=0)
    client = (await caller_factory(azure)).client
    fleet = FleetSnapshot(SystemClock())
    waiting = asyncio.create_task(fleet.refresh("one", client, [SUBSCRIPTION], 0))
    await asyncio.sleep(0)
    fleet.forget("one")
    assert await asyncio.wait_for(waiting, 30) is None
    await fleet.close()


async def test_rows_that_another_identity_let_go_of_while_they_were_compared_are_kept(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    azure = azure_factory([SUBSCRIPTION_ROW, nsg("g")], graph_lag=0)
    client = (await caller_factory(azure)).client
    fleet = FleetSnapshot(SystemClock())
    await fleet.refresh("one", client, [SUBSCRIPTION], 0)
    asyncio.get_running_loop().set_default_executor(InterruptedExecutor(lambda: fleet.forget("another")))
    # Its subscriptions are others now: what it saw until then is nobody's for the time of the reading.
    await fleet.refresh("one", client, [SUBSCRIPTION, OTHER_SUBSCRIPTION], 0)
    assert (await inventory_of(fleet)).security_group(GROUP) is not None
    await fleet.close()
