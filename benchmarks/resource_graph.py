"""Pages of Resource Graph over a fleet, at rest and while it changes, against writing the same rows as JSON."""

import itertools
from collections.abc import Iterator
from typing import Any

import orjson

from arm_emulator import starting_rights
from arm_emulator.clock import Clock
from arm_emulator.cloud import Cloud, Settings
from arm_emulator.estate import load_rows
from arm_emulator.graph.service import GraphService
from arm_emulator.graph.view import GraphView
from arm_emulator.messages import Answer, Request
from arm_emulator.operations import Operations
from arm_emulator.principals import Principal, default_principals
from arm_emulator.resource_types import type_of
from arm_emulator.store import Store
from benchmarks.local_azure import GROUPS, MACHINES, NETWORKS, fleet
from benchmarks.measure import Figure, seconds

NAME = "resource_graph"
PAGE = 1_000
QUERY = (
    "resources | where type in~ ('microsoft.compute/virtualmachines', 'microsoft.network/networkinterfaces', "
    "'microsoft.network/virtualnetworks', 'microsoft.network/networksecuritygroups') "
    "| project id, name, type, location, resourceGroup, subscriptionId, sku, zones, tags, properties | order by id asc"
)
AGAINST = "writing the rows of a page as JSON"


def run() -> Iterator[Figure]:
    """Times of one page. While the fleet changes, a network is written between any two pages."""
    cloud, view, reader = _loaded()
    graph = GraphService(cloud, view, throttling=False)
    networks = itertools.cycle([item for item in cloud.store if item.id.type.endswith("/virtualNetworks")])

    def page(skip: int) -> Answer:
        return graph.answer(_request(skip), reader)

    def page_of_a_changing_fleet() -> None:
        cloud.touch(next(networks).root_key)
        page(5 * PAGE)

    first = seconds(lambda: page(0))
    rows: list[Any] = orjson.loads(page(5 * PAGE).raw or b"")["data"]
    write = seconds(lambda: orjson.dumps(rows), times=20)
    size = f"{MACHINES} VMs, {NETWORKS} VNets, {GROUPS} NSGs"
    yield Figure(NAME, f"first page, {size}", first / write, "ratio", AGAINST)
    yield Figure(NAME, "a page that follows", seconds(lambda: page(5 * PAGE), times=10) / write, "ratio", AGAINST)
    yield Figure(
        NAME, "a page while the fleet changes", seconds(page_of_a_changing_fleet, times=10) / write, "ratio", AGAINST
    )


def _loaded() -> tuple[Cloud, GraphView, Principal]:
    clock = Clock(1)
    store = Store(lambda item: type_of(item.id.type).references(item))
    cloud = Cloud(clock, store, Operations(clock, b"benchmark"), Settings("tenant", graph_lag=0))
    view = GraphView(cloud)
    load_rows(cloud, fleet())
    reader = next(
        one
        for one in default_principals(dict.fromkeys(("operator", "somebody", "reader"), "x"))
        if one.name == "reader"
    )
    starting_rights.give(cloud, reader)
    view.load_everything()
    return cloud, view, reader


def _request(skip: int) -> Request:
    return Request(
        method="POST",
        path="/providers/Microsoft.ResourceGraph/resources",
        raw_query="api-version=2024-04-01",
        query={"api-version": "2024-04-01"},
        headers={"Content-Type": "application/json"},
        body=orjson.dumps({"query": QUERY, "options": {"$top": PAGE, "$skip": skip}}),
        endpoint="https://127.0.0.1",
    )
