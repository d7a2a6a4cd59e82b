"""What recorded answers of the real Azure say of members, their order, defaults and headers: one test a fact."""

import pytest

from tests.support.arm import NET, PUBLIC_IP, RG, SUB, Arm, Json, link_body, network_body, rule_body, subnet_body

SERVICE_ID = "x-ms-arm-service-request-id"
OPERATION, NOTIFICATION = "azure-asyncoperation", "azure-asyncnotification"
GROUP = f"{NET}/networkSecurityGroups/n"
INTERFACE = f"{NET}/networkInterfaces/i"
MOVED: Json = {"location": "westeurope", "tags": {"a": "b"}}


def interface_body(network: str, **part: object) -> Json:
    properties = {"subnet": {"id": f"{network}/subnets/s"}, **part}
    return {
        "location": "westeurope",
        "properties": {"ipConfigurations": [{"name": "c", "properties": properties}]},
    }


def with_subnet(arm: Arm) -> str:
    return arm.network("v", "10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}])


# -- headers -----------------------------------------------------------------------------------------------------


def test_microsoft_network_signs_what_it_answers() -> None:
    arm = Arm()
    put = arm.put(GROUP, {"location": "westeurope"})
    poll = arm.get(put.headers[OPERATION])
    arm.wait()
    answers = [put, poll, arm.get(GROUP), arm.get(f"{NET}/networkSecurityGroups"), arm.get(f"{GROUP}/securityRules")]
    assert len({answer.headers[SERVICE_ID] for answer in answers}) == len(answers)
    assert SERVICE_ID in arm.get(f"{GROUP}/securityRules/no").headers
    assert SERVICE_ID in arm.delete(GROUP).headers


def test_others_do_not_and_neither_does_the_empty_list_of_a_subscription() -> None:
    arm = Arm()
    for path in (RG, f"/subscriptions/{SUB}/providers/Microsoft.Network/natGateways", f"{RG}/providers/Microsoft.Compute/virtualMachines"):  # fmt: skip
        answer = arm.get(path)
        assert answer.status == 200
        assert SERVICE_ID not in answer.headers


def test_dns_is_a_provider_of_its_own() -> None:
    answer = Arm().put(f"{NET}/privateDnsZones/z.test", {"location": "global"}, version="2024-06-01")
    assert answer.status < 300
    assert SERVICE_ID not in answer.headers


def test_peerings_do_not_announce_notifications_and_others_do() -> None:
    arm = Arm()
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", "10.1.0.0/16")
    link = f"{hub}/virtualNetworkPeerings/l"
    made = arm.put(link, link_body(spoke))
    arm.wait()
    deleted = arm.delete(link)
    arm.wait()
    for answer in (made, deleted, arm.get(deleted.headers["location"])):
        assert OPERATION in answer.headers
        assert NOTIFICATION not in answer.headers
    assert arm.delete(hub).headers[NOTIFICATION] == "Enabled"


def test_the_204_that_ends_a_deletion_repeats_where_its_operation_is() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    result = arm.delete(GROUP).headers["location"]
    arm.wait()
    answer = arm.get(result)
    assert answer.status == 204
    assert answer.body is None
    assert "/operations/" in answer.headers[OPERATION]
    assert "/operationResults/" in answer.headers["location"]
    assert answer.headers[NOTIFICATION] == "Enabled"


# -- the order of members ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "members"),
    [
        ("virtualNetworks", {**network_body("10.0.0.0/16"), "tags": {}}, "name id etag type location tags properties"),
        ("networkSecurityGroups", MOVED, "name id etag type location tags properties"),
        ("routeTables", MOVED, "name id etag type location tags properties"),
        ("applicationSecurityGroups", MOVED, "name id etag type location tags properties"),
        ("publicIPAddresses", {**PUBLIC_IP, "tags": {}}, "name id etag location tags properties type sku"),
    ],
)
def test_members_come_in_their_recorded_order(kind: str, body: Json, members: str) -> None:
    assert list(Arm().put(f"{NET}/{kind}/x", body).body) == members.split()


def test_a_route_ends_with_its_type() -> None:
    arm = Arm()
    arm.made(f"{NET}/routeTables/t", {"location": "westeurope"})
    route = {"properties": {"nextHopType": "None", "addressPrefix": "10.0.5.0/24"}}
    body = arm.made(f"{NET}/routeTables/t/routes/r", route).body
    assert list(body) == ["name", "id", "etag", "properties", "type"]
    assert list(body["properties"].items()) == [
        ("provisioningState", "Succeeded"),
        ("addressPrefix", "10.0.5.0/24"),
        ("nextHopType", "None"),
        ("hasBgpOverride", False),
    ]


def test_a_subnet_and_a_peering_end_with_their_type_and_a_rule_does_not() -> None:
    arm = Arm()
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", "10.1.0.0/16")
    arm.made(GROUP, {"location": "westeurope"})
    link = arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(spoke)).body
    subnet = arm.made(f"{hub}/subnets/s", subnet_body("10.0.0.0/24")).body
    rule = arm.made(f"{GROUP}/securityRules/r", rule_body(200)).body
    assert list(link) == list(subnet) == ["name", "id", "etag", "properties", "type"]
    assert list(rule) == ["name", "id", "etag", "type", "properties"]
    assert list(link["properties"])[:5] == [
        "provisioningState", "resourceGuid", "peeringState", "peeringSyncLevel", "remoteVirtualNetwork",
    ]  # fmt: skip


def test_a_resource_group_begins_with_its_id() -> None:
    arm = Arm()
    assert list(arm.get(RG).body)[:4] == ["id", "name", "type", "location"]


def test_locks_and_role_assignments_begin_with_their_properties() -> None:
    arm = Arm()
    lock = arm.put(f"{RG}/providers/Microsoft.Authorization/locks/l", {"properties": {"level": "CanNotDelete"}}, version="2020-05-01")  # fmt: skip
    roles = arm.get(f"{RG}/providers/Microsoft.Authorization/roleAssignments", version="2022-04-01").body["value"]
    assert roles
    for body in (lock.body, *roles):
        assert list(body) == ["properties", "id", "type", "name"]


def test_a_bastion_ends_with_its_sku_and_tells_its_features_in_their_order() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    body["properties"] |= {"enableKerberos": False, "disableCopyPaste": True, "enableTunneling": True}
    answer = arm.put(f"{NET}/bastionHosts/b", {**body, "zones": ["1"], "tags": {}}).body
    assert list(answer) == ["name", "id", "etag", "type", "location", "tags", "zones", "properties", "sku"]
    assert list(answer["properties"]) == [
        "provisioningState", "scaleUnits", "enableTunneling", "disableCopyPaste", "enableKerberos", "ipConfigurations",
    ]  # fmt: skip
    (part,) = answer["properties"]["ipConfigurations"]
    assert list(part) == ["name", "id", "etag", "type", "properties"]
    assert list(part["properties"]) == ["provisioningState", "privateIPAllocationMethod", "publicIPAddress", "subnet"]


# -- Microsoft.Compute -------------------------------------------------------------------------------------------


def test_operations_of_compute_tell_their_times_and_their_name() -> None:
    arm = Arm()
    arm.made(INTERFACE, interface_body(with_subnet(arm)))
    body = {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B1s"},
            "networkProfile": {"networkInterfaces": [{"id": INTERFACE}]},
        },
    }
    answer = arm.put(f"{RG}/providers/Microsoft.Compute/virtualMachines/m", body)
    assert list(answer.body) == ["name", "id", "type", "location", "properties"]
    assert list(answer.properties)[:3] == ["hardwareProfile", "provisioningState", "vmId"]
    assert answer.properties["timeCreated"].endswith("+00:00")
    url = answer.headers[OPERATION]
    assert list(arm.get(url).body) == ["startTime", "status", "name"]
    arm.wait()
    ended = arm.get(url).body
    assert list(ended) == ["startTime", "endTime", "status", "name"]
    assert ended["name"] in url
    assert ended["startTime"] < ended["endTime"]
    assert ended["endTime"].endswith("+00:00")


# -- members and defaults ----------------------------------------------------------------------------------------


def test_vm_protection_that_is_off_is_not_kept() -> None:
    arm = Arm()
    off = arm.put(f"{NET}/virtualNetworks/off", network_body("10.0.0.0/16", enableVmProtection=False))
    on = arm.put(f"{NET}/virtualNetworks/on", network_body("10.0.0.0/16", enableVmProtection=True))
    assert "enableVmProtection" not in off.properties
    assert on.properties["enableVmProtection"] is True


def test_dhcp_options_list_their_servers_and_are_absent_where_not_sent() -> None:
    arm = Arm()
    assert "dhcpOptions" not in arm.put(f"{NET}/virtualNetworks/a", network_body("10.0.0.0/16")).properties
    sent = arm.put(f"{NET}/virtualNetworks/b", network_body("10.0.0.0/16", dhcpOptions={}))
    assert sent.properties["dhcpOptions"] == {"dnsServers": []}


def test_default_rules_come_to_rest_with_their_group() -> None:
    arm = Arm()
    put = arm.put(GROUP, {"location": "westeurope"})
    assert {rule["properties"]["provisioningState"] for rule in put.properties["defaultSecurityRules"]} == {"Updating"}
    arm.wait()
    rested = arm.get(GROUP).properties["defaultSecurityRules"]
    assert {rule["properties"]["provisioningState"] for rule in rested} == {"Succeeded"}


def test_an_application_security_group_has_no_guid() -> None:
    arm = Arm()
    assert arm.put(f"{NET}/applicationSecurityGroups/a", MOVED).properties == {"provisioningState": "Updating"}


def test_a_public_address_inherits_its_protection() -> None:
    arm = Arm()
    properties = arm.made(f"{NET}/publicIPAddresses/p", PUBLIC_IP).properties
    address = properties.pop("ipAddress")
    guid = properties.pop("resourceGuid")
    assert address
    assert guid
    assert properties == {
        "provisioningState": "Succeeded",
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
        "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
    }


def test_a_subnet_lists_its_pools_and_delegations_even_when_it_has_none() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assert arm.made(f"{network}/subnets/s", subnet_body("10.0.0.0/24")).properties == {
        "provisioningState": "Succeeded",
        "addressPrefix": "10.0.0.0/24",
        "ipamPoolPrefixAllocations": [],
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    }


def test_an_interface_tells_all_that_it_is_and_ends_with_its_kind() -> None:
    arm = Arm()
    network = with_subnet(arm)
    body = arm.made(INTERFACE, {**interface_body(network), "tags": {}}).body
    assert list(body) == ["name", "id", "etag", "tags", "properties", "type", "location", "kind"]
    assert body["kind"] == "Regular"
    assert list(body["properties"]) == [
        "provisioningState", "resourceGuid", "ipConfigurations", "dnsSettings", "enableAcceleratedNetworking",
        "vnetEncryptionSupported", "enableIPForwarding", "disableTcpStateTracking", "hostedWorkloads",
        "tapConfigurations", "nicType", "allowPort25Out", "defaultOutboundConnectivityEnabled", "auxiliaryMode",
        "auxiliarySku",
    ]  # fmt: skip
    (part,) = body["properties"]["ipConfigurations"]
    assert list(part) == ["name", "id", "etag", "type", "properties"]
    assert part["etag"] == body["etag"]
    assert list(part["properties"]) == [
        "provisioningState", "privateIPAddress", "privateIPAllocationMethod", "subnet", "primary",
        "privateIPAddressVersion",
    ]  # fmt: skip


def test_interfaces_of_a_virtual_network_share_a_name_suffix() -> None:
    arm = Arm()
    network = with_subnet(arm)
    first = arm.made(INTERFACE, interface_body(network)).properties["dnsSettings"]
    second = arm.made(f"{INTERFACE}2", interface_body(network)).properties["dnsSettings"]
    assert first == second
    assert first["dnsServers"] == first["appliedDnsServers"] == []
    assert first["internalDomainNameSuffix"].endswith(".internal.cloudapp.net")


def test_a_change_of_tags_alone_has_come_to_rest_when_it_is_answered() -> None:
    for path in (GROUP, f"{NET}/applicationSecurityGroups/a"):
        arm = Arm()
        before = arm.made(path, {"location": "westeurope"}).body
        answer = arm.put(path, MOVED)
        assert (answer.status, answer.properties["provisioningState"]) == (200, "Succeeded")
        assert "retry-after" not in answer.headers
        assert arm.get(answer.headers[OPERATION]).body == {"status": "Succeeded"}
        assert before["etag"] != answer.body["etag"] == arm.get(path).body["etag"]
        assert arm.get(path).body["tags"] == {"a": "b"}


def test_a_nat_gateway_tells_its_scope_flow_logs_and_tier() -> None:
    body = {"location": "westeurope", "sku": {"name": "StandardV2"}, "properties": {"nat64": "Enabled"}}
    answer = Arm().put(f"{NET}/natGateways/g", body)
    assert list(answer.properties) == [
        "provisioningState", "resourceGuid", "idleTimeoutInMinutes", "scope", "flowlogs", "nat64",
    ]  # fmt: skip
    told = [answer.properties[name] for name in ("idleTimeoutInMinutes", "scope", "flowlogs", "nat64")]
    assert told == [4, "Public", {"logsVersions": {}}, "Enabled"]
    assert answer.body["sku"] == {"name": "StandardV2", "tier": "Regional"}
    assert list(answer.body)[-2:] == ["properties", "sku"]


def test_a_label_makes_a_name_in_the_regions_zone() -> None:
    body = {**PUBLIC_IP, "properties": {**PUBLIC_IP["properties"], "dnsSettings": {"domainNameLabel": "w"}}}
    answer = Arm().put(f"{NET}/publicIPAddresses/p", body)
    assert answer.properties["dnsSettings"] == {"domainNameLabel": "w", "fqdn": "w.westeurope.cloudapp.azure.com"}


def test_a_peering_that_uses_the_others_gateway_names_it() -> None:
    gateway = f"{NET}/virtualNetworkGateways/g"
    part = {"name": "c", "properties": {"subnet": {"id": f"{NET}/virtualNetworks/hub/subnets/GatewaySubnet"}}}
    row = {"id": gateway, "type": "Microsoft.Network/virtualNetworkGateways", "location": "westeurope",
           "properties": {"ipConfigurations": [part]}}  # fmt: skip
    arm = Arm(estate=[_hub_row(), row])
    spoke = arm.network("spoke", "10.1.0.0/16")
    hub = f"{NET}/virtualNetworks/hub"
    arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(spoke, allowGatewayTransit=True))
    link = arm.made(f"{spoke}/virtualNetworkPeerings/l", link_body(hub, useRemoteGateways=True))
    assert link.properties["remoteGateways"] == [{"id": gateway}]
    assert link.properties["routeServiceVips"] == {}
    without = arm.made(f"{spoke}/virtualNetworkPeerings/l", link_body(hub, useRemoteGateways=False))
    assert "remoteGateways" not in without.properties


def _hub_row() -> Json:
    subnet = {"name": "GatewaySubnet", **subnet_body("10.0.0.0/24")}
    return {
        "id": f"{NET}/virtualNetworks/hub",
        "type": "Microsoft.Network/virtualNetworks",
        **network_body("10.0.0.0/16", subnets=[subnet]),
    }


def test_what_is_read_can_be_put_back() -> None:
    arm = Arm()
    network = with_subnet(arm)
    hub = arm.network("hub", "10.1.0.0/16")
    arm.made(INTERFACE, interface_body(network))
    arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(network))
    arm.made(f"{NET}/publicIPAddresses/p", PUBLIC_IP)
    arm.made(GROUP, {"location": "westeurope"})
    for path in (INTERFACE, hub, f"{hub}/virtualNetworkPeerings/l", f"{NET}/publicIPAddresses/p", GROUP):
        before = arm.get(path).body
        assert _without_etags(arm.made(path, before).body) == _without_etags(before)


def _without_etags(value: object) -> object:
    if isinstance(value, list):
        return [_without_etags(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _without_etags(member) for name, member in value.items() if name != "etag"}
    return value
