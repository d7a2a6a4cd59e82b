"""The two halves of a peering: their states, what they know of each other, and what Azure refuses."""

from typing import Any

import pytest

from tests.support.arm import NET, OTHER_SUB, Arm, link_body, network_body, subnet_body


class Pair:
    """Two networks, and the paths of the links between them."""

    def __init__(self, arm: Arm) -> None:
        self.arm = arm
        self.hub = arm.network("hub", "10.0.0.0/16")
        self.spoke = arm.network("spoke", "10.1.0.0/16")
        self.to_spoke = f"{self.hub}/virtualNetworkPeerings/to-spoke"
        self.to_hub = f"{self.spoke}/virtualNetworkPeerings/to-hub"

    def connect(self, **flags: Any) -> "Pair":
        self.arm.made(self.to_spoke, link_body(self.spoke, **flags))
        self.arm.made(self.to_hub, link_body(self.hub))
        return self

    def states(self) -> list[tuple[str, str]]:
        links = [self.arm.get(path) for path in (self.to_spoke, self.to_hub)]
        return [
            (one.properties["peeringState"], one.properties["peeringSyncLevel"]) for one in links if one.status == 200
        ]


@pytest.fixture
def pair() -> Pair:
    return Pair(Arm())


def test_the_first_side_is_initiated_and_stays_so_alone(pair: Pair) -> None:
    answer = pair.arm.put(pair.to_spoke, link_body(pair.spoke))
    assert (answer.properties["peeringState"], answer.properties["peeringSyncLevel"]) == (
        "Initiated",
        "RemoteNotInSync",
    )
    pair.arm.wait(86_400)
    assert pair.states() == [("Initiated", "RemoteNotInSync")]


def test_the_second_sides_put_reads_connected_and_the_first_flips_by_its_next_get_with_its_etag(pair: Pair) -> None:
    pair.arm.made(pair.to_spoke, link_body(pair.spoke))
    before = pair.arm.get(pair.to_spoke).body["etag"]
    answer = pair.arm.put(pair.to_hub, link_body(pair.hub))
    assert (answer.properties["peeringState"], answer.properties["peeringSyncLevel"]) == ("Connected", "FullyInSync")
    first = pair.arm.get(pair.to_spoke)
    assert (first.properties["peeringState"], first.properties["peeringSyncLevel"]) == ("Connected", "FullyInSync")
    assert first.body["etag"] != before


def test_resource_guid_is_the_same_on_both_sides(pair: Pair) -> None:
    pair.connect()
    guids = {pair.arm.get(path).properties["resourceGuid"] for path in (pair.to_spoke, pair.to_hub)}
    assert len(guids) == 1


def test_defaults_of_the_flags(pair: Pair) -> None:
    link = pair.arm.made(pair.to_spoke, link_body(pair.spoke)).properties
    assert link["allowVirtualNetworkAccess"] is True
    assert link["peerCompleteVnets"] is True
    assert [link[name] for name in ("allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways")] == [False] * 3


def test_connected_occurs_with_virtual_network_access_false(pair: Pair) -> None:
    pair.connect(allowVirtualNetworkAccess=False)
    assert pair.states() == [("Connected", "FullyInSync")] * 2


def test_a_changed_address_space_makes_the_links_of_its_peers_stale_until_they_are_synced(pair: Pair) -> None:
    pair.connect()
    etag = pair.arm.get(pair.to_hub).body["etag"]
    pair.arm.made(pair.hub, network_body("10.0.0.0/16", "10.9.0.0/16"))
    link = pair.arm.get(pair.to_hub)
    assert link.properties["remoteAddressSpace"]["addressPrefixes"] == ["10.0.0.0/16"]
    assert link.properties["remoteVirtualNetworkAddressSpace"]["addressPrefixes"] == ["10.0.0.0/16", "10.9.0.0/16"]
    assert link.body["etag"] != etag
    assert pair.states() == [("Connected", "RemoteNotInSync"), ("Connected", "LocalNotInSync")]
    pair.arm.made(pair.to_hub, link_body(pair.hub))
    assert pair.states()[1] == ("Connected", "LocalNotInSync"), "a plain PUT does not sync"
    answer = pair.arm.put(pair.to_hub, link_body(pair.hub), syncRemoteAddressSpace="true")
    assert answer.headers["retry-after"] == "10"
    pair.arm.wait()
    assert pair.states() == [("Connected", "FullyInSync")] * 2


def test_both_sides_stale(pair: Pair) -> None:
    pair.connect()
    pair.arm.made(pair.hub, network_body("10.0.0.0/16", "10.9.0.0/16"))
    pair.arm.made(pair.spoke, network_body("10.1.0.0/16", "10.8.0.0/16"))
    assert pair.states() == [("Connected", "LocalAndRemoteNotInSync")] * 2


def test_deleting_one_side_disconnects_the_other_which_then_refuses_put_until_it_is_made_again(pair: Pair) -> None:
    pair.connect()
    pair.arm.gone(pair.to_hub)
    assert [state for state, _ in pair.states()] == ["Disconnected"]
    assert pair.arm.put(pair.to_spoke, link_body(pair.spoke)).code == "RemotePeeringIsDisconnected"
    assert pair.arm.put(pair.to_hub, link_body(pair.hub)).code == "RemotePeeringIsDisconnected"
    pair.arm.gone(pair.to_spoke)
    pair.connect()
    assert pair.states() == [("Connected", "FullyInSync")] * 2


def test_deleting_a_network_disconnects_its_peers_and_making_it_again_does_not_heal_them(pair: Pair) -> None:
    pair.connect()
    pair.arm.gone(pair.spoke)
    assert [state for state, _ in pair.states()] == ["Disconnected"]
    pair.arm.network("spoke", "10.1.0.0/16")
    assert [state for state, _ in pair.states()] == ["Disconnected"]


def test_peering_crosses_subscriptions() -> None:
    arm = Arm()
    hub = arm.network("hub", "10.0.0.0/16")
    path = f"/subscriptions/{OTHER_SUB}/resourceGroups/rg/providers/Microsoft.Network"
    spoke = arm.network("spoke", "10.1.0.0/16", path=path)
    arm.made(f"{hub}/virtualNetworkPeerings/l", link_body(spoke.upper().replace("/SUBSCRIPTIONS", "/subscriptions")))
    assert arm.made(f"{spoke}/virtualNetworkPeerings/l", link_body(hub)).properties["peeringState"] == "Connected"
    assert arm.get(f"{hub}/virtualNetworkPeerings/l").properties["peeringState"] == "Connected"


def test_overlapping_address_spaces_are_refused() -> None:
    arm = Arm()
    hub, spoke = arm.network("hub", "10.0.0.0/16"), arm.network("spoke", "10.0.128.0/17")
    answer = arm.put(f"{hub}/virtualNetworkPeerings/l", link_body(spoke))
    assert (answer.status, answer.code) == (400, "VnetAddressSpacesOverlap")
    assert "10.0.128.0/17" in answer.message


def test_overlap_with_an_already_peered_network_is_refused_from_both_sides(pair: Pair) -> None:
    pair.connect()
    other = pair.arm.network("other", "10.1.4.0/24")
    for path, remote in (
        (f"{pair.hub}/virtualNetworkPeerings/l", other),
        (f"{other}/virtualNetworkPeerings/l", pair.hub),
    ):
        answer = pair.arm.put(path, link_body(remote))
        assert (answer.status, answer.code) == (400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet")


def test_a_network_cannot_grow_into_a_peer(pair: Pair) -> None:
    pair.connect()
    answer = pair.arm.put(pair.hub, network_body("10.0.0.0/15"))
    assert answer.code == "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"


def test_a_second_link_to_one_network_is_refused(pair: Pair) -> None:
    pair.connect()
    answer = pair.arm.put(f"{pair.hub}/virtualNetworkPeerings/again", link_body(pair.spoke))
    assert (answer.status, answer.code) == (400, "AnotherPeeringAlreadyReferencesRemoteVnet")
    assert pair.to_spoke in answer.message


def test_the_remote_network_of_a_link_cannot_change(pair: Pair) -> None:
    pair.connect()
    other = pair.arm.network("other", "10.2.0.0/16")
    assert pair.arm.put(pair.to_spoke, link_body(other)).status == 400


def test_remote_gateways_need_a_gateway() -> None:
    gateway = {
        "id": f"{NET}/virtualNetworkGateways/gw",
        "type": "Microsoft.Network/virtualNetworkGateways",
        "location": "westeurope",
        "properties": {"ipConfigurations": [{"name": "c", "properties": {"subnet": {"id": f"{NET}/virtualNetworks/hub/subnets/GatewaySubnet"}}}]},
    }  # fmt: skip
    for estate, code in (([], "RemoteVnetHasNoGateways"), ([gateway], None)):
        arm = Arm(estate=estate)
        pair = Pair(arm)
        arm.made(f"{pair.hub}/subnets/GatewaySubnet", subnet_body("10.0.2.0/27"))
        answer = arm.put(pair.to_hub, link_body(pair.hub, useRemoteGateways=True))
        if code is None:
            assert answer.status == 201
        else:
            assert (answer.status, answer.code) == (400, code)


def test_a_missing_remote_network_is_an_invalid_reference(pair: Pair) -> None:
    answer = pair.arm.put(pair.to_spoke, link_body(f"{NET}/virtualNetworks/no"))
    assert (answer.status, answer.code) == (400, "InvalidResourceReference")
    assert pair.arm.put(pair.to_spoke, {"properties": {}}).status == 400
    assert pair.arm.put(pair.to_spoke, link_body(pair.hub)).status == 400


def test_links_can_be_written_and_kept_by_a_put_of_their_network(pair: Pair) -> None:
    pair.connect()
    pair.arm.made(pair.hub, network_body("10.0.0.0/16", virtualNetworkPeerings=[]))
    assert [state for state, _ in pair.states()] == ["Disconnected"]
