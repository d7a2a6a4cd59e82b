"""Bodies that are JSON of the right shape and still no resource: nulls, names twice, prefixes that are none."""

from typing import Any

import pytest

from tests.support.arm import NET, PUBLIC_IP, RG, Arm, bastion_body, network_body, rule_body, subnet_body

NETWORK = f"{NET}/virtualNetworks/v"
GROUP = f"{NET}/networkSecurityGroups/n"


def located(**properties: Any) -> dict[str, Any]:
    return {"location": "westeurope", "properties": properties}


NAMED_TWICE = {
    "subnets": (NETWORK, network_body("10.0.0.0/16", subnets=[{"name": "a", **subnet_body("10.0.0.0/24")}, {"name": "A", **subnet_body("10.0.1.0/24")}]), "A"),
    "rules": (GROUP, located(securityRules=[{"name": "a", **rule_body(100)}, {"name": "A", **rule_body(200)}]), "A"),
    "frontends": (f"{NET}/loadBalancers/l", located(frontendIPConfigurations=[{"name": "f"}, {"name": "F"}]), "F"),
    "configurations": (f"{NET}/networkInterfaces/n", located(ipConfigurations=[{"name": "c"}, {"name": "C"}]), "C"),
    "of a gateway": (f"{NET}/virtualNetworkGateways/g", located(gatewayType="Vpn", ipConfigurations=[{"name": "c"}, {"name": "C"}]), "C"),
    "of a firewall": (f"{NET}/azureFirewalls/f", located(ipConfigurations=[{"name": "c"}, {"name": "C"}]), "C"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body", "name"), NAMED_TWICE.values(), ids=NAMED_TWICE.keys())
def test_names_that_differ_by_case_alone_are_one(path: str, body: dict[str, Any], name: str) -> None:
    arm = Arm()
    answer = arm.put(path, body)
    assert (answer.status, answer.code) == (400, "InvalidRequestFormat")
    told = f"Resource {path} has two child resources with the same name ({name})."
    assert answer.body["error"]["details"] == [{"code": "DuplicateResourceName", "message": told}]
    assert arm.get(path).status == 404


def test_a_child_may_be_written_back_by_a_name_of_another_case() -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16", subnets=[{"name": "a", **subnet_body("10.0.0.0/24")}])
    body = network_body("10.0.0.0/16", subnets=[{"name": "A", **subnet_body("10.0.0.0/24")}])
    assert arm.put(NETWORK, body).properties["subnets"][0]["name"] == "a"


@pytest.mark.parametrize("name", ["AzureBastionSubnet", "s"])
@pytest.mark.parametrize(
    "prefix", [{"addressPrefix": "foo"}, {"addressPrefix": "10.0.0.0/33"}, {"addressPrefixes": [None]}]
)
def test_a_prefix_that_is_none_is_refused(name: str, prefix: dict[str, Any]) -> None:
    arm = Arm()
    arm.network("v", "10.0.0.0/16")
    for path, body in (
        (f"{NETWORK}/subnets/{name}", {"properties": prefix}),
        (NETWORK, network_body("10.0.0.0/16", subnets=[{"name": name, "properties": prefix}])),
    ):
        answer = arm.put(path, body)
        assert (answer.status, answer.code) == (400, "InvalidAddressPrefixFormat")
    assert arm.get(f"{NETWORK}/subnets/{name}").status == 404


NULLS = {
    "host": (f"{NET}/bastionHosts/b", located(ipConfigurations=[{"name": "c", "properties": None}])),
    "gateway": (f"{NET}/virtualNetworkGateways/g", located(gatewayType="Vpn", ipConfigurations=[{"name": "c", "properties": None}])),
    "firewall": (f"{NET}/azureFirewalls/f", located(ipConfigurations=[{"name": "c", "properties": None}])),
    "interface": (f"{NET}/networkInterfaces/n", located(ipConfigurations=[{"name": "c", "properties": None}])),
    "rule": (GROUP, located(securityRules=[{"name": "a", **rule_body(100, destinationApplicationSecurityGroups=[None])}])),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body"), NULLS.values(), ids=NULLS.keys())
def test_a_null_where_an_object_is_due_is_refused(path: str, body: dict[str, Any]) -> None:
    answer = Arm().put(path, body)
    assert (answer.status, answer.code) == (400, "InvalidRequestFormat")


@pytest.mark.parametrize(
    ("path", "patch"),
    [
        (f"{NET}/bastionHosts/b", {"identity": 5}),
        (f"{NET}/bastionHosts/b", {"identity": {"type": ["SystemAssigned"]}}),
        (RG, {"managedBy": [None]}),
    ],
)
def test_a_patch_is_of_the_shape_of_a_body(path: str, patch: dict[str, Any]) -> None:
    arm = Arm()
    arm.network("hub", "10.0.0.0/16")
    arm.made(f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet", subnet_body("10.0.1.0/26"))
    arm.made(f"{NET}/publicIPAddresses/p", PUBLIC_IP)
    arm.made(
        f"{NET}/bastionHosts/b",
        bastion_body(f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet", f"{NET}/publicIPAddresses/p"),
    )
    before = arm.get(path).body
    answer = arm.patch(path, patch)
    assert (answer.status, answer.code) == (400, "InvalidRequestFormat")
    assert arm.get(path).body == before
    member = next(iter(patch))
    right = {"identity": {"type": "SystemAssigned"}, "managedBy": "/somebody"}[member]
    assert arm.patch(path, {member: right}).body[member] == right
    assert not arm.patch(path, {member: None}).body.get(member)
