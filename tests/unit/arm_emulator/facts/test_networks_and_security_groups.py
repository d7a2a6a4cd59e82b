"""Virtual networks, subnets, security groups and their rules: what is answered, and what is known of their children."""

import pytest

from tests.support.arm import NET, PUBLIC_IP, Arm, Json, bastion_body, link_body, network_body, rule_body, subnet_body

GROUP = f"{NET}/networkSecurityGroups/n"
NIC = f"{NET}/networkInterfaces/nic"
DEFAULTS = (
    ("AllowVnetInBound", 65000, "Inbound", "Allow"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow"),
    ("DenyAllInBound", 65500, "Inbound", "Deny"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny"),
)
FIELDS = (
    ("sourcePortRange", "sourcePortRanges", "80"),
    ("destinationPortRange", "destinationPortRanges", "443"),
    ("sourceAddressPrefix", "sourceAddressPrefixes", "10.0.0.0/24"),
    ("destinationAddressPrefix", "destinationAddressPrefixes", "10.0.1.0/24"),
)


def with_subnet(arm: Arm, **properties: object) -> str:
    return arm.network("v", "10.0.0.0/16", subnets=[{"name": "s", **subnet_body("10.0.0.0/24", **properties)}])


def rule(arm: Arm, body: Json) -> Json:
    arm.made(GROUP, {"location": "westeurope"})
    return arm.made(f"{GROUP}/securityRules/r", body).properties


# -- security groups ---------------------------------------------------------------------------------------------


def test_a_security_group_has_six_default_rules() -> None:
    arm = Arm()
    rules = arm.made(GROUP, {"location": "westeurope"}).properties["defaultSecurityRules"]
    told = [(one["name"], *(one["properties"][name] for name in ("priority", "direction", "access"))) for one in rules]
    assert told == list(DEFAULTS)


def test_the_default_rules_can_be_read_one_by_one() -> None:
    arm = Arm()
    rules = arm.made(GROUP, {"location": "westeurope"}).properties["defaultSecurityRules"]
    assert arm.get(f"{GROUP}/defaultSecurityRules").body["value"] == rules
    assert arm.get(f"{GROUP}/defaultSecurityRules/DenyAllInBound").body == rules[2]
    assert arm.get(f"{GROUP}/defaultSecurityRules/no").status == 404


def test_a_security_group_names_the_subnets_that_have_it() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    assert "subnets" not in arm.get(GROUP).properties
    network = with_subnet(arm, networkSecurityGroup={"id": GROUP})
    assert arm.get(GROUP).properties["subnets"] == [{"id": f"{network}/subnets/s"}]


def test_a_security_group_names_the_interfaces_that_have_it() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope"})
    assert "networkInterfaces" not in arm.get(GROUP).properties
    part = {"name": "c", "properties": {"subnet": {"id": f"{with_subnet(arm)}/subnets/s"}}}
    arm.made(NIC, {"location": "westeurope", "properties": {"ipConfigurations": [part], "networkSecurityGroup": {"id": GROUP}}})  # fmt: skip
    assert arm.get(GROUP).properties["networkInterfaces"] == [{"id": NIC}]


def test_a_rule_can_be_written_and_deleted_alone_and_the_others_stay() -> None:
    arm = Arm()
    arm.made(GROUP, {"location": "westeurope", "properties": {"securityRules": [{"name": "a", **rule_body(200)}]}})
    arm.made(f"{GROUP}/securityRules/b", rule_body(210))
    assert [one["name"] for one in arm.get(GROUP).properties["securityRules"]] == ["a", "b"]
    arm.gone(f"{GROUP}/securityRules/a")
    assert [one["name"] for one in arm.get(f"{GROUP}/securityRules").body["value"]] == ["b"]


@pytest.mark.parametrize(("singular", "plural", "value"), FIELDS)
def test_a_rule_written_with_the_singular_field_answers_it_and_the_plural_empty(
    singular: str, plural: str, value: str
) -> None:
    answer = rule(Arm(), rule_body(200, **{singular: value}))
    assert (answer[singular], answer[plural]) == (value, [])


@pytest.mark.parametrize(("singular", "plural", "value"), FIELDS)
def test_a_rule_written_with_the_plural_field_answers_it_and_no_singular(
    singular: str, plural: str, value: str
) -> None:
    body = rule_body(200)
    body["properties"][plural] = [value]
    del body["properties"][singular]
    answer = rule(Arm(), body)
    assert answer[plural] == [value]
    assert singular not in answer


def test_the_words_of_a_rule_are_answered_as_azure_spells_them() -> None:
    answer = rule(Arm(), rule_body(200, "inbound", "ALLOW", protocol="tcp"))
    assert [answer[name] for name in ("direction", "access", "protocol")] == ["Inbound", "Allow", "Tcp"]


# -- virtual networks --------------------------------------------------------------------------------------------


def test_a_network_put_without_subnets_keeps_them_from_2023_09_01_on() -> None:
    arm = Arm()
    network = with_subnet(arm)
    arm.put(network, network_body("10.0.0.0/16"), version="2023-09-01")
    arm.wait()
    assert [one["name"] for one in arm.get(network).properties["subnets"]] == ["s"]


def test_a_network_put_without_subnets_deletes_them_below_2023_09_01() -> None:
    arm = Arm()
    network = with_subnet(arm)
    arm.put(network, network_body("10.0.0.0/16"), version="2023-06-01")
    arm.wait()
    assert arm.get(network).properties["subnets"] == []


def test_a_network_put_without_peerings_keeps_them() -> None:
    arm = Arm()
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", "10.1.0.0/16")
    arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(spoke))
    arm.made(hub, network_body("10.0.0.0/16"))
    assert arm.get(f"{hub}/virtualNetworkPeerings/l").status == 200


def test_a_subnet_is_written_alone_and_its_siblings_stay() -> None:
    arm = Arm()
    network = with_subnet(arm)
    arm.made(f"{network}/subnets/t", subnet_body("10.0.1.0/24"))
    arm.made(f"{network}/subnets/s", subnet_body("10.0.0.0/25"))
    prefixes = {one["name"]: one["properties"]["addressPrefix"] for one in arm.get(network).properties["subnets"]}
    assert prefixes == {"s": "10.0.0.0/25", "t": "10.0.1.0/24"}


def test_a_network_reads_succeeded_while_a_subnet_of_it_is_written() -> None:
    arm = Arm()
    network = arm.network("v", "10.0.0.0/16")
    arm.put(f"{network}/subnets/s", subnet_body("10.0.0.0/24"))
    assert arm.get(f"{network}/subnets/s").properties["provisioningState"] == "Updating"
    assert arm.get(network).properties["provisioningState"] == "Succeeded"


def test_a_put_that_depends_on_such_a_network_fails_with_referenced_resource_not_provisioned_until_it_is_sent_again() -> (
    None
):
    arm = Arm()
    network, address = arm.network("hub", "10.0.0.0/16"), f"{NET}/publicIPAddresses/p"
    arm.made(address, PUBLIC_IP)
    arm.made(f"{network}/subnets/AzureBastionSubnet", subnet_body("10.0.1.0/26"))
    arm.put(f"{network}/subnets/another", subnet_body("10.0.2.0/24"))
    body = bastion_body(f"{network}/subnets/AzureBastionSubnet", address)
    answer = arm.put(f"{NET}/bastionHosts/b", body)
    assert (answer.status, answer.code) == (400, "ReferencedResourceNotProvisioned")
    arm.wait()
    assert arm.get(f"{NET}/bastionHosts/b").status == 404, "nothing happens by itself"
    assert arm.put(f"{NET}/bastionHosts/b", body).status == 201
