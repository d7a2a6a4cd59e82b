"""What goes on in Azure on this process' account: which networks are busy, and to which nothing may refer meanwhile."""

import pytest

from bastion_operator.arm.operations import OperationFollower
from bastion_operator.reconcile.in_flight import InFlight
from bastion_operator.reconcile.keys import Key, Kind
from tests.support.clock import ManualClock
from tests.support.estates import vnet_id

KEY = Key(Kind.VNET_PEERING, "team", "net")
HUB = vnet_id("hub")
SUBNET = f"{HUB}/subnets/AzureBastionSubnet"
LINK = f"{HUB}/virtualNetworkPeerings/to-spoke"


@pytest.fixture
def woken() -> list[Key]:
    return []


@pytest.fixture
def in_flight(woken: list[Key]) -> InFlight:
    return InFlight(OperationFollower(ManualClock()), woken.append)


def test_a_network_is_busy_from_the_request_to_its_end_and_whoever_waits_is_woken(
    in_flight: InFlight, woken: list[Key]
) -> None:
    in_flight.begin(HUB, LINK)
    assert in_flight.busy(HUB.upper())
    in_flight.await_end(HUB, KEY)
    assert woken == []
    in_flight.end(HUB, LINK)
    assert not in_flight.busy(HUB)
    assert woken == [KEY]


def test_nothing_may_refer_to_a_network_while_a_subnet_of_it_is_written(in_flight: InFlight) -> None:
    in_flight.begin(HUB, SUBNET)
    assert in_flight.unreferable(HUB.upper())
    in_flight.end(HUB, SUBNET)
    assert not in_flight.unreferable(HUB)


def test_a_peering_that_is_written_is_in_no_other_references_way(in_flight: InFlight) -> None:
    in_flight.begin(HUB, LINK)
    assert not in_flight.unreferable(HUB)
    in_flight.end(HUB, LINK)
