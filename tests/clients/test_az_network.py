"""The real az: groups, networks, Bastion, peerings, rules, routes, locks, roles, the graph."""

import json
import uuid

import pytest

from tests.clients.conftest import OTHER_SUBSCRIPTION, SUBSCRIPTION, Az

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]


@pytest.fixture
def group(az: Az) -> str:
    """A fresh resource group's name."""
    name = f"rg-{uuid.uuid4().hex[:8]}"
    az("group", "create", "--name", name, "--location", "westeurope")
    return name


def group_id(group: str) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"


def network(az: Az, group: str, name: str, prefix: str, *more: str) -> str:
    """A network's id."""
    created = az(
        "network", "vnet", "create", "--resource-group", group, "--name", name, "--address-prefixes", prefix, *more
    )
    return str(created["newVNet"]["id"])


def test_az_sees_the_subscriptions_and_their_regions(az: Az) -> None:
    assert {one["id"] for one in az("account", "list")} == {SUBSCRIPTION, OTHER_SUBSCRIPTION}
    assert "westeurope" in {one["name"] for one in az("account", "list-locations")}
    assert az("provider", "show", "--namespace", "Microsoft.Network")["registrationState"] == "Registered"


def test_a_group_is_created_tagged_listed_and_deleted(az: Az, group: str) -> None:
    assert az("group", "exists", "--name", group) is True
    assert az("group", "update", "--name", group, "--set", "tags.team=net")["tags"] == {"team": "net"}
    assert group in [one["name"] for one in az("group", "list", "--tag", "team=net")]
    network(az, group, "hub", "10.0.0.0/16")
    az("group", "delete", "--name", group, "--yes")
    assert az("group", "exists", "--name", group) is False


def test_a_network_and_its_subnets_are_created_updated_and_deleted(az: Az, group: str) -> None:
    network(az, group, "hub", "10.0.0.0/16", "--subnet-name", "first", "--subnet-prefixes", "10.0.0.0/24")
    here = ("--resource-group", group, "--vnet-name", "hub")
    az("network", "vnet", "subnet", "create", *here, "--name", "second", "--address-prefixes", "10.0.1.0/24")
    shown = az("network", "vnet", "show", "--resource-group", group, "--name", "hub")
    assert [one["name"] for one in shown["subnets"]] == ["first", "second"]
    prefixes = ("--address-prefixes", "10.0.0.0/16", "10.9.0.0/16")
    updated = az("network", "vnet", "update", "--resource-group", group, "--name", "hub", *prefixes)
    assert updated["addressSpace"]["addressPrefixes"] == ["10.0.0.0/16", "10.9.0.0/16"]
    assert [one["name"] for one in updated["subnets"]] == ["first", "second"]
    az("network", "vnet", "subnet", "delete", *here, "--name", "first")
    assert [one["name"] for one in az("network", "vnet", "subnet", "list", *here)] == ["second"]
    az("network", "vnet", "delete", "--resource-group", group, "--name", "hub")
    assert az("network", "vnet", "list", "--resource-group", group) == []


def test_a_bastion_is_created_shown_tagged_and_deleted(az: Az, group: str) -> None:
    hub = network(
        az, group, "hub", "10.0.0.0/16", "--subnet-name", "AzureBastionSubnet", "--subnet-prefixes", "10.0.1.0/26"
    )
    address = az("network", "public-ip", "create", "--resource-group", group, "--name", "ip", "--sku", "Standard")
    body = {
        "location": "westeurope",
        "sku": {"name": "Standard"},
        "properties": {
            "enableTunneling": True,
            "ipConfigurations": [
                {
                    "name": "ip",
                    "properties": {
                        "subnet": {"id": f"{hub}/subnets/AzureBastionSubnet"},
                        "publicIPAddress": {"id": address["publicIp"]["id"]},
                    },
                }
            ],
        },
    }
    host = f"{group_id(group)}/providers/Microsoft.Network/bastionHosts/bastion"
    url = f"{host}?api-version=2025-05-01"
    created = az("rest", "--method", "put", "--url", url, "--body", json.dumps(body))
    assert created["properties"]["provisioningState"] == "Updating"
    az("resource", "wait", "--ids", host, "--created", "--interval", "1")
    shown = az("resource", "show", "--ids", host)
    assert shown["properties"]["dnsName"].startswith("bst-")
    assert shown["properties"]["enableTunneling"] is True
    assert az("resource", "tag", "--ids", host, "--tags", "team=net")["tags"] == {"team": "net"}
    listed = az("resource", "list", "--resource-group", group, "--resource-type", "Microsoft.Network/bastionHosts")
    assert [one["name"] for one in listed] == ["bastion"]
    az("resource", "delete", "--ids", host)
    assert "ResourceNotFound" in az.refusal("resource", "show", "--ids", host)


def test_both_halves_of_a_peering_connect_and_take_up_a_new_prefix(az: Az, group: str) -> None:
    network(az, group, "hub", "10.0.0.0/16")
    network(az, group, "spoke", "10.1.0.0/16")
    commands = "network", "vnet", "peering"
    near = ("--resource-group", group, "--vnet-name", "hub", "--name", "to-spoke")
    far = ("--resource-group", group, "--vnet-name", "spoke", "--name", "to-hub")
    first = az(*commands, "create", *near, "--remote-vnet", "spoke", "--allow-vnet-access")
    assert (first["peeringState"], first["peeringSyncLevel"]) == ("Initiated", "RemoteNotInSync")
    second = az(*commands, "create", *far, "--remote-vnet", "hub", "--allow-vnet-access")
    assert (second["peeringState"], second["peeringSyncLevel"]) == ("Connected", "FullyInSync")
    assert az(*commands, "show", *near)["peeringState"] == "Connected"
    more = ("--address-prefixes", "10.1.0.0/16", "10.2.0.0/16")
    az("network", "vnet", "update", "--resource-group", group, "--name", "spoke", *more)
    assert az(*commands, "show", *near)["peeringSyncLevel"] != "FullyInSync"
    synced = az(*commands, "sync", *near)
    assert synced["remoteAddressSpace"]["addressPrefixes"] == ["10.1.0.0/16", "10.2.0.0/16"]
    updated = az(*commands, "update", *near, "--set", "allowForwardedTraffic=true")
    assert updated["allowForwardedTraffic"] is True
    az(*commands, "delete", *far)
    assert az(*commands, "show", *near)["peeringState"] == "Disconnected"


def test_security_rules_are_created_updated_listed_and_deleted(az: Az, group: str) -> None:
    az("network", "nsg", "create", "--resource-group", group, "--name", "nsg")
    here = ("--resource-group", group, "--nsg-name", "nsg")
    ports = ("--destination-port-ranges", "22", "3389", "--source-address-prefixes", "10.0.1.0/26")
    allow = ("--access", "Allow", "--protocol", "Tcp", "--direction", "Inbound")
    az("network", "nsg", "rule", "create", *here, "--name", "bastion", "--priority", "100", *allow, *ports)
    updated = az("network", "nsg", "rule", "update", *here, "--name", "bastion", "--priority", "110")
    assert (updated["priority"], updated["destinationPortRanges"]) == (110, ["22", "3389"])
    listed = az("network", "nsg", "rule", "list", *here, "--include-default")
    assert len(listed) == 7
    refused = az.refusal("network", "nsg", "rule", "create", *here, "--name", "again", "--priority", "110", *allow)
    assert "SecurityRuleConflict" in refused
    az("network", "nsg", "rule", "delete", *here, "--name", "bastion")
    assert az("network", "nsg", "rule", "list", *here) == []


def test_a_subnet_takes_a_route_table_and_a_security_group(az: Az, group: str) -> None:
    network(az, group, "hub", "10.0.0.0/16", "--subnet-name", "vms", "--subnet-prefixes", "10.0.0.0/24")
    az("network", "nsg", "create", "--resource-group", group, "--name", "nsg")
    az("network", "route-table", "create", "--resource-group", group, "--name", "routes")
    hop = ("--next-hop-type", "VirtualAppliance", "--next-hop-ip-address", "10.0.0.4")
    route = ("--name", "default", "--address-prefix", "0.0.0.0/0", *hop)
    az("network", "route-table", "route", "create", "--resource-group", group, "--route-table-name", "routes", *route)
    subnet = ("--resource-group", group, "--vnet-name", "hub", "--name", "vms")
    bound = az("network", "vnet", "subnet", "update", *subnet, "--nsg", "nsg", "--route-table", "routes")
    assert bound["networkSecurityGroup"]["id"].endswith("/nsg")
    assert bound["routeTable"]["id"].endswith("/routes")
    assert "InUse" in az.refusal("network", "nsg", "delete", "--resource-group", group, "--name", "nsg")
    free = az("network", "vnet", "subnet", "update", *subnet, "--nsg", "null", "--route-table", "null")
    assert not free.get("networkSecurityGroup")
    az("network", "nsg", "delete", "--resource-group", group, "--name", "nsg")


def test_a_lock_keeps_what_it_is_on_until_it_goes(az: Az, group: str) -> None:
    network(az, group, "hub", "10.0.0.0/16")
    az("lock", "create", "--name", "keep", "--lock-type", "CanNotDelete", "--resource-group", group)
    assert [one["name"] for one in az("lock", "list", "--resource-group", group)] == ["keep"]
    delete = ("network", "vnet", "delete", "--resource-group", group, "--name", "hub")
    assert "ScopeLocked" in az.refusal(*delete)
    az("lock", "delete", "--name", "keep", "--resource-group", group)
    az(*delete)


def test_tags_are_merged_and_removed_on_any_resource(az: Az, group: str) -> None:
    hub = network(az, group, "hub", "10.0.0.0/16", "--tags", "env=test")
    merged = az("tag", "update", "--resource-id", hub, "--operation", "Merge", "--tags", f"team={group}")
    assert merged["properties"]["tags"] == {"env": "test", "team": group}
    assert [one["id"] for one in az("resource", "list", "--tag", f"team={group}")] == [hub]
    az("tag", "delete", "--resource-id", hub, "--yes")
    assert not az("network", "vnet", "show", "--ids", hub).get("tags")


def test_roles_are_assigned_by_name_listed_and_taken_away(az: Az, group: str) -> None:
    reader = az.azure.clients["reader"].client_id
    where = ("--scope", group_id(group))
    made = az("role", "assignment", "create", "--assignee", reader, "--role", "Network Contributor", *where)
    [listed] = az("role", "assignment", "list", *where)
    assert (listed["id"], listed["roleDefinitionName"]) == (made["id"], "Network Contributor")
    assert listed["principalName"] == reader
    az("role", "assignment", "delete", "--ids", made["id"])
    assert az("role", "assignment", "list", *where) == []


def test_a_machine_is_listed_stopped_and_diagnosed(az: Az, group: str) -> None:
    network(az, group, "hub", "10.0.0.0/16", "--subnet-name", "vms", "--subnet-prefixes", "10.0.0.0/24")
    az("network", "nsg", "create", "--resource-group", group, "--name", "nsg")
    in_group = ("--resource-group", group)
    where = ("--vnet-name", "hub", "--subnet", "vms", "--network-security-group", "nsg")
    nic = az("network", "nic", "create", *in_group, "--name", "nic", *where)["NewNIC"]
    body = {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B2s"},
            "storageProfile": {"osDisk": {"osType": "Linux", "createOption": "FromImage"}},
            "networkProfile": {"networkInterfaces": [{"id": nic["id"]}]},
        },
    }
    machine = f"{group_id(group)}/providers/Microsoft.Compute/virtualMachines/vm"
    az("rest", "--method", "put", "--url", f"{machine}?api-version=2024-07-01", "--body", json.dumps(body))
    az("vm", "wait", *in_group, "--name", "vm", "--created", "--interval", "1")
    [listed] = az("vm", "list", *in_group, "--show-details")
    assert (listed["powerState"], listed["privateIps"]) == ("VM running", "10.0.0.4")
    rules = az("network", "nic", "list-effective-nsg", *in_group, "--name", "nic")["value"]
    names = {rule["name"] for rules_of_group in rules for rule in rules_of_group["effectiveSecurityRules"]}
    assert "defaultSecurityRules/AllowVnetInBound" in names
    routes = az("network", "nic", "show-effective-route-table", *in_group, "--name", "nic")["value"]
    assert ("VnetLocal", ["10.0.0.0/16"]) in [(one["nextHopType"], one["addressPrefix"]) for one in routes]
    flow = ("--direction", "Inbound", "--protocol", "TCP", "--local", "10.0.0.4:22", "--remote", "10.0.0.5:60000")
    verdict = az("network", "watcher", "test-ip-flow", *in_group, "--vm", "vm", "--nic", "nic", *flow)
    assert (verdict["access"], verdict["ruleName"].rpartition("/")[2]) == ("Allow", "AllowVnetInBound")
    az("vm", "deallocate", *in_group, "--name", "vm")
    assert az("vm", "show", *in_group, "--name", "vm", "--show-details")["powerState"] == "VM deallocated"
    assert az.refusal("network", "nic", "list-effective-nsg", *in_group, "--name", "nic")
    az("vm", "start", *in_group, "--name", "vm")
    az("vm", "delete", *in_group, "--name", "vm", "--yes")
    assert az("vm", "list", *in_group) == []


def test_resource_graph_is_asked_by_az_rest(az: Az, group: str) -> None:
    network(az, group, "hub", "10.0.0.0/16")
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    query = f"resources | where resourceGroup == '{group}' | project id, name, type"
    answer = az("rest", "--method", "post", "--url", url, "--body", json.dumps({"query": query}))
    assert [(row["name"], row["type"]) for row in answer["data"]] == [("hub", "microsoft.network/virtualnetworks")]


def test_an_error_is_told_with_azures_code(az: Az, group: str) -> None:
    network(az, group, "one", "10.0.0.0/16")
    network(az, group, "two", "10.0.0.0/16")
    near = ("--resource-group", group, "--vnet-name", "one", "--name", "to-two")
    refused = az.refusal("network", "vnet", "peering", "create", *near, "--remote-vnet", "two", "--allow-vnet-access")
    assert "VnetAddressSpacesOverlap" in refused
    assert "ResourceNotFound" in az.refusal("network", "vnet", "show", "--resource-group", group, "--name", "none")
