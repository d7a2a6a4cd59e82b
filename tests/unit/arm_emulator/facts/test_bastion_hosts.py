"""Bastion hosts: defaults, SKU rules, what cannot change, and what AzureBastionSubnet must be."""

import re
from typing import Any

import pytest

from tests.support.arm import (
    NET,
    Arm,
    rule_body,
    subnet_body,
)

HOST = f"{NET}/bastionHosts/b"
GROUP = f"{NET}/networkSecurityGroups/n"
FEATURES = ("enableTunneling", "enableFileCopy", "enableIpConnect", "enableShareableLink", "disableCopyPaste")


def group_body(rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"securityRules": rules}}


def made(sku: str | None = "Standard", **properties: Any) -> tuple[Arm, dict[str, Any]]:
    """A host that stands, and its answer."""
    arm = Arm()
    body = arm.bastion_ready()
    body["sku"] = {"name": sku}
    if sku is None:
        del body["sku"]
    body["properties"] |= properties
    answer: dict[str, Any] = arm.made(HOST, body).body
    return arm, answer


def developer() -> tuple[Arm, dict[str, Any]]:
    arm = Arm()
    network = arm.network("hub", "10.0.0.0/16")
    body = {"location": "westeurope", "sku": {"name": "Developer"}, "properties": {"virtualNetwork": {"id": network}}}
    answer: dict[str, Any] = arm.made(HOST, body).body
    return arm, answer


# -- what is answered --------------------------------------------------------------------------------------------


def test_an_omitted_sku_is_basic() -> None:
    assert made(None)[1]["sku"] == {"name": "Basic"}


def test_omitted_scale_units_are_two() -> None:
    assert made()[1]["properties"]["scaleUnits"] == 2


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_is_absent_until_it_is_set(feature: str) -> None:
    assert feature not in made()[1]["properties"]


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_that_was_set_to_false_is_answered_false(feature: str) -> None:
    assert made("Standard", **{feature: False})[1]["properties"][feature] is False


def test_a_put_is_full_and_what_it_does_not_name_is_as_if_it_was_never_set() -> None:
    arm, _ = made(enableTunneling=True, scaleUnits=3)
    body = arm.get(HOST).body
    del body["properties"]["enableTunneling"], body["properties"]["scaleUnits"]
    host = arm.made(HOST, body).properties
    assert "enableTunneling" not in host
    assert host["scaleUnits"] == 2


def test_tags_are_changed_by_patch() -> None:
    arm, _ = made()
    answer = arm.patch(HOST, {"tags": {"a": "b"}})
    assert (answer.status, arm.get(HOST).body["tags"]) == (200, {"a": "b"})


def test_identity_is_changed_by_patch() -> None:
    arm, _ = made()
    assert arm.patch(HOST, {"identity": {"type": "SystemAssigned"}}).status == 200
    assert arm.get(HOST).body["identity"]["type"] == "SystemAssigned"


@pytest.mark.parametrize("change", [{"sku": {"name": "Premium"}}, {"properties": {"enableTunneling": True}}])
def test_nothing_else_is_changed_by_patch(change: dict[str, Any]) -> None:
    arm, before = made()
    assert arm.patch(HOST, change).status == 400
    assert arm.get(HOST).body == before


def test_the_dns_name_appears_once_succeeded() -> None:
    arm = Arm()
    assert "dnsName" not in arm.put(HOST, arm.bastion_ready()).properties
    arm.wait(359)
    waiting = arm.get(HOST).properties
    assert (waiting["provisioningState"], "dnsName" in waiting) == ("Updating", False)
    arm.wait(241)
    assert "dnsName" in arm.get(HOST).properties


def test_the_dns_name_is_a_guid_below_bastion_azure_com() -> None:
    assert re.fullmatch(r"bst-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.bastion\.azure\.com", made()[1]["properties"]["dnsName"])  # fmt: skip


def test_the_dns_name_of_developer_is_its_regions() -> None:
    assert developer()[1]["properties"]["dnsName"] == "omnibrain.westeurope.bastionglobal.azure.com"


def test_developer_names_its_virtual_network() -> None:
    assert developer()[1]["properties"]["virtualNetwork"] == {"id": f"{NET}/virtualNetworks/hub"}


def test_developer_has_an_empty_list_of_ip_configurations() -> None:
    assert developer()[1]["properties"]["ipConfigurations"] == []


def test_a_host_is_updating_while_it_is_made_and_changed_deleting_while_it_goes_and_succeeded_in_between() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    states = [arm.put(HOST, body).properties["provisioningState"]]
    for write in (None, lambda: arm.put(HOST, {**body, "sku": {"name": "Premium"}}), None, lambda: arm.delete(HOST)):
        if write is None:
            arm.wait()
        else:
            write()
        states.append(arm.get(HOST).properties["provisioningState"])
    assert states == ["Updating", "Succeeded", "Updating", "Succeeded", "Deleting"]


@pytest.mark.parametrize(("code", "state"), [("AllocationFailed", "Failed"), ("Canceled", "Canceled")])
def test_a_host_whose_operation_ends_otherwise_is_failed_or_canceled(code: str, state: str) -> None:
    arm = Arm()
    body = arm.bastion_ready()
    arm.put(HOST, body)
    list(arm.cloud.operations)[-1].fails_with = {"code": code, "message": "m", "details": []}
    arm.wait()
    assert arm.get(HOST).properties["provisioningState"] == state


def test_a_row_that_is_creating_is_answered_creating() -> None:
    row = {"id": HOST, "type": "Microsoft.Network/bastionHosts", "location": "westeurope", "properties": {"provisioningState": "Creating"}}  # fmt: skip
    assert Arm(estate=[row]).get(HOST).properties["provisioningState"] == "Creating"


def test_the_id_of_an_ip_configuration_is_below_bastion_host_ip_configurations() -> None:
    (part,) = made()[1]["properties"]["ipConfigurations"]
    assert part["id"] == f"{HOST}/bastionHostIpConfigurations/IpConf"


def test_the_subnet_shows_the_back_reference_of_the_host() -> None:
    arm, _ = made()
    subnet = arm.get(f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet").properties
    assert [one["id"].lower() for one in subnet["ipConfigurations"]] == [f"{HOST}/bastionHostIpConfigurations/IpConf".lower()]  # fmt: skip


def test_dns_name_stays_over_an_update() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    before = arm.made(HOST, body).properties["dnsName"]
    assert arm.put(HOST, {**body, "sku": {"name": "Premium"}}).properties["dnsName"] == before
    arm.wait()
    assert arm.get(HOST).properties["dnsName"] == before


def test_wider_rules_count() -> None:
    arm = Arm()
    arm.bastion_ready()
    wide = [{"name": "in", **rule_body(100, protocol="*")}, {"name": "out", **rule_body(100, "Outbound", protocol="*")}]
    arm.made(GROUP, group_body(wide))
    subnet = f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet"
    arm.made(subnet, subnet_body("10.0.1.0/26", networkSecurityGroup={"id": GROUP}))
