"""Bastion hosts: defaults, SKU rules, what cannot change, and what AzureBastionSubnet must be."""

from typing import Any

import pytest

from tests.support.arm import (
    NET,
    PUBLIC_IP,
    Arm,
    bastion_body,
    bastion_rules,
    rule_body,
    subnet_body,
)

HOST = f"{NET}/bastionHosts/b"
GROUP = f"{NET}/networkSecurityGroups/n"
FEATURES = ("enableTunneling", "enableFileCopy", "enableIpConnect", "enableShareableLink", "disableCopyPaste")


def group_body(rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"securityRules": rules}}


def test_omitted_sku_is_basic_and_omitted_scale_units_are_two_and_features_are_absent() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    del body["sku"]
    host = arm.made(HOST, body)
    assert host.body["sku"] == {"name": "Basic"}
    assert host.properties["scaleUnits"] == 2
    assert not set(FEATURES) & set(host.properties)


def test_a_full_put_drops_the_features_that_it_does_not_name() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    arm.made(HOST, {**body, "properties": {**body["properties"], "enableTunneling": True, "scaleUnits": 3}})
    host = arm.made(HOST, body).properties
    assert "enableTunneling" not in host
    assert host["scaleUnits"] == 2


def test_dns_name_stays_over_an_update() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    before = arm.made(HOST, body).properties["dnsName"]
    assert arm.put(HOST, {**body, "sku": {"name": "Premium"}}).properties["dnsName"] == before
    arm.wait()
    assert arm.get(HOST).properties["dnsName"] == before


def test_developer_has_a_virtual_network_and_no_ip_configurations() -> None:
    arm = Arm()
    network = arm.network("hub", "10.0.0.0/16")
    body = {"location": "westeurope", "sku": {"name": "Developer"}, "properties": {"virtualNetwork": {"id": network}}}
    host = arm.made(HOST, body).properties
    assert host["ipConfigurations"] == []
    assert host["dnsName"] == "omnibrain.westeurope.bastionglobal.azure.com"
    assert arm.delete(network).code == "InUseVirtualNetworkCannotBeDeleted"
    refused = arm.put(HOST, {**body, "properties": {**body["properties"], "enableKerberos": True}})  # type: ignore[dict-item]
    assert refused.code == "FeatureNotSupportedForDeveloperBastionSku"


@pytest.mark.parametrize("feature", FEATURES)
def test_basic_lacks_the_features_of_standard(feature: str) -> None:
    arm = Arm()
    body = arm.bastion_ready()
    body["sku"], body["properties"][feature] = {"name": "Basic"}, True
    assert arm.put(HOST, body).code == "FeatureNotSupportedForBasicBastionSku"
    body["sku"] = {"name": "Standard"}
    assert arm.put(HOST, body).status == 201


@pytest.mark.parametrize("feature", ["enableSessionRecording", "enablePrivateOnlyBastion"])
def test_standard_lacks_the_features_of_premium(feature: str) -> None:
    arm = Arm()
    body = arm.bastion_ready()
    body["properties"][feature] = True
    assert arm.put(HOST, body).code == "FeatureNotSupportedForStandardBastionSku"


@pytest.mark.parametrize(("sku", "units", "status"), [("Basic", 3, 400), ("Standard", 51, 400), ("Standard", 1, 400), ("Standard", 50, 201)])  # fmt: skip
def test_scale_units_are_two_to_fifty_from_standard_on(sku: str, units: int, status: int) -> None:
    arm = Arm()
    body = arm.bastion_ready()
    body["sku"], body["properties"]["scaleUnits"] = {"name": sku}, units
    assert arm.put(HOST, body).status == status


def test_an_upgrade_is_done_in_place_and_a_downgrade_refused() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    arm.made(HOST, {**body, "sku": {"name": "Basic"}})
    arm.made(HOST, {**body, "sku": {"name": "Premium"}})
    assert arm.put(HOST, {**body, "sku": {"name": "Standard"}}).code == "BastionUpdateNotSupported"


def test_subnet_address_zones_and_private_only_are_fixed_at_creation() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    body["sku"] = {"name": "Premium"}
    arm.made(HOST, body)
    arm.made(f"{NET}/publicIPAddresses/other", PUBLIC_IP)
    part = body["properties"]["ipConfigurations"][0]["properties"]
    changed = bastion_body(part["subnet"]["id"], f"{NET}/publicIPAddresses/other", "Premium")
    private = bastion_body(part["subnet"]["id"], None, "Premium", enablePrivateOnlyBastion=True)
    for one in (changed, private, {**body, "zones": ["1"]}):
        assert arm.put(HOST, one).code == "BastionUpdateNotSupported"


def test_private_only_needs_no_public_ip() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    subnet = body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    assert arm.put(HOST, bastion_body(subnet, None, "Premium")).status == 400
    assert arm.made(HOST, bastion_body(subnet, None, "Premium", enablePrivateOnlyBastion=True)).status == 200


def test_the_subnet_must_bear_the_name_exactly() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    arm.made(f"{network}/subnets/azurebastionsubnet", subnet_body("10.0.1.0/26"))
    arm.made(f"{NET}/publicIPAddresses/p", PUBLIC_IP)
    answer = arm.put(HOST, bastion_body(f"{network}/subnets/azurebastionsubnet", f"{NET}/publicIPAddresses/p"))
    assert (answer.status, answer.code) == (400, "SubnetNameMustBeAzureBastionSubnet")


def test_the_subnet_must_be_26_or_larger() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assert arm.put(f"{network}/subnets/AzureBastionSubnet", subnet_body("10.0.1.0/27")).status == 400
    assert arm.put(f"{network}/subnets/AzureBastionSubnet", subnet_body("10.0.1.0/26")).status == 201


def test_the_subnet_is_for_one_bastion_alone() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    arm.made(HOST, body)
    arm.made(f"{NET}/publicIPAddresses/second", PUBLIC_IP)
    subnet = body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    assert arm.put(f"{NET}/bastionHosts/second", bastion_body(subnet, f"{NET}/publicIPAddresses/second")).status == 400
    nic = {
        "location": "westeurope",
        "properties": {"ipConfigurations": [{"name": "c", "properties": {"subnet": {"id": subnet}}}]},
    }
    assert arm.put(f"{NET}/networkInterfaces/n", nic).status == 400


def test_a_public_ip_of_basic_sku_is_a_mismatch_and_one_in_use_is_refused() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    arm.made(f"{NET}/publicIPAddresses/basic", {"location": "westeurope", "properties": {}})
    subnet = body["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    assert arm.put(HOST, bastion_body(subnet, f"{NET}/publicIPAddresses/basic")).code == "PublicIPSkuMismatch"
    assert arm.put(HOST, bastion_body(subnet, f"{NET}/publicIPAddresses/no")).code == "InvalidResourceReference"
    arm.made(HOST, body)
    other = arm.bastion_ready("other", "10.5.0.0/16", "10.5.1.0/26")
    other["properties"]["ipConfigurations"][0]["properties"]["publicIPAddress"] = {
        "id": f"{NET}/publicIPAddresses/pip-hub"
    }
    assert arm.put(f"{NET}/bastionHosts/other", other).code == "PublicIPAddressInUse"


def test_dependencies_go_after_the_host_only() -> None:
    arm = Arm()
    arm.made(HOST, arm.bastion_ready())
    network = f"{NET}/virtualNetworks/hub"
    assert arm.delete(f"{network}/subnets/AzureBastionSubnet").code == "InUseSubnetCannotBeDeleted"
    assert arm.delete(network).code == "InUseSubnetCannotBeDeleted"
    assert arm.delete(f"{NET}/publicIPAddresses/pip-hub").code == "PublicIPAddressCannotBeDeleted"
    arm.gone(HOST)
    arm.gone(f"{NET}/publicIPAddresses/pip-hub")
    arm.gone(network)


@pytest.mark.parametrize("left_out", range(8))
def test_each_of_the_eight_rules_is_required_on_association_and_host_creation(left_out: int) -> None:
    arm = Arm()
    body = arm.bastion_ready()
    subnet = f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet"
    rules = bastion_rules()
    del rules[left_out]
    arm.made(GROUP, group_body(rules))
    answer = arm.put(subnet, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))
    assert (answer.status, answer.code) == (400, "NetworkSecurityGroupNotCompliantForAzureBastionSubnet")
    arm.made(GROUP, group_body(bastion_rules()))
    arm.made(subnet, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))
    arm.made(HOST, body)


def test_rules_of_an_associated_group_cannot_be_edited_or_deleted_into_non_compliance() -> None:
    arm = Arm()
    arm.bastion_ready()
    arm.made(GROUP, group_body(bastion_rules()))
    subnet = f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet"
    arm.made(subnet, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))
    code = "NetworkSecurityGroupNotCompliantForAzureBastionSubnet"
    assert arm.delete(f"{GROUP}/securityRules/https-in").code == code
    assert arm.put(f"{GROUP}/securityRules/https-in", rule_body(120, access="Deny")).code == code
    assert arm.put(GROUP, group_body([])).code == code
    arm.made(f"{GROUP}/securityRules/extra", rule_body(4000, access="Deny"))
    arm.made(subnet, subnet_body("10.0.1.0/26"))
    arm.gone(f"{GROUP}/securityRules/https-in")


def test_wider_rules_count() -> None:
    arm = Arm()
    arm.bastion_ready()
    wide = [{"name": "in", **rule_body(100, protocol="*")}, {"name": "out", **rule_body(100, "Outbound", protocol="*")}]
    arm.made(GROUP, group_body(wide))
    subnet = f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet"
    arm.made(subnet, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))


def test_a_route_table_cannot_be_attached_to_the_subnet() -> None:
    arm = Arm()
    arm.bastion_ready()
    arm.made(f"{NET}/routeTables/t", {"location": "westeurope"})
    subnet = f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet"
    answer = arm.put(subnet, subnet_body("10.0.1.0/26", routeTable={"id": f"{NET}/routeTables/t"}))
    assert answer.code == "RouteTableCannotBeAttachedForAzureBastionSubnet"
