"""What Azure refuses about Bastion hosts and AzureBastionSubnet, each with its code."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.arm import (
    NET,
    PUBLIC_IP,
    Arm,
    Json,
    Reply,
    bastion_body,
    bastion_rules,
    network_body,
    rule_body,
    subnet_body,
)

HOST = f"{NET}/bastionHosts/b"
GROUP = f"{NET}/networkSecurityGroups/n"
HUB = f"{NET}/virtualNetworks/hub"
SUBNET = f"{HUB}/subnets/AzureBastionSubnet"
ADDRESS = f"{NET}/publicIPAddresses/pip-hub"
STANDARD = ("enableTunneling", "enableFileCopy", "enableIpConnect", "enableShareableLink", "disableCopyPaste")
PREMIUM = ("enableSessionRecording", "enablePrivateOnlyBastion")
NOT_COMPLIANT = "NetworkSecurityGroupNotCompliantForAzureBastionSubnet"
EIGHT = [rule["name"] for rule in bastion_rules()]


def refused(answer: Reply, code: str) -> str:
    assert (answer.status, answer.code) == (400, code)
    return answer.message


def ready(sku: str = "Standard", **properties: Any) -> tuple[Arm, Json]:
    arm = Arm()
    body = arm.bastion_ready()
    body["sku"] = {"name": sku}
    body["properties"] |= properties
    return arm, body


def standing(sku: str = "Premium") -> tuple[Arm, Json]:
    arm, body = ready(sku)
    arm.made(HOST, body)
    return arm, body


def group_body(rules: list[Json]) -> Json:
    return {"location": "westeurope", "properties": {"securityRules": rules}}


def without(name: str) -> list[Json]:
    return [rule for rule in bastion_rules() if rule["name"] != name]


def guarded() -> Arm:
    """A compliant group on the subnet."""
    arm, _ = ready()
    arm.made(GROUP, group_body(bastion_rules()))
    arm.made(SUBNET, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))
    return arm


# -- the subnet --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["azurebastionsubnet", "bastion"])
def test_a_subnet_of_another_name_is_refused(name: str) -> None:
    arm, _ = ready()
    arm.made(f"{HUB}2", network_body("10.3.0.0/16"))
    arm.made(f"{HUB}2/subnets/{name}", subnet_body("10.3.2.0/26"))
    answer = arm.put(HOST, bastion_body(f"{HUB}2/subnets/{name}", ADDRESS))
    refused(answer, "SubnetNameMustBeAzureBastionSubnet")


@pytest.mark.parametrize(("prefix", "status"), [("10.0.1.0/27", 400), ("10.0.1.0/28", 400), ("10.0.1.0/26", 201), ("10.0.1.0/24", 201)])  # fmt: skip
def test_the_subnet_must_be_26_or_larger(prefix: str, status: int) -> None:
    arm = Arm()
    arm.network("hub", "10.0.0.0/16")
    assert arm.put(SUBNET, subnet_body(prefix)).status == status


def test_the_subnet_is_dedicated_and_refuses_an_interface() -> None:
    arm, _ = ready()
    part = {"name": "c", "properties": {"subnet": {"id": SUBNET}}}
    answer = arm.put(
        f"{NET}/networkInterfaces/n", {"location": "westeurope", "properties": {"ipConfigurations": [part]}}
    )
    refused(answer, "BastionHostSubnetMustBeDedicated")


def test_the_subnet_is_dedicated_and_refuses_a_second_host() -> None:
    arm, _ = standing()
    arm.made(f"{NET}/publicIPAddresses/second", PUBLIC_IP)
    answer = arm.put(f"{NET}/bastionHosts/second", bastion_body(SUBNET, f"{NET}/publicIPAddresses/second"))
    refused(answer, "BastionHostSubnetMustBeDedicated")


def test_the_subnet_is_dedicated_and_refuses_a_delegation() -> None:
    arm, _ = ready()
    delegation = {"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}
    answer = arm.put(SUBNET, subnet_body("10.0.1.0/26", delegations=[delegation]))
    refused(answer, "BastionHostSubnetCannotBeDelegated")


def test_the_subnet_refuses_a_route_table() -> None:
    arm, _ = ready()
    arm.made(f"{NET}/routeTables/t", {"location": "westeurope"})
    answer = arm.put(SUBNET, subnet_body("10.0.1.0/26", routeTable={"id": f"{NET}/routeTables/t"}))
    refused(answer, "RouteTableCannotBeAttachedForAzureBastionSubnet")


# -- the security group ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", EIGHT)
def test_a_group_without_one_of_the_eight_rules_is_refused_at_association(missing: str) -> None:
    arm, _ = ready()
    arm.made(GROUP, group_body(without(missing)))
    answer = arm.put(SUBNET, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))
    refused(answer, NOT_COMPLIANT)
    arm.made(GROUP, group_body(bastion_rules()))
    assert arm.put(SUBNET, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP})).status == 200


def test_a_group_that_does_not_comply_is_refused_at_the_put_that_makes_the_subnet() -> None:
    arm = Arm()
    arm.network("hub", "10.0.0.0/16")
    arm.made(GROUP, group_body([]))
    answer = arm.put(SUBNET, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))
    refused(answer, NOT_COMPLIANT)
    assert arm.get(SUBNET).status == 404


def test_a_group_that_does_not_comply_is_refused_at_a_put_of_the_network_with_the_subnet_in_it() -> None:
    arm = Arm()
    arm.made(GROUP, group_body([]))
    inner = {"name": "AzureBastionSubnet", **subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP})}
    refused(arm.put(HUB, network_body("10.0.0.0/16", subnets=[inner])), NOT_COMPLIANT)


def stale_estate() -> list[Json]:
    """A group that does not comply is on the subnet already, as if from before Azure looked."""
    group = {
        "id": GROUP, "type": "Microsoft.Network/networkSecurityGroups", "location": "westeurope",
        "properties": {"securityRules": without("https-in")},
    }  # fmt: skip
    subnet = {"name": "AzureBastionSubnet", **subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP})}
    network = {
        "id": HUB, "type": "Microsoft.Network/virtualNetworks", "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]},
    }  # fmt: skip
    return [group, network]


def test_a_group_that_does_not_comply_is_refused_at_the_creation_of_the_host() -> None:
    arm = Arm(estate=stale_estate())
    arm.made(ADDRESS, PUBLIC_IP)
    refused(arm.put(HOST, bastion_body(SUBNET, ADDRESS)), NOT_COMPLIANT)


def test_a_group_that_does_not_comply_is_refused_at_any_put_of_the_subnet() -> None:
    arm = Arm(estate=stale_estate())
    body = arm.get(SUBNET).body
    refused(arm.put(SUBNET, body), NOT_COMPLIANT)


def deleted(arm: Arm) -> Reply:
    return arm.delete(f"{GROUP}/securityRules/https-in")


def turned(arm: Arm) -> Reply:
    return arm.put(f"{GROUP}/securityRules/https-in", rule_body(120, access="Deny"))


def narrowed(arm: Arm) -> Reply:
    body = rule_body(120, sourceAddressPrefix="Internet", destinationPortRange="444")
    return arm.put(f"{GROUP}/securityRules/https-in", body)


def replaced(arm: Arm) -> Reply:
    return arm.put(GROUP, group_body(without("https-in")))


@pytest.mark.parametrize("edit", [deleted, turned, narrowed, replaced])
def test_an_edit_of_the_rules_of_an_associated_group_into_non_compliance_is_refused(
    edit: Callable[[Arm], Reply],
) -> None:
    arm = guarded()
    before = arm.get(GROUP).body
    refused(edit(arm), NOT_COMPLIANT)
    arm.wait()
    assert arm.get(GROUP).body == before


def test_an_edit_that_leaves_the_rules_compliant_is_taken() -> None:
    arm = guarded()
    arm.made(f"{GROUP}/securityRules/extra", rule_body(4000, access="Deny"))
    arm.gone(f"{GROUP}/securityRules/extra")


def test_the_rules_of_a_group_that_was_taken_off_the_subnet_are_free() -> None:
    arm = guarded()
    arm.made(SUBNET, subnet_body("10.0.1.0/26"))
    arm.gone(f"{GROUP}/securityRules/https-in")


# -- the SKU -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feature", [*STANDARD, *PREMIUM])
def test_basic_refuses_the_features_of_standard_and_premium(feature: str) -> None:
    arm, body = ready("Basic", **{feature: True})
    refused(arm.put(HOST, body), "FeatureNotSupportedForBasicBastionSku")


@pytest.mark.parametrize("feature", PREMIUM)
def test_standard_refuses_the_features_of_premium(feature: str) -> None:
    arm, body = ready("Standard", **{feature: True})
    refused(arm.put(HOST, body), "FeatureNotSupportedForStandardBastionSku")


@pytest.mark.parametrize("feature", STANDARD)
def test_standard_takes_its_features(feature: str) -> None:
    arm, body = ready("Standard", **{feature: True})
    assert arm.put(HOST, body).status == 201


@pytest.mark.parametrize("feature", [*STANDARD, *PREMIUM, "enableKerberos"])
def test_developer_refuses_every_feature(feature: str) -> None:
    arm, _ = ready()
    body = {"location": "westeurope", "sku": {"name": "Developer"}, "properties": {"virtualNetwork": {"id": HUB}, feature: True}}  # fmt: skip
    refused(arm.put(HOST, body), "FeatureNotSupportedForDeveloperBastionSku")


@pytest.mark.parametrize(("sku", "units"), [("Basic", 3), ("Standard", 51), ("Standard", 1), ("Premium", 51)])
def test_scale_units_outside_of_the_skus_range_are_refused(sku: str, units: int) -> None:
    arm, body = ready(sku, scaleUnits=units)
    assert arm.put(HOST, body).status == 400


@pytest.mark.parametrize(("before", "after"), [("Premium", "Standard"), ("Premium", "Basic"), ("Standard", "Basic")])
def test_a_downgrade_is_refused(before: str, after: str) -> None:
    arm, body = standing(before)
    refused(arm.put(HOST, {**body, "sku": {"name": after}}), "BastionUpdateNotSupported")
    assert arm.get(HOST).body["sku"] == {"name": before}


@pytest.mark.parametrize(("before", "after"), [("Basic", "Standard"), ("Basic", "Premium"), ("Standard", "Premium")])
def test_an_upgrade_is_done_in_place(before: str, after: str) -> None:
    arm, body = standing(before)
    assert arm.made(HOST, {**body, "sku": {"name": after}}).body["sku"] == {"name": after}


# -- what is fixed -----------------------------------------------------------------------------------------------


def test_the_public_ip_is_immutable() -> None:
    arm, _ = standing()
    arm.made(f"{NET}/publicIPAddresses/other", PUBLIC_IP)
    body = bastion_body(SUBNET, f"{NET}/publicIPAddresses/other", "Premium")
    refused(arm.put(HOST, body), "BastionUpdateNotSupported")


def test_the_subnet_is_immutable() -> None:
    arm, _ = standing()
    other = arm.network("other", "10.9.0.0/16", subnets=[{"name": "AzureBastionSubnet", **subnet_body("10.9.1.0/26")}])
    body = bastion_body(f"{other}/subnets/AzureBastionSubnet", ADDRESS, "Premium")
    refused(arm.put(HOST, body), "BastionUpdateNotSupported")


def test_zones_are_immutable() -> None:
    arm, body = standing()
    refused(arm.put(HOST, {**body, "zones": ["1"]}), "BastionUpdateNotSupported")


def test_private_only_is_immutable() -> None:
    arm, _ = standing()
    body = bastion_body(SUBNET, None, "Premium", enablePrivateOnlyBastion=True)
    refused(arm.put(HOST, body), "BastionUpdateNotSupported")


# -- the public IP -----------------------------------------------------------------------------------------------


def test_a_public_ip_of_basic_sku_is_a_mismatch() -> None:
    arm, _ = ready()
    arm.made(f"{NET}/publicIPAddresses/basic", {"location": "westeurope", "properties": {}})
    refused(arm.put(HOST, bastion_body(SUBNET, f"{NET}/publicIPAddresses/basic")), "PublicIPSkuMismatch")


def test_a_public_ip_that_is_missing_is_an_invalid_reference() -> None:
    arm, _ = ready()
    refused(arm.put(HOST, bastion_body(SUBNET, f"{NET}/publicIPAddresses/no")), "InvalidResourceReference")


def test_a_public_ip_of_another_host_is_in_use() -> None:
    arm, _ = standing()
    other = arm.network("other", "10.5.0.0/16", subnets=[{"name": "AzureBastionSubnet", **subnet_body("10.5.1.0/26")}])
    answer = arm.put(f"{NET}/bastionHosts/other", bastion_body(f"{other}/subnets/AzureBastionSubnet", ADDRESS))
    refused(answer, "PublicIPAddressInUse")


def test_a_host_without_a_public_ip_is_refused_unless_it_is_private_only() -> None:
    arm, _ = ready()
    assert arm.put(HOST, bastion_body(SUBNET, None, "Premium")).status == 400
    assert arm.put(HOST, bastion_body(SUBNET, None, "Premium", enablePrivateOnlyBastion=True)).status == 201


# -- what the subnet is named and how large it is, and what stands already ----------------------------------------


def test_an_id_in_upper_case_names_the_same_subnet() -> None:
    arm, _ = ready()
    assert arm.put(HOST, bastion_body(SUBNET.upper(), ADDRESS)).status == 201
    arm.wait()
    assert arm.get(HOST).properties["provisioningState"] == "Succeeded"


def test_the_name_of_the_subnet_counts_and_not_that_of_the_reference() -> None:
    arm, _ = ready()
    arm.made(f"{HUB}2", network_body("10.3.0.0/16"))
    arm.made(f"{HUB}2/subnets/azurebastionsubnet", subnet_body("10.3.2.0/26"))
    answer = arm.put(HOST, bastion_body(f"{HUB}2/subnets/AzureBastionSubnet", ADDRESS))
    refused(answer, "SubnetNameMustBeAzureBastionSubnet")


def legacy(*more: Json) -> Arm:
    """An estate with an AzureBastionSubnet of /27, as hosts were allowed to have once."""
    inner = {"name": "AzureBastionSubnet", **subnet_body("10.0.1.0/27")}
    return Arm(
        estate=[
            {"id": HUB, **network_body("10.0.0.0/16", subnets=[inner])},
            {"id": ADDRESS, "type": "microsoft.network/publicipaddresses", **PUBLIC_IP},
            *more,
        ]
    )


def test_a_small_subnet_that_stands_can_be_written_back_and_not_made() -> None:
    arm = legacy()
    for path in (SUBNET, HUB):
        assert arm.put(path, arm.get(path).body).status == 200
        arm.wait()
    refused(arm.put(SUBNET, subnet_body("10.0.1.32/27")), "BastionHostSubnetSizeNotSupported")
    refused(arm.put(SUBNET, subnet_body("10.0.1.0/28")), "BastionHostSubnetSizeNotSupported")
    assert arm.put(SUBNET, subnet_body("10.0.1.0/26")).status == 200


def test_a_new_host_is_refused_on_a_small_subnet() -> None:
    refused(legacy().put(HOST, bastion_body(SUBNET, ADDRESS)), "BastionHostSubnetSizeNotSupported")


def test_a_host_that_stands_on_a_small_subnet_stays_and_is_written() -> None:
    arm = legacy({"id": HOST, **bastion_body(SUBNET, ADDRESS)})
    assert arm.put(HOST, bastion_body(SUBNET, ADDRESS, enableTunneling=True)).status == 200
    arm.wait()
    assert arm.get(HOST).properties["enableTunneling"] is True


# -- addresses and clients ---------------------------------------------------------------------------------------


def test_an_address_of_version_6_is_refused() -> None:
    arm, _ = ready()
    six = f"{NET}/publicIPAddresses/six"
    arm.made(six, {**PUBLIC_IP, "properties": {**PUBLIC_IP["properties"], "publicIPAddressVersion": "IPv6"}})
    assert ":" in arm.get(six).properties["ipAddress"]
    refused(arm.put(HOST, bastion_body(SUBNET, six)), "PublicIPSkuMismatch")


@pytest.mark.parametrize("sku", ["Basic", "Standard", "Premium"])
def test_a_list_of_clients_is_for_developer_alone(sku: str) -> None:
    acls = {"ipRules": [{"addressPrefix": "1.2.3.4/32"}]}
    arm, _ = ready()
    refused(
        arm.put(HOST, bastion_body(SUBNET, ADDRESS, sku, networkAcls=acls)), f"FeatureNotSupportedFor{sku}BastionSku"
    )
    assert arm.put(HOST, bastion_body(SUBNET, ADDRESS, sku, networkAcls={"ipRules": []})).status == 201
    body = {"location": "westeurope", "sku": {"name": "Developer"}, "properties": {"virtualNetwork": {"id": HUB}}}
    body["properties"]["networkAcls"] = acls  # type: ignore[index]
    assert arm.put(f"{HOST}2", body).status == 201
    kept = legacy({"id": HOST, **bastion_body(SUBNET, ADDRESS, sku, networkAcls=acls)})
    assert kept.put(HOST, kept.get(HOST).body).status == 200
