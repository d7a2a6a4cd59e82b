"""What rows refer to and is not there, so that it is asked for before anything is concluded."""

import pytest

from bastion_operator.network.gaps import gaps
from bastion_operator.network.inventory import Inventory
from tests.support.estates import (
    Estate,
    bastion_id,
    hub_and_spoke,
    nic_id,
    nsg_id,
    peering,
    public_ip_id,
    route,
    route_table_id,
    rule,
    scale_set,
    vm_id,
    vnet,
    vnet_id,
    with_nsg,
    with_routes,
)


def test_a_whole_estate_has_no_gap() -> None:
    estate = with_routes(
        with_nsg(hub_and_spoke(), "nic", rule("a", 100, "Deny")), "subnet", route("a", "10.9.0.0/16", "None")
    )
    assert gaps(Inventory.from_rows([*estate, *scale_set("many", "hub", "AzureBastionSubnet", instances=2)])) == []


@pytest.mark.parametrize(
    "missing", [nic_id("web-nic"), nsg_id("guard"), route_table_id("routes"), public_ip_id("bas-ip"), vnet_id("hub")]
)
def test_what_is_referred_to_and_has_no_row_is_one(missing: str) -> None:
    estate: Estate = with_routes(
        with_nsg(hub_and_spoke(), "nic", rule("a", 100, "Deny")), "subnet", route("a", "10.9.0.0/16", "None")
    )
    known = {each["id"] for each in estate}
    assert {vm_id("web"), bastion_id("bas"), missing} <= known
    assert missing in gaps(Inventory.from_rows([each for each in estate if each["id"] != missing]))


def test_the_other_end_of_a_peering_is_none() -> None:
    lone = vnet("lone", "10.5.0.0/16", peerings=[peering("elsewhere", space=["10.6.0.0/16"])])
    assert gaps(Inventory.from_rows([lone])) == []
