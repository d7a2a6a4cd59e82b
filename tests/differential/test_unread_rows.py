"""Rows that say less than Azure does, or something else: what is not stated is not known, what is stated empty is a fact."""

from typing import Any

import pytest

from bastion_operator.network.gaps import gaps
from bastion_operator.network.inventory import Inventory
from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, INSTANCE, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import (
    DELETE,
    Estate,
    bastion,
    change,
    drop,
    find,
    hub_and_spoke,
    nic_id,
    public_ip,
    rule,
    same_vnet,
    scale_set,
    subnet_id,
    with_nsg,
)

OPEN = "EffectiveDataUnavailable"
SSH = Question("SSH", 22)
CONFIGURATIONS = "properties.ipConfigurations"
FIRST = f"{CONFIGURATIONS}.0.properties"


def reasons(estate: Estate, bastion: str | None = None) -> list[str]:
    """The codes of both sides, which have to agree; of a Bastion, or of the best one."""
    one = Asked(estate, questions=(SSH,), bastions=(BAS,))
    compare(one)
    return sorted({reason.code for reason in engine(one)(WEB, SSH, bastion).reasons})


def instance_reasons(estate: Estate) -> list[str]:
    """The same of an instance of scale set ``fleet``."""
    one = Asked(estate, questions=(SSH,), machines=(INSTANCE,))
    compare(one)
    return sorted({reason.code for reason in engine(one)(INSTANCE, SSH, None).reasons})


UNPLACED: list[tuple[str, Estate]] = [
    ("developer", change(same_vnet(sku="Developer"), "bas", "properties.virtualNetwork", None)),
    ("properties null", change(same_vnet(), "bas", "properties", None)),
    ("properties absent", change(same_vnet(), "bas", "properties", DELETE)),
    ("no configurations", change(same_vnet(), "bas", CONFIGURATIONS, DELETE)),
    ("configurations null", change(same_vnet(), "bas", CONFIGURATIONS, None)),
    ("configurations no list", change(same_vnet(), "bas", CONFIGURATIONS, "x")),
    ("configuration null", change(same_vnet(), "bas", CONFIGURATIONS, [None])),
    ("configuration bare", change(same_vnet(), "bas", CONFIGURATIONS, [{"name": "a"}])),
    ("empty reference", change(same_vnet(), "bas", f"{FIRST}.subnet", {})),
    ("reference to a number", change(same_vnet(), "bas", f"{FIRST}.subnet", {"id": 5})),
]


@pytest.mark.parametrize("estate", [estate for _, estate in UNPLACED], ids=[name for name, _ in UNPLACED])
def test_a_bastion_that_does_not_say_where_it_is_may_be_anywhere(estate: Estate) -> None:
    # Facts: never guess Unreachable. The engine said NotPeered, or that it lacked a subnet and a public IP; mended.
    assert reasons(estate) == [OPEN]
    assert reasons(estate, BAS) == [OPEN]
    (named,) = {reason.resource for reason in engine(Asked(estate))(WEB, SSH, None).reasons}
    assert named == BAS


@pytest.mark.parametrize("subnet", [None, DELETE])
def test_a_bastion_that_states_a_configuration_without_a_subnet_lacks_one(subnet: Any) -> None:
    estate = change(same_vnet(), "bas", f"{FIRST}.subnet", subnet)
    assert reasons(estate, BAS) == ["SubnetMissing"]
    assert reasons(estate) == [OPEN]


def test_a_bastion_of_which_the_configurations_are_an_empty_list_lacks_both() -> None:
    assert reasons(change(same_vnet(), "bas", CONFIGURATIONS, []), BAS) == ["PublicIPInvalid", "SubnetMissing"]


def test_the_configuration_that_names_a_subnet_counts() -> None:
    good = find(same_vnet(), "bas")["properties"]["ipConfigurations"][0]
    assert reasons(change(same_vnet(), "bas", CONFIGURATIONS, [{"properties": {}}, good]), BAS) == []


def unread_beside(estate: Estate) -> Estate:
    return [*estate, public_ip("near-ip"), bastion("near", "hub") | {"properties": None}]


def test_beside_a_bastion_that_cannot_be_read_another_serves() -> None:
    assert reasons(unread_beside(hub_and_spoke())) == []


@pytest.mark.parametrize(
    "estate",
    [with_nsg(hub_and_spoke(), "nic", rule("no", 100, "Deny")), drop(hub_and_spoke(), "bas")],
    ids=["denied from the other", "no other"],
)
def test_whether_a_bastion_that_cannot_be_read_reaches_what_no_other_does_is_not_known(estate: Estate) -> None:
    assert reasons(unread_beside(estate)) == [OPEN]


def test_a_machine_that_does_not_run_is_reached_by_no_bastion_wherever_it_is() -> None:
    state = "properties.extended.instanceView.powerState.code"
    estate = change(change(same_vnet(), "bas", "properties", None), "web", state, "PowerState/deallocated")
    assert reasons(estate) == [OPEN, "VMNotRunning"]


LINKS, SUBNETS = "properties.virtualNetworkPeerings", "properties.subnets"
UNLISTED = [None, DELETE, "x", {"a": 1}, [None, 3]]


@pytest.mark.parametrize("wrong", UNLISTED, ids=str)
def test_subnets_that_are_not_stated_are_not_held_to_be_missing(wrong: Any) -> None:
    # Facts: a list that is not stated is not known. The engine said SubnetMissing; mended.
    assert reasons(change(hub_and_spoke(), "hub", SUBNETS, wrong)) == [OPEN]
    assert reasons(change(hub_and_spoke(), "spoke", SUBNETS, wrong)) == [OPEN]


def test_subnets_that_are_stated_to_be_none_are_missing() -> None:
    assert reasons(change(hub_and_spoke(), "hub", SUBNETS, [])) == ["SubnetMissing"]


def test_a_subnet_of_a_wrong_name_is_wrong_whatever_else_is_there() -> None:
    estate = change(hub_and_spoke(), "bas", f"{FIRST}.subnet.id", subnet_id("hub", "other"))
    assert reasons(change(estate, "hub", SUBNETS, None)) == ["SubnetMissing"]


@pytest.mark.parametrize("wrong", [*UNLISTED, [{"name": "to-hub", "properties": None}]], ids=str)
def test_a_half_that_its_network_does_not_state_is_not_held_to_be_missing(wrong: Any) -> None:
    # The engine said PeeringOneSided; mended.
    assert reasons(change(hub_and_spoke(), "spoke", LINKS, wrong)) == [OPEN]
    assert reasons(change(hub_and_spoke(), "hub", LINKS, wrong)) == [OPEN]
    assert reasons(change(same_vnet(), "hub", LINKS, wrong)) == []


def test_a_half_that_is_not_stated_leaves_another_that_waits_one_sided() -> None:
    estate = change(hub_and_spoke(), "hub", f"{LINKS}.0.properties.peeringState", "Initiated")
    assert reasons(change(estate, "spoke", LINKS, None)) == ["PeeringOneSided"]


def test_networks_neither_of_which_states_its_links_may_be_peered() -> None:
    estate = change(change(hub_and_spoke(), "spoke", LINKS, None), "hub", LINKS, None)
    assert reasons(estate) == reasons(estate, BAS) == [OPEN]
    assert reasons(drop(estate, "hub")) == [OPEN]
    assert reasons([row for row in estate if row["name"] != "bas"]) == ["BastionNotFound"]


@pytest.mark.parametrize(("silent", "telling"), [("hub", "spoke"), ("spoke", "hub")])
def test_networks_one_of_which_states_that_it_has_no_link_are_not_peered(silent: str, telling: str) -> None:
    # Facts, section 5: a peering is two links; where one is known not to be there, there is none.
    estate = change(change(hub_and_spoke(), silent, LINKS, None), telling, LINKS, [])
    assert reasons(estate) == reasons(estate, BAS) == ["NotPeered"]


WRONG: list[Any] = [{"id": 5}, {}, "x", {"id": None}, {"id": ""}, []]
WORKLOAD, BASTION_SUBNET = "properties.subnets.1.properties", "properties.subnets.0.properties"
PLACES = [
    ("web-nic", "properties.networkSecurityGroup"),
    ("hub", f"{WORKLOAD}.networkSecurityGroup"),
    ("hub", f"{WORKLOAD}.routeTable"),
    ("hub", f"{BASTION_SUBNET}.networkSecurityGroup"),
    ("hub", f"{BASTION_SUBNET}.routeTable"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
@pytest.mark.parametrize(("row", "field"), PLACES)
def test_a_reference_that_cannot_be_read_is_not_held_to_be_none(row: str, field: str, wrong: Any) -> None:
    # Facts: never guess Reachable. The engine and the opinion both took it for no group and no table; mended.
    assert reasons(change(same_vnet(), row, field, wrong)) == [OPEN]
    assert reasons(change(same_vnet(), row, field, None)) == []


def test_a_reference_that_cannot_be_read_is_named_by_what_holds_it() -> None:
    estate = change(same_vnet(), "web-nic", "properties.networkSecurityGroup", {})
    (reason,) = engine(Asked(estate))(WEB, SSH, None).reasons
    assert (reason.resource, "networkSecurityGroup" in reason.message) == (nic_id("web-nic"), True)
    assert gaps(Inventory.from_rows(estate)) == []


@pytest.mark.parametrize("properties", [None, DELETE], ids=str)
def test_of_a_subnet_without_properties_neither_group_nor_table_is_known(properties: Any) -> None:
    estate = change(same_vnet(), "hub", "properties.subnets.1.properties", properties)
    told = engine(Asked(estate, questions=(SSH,)))(WEB, SSH, None).reasons
    assert {word for reason in told for word in ("routeTable", "networkSecurityGroup") if word in reason.message} == {
        "routeTable",
        "networkSecurityGroup",
    }
    assert reasons(estate) == [OPEN]


PREFIXES = f"{BASTION_SUBNET}.addressPrefixes"


@pytest.mark.parametrize("unread", ["10.0.5.0/99", "", 5, None], ids=str)
def test_a_prefix_of_bastion_that_cannot_be_read_beside_one_that_can_leaves_open_what_comes_from_there(
    unread: Any,
) -> None:
    # Facts: never guess Reachable. The engine left it out; mended.
    guards = (rule("known", 100, "Allow", source="10.0.1.0/26"), rule("rest", 110, "Deny"))
    estate = with_nsg(change(same_vnet(), "hub", PREFIXES, ["10.0.1.0/26", unread]), "nic", *guards)
    assert reasons(estate) == [OPEN]
    estate = with_nsg(change(same_vnet(), "hub", PREFIXES, ["10.0.1.0/26", unread]), "nic", rule("all", 100, "Deny"))
    assert reasons(estate) == [OPEN, "NicNsgDenies"]
    assert reasons(change(same_vnet(), "hub", PREFIXES, ["10.0.1.0/26", "fd00::/64"])) == []


def test_an_instance_of_a_subnet_with_a_prefix_that_cannot_be_read_may_be_there() -> None:
    guards = (rule("known", 100, "Allow", destination="10.0.2.0/24"), rule("rest", 110, "Deny"))
    estate = change(
        with_nsg(same_vnet(), "subnet", *guards), "hub", f"{WORKLOAD}.addressPrefixes", ["10.0.2.0/24", "x"]
    )
    assert instance_reasons([*estate, *scale_set("fleet", "hub", "workload")]) == [OPEN]


@pytest.mark.parametrize("lacking", ["publicIPAddress", "subnet"])
def test_what_a_sku_that_nobody_knows_can_do_without_is_not_known(lacking: str) -> None:
    # The engine said PublicIPInvalid; mended.
    estate = change(same_vnet(), "bas", f"{FIRST}.{lacking}", None)
    assert reasons(change(estate, "bas", "sku.name", "Ultra"), BAS) == [OPEN]
    assert reasons(change(estate, "bas", "sku.name", "Ultra")) == [OPEN]
    wrong = change(change(same_vnet(), "bas", "sku.name", "Ultra"), "bas-ip", "sku.name", "Basic")
    assert reasons(wrong) == [OPEN, "PublicIPInvalid"]
