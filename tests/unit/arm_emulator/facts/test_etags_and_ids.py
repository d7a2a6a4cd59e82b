"""Etags that parent and child share, preconditions, and ids in any casing."""

import re

import pytest

from tests.support.arm import NET, SUB, Arm, Json, link_body, network_body, rule_body, subnet_body

WEAK = re.compile(r'W/"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"')
GROUP = f"{NET}/networkSecurityGroups/n"
OTHER = {"If-Match": 'W/"00000000-0000-0000-0000-000000000000"'}


def etag(arm: Arm, path: str) -> str:
    return str(arm.get(path).body["etag"])


def guarded(arm: Arm) -> Json:
    arm.made(GROUP, {"location": "westeurope"})
    arm.made(f"{GROUP}/securityRules/r", rule_body(200))
    body: Json = arm.get(GROUP).body
    return body


def hub_with_children(arm: Arm) -> str:
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", "10.1.0.0/16")
    arm.made(f"{hub}/subnets/s", subnet_body("10.0.0.0/24"))
    arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(spoke))
    return hub


# -- etags -------------------------------------------------------------------------------------------------------


def test_an_etag_is_a_weak_one_around_a_guid() -> None:
    arm = Arm()
    assert WEAK.fullmatch(etag(arm, arm.network("v", "10.0.0.0/16")))


def test_the_etag_header_of_a_get_equals_the_bodys() -> None:
    arm = Arm()
    answer = arm.get(arm.network("v", "10.0.0.0/16"))
    assert answer.headers["etag"] == answer.body["etag"]


def test_a_put_has_no_etag_header_though_its_body_has_an_etag() -> None:
    arm = Arm()
    for body in ({"location": "westeurope"}, {"location": "westeurope", "tags": {"a": "b"}}):
        answer = arm.put(GROUP, body)
        assert answer.body["etag"]
        assert "etag" not in answer.headers
        arm.wait()


def test_a_rules_etag_is_its_groups() -> None:
    arm = Arm()
    group = guarded(arm)
    assert etag(arm, f"{GROUP}/securityRules/r") == group["etag"]
    assert group["properties"]["securityRules"][0]["etag"] == group["etag"]


def test_a_default_rules_etag_is_its_groups() -> None:
    group = guarded(Arm())
    assert {rule["etag"] for rule in group["properties"]["defaultSecurityRules"]} == {group["etag"]}


def test_a_subnets_etag_is_its_networks() -> None:
    arm = Arm()
    hub = arm.get(hub_with_children(arm)).body
    assert etag(arm, f"{hub['id']}/subnets/s") == hub["etag"] == hub["properties"]["subnets"][0]["etag"]


def test_a_peerings_etag_is_its_networks() -> None:
    arm = Arm()
    hub = arm.get(hub_with_children(arm)).body
    shown = hub["properties"]["virtualNetworkPeerings"][0]["etag"]
    assert etag(arm, f"{hub['id']}/virtualNetworkPeerings/l") == hub["etag"] == shown


@pytest.mark.parametrize("write", ["network", "tags", "subnet", "new subnet", "peering", "subnet gone", "peering gone"])
def test_any_write_on_a_network_or_below_it_bumps_the_etag_of_all(write: str) -> None:
    arm = Arm()
    hub = hub_with_children(arm)
    spoke = f"{NET}/virtualNetworks/spoke"
    before = etag(arm, hub)
    acts = {
        "network": lambda: arm.put(hub, network_body("10.0.0.0/16", "10.7.0.0/16")),
        "tags": lambda: arm.patch(hub, {"tags": {"a": "b"}}),
        "subnet": lambda: arm.put(f"{hub}/subnets/s", subnet_body("10.0.0.0/25")),
        "new subnet": lambda: arm.put(f"{hub}/subnets/t", subnet_body("10.0.9.0/24")),
        "peering": lambda: arm.put(f"{hub}/virtualNetworkPeerings/l", link_body(spoke, allowForwardedTraffic=True)),
        "subnet gone": lambda: arm.delete(f"{hub}/subnets/s"),
        "peering gone": lambda: arm.delete(f"{hub}/virtualNetworkPeerings/l"),
    }
    assert acts[write]().status in (200, 201, 202)
    after = etag(arm, hub)
    assert after != before
    if write != "subnet gone":
        assert etag(arm, f"{hub}/subnets/s") == after
    if write != "peering gone":
        assert etag(arm, f"{hub}/virtualNetworkPeerings/l") == after


def test_a_write_of_one_rule_bumps_the_etag_of_its_sibling() -> None:
    arm = Arm()
    before = guarded(arm)["etag"]
    arm.made(f"{GROUP}/securityRules/sibling", rule_body(210))
    assert etag(arm, f"{GROUP}/securityRules/r") == etag(arm, GROUP) != before


def test_reading_bumps_no_etag() -> None:
    arm = Arm()
    hub = hub_with_children(arm)
    before = etag(arm, hub)
    arm.get(f"{hub}/subnets")
    arm.get(f"{hub}/subnets/s")
    assert etag(arm, hub) == before


# -- preconditions -----------------------------------------------------------------------------------------------


def test_a_put_with_an_if_match_that_does_not_match_is_412() -> None:
    arm = Arm()
    answer = arm.put(arm.network("v", "10.0.0.0/16"), network_body("10.2.0.0/16"), headers=OTHER)
    assert (answer.status, answer.code) == (412, "PreconditionFailed")


def test_a_delete_with_an_if_match_that_does_not_match_is_412() -> None:
    arm = Arm()
    assert arm.delete(arm.network("v", "10.0.0.0/16"), headers=OTHER).status == 412


def test_a_patch_with_an_if_match_that_does_not_match_is_412() -> None:
    arm = Arm()
    assert arm.patch(arm.network("v", "10.0.0.0/16"), {"tags": {"a": "b"}}, headers=OTHER).status == 412


def test_what_is_refused_with_412_changes_nothing() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    before = arm.get(network).body
    arm.put(network, network_body("10.2.0.0/16"), headers=OTHER)
    arm.delete(network, headers=OTHER)
    arm.patch(network, {"tags": {"a": "b"}}, headers=OTHER)
    arm.wait()
    assert arm.get(network).body == before


def test_an_if_match_that_matches_lets_the_write_through() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    headers = {"If-Match": etag(arm, network)}
    assert arm.put(network, network_body("10.2.0.0/16"), headers=headers).status == 200


def test_a_childs_if_match_is_held_against_the_etag_it_shares_with_its_parent() -> None:
    arm = Arm()
    hub = hub_with_children(arm)
    stale = {"If-Match": etag(arm, f"{hub}/subnets/s")}
    arm.made(f"{hub}/subnets/t", subnet_body("10.0.9.0/24"))
    assert arm.put(f"{hub}/subnets/s", subnet_body("10.0.0.0/24"), headers=stale).status == 412
    fresh = {"If-Match": etag(arm, hub)}
    assert arm.put(f"{hub}/subnets/s", subnet_body("10.0.0.0/24"), headers=fresh).status == 200


def test_if_match_with_a_star_wants_something_there_and_if_none_match_nothing() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    body = network_body("10.2.0.0/16")
    assert arm.put(f"{NET}/virtualNetworks/new", body, headers={"If-Match": "*"}).status == 412
    assert arm.put(network, body, headers={"If-None-Match": "*"}).status == 412
    assert arm.put(network, body, headers={"If-Match": "*"}).status == 200


# -- ids ---------------------------------------------------------------------------------------------------------


def test_a_resource_is_found_by_its_id_in_any_casing() -> None:
    arm = Arm()
    network = arm.network("HubNet", "10.0.0.0/16")
    for path in (network.lower(), network.upper().replace("/SUBSCRIPTIONS", "/subscriptions")):
        assert arm.get(path).status == 200


def test_an_id_is_answered_in_the_casing_of_its_creation() -> None:
    arm = Arm()
    network = arm.network("HubNet", "10.0.0.0/16")
    assert arm.get(network.lower()).body["id"] == network
    assert arm.put(network.lower(), network_body("10.0.0.0/16")).body["id"] == network


def test_a_body_may_name_others_in_any_casing() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    arm.made(GROUP, {"location": "westeurope"})
    arm.made(f"{network}/subnets/s", subnet_body("10.0.0.0/24", networkSecurityGroup={"id": GROUP.lower()}))
    assert arm.get(GROUP).properties["subnets"] == [{"id": f"{network}/subnets/s"}]


def test_the_back_reference_of_a_subnet_is_in_upper_case() -> None:
    arm = Arm()
    arm.made(f"{NET}/bastionHosts/Bastion", arm.bastion_ready())
    subnet = arm.get(f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet").properties
    expected = f"/subscriptions/{SUB}/resourceGroups/RG/providers/Microsoft.Network/bastionHosts/BASTION/bastionHostIpConfigurations/IPCONF"
    assert subnet["ipConfigurations"] == [{"id": expected}]


def test_an_id_in_upper_case_leads_back_to_its_owner() -> None:
    arm = Arm()
    host = arm.made(f"{NET}/bastionHosts/Bastion", arm.bastion_ready()).body
    subnet = arm.get(f"{NET}/virtualNetworks/hub/subnets/AzureBastionSubnet").properties
    owner = subnet["ipConfigurations"][0]["id"].partition("/bastionHostIpConfigurations/")[0]
    assert owner != host["id"]
    assert arm.get(owner).body["id"] == host["id"]


def test_the_back_reference_of_an_address_is_in_the_casing_of_its_owner() -> None:
    arm = Arm()
    host = arm.made(f"{NET}/bastionHosts/Bastion", arm.bastion_ready()).properties
    address = arm.get(f"{NET}/publicIPAddresses/pip-hub").properties
    assert address["ipConfiguration"]["id"] == host["ipConfigurations"][0]["id"]
