"""What Azure refuses about peerings, each with its code."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.arm import NET, OTHER_SUB, Arm, Json, Reply, link_body, network_body, subnet_body

HUB, SPOKE = f"{NET}/virtualNetworks/hub", f"{NET}/virtualNetworks/spoke"
TO_SPOKE, TO_HUB = f"{HUB}/virtualNetworkPeerings/to-spoke", f"{SPOKE}/virtualNetworkPeerings/to-hub"
GATEWAY: Json = {
    "id": f"{NET}/virtualNetworkGateways/gw",
    "type": "Microsoft.Network/virtualNetworkGateways",
    "location": "westeurope",
    "properties": {
        "ipConfigurations": [{"name": "c", "properties": {"subnet": {"id": f"{HUB}/subnets/GatewaySubnet"}}}]
    },
}


def pair(estate: list[Json] | None = None, *, connected: bool = True, **flags: Any) -> Arm:
    """Hub and spoke; `flags` are of the hub's half."""
    arm = Arm(estate=estate)
    arm.network("hub", "10.0.0.0/16")
    arm.network("spoke", "10.1.0.0/16")
    if connected:
        arm.made(TO_SPOKE, link_body(SPOKE, **flags))
        arm.made(TO_HUB, link_body(HUB))
    return arm


def refused(answer: Reply, code: str, status: int = 400) -> str:
    assert (answer.status, answer.code) == (status, code)
    return answer.message


# -- address spaces ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["10.0.0.0/16", "10.0.128.0/17", "10.0.0.0/8"])
def test_networks_whose_spaces_overlap_cannot_be_peered(prefix: str) -> None:
    arm = Arm()
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", prefix)
    told = refused(arm.put(f"{hub}/virtualNetworkPeerings/l", link_body(spoke)), "VnetAddressSpacesOverlap")
    assert prefix in told


def test_a_network_that_overlaps_with_a_peer_of_the_hub_cannot_be_peered_from_the_hub() -> None:
    arm = pair()
    other = arm.network("other", "10.1.4.0/24")
    answer = arm.put(f"{HUB}/virtualNetworkPeerings/l", link_body(other))
    refused(answer, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet")


def test_a_network_that_overlaps_with_a_peer_of_the_hub_cannot_be_peered_from_its_own_side() -> None:
    arm = pair()
    other = arm.network("other", "10.1.4.0/24")
    answer = arm.put(f"{other}/virtualNetworkPeerings/l", link_body(HUB))
    refused(answer, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet")


def test_a_network_cannot_grow_into_a_peer() -> None:
    answer = pair().put(HUB, network_body("10.0.0.0/15"))
    refused(answer, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet")


# -- links -------------------------------------------------------------------------------------------------------


def test_a_second_link_to_one_network_is_refused_and_names_the_first() -> None:
    answer = pair().put(f"{HUB}/virtualNetworkPeerings/again", link_body(SPOKE))
    assert TO_SPOKE in refused(answer, "AnotherPeeringAlreadyReferencesRemoteVnet")


def test_a_second_link_to_one_network_is_refused_in_any_casing() -> None:
    answer = pair().put(f"{HUB}/virtualNetworkPeerings/again", link_body(SPOKE.lower()))
    refused(answer, "AnotherPeeringAlreadyReferencesRemoteVnet")


def test_the_remote_network_of_a_link_is_immutable() -> None:
    arm = pair()
    other = arm.network("other", "10.2.0.0/16")
    refused(arm.put(TO_SPOKE, link_body(other)), "RemoteVnetOfPeeringCannotBeChanged")
    assert arm.get(TO_SPOKE).properties["remoteVirtualNetwork"]["id"] == SPOKE


def test_a_link_to_a_network_that_is_missing_is_an_invalid_reference() -> None:
    answer = pair(connected=False).put(TO_SPOKE, link_body(f"{NET}/virtualNetworks/no"))
    refused(answer, "InvalidResourceReference")


def test_a_link_without_a_remote_network_is_refused() -> None:
    refused(pair(connected=False).put(TO_SPOKE, {"properties": {}}), "InvalidRequestFormat")


def test_a_link_to_its_own_network_is_refused() -> None:
    refused(pair(connected=False).put(TO_SPOKE, link_body(HUB)), "PeeringToSelfNotAllowed")


# -- gateways ----------------------------------------------------------------------------------------------------


def test_remote_gateways_without_a_gateway_are_refused() -> None:
    answer = pair(connected=False).put(TO_HUB, link_body(HUB, useRemoteGateways=True))
    refused(answer, "RemoteVnetHasNoGateways")


def test_remote_gateways_are_taken_where_there_is_a_gateway() -> None:
    arm = pair([GATEWAY], connected=False)
    arm.made(f"{HUB}/subnets/GatewaySubnet", subnet_body("10.0.2.0/27"))
    assert arm.put(TO_HUB, link_body(HUB, useRemoteGateways=True)).status == 201


def test_remote_gateways_that_are_not_to_be_verified_are_taken_without_a_gateway() -> None:
    body = link_body(HUB, useRemoteGateways=True, doNotVerifyRemoteGateways=True)
    assert pair(connected=False).put(TO_HUB, body).status == 201


# -- Disconnected ------------------------------------------------------------------------------------------------


def gone_half(arm: Arm) -> None:
    arm.gone(TO_HUB)


def gone_network(arm: Arm) -> None:
    arm.gone(SPOKE)
    arm.network("spoke", "10.1.0.0/16")


@pytest.mark.parametrize("act", [gone_half, gone_network])
@pytest.mark.parametrize("query", [{}, {"syncRemoteAddressSpace": "true"}])
def test_a_link_that_reads_disconnected_refuses_put(act: Callable[[Arm], None], query: dict[str, str]) -> None:
    arm = pair()
    act(arm)
    refused(arm.put(TO_SPOKE, link_body(SPOKE), **query), "RemotePeeringIsDisconnected")
    assert arm.get(TO_SPOKE).properties["peeringState"] == "Disconnected"


@pytest.mark.parametrize("act", [gone_half, gone_network])
def test_the_other_half_is_refused_while_a_link_reads_disconnected_and_taken_once_that_is_gone(
    act: Callable[[Arm], None],
) -> None:
    arm = pair()
    act(arm)
    told = refused(arm.put(TO_HUB, link_body(HUB)), "RemotePeeringIsDisconnected")
    assert TO_SPOKE in told
    arm.gone(TO_SPOKE)
    assert arm.put(TO_HUB, link_body(HUB)).properties["peeringState"] == "Initiated"


# -- rights ------------------------------------------------------------------------------------------------------


def test_a_link_into_a_subscription_that_is_missing_is_refused() -> None:
    remote = SPOKE.replace(f"/subscriptions/{SPOKE.split('/')[2]}", f"/subscriptions/{OTHER_SUB[:-1]}9")
    assert pair(connected=False).put(TO_SPOKE, link_body(remote)).status in (400, 403, 404)
