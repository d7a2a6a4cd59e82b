"""The unmodified SDKs on scale sets, private DNS, virtual WANs, gateways and resource groups: aio and sync, pollers and pagers."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient as AioComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network.aio import NetworkManagementClient as AioNetworkManagementClient
from azure.mgmt.privatedns import PrivateDnsManagementClient
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient as AioPrivateDnsManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient as AioResourceManagementClient

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB
from tests.component.arm_emulator.test_sdk_clients import PUBLIC_IP, SCOPES, credential, done, transport
from tests.support.arm import link_body, network_body, subnet_body


class Clients:
    """One client of each SDK. Typed as Any: they take plain dicts as bodies, their overloads do not say so."""

    def __init__(self, network: Any, compute: Any, dns: Any, resources: Any) -> None:
        self.network, self.compute, self.dns, self.resources = network, compute, dns, resources


@pytest.fixture
async def clients(shared: LocalAzure) -> AsyncIterator[Clients]:
    async with credential(shared) as identity:

        def client(kind: Any) -> Any:
            return kind(
                identity,
                SUB,
                base_url=shared.endpoint,
                credential_scopes=SCOPES,
                transport=transport(shared),
                polling_interval=0.02,
            )

        async with (
            client(AioNetworkManagementClient) as network,
            client(AioComputeManagementClient) as compute,
            client(AioPrivateDnsManagementClient) as dns,
            client(AioResourceManagementClient) as resources,
        ):
            yield Clients(network, compute, dns, resources)


@pytest.fixture
def sync_clients(shared: LocalAzure) -> Iterator[Clients]:
    account = shared.clients["somebody"]
    identity = ClientSecretCredential(
        shared.tenant_id,
        account.client_id,
        account.client_secret,
        authority=shared.authority,
        disable_instance_discovery=True,
        transport=RequestsTransport(connection_verify=shared.ca_file),
    )

    def client(kind: Any) -> Any:
        return kind(
            identity,
            SUB,
            base_url=shared.endpoint,
            credential_scopes=SCOPES,
            transport=RequestsTransport(connection_verify=shared.ca_file),
            polling_interval=0.02,
        )

    with (
        client(NetworkManagementClient) as network,
        client(ComputeManagementClient) as compute,
        client(PrivateDnsManagementClient) as dns,
        client(ResourceManagementClient) as resources,
    ):
        yield Clients(network, compute, dns, resources)


def tracked(**properties: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": properties}


def set_body(subnet: str, capacity: int, mode: str = "Uniform") -> dict[str, Any]:
    part = {"name": "ip", "properties": {"subnet": {"id": subnet}}}
    interface = {"name": "nic", "properties": {"primary": True, "ipConfigurations": [part]}}
    profile = {
        "osProfile": {"computerNamePrefix": "vm", "adminUsername": "me", "adminPassword": "hidden"},
        "networkProfile": {"networkInterfaceConfigurations": [interface], "networkApiVersion": "2020-11-01"},
    }
    body = tracked(virtualMachineProfile=profile, orchestrationMode=mode)
    if mode == "Flexible":
        body["properties"]["platformFaultDomainCount"] = 1
    return {**body, "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": capacity}}


async def hub_network(clients: Clients, rg: str, name: str = "v", prefix: str = "10.0") -> tuple[Any, Any]:
    network = await done(
        clients.network.virtual_networks.begin_create_or_update(rg, name, network_body(f"{prefix}.0.0/16"))
    )
    body = subnet_body(f"{prefix}.0.0/24")
    return network, await done(clients.network.subnets.begin_create_or_update(rg, name, "s", body))


async def test_a_uniform_scale_set_through_compute_and_network(clients: Clients, group: str) -> None:
    rg = group.rpartition("/")[2]
    compute, network = clients.compute, clients.network
    _, subnet = await hub_network(clients, rg)
    sets = compute.virtual_machine_scale_sets
    made = await done(sets.begin_create_or_update(rg, "set", set_body(subnet.id, 2)))
    assert (made.properties.provisioning_state, made.sku.capacity) == ("Succeeded", 2)
    machines = [one async for one in compute.virtual_machine_scale_set_vms.list(rg, "set", expand="instanceView")]
    assert [(one.name, one.instance_id) for one in machines] == [("set_0", "0"), ("set_1", "1")]
    assert machines[0].properties.instance_view.statuses[-1].code == "PowerState/running"
    listed = network.network_interfaces.list_virtual_machine_scale_set_network_interfaces(rg, "set")
    addresses = [nic.properties.ip_configurations[0].properties.private_ip_address async for nic in listed]
    assert addresses == ["10.0.0.4", "10.0.0.5"]
    one = [nic async for nic in network.network_interfaces.list_virtual_machine_scale_set_vm_network_interfaces(rg, "set", "1")]  # fmt: skip
    assert [nic.name for nic in one] == ["nic"]
    await done(compute.virtual_machine_scale_set_vms.begin_deallocate(rg, "set", "0"))
    view = await compute.virtual_machine_scale_set_vms.get_instance_view(rg, "set", "0")
    assert view.statuses[-1].code == "PowerState/deallocated"
    grown = await done(sets.begin_update(rg, "set", {"sku": {"capacity": 3}}))
    assert grown.sku.capacity == 3
    await done(sets.begin_delete_instances(rg, "set", {"instanceIds": ["0"]}))
    await done(compute.virtual_machine_scale_set_vms.begin_delete(rg, "set", "1"))
    assert [one.instance_id async for one in compute.virtual_machine_scale_set_vms.list(rg, "set")] == ["2"]
    summary = (await sets.get_instance_view(rg, "set")).virtual_machine.statuses_summary
    assert {one.code: one.count for one in summary} == {"ProvisioningState/succeeded": 1, "PowerState/running": 1}
    assert [one.name async for one in sets.list(rg)] == ["set"]
    await done(sets.begin_delete(rg, "set"))
    with pytest.raises(ResourceNotFoundError):
        await sets.get(rg, "set")


async def test_a_flexible_scale_set_is_seen_as_machines(clients: Clients, group: str) -> None:
    rg = group.rpartition("/")[2]
    _, subnet = await hub_network(clients, rg)
    sets = clients.compute.virtual_machine_scale_sets
    made = await done(sets.begin_create_or_update(rg, "flex", set_body(subnet.id, 2, "Flexible")))
    machines = [one async for one in clients.compute.virtual_machines.list(rg)]
    assert [one.properties.virtual_machine_scale_set.id for one in machines] == [made.id, made.id]
    await done(clients.compute.virtual_machines.begin_power_off(rg, machines[0].name))
    view = await clients.compute.virtual_machines.instance_view(rg, machines[0].name)
    assert view.statuses[-1].code == "PowerState/stopped"
    await done(sets.begin_delete(rg, "flex"))
    assert [one async for one in clients.compute.virtual_machines.list(rg)] == []


async def test_private_dns_through_its_sdk(clients: Clients, group: str) -> None:
    rg = group.rpartition("/")[2]
    dns, zone = clients.dns, "privatelink.blob.core.windows.net"
    network, _ = await hub_network(clients, rg)
    made = await done(dns.private_zones.begin_create_or_update(rg, zone, {"location": "global"}))
    assert (made.location, made.properties.provisioning_state) == ("global", "Succeeded")
    body = {"location": "global", "properties": {"virtualNetwork": {"id": network.id}, "registrationEnabled": True}}
    link = await done(dns.virtual_network_links.begin_create_or_update(rg, zone, "l", body))
    assert link.properties.virtual_network_link_state == "Completed"
    record = await dns.record_sets.create_or_update(
        rg, zone, "A", "www", {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}
    )
    assert record.properties.fqdn == f"www.{zone}."
    assert {one.name async for one in dns.record_sets.list(rg, zone)} == {"@", "www"}
    assert [one.name async for one in dns.record_sets.list_by_type(rg, zone, "A")] == ["www"]
    updated = await done(dns.private_zones.begin_update(rg, zone, {"tags": {"a": "b"}}))
    assert updated.tags == {"a": "b"}
    with pytest.raises(HttpResponseError) as refused:
        await dns.private_zones.begin_delete(rg, zone)
    assert refused.value.error is not None
    assert refused.value.error.code == "CannotDeleteResource"
    await dns.record_sets.delete(rg, zone, "A", "www")
    await done(dns.virtual_network_links.begin_delete(rg, zone, "l"))
    await done(dns.private_zones.begin_delete(rg, zone))
    assert [one async for one in dns.private_zones.list_by_resource_group(rg)] == []


async def test_a_virtual_wan_through_its_operations(clients: Clients, group: str) -> None:
    rg = group.rpartition("/")[2]
    network = clients.network
    spoke, _ = await hub_network(clients, rg, "spoke", "10.1")
    wan = await done(network.virtual_wans.begin_create_or_update(rg, "wan", tracked(type="Standard")))
    hub = await done(
        network.virtual_hubs.begin_create_or_update(
            rg, "hub", tracked(virtualWan={"id": wan.id}, addressPrefix="10.100.0.0/23")
        )
    )
    assert (hub.properties.routing_state, hub.properties.provisioning_state) == ("Provisioned", "Succeeded")
    connection = await done(
        network.hub_virtual_network_connections.begin_create_or_update(rg, "hub", "c", link_body(spoke.id))
    )
    table = f"{hub.id}/hubRouteTables/defaultRouteTable"
    assert connection.properties.routing_configuration.associated_route_table.id == table
    links = [one async for one in network.virtual_network_peerings.list(rg, "spoke")]
    assert [one.name.partition("_")[0] for one in links] == ["RemoteVnetToHubPeering"]
    firewall = await done(network.azure_firewalls.begin_create_or_update(rg, "fw", tracked(virtualHub={"id": hub.id})))
    policies = [{"name": "i", "destinations": ["Internet"], "nextHop": firewall.id}]
    intent = {"properties": {"routingPolicies": policies}}
    await done(network.routing_intent.begin_create_or_update(rg, "hub", "intent", intent))
    assert len([one async for one in network.hub_route_tables.list(rg, "hub")]) == 2
    peer = {
        "properties": {"peerAsn": 65010, "peerIp": "10.1.0.4", "hubVirtualNetworkConnection": {"id": connection.id}}
    }
    await done(network.virtual_hub_bgp_connection.begin_create_or_update(rg, "hub", "b", peer))
    await done(network.express_route_gateways.begin_create_or_update(rg, "er", tracked(virtualHub={"id": hub.id})))
    assert (await network.virtual_hubs.get(rg, "hub")).properties.express_route_gateway.id.endswith("/er")
    assert (await network.virtual_wans.update_tags(rg, "wan", {"tags": {"a": "b"}})).tags == {"a": "b"}
    for poller in (
        network.virtual_hub_bgp_connection.begin_delete(rg, "hub", "b"),
        network.routing_intent.begin_delete(rg, "hub", "intent"),
        network.azure_firewalls.begin_delete(rg, "fw"),
        network.express_route_gateways.begin_delete(rg, "er"),
        network.hub_virtual_network_connections.begin_delete(rg, "hub", "c"),
        network.virtual_hubs.begin_delete(rg, "hub"),
        network.virtual_wans.begin_delete(rg, "wan"),
    ):
        await done(poller)
    assert [one async for one in network.virtual_network_peerings.list(rg, "spoke")] == []


async def test_gateways_prefixes_and_endpoints_through_their_operations(clients: Clients, group: str) -> None:
    rg = group.rpartition("/")[2]
    network = clients.network
    _, subnet = await hub_network(clients, rg)
    body = subnet_body("10.0.255.0/27")
    gateway_subnet = await done(network.subnets.begin_create_or_update(rg, "v", "GatewaySubnet", body))
    address = await done(network.public_ip_addresses.begin_create_or_update(rg, "ip", PUBLIC_IP))
    part = {"name": "d", "properties": {"subnet": {"id": gateway_subnet.id}, "publicIPAddress": {"id": address.id}}}
    gateway = await done(
        network.virtual_network_gateways.begin_create_or_update(
            rg, "gw", tracked(gatewayType="Vpn", vpnType="RouteBased", ipConfigurations=[part])
        )
    )
    local = await done(
        network.local_network_gateways.begin_create_or_update(rg, "l", tracked(gatewayIpAddress="203.0.113.7"))
    )
    ends = {"virtualNetworkGateway1": gateway, "localNetworkGateway2": local, "connectionType": "IPsec"}
    connection = await done(
        network.virtual_network_gateway_connections.begin_create_or_update(rg, "c", tracked(**ends, sharedKey="hidden"))
    )
    assert connection.properties.virtual_network_gateway1.id == gateway.id
    prefix = await done(
        network.public_ip_prefixes.begin_create_or_update(
            rg, "p", {**tracked(prefixLength=30), "sku": {"name": "Standard"}}
        )
    )
    nat = await done(
        network.nat_gateways.begin_create_or_update(
            rg, "n", {**tracked(publicIpPrefixes=[{"id": prefix.id}]), "sku": {"name": "Standard"}}
        )
    )
    assert nat.properties.public_ip_prefixes[0].id == prefix.id
    link = {"name": "c", "properties": {"privateLinkServiceId": f"{group}/providers/x/y/z", "groupIds": ["blob"]}}
    endpoint = await done(
        network.private_endpoints.begin_create_or_update(
            rg, "e", tracked(subnet={"id": subnet.id}, privateLinkServiceConnections=[link])
        )
    )
    assert endpoint.properties.network_interfaces[0].id.startswith(group)
    pools = tracked(backendAddressPools=[{"name": "pool"}])
    await done(network.load_balancers.begin_create_or_update(rg, "lb", {**pools, "sku": {"name": "Standard"}}))
    found = [one async for one in network.load_balancer_backend_address_pools.list(rg, "lb")]
    assert [one.name for one in found] == ["pool"]
    await done(network.ip_groups.begin_create_or_update(rg, "g", tracked(ipAddresses=["10.0.0.0/8"])))
    await done(network.ddos_protection_plans.begin_create_or_update(rg, "ddos", {"location": "westeurope"}))
    for poller in (
        network.virtual_network_gateway_connections.begin_delete(rg, "c"),
        network.virtual_network_gateways.begin_delete(rg, "gw"),
        network.local_network_gateways.begin_delete(rg, "l"),
        network.nat_gateways.begin_delete(rg, "n"),
        network.public_ip_prefixes.begin_delete(rg, "p"),
        network.private_endpoints.begin_delete(rg, "e"),
        network.load_balancers.begin_delete(rg, "lb"),
        network.ip_groups.begin_delete(rg, "g"),
        network.ddos_protection_plans.begin_delete(rg, "ddos"),
    ):
        await done(poller)


async def test_groups_and_all_their_resources_through_the_resource_sdk(clients: Clients, group: str) -> None:
    rg = group.rpartition("/")[2]
    resources = clients.resources
    await hub_network(clients, rg)
    assert (await resources.resource_groups.get(rg)).location == "westeurope"
    assert rg in [one.name async for one in resources.resource_groups.list()]
    found = [one async for one in resources.resources.list_by_resource_group(rg)]
    assert [(one.name, one.type) for one in found] == [("v", "Microsoft.Network/virtualNetworks")]
    updated = await resources.resource_groups.update(rg, {"tags": {"a": "b"}})
    assert updated.tags == {"a": "b"}
    await done(resources.resource_groups.begin_delete(rg))
    assert await resources.resource_groups.check_existence(rg) is False


def test_the_synchronous_clients_on_the_same_types(sync_clients: Clients, group: str) -> None:
    rg = group.rpartition("/")[2]
    network, compute, dns = sync_clients.network, sync_clients.compute, sync_clients.dns
    made = network.virtual_networks.begin_create_or_update(rg, "v", network_body("10.0.0.0/16")).result()
    subnet = network.subnets.begin_create_or_update(rg, "v", "s", subnet_body("10.0.0.0/24")).result()
    compute.virtual_machine_scale_sets.begin_create_or_update(rg, "set", set_body(subnet.id, 2)).result()
    assert [one.instance_id for one in compute.virtual_machine_scale_set_vms.list(rg, "set")] == ["0", "1"]
    dns.private_zones.begin_create_or_update(rg, "contoso.internal", {"location": "global"}).result()
    link = {"location": "global", "properties": {"virtualNetwork": {"id": made.id}, "registrationEnabled": False}}
    dns.virtual_network_links.begin_create_or_update(rg, "contoso.internal", "l", link).result()
    assert [one.name for one in dns.virtual_network_links.list(rg, "contoso.internal")] == ["l"]
    wan = network.virtual_wans.begin_create_or_update(rg, "wan", tracked()).result()
    hub_body = tracked(virtualWan={"id": wan.id}, addressPrefix="10.100.0.0/24")
    hub = network.virtual_hubs.begin_create_or_update(rg, "hub", hub_body).result()
    network.hub_virtual_network_connections.begin_create_or_update(rg, "hub", "c", link_body(made.id)).result()
    assert [one.id for one in network.virtual_hubs.list_by_resource_group(rg)] == [hub.id]
    names = {one.name for one in sync_clients.resources.resources.list_by_resource_group(rg)}
    assert {"v", "set", "contoso.internal", "wan", "hub"} <= names
    compute.virtual_machine_scale_sets.begin_delete(rg, "set").result()
    sync_clients.resources.resource_groups.begin_delete(rg).result()
    assert not sync_clients.resources.resource_groups.check_existence(rg)
