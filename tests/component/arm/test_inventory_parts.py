"""The parts of the inventory that are read where there is something, or where somebody asks: network managers and roles."""

import pytest

from bastion_operator.arm.errors import ErrorClass
from bastion_operator.arm.graph import ACCESS_TYPES, HUB_COLLECTIONS, INVENTORY_TYPES, read_inventory
from bastion_operator.network.held_row import row_of
from bastion_operator.network.inventory import Inventory
from bastion_operator.network.resource_types import GRAPH_TABLES
from tests.support.access_rows import entra_extension, role_assignment, role_definition, subscription
from tests.support.arm_client import CallerFactory, failure
from tests.support.azure import AzureFactory
from tests.support.estates import (
    SUBSCRIPTION,
    admin_rule,
    hub,
    hub_connection,
    hub_id,
    hub_route_table,
    routing_intent,
    security_admin,
    vm_id,
    vnet,
    vnet_id,
)


async def test_what_a_network_manager_has_put_into_force_is_read_where_there_is_any(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    rules = security_admin("hub", admin_rule("no-ssh", 10, "Deny"))
    azure = azure_factory([subscription(SUBSCRIPTION), vnet("hub", "10.0.0.0/16"), *rules], graph_lag=0)
    reading = await read_inventory((await caller_factory(azure)).client, [SUBSCRIPTION])
    assert reading.types > set(GRAPH_TABLES["networkresources"])
    assert Inventory.from_rows(reading.rows, reading.types).admin_configurations.keys() == {vnet_id("hub").lower()}


async def test_roles_are_read_where_they_are_asked_for_also_those_assigned_above(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    places = ["/providers/Microsoft.Management/managementGroups/root", f"/subscriptions/{SUBSCRIPTION}", vm_id("web")]
    roles = [role_assignment("somebody", f"role-{number}", place) for number, place in enumerate(places)]
    signs = [entra_extension("web"), entra_extension("web", "CustomScript")]
    estate = [subscription(SUBSCRIPTION, ["root"]), role_definition("role-1", "*/read"), *roles, *signs]
    caller = await caller_factory(azure_factory(estate, graph_lag=0))
    without = await read_inventory(caller.client, [SUBSCRIPTION])
    calls = len(caller.calls.seen)
    reading = await read_inventory(caller.client, [SUBSCRIPTION], access=True)
    assert len(caller.calls.seen) == 2 * calls + 2
    assert reading.types == without.types | set(ACCESS_TYPES)
    # A role definition is a resource of the tenant: its id may come without the subscription that it was written with.
    names = [{row["name"] for row in map(row_of, each.rows) if row is not None} for each in (reading, without)]
    added = names[0] - names[1]
    assert added >= {each["name"] for each in (*roles, estate[1], signs[0])}
    assert signs[1]["name"] not in added


@pytest.mark.parametrize(("status", "kept"), [(403, True), (503, False)])
async def test_roles_that_are_refused_for_good_leave_a_gap_and_what_passes_is_tried_again(
    azure_factory: AzureFactory, caller_factory: CallerFactory, status: int, *, kept: bool
) -> None:
    azure = azure_factory([subscription(SUBSCRIPTION), vnet("hub", "10.0.0.0/16")], graph_lag=0)
    caller = await caller_factory(azure)
    async with azure.control() as control:
        await control.add_fault({"error": {"status": status, "code": "No"}}, url="ResourceGraph", nth=5, count=1)
        reading = read_inventory(caller.client, [SUBSCRIPTION], access=True)
        if kept:
            assert (await reading).types == {*INVENTORY_TYPES, *HUB_COLLECTIONS.values()}
        else:
            assert (await failure(reading)).error_class is ErrorClass.TRANSIENT


HUB_PARTS = [
    hub("one"),
    hub_route_table("one", "custom", routes=["10.9.0.0/16"]),
    routing_intent("one", "Internet"),
    hub_connection("one", "spoke"),
]


async def test_a_virtual_hubs_tables_and_intent_are_read_where_it_has_connections(
    azure_factory: AzureFactory, caller_factory: CallerFactory
) -> None:
    idle = [hub(f"idle-{number}") for number in range(19)]
    azure = azure_factory([subscription(SUBSCRIPTION), vnet("spoke", "10.1.0.0/16"), *HUB_PARTS, *idle], graph_lag=0)
    caller = await caller_factory(azure)
    reading = await read_inventory(caller.client, [SUBSCRIPTION], access=True)
    inventory = Inventory.from_rows(reading.rows, reading.types)
    (connection,) = inventory.hub_connections[vnet_id("spoke").lower()]
    assert connection.hub_key == hub_id("one").lower()
    assert inventory.routing_intents.keys() == {connection.hub_key}
    assert f"{connection.hub_key}/hubroutetables/custom" in inventory.hub_route_tables
    assert reading.types >= set(HUB_COLLECTIONS.values())
    # The subscriptions, resources and the machines of scale sets come first.
    assert len(caller.calls.seen) - 3 <= 30, "twenty hubs, roles and network managers"


@pytest.mark.parametrize(
    ("part", "unread"),
    [
        ("hubVirtualNetworkConnections", set(HUB_COLLECTIONS.values())),
        ("routingIntent", {HUB_COLLECTIONS["routingIntent"]}),
    ],
)
async def test_a_part_of_a_hub_that_is_refused_is_a_gap(
    azure_factory: AzureFactory, caller_factory: CallerFactory, part: str, unread: set[str]
) -> None:
    azure = azure_factory([subscription(SUBSCRIPTION), vnet("spoke", "10.1.0.0/16"), *HUB_PARTS], graph_lag=0)
    async with azure.control() as control:
        refusal = {"error": {"status": 403, "code": "AuthorizationFailed"}}
        await control.add_fault(refusal, method="GET", url=f"(?i)/{part}", count=0)
        reading = await read_inventory((await caller_factory(azure)).client, [SUBSCRIPTION])
    assert set(HUB_COLLECTIONS.values()) - reading.types == unread
