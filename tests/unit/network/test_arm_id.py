import pytest

from bastion_operator.network.arm_id import ArmIdError, normalise_id, parse_arm_id, same_id

SUBNET = (
    "/subscriptions/s1/resourceGroups/Net/providers/Microsoft.Network/virtualNetworks/Hub/subnets/AzureBastionSubnet"
)


def test_a_child_resource_has_its_parts_and_its_parent() -> None:
    parsed = parse_arm_id(SUBNET)
    assert (parsed.subscription, parsed.resource_group, parsed.provider) == ("s1", "Net", "Microsoft.Network")
    assert parsed.types == ("virtualNetworks", "subnets")
    assert parsed.names == ("Hub", "AzureBastionSubnet")
    assert parsed.name == "AzureBastionSubnet"
    assert parsed.resource_type == "Microsoft.Network/virtualNetworks/subnets"
    assert parsed.parent == SUBNET.removesuffix("/subnets/AzureBastionSubnet")
    assert parse_arm_id(parsed.parent or "").parent is None
    assert str(parsed) == SUBNET


def test_containers_and_extension_resources_are_ids_too() -> None:
    assert parse_arm_id("/subscriptions/s1").resource_type == "Microsoft.Resources/subscriptions"
    assert parse_arm_id("/subscriptions/s1/resourcegroups/net").resource_group == "net"
    role = parse_arm_id(f"{SUBNET}/providers/Microsoft.Authorization/roleAssignments/r1")
    assert role.scope == SUBNET
    assert role.resource_type == "Microsoft.Authorization/roleAssignments"
    assert role.resource_group == "Net"


@pytest.mark.parametrize(
    "text",
    ["", "/", "hub", "/subscriptions", "/subscriptions/s1/resourceGroups", "/subscriptions/s1/oddities/x",
     "/subscriptions/s1/resourceGroups/net/providers/Microsoft.Network/virtualNetworks", "/subscriptions//resourceGroups/x"],
)  # fmt: skip
def test_what_is_no_id_is_refused_and_the_message_shows_the_form(text: str) -> None:
    with pytest.raises(ArmIdError, match="an id reads /subscriptions/<subscription>"):
        parse_arm_id(text)


def test_ids_compare_without_case_and_without_a_slash_at_the_end() -> None:
    assert same_id(SUBNET, SUBNET.upper() + "/")
    assert not same_id(SUBNET, SUBNET + "x")
    assert not same_id(None, None)
    assert normalise_id(SUBNET) == SUBNET.lower()
