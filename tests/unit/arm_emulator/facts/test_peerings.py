"""The two halves of a peering: their states, and what they know of each other."""

from typing import Any

import pytest

from tests.support.arm import OTHER_SUB, Arm, Reply, link_body, network_body


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


def both(reply: Reply) -> tuple[str, str]:
    return reply.properties["peeringState"], reply.properties["peeringSyncLevel"]


# -- two halves --------------------------------------------------------------------------------------------------


def test_the_put_of_the_first_side_reads_initiated_and_remote_not_in_sync(pair: Pair) -> None:
    assert both(pair.arm.put(pair.to_spoke, link_body(pair.spoke))) == ("Initiated", "RemoteNotInSync")


def test_the_first_side_stays_initiated_alone(pair: Pair) -> None:
    pair.arm.put(pair.to_spoke, link_body(pair.spoke))
    pair.arm.wait(86_400)
    assert pair.states() == [("Initiated", "RemoteNotInSync")]


def test_the_put_of_the_second_side_already_reads_connected_and_fully_in_sync(pair: Pair) -> None:
    pair.arm.made(pair.to_spoke, link_body(pair.spoke))
    assert both(pair.arm.put(pair.to_hub, link_body(pair.hub))) == ("Connected", "FullyInSync")


def test_the_first_side_flips_by_its_next_get(pair: Pair) -> None:
    pair.arm.made(pair.to_spoke, link_body(pair.spoke))
    pair.arm.put(pair.to_hub, link_body(pair.hub))
    assert both(pair.arm.get(pair.to_spoke)) == ("Connected", "FullyInSync")


def test_the_etag_of_the_first_side_changes_as_it_flips(pair: Pair) -> None:
    before = pair.arm.made(pair.to_spoke, link_body(pair.spoke)).body["etag"]
    pair.arm.put(pair.to_hub, link_body(pair.hub))
    assert pair.arm.get(pair.to_spoke).body["etag"] != before


def test_resource_guid_is_the_same_on_both_sides(pair: Pair) -> None:
    pair.connect()
    guids = {pair.arm.get(path).properties["resourceGuid"] for path in (pair.to_spoke, pair.to_hub)}
    assert len(guids) == 1


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("allowVirtualNetworkAccess", True),
        ("allowForwardedTraffic", False),
        ("allowGatewayTransit", False),
        ("useRemoteGateways", False),
        ("doNotVerifyRemoteGateways", False),
        ("peerCompleteVnets", True),
    ],
)
def test_the_default_of_each_flag(pair: Pair, flag: str, value: bool) -> None:
    assert pair.arm.made(pair.to_spoke, link_body(pair.spoke)).properties[flag] is value


def test_connected_occurs_with_virtual_network_access_false(pair: Pair) -> None:
    pair.connect(allowVirtualNetworkAccess=False)
    assert pair.states() == [("Connected", "FullyInSync")] * 2
    assert pair.arm.get(pair.to_spoke).properties["allowVirtualNetworkAccess"] is False


# -- address spaces ----------------------------------------------------------------------------------------------


def grown(pair: Pair) -> Pair:
    """The hub has grown by a prefix that the spoke's link does not know of."""
    pair.connect()
    pair.arm.made(pair.hub, network_body("10.0.0.0/16", "10.9.0.0/16"))
    return pair


def test_remote_address_space_is_what_the_link_knows(pair: Pair) -> None:
    link = grown(pair).arm.get(pair.to_hub).properties
    assert link["remoteAddressSpace"]["addressPrefixes"] == ["10.0.0.0/16"]


def test_remote_virtual_network_address_space_is_the_live_one(pair: Pair) -> None:
    link = grown(pair).arm.get(pair.to_hub).properties
    assert link["remoteVirtualNetworkAddressSpace"]["addressPrefixes"] == ["10.0.0.0/16", "10.9.0.0/16"]


def test_a_changed_address_space_takes_both_halves_out_of_sync(pair: Pair) -> None:
    assert grown(pair).states() == [("Connected", "RemoteNotInSync"), ("Connected", "LocalNotInSync")]


def test_a_changed_address_space_bumps_the_etag_of_the_peers_link(pair: Pair) -> None:
    pair.connect()
    before = pair.arm.get(pair.to_hub).body["etag"]
    pair.arm.made(pair.hub, network_body("10.0.0.0/16", "10.9.0.0/16"))
    assert pair.arm.get(pair.to_hub).body["etag"] != before


def test_a_plain_put_does_not_sync(pair: Pair) -> None:
    grown(pair).arm.made(pair.to_hub, link_body(pair.hub))
    assert pair.states()[1] == ("Connected", "LocalNotInSync")


def test_a_put_with_sync_remote_address_space_syncs(pair: Pair) -> None:
    assert grown(pair).arm.put(pair.to_hub, link_body(pair.hub), syncRemoteAddressSpace="true").status == 200
    pair.arm.wait()
    assert pair.states() == [("Connected", "FullyInSync")] * 2
    known = pair.arm.get(pair.to_hub).properties["remoteAddressSpace"]["addressPrefixes"]
    assert known == ["10.0.0.0/16", "10.9.0.0/16"]


def test_a_sync_takes_about_ten_seconds(pair: Pair) -> None:
    answer = grown(pair).arm.put(pair.to_hub, link_body(pair.hub), syncRemoteAddressSpace="true")
    assert answer.headers["retry-after"] == "10"
    pair.arm.wait(9)
    assert pair.arm.get(answer.headers["azure-asyncoperation"]).body["status"] == "InProgress"
    pair.arm.wait(2)
    assert pair.arm.get(answer.headers["azure-asyncoperation"]).body["status"] == "Succeeded"


# -- disconnection -----------------------------------------------------------------------------------------------


def test_deleting_one_side_disconnects_the_other(pair: Pair) -> None:
    pair.connect()
    pair.arm.gone(pair.to_hub)
    assert [state for state, _ in pair.states()] == ["Disconnected"]


def test_a_disconnected_pair_heals_once_the_disconnected_side_is_deleted_and_made_again(pair: Pair) -> None:
    pair.connect()
    pair.arm.gone(pair.to_hub)
    pair.arm.gone(pair.to_spoke)
    pair.connect()
    assert pair.states() == [("Connected", "FullyInSync")] * 2


def test_both_sides_stale(pair: Pair) -> None:
    pair.connect()
    pair.arm.made(pair.hub, network_body("10.0.0.0/16", "10.9.0.0/16"))
    pair.arm.made(pair.spoke, network_body("10.1.0.0/16", "10.8.0.0/16"))
    assert pair.states() == [("Connected", "LocalAndRemoteNotInSync")] * 2


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


def test_links_can_be_written_and_kept_by_a_put_of_their_network(pair: Pair) -> None:
    pair.connect()
    pair.arm.made(pair.hub, network_body("10.0.0.0/16", virtualNetworkPeerings=[]))
    assert [state for state, _ in pair.states()] == ["Disconnected"]
