"""What ARM says to requests that are wrong before any type looks at them, PATCH, groups and providers."""

import pytest

from tests.support.arm import NET, PUBLIC_IP, SUB, Arm, link_body, network_body, rule_body


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("virtualNetworks/v", {"properties": {}}, "LocationRequired"),
        ("virtualNetworks/v", {"location": 5}, "LocationNotAvailableForResourceType"),
        ("virtualNetworks/v", {"location": "westeurope", "propertis": {}}, "InvalidRequestFormat"),
        ("virtualNetworks/v", {"location": "westeurope", "properties": []}, "InvalidRequestFormat"),
        ("virtualNetworks/v", {"location": "westeurope", "properties": {"addressSpace": 5}}, "InvalidRequestFormat"),
        ("virtualNetworks/v", {"location": "westeurope", "tags": {"a": 1}, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}}, "InvalidRequestFormat"),
        ("virtualNetworks/v", network_body("10.0.0.0/16", subnets="x"), "InvalidRequestFormat"),
        ("virtualNetworks/v", network_body("10.0.0.0/16", subnets=[{"properties": {}}]), "InvalidRequestFormat"),
        ("virtualNetworks/v", network_body("10.0.0.0/16", enableDdosProtection="perhaps"), "InvalidRequestFormat"),
        ("virtualNetworks/v", network_body("10.0.0/16"), "InvalidAddressPrefixFormat"),
        ("virtualNetworks/v", network_body("10.0.0.1/16"), "InvalidCIDRNotation"),
        ("virtualNetworks/-v", network_body("10.0.0.0/16"), "InvalidResourceName"),
        ("publicIPAddresses/p", {**PUBLIC_IP, "zones": "1"}, "InvalidRequestFormat"),
        ("publicIPAddresses/p", {**PUBLIC_IP, "sku": "Standard"}, "InvalidRequestFormat"),
        ("unknownThings/u", {"location": "westeurope"}, "InvalidResourceType"),
    ],
)  # fmt: skip
def test_bodies_of_the_wrong_shape_are_refused_with_arms_body(path: str, body: object, code: str) -> None:
    arm = Arm()
    answer = arm.put(f"{NET}/{path}", body)
    assert (400 <= answer.status < 500, answer.code) == (True, code)
    by_gateway = code in {"LocationRequired", "LocationNotAvailableForResourceType", "InvalidResourceType"}
    assert set(answer.body["error"]) == {"code", "message"} | (set() if by_gateway else {"details"})
    assert answer.headers.get("x-ms-failure-cause") == ("gateway" if by_gateway else None)
    assert arm.get(f"{NET}/{path}").status == 404


def test_numbers_are_taken_as_text_where_text_is_due() -> None:
    arm = Arm()
    arm.made(f"{NET}/networkSecurityGroups/n", {"location": "westeurope"})
    rule = arm.made(f"{NET}/networkSecurityGroups/n/securityRules/r", rule_body(200, destinationPortRange=443))
    assert rule.properties["destinationPortRange"] == "443"


def test_patch_replaces_tags_at_once_and_nothing_else() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    before = arm.get(network)
    answer = arm.patch(network, {"tags": {"a": "b"}})
    assert (answer.status, answer.body["tags"]) == (200, {"a": "b"})
    assert answer.properties == before.properties
    assert answer.body["etag"] != before.body["etag"]
    assert arm.patch(network, {"properties": {}}).code == "PatchOperationNotSupported"


def test_resource_groups_live() -> None:
    arm = Arm()
    path = f"/subscriptions/{SUB}/resourceGroups/New.Group"
    answer = arm.put(path, {"location": "West Europe", "tags": {"a": "b"}})
    assert (answer.status, answer.body["location"], answer.properties) == (
        201,
        "westeurope",
        {"provisioningState": "Succeeded"},
    )
    assert arm.put(path, {"location": "westeurope"}).status == 200
    assert arm.put(path, {"location": "eastus"}).code == "InvalidResourceGroupLocation"
    assert arm.patch(path, {"tags": {"c": "d"}}).body["tags"] == {"c": "d"}
    assert arm.call("HEAD", path).status == 204
    assert arm.call("HEAD", f"{path}x").status == 404
    names = [one["name"] for one in arm.get(f"/subscriptions/{SUB}/resourcegroups").body["value"]]
    assert names == ["rg", "New.Group"]


def test_the_body_of_a_get_can_be_put_back_unchanged() -> None:
    arm = Arm()
    arm.made(f"{NET}/bastionHosts/b", arm.bastion_ready())
    spoke = arm.network("spoke", "10.1.0.0/16")
    arm.made(f"{NET}/virtualNetworks/hub/virtualNetworkPeerings/l", link_body(spoke))
    arm.made(
        f"{NET}/networkSecurityGroups/n",
        {"location": "westeurope", "properties": {"securityRules": [{"name": "r", **rule_body(200)}]}},
    )
    for path in ("virtualNetworks/hub", "bastionHosts/b", "publicIPAddresses/pip-hub", "networkSecurityGroups/n", "virtualNetworks/hub/subnets/AzureBastionSubnet", "virtualNetworks/hub/virtualNetworkPeerings/l"):  # fmt: skip
        before = arm.get(f"{NET}/{path}").body
        after = arm.made(f"{NET}/{path}", before).body
        assert without_etags(after) == without_etags(before), path


def without_etags(value: object) -> object:
    if isinstance(value, dict):
        return {name: without_etags(inner) for name, inner in value.items() if name != "etag"}
    return [without_etags(inner) for inner in value] if isinstance(value, list) else value


def test_providers_tell_their_types_and_versions_and_take_a_registration() -> None:
    arm = Arm()
    path = f"/subscriptions/{SUB}/providers/Microsoft.Network"
    for answer in (arm.get(path), arm.call("POST", f"{path}/register")):
        assert answer.body["registrationState"] == "Registered"
        hosts = next(one for one in answer.body["resourceTypes"] if one["resourceType"] == "bastionHosts")
        assert "2026-03-01" in hosts["apiVersions"]
    listed = arm.get(f"/subscriptions/{SUB}/providers").body["value"]
    assert {one["namespace"] for one in listed} >= {"Microsoft.Network", "Microsoft.Compute", "Microsoft.Resources"}
    assert arm.get(f"/subscriptions/{SUB}/providers/Contoso.Things").code == "InvalidResourceNamespace"
    assert len(arm.get(f"/subscriptions/{SUB}/locations").body["value"]) > 30
