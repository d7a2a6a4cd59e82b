"""Azure's published limits: how many of what, and what is answered to one more."""

from dataclasses import replace
from typing import Any

import pytest

from arm_emulator.ids import parse
from arm_emulator.resource_types.quotas import QUOTAS
from arm_emulator.store import resource
from tests.support.arm import NET, Arm, link_body, network_body, rule_body, subnet_body

GROUP = f"{NET}/networkSecurityGroups/n"


def rules(count: int) -> list[dict[str, Any]]:
    return [{"name": f"r{n}", **rule_body(100 + n)} for n in range(count)]


def test_a_security_group_has_at_most_1000_rules() -> None:
    arm = Arm()
    assert arm.put(GROUP, {"location": "westeurope", "properties": {"securityRules": rules(1001)}}).code == "NetworkSecurityGroupMaxRulesExceeded"  # fmt: skip
    arm.made(GROUP, {"location": "westeurope", "properties": {"securityRules": rules(1000)}})
    assert arm.put(f"{GROUP}/securityRules/more", rule_body(4000)).code == "NetworkSecurityGroupMaxRulesExceeded"


def test_a_rule_has_at_most_4000_addresses() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    body = rule_body(200, sourceAddressPrefixes=[f"10.{n // 250}.{n % 250}.0/24" for n in range(4001)])
    del body["properties"]["sourceAddressPrefix"]
    assert arm.put(f"{GROUP}/securityRules/r", body).code == "SecurityRuleTooManyAddressPrefixes"
    body["properties"]["sourceAddressPrefixes"].pop()
    arm.made(f"{GROUP}/securityRules/r", body)


def test_a_network_has_at_most_500_peerings() -> None:
    arm = Arm()
    hub = arm.network("hub", "10.0.0.0/16")
    for number in range(500):
        link = parse(f"{hub}/virtualNetworkPeerings/p{number}")
        assert link is not None
        remote = {"id": f"{NET}/virtualNetworks/x{number}"}
        arm.cloud.store.put(resource(link, {"properties": {"remoteVirtualNetwork": remote}}))
    spoke = arm.network("spoke", "10.1.0.0/16")
    refused = arm.put(f"{hub}/virtualNetworkPeerings/more", link_body(spoke))
    assert (refused.status, refused.code) == (400, "VirtualNetworkPeeringCountLimitReached")
    assert refused.body["error"]["details"][0]["code"] == "QuotaExceeded"


def asgs(arm: Arm, count: int) -> list[dict[str, str]]:
    ids = [f"{NET}/applicationSecurityGroups/a{n}" for n in range(count)]
    for one in ids:
        arm.put(one, {"location": "westeurope"})
    arm.wait()
    return [{"id": one} for one in ids]


def interface(subnet: str, groups: list[dict[str, str]]) -> dict[str, Any]:
    part = {"name": "c", "properties": {"subnet": {"id": subnet}, "applicationSecurityGroups": groups}}
    return {"location": "westeurope", "properties": {"ipConfigurations": [part]}}


def test_an_ip_configuration_has_at_most_20_application_security_groups() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}])
    groups = asgs(arm, 21)
    nic = f"{NET}/networkInterfaces/nic"
    assert arm.put(nic, interface(f"{network}/subnets/s", groups)).code == "TooManyApplicationSecurityGroups"
    arm.made(nic, interface(f"{network}/subnets/s", groups[:20]))


def test_the_members_of_an_application_security_group_lie_in_one_network() -> None:
    arm = Arm()
    first, second = (
        arm.network(name, f"{prefix}.0.0/16", subnets=[{"name": "s", **subnet_body(f"{prefix}.0.0/24")}])
        for name, prefix in (("v", "10.0"), ("w", "10.1"))
    )
    groups = asgs(arm, 1)
    arm.made(f"{NET}/networkInterfaces/a", interface(f"{first}/subnets/s", groups))
    arm.made(f"{NET}/networkInterfaces/b", interface(f"{first}/subnets/s", groups))
    refused = arm.put(f"{NET}/networkInterfaces/c", interface(f"{second}/subnets/s", groups))
    assert refused.code == "ApplicationSecurityGroupMembersMustBeInSameVirtualNetwork"


def test_a_rule_names_application_security_groups_that_exist() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    body = rule_body(200, destinationApplicationSecurityGroups=[{"id": f"{NET}/applicationSecurityGroups/no"}])
    del body["properties"]["destinationAddressPrefix"]
    assert arm.put(f"{GROUP}/securityRules/r", body).code == "InvalidResourceReference"


@pytest.mark.parametrize("kind", sorted(QUOTAS))
def test_a_subscription_has_so_many_of_a_type_in_a_region(kind: str) -> None:
    arm = Arm()
    arm.cloud.settings = replace(arm.cloud.settings, quotas={kind: 1})
    version = "2024-06-01" if "privatedns" in kind else "2026-03-01"
    body: dict[str, Any] = {"location": "global" if "privatedns" in kind else "westeurope"}
    if kind.endswith("networkinterfaces"):
        network = arm.network("v", "10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}])
        body = interface(f"{network}/subnets/s", [])
    if kind.endswith("virtualnetworks"):
        body = network_body("10.0.0.0/16")
    path = f"{NET}/{kind.partition('/')[2]}"
    assert arm.put(f"{path}/a", body, version=version).status in (201, 202)
    refused = arm.put(f"{path}/b", body, version=version)
    assert (refused.status, refused.code) == (400, QUOTAS[kind].code)
    assert [one["code"] for one in refused.body["error"]["details"]] == ["QuotaExceeded"]
    arm.wait()
    assert arm.put(f"{path}/a", body, version=version).status in (200, 202), "what stands can be written again"
    if "privatedns" not in kind and "interfaces" not in kind:
        assert arm.put(f"{path}/b", {**body, "location": "northeurope"}, version=version).status == 201
