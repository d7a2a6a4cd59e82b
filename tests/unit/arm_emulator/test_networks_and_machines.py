"""Subnets, security groups, public IPs, interfaces, machines and route tables: refusals, answers, back references."""

from typing import Any

import pytest

from tests.support.arm import NET, PUBLIC_IP, RG, SUB, Arm, network_body, rule_body, subnet_body

GROUP = f"{NET}/networkSecurityGroups/n"
VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/vm"


def nic_body(subnet: str, **extra: Any) -> dict[str, Any]:
    part = {"subnet": {"id": subnet}, **extra.pop("part", {})}
    return {"location": "westeurope", "properties": {"ipConfigurations": [{"name": "c", "properties": part}], **extra}}


def vm_body(*nics: str) -> dict[str, Any]:
    profile = {"networkInterfaces": [{"id": nic} for nic in nics]}
    return {"location": "westeurope", "properties": {"networkProfile": profile, "osProfile": {"computerName": "vm"}}}


def machine(arm: Arm) -> str:
    network = arm.network("v", "10.0.0.0/16")
    arm.made(f"{network}/subnets/s", subnet_body("10.0.0.0/24"))
    arm.made(f"{NET}/networkInterfaces/nic", nic_body(f"{network}/subnets/s"))
    arm.made(VM, vm_body(f"{NET}/networkInterfaces/nic"))
    return network


@pytest.mark.parametrize(
    ("prefix", "code"),
    [("10.0.0.128/25", "NetcfgSubnetRangesOverlap"), ("10.9.0.0/24", "NetcfgInvalidSubnet"), ("10.0.1.0/33", "InvalidAddressPrefixFormat")],
)  # fmt: skip
def test_subnets_lie_apart_inside_the_address_space(prefix: str, code: str) -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16", subnets=[{"name": "a", **subnet_body("10.0.0.0/24")}])
    assert arm.put(f"{network}/subnets/b", subnet_body(prefix)).code == code
    assert arm.get(f"{network}/subnets/b").status == 404


def test_an_address_space_cannot_leave_its_subnets_outside() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16", subnets=[{"name": "a", **subnet_body("10.0.0.0/24")}])
    assert arm.put(network, network_body("10.1.0.0/16")).code == "NetcfgInvalidSubnet"
    assert arm.get(network).properties["addressSpace"]["addressPrefixes"] == ["10.0.0.0/16"]


def test_a_subnet_in_use_keeps_its_prefix_and_stays() -> None:
    arm = Arm()
    network = machine(arm)
    assert arm.put(f"{network}/subnets/s", subnet_body("10.0.1.0/24")).code == "InUsePrefixCannotBeDeleted"
    answer = arm.delete(f"{network}/subnets/s")
    assert (answer.status, answer.code) == (400, "InUseSubnetCannotBeDeleted")
    assert arm.put(network, network_body("10.0.0.0/16", subnets=[])).code == "InUseSubnetCannotBeDeleted"


def test_a_network_tells_how_full_its_subnets_are() -> None:
    arm = Arm()
    network = machine(arm)
    arm.made(f"{network}/subnets/GatewaySubnet", subnet_body("10.0.9.0/27"))
    value = arm.get(f"{network}/usages").body["value"]
    assert [(one["id"].rpartition("/")[2], one["currentValue"], one["limit"]) for one in value] == [
        ("s", 1.0, 251.0),
        ("GatewaySubnet", -1.0, -1.0),
    ]
    assert value[0]["name"] == {"localizedValue": "Subnet size and usage", "value": "SubnetSpace"}


def test_a_subscription_tells_how_many_of_what_it_may_have_in_a_region() -> None:
    arm = Arm()
    machine(arm)
    usages = f"/subscriptions/{SUB}/providers/Microsoft.Network/locations/{{}}/usages"
    value = {one["name"]["value"]: one for one in arm.get(usages.format("WestEurope")).body["value"]}
    assert (value["VirtualNetworks"]["currentValue"], value["VirtualNetworks"]["limit"]) == (1, 1000)
    assert (value["PublicIPAddresses"]["currentValue"], value["PublicIPAddresses"]["limit"]) == (0, 10)
    assert value["PeeringsPerVirtualNetwork"]["limit"] == 500
    elsewhere = arm.get(usages.format("northeurope")).body["value"]
    assert [one["currentValue"] for one in elsewhere if one["name"]["value"] == "VirtualNetworks"] == [0]
    assert arm.get(usages.format("atlantis")).code == "LocationNotAvailableForResourceType"


@pytest.mark.parametrize(
    ("address", "available", "reserved", "others"),
    [
        ("10.0.0.9", True, False, []),
        ("10.0.0.4", False, False, [f"10.0.0.{number}" for number in range(5, 10)]),
        ("10.0.0.1", False, True, [f"10.0.0.{number}" for number in range(5, 10)]),
    ],
)
def test_an_address_is_free_or_others_are_named(
    address: str, available: bool, reserved: bool, others: list[str]
) -> None:
    arm = Arm()
    answer = arm.get(f"{machine(arm)}/checkIPAddressAvailability", ipAddress=address)
    assert answer.status == 200
    assert answer.body == {
        "available": available,
        "availableIPAddresses": others,
        "isPlatformReserved": reserved,
    }


@pytest.mark.parametrize(
    ("address", "code"), [("10.0.5.4", "PrivateIPAddressNotInAnySubnet"), ("here", "InvalidIPAddress"), ("", "InvalidIPAddress")]
)  # fmt: skip
def test_an_address_outside_of_all_subnets_or_none_at_all_is_refused(address: str, code: str) -> None:
    arm = Arm()
    answer = arm.get(f"{machine(arm)}/checkIPAddressAvailability", ipAddress=address)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    "wrong",
    [{"priority": 99}, {"priority": 4097}, {"protocol": "Sctp"}, {"access": "Maybe"}, {"destinationPortRange": "70000"},
     {"destinationPortRange": "9-8"}, {"sourceAddressPrefix": None}, {"direction": None},
     {"destinationPortRange": "80", "destinationPortRanges": ["81"]}],
)  # fmt: skip
def test_rules_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    assert arm.put(f"{GROUP}/securityRules/r", rule_body(200, **wrong) if "priority" not in wrong else rule_body(wrong["priority"])).status == 400  # fmt: skip


def test_public_ips_get_an_address_with_success_and_are_counted() -> None:
    arm = Arm(quota=2)
    assert "ipAddress" not in arm.put(f"{NET}/publicIPAddresses/a", PUBLIC_IP).properties
    arm.wait()
    assert arm.get(f"{NET}/publicIPAddresses/a").properties["ipAddress"]
    arm.made(f"{NET}/publicIPAddresses/b", PUBLIC_IP)
    answer = arm.put(f"{NET}/publicIPAddresses/c", PUBLIC_IP)
    assert (answer.status, answer.code) == (400, "PublicIPCountLimitReached")
    assert arm.put(f"{NET}/publicIPAddresses/c", {**PUBLIC_IP, "location": "eastus"}).status == 201
    dynamic = {**PUBLIC_IP, "location": "westus", "properties": {"publicIPAllocationMethod": "Dynamic"}}
    assert arm.put(f"{NET}/publicIPAddresses/d", dynamic).status == 400
    assert arm.put(f"{NET}/publicIPAddresses/a", {**PUBLIC_IP, "zones": ["1"]}).status == 400


def test_interfaces_get_the_next_free_address_and_show_in_their_subnet() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    subnet = f"{network}/subnets/s"
    arm.made(subnet, subnet_body("10.0.0.0/29"))
    nics = [arm.made(f"{NET}/networkInterfaces/n{n}", nic_body(subnet)) for n in range(3)]
    parts = [nic.properties["ipConfigurations"][0]["properties"] for nic in nics]
    assert [part["privateIPAddress"] for part in parts] == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    assert arm.put(f"{NET}/networkInterfaces/n4", nic_body(subnet)).code == "SubnetIsFull"
    expected = (
        f"/subscriptions/{SUB}/resourceGroups/RG/providers/Microsoft.Network/networkInterfaces/N0/ipConfigurations/C"
    )
    assert arm.get(subnet).properties["ipConfigurations"][0] == {"id": expected}
    static = {"privateIPAllocationMethod": "Static", "privateIPAddress": "10.0.0.5"}
    assert arm.put(f"{NET}/networkInterfaces/n5", nic_body(subnet, part=static)).code == "PrivateIPAddressIsAllocated"
    static["privateIPAddress"] = "10.0.0.1"
    assert arm.put(f"{NET}/networkInterfaces/n5", nic_body(subnet, part=static)).code == "PrivateIPAddressNotInSubnet"


def test_an_interface_of_a_machine_cannot_be_deleted_and_names_it() -> None:
    arm = Arm()
    machine(arm)
    nic = arm.get(f"{NET}/networkInterfaces/nic").properties
    assert nic["virtualMachine"] == {"id": VM}
    assert (arm.delete(f"{NET}/networkInterfaces/nic").status, arm.delete(f"{NET}/networkInterfaces/nic").code) == (
        400,
        "NicInUse",
    )
    assert arm.put(f"{VM}2", vm_body(f"{NET}/networkInterfaces/nic")).code == "NicInUse"
    arm.gone(VM)
    assert arm.delete(f"{NET}/networkInterfaces/nic").headers["retry-after"] == "4"


def test_a_machine_runs_when_made_and_is_stopped_and_started_by_operations() -> None:
    arm = Arm()
    machine(arm)

    def power() -> str:
        statuses = arm.get(f"{VM}/instanceView").body["statuses"]
        return next(str(one["code"]) for one in statuses if one["code"].startswith("PowerState/"))

    assert power() == "PowerState/running"
    answer = arm.call("POST", f"{VM}/deallocate")
    assert (answer.status, power()) == (202, "PowerState/running")
    arm.wait()
    assert power() == "PowerState/deallocated"
    expanded = arm.get(VM, **{"$expand": "instanceView"}).properties["instanceView"]
    assert any(one["code"] == "PowerState/deallocated" for one in expanded["statuses"])
    assert "instanceView" not in arm.get(VM).properties
    arm.call("POST", f"{VM}/powerOff")
    arm.wait()
    assert power() == "PowerState/stopped"
    arm.call("POST", f"{VM}/start")
    arm.wait()
    assert power() == "PowerState/running"
    assert arm.call("POST", f"{VM}/dance").status == 404


def test_machine_lists_write_the_group_in_upper_case() -> None:
    arm = Arm()
    machine(arm)
    found = arm.get(f"/subscriptions/{SUB}/providers/Microsoft.Compute/virtualMachines").body["value"][0]
    assert "/resourceGroups/RG/" in found["id"]
    assert arm.get(VM).body["id"] == VM


def test_route_tables_and_routes() -> None:
    arm = Arm()
    table = f"{NET}/routeTables/t"
    arm.made(table, {"location": "westeurope"})
    route = {
        "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.4"}
    }
    arm.made(f"{table}/routes/r", route)
    assert arm.put(f"{table}/routes/again", route).code == "RouteConflict"
    assert (
        arm.put(
            f"{table}/routes/x", {"properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "VirtualAppliance"}}
        ).status
        == 400
    )
    network = arm.network("v", "10.0.0.0/16")
    arm.made(f"{network}/subnets/s", subnet_body("10.0.0.0/24", routeTable={"id": table}))
    answer = arm.get(table).properties
    assert answer["subnets"] == [{"id": f"{network}/subnets/s"}]
    assert [one["name"] for one in answer["routes"]] == ["r"]
    assert arm.delete(table).code == "InUseRouteTableCannotBeDeleted"


def test_application_security_groups_in_use_stay() -> None:
    arm = Arm()
    asg = f"{NET}/applicationSecurityGroups/a"
    arm.made(asg, {"location": "westeurope"})
    network = arm.network("v", "10.0.0.0/16")
    arm.made(f"{network}/subnets/s", subnet_body("10.0.0.0/24"))
    arm.made(
        f"{NET}/networkInterfaces/n",
        nic_body(f"{network}/subnets/s", part={"applicationSecurityGroups": [{"id": asg}]}),
    )
    assert arm.delete(asg).code == "InUseApplicationSecurityGroupCannotBeDeleted"
    arm.gone(f"{NET}/networkInterfaces/n")
    arm.gone(asg)


def test_references_to_what_is_not_there_are_invalid() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    body = subnet_body("10.0.0.0/24", networkSecurityGroup={"id": GROUP})
    assert arm.put(f"{network}/subnets/s", body).code == "InvalidResourceReference"
    assert arm.put(f"{NET}/networkInterfaces/n", nic_body(f"{network}/subnets/no")).code == "InvalidResourceReference"
    body = subnet_body("10.0.0.0/24", networkSecurityGroup={"id": "nonsense"})
    assert arm.put(f"{network}/subnets/s", body).status == 400


def test_a_machine_is_resized_by_patch_and_keeps_everything_else() -> None:
    arm = Arm()
    machine(arm)
    before = arm.get(VM).properties
    answer = arm.patch(VM, {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}, "tags": {"a": "b"}})
    assert (answer.status, answer.properties["provisioningState"]) == (200, "Updating")
    arm.wait()
    after = arm.get(VM)
    assert after.properties == {**before, "hardwareProfile": {"vmSize": "Standard_D4s_v5"}}
    assert after.body["tags"] == {"a": "b"}
    assert arm.get(f"{VM}/instanceView").body["statuses"][-1]["code"] == "PowerState/running"


def test_what_is_secret_in_a_machine_is_never_answered() -> None:
    arm = Arm()
    machine(arm)
    secret = {"computerName": "vm", "adminUsername": "me", "adminPassword": "hidden", "customData": "hidden"}
    answer = arm.patch(VM, {"properties": {"osProfile": secret, "userData": "hidden"}})
    arm.wait()
    for body in (answer.body, arm.get(VM).body, arm.query("resources").body):
        assert "hidden" not in str(body)


def test_what_is_referred_to_lies_in_the_same_region() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}])
    arm.made(f"{NET}/networkSecurityGroups/far", {"location": "northeurope"})
    arm.made(f"{NET}/routeTables/far", {"location": "northeurope"})
    for name, collection in (("networkSecurityGroup", "networkSecurityGroups"), ("routeTable", "routeTables")):
        body = subnet_body("10.0.0.0/24", **{name: {"id": f"{NET}/{collection}/far"}})
        refused = arm.put(f"{network}/subnets/s", body)
        assert (refused.status, refused.code) == (400, "InvalidResourceReference")
        assert "both resources are in the same region" in refused.message
    far = {**nic_body(f"{network}/subnets/s"), "location": "northeurope"}
    assert arm.put(f"{NET}/networkInterfaces/nic", far).code == "InvalidResourceReference"
    guarded = nic_body(f"{network}/subnets/s", networkSecurityGroup={"id": f"{NET}/networkSecurityGroups/far"})
    assert arm.put(f"{NET}/networkInterfaces/nic", guarded).code == "InvalidResourceReference"


@pytest.mark.parametrize("ports", ["²", "2²", "22-²", "٣", "22-", "9" * 5000])
def test_ports_are_plain_numbers(ports: str) -> None:
    arm = Arm()
    rule = {"name": "a", **rule_body(200, destinationPortRange=ports)}
    answer = arm.put(GROUP, {"location": "westeurope", "properties": {"securityRules": [rule]}})
    assert (answer.status, answer.code) == (400, "SecurityRuleInvalidDestinationPortRange")
    arm = Arm(estate=[{"id": GROUP, "location": "westeurope", "properties": {"securityRules": [rule]}}])
    body = arm.bastion_ready()
    with_group = subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP})
    answer = arm.put(body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"], with_group)
    assert answer.code == "NetworkSecurityGroupNotCompliantForAzureBastionSubnet"
