"""The unmodified SDKs of Azure against the emulator: credentials, pollers, pagers, models, errors."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AioClientSecretCredential
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.network.aio import NetworkManagementClient as AioNetworkManagementClient

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB
from tests.support.arm import bastion_rules, link_body, network_body, rule_body, subnet_body
from tests.support.azure import Wire

SCOPES = ["https://management.azure.com/.default"]
PUBLIC_IP = {
    "location": "westeurope",
    "sku": {"name": "Standard"},
    "properties": {"publicIPAllocationMethod": "Static"},
}


def transport(azure: LocalAzure) -> AioHttpTransport:
    connector = aiohttp.TCPConnector(ssl=azure.ssl_context())
    return AioHttpTransport(session=aiohttp.ClientSession(connector=connector), session_owner=True)


def credential(azure: LocalAzure, secret: str | None = None) -> AioClientSecretCredential:
    client = azure.clients["somebody"]
    return AioClientSecretCredential(
        azure.tenant_id,
        client.client_id,
        secret or client.client_secret,
        authority=azure.authority,
        disable_instance_discovery=True,
        transport=transport(azure),
    )


@pytest.fixture
async def network(shared: LocalAzure) -> AsyncIterator[Any]:
    """Typed as Any: the SDK takes plain dicts as bodies, its overloads do not say so."""
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


async def done(poller: Any) -> Any:
    return await (await poller).result()


async def test_a_hub_with_a_bastion_and_a_peered_spoke_lives_and_dies(network: Any, group: str) -> None:
    rg = group.rpartition("/")[2]
    hub = await done(network.virtual_networks.begin_create_or_update(rg, "hub", network_body("10.0.0.0/16")))
    spoke = await done(network.virtual_networks.begin_create_or_update(rg, "spoke", network_body("10.1.0.0/16")))
    rules = {"location": "westeurope", "properties": {"securityRules": bastion_rules()}}
    nsg = await done(network.network_security_groups.begin_create_or_update(rg, "nsg", rules))
    assert len(nsg.properties.security_rules) == 8
    body = subnet_body("10.0.1.0/26", networkSecurityGroup={"id": nsg.id})
    subnet = await done(network.subnets.begin_create_or_update(rg, "hub", "AzureBastionSubnet", body))
    address = await done(network.public_ip_addresses.begin_create_or_update(rg, "ip", PUBLIC_IP))
    part = {"name": "c", "properties": {"subnet": {"id": subnet.id}, "publicIPAddress": {"id": address.id}}}
    host_body = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"ipConfigurations": [part]}}
    host = await done(network.bastion_hosts.begin_create_or_update(rg, "bastion", host_body))
    assert (host.properties.provisioning_state, host.properties.dns_name[:4]) == ("Succeeded", "bst-")
    await done(network.virtual_network_peerings.begin_create_or_update(rg, "hub", "to-spoke", link_body(spoke.id)))
    link = await done(network.virtual_network_peerings.begin_create_or_update(rg, "spoke", "to-hub", link_body(hub.id)))
    assert (link.properties.peering_state, link.properties.peering_sync_level) == ("Connected", "FullyInSync")
    links = [one async for one in network.virtual_network_peerings.list(rg, "hub")]
    assert [(one.name, one.properties.peering_state) for one in links] == [("to-spoke", "Connected")]
    assert {one.name async for one in network.virtual_networks.list(rg)} == {"hub", "spoke"}
    await done(network.bastion_hosts.begin_update(rg, "bastion", {"tags": {"a": "b"}}))
    assert (await network.bastion_hosts.get(rg, "bastion")).tags == {"a": "b"}
    with pytest.raises(HttpResponseError) as in_use:
        await network.subnets.begin_delete(rg, "hub", "AzureBastionSubnet")
    assert in_use.value.error is not None
    assert in_use.value.error.code == "InUseSubnetCannotBeDeleted"
    await done(network.bastion_hosts.begin_delete(rg, "bastion"))
    await done(network.public_ip_addresses.begin_delete(rg, "ip"))
    await done(network.virtual_network_peerings.begin_delete(rg, "hub", "to-spoke"))
    assert (
        await network.virtual_network_peerings.get(rg, "spoke", "to-hub")
    ).properties.peering_state == "Disconnected"
    await done(network.virtual_networks.begin_delete(rg, "hub"))
    await done(network.network_security_groups.begin_delete(rg, "nsg"))
    with pytest.raises(ResourceNotFoundError):
        await network.virtual_networks.get(rg, "hub")


async def test_every_other_type_through_its_operations(network: Any, group: str) -> None:
    rg = group.rpartition("/")[2]
    await done(network.virtual_networks.begin_create_or_update(rg, "v", network_body("10.0.0.0/16")))
    table = await done(network.route_tables.begin_create_or_update(rg, "t", {"location": "westeurope"}))
    route = {"properties": {"addressPrefix": "10.9.0.0/16", "nextHopType": "None"}}
    assert (await done(network.routes.begin_create_or_update(rg, "t", "r", route))).properties.next_hop_type == "None"
    subnet = await done(
        network.subnets.begin_create_or_update(rg, "v", "s", subnet_body("10.0.0.0/24", routeTable={"id": table.id}))
    )
    asg = await done(network.application_security_groups.begin_create_or_update(rg, "a", {"location": "westeurope"}))
    await done(network.network_security_groups.begin_create_or_update(rg, "n", {"location": "westeurope"}))
    await done(network.security_rules.begin_create_or_update(rg, "n", "r", rule_body(200)))
    assert [one.name async for one in network.security_rules.list(rg, "n")] == ["r"]
    assert len([one async for one in network.default_security_rules.list(rg, "n")]) == 6
    part = {"name": "c", "properties": {"subnet": {"id": subnet.id}, "applicationSecurityGroups": [{"id": asg.id}]}}
    nic = await done(
        network.network_interfaces.begin_create_or_update(
            rg, "nic", {"location": "westeurope", "properties": {"ipConfigurations": [part]}}
        )
    )
    assert nic.properties.ip_configurations[0].properties.private_ip_address == "10.0.0.4"
    assert [one.name async for one in network.network_interfaces.list_all() if one.id.startswith(group)] == ["nic"]
    for poller in (
        network.network_interfaces.begin_delete(rg, "nic"),
        network.security_rules.begin_delete(rg, "n", "r"),
        network.routes.begin_delete(rg, "t", "r"),
        network.subnets.begin_delete(rg, "v", "s"),
        network.route_tables.begin_delete(rg, "t"),
        network.application_security_groups.begin_delete(rg, "a"),
    ):
        await done(poller)
    assert [one.name async for one in network.subnets.list(rg, "v")] == []


def test_the_synchronous_client_with_its_own_credential(shared: LocalAzure) -> None:
    client = shared.clients["somebody"]
    identity = ClientSecretCredential(
        shared.tenant_id,
        client.client_id,
        client.client_secret,
        authority=shared.authority,
        disable_instance_discovery=True,
        transport=RequestsTransport(connection_verify=shared.ca_file),
    )
    network: Any = NetworkManagementClient(
        identity,
        SUB,
        base_url=shared.endpoint,
        credential_scopes=SCOPES,
        transport=RequestsTransport(connection_verify=shared.ca_file),
        polling_interval=0.02,
    )
    with network, pytest.raises(HttpResponseError) as refused:
        network.virtual_networks.begin_create_or_update("no-such-group", "v", network_body("10.0.0.0/16"))
    assert refused.value.error is not None
    assert refused.value.error.code == "ResourceGroupNotFound"


async def test_a_wrong_secret_is_an_authentication_error(shared: LocalAzure) -> None:
    async with credential(shared, "wrong") as identity:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await identity.get_token(*SCOPES)


async def test_a_failed_operation_reaches_the_poller_with_its_code(
    network: Any, shared: LocalAzure, group: str, wire: Wire
) -> None:
    rg = group.rpartition("/")[2]
    async with shared.control() as control:
        rule = await control.add_fault(
            {"fail_operation": {"code": "AllocationFailed", "message": "none left"}},
            method="PUT",
            url=f"{rg}/.*virtualNetworks",
        )
        with pytest.raises(HttpResponseError) as failed:
            await done(network.virtual_networks.begin_create_or_update(rg, "v", network_body("10.0.0.0/16")))
        await control.remove_fault(rule)
    assert failed.value.error is not None
    assert failed.value.error.code == "AllocationFailed"
    _, body, _ = await wire.call("GET", f"{group}/providers/Microsoft.Network/virtualNetworks/v")
    assert body["properties"]["provisioningState"] == "Failed"
