"""Private addresses: no two configurations have the same one, each keeps its own, and each is of the version it asks for."""

from typing import Any

import pytest

from tests.support.arm import NET, RG, Arm, subnet_body

NIC = f"{NET}/networkInterfaces/nic"
BALANCER = f"{NET}/loadBalancers/lb"
NETWORK = f"{NET}/virtualNetworks/v"
SETS = f"{RG}/providers/Microsoft.Compute/virtualMachineScaleSets"


def arm_with(*prefixes: str) -> Arm:
    """An Azure with the subnet `s` of these prefixes."""
    arm = Arm()
    arm.network("v", "10.0.0.0/16", "fd00::/48")
    arm.made(f"{NETWORK}/subnets/s", {"properties": {"addressPrefixes": list(prefixes)}})
    return arm


def part(name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": {"subnet": {"id": f"{NETWORK}/subnets/s"}, **properties}}


def static(name: str, address: str, **properties: Any) -> dict[str, Any]:
    return part(name, privateIPAllocationMethod="Static", privateIPAddress=address, **properties)


def nic(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"ipConfigurations": list(parts)}}


def balancer(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"frontendIPConfigurations": list(parts)}}


def held(arm: Arm, path: str, name: str = "ipConfigurations") -> dict[str, str]:
    return {one["name"]: one["properties"]["privateIPAddress"] for one in arm.get(path).properties[name]}


def test_configurations_of_one_interface_have_addresses_of_their_own() -> None:
    arm = arm_with("10.0.1.0/24")
    arm.made(NIC, nic(part("a"), part("b")))
    assert held(arm, NIC) == {"a": "10.0.1.4", "b": "10.0.1.5"}


def test_a_configuration_that_is_added_leaves_the_others_theirs_whatever_their_order() -> None:
    arm = arm_with("10.0.1.0/24")
    arm.made(NIC, nic(part("a")))
    arm.made(NIC, nic(part("new"), part("A"), static("fixed", "10.0.1.5")))
    assert held(arm, NIC) == {"new": "10.0.1.6", "A": "10.0.1.4", "fixed": "10.0.1.5"}
    arm.made(NIC, nic(part("fixed"), part("A")))
    assert held(arm, NIC)["A"] == "10.0.1.4"


def test_two_configurations_cannot_ask_for_one_address() -> None:
    arm = arm_with("10.0.1.0/24", "fd00::/64")
    answer = arm.put(NIC, nic(static("a", "10.0.1.50"), static("b", "10.0.1.50")))
    assert (answer.status, answer.code) == (400, "PrivateIPAddressIsAllocated")
    assert f"{NIC}/ipConfigurations/a" in answer.message
    six = {"privateIPAddressVersion": "IPv6"}
    answer = arm.put(NIC, nic(part("p"), static("a", "fd00::50", **six), static("b", "FD00::0050", **six)))
    assert answer.code == "PrivateIPAddressIsAllocated"
    answer = arm.put(BALANCER, balancer(static("a", "10.0.1.50"), static("b", "10.0.1.50")))
    assert answer.code == "PrivateIPAddressIsAllocated"


def test_frontends_of_a_load_balancer_have_addresses_of_their_own() -> None:
    arm = arm_with("10.0.1.0/24")
    arm.made(BALANCER, balancer(part("a"), part("b")))
    assert held(arm, BALANCER, "frontendIPConfigurations") == {"a": "10.0.1.4", "b": "10.0.1.5"}
    arm.made(BALANCER, balancer(part("c"), part("b")))
    assert held(arm, BALANCER, "frontendIPConfigurations") == {"c": "10.0.1.4", "b": "10.0.1.5"}


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_an_instance_with_two_configurations_has_two_addresses(mode: str) -> None:
    arm = arm_with("10.0.1.0/24")
    inner = {"primary": True, "ipConfigurations": [part("a"), part("b")]}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [{"name": "nic", "properties": inner}]}}
    body = {
        "location": "westeurope",
        "sku": {"name": "Standard_B2s", "capacity": 2},
        "properties": {"orchestrationMode": mode, "virtualMachineProfile": profile},
    }
    arm.made(f"{SETS}/set", body)
    cloud = arm.cloud
    interfaces = [item for item in cloud.store if item.id.type.lower().endswith("networkinterfaces")]
    found = [
        one["properties"]["privateIPAddress"] for item in interfaces for one in item.properties["ipConfigurations"]
    ]
    assert sorted(found) == ["10.0.1.4", "10.0.1.5", "10.0.1.6", "10.0.1.7"]


def test_a_scale_set_needs_room_for_every_configuration() -> None:
    arm = arm_with("10.0.1.0/29")
    inner = {"primary": True, "ipConfigurations": [part("a"), part("b")]}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [{"name": "nic", "properties": inner}]}}
    body = {
        "location": "westeurope",
        "sku": {"name": "Standard_B2s", "capacity": 2},
        "properties": {"virtualMachineProfile": profile},
    }
    assert arm.put(f"{SETS}/set", body).code == "SubnetIsFull"


@pytest.mark.parametrize("prefixes", [("10.0.2.0/24", "fd00::/64"), ("fd00::/64", "10.0.2.0/24")])
def test_an_address_is_of_the_version_that_is_asked_for(prefixes: tuple[str, str]) -> None:
    arm = arm_with(*prefixes)
    arm.made(NIC, nic(part("four"), part("six", privateIPAddressVersion="IPv6")))
    assert held(arm, NIC) == {"four": "10.0.2.4", "six": "fd00::4"}
    arm.made(BALANCER, balancer(part("four"), part("six", privateIPAddressVersion="IPv6")))
    assert held(arm, BALANCER, "frontendIPConfigurations") == {"four": "10.0.2.5", "six": "fd00::5"}
    inner = {"primary": True, "ipConfigurations": [part("four"), part("six", privateIPAddressVersion="IPv6")]}
    profile = {"networkProfile": {"networkInterfaceConfigurations": [{"name": "nic", "properties": inner}]}}
    body = {
        "location": "westeurope",
        "sku": {"name": "B", "capacity": 1},
        "properties": {"virtualMachineProfile": profile},
    }
    arm.made(f"{SETS}/set", body)
    assert held(arm, f"{SETS}/set/virtualMachines/0/networkInterfaces/nic") == {"four": "10.0.2.6", "six": "fd00::6"}
    service = f"{NET}/privateLinkServices/s"
    link = {"name": "c", "properties": {"privateLinkServiceId": service}}
    endpoint = {"subnet": {"id": f"{NETWORK}/subnets/s"}, "privateLinkServiceConnections": [link]}
    arm.made(f"{NET}/privateEndpoints/e", {"location": "westeurope", "properties": endpoint})
    made = arm.get(f"{NET}/privateEndpoints/e").properties["networkInterfaces"][0]["id"]
    assert list(held(arm, made).values()) == ["10.0.2.7"]


def test_a_subnet_without_the_version_has_no_address_of_it() -> None:
    arm = arm_with("10.0.2.0/24")
    answer = arm.put(NIC, nic(part("four"), part("six", privateIPAddressVersion="IPv6")))
    assert (answer.status, answer.code) == (400, "SubnetIsFull")
    answer = arm.put(NIC, nic(static("a", "10.0.2.9", privateIPAddressVersion="IPv6")))
    assert answer.code == "PrivateIPAddressNotInSubnet"
    assert arm.put(NIC, nic(part("a", privateIPAddressVersion="IPv5"))).code == "InvalidRequestFormat"


def test_a_second_prefix_serves_once_the_first_is_full() -> None:
    arm = arm_with("10.0.2.0/29", "10.0.3.0/29")
    arm.made(NIC, nic(*[part(f"c{number}") for number in range(4)]))
    assert list(held(arm, NIC).values()) == ["10.0.2.4", "10.0.2.5", "10.0.2.6", "10.0.3.4"]


def test_an_estate_s_subnet_without_prefix_is_full() -> None:
    row = {"id": NETWORK, "location": "westeurope", "properties": {"subnets": [{"name": "s", "properties": {}}]}}
    arm = Arm(estate=[row])
    assert arm.put(NIC, nic(part("a"))).code == "SubnetIsFull"
    assert arm.put(f"{NETWORK}/subnets/t", subnet_body("10.0.0.0/24")).status == 400
