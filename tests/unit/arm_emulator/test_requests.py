"""Etags, preconditions, the shapes of 404, and what ARM says to requests that are wrong before any type looks at them."""

import pytest

from tests.support.arm import NET, PUBLIC_IP, RG, SUB, Arm, link_body, network_body, rule_body, subnet_body


def test_etag_header_equals_the_bodys() -> None:
    arm = Arm()
    answer = arm.get(arm.network("v", "10.0.0.0/16"))
    assert answer.headers["etag"] == answer.body["etag"]
    assert answer.body["etag"].startswith('W/"')


def test_a_subnets_and_a_peerings_etag_are_their_networks_and_any_write_bumps_them() -> None:
    arm = Arm()
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", "10.1.0.0/16")
    arm.made(f"{hub}/subnets/s", subnet_body("10.0.0.0/24"))
    before = arm.get(hub).body["etag"]
    arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(spoke))
    after = arm.get(hub).body
    assert after["etag"] != before
    assert arm.get(f"{hub}/subnets/s").body["etag"] == after["etag"]
    assert arm.get(f"{hub}/virtualNetworkPeerings/l").body["etag"] == after["etag"]
    assert after["properties"]["subnets"][0]["etag"] == after["etag"]


def test_a_rules_etag_is_its_groups() -> None:
    arm = Arm()
    group = f"{NET}/networkSecurityGroups/n"
    arm.made(group, {"location": "westeurope"})
    rule = arm.made(f"{group}/securityRules/r", rule_body(200)).body
    answer = arm.get(group).body
    assert rule["etag"] == answer["etag"] == answer["properties"]["defaultSecurityRules"][0]["etag"]


def test_if_match_that_does_not_match_is_412_and_changes_nothing() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    before = arm.get(network).body
    for act in (
        arm.put(network, network_body("10.2.0.0/16"), headers={"If-Match": 'W/"other"'}),
        arm.delete(network, headers={"If-Match": 'W/"other"'}),
        arm.put(network, network_body("10.2.0.0/16"), headers={"If-None-Match": "*"}),
        arm.put(f"{NET}/virtualNetworks/new", network_body("10.2.0.0/16"), headers={"If-Match": "*"}),
    ):
        assert (act.status, act.code) == (412, "PreconditionFailed")
    assert arm.get(network).body == before
    assert arm.put(network, network_body("10.2.0.0/16"), headers={"If-Match": before["etag"]}).status == 200


def test_404_has_three_shapes_and_a_missing_group_a_fourth() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    assert arm.get(f"{NET}/virtualNetworks/no").code == "ResourceNotFound"
    assert arm.get(f"{network}/subnets/no").code == "NotFound"
    assert arm.get(f"{NET}/virtualNetworks/no/subnets/no").code == "ParentResourceNotFound"
    assert arm.get(f"{RG}x/providers/Microsoft.Network/virtualNetworks/v").code == "ResourceGroupNotFound"
    assert arm.put(f"{NET}/virtualNetworks/no/subnets/s", subnet_body("10.0.0.0/24")).code == "ParentResourceNotFound"
    assert arm.get("/subscriptions/no/resourceGroups/rg").code == "SubscriptionNotFound"


def test_ids_are_found_in_any_casing_and_answered_in_that_of_creation() -> None:
    arm = Arm()
    network = arm.network("HubNet", "10.0.0.0/16")
    found = arm.get(network.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert found.body["id"] == network
    assert arm.put(network.lower(), network_body("10.0.0.0/16")).body["id"] == network


def test_back_references_are_upper_cased() -> None:
    arm = Arm()
    body = arm.bastion_ready()
    host = arm.made(f"{NET}/bastionHosts/Bastion", body).body
    assert host["properties"]["ipConfigurations"][0]["id"].endswith(
        "/bastionHosts/Bastion/bastionHostIpConfigurations/IpConf"
    )
    subnet = arm.get(f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet").properties
    expected = f"/subscriptions/{SUB}/resourceGroups/RG/providers/Microsoft.Network/bastionHosts/BASTION/bastionHostIpConfigurations/IPCONF"
    assert subnet["ipConfigurations"] == [{"id": expected}]
    address = arm.get(f"{NET}/publicIPAddresses/pip-hub").properties
    assert address["ipConfiguration"]["id"] == host["properties"]["ipConfigurations"][0]["id"]


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("", "MissingApiVersionParameter"),
        ("1999-01-01", "NoRegisteredProviderFound"),
        ("x", "InvalidApiVersionParameter"),
    ],
)
def test_an_unknown_api_version_gets_arms_own_error(version: str, code: str) -> None:
    path = f"{NET}/virtualNetworks/v?api-version={version}"
    answer = Arm().get(path)
    assert (answer.status, answer.code) == (400, code)
    if code == "NoRegisteredProviderFound":
        assert "'1999-01-01'" in answer.message
        assert "2026-03-01" in answer.message


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("virtualNetworks/v", {"properties": {}}, "LocationRequired"),
        ("virtualNetworks/v", {"location": 5}, "InvalidRequestFormat"),
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
    by_gateway = code in {"LocationRequired", "InvalidResourceType"}
    assert set(answer.body["error"]) == {"code", "message"} | (set() if by_gateway else {"details"})
    assert answer.headers.get("x-ms-failure-cause") == ("gateway" if by_gateway else None)
    assert arm.get(f"{NET}/{path}").status == 404


def test_a_resource_cannot_move_to_another_region() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    answer = arm.put(network, {**network_body("10.0.0.0/16"), "location": "eastus"})
    assert (answer.status, answer.code) == (409, "InvalidResourceLocation")


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


def test_lists_are_paged_by_next_link() -> None:
    arm = Arm(page=2)
    for name in "abcde":
        arm.network(name, "10.0.0.0/16")
    names, url, pages = [], f"{NET}/virtualNetworks", 0
    while url:
        page = arm.get(url).body
        names += [one["name"] for one in page["value"]]
        url, pages = page.get("nextLink", ""), pages + 1
    assert (names, pages) == (list("abcde"), 3)
    everywhere = arm.get(f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks").body
    assert [one["name"] for one in everywhere["value"]] == ["a", "b"]
    assert arm.get(f"{RG}/resources").body["nextLink"]


def test_a_virtual_network_put_without_subnets_keeps_them_from_2023_09_01_on_and_deletes_them_below() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24")}])
    arm.put(network, network_body("10.0.0.0/16"))
    arm.wait()
    assert [one["name"] for one in arm.get(network).properties["subnets"]] == ["s"]
    arm.put(network, network_body("10.0.0.0/16"), version="2023-06-01")
    arm.wait()
    assert arm.get(network).properties["subnets"] == []


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
