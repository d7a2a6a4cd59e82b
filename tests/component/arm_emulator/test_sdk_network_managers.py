"""The unmodified network SDK, sync and aio, for network managers, Network Watcher and what is effective on an interface."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network.aio import NetworkManagementClient as AioNetworkManagementClient

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB
from tests.component.arm_emulator.test_sdk_clients import SCOPES, credential, transport
from tests.support.arm import network_body, rule_body, subnet_body
from tests.support.azure import Wire

REGION = "westeurope"
ADMIN_RULE = {
    "kind": "Custom",
    "properties": {
        "access": "Deny",
        "direction": "Inbound",
        "protocol": "Tcp",
        "priority": 10,
        "destinationPortRanges": ["3389"],
    },
}
Call = Callable[..., Awaitable[Any]]


@pytest.fixture
async def aio_client(shared: LocalAzure) -> AsyncIterator[Any]:
    async with (
        credential(shared) as identity,
        AioNetworkManagementClient(
            identity,
            SUB,
            base_url=shared.endpoint,
            credential_scopes=SCOPES,
            transport=transport(shared),
            polling_interval=0.02,
        ) as client,
    ):
        yield client


@pytest.fixture
def sync_client(shared: LocalAzure) -> Iterator[Any]:
    client = shared.clients["somebody"]

    def verified() -> RequestsTransport:
        return RequestsTransport(connection_verify=str(shared.ca_file))

    identity = ClientSecretCredential(
        shared.tenant_id,
        client.client_id,
        client.client_secret,
        authority=shared.authority,
        disable_instance_discovery=True,
        transport=verified(),
    )
    with NetworkManagementClient(
        identity,
        SUB,
        base_url=shared.endpoint,
        credential_scopes=SCOPES,
        transport=verified(),
        polling_interval=0.02,
    ) as network:
        yield network


@pytest.fixture(params=["sync", "aio"])
def network(request: pytest.FixtureRequest, sync_client: Any, aio_client: Any) -> "Calls":
    return Calls(sync_client if request.param == "sync" else aio_client, is_async=request.param == "aio")


class Calls:
    """One way to call either client: operations are waited for, pages read to the end."""

    def __init__(self, client: Any, *, is_async: bool) -> None:
        self.client = client
        self.is_async = is_async

    async def done(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """A long operation's result."""
        if self.is_async:
            return await (await operation(*arguments, **options)).result()
        return await asyncio.to_thread(lambda: operation(*arguments, **options).result())

    async def call(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        """A short operation's result."""
        return await operation(*arguments) if self.is_async else await asyncio.to_thread(operation, *arguments)

    async def all(self, operation: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Every entry of a list."""
        if self.is_async:
            return [one async for one in operation(*arguments)]
        return await asyncio.to_thread(lambda: list(operation(*arguments)))


async def machine(wire: Wire, group: str, network: Calls) -> str:
    """A running machine with interface `nic` in subnet `s` of network `v`, its group `nsg` with a rule on 22."""
    rg, client = group.rpartition("/")[2], network.client
    held = {"location": REGION, "properties": {"securityRules": [{"name": "ssh", **rule_body(200)}]}}
    nsg = await network.done(client.network_security_groups.begin_create_or_update, rg, "nsg", held)
    subnet = {"name": "s", **subnet_body("10.0.2.0/24")}
    await network.done(client.virtual_networks.begin_create_or_update, rg, "v", network_body("10.0.0.0/16", subnets=[subnet]))  # fmt: skip
    part = {"name": "c", "properties": {"subnet": {"id": f"{group}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"}}}  # fmt: skip
    body = {"location": REGION, "properties": {"ipConfigurations": [part], "networkSecurityGroup": {"id": nsg.id}}}
    nic = await network.done(client.network_interfaces.begin_create_or_update, rg, "nic", body)
    vm = f"{group}/providers/Microsoft.Compute/virtualMachines/vm"
    profile = {"networkProfile": {"networkInterfaces": [{"id": nic.id}]}}
    status, _, _ = await wire.call("PUT", vm, {"location": REGION, "properties": profile})
    assert status == 201
    for _ in range(200):
        _, answer, _ = await wire.call("GET", vm)
        if answer["properties"]["provisioningState"] == "Succeeded":
            return vm
        await asyncio.sleep(0.02)
    raise AssertionError(answer)


async def test_effective_rules_and_routes(network: Calls, wire: Wire, group: str) -> None:
    rg = group.rpartition("/")[2]
    vm = await machine(wire, group, network)
    interfaces = network.client.network_interfaces
    found = await network.done(interfaces.begin_list_effective_network_security_groups, rg, "nic")
    (one,) = found.value
    assert one.association.network_interface.id.endswith("/nic")
    assert "securityRules/ssh" in {rule.name for rule in one.effective_security_rules}
    assert one.tag_map["VirtualNetwork"] == ["10.0.0.0/16", "168.63.129.16/32"]
    routes = await network.done(interfaces.begin_get_effective_route_table, rg, "nic")
    assert ("10.0.0.0/16", "VnetLocal", "Active") in {
        (route.address_prefix[0], route.next_hop_type, route.state) for route in routes.value
    }
    await wire.call("POST", f"{vm}/deallocate")
    await asyncio.sleep(0.2)
    with pytest.raises(HttpResponseError) as stopped:
        await network.done(interfaces.begin_get_effective_route_table, rg, "nic")
    assert stopped.value.error is not None
    assert stopped.value.error.code == "NetworkInterfaceNotAttachedToRunningVm"


async def test_network_watcher(network: Calls, wire: Wire, group: str) -> None:
    vm = await machine(wire, group, network)
    watchers = network.client.network_watchers
    (watcher,) = [one for one in await network.all(watchers.list_all) if one.location == REGION]
    place = watcher.id.split("/")[4], watcher.name
    packet = {"targetResourceId": vm, "direction": "Inbound", "protocol": "TCP", "localPort": "22", "remotePort": "50000",
              "localIPAddress": "10.0.2.4", "remoteIPAddress": "10.0.1.5"}  # fmt: skip
    flow = await network.done(watchers.begin_verify_ip_flow, *place, packet)
    assert (flow.access, flow.rule_name) == ("Allow", "securityRules/ssh")
    asked = {"targetResourceId": vm, "sourceIPAddress": "10.0.2.4", "destinationIPAddress": "10.0.1.5"}
    hop = await network.done(watchers.begin_get_next_hop, *place, asked)
    assert (hop.next_hop_type, hop.route_table_id) == ("VnetLocal", "System Route")
    profile = {"direction": "Inbound", "protocol": "TCP", "source": "10.0.1.0/26", "destination": "*", "destinationPort": "22"}  # fmt: skip
    body = {"targetResourceId": vm, "profiles": [profile]}
    answer = await network.done(watchers.begin_get_network_configuration_diagnostic, *place, body)
    (result,) = answer.results
    assert result.network_security_group_result.security_rule_access_result == "Allow"
    (evaluated,) = result.network_security_group_result.evaluated_network_security_groups
    assert evaluated.matched_rule.rule_name == "UserRule_ssh"
    view = await network.done(watchers.begin_get_vm_security_rules, *place, {"targetResourceId": vm})
    assert view.network_interfaces[0].id.endswith("/nic")


async def test_a_network_manager_from_its_making_to_its_end(network: Calls, group: str) -> None:
    rg, client = group.rpartition("/")[2], network.client
    hub, spoke = [
        await network.done(client.virtual_networks.begin_create_or_update, rg, name, network_body(prefix))
        for name, prefix in (("hub", "10.0.0.0/16"), ("spoke", "10.1.0.0/16"))
    ]
    scopes = {"networkManagerScopes": {"subscriptions": [f"/subscriptions/{SUB}"]}, "networkManagerScopeAccesses": ["SecurityAdmin", "Connectivity"]}  # fmt: skip
    body = {"location": REGION, "properties": scopes}
    made = await network.call(client.network_managers.create_or_update, rg, "avnm", body)
    assert made.properties.provisioning_state == "Succeeded"
    spokes = await network.call(client.network_groups.create_or_update, rg, "avnm", "spokes", {"properties": {}})
    member = {"properties": {"resourceId": spoke.id}}
    await network.call(client.static_members.create_or_update, rg, "avnm", "spokes", "spoke", member)
    applies = [{"networkGroupId": spokes.id}]
    security = await network.call(client.security_admin_configurations.create_or_update, rg, "avnm", "c", {"properties": {}})  # fmt: skip
    await network.call(client.admin_rule_collections.create_or_update, rg, "avnm", "c", "all", {"properties": {"appliesToGroups": applies}})  # fmt: skip
    rule = await network.call(client.admin_rules.create_or_update, rg, "avnm", "c", "all", "no-rdp", ADMIN_RULE)
    assert rule.properties.access == "Deny"
    hubs = [{"resourceId": hub.id, "resourceType": "Microsoft.Network/virtualNetworks"}]
    star = {"properties": {"connectivityTopology": "HubAndSpoke", "hubs": hubs, "appliesToGroups": applies}}
    connectivity = await network.call(client.connectivity_configurations.create_or_update, rg, "avnm", "star", star)
    for kind, configuration in (("SecurityAdmin", security), ("Connectivity", connectivity)):
        commit = {"targetLocations": [REGION], "configurationIds": [configuration.id], "commitType": kind}
        done = await network.done(client.network_manager_commits.begin_post, rg, "avnm", commit)
        assert done.commit_id
    status = await network.call(client.network_manager_deployment_status.list, rg, "avnm", {"regions": [REGION]})
    assert {one.deployment_status for one in status.value} == {"Deployed"}
    active = await network.call(client.list_active_security_admin_rules, rg, "avnm", {"regions": [REGION]})
    assert [one.id for one in active.value] == [rule.id]
    effective = await network.call(client.list_network_manager_effective_security_admin_rules, rg, "spoke", {})
    assert [one.id for one in effective.value] == [rule.id]
    star_on = await network.call(client.list_network_manager_effective_connectivity_configurations, rg, "spoke", {})
    assert [one.id for one in star_on.value] == [connectivity.id]
    everywhere = await network.call(client.list_active_connectivity_configurations, rg, "avnm", {"regions": [REGION]})
    assert [one.region for one in everywhere.value] == [REGION]
    links = await network.all(client.virtual_network_peerings.list, rg, "spoke")
    assert [(one.name[:4], one.properties.peering_state) for one in links] == [("ANM_", "Connected")]
    assert [one.name for one in await network.all(client.network_groups.list, rg, "avnm")] == ["spokes"]
    await network.call(client.static_members.delete, rg, "avnm", "spokes", "spoke")
    assert await network.all(client.virtual_network_peerings.list, rg, "spoke") == []
    await network.done(client.network_managers.begin_delete, rg, "avnm", force=True)
    assert await network.all(client.network_managers.list, rg) == []
