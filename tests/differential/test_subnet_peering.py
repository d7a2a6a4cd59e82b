"""Peerings of named subnets, whose links know no more of the other VNet than the prefixes of these subnets."""

import pytest

from bastion_operator.network.finding import Action
from bastion_operator.network.fixes import apply_fix, explain
from bastion_operator.network.inventory import Inventory
from tests.differential.parts import WEB
from tests.differential.random_estates import BAS, Asked, Question
from tests.differential.test_two_opinions import compare, engine
from tests.support.estates import Estate, change, hub_and_spoke, route, with_nsg, with_routes

LINK = "properties.virtualNetworkPeerings.0.properties"
SSH = Question("SSH", 22)
NAMED = {"AzureBastionSubnet": "10.0.1.0/26", "workload": "10.1.2.0/24", "app": "10.1.3.0/24", "dns": "10.0.9.0/24"}


def subnets_peered(here: str, there: str) -> Estate:
    """The hub's subnet `here` and the spoke's subnet `there` are peered, and no other."""
    estate = hub_and_spoke()
    for network, local, remote in (("hub", here, there), ("spoke", there, here)):
        stated = {
            "peerCompleteVnets": False,
            "localSubnetNames": [local],
            "remoteSubnetNames": [remote],
            "remoteAddressSpace": {"addressPrefixes": [NAMED[remote]]},
            "remoteVirtualNetworkAddressSpace": {"addressPrefixes": [NAMED[remote]]},
        }
        for field, value in stated.items():
            estate = change(estate, network, f"{LINK}.{field}", value)
    return estate


def codes(estate: Estate) -> list[str]:
    """The reasons' codes, on which both have to agree."""
    one = Asked(estate, questions=(SSH,))
    compare(one)
    return [reason.code for reason in engine(one)(WEB, SSH, BAS).reasons]


def to_an_appliance(prefix: str) -> Estate:
    return with_routes(subnets_peered("dns", "app"), "subnet", route("away", prefix, "VirtualAppliance", "10.1.9.9"))


def test_links_that_name_both_subnets_know_enough() -> None:
    assert codes(with_nsg(subnets_peered("AzureBastionSubnet", "workload"), "bastion")) == []


@pytest.mark.parametrize("where", ["bastion", "subnet", "nic"])
def test_that_a_link_does_not_know_a_subnet_which_it_does_not_name_is_no_fault_of_its_own(where: str) -> None:
    for here, there in (("AzureBastionSubnet", "app"), ("dns", "workload"), ("dns", "app")):
        assert codes(with_nsg(subnets_peered(here, there), where)) == ["SubnetNotPeered"]


def test_a_named_subnet_that_the_link_does_not_know_is_out_of_sync() -> None:
    estate, before = subnets_peered("AzureBastionSubnet", "workload"), {"addressPrefixes": ["10.1.2.128/25"]}
    assert codes(change(estate, "hub", f"{LINK}.remoteAddressSpace", before)) == ["AddressSpaceNotSynced"]


def test_replies_go_back_as_if_the_subnets_were_named() -> None:
    assert codes(to_an_appliance("0.0.0.0/0")) == ["SubnetNotPeered"]
    assert codes(to_an_appliance("10.0.0.0/16")) == ["SubnetNotPeered"]
    assert codes(to_an_appliance("10.0.1.0/26")) == ["SubnetNotPeered", "ReturnRouteDiverted"]


def test_access_that_is_off_stays_a_setting() -> None:
    closed = change(subnets_peered("dns", "app"), "spoke", f"{LINK}.allowVirtualNetworkAccess", value=False)
    assert codes(closed) == ["SubnetNotPeered", "PeeringAccessDisabled"]
    assert codes(with_nsg(closed, "subnet")) == ["SubnetNotPeered", "SubnetNsgDenies"]


def test_the_fix_names_the_subnets_and_syncs_the_links_that_do_not_know_them() -> None:
    one = Asked(subnets_peered("dns", "workload"), questions=(SSH,))
    (reason,) = explain(engine(one)(WEB, SSH, BAS), Inventory.from_rows(one.estate)).reasons
    assert reason.fix is not None
    assert [change.resource.rsplit("/", 1)[-1] for change in reason.fix.changes if change.action is Action.SYNC] == [
        "to-hub"
    ]
    assert codes(apply_fix(one.estate, reason.fix)) == []
