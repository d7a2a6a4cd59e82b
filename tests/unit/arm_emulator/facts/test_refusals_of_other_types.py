"""What Azure refuses about everything else: deletions of what is in use, priorities, immutable fields, quotas."""

import pytest

from tests.support.arm import NET, PUBLIC_IP, RG, Arm, Json, Reply, network_body, rule_body, subnet_body

GROUP = f"{NET}/networkSecurityGroups/n"
NETWORK = f"{NET}/virtualNetworks/hub"
SUBNET = f"{NETWORK}/subnets/AzureBastionSubnet"
ADDRESS = f"{NET}/publicIPAddresses/pip-hub"
HOST = f"{NET}/bastionHosts/b"


def refused(answer: Reply, code: str, status: int = 400) -> str:
    assert (answer.status, answer.code) == (status, code)
    return answer.message


def with_host() -> Arm:
    arm = Arm()
    arm.made(HOST, arm.bastion_ready())
    return arm


# -- in use ------------------------------------------------------------------------------------------------------


def test_a_subnet_in_use_cannot_be_deleted() -> None:
    refused(with_host().delete(SUBNET), "InUseSubnetCannotBeDeleted")


def test_a_network_with_a_subnet_in_use_cannot_be_deleted() -> None:
    refused(with_host().delete(NETWORK), "InUseSubnetCannotBeDeleted")


def test_a_subnet_in_use_cannot_be_left_out_of_its_network() -> None:
    refused(with_host().put(NETWORK, network_body("10.0.0.0/16", subnets=[])), "InUseSubnetCannotBeDeleted")


def test_a_public_ip_in_use_cannot_be_deleted() -> None:
    told = refused(with_host().delete(ADDRESS), "PublicIPAddressCannotBeDeleted")
    assert f"{HOST}/bastionHostIpConfigurations/IpConf" in told


def test_a_security_group_in_use_cannot_be_deleted() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    inner = {"name": "s", **subnet_body("10.0.0.0/24", networkSecurityGroup={"id": GROUP})}
    network = arm.network("v", "10.0.0.0/16", subnets=[inner])
    told = refused(arm.delete(GROUP), "InUseNetworkSecurityGroupCannotBeDeleted")
    assert f"{network}/subnets/s" in told


def test_a_route_table_in_use_cannot_be_deleted() -> None:
    arm = Arm()
    table = f"{NET}/routeTables/t"
    arm.made(table, {"location": "westeurope"})
    arm.network("v", "10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24", routeTable={"id": table})}])
    refused(arm.delete(table), "InUseRouteTableCannotBeDeleted")


def test_the_network_of_a_developer_host_cannot_be_deleted() -> None:
    arm = Arm()
    network = arm.network("hub", "10.0.0.0/16")
    arm.made(HOST, {"location": "westeurope", "sku": {"name": "Developer"}, "properties": {"virtualNetwork": {"id": network}}})  # fmt: skip
    refused(arm.delete(network), "InUseVirtualNetworkCannotBeDeleted")


def test_dependencies_can_be_deleted_once_the_host_has_gone() -> None:
    arm = with_host()
    for path in (HOST, ADDRESS, SUBNET, NETWORK):
        arm.gone(path)


# -- rules -------------------------------------------------------------------------------------------------------


def with_rule() -> Arm:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope", "properties": {"securityRules": [{"name": "a", **rule_body(200)}]}})
    return arm


def test_two_rules_of_one_priority_and_direction_conflict() -> None:
    refused(with_rule().put(f"{GROUP}/securityRules/b", rule_body(200)), "SecurityRuleConflict")


def test_two_rules_of_one_priority_conflict_within_one_put_of_their_group() -> None:
    rules = [{"name": name, **rule_body(300)} for name in "xy"]
    answer = with_rule().put(GROUP, {"location": "westeurope", "properties": {"securityRules": rules}})
    refused(answer, "SecurityRuleConflict")


def test_rules_of_one_priority_and_different_directions_do_not_conflict() -> None:
    assert with_rule().put(f"{GROUP}/securityRules/b", rule_body(200, "Outbound")).status == 201


@pytest.mark.parametrize("priority", [99, 4097])
def test_a_priority_outside_of_100_to_4096_is_refused(priority: int) -> None:
    refused(with_rule().put(f"{GROUP}/securityRules/b", rule_body(priority)), "SecurityRuleInvalidPriority")


# -- immutable fields --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [NETWORK, ADDRESS, HOST])
def test_the_region_is_immutable(path: str) -> None:
    arm = with_host()
    body: Json = arm.get(path).body
    refused(arm.put(path, {**body, "location": "northeurope"}), "InvalidResourceLocation", 409)


def test_the_region_of_a_group_is_immutable() -> None:
    refused(Arm().put(RG, {"location": "northeurope"}), "InvalidResourceGroupLocation", 409)


def test_the_sku_of_a_public_ip_is_immutable() -> None:
    arm = Arm()
    arm.made(f"{NET}/publicIPAddresses/p", PUBLIC_IP)
    answer = arm.put(f"{NET}/publicIPAddresses/p", {**PUBLIC_IP, "sku": {"name": "Basic"}})
    refused(answer, "PublicIPAddressSkuCannotBeChanged")


def test_the_zones_of_a_public_ip_are_immutable() -> None:
    arm = Arm()
    arm.made(f"{NET}/publicIPAddresses/p", PUBLIC_IP)
    answer = arm.put(f"{NET}/publicIPAddresses/p", {**PUBLIC_IP, "zones": ["1"]})
    refused(answer, "ResourceAvailabilityZonesCannotBeModified")


def test_the_prefix_of_a_subnet_in_use_is_immutable() -> None:
    refused(with_host().put(SUBNET, subnet_body("10.0.2.0/26")), "InUsePrefixCannotBeDeleted")


# -- quotas ------------------------------------------------------------------------------------------------------


def test_one_public_ip_more_than_the_quota_is_refused_with_quota_exceeded_in_the_details() -> None:
    arm = Arm(quota=1)
    arm.made(f"{NET}/publicIPAddresses/a", PUBLIC_IP)
    answer = arm.put(f"{NET}/publicIPAddresses/b", PUBLIC_IP)
    refused(answer, "PublicIPCountLimitReached")
    assert answer.body["error"]["details"][0]["code"] == "QuotaExceeded"


def test_a_quota_is_a_regions_own() -> None:
    arm = Arm(quota=1)
    arm.made(f"{NET}/publicIPAddresses/a", PUBLIC_IP)
    assert arm.put(f"{NET}/publicIPAddresses/b", {**PUBLIC_IP, "location": "northeurope"}).status == 201


def test_a_quota_is_free_again_once_something_has_gone() -> None:
    arm = Arm(quota=1)
    arm.made(f"{NET}/publicIPAddresses/a", PUBLIC_IP)
    arm.gone(f"{NET}/publicIPAddresses/a")
    assert arm.put(f"{NET}/publicIPAddresses/b", PUBLIC_IP).status == 201
