"""The unmodified SDKs, synchronous and asynchronous, where several resources of a network have to do with each other."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB, started
from tests.component.arm_emulator.sdk_types.compute import scale_set
from tests.component.arm_emulator.sdk_types.row import inner, ref, tracked
from tests.support.arm import PUBLIC_IP, bastion_body, bastion_rules, link_body, network_body, subnet_body
from tests.support.sdk import Sdk, code


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    yield from started(tmp_path_factory, speed=10_000)


def made_network(sdk: Sdk, rg: str, name: str = "v", prefix: str = "10.0") -> tuple[Any, Any]:
    """A network with the subnet `s`."""
    subnets = [{"name": "s", **subnet_body(f"{prefix}.0.0/24")}]
    body = network_body(f"{prefix}.0.0/16", subnets=subnets)
    network = sdk.network.virtual_networks.begin_create_or_update(rg, name, body)
    return network, network.properties.subnets[0]


def test_a_hub_with_a_bastion_and_a_peered_spoke_lives_and_dies(sdk: Sdk, rg: str) -> None:
    network, links = sdk.network, sdk.network.virtual_network_peerings
    hub, _ = made_network(sdk, rg, "hub")
    spoke, _ = made_network(sdk, rg, "spoke", "10.1")
    nsg = network.network_security_groups.begin_create_or_update(rg, "nsg", tracked(securityRules=bastion_rules()))
    assert len(nsg.properties.security_rules) == 8
    body = subnet_body("10.0.1.0/26", networkSecurityGroup=ref(nsg.id))
    subnet = network.subnets.begin_create_or_update(rg, "hub", "AzureBastionSubnet", body)
    address = network.public_ip_addresses.begin_create_or_update(rg, "ip", PUBLIC_IP)
    host = network.bastion_hosts.begin_create_or_update(rg, "bastion", bastion_body(subnet.id, address.id))
    assert (host.properties.provisioning_state, host.properties.dns_name[:4]) == ("Succeeded", "bst-")
    links.begin_create_or_update(rg, "hub", "to-spoke", link_body(spoke.id))
    link = links.begin_create_or_update(rg, "spoke", "to-hub", link_body(hub.id))
    assert (link.properties.peering_state, link.properties.peering_sync_level) == ("Connected", "FullyInSync")
    assert [(one.name, one.properties.peering_state) for one in links.list(rg, "hub")] == [("to-spoke", "Connected")]
    with pytest.raises(HttpResponseError) as in_use:
        network.subnets.begin_delete(rg, "hub", "AzureBastionSubnet")
    assert code(in_use) == "InUseSubnetCannotBeDeleted"
    network.bastion_hosts.begin_delete(rg, "bastion")
    links.begin_delete(rg, "hub", "to-spoke")
    assert links.get(rg, "spoke", "to-hub").properties.peering_state == "Disconnected"
    network.virtual_networks.begin_delete(rg, "hub")
    with pytest.raises(ResourceNotFoundError):
        network.virtual_networks.get(rg, "hub")


def test_a_changed_address_space_is_synced_to_the_peer(sdk: Sdk, rg: str) -> None:
    links = sdk.network.virtual_network_peerings
    hub, _ = made_network(sdk, rg, "hub")
    spoke, _ = made_network(sdk, rg, "spoke", "10.1")
    links.begin_create_or_update(rg, "hub", "l", link_body(spoke.id))
    links.begin_create_or_update(rg, "spoke", "l", link_body(hub.id))
    wider = network_body("10.1.0.0/16", "10.2.0.0/16")
    sdk.network.virtual_networks.begin_create_or_update(rg, "spoke", wider)
    assert links.get(rg, "hub", "l").properties.peering_sync_level == "LocalNotInSync"
    synced = links.begin_create_or_update(rg, "hub", "l", link_body(spoke.id), sync_remote_address_space=True)
    assert synced.properties.peering_sync_level == "FullyInSync"
    assert synced.properties.remote_address_space.address_prefixes == ["10.1.0.0/16", "10.2.0.0/16"]


def test_parts_that_are_only_read(sdk: Sdk, rg: str) -> None:
    network = sdk.network
    _, subnet = made_network(sdk, rg)
    network.network_security_groups.begin_create_or_update(rg, "n", tracked())
    rules = network.default_security_rules.list(rg, "n")
    assert len(rules) == 6
    assert network.default_security_rules.get(rg, "n", rules[0].name) == rules[0]
    part = {"name": "c", **inner(subnet=ref(subnet.id))}
    network.network_interfaces.begin_create_or_update(rg, "nic", tracked(ipConfigurations=[part]))
    (found,) = network.network_interface_ip_configurations.list(rg, "nic")
    assert found.properties.private_ip_address == "10.0.0.4"
    assert network.network_interface_ip_configurations.get(rg, "nic", "c") == found
    pools = tracked(backendAddressPools=[{"name": "pool"}], frontendIPConfigurations=[part], probes=[])
    network.load_balancers.begin_create_or_update(rg, "lb", {**pools, "sku": {"name": "Standard"}})
    assert [one.name for one in network.load_balancer_backend_address_pools.list(rg, "lb")] == ["pool"]
    assert network.load_balancer_frontend_ip_configurations.get(rg, "lb", "c").name == "c"
    assert network.load_balancer_probes.list(rg, "lb") == []


def test_addresses_of_a_network(sdk: Sdk, rg: str) -> None:
    made_network(sdk, rg)
    networks = sdk.network.virtual_networks
    (usage,) = networks.list_usage(rg, "v")
    assert (usage.current_value, usage.limit, usage.unit) == (0, 251, "Count")
    assert networks.check_ip_address_availability(rg, "v", ip_address="10.0.0.7").available
    assert networks.check_ip_address_availability(rg, "v", ip_address="10.0.0.1").is_platform_reserved


def test_a_group_that_is_not_there(sdk: Sdk) -> None:
    with pytest.raises(HttpResponseError) as refused:
        sdk.network.virtual_networks.begin_create_or_update("no-such-group", "v", network_body("10.0.0.0/16"))
    assert code(refused) == "ResourceGroupNotFound"
    with pytest.raises(ResourceNotFoundError) as missing:
        sdk.network.subnets.get("no-such-group", "v", "s")
    assert code(missing) == "ResourceGroupNotFound"


def test_a_wrong_secret_is_an_authentication_error(sdk: Sdk, shared: LocalAzure) -> None:
    other = type(sdk)(shared, SUB, secret="wrong")
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        other.network.virtual_networks.get("rg", "v")
    other.close()


def test_a_failed_operation_reaches_the_poller_with_its_code(sdk: Sdk, shared: LocalAzure, rg: str) -> None:
    async def fail_once() -> None:
        async with shared.control() as control:
            failure = {"fail_operation": {"code": "AllocationFailed", "message": "none left"}}
            await control.add_fault(failure, method="PUT", url=f"{rg}/.*virtualNetworks")

    asyncio.run(fail_once())
    with pytest.raises(HttpResponseError) as failed:
        made_network(sdk, rg)
    assert (code(failed), failed.value.status_code) == ("AllocationFailed", 200)
    assert sdk.network.virtual_networks.get(rg, "v").properties.provisioning_state == "Failed"


def test_an_operation_is_taken_up_by_another_client(sdk: Sdk, shared: LocalAzure, rg: str) -> None:
    body = network_body("10.0.0.0/16")
    token = sdk.network.virtual_networks.begun("begin_create_or_update", rg, "v", body).continuation_token()
    other = type(sdk)(shared, SUB)
    made = other.network.virtual_networks.begin_create_or_update(rg, "v", body, continuation_token=token)
    assert (made.name, made.properties.provisioning_state) == ("v", "Succeeded")
    other.close()


def test_instances_of_a_uniform_scale_set(sdk: Sdk, rg: str) -> None:
    sets, machines = sdk.compute.virtual_machine_scale_sets, sdk.compute.virtual_machine_scale_set_vms
    interfaces = sdk.network.network_interfaces
    _, subnet = made_network(sdk, rg)
    sets.begin_create_or_update(rg, "set", scale_set(subnet.id, 2))
    found = machines.list(rg, "set", expand="instanceView")
    assert [(one.name, one.instance_id) for one in found] == [("set_0", "0"), ("set_1", "1")]
    assert found[0].properties.instance_view.statuses[-1].code == "PowerState/running"
    listed = interfaces.list_virtual_machine_scale_set_network_interfaces(rg, "set")
    addresses = [one.properties.ip_configurations[0].properties.private_ip_address for one in listed]
    assert addresses == ["10.0.0.4", "10.0.0.5"]
    (one,) = interfaces.list_virtual_machine_scale_set_vm_network_interfaces(rg, "set", "1")
    seen = interfaces.get_virtual_machine_scale_set_network_interface(rg, "set", "1", one.name)
    assert seen.properties == one.properties
    part = interfaces.get_virtual_machine_scale_set_ip_configuration(rg, "set", "1", one.name, "c")
    assert part.properties.private_ip_address == "10.0.0.5"
    assert sets.list_by_location("northeurope") == []
    machines.begin_update(rg, "set", "0", {"location": "westeurope", "tags": {"a": "b"}})
    assert machines.get(rg, "set", "0").tags == {"a": "b"}
    machines.begin_deallocate(rg, "set", "0")
    assert machines.get_instance_view(rg, "set", "0").statuses[-1].code == "PowerState/deallocated"
    assert sets.begin_update(rg, "set", {"sku": {"capacity": 3}}).sku.capacity == 3
    sets.begin_delete_instances(rg, "set", {"instanceIds": ["0"]})
    machines.begin_delete(rg, "set", "1")
    assert [one.instance_id for one in machines.list(rg, "set")] == ["2"]
    summary = sets.get_instance_view(rg, "set").virtual_machine.statuses_summary
    assert {one.code: one.count for one in summary} == {"ProvisioningState/succeeded": 1, "PowerState/running": 1}
    with pytest.raises(ResourceNotFoundError):
        machines.get(rg, "set", "1")


def test_a_flexible_scale_set_is_seen_as_machines(sdk: Sdk, rg: str) -> None:
    machines = sdk.compute.virtual_machines
    _, subnet = made_network(sdk, rg)
    body = scale_set(subnet.id, 2, orchestrationMode="Flexible", platformFaultDomainCount=1)
    made = sdk.compute.virtual_machine_scale_sets.begin_create_or_update(rg, "flex", body)
    found = machines.list(rg)
    assert [one.properties.virtual_machine_scale_set.id for one in found] == [made.id, made.id]
    machines.begin_power_off(rg, found[0].name)
    assert machines.instance_view(rg, found[0].name).statuses[-1].code == "PowerState/stopped"
    machines.begin_start(rg, found[0].name)
    assert machines.instance_view(rg, found[0].name).statuses[-1].code == "PowerState/running"
    sdk.compute.virtual_machine_scale_sets.begin_delete(rg, "flex")
    assert machines.list(rg) == []


def test_the_start_of_authority_of_a_zone(sdk: Sdk, rg: str) -> None:
    sdk.dns.private_zones.begin_create_or_update(rg, "a.internal", {"location": "global"})
    records = sdk.dns.record_sets
    before = records.get(rg, "a.internal", "SOA", "@")
    changed = {"properties": {"soaRecord": {**before.properties.soa_record, "email": "me.a.internal"}}}
    after = records.update(rg, "a.internal", "SOA", "@", changed)
    assert after.properties.soa_record.email == "me.a.internal"
    assert records.list_by_type(rg, "a.internal", "SOA") == [after]
    with pytest.raises(HttpResponseError) as refused:
        records.delete(rg, "a.internal", "SOA", "@")
    assert code(refused) == "BadRequest"


def test_a_record_set_on_condition(sdk: Sdk, rg: str) -> None:
    sdk.dns.private_zones.begin_create_or_update(rg, "a.internal", {"location": "global"})
    name, body = (rg, "a.internal", "TXT", "t"), inner(ttl=60, txtRecords=[{"value": ["x"]}])
    write = sdk.dns.record_sets.create_or_update
    made = write(*name, body, match_condition=MatchConditions.IfMissing)
    with pytest.raises(ResourceExistsError):
        write(*name, body, match_condition=MatchConditions.IfMissing)
    with pytest.raises(ResourceModifiedError):
        write(*name, body, etag="stale", match_condition=MatchConditions.IfNotModified)
    changed = write(
        *name,
        inner(**{**body["properties"], "ttl": 120}),
        etag=made.etag,
        match_condition=MatchConditions.IfNotModified,
    )
    assert (changed.properties.ttl, changed.etag == made.etag) == (120, False)


def test_a_zone_with_links_stays(sdk: Sdk, rg: str) -> None:
    network, _ = made_network(sdk, rg)
    sdk.dns.private_zones.begin_create_or_update(rg, "a.internal", {"location": "global"})
    link = {"location": "global", **inner(virtualNetwork=ref(network.id), registrationEnabled=True)}
    sdk.dns.virtual_network_links.begin_create_or_update(rg, "a.internal", "l", link)
    with pytest.raises(HttpResponseError) as refused:
        sdk.dns.private_zones.begin_delete(rg, "a.internal")
    assert code(refused) == "CannotDeleteResource"


def test_a_network_in_a_virtual_wan(sdk: Sdk, rg: str) -> None:
    network = sdk.network
    spoke, _ = made_network(sdk, rg, "spoke", "10.1")
    wan = network.virtual_wans.begin_create_or_update(rg, "wan", tracked(type="Standard"))
    hub_body = tracked(virtualWan=ref(wan.id), addressPrefix="10.100.0.0/23")
    hub = network.virtual_hubs.begin_create_or_update(rg, "hub", hub_body)
    connections = network.hub_virtual_network_connections
    connection = connections.begin_create_or_update(rg, "hub", "c", link_body(spoke.id))
    table = f"{hub.id}/hubRouteTables/defaultRouteTable"
    assert connection.properties.routing_configuration.associated_route_table.id == table
    links = network.virtual_network_peerings.list(rg, "spoke")
    assert [one.name.partition("_")[0] for one in links] == ["RemoteVnetToHubPeering"]
    network.azure_firewalls.begin_create_or_update(rg, "fw", tracked(virtualHub=ref(hub.id)))
    assert network.virtual_hubs.get(rg, "hub").properties.azure_firewall.id.endswith("/fw")
    assert len(network.hub_route_tables.list(rg, "hub")) == 2
    with pytest.raises(HttpResponseError) as in_use:
        network.virtual_wans.begin_delete(rg, "wan")
    assert code(in_use) == "InUseVirtualWanCannotBeDeleted"
    connections.begin_delete(rg, "hub", "c")
    assert network.virtual_network_peerings.list(rg, "spoke") == []
