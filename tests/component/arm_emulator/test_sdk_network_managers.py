"""The unmodified SDKs, synchronous and asynchronous, for network managers, Network Watcher and what is effective on an interface."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from azure.core.exceptions import HttpResponseError

from dev.local_azure import LocalAzure
from tests.component.arm_emulator.conftest import SUB, started
from tests.component.arm_emulator.sdk_types.row import inner, ref, tracked
from tests.support.arm import network_body, rule_body, subnet_body
from tests.support.sdk import Sdk, code

REGION = "westeurope"
ADMIN_RULE = {
    "kind": "Custom",
    **inner(access="Deny", direction="Inbound", protocol="Tcp", priority=10, destinationPortRanges=["3389"]),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAzure]:
    yield from started(tmp_path_factory, speed=10_000)


@dataclass
class Machine:
    """A running machine: its id and its interface `nic` in the resource group."""

    id: str
    rg: str


@pytest.fixture
def machine(sdk: Sdk, rg: str) -> Machine:
    """In subnet `s` of network `v`; its interface has a group with a rule on port 22."""
    held = tracked(securityRules=[{"name": "ssh", **rule_body(200)}])
    nsg = sdk.network.network_security_groups.begin_create_or_update(rg, "nsg", held)
    body = network_body("10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.2.0/24")}])
    network = sdk.network.virtual_networks.begin_create_or_update(rg, "v", body)
    part = {"name": "c", **inner(subnet=ref(network.properties.subnets[0].id))}
    body = tracked(ipConfigurations=[part], networkSecurityGroup=ref(nsg.id))
    nic = sdk.network.network_interfaces.begin_create_or_update(rg, "nic", body)
    body = tracked(networkProfile={"networkInterfaces": [ref(nic.id)]})
    return Machine(sdk.compute.virtual_machines.begin_create_or_update(rg, "vm", body).id, rg)


def test_effective_rules_and_routes(sdk: Sdk, machine: Machine) -> None:
    interfaces = sdk.network.network_interfaces
    (one,) = interfaces.begin_list_effective_network_security_groups(machine.rg, "nic").value
    assert one.association.network_interface.id.endswith("/nic")
    assert "securityRules/ssh" in {rule.name for rule in one.effective_security_rules}
    assert one.tag_map["VirtualNetwork"] == ["10.0.0.0/16", "168.63.129.16/32"]
    routes = interfaces.begin_get_effective_route_table(machine.rg, "nic").value
    found = {(route.address_prefix[0], route.next_hop_type, route.state) for route in routes}
    assert ("10.0.0.0/16", "VnetLocal", "Active") in found
    sdk.compute.virtual_machines.begin_deallocate(machine.rg, "vm")
    with pytest.raises(HttpResponseError) as stopped:
        interfaces.begin_get_effective_route_table(machine.rg, "nic")
    assert code(stopped) == "NetworkInterfaceNotAttachedToRunningVm"


def test_network_watcher(sdk: Sdk, machine: Machine) -> None:
    watchers = sdk.network.network_watchers
    (watcher,) = [one for one in watchers.list_all() if one.location == REGION]
    place = watcher.id.split("/")[4], watcher.name
    packet = {"targetResourceId": machine.id, "direction": "Inbound", "protocol": "TCP", "localPort": "22",
              "remotePort": "50000", "localIPAddress": "10.0.2.4", "remoteIPAddress": "10.0.1.5"}  # fmt: skip
    flow = watchers.begin_verify_ip_flow(*place, packet)
    assert (flow.access, flow.rule_name) == ("Allow", "securityRules/ssh")
    asked = {"targetResourceId": machine.id, "sourceIPAddress": "10.0.2.4", "destinationIPAddress": "10.0.1.5"}
    hop = watchers.begin_get_next_hop(*place, asked)
    assert (hop.next_hop_type, hop.route_table_id) == ("VnetLocal", "System Route")
    profile = {"direction": "Inbound", "protocol": "TCP", "source": "10.0.1.0/26", "destination": "*", "destinationPort": "22"}  # fmt: skip
    body = {"targetResourceId": machine.id, "profiles": [profile]}
    (result,) = watchers.begin_get_network_configuration_diagnostic(*place, body).results
    assert result.network_security_group_result.security_rule_access_result == "Allow"
    (evaluated,) = result.network_security_group_result.evaluated_network_security_groups
    assert evaluated.matched_rule.rule_name == "UserRule_ssh"
    view = watchers.begin_get_vm_security_rules(*place, {"targetResourceId": machine.id})
    assert view.network_interfaces[0].id.endswith("/nic")


def test_what_a_network_manager_puts_in_force(sdk: Sdk, rg: str) -> None:
    client = sdk.network
    hub, spoke = (
        client.virtual_networks.begin_create_or_update(rg, name, network_body(prefix))
        for name, prefix in (("hub", "10.0.0.0/16"), ("spoke", "10.1.0.0/16"))
    )
    accesses = ["SecurityAdmin", "Connectivity"]
    scopes = {"subscriptions": [f"/subscriptions/{SUB}"]}
    body = tracked(networkManagerScopes=scopes, networkManagerScopeAccesses=accesses)
    client.network_managers.create_or_update(rg, "avnm", body)
    spokes = client.network_groups.create_or_update(rg, "avnm", "spokes", inner())
    client.static_members.create_or_update(rg, "avnm", "spokes", "spoke", inner(resourceId=spoke.id))
    applies = [{"networkGroupId": spokes.id}]
    security = client.security_admin_configurations.create_or_update(rg, "avnm", "c", inner())
    client.admin_rule_collections.create_or_update(rg, "avnm", "c", "all", inner(appliesToGroups=applies))
    rule = client.admin_rules.create_or_update(rg, "avnm", "c", "all", "no-rdp", ADMIN_RULE)
    hubs = [{"resourceId": hub.id, "resourceType": "Microsoft.Network/virtualNetworks"}]
    star = inner(connectivityTopology="HubAndSpoke", hubs=hubs, appliesToGroups=applies)
    connectivity = client.connectivity_configurations.create_or_update(rg, "avnm", "star", star)
    for kind, configuration in zip(accesses, (security, connectivity), strict=True):
        commit = {"targetLocations": [REGION], "configurationIds": [configuration.id], "commitType": kind}
        assert client.network_manager_commits.begin_post(rg, "avnm", commit).commit_id
    status = client.network_manager_deployment_status.list(rg, "avnm", {"regions": [REGION]})
    assert {one.deployment_status for one in status.value} == {"Deployed"}
    active = client.list_active_security_admin_rules(rg, "avnm", {"regions": [REGION]})
    assert [one.id for one in active.value] == [rule.id]
    effective = client.list_network_manager_effective_security_admin_rules(rg, "spoke", {})
    assert [one.id for one in effective.value] == [rule.id]
    star_on = client.list_network_manager_effective_connectivity_configurations(rg, "spoke", {})
    assert [one.id for one in star_on.value] == [connectivity.id]
    everywhere = client.list_active_connectivity_configurations(rg, "avnm", {"regions": [REGION]})
    assert [one.region for one in everywhere.value] == [REGION]
    links = client.virtual_network_peerings.list(rg, "spoke")
    assert [(one.name[:4], one.properties.peering_state) for one in links] == [("ANM_", "Connected")]
    client.static_members.delete(rg, "avnm", "spokes", "spoke")
    assert client.virtual_network_peerings.list(rg, "spoke") == []
    client.network_managers.begin_delete(rg, "avnm", force=True)
    assert client.network_managers.list(rg) == []
